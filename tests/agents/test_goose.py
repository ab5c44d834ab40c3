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
from tests.agents.goose_records import ONE, TWO, GooseDatabase, request, response, text
from tests.agents.reading import Shelf

_GOOSE = agents.load("goose")


@pytest.fixture
def goose(tmp_path: Path) -> Iterator[GooseDatabase]:
    made = GooseDatabase(tmp_path / "data" / "sessions" / "sessions.db")
    with closing(made.db):
        yield made


def test_blocks_become_messages(goose: GooseDatabase, tmp_path: Path) -> None:
    goose.session(ONE)
    image = {"type": "image", "mimeType": "image/png", "data": "QUJD"}
    goose.row(ONE, "user", text("look é"), image)
    goose.row(ONE, "assistant", {"type": "thinking", "thinking": "Hm."}, text("Looking."))
    goose.row(ONE, "assistant", request("c1", command="ls"), request("c1", command="ls"))
    held = {"content": [text("no")], "structuredContent": {"exit_code": 3}, "isError": False}
    goose.row(ONE, "user", response("c1", held))
    goose.row(ONE, "user", response("c2", [text("older")]))
    hidden = '{"userVisible":false,"agentVisible":true}'
    goose.row(ONE, "user", text("What happened."), metadata_json=hidden)
    kept = Shelf().read_all(_GOOSE, tmp_path)[ONE]
    assert [(m.role, m.kind, m.content) for m in kept.messages.values()] == [
        (Role.USER, Kind.TEXT, "look é\n[image: image/png, 3 bytes]"),
        (Role.ASSISTANT, Kind.THINKING, "Hm."),
        (Role.ASSISTANT, Kind.TEXT, "Looking."),
        (Role.ASSISTANT, Kind.TOOL_CALL, '{"command":"ls"}'),
        (Role.TOOL, Kind.TOOL_RESULT, "no"),
        (Role.TOOL, Kind.TOOL_RESULT, "older"),
        (Role.SYSTEM, Kind.SUMMARY, "What happened."),
    ]
    assert kept.prompts == ["look é\n[image: image/png, 3 bytes]"]
    assert [m.is_error for m in kept.messages.values()].count(True) == 1
    assert [m.tool_name for m in kept.messages.values() if m.content == "no"] == ["shell"]
    facts = kept.facts
    assert (facts.title, facts.model, facts.permission_mode) == ("A title", "gpt", "auto")
    assert facts.namespace == str(goose.path.parent)


def test_only_changed_sessions_are_read_again(goose: GooseDatabase, tmp_path: Path) -> None:
    for name in (ONE, TWO):
        goose.session(name, title="")
        goose.row(name, "user", text(f"hello from {name}"))
    shelf = Shelf()
    shelf.read_all(_GOOSE, tmp_path)
    assert shelf.sessions[ONE].facts.title == f"hello from {ONE}"
    assert shelf.sessions[ONE].facts.title_from is TitleFrom.PROMPT
    (source,) = _GOOSE.find(tmp_path)
    assert shelf.checkpoints[goose.path].fingerprint == source.fingerprint
    goose.row(TWO, "assistant", text("hi"))
    (changed,) = _GOOSE.find(tmp_path)
    assert changed.fingerprint != source.fingerprint
    checkpoint = shelf.read(_GOOSE, changed)
    assert shelf.messages_given == 1
    assert checkpoint.records == 3
    assert shelf.sessions[TWO].contents() == [f"hello from {TWO}", "hi"]
    assert shelf.sessions[TWO].facts.title == f"hello from {TWO}"


def test_rows_written_anew_add_nothing(goose: GooseDatabase, tmp_path: Path) -> None:
    goose.session(ONE)
    goose.row(ONE, "user", text("one"))
    goose.row(ONE, "assistant", text("same id"), message_id="msg_1")
    shelf = Shelf()
    shelf.read_all(_GOOSE, tmp_path)
    goose.write_anew(ONE)
    goose.row(ONE, "user", text("two"))
    kept = shelf.read_all(_GOOSE, tmp_path)[ONE]
    assert kept.contents() == ["one", "same id", "two"]
    assert shelf.checkpoints[goose.path].records == 3


def test_a_fork_and_its_origin(goose: GooseDatabase, tmp_path: Path) -> None:
    for name in (ONE, TWO):
        goose.session(name)
        goose.row(name, "user", text("shared"), message_id="m1", created_timestamp=1795217682)
    goose.row(TWO, "user", text("own"))
    sessions = Shelf().read_all(_GOOSE, tmp_path)
    assert sessions[TWO].facts.fork_session_id == ONE
    assert [m.inherited for m in sessions[TWO].messages.values()] == [True, False]
    assert sessions[ONE].facts.fork_session_id is None


def test_a_delegated_session_finds_its_parent_whenever_that_is_written(
    goose: GooseDatabase, tmp_path: Path
) -> None:
    goose.session(ONE)
    goose.session(TWO, kind="sub_agent")
    goose.row(TWO, "user", text("do a part"))
    shelf = Shelf()
    sessions = shelf.read_all(_GOOSE, tmp_path)
    assert sessions[TWO].facts.origin is Origin.SUBAGENT
    assert sessions[TWO].facts.parent_session_id is None
    value = {"content": [text("done")], "_meta": {"subagent_session_id": TWO}}
    goose.row(ONE, "user", response("c1", value))
    assert shelf.read_all(_GOOSE, tmp_path)[TWO].facts.parent_session_id == ONE
    goose.row(TWO, "assistant", text("more"))
    assert shelf.read_all(_GOOSE, tmp_path)[TWO].facts.parent_session_id == ONE
    assert sessions[TWO].prompts == ["do a part"]


def test_scheduled_and_archived_sessions(goose: GooseDatabase, tmp_path: Path) -> None:
    goose.session(ONE, kind="scheduled", archived_at="2026-11-21 00:00:00")
    goose.session(TWO, kind="hidden", title="CLI Session")
    sessions = Shelf().read_all(_GOOSE, tmp_path)
    assert {kept.facts.origin for kept in sessions.values()} == {Origin.AUTOMATED}
    assert sessions[ONE].facts.archived
    assert sessions[TWO].facts.title is None


def test_bad_rows_are_skipped_and_odd_ones_read(goose: GooseDatabase, tmp_path: Path) -> None:
    goose.session(ONE, model_config_json="{", updated_at=5)
    goose.row(ONE, "user", content_json="{not json")
    odd: Any
    for odd in (None, 5, "x", [], {}, [None], [[]], {"type": []}):
        goose.row(ONE, "user", content_json=json.dumps(odd), metadata_json=json.dumps(odd))
        blocks = [
            {"type": kind, "id": odd, "toolCall": odd, "toolResult": odd, "text": odd}
            for kind in ("text", "image", "toolRequest", "toolResponse", "thinking")
        ]
        goose.row(ONE, "assistant", *blocks, created_timestamp=json.dumps(odd))
    goose.row(ONE, "user", text("fine \udc80".encode("utf-8", "replace").decode()))
    shelf = Shelf()
    kept = shelf.read_all(_GOOSE, tmp_path)[ONE]
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
        row = json.dumps([text("hi")])
        db.execute(
            "INSERT INTO messages VALUES (7, '20250101_101010', 'user', ?, 1795217682)", (row,)
        )
    kept = Shelf().read_all(_GOOSE, tmp_path)["20250101_101010"]
    assert kept.prompts == ["hi"]
    assert (kept.facts.title, kept.facts.project_path) == ("Old", "/old")


def test_the_agents_folder_is_left_as_it_was(goose: GooseDatabase, tmp_path: Path) -> None:
    goose.session(ONE)
    goose.row(ONE, "user", text("hi"))

    def looks() -> list[tuple[str, int, int]]:
        found = ((entry.name, entry.stat()) for entry in sorted(goose.path.parent.iterdir()))
        return [(name, stat.st_size, stat.st_mtime_ns) for name, stat in found]

    for _ in range(2):  # with its agent at work, and after
        before = looks()
        assert Shelf().read_all(_GOOSE, tmp_path)[ONE].prompts == ["hi"]
        assert looks() == before
        goose.db.close()
    assert [name for name, _, _ in before] == ["sessions.db"]


def test_a_damaged_or_locked_database_is_said_in_words(
    goose: GooseDatabase, tmp_path: Path
) -> None:
    goose.session(ONE)
    goose.row(ONE, "user", text("hi" * 5000))
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
