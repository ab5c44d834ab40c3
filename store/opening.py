"""From a target (a path, `:memory:`, a URL, nothing) to an open store."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from store.errors import InvalidValue
from store.protocol import Store

MEMORY = ":memory:"
VARIABLE = "BACKSCROLL_DATABASE"
_URL = "sqlite:///"


def default_path() -> Path:
    """Give the database in the person's data folder."""
    from platformdirs import user_data_path

    return user_data_path("backscroll", appauthor=False) / "backscroll.db"


def open_store(target: str | os.PathLike[str] | None = None, *, migrate: bool = True) -> Opening:
    """Open a store, making and migrating it as needed.

    Use it as `async with open_store() as store:`; `await open_store()` gives a store that the
    caller closes.

    `target` is a path, `:memory:`, or a `sqlite:///` URL; without one, what the environment's
    BACKSCROLL_DATABASE says, else `default_path()`. With `migrate=False` an older schema raises
    SchemaTooOld instead of being migrated.
    """
    if target is None:
        target = os.environ.get(VARIABLE) or default_path()
    return Opening(target, migrate)


class Opening:
    """A store about to be opened, by `await` or `async with`."""

    def __init__(self, target: str | os.PathLike[str], migrate: bool) -> None:
        self._path = database_path(target)
        self._migrate = migrate
        self._store: Store | None = None

    def __await__(self) -> Generator[Any, None, Store]:
        return self._open().__await__()

    async def __aenter__(self) -> Store:
        self._store = await self._open()
        return self._store

    async def __aexit__(self, *exc_info: object) -> None:
        if self._store is not None:
            await self._store.close()

    async def _open(self) -> Store:
        from store.sqlite.engine import SqliteStore  # loaded when a store of this kind is opened

        return await SqliteStore.open(self._path, migrate=self._migrate)


def database_path(target: str | os.PathLike[str]) -> Path | None:
    """Give the file a target names; None for memory. Raises InvalidValue for another engine."""
    text = os.fspath(target)
    if text.startswith(_URL):
        place = unquote(text.removeprefix(_URL))
        text = place if place == MEMORY else "/" + place.lstrip("/")
    elif "://" in text:
        raise InvalidValue(f"no engine for {text!r}: a path or {_URL}PATH is understood")
    if not text:
        raise InvalidValue("the target of a store must not be empty")
    return None if text == MEMORY else Path(text).expanduser().absolute()
