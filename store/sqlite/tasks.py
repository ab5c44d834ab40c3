"""Tasks: storing and reading them, one at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from store.errors import Conflict, InvalidValue, NotFound
from store.models import Task, TaskStatus
from store.sqlite.rows import TASK_COLUMNS, task_values
from store.sqlite.values import (
    micros,
    now,
    text_or_none,
)
from store.status import check_task_move
from store.text import storable
from store.validation import validated

CHANGEABLE = frozenset({"title", "title_from", "notes", "project_path"})


def place(db: sqlite3.Connection, task_id: str) -> int:
    """Give the row number of a task. Raises NotFound."""
    row = db.execute("SELECT n FROM task WHERE id = ?", (storable(task_id),)).fetchone()
    if row is None:
        raise NotFound("task", task_id)
    return int(row["n"])


def to_task(row: Iterable[Any]) -> Task:
    """Give a row of `TASK_COLUMNS` as a model. It was validated on its way into the database.

    Raises ValueError for what no store has written.
    """
    return Task.trusted(**task_values(row))


_GET = f"SELECT {TASK_COLUMNS} FROM task WHERE task.id = ?"  # noqa: S608 - constants only


def get(db: sqlite3.Connection, task_id: str) -> Task:
    """Give a task. Raises NotFound."""
    row = db.execute(_GET, (storable(task_id),)).fetchone()
    if row is None:
        raise NotFound("task", task_id)
    return to_task(row)


_RESOLVE = """
    SELECT id FROM task WHERE id = :name
    UNION SELECT id FROM session JOIN task ON task.n = session.task WHERE session_id = :name
"""
_RESOLVE_START = """
    SELECT id FROM task WHERE id >= :name AND id < :name || char(0x10FFFF)
    UNION SELECT id FROM session JOIN task ON task.n = session.task
    WHERE session_id >= :name AND session_id < :name || char(0x10FFFF)
    LIMIT 2
"""


def resolve(db: sqlite3.Connection, name: str) -> str:
    """Give the id of the one task that is called, or whose session is called, `name`...

    Whole ids go before beginnings. Raises NotFound or Conflict.
    """
    wanted = storable(name)
    found = db.execute(_RESOLVE, {"name": wanted}).fetchall() if wanted else []
    found = found or (db.execute(_RESOLVE_START, {"name": wanted}).fetchall() if wanted else [])
    if not found:
        raise NotFound("task or session", name)
    if len(found) > 1:
        raise Conflict(f"several tasks or sessions begin with {name!r}")
    return str(found[0]["id"])


_SAVE = """
    INSERT INTO task (id, tenant_id, title, title_from, status, origin, notes, project_path,
                      parent, fork_of, created_at, updated_at, archived_at)
    VALUES (:id, :tenant_id, :title, :title_from, :status, :origin, :notes, :project_path,
            :parent, :fork_of, :created_at, :now, :archived_at)
    ON CONFLICT (id) DO UPDATE SET
        title = :title, title_from = :title_from, notes = :notes, project_path = :project_path,
        parent = :parent, fork_of = :fork_of, archived_at = :archived_at, updated_at = :now
    WHERE tenant_id = :tenant_id
"""


def save(db: sqlite3.Connection, task: Task) -> Task:
    """Insert a task, or replace the person's fields of the one that has its id."""
    moment_now = now()
    saved = db.execute(
        _SAVE,
        {
            "id": storable(task.id),
            "tenant_id": storable(task.tenant_id),
            "title": storable(task.title),
            "title_from": task.title_from,
            "status": task.status,
            "origin": task.origin,
            "notes": storable(task.notes),
            "project_path": text_or_none(task.project_path),
            "parent": _parent(db, task),
            "fork_of": place(db, task.fork_of) if task.fork_of else None,
            "created_at": micros(task.created_at) if task.created_at else moment_now,
            "archived_at": micros(task.archived_at) if task.archived_at else None,
            "now": moment_now,
        },
    )
    if not saved.rowcount:
        raise Conflict(f"the task {task.id!r} belongs to another tenant")
    n = place(db, task.id)
    db.execute("DELETE FROM tag WHERE task = ?", (n,))
    _add_tags(db, n, task.tags)
    return get(db, task.id)


def _parent(db: sqlite3.Connection, task: Task) -> int | None:
    if task.parent_task_id is None:
        return None
    parent = place(db, task.parent_task_id)
    own = db.execute("SELECT n FROM task WHERE id = ?", (storable(task.id),)).fetchone()
    if own is not None and hangs_below(db, parent, own["n"]):
        raise Conflict(f"the task {task.id!r} cannot hang under itself")
    return parent


def hangs_below(db: sqlite3.Connection, n: int, above: int) -> bool:
    """Say whether a task is another one, or hangs under it at any depth."""
    row = db.execute(
        "WITH RECURSIVE line (n) AS (SELECT ? UNION SELECT parent FROM task JOIN line USING (n))"
        " SELECT 1 FROM line WHERE n = ?",
        (n, above),
    ).fetchone()
    return row is not None


def update(db: sqlite3.Connection, task_id: str, changes: Mapping[str, Any]) -> Task:
    """Change some of a task's fields. Raises InvalidValue for a field that is not changeable."""
    wrong = changes.keys() - CHANGEABLE
    if wrong:
        raise InvalidValue(f"not a field of a task that can be changed: {', '.join(sorted(wrong))}")
    changed = validated(Task, {**dict(get(db, task_id)), **changes})
    db.execute(
        "UPDATE task SET title = ?, title_from = ?, notes = ?, project_path = ?, updated_at = ?"
        " WHERE id = ?",
        (
            storable(changed.title),
            changed.title_from,
            storable(changed.notes),
            text_or_none(changed.project_path),
            now(),
            storable(task_id),
        ),
    )
    return get(db, task_id)


def delete(db: sqlite3.Connection, task_id: str) -> None:
    """Delete a task and all that hangs on it. Raises NotFound."""
    db.execute("DELETE FROM task WHERE n = ?", (place(db, task_id),))


def set_status(db: sqlite3.Connection, task_id: str, status: TaskStatus) -> Task:
    """Move a task, as the status table allows."""
    old = get(db, task_id).status
    check_task_move(task_id, old, status)
    if status != old:
        db.execute(
            "UPDATE task SET status = ?, updated_at = ? WHERE n = ?",
            (status, now(), place(db, task_id)),
        )
    return get(db, task_id)


def set_archived(db: sqlite3.Connection, task_id: str, archived: bool) -> Task:
    """Put a task away or take it back; saying it again changes nothing."""
    at = now()
    db.execute(
        "UPDATE task SET archived_at = ?, updated_at = ? WHERE n = ? AND (archived_at IS NULL) = ?",
        (at if archived else None, at, place(db, task_id), archived),
    )
    return get(db, task_id)


def tag(db: sqlite3.Connection, task_id: str, names: Sequence[str]) -> Task:
    """Add tags."""
    _add_tags(db, place(db, task_id), names)
    return get(db, task_id)


def untag(db: sqlite3.Connection, task_id: str, names: Sequence[str]) -> Task:
    """Take tags away; those that are not there are no error."""
    n = place(db, task_id)
    db.executemany(
        "DELETE FROM tag WHERE task = ? AND name = ?", [(n, storable(name)) for name in names]
    )
    return get(db, task_id)


def _add_tags(db: sqlite3.Connection, n: int, names: Sequence[str]) -> None:
    if not all(names):
        raise InvalidValue("a tag must not be empty")
    db.executemany(
        "INSERT OR IGNORE INTO tag (task, name) VALUES (?, ?)",
        [(n, storable(name)) for name in names],
    )
