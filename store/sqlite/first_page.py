"""The first page of the list before there is a store, for a screen that is still being loaded.

A connection that only reads, one statement, and no models: it is there 70 ms earlier than they are.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

from store.sqlite.rows import ROWS, line
from store.sqlite.values import moment

# What a list shows unless it is asked for something else: people's own, in the order of activity.
# The plus keeps the parents' index out of it: all the tasks without one would be sorted.
_FIRST = f"""{ROWS}
    WHERE task.tenant_id = 'local' AND task.origin = 'person' AND task.archived_at IS NULL
        AND (task.message_count > 0 OR session.task IS NULL) AND +task.parent IS NULL
    ORDER BY task.active_at DESC, task.n DESC LIMIT ?
"""


class FirstRow(SimpleNamespace):
    """Stands in for a `TaskRow`, with all of its fields, its task's and its session's."""

    @property
    def active_at(self) -> object:
        """When something last happened: the latest message, else the creation."""
        return self.task.last_message_at or self.task.created_at or moment(0)


def read(path: Path, limit: int) -> list[FirstRow]:
    """Read the first rows; none when they cannot be had at once: opening the store says why."""
    where = f"file:{quote(str(path))}?mode=ro"
    try:
        with closing(sqlite3.connect(where, uri=True, timeout=0)) as db:
            found = db.execute(_FIRST, (limit,)).fetchall()
        return [_to_row(row) for row in found]
    except (sqlite3.Error, ValueError):
        return []


def _to_row(row: tuple[object, ...]) -> FirstRow:
    task, session, rest = line(row)
    return FirstRow(
        task=SimpleNamespace(**task),
        session=None if session is None else SimpleNamespace(**session),
        **rest,
    )
