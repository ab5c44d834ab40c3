"""Telling what a fork copied from what it says itself, so that everything is found once."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from store.sqlite.candidates import Candidate

_AROUND = 20  # numbers: a fork begins as its origin does, give or take what a version left out

# Where the origin is gone, the first of its forks stands for it.
_ORIGIN = """
    SELECT coalesce(task.fork_of, (
        SELECT min(other.task) FROM session AS other
        WHERE other.fork_session_id = session.fork_session_id AND other.backend = session.backend
            AND other.namespace = session.namespace AND other.task < task.n))
    FROM task LEFT JOIN session ON session.task = task.n WHERE task.n = ?
"""
_SAME = "role = ? AND kind = ? AND content = (SELECT content FROM message WHERE id = ?)"
_WAYS = (
    f"SELECT 1 FROM message WHERE task = ? AND seq BETWEEN ? AND ? AND {_SAME}",  # noqa: S608
    f"SELECT 1 FROM message WHERE task = ? AND at BETWEEN ? AND ? AND {_SAME}",  # noqa: S608
)


class Copies:
    """Says of messages whether their originals are found, too.

    `allow` says of a task whether messages of it are looked at.
    """

    def __init__(self, db: sqlite3.Connection, allow: Callable[[int], bool]) -> None:
        self._db = db
        self._allow = allow
        self._origins: dict[int, int | None] = {}

    def is_copy(self, found: Candidate) -> bool:
        """Say whether the same words are found in the origin of a message's task."""
        if not found.inherited:
            return False
        origin = self._origin(found.task)
        if origin is None or not self._allow(origin):
            return False
        near = (found.seq - _AROUND, found.seq + _AROUND), (found.at, found.at)
        same = (found.role, found.kind, found.id)
        return any(
            self._db.execute(way, (origin, *span, *same)).fetchone() is not None
            for way, span in zip(_WAYS, near, strict=True)
        )

    def _origin(self, task: int) -> int | None:
        if task not in self._origins:
            row = self._db.execute(_ORIGIN, (task,)).fetchone()
            self._origins[task] = None if row is None else row[0]
        return self._origins[task]
