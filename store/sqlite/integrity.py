"""Checking that a database keeps its promises, beyond what its constraints can say."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from store.sqlite import index_check

_COUNTS = """
    SELECT task.id, task.message_count, task.prompt_count, task.tool_call_count, task.last_seq,
        task.last_message_at, count(message.id) AS messages,
        coalesce(sum(message.is_prompt), 0) AS prompts,
        coalesce(sum(message.kind = 'tool_call'), 0) AS calls,
        coalesce(max(message.seq), 0) AS last, min(message.seq) AS first,
        max(message.at) AS latest
    FROM task LEFT JOIN message ON message.task = task.n
    GROUP BY task.n
    HAVING messages != message_count OR prompts != prompt_count OR calls != tool_call_count
        OR last > last_seq OR latest IS NOT last_message_at
        OR (messages > 0 AND last - first + 1 != messages)
"""


def problems(db: sqlite3.Connection) -> Iterator[str]:
    """Give every problem in words: pages, references, counts, numberings, the full text index."""
    for (line,) in _rows(db, "PRAGMA integrity_check"):
        if line != "ok":
            yield f"damaged: {line}"
    for table, row, parent, _ in _rows(db, "PRAGMA foreign_key_check"):
        yield f"row {row} of {table} refers to a {parent} that is not there"
    for row in db.execute(_COUNTS):
        task, messages = f"the task {row['id']!r}", row["messages"]
        if messages and (gaps := row["last"] - row["first"] + 1 - messages):
            yield f"{task} lacks {gaps} messages between its first and its last"
        if row["message_count"] != messages or row["last_seq"] < row["last"]:
            yield (
                f"{task} says {row['message_count']} messages up to number {row['last_seq']},"
                f" and has {messages} up to number {row['last']}"
            )
        told = (row["prompt_count"], row["tool_call_count"], row["last_message_at"])
        if told != (row["prompts"], row["calls"], row["latest"]):
            yield f"{task} has wrong counts of prompts or tool calls, or a wrong latest time"
    for problem in index_check.problems(db):
        yield f"the full text: {problem}; `backscroll doctor --rebuild-index` makes it anew"


def _rows(db: sqlite3.Connection, sql: str) -> Iterator[tuple[object, ...]]:
    return (tuple(row) for row in db.execute(sql))
