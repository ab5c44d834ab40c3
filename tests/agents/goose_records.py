"""Goose's database and files as Goose writes them, for the tests."""

from __future__ import annotations

import json
import sqlite3
import unicodedata
import uuid
from pathlib import Path
from typing import Any

ONE, TWO = "20261120_1", "20261120_2"
OLD = "20250325_200615"
START = 1795217682


# The columns that each version of the schema added.
_SESSIONS = {
    1: "id TEXT PRIMARY KEY, description TEXT NOT NULL DEFAULT '', working_dir TEXT NOT NULL,"
    " created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP, extension_data TEXT,"
    " total_tokens INTEGER, accumulated_total_tokens INTEGER, schedule_id TEXT, recipe_json TEXT",
    2: "user_recipe_values_json TEXT",
    4: "name TEXT DEFAULT '', user_set_name BOOLEAN DEFAULT FALSE",
    5: "session_type TEXT NOT NULL DEFAULT 'user'",
    6: "provider_name TEXT, model_config_json TEXT",
    8: "goose_mode TEXT NOT NULL DEFAULT 'auto'",
    10: "thread_id TEXT",
    12: "archived_at TIMESTAMP, project_id TEXT",
    13: "accumulated_cost REAL",
    14: "cache_read_tokens INTEGER, accumulated_cache_read_tokens INTEGER",
    15: "parent_session_id TEXT",
    17: "parent_delegation TEXT",
}
_MESSAGES = {
    1: "id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT, role TEXT, content_json TEXT,"
    " created_timestamp INTEGER, timestamp TIMESTAMP, tokens INTEGER",
    3: "metadata_json TEXT",
    7: "message_id TEXT",
}
_LEDGER = (
    "CREATE TABLE usage_ledger (id INTEGER PRIMARY KEY, session_id TEXT, created_timestamp INTEGER,"
    " model TEXT, input_tokens INTEGER, cost REAL, is_compaction INTEGER)"
)


class GooseDatabase:
    """Writes as a version of Goose does, into the schema of that version."""

    def __init__(self, path: Path, version: int = 13) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None)
        self.db.execute("PRAGMA journal_mode = WAL")
        for table, columns in (("sessions", _SESSIONS), ("messages", _MESSAGES)):
            there = ", ".join(text for number, text in columns.items() if number <= version)
            self.db.execute(f"CREATE TABLE {table} ({there})")
        self.db.execute("CREATE INDEX idx_messages_session ON messages(session_id)")
        if version >= 15:
            self.db.execute(_LEDGER)
        self._count = 0

    def session(self, name: str, title: str = "A title", kind: str = "user", **more: Any) -> None:
        values = {
            "id": name,
            "name": title,
            "session_type": kind,
            "working_dir": "/src",
            "created_at": "2026-11-20 10:00:00",
            "updated_at": "2026-11-20 10:00:00",
            "model_config_json": '{"model_name":"gpt"}',
            "goose_mode": "auto",
        } | more
        self._insert("sessions", values)

    def row(self, session: str | None, role: str, *blocks: Any, **more: Any) -> None:
        self._count += 1
        values = {
            "message_id": f"msg_{self._count}",
            "session_id": session,
            "role": role,
            "content_json": json.dumps(blocks),
            "created_timestamp": START + self._count,
            "metadata_json": '{"userVisible":true,"agentVisible":true}',
        } | more
        self._insert("messages", values)
        self.db.execute(
            "UPDATE sessions SET updated_at = ? WHERE id = ?",
            (f"2026-11-20 10:00:{self._count:02d}", session),
        )

    def write_anew(self, session: str, **more: Any) -> None:
        """Take a session's rows back and write them again, as Goose does to compact them."""
        cursor = self.db.execute(
            "SELECT * FROM messages WHERE session_id = ? ORDER BY id", (session,)
        )
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row, strict=True)) for row in cursor]
        self.db.execute("DELETE FROM messages WHERE session_id = ?", (session,))
        for row in rows:
            self._insert("messages", row | {"id": None} | more)

    def _insert(self, table: str, values: dict[str, Any]) -> None:
        there = {row[1] for row in self.db.execute(f"PRAGMA table_info({table})")}
        kept = {name: value for name, value in values.items() if name in there}
        marks = ", ".join("?" * len(kept))
        self.db.execute(
            f"INSERT INTO {table} ({', '.join(kept)}) VALUES ({marks})", tuple(kept.values())
        )


def text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def request(call: str, **arguments: Any) -> dict[str, Any]:
    value = {"name": "shell", "arguments": arguments}
    return {"type": "toolRequest", "id": call, "toolCall": {"status": "success", "value": value}}


def response(call: str, value: Any, status: str = "success") -> dict[str, Any]:
    return {"type": "toolResponse", "id": call, "toolResult": {"status": status, "value": value}}


def imported(database: GooseDatabase, path: Path, **more: Any) -> None:
    """Import an older file into the database, as Goose does when it makes that.

    Ids that are not there are given; arguments come sorted, older results in the newer shape, and
    letters with their marks as one.
    """
    records = [json.loads(raw) for raw in path.read_text().splitlines()]
    known = records.pop(0) if "working_dir" in records[0] else {}
    stem = path.stem
    title = known.get("description", "")
    database.session(
        stem, title, working_dir=known.get("working_dir", ""), created_at="2026-11-21 09:00:00"
    )
    for record in records:
        for block in record["content"]:
            result = block.get("toolResult", {})
            if isinstance(result.get("value"), list):
                result["value"] = {"content": result["value"], "isError": False}
        database.row(
            stem,
            record["role"],
            content_json=unicodedata.normalize(
                "NFC", json.dumps(record["content"], sort_keys=True, ensure_ascii=False)
            ),
            created_timestamp=record["created"],
            message_id=record.get("id") or f"msg_{stem}_{uuid.uuid4()}",
            **more,
        )


def line(number: int, role: str, *blocks: Any, **more: Any) -> dict[str, Any]:
    """Give a line of the older files."""
    return {"id": f"m{number}", "role": role, "created": START + number, "content": blocks} | more


def beginning(**more: Any) -> dict[str, Any]:
    """Give the first line of the older files."""
    known = {"working_dir": "/src", "description": "Old talk", "schedule_id": None}
    return known | {"message_count": 2, "total_tokens": None} | more
