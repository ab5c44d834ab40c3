"""Between pydantic's findings and the store's errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from store.errors import InvalidValue
from store.models import Model

M = TypeVar("M", bound=Model)


def validated(model: type[M], fields: Mapping[str, Any]) -> M:
    """Make a model of fields. Raises InvalidValue, in one line that names what is wrong."""
    try:
        return model.model_validate(dict(fields))
    except ValidationError as error:
        findings = (
            f"{'.'.join(map(str, finding['loc']))}: {finding['msg']}" for finding in error.errors()
        )
        told = "; ".join(findings)
        raise InvalidValue(f"not a valid {model.__name__.lower()}: {told}") from error
