"""Dependencies between tasks: a directed graph that never closes a circle."""

from __future__ import annotations

import sqlite3

from store.errors import CycleError, NotFound
from store.graph import path_between
from store.models import Task
from store.sqlite import tasks


def add(db: sqlite3.Connection, task_id: str, on: str) -> None:
    """Let a task wait for another. Raises NotFound or CycleError; again is no error.

    The check and the write share one immediate transaction: two processes cannot each add one
    half of a circle.
    """
    waiting, needed = tasks.place(db, task_id), tasks.place(db, on)
    chain = _chain(db, needed, waiting)
    if chain is not None:
        raise CycleError([task_id, *(_id(db, n) for n in chain)])
    _insert(db, waiting, needed)


def add_unless_circular(db: sqlite3.Connection, waiting: int, needed: int) -> None:
    """Let the task in one row wait for that in another, unless that closed a circle."""
    if _chain(db, needed, waiting) is None:
        _insert(db, waiting, needed)


def _chain(db: sqlite3.Connection, start: int, goal: int) -> list[int] | None:
    def next_tasks(n: int) -> list[int]:
        rows = db.execute("SELECT on_task FROM dependency WHERE task = ?", (n,))
        return [row["on_task"] for row in rows]

    return path_between(start, goal, next_tasks)


def _insert(db: sqlite3.Connection, waiting: int, needed: int) -> None:
    db.execute("INSERT OR IGNORE INTO dependency (task, on_task) VALUES (?, ?)", (waiting, needed))


def remove(db: sqlite3.Connection, task_id: str, on: str) -> None:
    """Let a task no longer wait for another. Raises NotFound when it did not."""
    removed = db.execute(
        "DELETE FROM dependency WHERE task = ? AND on_task = ?",
        (tasks.place(db, task_id), tasks.place(db, on)),
    )
    if not removed.rowcount:
        raise NotFound(f"dependency of the task {task_id!r}", on)


def of(db: sqlite3.Connection, task_id: str) -> list[Task]:
    """Give the tasks that a task waits for, oldest first."""
    return _tasks(db, "SELECT on_task FROM dependency WHERE task = ?", tasks.place(db, task_id))


def on(db: sqlite3.Connection, task_id: str) -> list[Task]:
    """Give the tasks that wait for a task, oldest first."""
    return _tasks(db, "SELECT task FROM dependency WHERE on_task = ?", tasks.place(db, task_id))


def forks(db: sqlite3.Connection, task_id: str) -> list[Task]:
    """Give the tasks that were forked from a task, oldest first."""
    return _tasks(db, "SELECT n FROM task WHERE fork_of = ?", tasks.place(db, task_id))


def ready(db: sqlite3.Connection) -> list[Task]:
    """Give the open tasks whose dependencies are all done, oldest first."""
    return _tasks(
        db,
        "SELECT n FROM task AS candidate WHERE status = 'open' AND archived_at IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM dependency JOIN task AS needed ON needed.n = on_task"
        " WHERE dependency.task = candidate.n AND needed.status != 'done')",
    )


def _tasks(db: sqlite3.Connection, places: str, *values: int) -> list[Task]:
    ids = db.execute(
        f"SELECT id FROM task WHERE n IN ({places}) ORDER BY created_at, n",  # noqa: S608
        values,
    ).fetchall()
    return [tasks.get(db, row["id"]) for row in ids]


def _id(db: sqlite3.Connection, n: int) -> str:
    return str(db.execute("SELECT id FROM task WHERE n = ?", (n,)).fetchone()["id"])
