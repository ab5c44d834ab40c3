"""Goose's database: sessions that grow, are written anew, forked or delegated."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from store import agents
from store.models import Kind, Origin, Role, TitleFrom
from tests.agents.reading import Shelf, database

_GOOSE = agents.load("goose")
_ONE, _TWO = "20261120_1", "20261120_2"


class _Goose:
    """Writes as Goose does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = database(path)
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
        marks = ", ".join("?" * len(values))
        columns = ", ".join(values)
        self.db.execute(
            f"INSERT INTO sessions ({columns}) VALUES ({marks})", tuple(values.values())
        )

    def row(self, session: str, role: str, *blocks: Any, **more: Any) -> None:
        self._count += 1
        values = {
            "message_id": f"msg_{self._count}",
            "session_id": session,
            "role": role,
            "content_json": json.dumps(blocks),
            "created_timestamp": 1795217682 + self._count,
            "metadata_json": '{"userVisible":true,"agentVisible":true}',
        } | more
        marks = ", ".join("?" * len(values))
        columns = ", ".join(values)
        self.db.execute(
            f"INSERT INTO messages ({columns}) VALUES ({marks})", tuple(values.values())
        )
        self.db.execute(
            "UPDATE sessions SET updated_at = ? WHERE id = ?",
            (f"2026-11-20 10:00:{self._count:02d}", session),
        )


@pytest.fixture
def goose(tmp_path: Path) -> Iterator[_Goose]:
    made = _Goose(tmp_path / "data" / "sessions" / "sessions.db")
    with closing(made.db):
        yield made


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def _request(call: str, **arguments: Any) -> dict[str, Any]:
    value = {"name": "shell", "arguments": arguments}
    return {"type": "toolRequest", "id": call, "toolCall": {"status": "success", "value": value}}


def _response(call: str, value: Any, status: str = "success") -> dict[str, Any]:
    return {"type": "toolResponse", "id": call, "toolResult": {"status": status, "value": value}}


def test_blocks_become_messages(goose: _Goose, tmp_path: Path) -> None:
    goose.session(_ONE)
    image = {"type": "image", "mimeType": "image/png", "data": "QUJD"}
    goose.row(_ONE, "user", _text("look é"), image)
    goose.row(_ONE, "assistant", {"type": "thinking", "thinking": "Hm."}, _text("Looking."))
    goose.row(_ONE, "assistant", _request("c1", command="ls"), _request("c1", command="ls"))
    held = {"content": [_text("no")], "structuredContent": {"exit_code": 3}, "isError": False}
    goose.row(_ONE, "user", _response("c1", held))
    goose.row(_ONE, "user", _response("c2", [_text("older")]))
    hidden = '{"userVisible":false,"agentVisible":true}'
    goose.row(_ONE, "user", _text("What happened."), metadata_json=hidden)
    kept = Shelf().read_all(_GOOSE, tmp_path)[_ONE]
    assert [(m.key, m.role, m.kind, m.content) for m in kept.messages.values()] == [
        ("msg_1/0", Role.USER, Kind.TEXT, "look é\n[image: image/png, 3 bytes]"),
        ("msg_2/0", Role.ASSISTANT, Kind.THINKING, "Hm."),
        ("msg_2/1", Role.ASSISTANT, Kind.TEXT, "Looking."),
        ("msg_3/0", Role.ASSISTANT, Kind.TOOL_CALL, '{"command":"ls"}'),
        ("msg_4/0", Role.TOOL, Kind.TOOL_RESULT, "no"),
        ("msg_5/0", Role.TOOL, Kind.TOOL_RESULT, "older"),
        ("msg_6/0", Role.SYSTEM, Kind.SUMMARY, "What happened."),
    ]
    assert kept.prompts == ["look é\n[image: image/png, 3 bytes]"]
    assert [m.is_error for m in kept.messages.values()].count(True) == 1
    assert kept.messages["msg_4/0"].tool_name == "shell"
    facts = kept.facts
    assert (facts.title, facts.model, facts.permission_mode) == ("A title", "gpt", "auto")
    assert facts.namespace == str(goose.path.parent)


def test_only_changed_sessions_are_read_again(goose: _Goose, tmp_path: Path) -> None:
    for name in (_ONE, _TWO):
        goose.session(name, title="")
        goose.row(name, "user", _text(f"hello from {name}"))
    shelf = Shelf()
    shelf.read_all(_GOOSE, tmp_path)
    assert shelf.sessions[_ONE].facts.title == f"hello from {_ONE}"
    assert shelf.sessions[_ONE].facts.title_from is TitleFrom.PROMPT
    (source,) = _GOOSE.find(tmp_path)
    assert shelf.checkpoints[goose.path].fingerprint == source.fingerprint
    goose.row(_TWO, "assistant", _text("hi"))
    (changed,) = _GOOSE.find(tmp_path)
    assert changed.fingerprint != source.fingerprint
    checkpoint = shelf.read(_GOOSE, changed)
    assert shelf.messages_given == 1
    assert checkpoint.records == 3
    assert shelf.sessions[_TWO].contents() == [f"hello from {_TWO}", "hi"]
    assert shelf.sessions[_TWO].facts.title == f"hello from {_TWO}"


def test_rows_written_anew_add_nothing(goose: _Goose, tmp_path: Path) -> None:
    goose.session(_ONE)
    goose.row(_ONE, "user", _text("one"))
    goose.row(_ONE, "assistant", _text("same id"), message_id="msg_1")
    shelf = Shelf()
    shelf.read_all(_GOOSE, tmp_path)
    rows = goose.db.execute("SELECT message_id, role, content_json FROM messages").fetchall()
    goose.db.execute("DELETE FROM messages")
    for message, role, content in rows:
        goose.row(_ONE, role, *json.loads(content), message_id=message)
    goose.row(_ONE, "user", _text("two"))
    kept = shelf.read_all(_GOOSE, tmp_path)[_ONE]
    assert kept.contents() == ["one", "same id", "two"]
    assert len(kept.messages) == 3


def test_a_fork_and_its_origin(goose: _Goose, tmp_path: Path) -> None:
    for name in (_ONE, _TWO):
        goose.session(name)
        goose.row(name, "user", _text("shared"), message_id="m1", created_timestamp=1795217682)
    goose.row(_TWO, "user", _text("own"))
    sessions = Shelf().read_all(_GOOSE, tmp_path)
    assert sessions[_TWO].facts.fork_session_id == _ONE
    assert [m.inherited for m in sessions[_TWO].messages.values()] == [True, False]
    assert sessions[_ONE].facts.fork_session_id is None


def test_a_delegated_session_finds_its_parent_whenever_that_is_written(
    goose: _Goose, tmp_path: Path
) -> None:
    goose.session(_ONE)
    goose.session(_TWO, kind="sub_agent")
    goose.row(_TWO, "user", _text("do a part"))
    shelf = Shelf()
    sessions = shelf.read_all(_GOOSE, tmp_path)
    assert sessions[_TWO].facts.origin is Origin.SUBAGENT
    assert sessions[_TWO].facts.parent_session_id is None
    value = {"content": [_text("done")], "_meta": {"subagent_session_id": _TWO}}
    goose.row(_ONE, "user", _response("c1", value))
    assert shelf.read_all(_GOOSE, tmp_path)[_TWO].facts.parent_session_id == _ONE
    goose.row(_TWO, "assistant", _text("more"))
    assert shelf.read_all(_GOOSE, tmp_path)[_TWO].facts.parent_session_id == _ONE
    assert sessions[_TWO].prompts == ["do a part"]


def test_scheduled_and_archived_sessions(goose: _Goose, tmp_path: Path) -> None:
    goose.session(_ONE, kind="scheduled", archived_at="2026-11-21 00:00:00")
    goose.session(_TWO, kind="hidden", title="CLI Session")
    sessions = Shelf().read_all(_GOOSE, tmp_path)
    assert {kept.facts.origin for kept in sessions.values()} == {Origin.AUTOMATED}
    assert sessions[_ONE].facts.archived
    assert sessions[_TWO].facts.title is None


def test_bad_rows_are_skipped_and_odd_ones_read(goose: _Goose, tmp_path: Path) -> None:
    goose.session(_ONE, model_config_json="{", updated_at=5)
    goose.row(_ONE, "user", content_json="{not json")
    odd: Any
    for odd in (None, 5, "x", [], {}, [None], [[]], {"type": []}):
        goose.row(_ONE, "user", content_json=json.dumps(odd), metadata_json=json.dumps(odd))
        blocks = [
            {"type": kind, "id": odd, "toolCall": odd, "toolResult": odd, "text": odd}
            for kind in ("text", "image", "toolRequest", "toolResponse", "thinking")
        ]
        goose.row(_ONE, "assistant", *blocks, created_timestamp=json.dumps(odd))
    goose.row(_ONE, "user", _text("fine \udc80".encode("utf-8", "replace").decode()))
    shelf = Shelf()
    kept = shelf.read_all(_GOOSE, tmp_path)[_ONE]
    assert kept.prompts[-1] == "fine ?"
    checkpoint = shelf.checkpoints[goose.path]
    assert len(checkpoint.skipped) == 1
    assert checkpoint.records == 18


def test_a_database_of_few_columns(tmp_path: Path) -> None:
    path = tmp_path / "sessions" / "sessions.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE sessions (id TEXT, description TEXT, working_dir TEXT)")
        db.execute("INSERT INTO sessions VALUES ('20250101_101010', 'Old', '/old')")
        db.execute(
            "CREATE TABLE messages (id INTEGER PRIMARY KEY, session_id, role, content_json,"
            " created_timestamp)"
        )
        row = json.dumps([_text("hi")])
        db.execute(
            "INSERT INTO messages VALUES (7, '20250101_101010', 'user', ?, 1795217682)", (row,)
        )
    kept = Shelf().read_all(_GOOSE, tmp_path)["20250101_101010"]
    assert list(kept.messages) == ["r7/0"]
    assert (kept.facts.title, kept.facts.project_path) == ("Old", "/old")


def test_the_agents_folder_is_left_as_it_was(goose: _Goose, tmp_path: Path) -> None:
    goose.session(_ONE)
    goose.row(_ONE, "user", _text("hi"))

    def looks() -> list[tuple[str, int, int]]:
        found = ((entry.name, entry.stat()) for entry in sorted(goose.path.parent.iterdir()))
        return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in found]

    for _ in range(2):  # with its agent at work, and after
        before = looks()
        assert Shelf().read_all(_GOOSE, tmp_path)[_ONE].prompts == ["hi"]
        assert looks() == before
        goose.db.close()
    assert [name for name, _, _ in before] == ["sessions.db"]


def test_a_damaged_or_locked_database_is_said_in_words(goose: _Goose, tmp_path: Path) -> None:
    goose.session(_ONE)
    goose.row(_ONE, "user", _text("hi" * 5000))
    goose.db.close()
    (source,) = _GOOSE.find(tmp_path)
    raw = goose.path.read_bytes()
    goose.path.write_bytes(raw[:1000] + b"\xff" * 8000)
    with pytest.raises(OSError, match="database cannot be read"):
        list(_GOOSE.read(source, None))
    goose.path.write_bytes(raw)
    with closing(sqlite3.connect(goose.path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
        db.execute("BEGIN EXCLUSIVE")
        with pytest.raises(OSError, match="locked"):
            list(_GOOSE.read(source, None))


def test_another_programs_database_is_not_gooses(tmp_path: Path) -> None:
    path = tmp_path / "other" / "sessions.db"
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE sessions (id TEXT)")
    assert list(_GOOSE.find(tmp_path)) == []
