"""The scopes of the task list: this folder, this repository, everything."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path


class Scope(StrEnum):
    """Whose tasks are listed, from near to far."""

    HERE = "here"
    REPOSITORY = "repository"
    EVERYTHING = "everything"

    @property
    def wider(self) -> Scope:
        """The next wider scope; everything is the widest."""
        order = list(Scope)
        return order[min(order.index(self) + 1, len(order) - 1)]

    @property
    def next(self) -> Scope:
        """The scope after this one, going round."""
        order = list(Scope)
        return order[(order.index(self) + 1) % len(order)]


def folder_of(scope: Scope, here: Path) -> Path | None:
    """Give the folder whose tasks a scope has; None for all. Outside a repository it is here."""
    if scope is Scope.EVERYTHING:
        return None
    if scope is Scope.HERE:
        return here
    return next((at for at in (here, *here.parents) if (at / ".git").exists()), here)
