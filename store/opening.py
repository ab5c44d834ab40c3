"""From a target (a path, `:memory:`, a URL, nothing) to an open store."""

from __future__ import annotations

import os
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast
from urllib.parse import unquote

from store.errors import InvalidValue

if TYPE_CHECKING:
    from store.models import Recovery, TaskRow
    from store.protocol import Store

MEMORY = ":memory:"
VARIABLE = "BACKSCROLL_DATABASE"
_URL = "sqlite:///"


def default_path() -> Path:
    """Give the database in the person's data folder."""
    from platformdirs import user_data_path

    return user_data_path("backscroll", appauthor=False) / "backscroll.db"


def open_store(
    target: str | os.PathLike[str] | None = None,
    *,
    migrate: bool = True,
    synchronous: Literal["normal", "full"] = "normal",
) -> Opening:
    """Open a store, making and migrating it as needed.

    Use it as `async with open_store() as store:`; `await open_store()` gives a store that the
    caller closes.

    `target` is a path, `:memory:`, or a `sqlite:///` URL; without one, what the environment's
    BACKSCROLL_DATABASE says, else `default_path()`. With `migrate=False` an older schema raises
    SchemaTooOld instead of being migrated. What was acknowledged survives the death of any process;
    with `synchronous="full"` it survives a power cut, too, at the price of waiting for the disk.
    """
    return Opening(given(target), migrate, synchronous)


def first_rows(target: str | os.PathLike[str] | None = None, *, limit: int) -> Sequence[TaskRow]:
    """Read the first rows of the list at once, for who cannot wait for the store to be open.

    They have what a `TaskRow` has without being one: no models are loaded. There are none where
    the store has to be made, migrated or mended first, or cannot be opened: opening it tells.
    """
    from store.sqlite.first_page import read

    try:
        path = database_path(given(target))
    except InvalidValue:
        return ()
    return () if path is None else cast("Sequence[TaskRow]", read(path, limit))


async def recover(target: str | os.PathLike[str] | None = None) -> Recovery:
    """Replace a damaged store by what can still be read of it. No other program may have it open.

    The damaged file is kept beside the new one. Raises InvalidValue for a store in memory and
    StoreUnavailable when the new one cannot be written, which leaves the damaged one in place.
    """
    from store.sqlite.engine import SqliteStore

    path = database_path(given(target))
    if path is None:
        raise InvalidValue("a store in memory cannot be recovered")
    return await SqliteStore.recover(path)


def given(target: str | os.PathLike[str] | None) -> str | os.PathLike[str]:
    """Give the target, or without one what is meant by that."""
    if target is None:
        return os.environ.get(VARIABLE) or default_path()
    return target


class Opening:
    """A store about to be opened, by `await` or `async with`."""

    def __init__(self, target: str | os.PathLike[str], migrate: bool, synchronous: str) -> None:
        self._path = database_path(target)
        self._migrate = migrate
        self._synchronous = synchronous
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

        return await SqliteStore.open(
            self._path, migrate=self._migrate, synchronous=self._synchronous
        )


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
    try:
        return None if text == MEMORY else Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise InvalidValue(f"{text!r} is nobody's home") from error
