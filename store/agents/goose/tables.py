"""The tables of Goose's database, whichever version made them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.agents.goose.records import Row, delegated_in
from store.reading.databases import columns
from store.reading.json_text import decode
from store.reading.values import list_of, object_of, text_of, title_of
from store.times import parse_time

_PAGE = 200

# Columns that are not in every version, with what stands for them where they are not.
_SESSION_COLUMNS = (
    "name",
    "description",
    "user_set_name",
    "session_type",
    "working_dir",
    "created_at",
    "updated_at",
    "model_config_json",
    "goose_mode",
    "archived_at",
    "schedule_id",
    "parent_session_id",
)
_MESSAGE_COLUMNS = ("message_id", "metadata_json", "timestamp")
_UNNAMED = frozenset({"CLI Session", "New Session", "New Chat", "New session"})


class NotGoose(OSError):  # noqa: N818 - it is what the database is
    """A database without Goose's tables."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A session row. `last_row` and `rows` are the largest id and the count of its messages."""

    session_id: str
    title: str | None
    kind: str
    folder: str | None
    created: datetime | None
    updated: str
    model: str | None
    mode: str | None
    is_archived: bool
    is_scheduled: bool
    parent: str | None
    last_row: int
    rows: int


class Tables:
    """Reads the tables, a page at a time, so that no read holds up the writer for long."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._sessions = columns(connection, "sessions")
        self._messages = columns(connection, "messages")
        if not {"id"} <= self._sessions or not {"session_id", "content_json"} <= self._messages:
            raise NotGoose("the database is not one of Goose's")

    def conversations(self) -> list[Conversation]:
        """Give all sessions, the last changed first."""
        wanted = _select(_SESSION_COLUMNS, self._sessions)
        ends = {
            text_of(session): (int(last), int(count))
            for session, last, count in self._db.execute(
                "SELECT session_id, max(id), count(*) FROM messages GROUP BY session_id"
            )
        }
        rows = self._db.execute(f"SELECT id, {wanted} FROM sessions").fetchall()  # noqa: S608
        found = [_conversation(row, ends) for row in rows if isinstance(row[0], str)]
        return sorted(found, key=lambda one: one.updated, reverse=True)

    def messages(self, session: str, after: int) -> Iterator[tuple[int, str, Row | str]]:
        """Give row id, message id and row of a session after a row; text says what is wrong."""
        wanted = _select(_MESSAGE_COLUMNS, self._messages)
        query = (
            f"SELECT id, role, content_json, created_timestamp, {wanted} FROM messages"  # noqa: S608
            " WHERE session_id = ? AND id > ? ORDER BY id LIMIT ?"
        )
        while page := self._db.execute(query, (session, after, _PAGE)).fetchall():
            for row in page:
                after = row[0]
                yield after, text_of(row[4]), _row(row)

    def times_before(self, session: str, message: str, row: int) -> int:
        """Count the rows of a session before a row that have the same message id."""
        found = self._db.execute(
            "SELECT count(*) FROM messages WHERE message_id = ? AND session_id = ? AND id < ?",
            (message, session, row),
        ).fetchone()
        return int(found[0])

    def origins(self) -> dict[str, str]:
        """Give the forks and what they were forked from: the first session with the same start."""
        if "message_id" not in self._messages:
            return {}
        first: dict[str, str] = {}
        origins: dict[str, str] = {}
        for session, message in self._db.execute(
            "SELECT session_id, message_id FROM messages WHERE id IN"
            " (SELECT min(id) FROM messages GROUP BY session_id) ORDER BY id"
        ):
            if not isinstance(message, str) or not message:
                continue
            origin = first.setdefault(message, session)
            if origin != session:
                origins[session] = origin
        return origins

    def message_ids(self, session: str) -> frozenset[str]:
        """Give the message ids of a session."""
        query = "SELECT message_id FROM messages WHERE session_id = ?"
        return frozenset(row[0] for row in self._db.execute(query, (session,)) if row[0])

    def delegations(self, after: int) -> dict[str, str]:
        """Give sub-agents' sessions that results after a row name, and those the results are in."""
        parents: dict[str, str] = {}
        for session, content in self._db.execute(
            "SELECT session_id, content_json FROM messages"
            " WHERE id > ? AND content_json LIKE '%\"subagent_session_id\"%'",
            (after,),
        ):
            for child in delegated_in(_blocks(content) or []):
                parents.setdefault(child, session)
        return parents


def _select(wanted: tuple[str, ...], there: frozenset[str]) -> str:
    return ", ".join(name if name in there else f"NULL AS {name}" for name in wanted)


def _conversation(row: tuple[Any, ...], ends: dict[str, tuple[int, int]]) -> Conversation:
    values = dict(zip(_SESSION_COLUMNS, row[1:], strict=True))
    name = text_of(values["name"])
    if name in _UNNAMED and not values["user_set_name"]:
        name = ""
    last_row, rows = ends.get(row[0], (0, 0))
    return Conversation(
        session_id=row[0],
        title=title_of(name) or title_of(text_of(values["description"])),
        kind=text_of(values["session_type"]) or "user",
        folder=text_of(values["working_dir"]) or None,
        created=parse_time(values["created_at"]),
        updated=str(values["updated_at"] or ""),
        model=_model(values["model_config_json"]),
        mode=text_of(values["goose_mode"]) or None,
        is_archived=bool(values["archived_at"]),
        is_scheduled=bool(values["schedule_id"]),
        parent=text_of(values["parent_session_id"]) or None,
        last_row=last_row,
        rows=rows,
    )


def _model(config: Any) -> str | None:
    try:
        return text_of(object_of(decode(text_of(config))).get("model_name")) or None
    except ValueError:
        return None


def _row(row: tuple[Any, ...]) -> Row | str:
    number, role, content, created, message, metadata, stamp = row
    blocks = _blocks(content)
    if blocks is None:
        return "the content is not JSON"
    return Row(
        key=message if isinstance(message, str) and message else f"r{number}",
        role=text_of(role),
        time=parse_time(created) or parse_time(stamp),
        blocks=blocks,
        is_visible=_is_visible(metadata),
    )


def _blocks(content: Any) -> list[Any] | None:
    try:
        value = decode(text_of(content))
    except ValueError:
        return None
    return [value] if isinstance(value, str | dict) else list_of(value)


def _is_visible(metadata: Any) -> bool:
    try:
        return object_of(decode(text_of(metadata) or "{}")).get("userVisible") is not False
    except ValueError:
        return True
