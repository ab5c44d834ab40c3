"""Histories: append-only, numbered without gaps, read in the order of (time, number)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from store.errors import NotFound
from store.models import Kind, Message, NewMessage, Role
from store.sqlite import tasks
from store.sqlite.values import Row, by_name, micros, moment, now, text_or_none, to_json
from store.text import storable

_COLUMNS = """seq, at, role, kind, content, tool_name, tool_call_id, is_error, model, is_prompt,
    on_branch, inherited, key"""

_INSERT = """
    INSERT INTO message (task, seq, at, role, kind, content, tool_name, tool_call_id, is_error,
                         model, is_prompt, on_branch, inherited, key)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""

_COUNT = """
    UPDATE task SET
        message_count = message_count + :messages,
        prompt_count = prompt_count + :prompts,
        tool_call_count = tool_call_count + :calls,
        last_message_at = max(coalesce(last_message_at, :last), :last),
        last_seq = last_seq + :messages,
        updated_at = :now
    WHERE n = :task
"""


def to_message(row: Row) -> Message:
    """Give a row of `_COLUMNS` as a model. It was validated on its way into the database."""
    return Message.trusted(
        seq=row["seq"],
        role=Role(row["role"]),
        content=row["content"],
        kind=Kind(row["kind"]),
        timestamp=moment(row["at"]),
        tool_name=row["tool_name"],
        tool_call_id=row["tool_call_id"],
        is_error=bool(row["is_error"]),
        model=row["model"],
        is_prompt=bool(row["is_prompt"]),
        on_branch=bool(row["on_branch"]),
        inherited=bool(row["inherited"]),
        key=row["key"],
    )


def append(db: sqlite3.Connection, n: int, messages: Sequence[NewMessage]) -> list[Message]:
    """Append messages to the history of the task in row `n`; give them as they are stored.

    Messages whose key the history has are left out. The counts change in the same transaction.
    """
    messages = _unknown(db, n, messages)
    if not messages:
        return []
    task = db.execute("SELECT last_seq, last_message_at FROM task WHERE n = ?", (n,)).fetchone()
    latest = task["last_message_at"]
    stored: list[Message] = []
    rows = []
    for seq, message in enumerate(messages, task["last_seq"] + 1):
        # Stamped now, a message still never precedes what the history has: clocks step back.
        at = now() if message.timestamp is None else micros(message.timestamp)
        if message.timestamp is None and latest is not None:
            at = max(at, latest)
        latest = at if latest is None else max(latest, at)
        kept = _storable(message)
        stored.append(Message.trusted(**kept, seq=seq, timestamp=message.timestamp or moment(at)))
        rows.append((n, seq, at, *kept.values()))
    db.executemany(_INSERT, rows)
    db.execute(
        _COUNT,
        {
            "task": n,
            "messages": len(rows),
            "prompts": sum(message.is_prompt for message in messages),
            "calls": sum(message.kind is Kind.TOOL_CALL for message in messages),
            "last": latest,
            "now": now(),
        },
    )
    return stored


def _storable(message: NewMessage) -> dict[str, Any]:
    """Give what is stored of a message, in the order of `_INSERT`."""
    return {
        "role": message.role,
        "kind": message.kind,
        "content": storable(message.content),
        "tool_name": text_or_none(message.tool_name),
        "tool_call_id": text_or_none(message.tool_call_id),
        "is_error": message.is_error,
        "model": text_or_none(message.model),
        "is_prompt": message.is_prompt,
        "on_branch": message.on_branch,
        "inherited": message.inherited,
        "key": text_or_none(message.key),
    }


def _unknown(
    db: sqlite3.Connection, n: int, messages: Sequence[NewMessage]
) -> Sequence[NewMessage]:
    """Leave out the messages whose key the history has, or that repeat one of this batch."""
    keys = [storable(message.key) for message in messages if message.key is not None]
    if not keys:
        return messages
    seen = {
        row["key"]
        for row in db.execute(
            "SELECT key FROM message WHERE task = ? AND key IN (SELECT value FROM json_each(?))",
            (n, to_json(keys)),
        )
    }
    if not seen and len(set(keys)) == len(keys):
        return messages
    unknown = []
    for message in messages:
        key = text_or_none(message.key)
        if key is None or key not in seen:
            unknown.append(message)
            seen.add(key)
    return unknown


def save_one(db: sqlite3.Connection, task_id: str, message: NewMessage) -> Message:
    """Append a message, or give the one that the history has under its key. Raises NotFound."""
    saved = save(db, task_id, [message])
    if saved:
        return saved[0]
    row = db.execute(
        f"SELECT {_COLUMNS} FROM message WHERE task = ? AND key = ?",  # noqa: S608
        (tasks.place(db, task_id), text_or_none(message.key)),
    ).fetchone()
    return to_message(row)


def save(db: sqlite3.Connection, task_id: str, messages: Sequence[NewMessage]) -> list[Message]:
    """Append messages to a task's history. Raises NotFound."""
    return append(db, tasks.place(db, task_id), messages)


def mark_branch(db: sqlite3.Connection, n: int, keys: Iterable[str], *, on_branch: bool) -> None:
    """Say of messages whether they are on the conversation's active branch."""
    db.executemany(
        "UPDATE message SET on_branch = ? WHERE task = ? AND key = ?",
        [(on_branch, n, key) for key in keys],
    )


_FORWARD = f"""
    SELECT {_COLUMNS} FROM message WHERE task = ? AND (at, seq) > (?, ?)
    ORDER BY at, seq LIMIT ?
"""  # noqa: S608
_BACKWARD = f"""
    SELECT {_COLUMNS} FROM message WHERE task = ? AND (at, seq) < (?, ?)
    ORDER BY at DESC, seq DESC LIMIT ?
"""  # noqa: S608
_BETWEEN = f"""
    SELECT {_COLUMNS} FROM message WHERE task = ? AND (at, seq) > (?, ?) AND (at, seq) < (?, ?)
    ORDER BY at, seq LIMIT ?
"""  # noqa: S608
_BEYOND = (2**63 - 1, 2**63 - 1)
_ALL = -1


def history(
    db: sqlite3.Connection,
    task_id: str,
    after: Message | None,
    before: Message | None,
    limit: int | None,
) -> list[Message]:
    """Give messages in order: those next to `after` or `before`, else the latest."""
    n = tasks.place(db, task_id)
    most = _ALL if limit is None else max(0, limit)
    if after is not None and before is not None:
        rows = by_name(db.execute(_BETWEEN, (n, *_key(after), *_key(before), most)))
    elif after is not None:
        rows = by_name(db.execute(_FORWARD, (n, *_key(after), most)))
    else:
        end = _BEYOND if before is None else _key(before)
        rows = by_name(db.execute(_BACKWARD, (n, *end, most)))[::-1]
    return [to_message(row) for row in rows]


def first(db: sqlite3.Connection, task_id: str, limit: int) -> list[Message]:
    """Give the first messages of a history."""
    rows = by_name(db.execute(_FORWARD, (tasks.place(db, task_id), -_BEYOND[0], 0, limit)))
    return [to_message(row) for row in rows]


def get(db: sqlite3.Connection, task_id: str, seq: int) -> Message:
    """Give one message. Raises NotFound."""
    if not 0 < seq <= _BEYOND[0]:
        raise NotFound(f"message of the task {task_id!r}", str(seq))
    row = db.execute(
        f"SELECT {_COLUMNS} FROM message WHERE task = ? AND seq = ?",  # noqa: S608
        (tasks.place(db, task_id), seq),
    ).fetchone()
    if row is None:
        raise NotFound(f"message of the task {task_id!r}", str(seq))
    return to_message(row)


def count_before(db: sqlite3.Connection, task_id: str, message: Message) -> int:
    """Count the messages that come before one, on the index alone."""
    row = db.execute(
        "SELECT count(*) FROM message WHERE task = ? AND (at, seq) < (?, ?)",
        (tasks.place(db, task_id), *_key(message)),
    ).fetchone()
    return int(row[0])


def _key(message: Message) -> tuple[int, int]:
    return micros(message.timestamp), message.seq
