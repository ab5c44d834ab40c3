"""What a line of the list is read from: its columns, and their values as Python has them.

Nothing here needs a model: the first page of the list is read before models are loaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from store.enums import Kind, Origin, Role, SessionStatus, TaskStatus, TitleFrom
from store.sqlite.values import Members, from_small_json, moment, moment_or_none

Fields = dict[str, Any]

TASK_FIELDS = (
    *("id", "title", "title_from", "status", "origin", "notes", "tags", "project_path"),
    *("parent_task_id", "fork_of", "tenant_id", "created_at", "updated_at", "archived_at"),
    *("last_message_at", "message_count", "prompt_count", "tool_call_count"),
)
TASK_COLUMNS = """
    task.id, task.title, task.title_from, task.status, task.origin, task.notes,
    (SELECT json_group_array(name) FROM tag WHERE tag.task = task.n ORDER BY name) AS tags,
    task.project_path,
    (SELECT id FROM task AS other WHERE other.n = task.parent) AS parent_task_id,
    (SELECT id FROM task AS other WHERE other.n = task.fork_of) AS fork_of,
    task.tenant_id, task.created_at, task.updated_at, task.archived_at, task.last_message_at,
    task.message_count, task.prompt_count, task.tool_call_count
"""  # in the order of TASK_FIELDS

SESSION_FIELDS = (
    *("task_id", "session_id", "backend", "status", "namespace", "root", "project_path"),
    *("git_branch", "model", "agent_version", "permission_mode", "parent_session_id"),
    *("fork_session_id", "source_path", "source_gone_at", "context", "traits", "tenant_id"),
    *("user_id", "thread_id", "message_count", "created_at", "updated_at", "last_message_at"),
)
SESSION_COLUMNS = """
    task.id AS task_id, session.session_id, session.backend, session.status, session.namespace,
    session.root, session.project_path, session.git_branch, session.model, session.agent_version,
    session.permission_mode, session.parent_session_id, session.fork_session_id,
    session.source_path, session.source_gone_at, session.context, session.traits,
    session.tenant_id, session.user_id, session.thread_id, task.message_count,
    session.created_at, session.updated_at, task.last_message_at
"""  # in the order of SESSION_FIELDS

ROWS = f"""
    SELECT {TASK_COLUMNS}, {SESSION_COLUMNS},
        (SELECT count(*) FROM task AS child
         WHERE child.parent = task.n AND child.origin != 'automated'),
        (SELECT max(active_at) FROM task AS child
         WHERE child.parent = task.n AND child.origin != 'automated'),
        last.role, last.kind, last.is_prompt
    FROM task
    LEFT JOIN session ON session.task = task.n
    LEFT JOIN message AS last ON last.id = (
        SELECT id FROM message WHERE message.task = task.n ORDER BY at DESC, seq DESC LIMIT 1)
"""  # noqa: S608 - constants only
_TASK = len(TASK_FIELDS)
_SESSION = _TASK + len(SESSION_FIELDS)
_SESSION_ID = _TASK + SESSION_FIELDS.index("session_id")

ROLES = Members(Role)
KINDS = Members(Kind)
_TASK_STATUSES = Members(TaskStatus)
_SESSION_STATUSES = Members(SessionStatus)
_ORIGINS = Members(Origin)
_TITLES_FROM = Members(TitleFrom)


def task_values(row: Iterable[Any]) -> Fields:
    """Give a row of `TASK_COLUMNS` as a task's fields.

    Raises ValueError for what no store has written.
    """
    fields = dict(zip(TASK_FIELDS, row, strict=True))
    fields["title_from"] = _TITLES_FROM[fields["title_from"]]
    fields["status"] = _TASK_STATUSES[fields["status"]]
    fields["origin"] = _ORIGINS[fields["origin"]]
    fields["tags"] = tuple(from_small_json(fields["tags"]))
    fields["created_at"] = moment(fields["created_at"])
    fields["updated_at"] = moment(fields["updated_at"])
    fields["archived_at"] = moment_or_none(fields["archived_at"])
    fields["last_message_at"] = moment_or_none(fields["last_message_at"])
    return fields


def session_values(row: Iterable[Any]) -> Fields:
    """Give a row of `SESSION_COLUMNS` as a session's fields.

    Raises ValueError for what no store has written.
    """
    fields = dict(zip(SESSION_FIELDS, row, strict=True))
    fields["status"] = _SESSION_STATUSES[fields["status"]]
    fields["source_gone_at"] = moment_or_none(fields["source_gone_at"])
    fields["context"] = from_small_json(fields["context"])
    fields["traits"] = from_small_json(fields["traits"])
    fields["created_at"] = moment(fields["created_at"])
    fields["updated_at"] = moment(fields["updated_at"])
    fields["last_message_at"] = moment_or_none(fields["last_message_at"])
    return fields


class Line(NamedTuple):
    """What a row of `ROWS` holds: the fields of a task and its session, and those of the line."""

    task: Fields
    session: Fields | None
    rest: Fields


def line(row: Sequence[Any]) -> Line:
    """Take a row of `ROWS` apart. Raises ValueError for what no store has written."""
    children, children_at, role, kind, is_prompt = row[_SESSION:]
    return Line(
        task_values(row[:_TASK]),
        None if row[_SESSION_ID] is None else session_values(row[_TASK:_SESSION]),
        {
            "children": children,
            "children_at": moment_or_none(children_at),
            "last_role": None if role is None else ROLES[role],
            "last_kind": None if kind is None else KINDS[kind],
            "last_is_prompt": bool(is_prompt),
        },
    )
