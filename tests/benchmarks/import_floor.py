"""The floor of an import: `python -m tests.benchmarks.import_floor HOME DATABASE [none|own]`.

Read, decode, insert a row for every block of a conversation and its text into an index of the full
text, in one process with the standard library alone: the tables, indexes and pragmas are the
store's own. Nothing is checked, salvaged, told apart, noted or remembered for the next time. The
index is one of FTS5 as it comes, that does not keep the text a second time; or, with `own`, the
store's two, filled with the text as it is: no name is taken apart and no time made into a place.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from store.sqlite import migrate
from tests.benchmarks.floor import PRAGMAS

_BATCH = 2_000
_TASK = """INSERT INTO task (n, id, tenant_id, title, title_from, status, origin, notes, created_at,
    updated_at) VALUES (?, ?, 'local', ?, 'prompt', 'open', 'person', '', ?, ?)"""
_SESSION = """INSERT INTO session (task, tenant_id, backend, namespace, session_id, status, root,
    context, traits, created_at, updated_at)
    VALUES (?, 'local', ?, '', ?, 'paused', '', '{}', '{}', ?, ?)"""
_MESSAGE = """INSERT INTO message (task, seq, at, role, kind, content, tool_name, tool_call_id,
    is_error, model, is_prompt, on_branch, inherited, key)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, NULL, 0, 1, 0, ?)"""
_ENTRY = "INSERT INTO search_entry (place, message, task) VALUES (?, ?, ?)"
_WORDS = "INSERT INTO {} (rowid, words) VALUES (?, ?)"
_COUNT = """UPDATE task SET message_count = ?2, last_seq = ?2, last_message_at = ?3 WHERE n = ?1"""

_TRIGGERS = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'search_%'"

Block = tuple[str, str, str, str | None, str | None]  # role, kind, text, tool, call
Row = tuple[int, int, int, str, str, str, str | None, str | None, str]


def fill(home: Path, path: Path, index: str = "plain") -> None:
    """Import every session below a home."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for pragma in PRAGMAS:
            db.execute(f"PRAGMA {pragma}")
        migrate.migrate(db, str(path), allowed=True, deadline=time.monotonic() + 5)
        for (trigger,) in db.execute(_TRIGGERS).fetchall():
            db.execute(f"DROP TRIGGER {trigger}")
        if index == "plain":
            db.execute("CREATE VIRTUAL TABLE plain USING fts5 (words, content = '')")
        rows: list[Row] = []
        message = 1
        db.execute("BEGIN IMMEDIATE")
        for n, file in enumerate(sorted(home.glob(".c*/**/*.jsonl")), 1):
            backend = "claude" if ".claude" in file.parts else "codex"
            db.execute(_TASK, (n, file.stem, file.stem, 0, 0))
            db.execute(_SESSION, (n, backend, file.stem, 0, 0))
            seq = at = 0
            for at, key, block in _blocks(file, _of_claude if backend == "claude" else _of_codex):
                seq += 1
                role, kind, text, tool, call = block
                rows.append((n, seq, at, role, kind, text, tool, call, key))
            db.execute(_COUNT, (n, seq, at))
            if len(rows) >= _BATCH:
                _insert(db, rows, message, index)
                db.execute("COMMIT")
                db.execute("BEGIN IMMEDIATE")
                message += len(rows)
                rows.clear()
        _insert(db, rows, message, index)
        db.execute("COMMIT")


def _insert(db: sqlite3.Connection, rows: list[Row], message: int, index: str) -> None:
    """Insert messages, the first of which will be number `message`, and their words."""
    db.executemany(_MESSAGE, rows)
    numbered = list(enumerate(rows, message))
    if index == "plain":
        words = [(number, row[5]) for number, row in numbered]
        db.executemany(_WORDS.format("plain"), words)
    if index == "own":
        db.executemany(_ENTRY, [(number, number, row[0]) for number, row in numbered])
        for table, is_output in (("search_prose", False), ("search_output", True)):
            words = [
                (number, row[5])
                for number, row in numbered
                if (row[4] == "tool_result") is is_output
            ]
            db.executemany(_WORDS.format(table), words)


def _blocks(file: Path, of: Any) -> Iterator[tuple[int, str, Block]]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines):
            record = json.loads(line)
            time = record.get("timestamp")
            if time is None:
                continue
            at = int(datetime.fromisoformat(time).timestamp() * 1e6)
            for place, block in enumerate(of(record)):
                yield at, f"{record.get('uuid', number)}/{place}", block


def _of_claude(record: dict[str, Any]) -> Iterator[Block]:
    if record["type"] not in ("user", "assistant"):
        return
    message = record["message"]
    role, content = message["role"], message["content"]
    if isinstance(content, str):
        yield role, "text", content, None, None
        return
    for block in content:
        match block["type"]:
            case "text":
                yield role, "text", block["text"], None, None
            case "thinking":
                yield role, "thinking", block["thinking"], None, None
            case "tool_use":
                yield role, "tool_call", json.dumps(block["input"]), block["name"], block["id"]
            case "tool_result":
                yield "tool", "tool_result", block["content"], None, block["tool_use_id"]


def _of_codex(record: dict[str, Any]) -> Iterator[Block]:
    if record["type"] != "response_item":
        return
    item = record["payload"]
    match item["type"]:
        case "message" if item["role"] != "developer":
            yield item["role"], "text", item["content"][0]["text"], None, None
        case "reasoning":
            yield "assistant", "thinking", item["summary"][0]["text"], None, None
        case "function_call":
            yield "assistant", "tool_call", item["arguments"], item["name"], item["call_id"]
        case "function_call_output":
            yield "tool", "tool_result", item["output"], None, item["call_id"]


if __name__ == "__main__":
    fill(Path(sys.argv[1]), Path(sys.argv[2]), *sys.argv[3:])
