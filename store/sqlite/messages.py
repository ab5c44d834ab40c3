"""Histories: append-only, numbered without gaps, read in the order of (time, number)."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from store.errors import NotFound
from store.models import Kind, Message, MessageFilter, NewMessage
from store.sqlite import tasks
from store.sqlite.rows import KINDS, ROLES
from store.sqlite.values import micros, moment, now, text_or_none, to_json
from store.text import storable

_COLUMNS = """task, seq, at, role, kind, content, tool_name, tool_call_id, is_error, model,
    is_prompt, on_branch, inherited, key"""

_INSERT = f"""
    INSERT INTO message ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""  # noqa: S608 - constants only

_COUNT = """
    UPDATE task SET
        message_count = message_count + ?, last_seq = last_seq + ?,
        prompt_count = prompt_count + ?, tool_call_count = tool_call_count + ?,
        last_message_at = ?, updated_at = ?
    WHERE n = ?
"""

_Row = tuple[Any, ...]  # the values of `_COLUMNS`


def to_message(row: Iterable[Any]) -> Message:
    """Give a row of `_COLUMNS` as a model. It was validated on its way into the database.

    Raises ValueError for what no store has written.
    """
    (_, seq, at, role, kind, content, tool, call, error, model, prompt, branch, inherited, key) = (
        row
    )
    return Message.trusted(
        seq=seq,
        role=ROLES[role],
        content=content,
        kind=KINDS[kind],
        timestamp=moment(at),
        tool_name=tool,
        tool_call_id=call,
        is_error=error == 1,
        model=model,
        is_prompt=prompt == 1,
        on_branch=branch == 1,
        inherited=inherited == 1,
        key=key,
    )


_STATE = "SELECT n, last_seq, last_message_at FROM task WHERE"


def append(
    db: sqlite3.Connection,
    n: int,
    messages: Sequence[NewMessage],
    *,
    known: Collection[str] | None = None,
) -> list[_Row]:
    """Append messages to the history of the task in row `n`; give their rows.

    Messages whose key the history has are left out; `known` are these keys, where somebody has
    asked already. The counts change in the same transaction.
    """
    return _append(db, db.execute(f"{_STATE} n = ?", (n,)).fetchone(), messages, known)


def _append(
    db: sqlite3.Connection,
    state: sqlite3.Row,
    messages: Sequence[NewMessage],
    known: Collection[str] | None = None,
) -> list[_Row]:
    n, last_seq, latest = state
    messages = _unknown(db, n, messages, known if last_seq else ())
    if not messages:
        return []
    present = now()
    prompts = tool_calls = 0
    rows: list[_Row] = []
    for seq, message in enumerate(messages, last_seq + 1):
        if message.timestamp is not None:
            at = micros(message.timestamp)
            latest = at if latest is None or at > latest else latest
        else:
            # Stamped now, a message still never precedes what the history has: clocks step back.
            at = latest = present if latest is None or present > latest else latest
        prompts += message.is_prompt
        tool_calls += message.kind is Kind.TOOL_CALL
        rows.append((n, seq, at, *_storable(message)))
    if len(rows) == 1:  # for which executemany is slow
        db.execute(_INSERT, rows[0])
    else:
        db.executemany(_INSERT, rows)
    db.execute(_COUNT, (len(rows), len(rows), prompts, tool_calls, latest, present, n))
    return rows


def _storable(message: NewMessage) -> _Row:
    """Give what is stored of a message, in the order of `_INSERT`.

    Plain numbers and text: sqlite3 looks long for how to bind a bool or an enum. Nearly all text
    is ASCII, which every message of an import is asked for five times: no call is made for it.
    """
    content, key, model = message.content, message.key, message.model
    tool, call = message.tool_name, message.tool_call_id
    return (
        message.role._value_,
        message.kind._value_,
        content if content.isascii() else storable(content),
        tool if tool is None or tool.isascii() else storable(tool),
        call if call is None or call.isascii() else storable(call),
        1 if message.is_error else 0,
        model if model is None or model.isascii() else storable(model),
        1 if message.is_prompt else 0,
        1 if message.on_branch else 0,
        1 if message.inherited else 0,
        key if key is None or key.isascii() else storable(key),
    )


def _unknown(
    db: sqlite3.Connection,
    n: int,
    messages: Sequence[NewMessage],
    known: Collection[str] | None,
) -> Sequence[NewMessage]:
    """Leave out the messages whose key the history has, or that repeat one of this batch."""
    keys = [storable(key) for message in messages if (key := message.key) is not None]
    if not keys:
        return messages
    seen = set(_known(db, n, keys) if known is None else known)
    if not seen and len(set(keys)) == len(keys):
        return messages
    unknown = []
    for message in messages:
        key = text_or_none(message.key)
        if key is None or key not in seen:
            unknown.append(message)
        if key is not None:
            seen.add(key)
    return unknown


def _known(db: sqlite3.Connection, n: int, keys: Sequence[str]) -> Iterator[str]:
    sql = "SELECT key FROM message WHERE task = ? AND key IN (SELECT value FROM json_each(?))"
    return (row["key"] for row in db.execute(sql, (n, to_json(keys))))


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
    state = db.execute(f"{_STATE} id = ?", (storable(task_id),)).fetchone()
    if state is None:
        raise NotFound("task", task_id)
    return [to_message(row) for row in _append(db, state, messages)]


def mark_branch(db: sqlite3.Connection, n: int, keys: Iterable[str], *, on_branch: bool) -> None:
    """Say of messages whether they are on the conversation's active branch."""
    db.executemany(
        "UPDATE message SET on_branch = ? WHERE task = ? AND key = ?",
        [(on_branch, n, key) for key in keys],
    )


_BEYOND = (2**63 - 1, 2**63 - 1)
_ALL = -1

# The conditions of the partial indexes, word for word: only then are these used.
_PROMPTS = " AND is_prompt = 1"
_NO_TOOLS = " AND kind NOT IN ('tool_call', 'tool_result')"
_NO_THOUGHTS = " AND kind <> 'thinking'"


def _also(where: MessageFilter | None) -> str:
    """Give the condition of a filter: one of a few constants."""
    if where is None:
        return ""
    return "".join(
        (
            _PROMPTS if where.only_prompts else "",
            "" if where.tools else _NO_TOOLS,
            "" if where.thinking else _NO_THOUGHTS,
        )
    )


def history(
    db: sqlite3.Connection,
    task_id: str,
    after: Message | None,
    before: Message | None,
    limit: int | None,
    where: MessageFilter | None = None,
) -> list[Message]:
    """Give messages in order: those next to `after` or `before`, else the latest."""
    n = tasks.place(db, task_id)
    most = _ALL if limit is None else max(0, limit)
    select = f"SELECT {_COLUMNS} FROM message WHERE task = ?{_also(where)}"  # noqa: S608
    if after is not None and before is not None:
        rows = db.execute(
            f"{select} AND (at, seq) > (?, ?) AND (at, seq) < (?, ?) ORDER BY at, seq LIMIT ?",
            (n, *_key(after), *_key(before), most),
        )
    elif after is not None:
        rows = db.execute(
            f"{select} AND (at, seq) > (?, ?) ORDER BY at, seq LIMIT ?", (n, *_key(after), most)
        )
    else:
        place = _BEYOND if before is None else _key(before)
        rows = db.execute(
            f"{select} AND (at, seq) < (?, ?) ORDER BY at DESC, seq DESC LIMIT ?",
            (n, *place, most),
        )
    # Row by row: to let go of a list of a hundred thousand would stop every other thread.
    found = [to_message(row) for row in rows]
    return found if after is not None else found[::-1]


def first(db: sqlite3.Connection, task_id: str, limit: int) -> list[Message]:
    """Give the first messages of a history."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM message WHERE task = ?"  # noqa: S608
        " AND (at, seq) > (?, ?) ORDER BY at, seq LIMIT ?",
        (tasks.place(db, task_id), -_BEYOND[0], 0, limit),
    )
    return [to_message(row) for row in rows]


def at_rank(
    db: sqlite3.Connection, task_id: str, rank: int, where: MessageFilter | None
) -> Message:
    """Give the message at a place among those that a filter lets through. Raises NotFound.

    Only the index is walked up to there, which takes 10 ms a million.
    """
    n = tasks.place(db, task_id)
    row = None
    if 0 <= rank <= _BEYOND[0]:
        row = db.execute(
            f"SELECT {_COLUMNS} FROM message WHERE id = (SELECT id FROM message"  # noqa: S608
            f" WHERE task = ?{_also(where)} ORDER BY at, seq LIMIT 1 OFFSET ?)",
            (n, rank),
        ).fetchone()
    if row is None:
        raise NotFound(f"message of the task {task_id!r}", f"at place {rank + 1}")
    return to_message(row)


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


def count(
    db: sqlite3.Connection, task_id: str, before: Message | None, where: MessageFilter | None
) -> int:
    """Count the messages that come before one, or all; on an index alone."""
    place = _BEYOND if before is None else _key(before)
    row = db.execute(
        f"SELECT count(*) FROM message WHERE task = ?{_also(where)}"  # noqa: S608
        " AND (at, seq) < (?, ?)",
        (tasks.place(db, task_id), *place),
    ).fetchone()
    return int(row[0])


def _key(message: Message) -> tuple[int, int]:
    return micros(message.timestamp), message.seq
