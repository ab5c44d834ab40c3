"""Memories: what was learnt, with where it came from copied into it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from store.errors import InvalidValue, NotFound
from store.models import Memory, NewMemory, new_id
from store.sqlite import tasks
from store.sqlite.values import micros, moment, now
from store.text import storable
from store.validation import validated

_CHANGEABLE = frozenset({"text", "importance"})
_ALL = -1


def _to_memory(row: sqlite3.Row) -> Memory:
    fields = dict(row)
    fields["created_at"] = moment(row["created_at"])
    fields["updated_at"] = moment(row["updated_at"])
    return Memory.trusted(**fields)


_INSERT = """
    INSERT INTO memory (id, tenant_id, text, importance, task_id, task_title, backend, session_id,
                        project_path, created_at, updated_at)
    VALUES (:id, :tenant_id, :text, :importance, :task_id, :task_title, :backend, :session_id,
            :project_path, :created_at, :updated_at)
"""
_PROVENANCE = """
    SELECT task.id AS task_id, task.tenant_id, task.title AS task_title, session.backend,
        session.session_id, coalesce(session.project_path, task.project_path) AS project_path
    FROM task LEFT JOIN session ON session.task = task.n WHERE task.n = ?
"""


def save(
    db: sqlite3.Connection, new: NewMemory, task_id: str | None, fields: Mapping[str, Any]
) -> Memory:
    """Store a memory, with the provenance of its task. Raises NotFound or InvalidValue."""
    provenance: Mapping[str, Any] = {}
    if task_id is not None:
        provenance = dict(db.execute(_PROVENANCE, (tasks.place(db, task_id),)).fetchone())
    at = moment(now())
    memory = validated(
        Memory,
        {"id": new_id(), "created_at": at, "updated_at": at, **fields, **provenance, **dict(new)},
    )
    row = {name: storable(value) if isinstance(value, str) else value for name, value in memory} | {
        "created_at": micros(memory.created_at),
        "updated_at": micros(memory.updated_at),
    }
    db.execute(_INSERT, row)
    return get(db, memory.id)


def get(db: sqlite3.Connection, memory_id: str) -> Memory:
    """Give a memory. Raises NotFound."""
    row = db.execute("SELECT * FROM memory WHERE id = ?", (storable(memory_id),)).fetchone()
    if row is None:
        raise NotFound("memory", memory_id)
    return _to_memory(row)


def list_all(db: sqlite3.Connection, task_id: str | None, limit: int | None) -> list[Memory]:
    """Give memories, the most important first, then the newest."""
    rows = db.execute(
        f"SELECT * FROM memory {'' if task_id is None else 'WHERE task_id = ?'}"  # noqa: S608
        " ORDER BY importance DESC, created_at DESC, rowid DESC LIMIT ?",
        (
            *(() if task_id is None else (storable(task_id),)),
            _ALL if limit is None else max(0, limit),
        ),
    ).fetchall()
    return [_to_memory(row) for row in rows]


def update(db: sqlite3.Connection, memory_id: str, changes: Mapping[str, Any]) -> Memory:
    """Change a memory's text or importance. Raises NotFound or InvalidValue."""
    wrong = sorted(changes.keys() - _CHANGEABLE)
    if wrong:
        raise InvalidValue(f"not a field of a memory that can be changed: {', '.join(wrong)}")
    changed = validated(Memory, {**dict(get(db, memory_id)), **changes})
    db.execute(
        "UPDATE memory SET text = ?, importance = ?, updated_at = ? WHERE id = ?",
        (storable(changed.text), changed.importance, now(), storable(memory_id)),
    )
    return get(db, memory_id)


def delete(db: sqlite3.Connection, memory_id: str) -> None:
    """Delete a memory. Raises NotFound."""
    if not db.execute("DELETE FROM memory WHERE id = ?", (storable(memory_id),)).rowcount:
        raise NotFound("memory", memory_id)
