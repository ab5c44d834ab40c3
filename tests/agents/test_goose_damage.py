"""Goose's database half written, torn, damaged in its middle, or with rows that make no sense."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import store
from store import Store, agents, ingest
from tests.agents.goose_records import ONE, START, TWO, GooseDatabase, text
from tests.agents.reading import Shelf

_GOOSE = agents.load("goose")
_THREE = "20261120_3"


@pytest.fixture
def goose(tmp_path: Path) -> Iterator[GooseDatabase]:
    made = GooseDatabase(tmp_path / "goose" / "sessions" / "sessions.db")
    with closing(made.db):
        yield made


async def _import(s: Store, database: GooseDatabase) -> ingest.Report:
    return await ingest.run(s, only=["goose"], paths=[database.path.parent])


def _fill(database: GooseDatabase, session: str, rows: int, size: int = 3000) -> None:
    database.db.execute("BEGIN")
    database.session(session)
    for number in range(rows):
        database.row(session, "user", text(f"{session} {number} " + "x" * size))
    database.db.execute("COMMIT")


async def test_a_database_that_goose_is_only_making(tmp_path: Path) -> None:
    path = tmp_path / "goose" / "sessions" / "sessions.db"
    path.parent.mkdir(parents=True)
    path.touch()
    async with store.open_store(":memory:") as s:
        report = await ingest.run(s, only=["goose"], paths=[path.parent])
        assert (report.sources_read, report.records_all, report.skipped) == (1, 0, [])
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            report = await ingest.run(s, only=["goose"], paths=[path.parent])
            assert (report.sources_read, report.records_all, report.skipped) == (1, 0, [])
        path.unlink()
        database = GooseDatabase(path)
        with closing(database.db):
            database.session(ONE)
            database.row(ONE, "user", text("hi"))
            assert (await _import(s, database)).messages_added == 1


@pytest.mark.parametrize("share", [0.001, 0.3, 0.9])
async def test_a_database_cut_short_is_named_and_read_when_it_is_whole(
    goose: GooseDatabase, share: float
) -> None:
    _fill(goose, ONE, 50)
    goose.db.close()
    whole = goose.path.read_bytes()
    async with store.open_store(":memory:") as s:
        goose.path.write_bytes(whole[: int(len(whole) * share)])
        report = await _import(s, goose)
        assert report.skipped
        assert all(skip.path == str(goose.path) for skip in report.skipped)
        assert report.messages_added < 50
        goose.path.write_bytes(whole)
        await _import(s, goose)
        found = await s.find_session("goose", ONE)
        assert len(await s.get_history(found.task_id)) == 50


def test_what_is_around_a_damaged_page_is_read(goose: GooseDatabase) -> None:
    for session in (ONE, TWO, _THREE):
        _fill(goose, session, 60)
    goose.db.close()
    size = 4096
    raw = bytearray(goose.path.read_bytes())
    place = raw.find(f"{TWO} 30 ".encode()) // size * size
    raw[place : place + size] = b"\xff" * size
    goose.path.write_bytes(raw)
    shelf = Shelf()
    sessions = shelf.read_all(_GOOSE, goose.path)
    assert len(sessions[ONE].prompts) == len(sessions[_THREE].prompts) == 60
    words = [prompt.split(" x")[0] for prompt in sessions[TWO].prompts]
    assert words[:25] == [f"{TWO} {number}" for number in range(25)]
    assert words[-20:] == [f"{TWO} {number}" for number in range(40, 60)]
    assert len(words) < 60
    checkpoint = shelf.checkpoints[goose.path]
    assert checkpoint.skipped
    for skip in checkpoint.skipped:
        assert 60 < skip.line <= 120
        assert "malformed" in skip.reason


async def test_a_torn_log_gives_what_was_committed_before(
    goose: GooseDatabase, tmp_path: Path
) -> None:
    goose.session(ONE)
    goose.row(ONE, "user", text("before"))
    log = goose.path.with_name("sessions.db-wal")
    size = log.stat().st_size
    goose.row(ONE, "user", text("after " + "x" * 20_000))
    copy = GooseDatabase(tmp_path / "copy" / "goose" / "sessions" / "sessions.db")
    copy.db.close()
    torn = copy.path.with_name("sessions.db-wal")
    shutil.copy(goose.path, copy.path)
    torn.write_bytes(log.read_bytes()[: size + 9000])
    async with store.open_store(":memory:") as s:
        report = await _import(s, copy)
        assert (report.messages_added, report.skipped) == (1, [])
        torn.write_bytes(log.read_bytes())
        assert (await _import(s, copy)).messages_added == 1


async def test_a_session_without_messages_is_stored_and_hidden(goose: GooseDatabase) -> None:
    goose.session(ONE, "Nothing said")
    async with store.open_store(":memory:") as s:
        assert (await _import(s, goose)).sessions_added == 1
        assert (await s.list_tasks()).items == ()
        (row,) = (await s.list_tasks(store.TaskFilter(everything=True))).items
        assert row.task.title == "Nothing said"


async def test_messages_of_a_session_that_is_not_there_are_a_session(goose: GooseDatabase) -> None:
    goose.row(ONE, "user", text("lost"))
    async with store.open_store(":memory:") as s:
        report = await _import(s, goose)
        assert (report.sessions_added, report.records_imported) == (1, 1)
        goose.session(ONE, "Found again")
        goose.row(ONE, "user", text("and more"))
        assert (await _import(s, goose)).messages_added == 1
        (row,) = (await s.list_tasks()).items
        assert (row.task.title, row.task.message_count) == ("Found again", 2)


async def test_rows_that_cannot_be_understood_are_named_once(goose: GooseDatabase) -> None:
    goose.session(ONE)
    goose.row(ONE, "user", content_json=None)
    goose.row(ONE, "user", content_json="{torn")
    goose.row(None, "user", text("whose?"))
    goose.row("", "user", text("whose?"))
    blob = json.dumps([text("in bytes")]).encode()
    goose.row(ONE, "user", content_json=blob)
    async with store.open_store(":memory:") as s:
        for _ in range(3):
            report = await _import(s, goose)
            assert sorted((skip.line, skip.reason) for skip in report.skipped) == [
                (1, "message row 1: the content is not JSON"),
                (2, "message row 2: the content is not JSON"),
                (3, "message row 3 names no session"),
                (4, "message row 4 names no session"),
            ]
            assert (report.records_all, report.records_imported) == (5, 1)
            goose.db.execute("UPDATE sessions SET name = name || '!'")
        goose.db.execute("DELETE FROM messages WHERE id < 3")
        goose.row(ONE, "user", text("more"))
        report = await _import(s, goose)
        assert [skip.line for skip in report.skipped] == [3, 4]
        assert (report.records_all, report.records_imported) == (4, 2)


def test_a_pass_that_was_broken_off_is_done_again(goose: GooseDatabase) -> None:
    _fill(goose, ONE, 1200, size=10)
    _fill(goose, TWO, 5, size=10)
    (source,) = _GOOSE.find(goose.path)
    whole = Shelf()
    whole.read(_GOOSE, source)
    chunks = list(_GOOSE.read(source, None))
    assert len(chunks) > 3
    for chunk in chunks[:-1]:
        shelf = Shelf()
        shelf.checkpoints[source.path] = chunk.checkpoint
        last = shelf.read(_GOOSE, source)
        assert last == whole.checkpoints[source.path]
        assert shelf.sessions.keys() == whole.sessions.keys()
        assert len(shelf.sessions[ONE].prompts) == 1200


def test_many_sessions_do_not_make_every_step_dearer(goose: GooseDatabase) -> None:
    goose.db.execute("BEGIN")
    for number in range(300):
        goose.session(f"20261120_{number}")
        goose.row(f"20261120_{number}", "user", text("hi"), created_timestamp=START + number)
    goose.db.execute("COMMIT")
    (source,) = _GOOSE.find(goose.path)
    sizes = [len(json.dumps(chunk.checkpoint.state)) for chunk in _GOOSE.read(source, None)]
    assert len(sizes) == 301
    assert max(sizes[:-1]) < 100 < sizes[-1]
