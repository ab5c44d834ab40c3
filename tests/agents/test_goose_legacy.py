"""Goose's older files: one session each, later imported into the database and left in place."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

import store
from store import Store, agents, ingest
from store.models import Kind, Message, Origin, Role, TitleFrom
from tests.agents.goose_records import (
    OLD,
    START,
    GooseDatabase,
    beginning,
    imported,
    line,
    request,
    response,
    text,
)
from tests.agents.reading import Shelf, only, write

_GOOSE = agents.load("goose")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Give where Goose keeps its sessions."""
    return tmp_path / "goose" / "sessions"


def _talk(place: Path) -> Path:
    """Write a session as Goose once did: no ids, two like prompts in a second, a call."""
    records = [
        beginning(),
        line(1, "user", text("look, e\u0301")),
        line(1, "user", text("go on")),
        line(1, "user", text("go on")),
        line(2, "assistant", text("Looking."), request("c1", z=1, command="ls")),
        line(3, "user", response("c1", [text("README.md")])),
        line(4, "assistant", {"type": "thinking", "thinking": "Hm.", "signature": ""}),
    ]
    for record in records:
        record.pop("id", None)
    return write(place / f"{OLD}.jsonl", records)


async def _import(store: Store, *paths: Path) -> ingest.Report:
    return await ingest.run(store, only=["goose"], paths=paths)


async def _history(store: Store) -> tuple[str, list[Message]]:
    """Give where the one session came from, and its history."""
    (row,) = (await store.list_tasks()).items
    assert row.session is not None
    return row.session.source_path or "", await store.get_history(row.task.id)


def test_a_file_is_a_session(place: Path) -> None:
    path = _talk(place)
    kept = only(_GOOSE, place)
    facts = kept.facts
    assert (facts.session_id, facts.title, facts.project_path) == (OLD, "Old talk", "/src")
    assert (facts.title_from, facts.origin) == (TitleFrom.AGENT, Origin.PERSON)
    assert facts.namespace == str(path.parent)
    assert facts.started_at is not None
    assert int(facts.started_at.timestamp()) == START + 1
    assert [(m.role, m.kind, m.content, m.tool_name) for m in kept.messages.values()] == [
        (Role.USER, Kind.TEXT, "look, e\u0301", None),
        (Role.USER, Kind.TEXT, "go on", None),
        (Role.USER, Kind.TEXT, "go on", None),
        (Role.ASSISTANT, Kind.TEXT, "Looking.", None),
        (Role.ASSISTANT, Kind.TOOL_CALL, '{"z":1,"command":"ls"}', "shell"),
        (Role.TOOL, Kind.TOOL_RESULT, "README.md", "shell"),
        (Role.ASSISTANT, Kind.THINKING, "Hm.", None),
    ]


def test_the_first_line_may_be_a_message(tmp_path: Path) -> None:
    write(tmp_path / "mine.jsonl", [line(1, "user", text("hi")), line(2, "assistant", text("ho"))])
    kept = only(_GOOSE, tmp_path)
    assert (kept.facts.session_id, kept.facts.title) == ("mine", "hi")
    assert kept.facts.title_from is TitleFrom.PROMPT
    assert kept.contents() == ["hi", "ho"]


def test_a_scheduled_one_is_not_a_persons(place: Path) -> None:
    write(place / f"{OLD}.jsonl", [beginning(schedule_id="nightly"), line(1, "user", text("go"))])
    assert only(_GOOSE, place).facts.origin is Origin.AUTOMATED


def test_a_file_grows_and_is_read_on(place: Path) -> None:
    path = _talk(place)
    shelf = Shelf()
    shelf.read_all(_GOOSE, place)
    with path.open("a") as file:
        file.write(json.dumps(line(4, "user", text("more"))) + "\n")
        file.write(json.dumps(line(5, "user", text("torn")))[:-3])
    kept = shelf.read_all(_GOOSE, place)[OLD]
    assert shelf.messages_given == 1
    checkpoint = shelf.checkpoints[path]
    assert (checkpoint.records, checkpoint.skipped, checkpoint.pending) == (8, (), 9)
    with path.open("a") as file:
        file.write("}]}\n")
    for _ in range(2):  # the same, said again in the same second
        shelf.read_all(_GOOSE, place)
        write(path, [line(5, "user", text("torn"))], append=True)
    shelf.read_all(_GOOSE, place)
    assert kept.contents()[-4:] == ["more", "torn", "torn", "torn"]
    assert kept.facts.title == "Old talk"


def test_bad_lines_are_named_and_the_others_read(place: Path) -> None:
    path = _talk(place)
    raw = path.read_bytes().splitlines(keepends=True)
    raw[2] = raw[2][:30] + b"\n"
    raw[3] = b'"a bare word"\n'
    raw.insert(0, b"\xef\xbb\xbf\0\0\r\n")
    odd = [{"role": "user"}, {"role": 5, "content": 5, "created": []}, {}]
    path.write_bytes(b"".join(raw) + "".join(json.dumps(one) + "\n" for one in odd).encode())
    shelf = Shelf()
    kept = shelf.read_all(_GOOSE, place)[OLD]
    assert [skip.line for skip in shelf.checkpoints[path].skipped] == [4, 5]
    assert kept.facts.title == "Old talk"
    assert kept.prompts == ["look, e\u0301"]
    assert kept.contents()[-1] == "Hm."


def test_other_agents_files_are_not_gooses(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [{"type": "user", "message": {"content": []}, "sessionId": "x"}])
    write(tmp_path / "b.jsonl", [{"role": "user", "content": "words"}])
    write(tmp_path / "c.jsonl", [{"timestamp": 1, "type": "response_item", "payload": {}}])
    write(tmp_path / "d.jsonl", ["not json"])
    assert list(_GOOSE.find(tmp_path)) == []


def test_a_first_line_longer_than_what_is_looked_at(tmp_path: Path) -> None:
    write(tmp_path / "long.jsonl", [line(1, "user", text("x" * 100_000))])
    assert len(only(_GOOSE, tmp_path).prompts[0]) == 100_000


async def test_what_the_database_holds_is_not_read_again(place: Path) -> None:
    path = _talk(place)
    database = GooseDatabase(place / "sessions.db")
    with closing(database.db):
        imported(database, path)
    assert Shelf().read_all(_GOOSE, path) == {}
    async with store.open_store(":memory:") as s:
        report = await _import(s, place)
        assert (report.sessions_added, report.messages_added) == (1, 7)
        assert (report.records_all, report.records_imported) == (13, 13)
        source, history = await _history(s)
        assert source == str(database.path)
        assert len(history) == 7
        write(path, [line(9, "user", text("by an older Goose"))], append=True)
        assert (await _import(s, place)).messages_added == 0
        assert (await _history(s))[0] == str(database.path)


@pytest.mark.parametrize("version", [1, 7, 13, 17])
async def test_a_database_that_comes_later_doubles_nothing(place: Path, version: int) -> None:
    path = _talk(place)
    async with store.open_store(":memory:") as s:
        assert (await _import(s, place)).messages_added == 7
        assert (await _history(s))[0] == str(path)
        database = GooseDatabase(place / "sessions.db", version)
        with closing(database.db):
            imported(database, path)
            database.row(OLD, "user", text("and on"), created_timestamp=START + 90)
            report = await _import(s, place)
            assert (report.sessions_added, report.messages_added) == (0, 1)
            source, history = await _history(s)
            assert source == str(database.path)
            assert [m.content for m in history][-2:] == ["Hm.", "and on"]
            database.write_anew(OLD)
            database.row(OLD, "user", text("later"), created_timestamp=START + 91)
            assert (await _import(s, place)).messages_added == 1


async def test_a_database_that_takes_the_session_without_its_talk(place: Path) -> None:
    _talk(place)
    database = GooseDatabase(place / "sessions.db")
    with closing(database.db):
        database.session(OLD)
    async with store.open_store(":memory:") as s:
        assert (await _import(s, place)).messages_added == 7


async def test_a_database_that_cannot_be_read_hides_no_file(place: Path) -> None:
    path = _talk(place)
    broken = place / "sessions.db"
    broken.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    async with store.open_store(":memory:") as s:
        report = await _import(s, place)
        assert (report.messages_added, report.sources_failed) == (7, 1)
        assert [skip.path for skip in report.skipped] == [str(broken)]
        broken.unlink()
        database = GooseDatabase(broken)
        with closing(database.db):
            imported(database, path)
        assert (await _import(s, place)).messages_added == 0
        assert len((await _history(s))[1]) == 7
