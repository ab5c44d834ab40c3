"""The JSON that the command line prints: a contract, to which members are only ever added.

Text is given as stored, without being made printable: JSON escapes what a terminal would obey.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

from store.ingest import Report
from store.models import Message, Model, Session, Task, TaskRow
from store.resume import Command
from store.search import Hit, Hits, TaskHit


def time(moment: datetime | None) -> str | None:
    """Give a time as ISO 8601 in UTC with a Z."""
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def row(item: TaskRow) -> dict[str, Any]:
    """Give a task as `list --json` shows it."""
    task, session = item.task, item.session
    return {
        "task_id": task.id,
        "title": task.title,
        "status": task.status,
        "agent": session.backend if session else None,
        "session_id": session.session_id if session else None,
        "project_path": (session and session.project_path) or task.project_path,
        "git_branch": session.git_branch if session else None,
        "model": session.model if session else None,
        "message_count": task.message_count,
        "prompt_count": task.prompt_count,
        "tool_call_count": task.tool_call_count,
        "created_at": time(task.created_at),
        "last_message_at": time(task.last_message_at),
        "source_gone": bool(session and session.source_gone_at),
        "parent_task_id": task.parent_task_id,
        "fork_of": task.fork_of,
        "tags": list(task.tags),
        "origin": task.origin,
        "archived": task.archived_at is not None,
    }


def conversation(task: Task, session: Session | None, messages: list[Message]) -> dict[str, Any]:
    """Give a task with its session and history as `show --json` shows it."""
    return {
        "task": _fields(task),
        "session": _fields(session) if session else None,
        "messages": [message(item) for item in messages],
    }


def _fields(item: Model) -> dict[str, Any]:
    return {name: time(value) if isinstance(value, datetime) else value for name, value in item}


def message(item: Message) -> dict[str, Any]:
    """Give one message of a history."""
    return {
        "seq": item.seq,
        "role": item.role,
        "kind": item.kind,
        "text": item.content,
        "timestamp": time(item.timestamp),
        "tool_name": item.tool_name,
        "tool_call_id": item.tool_call_id,
        "on_branch": item.on_branch,
        "is_error": item.is_error,
        "is_prompt": item.is_prompt,
        "inherited": item.inherited,
        "model": item.model,
    }


def hits(found: Hits, limit: int) -> dict[str, Any]:
    """Give what a search found as `search --json` shows it.

    A task found by what it says itself is a hit, too: on its first message, without a role.
    """
    messages = [hit(item) for item in found.hits]
    return {
        "hits": [*messages, *(hit(item) for item in found.tasks)][:limit],
        "total": found.total + len(found.tasks),
        "total_is_capped": found.is_capped,
        "more_in_tools": found.more_in_tools,
        "more_in_tools_is_capped": found.more_is_capped,
    }


def hit(item: Hit | TaskHit) -> dict[str, Any]:
    """Give one hit of a search."""
    message = item if isinstance(item, Hit) else None
    return {
        "task_id": item.task_id,
        "session_id": item.session_id,
        "agent": item.agent,
        "project_path": item.project_path,
        "title": item.title,
        "seq": item.seq if isinstance(item, Hit) else item.first_seq,
        "role": message and message.role,
        "kind": message and message.kind,
        "tool_name": message and message.tool_name,
        "field": "message" if isinstance(item, Hit) else item.field,
        "timestamp": time(item.timestamp),
        "snippet": item.snippet,
        "marks": [list(mark) for mark in item.marks],
    }


def report(item: Report) -> dict[str, Any]:
    """Give an import's report."""
    return {
        "files": {
            "seen": item.sources_seen,
            "read": item.sources_read,
            "unchanged": item.sources_unchanged,
            "failed": item.sources_failed,
        },
        "sessions": {
            "added": item.sessions_added,
            "updated": item.sessions_updated,
            "unchanged": item.sessions_unchanged,
        },
        "messages": {"added": item.messages_added},
        "originals": {"bytes": item.bytes_kept},
        "records": {
            "all": item.records_all,
            "imported": item.records_imported,
            "skipped": item.records_skipped,
            "pending": len(item.pending),
        },
        "skipped": [
            {"path": _path(skip.path), "line": skip.line, "reason": skip.reason}
            for skip in item.skipped
        ],
        "pending": [{"path": _path(wait.path), "line": wait.line} for wait in item.pending],
        "seconds": round(item.seconds, 3),
    }


def _path(path: str) -> str:
    """Give a path as JSON can hold it: what is not UTF-8 in it as its bytes' numbers."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def command(item: Command) -> dict[str, Any]:
    """Give a command as `resume --print --json` shows it.

    `unset` names variables to take out of the environment; mostly there are none, and no `unset`.
    """
    shape = {"argv": list(item.argv), "cwd": item.cwd, "env": item.env}
    return shape | ({"unset": list(item.unset)} if item.unset else {})
