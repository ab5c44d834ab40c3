"""What sessions used: the figures of one reading of their source, never a sum of two."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date

from store.models import Usage
from store.sqlite import tasks
from store.text import storable

_COLUMNS = """day, model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    reasoning_tokens"""
_OF = f"SELECT {_COLUMNS} FROM usage WHERE task = ? ORDER BY day, model"  # noqa: S608 - constants
_TOTAL = """
    SELECT coalesce(sum(input_tokens + output_tokens + coalesce(cache_read_tokens, 0)
        + coalesce(cache_write_tokens, 0)), 0)
    FROM usage WHERE task = ?
"""
_INSERT = f"INSERT INTO usage (task, {_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608


def of(db: sqlite3.Connection, task_id: str) -> list[Usage]:
    """Give what a task's session used, by day and model. Raises NotFound."""
    return [
        Usage.trusted(
            day=date.fromisoformat(day),
            model=model,
            input_tokens=sent,
            output_tokens=came,
            cache_read_tokens=read,
            cache_write_tokens=written,
            reasoning_tokens=reasoning,
        )
        for day, model, sent, came, read, written, reasoning in db.execute(
            _OF, (tasks.place(db, task_id),)
        )
    ]


def record(db: sqlite3.Connection, n: int, usage: Sequence[Usage]) -> bool:
    """Store what a source says was used so far, unless more is known; tell whether it was.

    A source that is read from its start again, because it was written anew or an import was
    killed, comes to what it said before and goes on from there: of two readings the one that saw
    more counts, and so does what an agent has taken out of its files.
    """
    total = sum(one.total_tokens for one in usage)
    [stored] = db.execute(_TOTAL, (n,)).fetchone()
    if total <= stored:
        return False
    if stored:
        delete(db, n)
    for one in usage:
        db.execute(
            _INSERT,
            (
                n,
                one.day.isoformat(),
                storable(one.model),
                one.input_tokens,
                one.output_tokens,
                one.cache_read_tokens,
                one.cache_write_tokens,
                one.reasoning_tokens,
            ),
        )
    return True


def delete(db: sqlite3.Connection, n: int) -> None:
    """Forget what a task's session used."""
    db.execute("DELETE FROM usage WHERE task = ?", (n,))
