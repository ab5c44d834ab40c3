"""Goose's database in the shapes that its versions gave it."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import store
from store import agents, ingest
from store.models import Kind, Origin, Role, TitleFrom
from tests.agents.goose_records import (
    ONE,
    START,
    TWO,
    GooseDatabase,
    beginning,
    line,
    request,
    response,
    text,
)
from tests.agents.reading import Kept, Shelf, write

_GOOSE = agents.load("goose")
_THREE = "20261120_3"
_VERSIONS = [1, 3, 7, 10, 13, 15, 17]


def _made(tmp_path: Path, version: int) -> GooseDatabase:
    return GooseDatabase(tmp_path / "goose" / "sessions" / "sessions.db", version)


def _read(database: GooseDatabase) -> dict[str, Kept]:
    return Shelf().read_all(_GOOSE, database.path)


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_title_is_where_the_version_has_it(tmp_path: Path, version: int) -> None:
    database = _made(tmp_path, version)
    titles = ["Named", "CLI Session", ""] if version >= 4 else ["Named", ""]
    with closing(database.db):
        for number, title in enumerate(titles):
            database.session(f"20261120_{number}", title, description=title if version < 4 else "")
            database.row(f"20261120_{number}", "user", text("what I asked"))
        named, *others = (kept.facts for _, kept in sorted(_read(database).items()))
    assert (named.title, named.title_from) == ("Named", TitleFrom.AGENT)
    for facts in others:
        assert (facts.title, facts.title_from) == ("what I asked", TitleFrom.PROMPT)


def test_a_name_that_a_person_gave_is_kept_whatever_it_is(tmp_path: Path) -> None:
    database = _made(tmp_path, 13)
    with closing(database.db):
        database.session(ONE, "New Chat", user_set_name=True)
        assert _read(database)[ONE].facts.title == "New Chat"


@pytest.mark.parametrize("version", _VERSIONS)
def test_the_mode_model_archive_and_schedule(tmp_path: Path, version: int) -> None:
    database = _made(tmp_path, version)
    with closing(database.db):
        database.session(ONE, archived_at="2026-11-21 00:00:00", goose_mode="approve")
        database.session(TWO, schedule_id="nightly")
        database.session(_THREE, kind="hidden")
        sessions = _read(database)
    facts = sessions[ONE].facts
    assert facts.model == ("gpt" if version >= 6 else None)
    assert facts.permission_mode == ("approve" if version >= 8 else None)
    assert facts.archived is (version >= 12)
    assert facts.origin is Origin.PERSON
    assert sessions[TWO].facts.origin is Origin.AUTOMATED
    assert (sessions[_THREE].facts.origin is Origin.AUTOMATED) is (version >= 5)


@pytest.mark.parametrize("version", [7, 13, 15, 17])
def test_a_fork_from_the_version_on_that_has_ids(tmp_path: Path, version: int) -> None:
    database = _made(tmp_path, version)
    with closing(database.db):
        for session in (ONE, TWO):
            database.session(session)
            for number, role in enumerate(("user", "assistant")):
                copied = {"message_id": f"m{number}", "created_timestamp": START + number}
                database.row(session, role, text("shared"), **copied)
        database.row(TWO, "user", text("own"))
        sessions = _read(database)
    assert sessions[TWO].facts.fork_session_id == ONE
    assert sessions[TWO].facts.parent_session_id is None
    assert [m.inherited for m in sessions[TWO].messages.values()] == [True, True, False]
    assert not any(m.inherited for m in sessions[ONE].messages.values())


@pytest.mark.parametrize("version", [13, 15, 17])
async def test_a_subagent_hangs_under_its_parent(tmp_path: Path, version: int) -> None:
    database = _made(tmp_path, version)
    with closing(database.db):
        database.session(ONE)
        database.session(TWO, kind="sub_agent", parent_session_id=ONE)
        database.row(TWO, "user", text("do a part"))
        value: dict[str, Any] = {"content": [text("done")]}
        if version < 15:
            value["_meta"] = {"subagent_session_id": TWO}
        database.row(ONE, "user", response("c1", value))
        async with store.open_store(":memory:") as s:
            await ingest.run(s, only=["goose"], paths=[database.path])
            parent = await s.find_session("goose", ONE, namespace=str(database.path.parent))
            child = await s.find_session("goose", TWO, namespace=str(database.path.parent))
            task = await s.get_task(child.task_id)
    assert task.parent_task_id == parent.task_id
    assert task.origin is Origin.SUBAGENT


def test_an_update_that_gives_ids_adds_nothing(tmp_path: Path) -> None:
    database = _made(tmp_path, 6)
    shelf = Shelf()
    with closing(database.db):
        database.session(ONE)
        for words in ("one", "two"):
            database.row(ONE, "user", text(words))
        shelf.read_all(_GOOSE, tmp_path)
        database.db.execute("ALTER TABLE messages ADD COLUMN message_id TEXT")
        database.db.execute("UPDATE messages SET message_id = 'msg_' || session_id || '_' || id")
        database.write_anew(ONE)
        database.row(ONE, "user", text("three"))
        assert shelf.read_all(_GOOSE, tmp_path)[ONE].prompts == ["one", "two", "three"]


def test_what_is_hidden_from_a_person_and_from_the_model(tmp_path: Path) -> None:
    database = _made(tmp_path, 13)
    with closing(database.db):
        database.session(ONE)
        away = '{"userVisible":true,"agentVisible":false}'
        hidden = '{"userVisible":false,"agentVisible":true}'
        database.row(ONE, "user", text("compacted away"), metadata_json=away)
        database.row(ONE, "user", text("stands for it"), metadata_json=hidden)
        kept = _read(database)[ONE]
    assert kept.prompts == ["compacted away"]
    assert [(m.role, m.kind) for m in kept.messages.values()][1] == (Role.SYSTEM, Kind.SUMMARY)


def test_what_is_not_known_is_kept_as_it_is(tmp_path: Path) -> None:
    database = _made(tmp_path, 17)
    with closing(database.db):
        database.session(ONE)
        confirm = {"type": "toolConfirmationRequest", "id": "c1", "toolName": "shell"}
        novel = {"type": "hologram", "depth": {"z": 3}}
        note = {"type": "contextLengthExceeded", "msg": "too long"}
        secret = {"type": "redactedThinking", "data": "AAAA"}
        database.row(ONE, "assistant", text("hm"), novel, confirm, note, secret, {}, None, 5)
        kept = _read(database)[ONE]
    assert [(m.role, m.content) for m in kept.messages.values()] == [
        (Role.ASSISTANT, "hm"),
        (Role.SYSTEM, '{"type":"hologram","depth":{"z":3}}'),
        (Role.SYSTEM, '{"type":"toolConfirmationRequest","id":"c1","toolName":"shell"}'),
        (Role.SYSTEM, "too long"),
        (Role.SYSTEM, "5"),
    ]


async def test_rows_of_one_second_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    database = _made(tmp_path, 13)
    with closing(database.db):
        for session in (ONE, TWO):
            database.session(session)
        for number in range(20):  # the rows of two sessions interleave
            for session in (ONE, TWO):
                second = START + number // 10
                database.row(session, "user", text(f"{number}"), created_timestamp=second)
        database.row(ONE, "user", text("earlier"), created_timestamp=START - 5)
        async with store.open_store(":memory:") as s:
            await ingest.run(s, only=["goose"], paths=[database.path])
            found = await s.find_session("goose", ONE, namespace=str(database.path.parent))
            words = [m.content for m in await s.get_history(found.task_id)]
    assert words == ["earlier", *map(str, range(20))]


def test_the_same_said_again_in_its_second_is_a_message_of_its_own(tmp_path: Path) -> None:
    database = _made(tmp_path, 13)
    shelf = Shelf()
    with closing(database.db):
        database.session(ONE)
        for count in (1, 2, 3):
            database.row(ONE, "user", text("go on"), created_timestamp=START)
            assert len(shelf.read_all(_GOOSE, tmp_path)[ONE].prompts) == count
        database.write_anew(ONE)
        database.row(ONE, "user", text("go on"), created_timestamp=START)
        assert len(shelf.read_all(_GOOSE, tmp_path)[ONE].prompts) == 4


def test_what_was_taken_back_and_said_again_later_is_new(tmp_path: Path) -> None:
    database = _made(tmp_path, 13)
    shelf = Shelf()
    with closing(database.db):
        database.session(ONE)
        for count in (1, 2):
            database.row(ONE, "user", text("go on"))
            assert len(shelf.read_all(_GOOSE, tmp_path)[ONE].prompts) == count
            database.db.execute("DELETE FROM messages")


def test_a_call_that_goose_wrote_more_into_is_the_same_call(tmp_path: Path) -> None:
    database = _made(tmp_path, 13)
    shelf = Shelf()
    with closing(database.db):
        database.session(ONE)
        database.row(ONE, "assistant", request("c1", command="ls"))
        shelf.read_all(_GOOSE, tmp_path)
        content = json.dumps([request("c1", command="ls") | {"_meta": {"title": "List"}}])
        database.write_anew(ONE, content_json=content)
        assert len(shelf.read_all(_GOOSE, tmp_path)[ONE].calls) == 1


@pytest.mark.parametrize("name", ["sessions.db", "backup.db", "goose.sqlite", "sessions.db.bak"])
def test_a_database_of_any_name_is_read_when_it_is_named(tmp_path: Path, name: str) -> None:
    database = GooseDatabase(tmp_path / "kept" / name)
    with closing(database.db):
        database.session(ONE)
        (source,) = _GOOSE.find(database.path)
        assert list(Shelf().read_all(_GOOSE, source.path)) == [ONE]
        assert len(list(_GOOSE.find(tmp_path))) == (name == "sessions.db")


def test_sessions_are_found_where_the_environment_says(tmp_path: Path) -> None:
    home, given, data = (tmp_path / name for name in ("home", "given", "data"))
    at_home = {"HOME": str(home)}
    places = [
        (home / ".local/share/goose/sessions", at_home),
        (data / "goose/sessions", at_home | {"XDG_DATA_HOME": str(data)}),
        (
            given / "data/sessions",
            at_home | {"GOOSE_PATH_ROOT": str(given), "XDG_DATA_HOME": str(data)},
        ),
    ]
    for number, (folder, _) in enumerate(places):
        GooseDatabase(folder / "sessions.db").db.close()
        write(folder / f"old{number}.jsonl", [beginning(), line(1, "user", text("hi"))])
    for number, (folder, env) in enumerate(places):
        (root,) = _GOOSE.roots(env)
        found = {source.path for source in _GOOSE.find(root)}
        assert found == {folder / "sessions.db", folder / f"old{number}.jsonl"}
    assert _GOOSE.roots(at_home | {"XDG_DATA_HOME": "relative"}) == [places[0][0]]
