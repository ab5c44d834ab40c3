"""The queue of extractions: each task at most once, each attempt with one worker at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from store.errors import NotFound
from store.models import Extraction, Memory, NewMemory, new_id
from store.owner import alive, this_process
from store.sqlite import memories, tasks
from store.sqlite.values import moment, now
from store.text import storable

MOST_ATTEMPTS = 3

_SELECT = """
    SELECT extraction.id, task.id AS task_id, attempts, error, owner,
        extraction.created_at, extraction.updated_at
    FROM extraction JOIN task ON task.n = extraction.task
"""


def _to_extraction(row: sqlite3.Row) -> Extraction:
    return Extraction.trusted(
        id=row["id"],
        task_id=row["task_id"],
        attempts=row["attempts"],
        error=row["error"],
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
    )


def _get(db: sqlite3.Connection, extraction_id: str) -> Extraction:
    row = db.execute(f"{_SELECT} WHERE extraction.id = ?", (storable(extraction_id),)).fetchone()
    if row is None:
        raise NotFound("extraction", extraction_id)
    return _to_extraction(row)


def queue(db: sqlite3.Connection, task_id: str) -> Extraction:
    """Queue an extraction, or give the task's queued one; a spent one begins anew."""
    n, at = tasks.place(db, task_id), now()
    db.execute(
        "DELETE FROM extraction WHERE task = ? AND attempts >= ? AND owner IS NULL",
        (n, MOST_ATTEMPTS),
    )
    db.execute(
        "INSERT INTO extraction (id, task, created_at, updated_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (task) DO NOTHING",
        (new_id(), n, at, at),
    )
    row = db.execute(f"{_SELECT} WHERE extraction.task = ?", (n,)).fetchone()
    return _to_extraction(row)


def take(db: sqlite3.Connection, limit: int) -> list[Extraction]:
    """Take extractions that nobody works on, or whose worker died; oldest first."""
    taken: list[Extraction] = []
    waiting = db.execute(
        f"{_SELECT} WHERE attempts < ? ORDER BY extraction.n", (MOST_ATTEMPTS,)
    ).fetchall()
    for row in waiting:
        if len(taken) >= limit:
            break
        if alive(row["owner"]):
            continue
        db.execute(
            "UPDATE extraction SET owner = ?, updated_at = ? WHERE id = ?",
            (this_process(), now(), row["id"]),
        )
        taken.append(_get(db, row["id"]))
    return taken


def fail(db: sqlite3.Connection, extraction_id: str, error: str) -> Extraction:
    """Count a failed attempt and let go of the extraction."""
    _get(db, extraction_id)
    db.execute(
        "UPDATE extraction SET attempts = attempts + 1, error = ?, owner = NULL, updated_at = ?"
        " WHERE id = ?",
        (storable(error), now(), storable(extraction_id)),
    )
    return _get(db, extraction_id)


def finish(db: sqlite3.Connection, extraction_id: str, learnt: Sequence[NewMemory]) -> list[Memory]:
    """Store what was learnt and end the extraction, in one transaction."""
    task_id = _get(db, extraction_id).task_id
    db.execute("DELETE FROM extraction WHERE id = ?", (storable(extraction_id),))
    return [memories.save(db, memory, task_id, {}) for memory in learnt]
