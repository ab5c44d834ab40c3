"""Tasks: storing, reading and listing them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from store.errors import Conflict, InvalidValue, NotFound
from store.models import (
    Kind,
    Origin,
    Page,
    Role,
    Task,
    TaskFilter,
    TaskRow,
    TaskSort,
    TaskStatus,
    TitleFrom,
)
from store.sqlite import sessions
from store.sqlite.values import (
    escape_like,
    from_cursor,
    from_json,
    micros,
    moment,
    moment_or_none,
    now,
    to_cursor,
    to_json,
)
from store.status import check_task_move
from store.text import storable

CHANGEABLE = frozenset({"title", "title_from", "notes", "project_path"})

_COLUMNS = """
    task.n, task.id, task.tenant_id, task.title, task.title_from, task.status, task.origin,
    task.notes, task.project_path, task.created_at, task.updated_at, task.archived_at,
    task.last_message_at, task.message_count, task.prompt_count, task.tool_call_count,
    (SELECT id FROM task AS other WHERE other.n = task.parent) AS parent_task_id,
    (SELECT id FROM task AS other WHERE other.n = task.fork_of) AS fork_of_id,
    (SELECT json_group_array(name) FROM tag WHERE tag.task = task.n ORDER BY name) AS tags
"""


def place(db: sqlite3.Connection, task_id: str) -> int:
    """Give the row number of a task. Raises NotFound."""
    row = db.execute("SELECT n FROM task WHERE id = ?", (task_id,)).fetchone()
    if row is None:
        raise NotFound("task", task_id)
    return int(row["n"])


def to_task(row: sqlite3.Row) -> Task:
    """Give a row of `_COLUMNS` as a model. It was validated on its way into the database."""
    return Task.model_construct(
        id=row["id"],
        title=row["title"],
        title_from=TitleFrom(row["title_from"]),
        status=TaskStatus(row["status"]),
        origin=Origin(row["origin"]),
        notes=row["notes"],
        tags=tuple(from_json(row["tags"])),
        project_path=row["project_path"],
        parent_task_id=row["parent_task_id"],
        fork_of=row["fork_of_id"],
        tenant_id=row["tenant_id"],
        created_at=moment(row["created_at"]),
        updated_at=moment(row["updated_at"]),
        archived_at=moment_or_none(row["archived_at"]),
        last_message_at=moment_or_none(row["last_message_at"]),
        message_count=row["message_count"],
        prompt_count=row["prompt_count"],
        tool_call_count=row["tool_call_count"],
    )


_GET = f"SELECT {_COLUMNS} FROM task WHERE task.id = ?"  # noqa: S608 - constants only


def get(db: sqlite3.Connection, task_id: str) -> Task:
    """Give a task. Raises NotFound."""
    row = db.execute(_GET, (task_id,)).fetchone()
    if row is None:
        raise NotFound("task", task_id)
    return to_task(row)


_RESOLVE = """
    SELECT id FROM task WHERE id = ?1
    UNION SELECT id FROM session JOIN task ON task.n = session.task WHERE session_id = ?1
"""
_RESOLVE_START = """
    SELECT id FROM task WHERE id >= ?1 AND id < ?1 || char(0x10FFFF)
    UNION SELECT id FROM session JOIN task ON task.n = session.task
    WHERE session_id >= ?1 AND session_id < ?1 || char(0x10FFFF)
    LIMIT 2
"""


def resolve(db: sqlite3.Connection, name: str) -> str:
    """Give the id of the one task that is called, or whose session is called, `name`...

    Whole ids go before beginnings. Raises NotFound or Conflict.
    """
    wanted = storable(name)
    found = db.execute(_RESOLVE, (wanted,)).fetchall() if wanted else []
    found = found or (db.execute(_RESOLVE_START, (wanted,)).fetchall() if wanted else [])
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
            "tenant_id": task.tenant_id,
            "title": storable(task.title),
            "title_from": task.title_from,
            "status": task.status,
            "origin": task.origin,
            "notes": storable(task.notes),
            "project_path": task.project_path,
            "parent": place(db, task.parent_task_id) if task.parent_task_id else None,
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


def update(db: sqlite3.Connection, task_id: str, changes: Mapping[str, Any]) -> Task:
    """Change some of a task's fields. Raises InvalidValue for a field that is not changeable."""
    wrong = changes.keys() - CHANGEABLE
    if wrong:
        raise InvalidValue(f"not a field of a task that can be changed: {', '.join(sorted(wrong))}")
    changed = Task.model_validate(get(db, task_id).model_dump() | dict(changes))
    db.execute(
        "UPDATE task SET title = ?, title_from = ?, notes = ?, project_path = ?, updated_at = ?"
        " WHERE id = ?",
        (
            storable(changed.title),
            changed.title_from,
            storable(changed.notes),
            changed.project_path,
            now(),
            task_id,
        ),
    )
    return get(db, task_id)


def delete(db: sqlite3.Connection, task_id: str) -> None:
    """Delete a task and all that hangs on it. Raises NotFound."""
    if not db.execute("DELETE FROM task WHERE id = ?", (task_id,)).rowcount:
        raise NotFound("task", task_id)


def set_status(db: sqlite3.Connection, task_id: str, status: TaskStatus) -> Task:
    """Move a task, as the status table allows."""
    old = get(db, task_id).status
    check_task_move(task_id, old, status)
    if status != old:
        db.execute(
            "UPDATE task SET status = ?, updated_at = ? WHERE id = ?", (status, now(), task_id)
        )
    return get(db, task_id)


def set_archived(db: sqlite3.Connection, task_id: str, archived: bool) -> Task:
    """Put a task away or take it back; saying it again changes nothing."""
    at = now()
    db.execute(
        "UPDATE task SET archived_at = ?, updated_at = ?"
        " WHERE id = ? AND (archived_at IS NULL) = ?",
        (at if archived else None, at, task_id, archived),
    )
    return get(db, task_id)


def tag(db: sqlite3.Connection, task_id: str, names: Sequence[str]) -> Task:
    """Add tags."""
    _add_tags(db, place(db, task_id), names)
    return get(db, task_id)


def untag(db: sqlite3.Connection, task_id: str, names: Sequence[str]) -> Task:
    """Take tags away; those that are not there are no error."""
    n = place(db, task_id)
    db.executemany("DELETE FROM tag WHERE task = ? AND name = ?", [(n, name) for name in names])
    return get(db, task_id)


def _add_tags(db: sqlite3.Connection, n: int, names: Sequence[str]) -> None:
    if not all(names):
        raise InvalidValue("a tag must not be empty")
    db.executemany("INSERT OR IGNORE INTO tag (task, name) VALUES (?, ?)", [(n, t) for t in names])


# Listing: a filter becomes conditions, a sort an expression, a cursor the place to go on behind.

_SORTS: Mapping[TaskSort, tuple[str, str]] = {
    TaskSort.ACTIVE: ("task.active_at", "DESC"),
    TaskSort.CREATED: ("task.created_at", "DESC"),
    TaskSort.MESSAGES: ("task.message_count", "DESC"),
    TaskSort.TITLE: ("lower(task.title)", "ASC"),
    TaskSort.PROJECT: ("coalesce(task.project_path, '')", "ASC"),
}

_SEARCHED = """lower(task.title || ' ' || coalesce(task.project_path, '') || ' '
    || coalesce(session.git_branch, '') || ' ' || coalesce(session.model, '') || ' '
    || coalesce(session.backend, ''))"""


def _conditions(filter: TaskFilter) -> tuple[list[str], list[Any]]:  # noqa: A002
    conditions, values = ["task.tenant_id = ?"], [filter.tenant_id]

    def also(condition: str, *more: Any) -> None:
        conditions.append(condition)
        values.extend(more)

    if not filter.everything:
        also("task.origin = 'person'")
        also("(task.message_count > 0 OR session.task IS NULL)")
    if filter.archived is not None:
        also("task.archived_at IS NOT NULL" if filter.archived else "task.archived_at IS NULL")
    if filter.under is not None:
        folder = filter.under.rstrip("/")
        also(
            "(task.project_path = ? OR task.project_path LIKE ? ESCAPE '\\')",
            folder or "/",
            escape_like(folder) + "/%",
        )
    if filter.backend is not None:
        also("session.backend = ?", filter.backend)
    if filter.status is not None:
        also("task.status = ?", filter.status)
    if filter.parent_task_id is not None:
        also("task.parent = (SELECT n FROM task WHERE id = ?)", filter.parent_task_id)
    if filter.top_level:
        also("(task.parent IS NULL OR task.origin = 'automated')")
    for word in filter.words:
        also(f"{_SEARCHED} LIKE ? ESCAPE '\\'", f"%{escape_like(word.lower())}%")
    return conditions, values


def _from(filter: TaskFilter) -> str:  # noqa: A002
    needed = not filter.everything or filter.backend is not None or filter.words
    return "task LEFT JOIN session ON session.task = task.n" if needed else "task"


def list_ids(db: sqlite3.Connection, filter: TaskFilter) -> list[str]:  # noqa: A002
    """Give the ids of all the tasks that the filter lets through, in its order."""
    conditions, values = _conditions(filter)
    key, direction = _SORTS[filter.sort]
    rows = db.execute(
        f"SELECT task.id FROM {_from(filter)} WHERE {' AND '.join(conditions)}"  # noqa: S608
        f" ORDER BY {key} {direction}, task.n {direction}",
        values,
    )
    rows.row_factory = None
    return [task_id for (task_id,) in rows]


def count(db: sqlite3.Connection, filter: TaskFilter) -> int:  # noqa: A002
    """Count the tasks that the filter lets through."""
    conditions, values = _conditions(filter)
    sql = f"SELECT count(*) FROM {_from(filter)} WHERE {' AND '.join(conditions)}"  # noqa: S608
    return int(db.execute(sql, values).fetchone()[0])


def list_page(
    db: sqlite3.Connection,
    filter: TaskFilter,  # noqa: A002
    cursor: str | None,
    limit: int,
) -> Page[TaskRow]:
    """Give the page of tasks that begins behind a cursor."""
    conditions, values = _conditions(filter)
    key, direction = _SORTS[filter.sort]
    if cursor is not None:
        sort, value, n = from_cursor(cursor, 3)
        if sort != filter.sort:
            raise InvalidValue(f"the cursor belongs to a list sorted by {sort}")
        conditions.append(f"({key}, task.n) {'<' if direction == 'DESC' else '>'} (?, ?)")
        values += [value, n]
    rows = db.execute(
        f"SELECT task.id, {key} AS key, task.n FROM {_from(filter)}"  # noqa: S608
        f" WHERE {' AND '.join(conditions)} ORDER BY {key} {direction}, task.n {direction} LIMIT ?",
        [*values, limit + 1],
    ).fetchall()
    more = len(rows) > limit
    rows = rows[:limit]
    items = get_rows(db, [row["id"] for row in rows])
    last = to_cursor(filter.sort, rows[-1]["key"], rows[-1]["n"]) if more and rows else None
    return Page.model_construct(items=tuple(items), cursor=last)


_ROWS = f"""
    SELECT {_COLUMNS}, {sessions.COLUMNS},
        (SELECT count(*) FROM task AS child
         WHERE child.parent = task.n AND child.origin != 'automated') AS children,
        last.role AS last_role, last.kind AS last_kind
    FROM task
    LEFT JOIN session ON session.task = task.n
    LEFT JOIN message AS last ON last.id = (
        SELECT id FROM message WHERE message.task = task.n ORDER BY at DESC, seq DESC LIMIT 1)
    WHERE task.id IN (SELECT value FROM json_each(?))
"""  # noqa: S608


def get_rows(db: sqlite3.Connection, task_ids: Sequence[str]) -> list[TaskRow]:
    """Give the rows of these tasks, in this order, without those that are gone."""
    found = {row["id"]: row for row in db.execute(_ROWS, (to_json(list(task_ids)),)).fetchall()}
    return [_to_row(found[task_id]) for task_id in task_ids if task_id in found]


def _to_row(row: sqlite3.Row) -> TaskRow:
    return TaskRow.model_construct(
        task=to_task(row),
        session=sessions.to_session(row) if row["session_id"] is not None else None,
        children=row["children"],
        last_role=Role(row["last_role"]) if row["last_role"] else None,
        last_kind=Kind(row["last_kind"]) if row["last_kind"] else None,
    )
