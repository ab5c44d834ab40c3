"""Importing into a store and asking what was used: a few short words for the stories."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import store
from store import Store, TaskFilter, Usage, ingest
from store.sqlite import migrate

DAY = date(2026, 11, 20)
NEXT_DAY = date(2026, 11, 21)


@dataclass
class Shelf:
    """A store, and the agents' homes below a folder."""

    store: Store
    home: Path
    database: Path

    @property
    def claude(self) -> Path:
        return self.home / ".claude"

    @property
    def codex(self) -> Path:
        return self.home / ".codex"

    @property
    def goose(self) -> Path:
        return self.home / ".local" / "share" / "goose" / "sessions"

    async def run(self) -> ingest.Report:
        return await ingest.run(self.store, env={"HOME": str(self.home)}, originals=False)

    async def used(self) -> dict[str, list[Usage]]:
        """Import, and give what each session used; importing again must change nothing."""
        await self.run()
        first = await self._used()
        await self.run()
        assert await self._used() == first
        return first

    async def _used(self) -> dict[str, list[Usage]]:
        page = await self.store.list_tasks(TaskFilter(everything=True, archived=None), limit=1000)
        return {
            row.session.session_id: await self.store.get_usage(row.task.id)
            for row in page.items
            if row.session is not None
        }

    async def only(self) -> list[Usage]:
        (used,) = (await self.used()).values()
        return used

    def as_before_usage(self, also: str = "") -> None:
        """Make the store what it was when usage was not stored, upgraded as the migration does.

        Its messages are as an older version wrote them, in its own way.
        """
        sql = next(one.sql for one in migrate.migrations() if one.name == "usage")
        with closing(sqlite3.connect(self.database)) as db, db:
            db.execute("DELETE FROM usage")
            db.execute("UPDATE source SET state = json_remove(state, '$.usage', '$.copied')")
            db.execute(also)
            db.execute("UPDATE message SET content = 'as an older version had it'")
            db.execute(sql[sql.index("UPDATE source") :])

    async def upgraded(self, also: str = "") -> dict[str, list[Usage]]:
        """Give what the sessions of such a store used, once it was imported into again."""
        self.as_before_usage(also)
        before = self._messages()
        assert (await self.run()).messages_added == 0
        assert self._messages() == before
        assert (await self.run()).sources_read == 0, "once is enough"
        return await self.used()

    def _messages(self) -> list[object]:
        with closing(sqlite3.connect(self.database)) as db:
            return db.execute("SELECT task, seq, key, on_branch FROM message").fetchall()


@asynccontextmanager
async def shelf(folder: Path) -> AsyncIterator[Shelf]:
    database = folder / "shelf.db"
    async with store.open_store(database) as opened:
        yield Shelf(opened, folder / "home", database)


def append(path: Path, *records: dict[str, Any]) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def rewrite(path: Path) -> None:
    """Write a file anew, as it is."""
    raw = path.read_bytes()
    other = path.with_name("other")
    other.write_bytes(raw)
    other.rename(path)
    os.utime(path, ns=(1, 1))
