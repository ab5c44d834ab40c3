"""The tables of Goose's database, whichever version made them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.agents.goose.records import Row, delegated_in, row_of
from store.agents.goose.usage import Entry, used
from store.reading.databases import columns
from store.reading.json_text import decode
from store.reading.usage import Figures
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
    "accumulated_input_tokens",
    "accumulated_output_tokens",
    "accumulated_cache_read_tokens",
    "accumulated_cache_write_tokens",
)
_LEDGER_COLUMNS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "model",
    "created_timestamp",
)
_MESSAGE_COLUMNS = ("message_id", "metadata_json", "timestamp")
_UNNAMED = frozenset({"CLI Session", "New Session", "New Chat", "New session"})


Found = tuple[int, str, Row | str]


class NotGoose(OSError):  # noqa: N818 - it is what the database is
    """A database without Goose's tables."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A session row. `last_row` and `rows` are the largest id and the count of its messages.

    `used` is what Goose has added up for it, if it has; `ledger_end` the number of the last call
    that is noted for it.
    """

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
    used: Figures | None
    ledger_end: int
    last_row: int
    rows: int


class Tables:
    """Reads the tables, a page at a time, so that no read holds up the writer for long."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection
        self._sessions = columns(connection, "sessions")
        self._messages = columns(connection, "messages")
        self._ledger = columns(connection, "usage_ledger")
        self._is_new = not self._sessions and not self._messages and _is_blank(connection)
        is_goose = "id" in self._sessions and {"session_id", "content_json"} <= self._messages
        if not is_goose and not self._is_new:
            raise NotGoose("the database is not one of Goose's")

    def conversations(self) -> list[Conversation]:
        """Give all sessions, the last changed first.

        Messages of a session that is not in its table make one of which nothing else is known.
        """
        if self._is_new:
            return []
        wanted = _select(_SESSION_COLUMNS, self._sessions)
        ends = {
            session: (int(last), int(count))
            for session, last, count in self._db.execute(
                "SELECT session_id, max(id), count(*) FROM messages GROUP BY session_id"
            )
            if _is_name(session)
        }
        calls = dict(self._ledger_ends())
        rows = self._db.execute(f"SELECT id, {wanted} FROM sessions").fetchall()  # noqa: S608
        known = {row[0] for row in rows}
        nothing = (None,) * len(_SESSION_COLUMNS)
        rows += [(session, *nothing) for session in ends if session not in known]
        found = [_conversation(row, ends, calls) for row in rows if _is_name(row[0])]
        return sorted(found, key=lambda one: one.updated, reverse=True)

    def held(self) -> frozenset[str]:
        """Give the ids of the sessions that have messages."""
        if self._is_new:
            return frozenset()
        found = self._db.execute("SELECT DISTINCT session_id FROM messages")
        return frozenset(session for (session,) in found if _is_name(session))

    def homeless(self) -> list[int]:
        """Give the numbers of the message rows that name no session."""
        if self._is_new:
            return []
        # Numbers come before text and bytes after it: an index of the sessions is enough.
        parts = ("session_id IS NULL", "session_id <= ''", "session_id >= x''")
        query = " UNION ALL ".join(f"SELECT id FROM messages WHERE {part}" for part in parts)  # noqa: S608
        return sorted(row for (row,) in self._unless_damaged(query))

    def messages(self, session: str, after: int, last: int) -> Iterator[Found]:
        """Give row id, message id and row of a session after a row; text says what is wrong.

        Where pages of the file are damaged, what is behind them is looked for up to row `last`.
        """
        wanted = _select(_MESSAGE_COLUMNS, self._messages)
        query = (
            f"SELECT id, role, content_json, created_timestamp, {wanted} FROM messages"  # noqa: S608
            " WHERE session_id = ? AND id > ? ORDER BY id LIMIT ?"
        )
        step = 1
        while True:
            page, damage = self._page(query, (session, after, _PAGE))
            for row in page:
                after = row[0]
                yield after, text_of(row[4]), _row(row)
            if damage is None and not page:
                return
            step = 1 if page or damage is None else step * 2
            if damage is not None:
                yield after + 1, "", f"cannot be read, nor what follows at once: {damage}"
                after += step
                if after >= last:
                    return

    def _page(self, query: str, values: tuple[Any, ...]) -> tuple[list[Any], str | None]:
        """Give the rows of a page up to where the file is damaged, and what the damage is."""
        page: list[Any] = []
        try:
            page.extend(self._db.execute(query, values))
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as error:
            return page, str(error)
        return page, None

    def count(self, session: str, upto: int) -> int:
        """Count the rows of a session up to a row."""
        query = "SELECT count(*) FROM messages WHERE session_id = ? AND id <= ?"
        return int(self._db.execute(query, (session, upto)).fetchone()[0])

    def session_of(self, row: int) -> str | None:
        """Give the session of a row; None when there is no such row."""
        page, _ = self._page("SELECT session_id FROM messages WHERE id = ?", (row,))
        return text_of(page[0][0]) if page else None

    def latest(self, session: str, upto: int) -> Any:
        """Give the latest stamp among the rows of a session up to a row."""
        query = "SELECT max(created_timestamp) FROM messages WHERE session_id = ? AND id <= ?"
        return self._db.execute(query, (session, upto)).fetchone()[0]

    def times_before(self, session: str, row: int) -> int:
        """Count the rows of a session before a row that hold the same."""
        query = (
            "SELECT count(*) FROM messages AS one JOIN messages AS same"
            " ON same.session_id = one.session_id AND same.id < one.id"
            " AND same.created_timestamp IS one.created_timestamp"
            " AND same.role IS one.role AND same.content_json IS one.content_json"
            " WHERE one.id = ? AND one.session_id = ?"
        )
        return int(self._db.execute(query, (row, session)).fetchone()[0])

    def origins(self) -> dict[str, str]:
        """Give the forks and what they were forked from: the first session with the same start."""
        if "message_id" not in self._messages:
            return {}
        first: dict[str, str] = {}
        origins: dict[str, str] = {}
        for session, message in self._unless_damaged(
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
        return frozenset(row[0] for row in self._unless_damaged(query, session) if row[0])

    def _ledger_ends(self) -> list[tuple[str, int]]:
        if "session_id" not in self._ledger:
            return []
        query = "SELECT session_id, max(rowid) FROM usage_ledger GROUP BY session_id"
        return [(name, int(end)) for name, end in self._unless_damaged(query) if _is_name(name)]

    def ledger(self, session: str) -> Iterator[Entry]:
        """Give when, by which model and how much a session used; newer versions note each call."""
        if "session_id" not in self._ledger:
            return
        wanted = _select(_LEDGER_COLUMNS, self._ledger)
        query = f"SELECT {wanted} FROM usage_ledger WHERE session_id = ? ORDER BY rowid"  # noqa: S608
        for *figures, model, created in self._unless_damaged(query, session):
            found = used(*figures)
            if found is not None:
                yield parse_time(created), text_of(model), found

    def delegations(self, after: int) -> dict[str, str]:
        """Give sub-agents' sessions that results after a row name, and those the results are in."""
        parents: dict[str, str] = {}
        for session, content in self._unless_damaged(
            "SELECT session_id, content_json FROM messages"
            " WHERE id > ? AND content_json LIKE '%\"subagent_session_id\"%'",
            after,
        ):
            for child in delegated_in(_blocks(content) or []):
                parents.setdefault(child, session)
        return parents

    def _unless_damaged(self, query: str, *values: Any) -> list[Any]:
        """Give the rows of a query that something is only said about sessions by, if it can be had.

        Without the links, or the figures, the conversations are as whole as with them.
        """
        return self._page(query, values)[0]


def _is_blank(connection: sqlite3.Connection) -> bool:
    """Tell whether a database has no tables yet: Goose is about to make them."""
    return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def _is_name(session: Any) -> bool:
    return isinstance(session, str) and session != ""


def _select(wanted: tuple[str, ...], there: frozenset[str]) -> str:
    return ", ".join(name if name in there else f"NULL AS {name}" for name in wanted)


def _conversation(
    row: tuple[Any, ...], ends: dict[str, tuple[int, int]], calls: dict[str, int]
) -> Conversation:
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
        used=used(
            values["accumulated_input_tokens"],
            values["accumulated_output_tokens"],
            values["accumulated_cache_read_tokens"],
            values["accumulated_cache_write_tokens"],
        ),
        ledger_end=calls.get(row[0], 0),
        last_row=last_row,
        rows=rows,
    )


def _model(config: Any) -> str | None:
    try:
        return text_of(object_of(decode(text_of(config))).get("model_name")) or None
    except ValueError:
        return None


def _row(row: tuple[Any, ...]) -> Row | str:
    _, role, content, created, _, metadata, stamp = row
    blocks = _blocks(content)
    if blocks is None:
        return "the content is not JSON"
    made = row_of(role, parse_time(created), blocks, _is_visible(metadata))
    return made if made.time else made._replace(time=parse_time(stamp))


def _blocks(content: Any) -> list[Any] | None:
    try:
        value = decode(_text(content))
    except ValueError:
        return None
    return [value] if isinstance(value, str | dict) else list_of(value)


def _text(content: Any) -> str:
    return str(content, "utf-8", "replace") if isinstance(content, bytes) else text_of(content)


def _is_visible(metadata: Any) -> bool:
    try:
        return object_of(decode(text_of(metadata) or "{}")).get("userVisible") is not False
    except ValueError:
        return True
