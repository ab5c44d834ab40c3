"""Putting the app together: which store, whether anything is imported into it."""

from __future__ import annotations

import gc
import sys
from typing import TYPE_CHECKING

from store.opening import MEMORY, database_path, given, open_store
from tui.app import Backscroll
from tui.importing import Importer, ProcessImporter
from tui.settings import own_settings

if TYPE_CHECKING:
    from store.protocol import Store


def browse(database: str | None, *, demo: bool) -> int:
    """Run the browser on a database, or on an invented one. Gives the exit status."""
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        print(  # noqa: T201
            "backscroll: the browser needs a terminal; `backscroll list` does not", file=sys.stderr
        )
        return 1
    app = demonstration() if demo else of_database(database)
    _calm_the_collector()
    app.run()
    return app.return_code or 0


def _calm_the_collector() -> None:
    """Keep the garbage collector from walking the whole program between two frames.

    A full collection of a running Textual app takes several frames. What is loaded by now stays
    for good and is set aside; the rest is collected young, and all of it rarely.
    """
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)
    gc.enable()


def of_database(database: str | None) -> Backscroll:
    """Give the app for a database: the person's own, or the one named."""

    async def opened() -> Store:
        return await open_store(database)

    async def importer(_store: Store) -> Importer | None:
        path = database_path(given(database))
        return None if path is None else ProcessImporter(str(path))

    return Backscroll(opened, importer, settings=own_settings())


def demonstration() -> Backscroll:
    """Give the app over an invented store in memory."""

    async def opened() -> Store:
        from store.demo import fill

        store = await open_store(MEMORY)
        await fill(store)
        return store

    async def no_importer(_store: Store) -> Importer | None:
        return None

    return Backscroll(opened, no_importer)
