"""Summaries of histories."""

from __future__ import annotations

import sqlite3

from store.models import Summary
from store.sqlite import messages, tasks
from store.sqlite.values import moment, now
from store.text import storable


def save(db: sqlite3.Connection, task_id: str, text: str, up_to: int) -> Summary:
    """Store a summary of the history up to one of its messages. Raises NotFound."""
    n = tasks.place(db, task_id)
    messages.get(db, task_id, up_to)
    at = now()
    db.execute(
        "INSERT INTO summary (task, up_to, text, created_at) VALUES (?, ?, ?, ?)",
        (n, up_to, storable(text), at),
    )
    return Summary(text=storable(text), up_to=up_to, created_at=moment(at))


def of(db: sqlite3.Connection, task_id: str) -> list[Summary]:
    """Give a task's summaries, those of the least first."""
    rows = db.execute(
        "SELECT text, up_to, created_at FROM summary WHERE task = ? ORDER BY up_to, id",
        (tasks.place(db, task_id),),
    ).fetchall()
    return [
        Summary(text=row["text"], up_to=row["up_to"], created_at=moment(row["created_at"]))
        for row in rows
    ]
