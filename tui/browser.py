"""Putting the app together: which store, whether anything is imported into it."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import TYPE_CHECKING

from store.opening import MEMORY, database_path, given, open_store
from tui import collector
from tui.app import Backscroll
from tui.queries import own_queries
from tui.settings import own_settings

if TYPE_CHECKING:
    from store.protocol import Store
    from tui.first_page import FirstPage
    from tui.importing import Importer


def browse(database: str | None, *, demo: bool, first: FirstPage | None = None) -> int:
    """Run the browser on a database, or on an invented one. Gives the exit status.

    `first` has the first rows of that database, or will have.
    """
    app = demonstration() if demo else of_database(database, first=first)
    app.run()
    return app.return_code or 0


def of_database(database: str | None, *, first: FirstPage | None = None) -> Backscroll:
    """Give the app for a database: the person's own, or the one named."""

    async def opened() -> Store:
        # Loaded in a thread: keys are heard meanwhile.
        await asyncio.to_thread(import_module, "store.sqlite.engine")
        collector.begin()
        return await open_store(database)

    async def importer(_store: Store) -> Importer | None:
        from tui.importing import ProcessImporter

        path = database_path(given(database))
        return None if path is None else ProcessImporter(str(path))

    return Backscroll(opened, importer, settings=own_settings(), queries=own_queries(), first=first)


def demonstration() -> Backscroll:
    """Give the app over an invented store in memory."""

    async def opened() -> Store:
        from store.demo import fill

        collector.begin()
        store = await open_store(MEMORY)
        try:
            await fill(store)
        except BaseException:  # who quits at once must not leave it open
            await store.close()
            raise
        return store

    async def no_importer(_store: Store) -> Importer | None:
        return None

    return Backscroll(opened, no_importer)
