"""Between Python's values and SQLite's: times, JSON, cursors, paths."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache, partial
from typing import Any, TypeVar

from store.errors import InvalidValue
from store.text import storable

E = TypeVar("E", bound=StrEnum)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EMPTY: Mapping[str, Callable[[], Any]] = {"{}": dict, "[]": list}


def micros(moment: datetime) -> int:
    """Give an aware time as microseconds since 1970 in UTC."""
    return (moment - _EPOCH) // _MICROSECOND


def micros_or_none(moment: datetime | None) -> int | None:
    """Give an optional time as microseconds."""
    return None if moment is None else micros(moment)


def moment(value: int) -> datetime:
    """Give microseconds since 1970 as an aware time in UTC."""
    try:
        return _EPOCH + timedelta(0, 0, value)  # days, seconds, microseconds
    except OverflowError as error:
        raise ValueError(f"not a time: {value}") from error


def moment_or_none(value: int | None) -> datetime | None:
    """Give optional microseconds as a time."""
    return None if value is None else moment(value)


def now() -> int:
    """Give the present in microseconds since 1970."""
    return micros(datetime.now(UTC))


def to_json(value: Any) -> str:
    """Give a value as JSON text. Lone surrogates are escaped, which keeps them as given.

    Raises InvalidValue for what JSON cannot hold.
    """
    try:
        return json.dumps(value, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidValue(f"JSON cannot hold this: {error}") from error


def from_json(text: str) -> Any:
    """Read JSON text that `to_json` wrote."""
    if text in _EMPTY:  # as nearly all are
        return _EMPTY[text]()
    try:
        return _decoder()(text)
    except ValueError:  # half a surrogate pair, or nested too deep for this way
        return json.loads(text)


def from_small_json(text: str) -> Any:
    """Read JSON text that `to_json` wrote, without loading a faster decoder for it."""
    return _EMPTY[text]() if text in _EMPTY else json.loads(text)


@cache
def _decoder() -> Callable[[str], Any]:
    from pydantic_core import from_json  # loaded when there is something to decode

    return partial(from_json, cache_strings="keys")


class Members(dict[str, E]):
    """The members of an enum by their values. Calling the enum takes ten times as long.

    Looking up any other value raises ValueError, as calling the enum does.
    """

    def __init__(self, enum: type[E]) -> None:
        super().__init__({member.value: member for member in enum})
        self._enum = enum

    def __missing__(self, value: str) -> E:
        raise ValueError(f"not a {self._enum.__name__}: {value!r}")


def to_cursor(*place: str | int) -> str:
    """Give a place in an ordered list as an opaque word."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def from_cursor(cursor: str, length: int) -> list[Any]:
    """Read a word that `to_cursor` gave. Raises InvalidValue for any other."""
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except ValueError as error:
        raise InvalidValue(f"not a cursor of this list: {cursor!r}") from error
    if not isinstance(place, list) or len(place) != length:
        raise InvalidValue(f"not a cursor of this list: {cursor!r}")
    return place


def to_path(path: str) -> bytes:
    """Give a path as the bytes that the system knows it by; names need not be UTF-8."""
    return os.fsencode(path)


def from_path(path: bytes) -> str:
    """Give a stored path as Python handles it."""
    return os.fsdecode(path)


def text_or_none(text: str | None) -> str | None:
    """Give an optional text as UTF-8 can hold it."""
    return None if text is None else storable(text)
