"""Sessions: one for each task at most, found by task or by the agent's own id."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any

from store.errors import Conflict, InvalidValue, NotFound
from store.models import LOCAL_TENANT, Origin, Page, Session, SessionStatus, Task, TitleFrom, new_id
from store.owner import alive, this_process
from store.sqlite import tasks
from store.sqlite.rows import SESSION_COLUMNS, session_values
from store.sqlite.values import (
    from_cursor,
    micros,
    micros_or_none,
    moment,
    now,
    text_or_none,
    to_cursor,
    to_json,
)
from store.status import check_session_move
from store.text import storable
from store.validation import validated

_FIXED = frozenset({"task_id", "session_id", "backend", "status", "tenant_id", "namespace"})
_COUNTED = frozenset({"message_count", "last_message_at", "created_at", "updated_at"})


def to_session(row: Iterable[Any]) -> Session:
    """Give a row of `SESSION_COLUMNS` as a model. It was validated on its way into the database.

    Raises ValueError for what no store has written.
    """
    return Session.trusted(**session_values(row))


_SELECT = f"SELECT {SESSION_COLUMNS} FROM session JOIN task ON task.n = session.task"  # noqa: S608


def get(db: sqlite3.Connection, task_id: str) -> Session:
    """Give the session of a task. Raises NotFound for the task or its session."""
    session = _of(db, tasks.place(db, task_id))
    if session is None:
        raise NotFound("session of the task", task_id)
    return session


def _of(db: sqlite3.Connection, n: int) -> Session | None:
    row = db.execute(f"{_SELECT} WHERE session.task = ?", (n,)).fetchone()
    return None if row is None else to_session(row)


def find(db: sqlite3.Connection, backend: str, session_id: str, namespace: str | None) -> Session:
    """Give the session that has an agent's id. Raises NotFound."""
    row = db.execute(
        f"{_SELECT} WHERE session.backend = ? AND session.session_id = ?"
        " AND session.namespace = coalesce(?, session.namespace)"
        " ORDER BY task.active_at DESC LIMIT 1",
        (storable(backend), storable(session_id), text_or_none(namespace)),
    ).fetchone()
    if row is None:
        raise NotFound(f"{backend} session", session_id)
    return to_session(row)


def list_page(
    db: sqlite3.Connection, conditions: Mapping[str, Any], cursor: str | None, limit: int
) -> Page[Session]:
    """Give a page of sessions, newest first; `conditions` are columns and their values."""
    wanted = {column: storable(value) for column, value in conditions.items() if value is not None}
    where = [f"session.{column} = ?" for column in wanted]
    values = list(wanted.values())
    if cursor is not None:
        where.append("(session.created_at, session.task) < (?, ?)")
        values += from_cursor(cursor, 2)
    rows = db.execute(
        f"SELECT session.created_at, session.task, {SESSION_COLUMNS}"  # noqa: S608
        " FROM session JOIN task ON task.n = session.task"
        f" {'WHERE ' + ' AND '.join(where) if where else ''}"
        " ORDER BY session.created_at DESC, session.task DESC LIMIT ?",
        [*values, max(0, limit) + 1],
    ).fetchall()
    more = len(rows) > limit
    rows = rows[: max(0, limit)]
    last = to_cursor(*rows[-1][:2]) if more and rows else None
    return Page.trusted(items=tuple(to_session(row[2:]) for row in rows), cursor=last)


_SAVE = """
    INSERT INTO session (
        task, tenant_id, backend, namespace, session_id, status, owner, root, project_path,
        git_branch, model, agent_version, permission_mode, parent_session_id, fork_session_id,
        source_path, source_gone_at, context, traits, user_id, thread_id, created_at, updated_at)
    VALUES (
        :task, :tenant_id, :backend, :namespace, :session_id, :status, :owner, :root,
        :project_path, :git_branch, :model, :agent_version, :permission_mode, :parent_session_id,
        :fork_session_id, :source_path, :source_gone_at, :context, :traits, :user_id, :thread_id,
        :created_at, :updated_at)
    ON CONFLICT (task) DO UPDATE SET
        tenant_id = :tenant_id, backend = :backend, namespace = :namespace,
        session_id = :session_id, root = :root,
        owner = CASE WHEN status = :status THEN owner ELSE :owner END, status = :status,
        project_path = :project_path, git_branch = :git_branch, model = :model,
        agent_version = :agent_version, permission_mode = :permission_mode,
        parent_session_id = :parent_session_id, fork_session_id = :fork_session_id,
        source_path = :source_path, source_gone_at = :source_gone_at, context = :context,
        traits = :traits, user_id = :user_id, thread_id = :thread_id, updated_at = :updated_at
"""


def store(db: sqlite3.Connection, n: int, session: Session) -> None:
    """Write a session whole. Raises Conflict when another task has it."""
    try:
        db.execute(
            _SAVE,
            {
                **{
                    field: storable(value) if isinstance(value, str) else value
                    for field, value in session
                    if field not in _COUNTED
                },
                "task": n,
                "status": session.status,
                "owner": this_process() if session.status is SessionStatus.ACTIVE else None,
                "source_gone_at": micros_or_none(session.source_gone_at),
                "context": to_json(session.context),
                "traits": to_json(session.traits),
                "created_at": micros(session.created_at),
                "updated_at": now(),
            },
        )
    except sqlite3.IntegrityError as error:
        owner = db.execute(
            "SELECT task.id FROM session JOIN task ON task.n = session.task"
            " WHERE session.tenant_id = ? AND backend = ? AND namespace = ? AND session_id = ?",
            tuple(
                storable(part)
                for part in (
                    session.tenant_id,
                    session.backend,
                    session.namespace,
                    session.session_id,
                )
            ),
        ).fetchone()
        if owner is None:
            raise
        raise Conflict(
            f"the {session.backend} session {session.session_id!r}"
            f" belongs to the task {owner['id']!r}"
        ) from error


def save(
    db: sqlite3.Connection, task_id: str, session_id: str, backend: str, fields: Mapping[str, Any]
) -> Session:
    """Insert the session of a task, or replace what is given of the one it has."""
    task = db.execute(
        "SELECT n, tenant_id FROM task WHERE n = ?", (tasks.place(db, task_id),)
    ).fetchone()
    _refuse(fields, {"task_id"} | _COUNTED - {"created_at"})
    fresh = {"created_at": moment(now()), "updated_at": moment(now())}
    old = _of(db, task["n"])
    if old is None:
        before: dict[str, Any] = fresh | {"tenant_id": task["tenant_id"]}
    else:
        before = dict(old)
        fields = {name: value for name, value in fields.items() if name != "created_at"}
    given = {"task_id": task_id, "session_id": session_id, "backend": backend}
    session = validated(Session, before | dict(fields) | given)
    if old is not None:
        check_session_move(task_id, old.status, session.status)
    if session.tenant_id != task["tenant_id"]:
        raise Conflict(f"the task {task_id!r} belongs to another tenant")
    store(db, task["n"], session)
    return get(db, task_id)


def create(
    db: sqlite3.Connection, project_path: str, backend: str, fields: Mapping[str, Any]
) -> Session:
    """Insert a task and its session. Raises Conflict when the session is another task's."""
    rest = dict(fields)
    wanted = {
        "id": rest.pop("task_id", None) or new_id(),
        "title": rest.pop("title", ""),
        "title_from": TitleFrom.PERSON if fields.get("title") else TitleFrom.PROMPT,
        "origin": rest.pop("origin", Origin.PERSON),
        "project_path": project_path,
        "tenant_id": rest.get("tenant_id") or LOCAL_TENANT,
    }
    task = validated(Task, wanted)
    if db.execute("SELECT 1 FROM task WHERE id = ?", (storable(task.id),)).fetchone():
        raise Conflict(f"there is a task {task.id!r} already")
    tasks.save(db, task)
    session_id = rest.pop("session_id", None) or new_id()
    return save(db, task.id, session_id, backend, {"project_path": project_path, **rest})


def update(db: sqlite3.Connection, task_id: str, changes: Mapping[str, Any]) -> Session:
    """Change some of a session's fields; its ids and status have calls of their own."""
    _refuse(changes, _FIXED | _COUNTED)
    old = get(db, task_id)
    session = validated(Session, {**dict(old), **changes})
    store(db, tasks.place(db, task_id), session)
    return get(db, task_id)


def set_status(db: sqlite3.Connection, task_id: str, status: SessionStatus) -> Session:
    """Move a session, as the status table allows. Active belongs to the process that says so."""
    old = get(db, task_id).status
    check_session_move(task_id, old, status)
    if status != old:
        db.execute(
            "UPDATE session SET status = ?, owner = ?, updated_at = ? WHERE task = ?",
            (
                status,
                this_process() if status is SessionStatus.ACTIVE else None,
                now(),
                tasks.place(db, task_id),
            ),
        )
    return get(db, task_id)


def delete(db: sqlite3.Connection, task_id: str) -> None:
    """Delete a task's session and history. The task stays, and numbers on where it was."""
    get(db, task_id)
    n = tasks.place(db, task_id)
    db.execute("DELETE FROM message WHERE task = ?", (n,))
    db.execute("DELETE FROM summary WHERE task = ?", (n,))
    db.execute("DELETE FROM session WHERE task = ?", (n,))
    db.execute(
        "UPDATE task SET message_count = 0, prompt_count = 0, tool_call_count = 0,"
        " last_message_at = NULL, updated_at = ? WHERE n = ?",
        (now(), n),
    )


def pause_abandoned(db: sqlite3.Connection) -> None:
    """Pause the sessions that a process left active when it died."""
    for row in db.execute("SELECT task, owner FROM session WHERE status = 'active'").fetchall():
        if not alive(row["owner"]):
            db.execute(
                "UPDATE session SET status = 'paused', owner = NULL, updated_at = ? WHERE task = ?",
                (now(), row["task"]),
            )


def _refuse(fields: Mapping[str, Any], refused: frozenset[str] | set[str]) -> None:
    wrong = sorted(fields.keys() & refused)
    if wrong:
        raise InvalidValue(f"not a field of a session that can be given here: {', '.join(wrong)}")
