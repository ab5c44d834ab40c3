"""Prompts that only `history.jsonl` has, because Claude Code deleted the transcripts."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from store import Store, TaskFilter, agents, ingest, open_store
from store.errors import ResumeError
from store.ingest import Report
from tests.agents.claude_records import CLAUDE, ID, OTHER, assistant, home, text, user
from tests.agents.reading import Shelf, write
from tests.store.helpers import texts

SRC = "/home/ann/src"
TEN = 1795168800000  # 2026-11-20 10:00, the hour of the records that the other stories use


def typed(display: Any, minute: int = 0, session: str | None = ID, **more: Any) -> dict[str, Any]:
    record = {"display": display, "pastedContents": {}, "timestamp": TEN + minute * 60_000}
    return record | {"project": SRC} | ({"sessionId": session} if session else {}) | more


def history(folder: Path, *records: Any, append: bool = False) -> Path:
    return write(folder / "history.jsonl", records, append=append)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(tmp_path / "backscroll.db") as opened:
        yield opened


async def take_in(store: Store, folder: Path) -> Report:
    return await ingest.run(store, only=["claude"], env={"CLAUDE_CONFIG_DIR": str(folder)})


def test_what_was_typed_in_lost_sessions(tmp_path: Path) -> None:
    home(tmp_path, [user("a", None, "still here")], OTHER)
    history(
        tmp_path,
        typed("why does\nit fail?"),
        typed("still here", 1, OTHER),
        typed("/exit", 2),
        typed("/fix it now", 2),
        typed("!ls", 2),
        typed("/home/ann is full", 3, project="/elsewhere"),
        {"anything": "else"},
    )
    shelf = Shelf()
    sessions = shelf.read_all(CLAUDE, tmp_path)
    assert set(sessions) == {ID, OTHER}
    lost = sessions[ID]
    assert lost.facts.is_remnant
    assert sessions[OTHER].prompts == ["still here"]
    assert lost.prompts == ["why does\nit fail?", "/home/ann is full"]
    assert (lost.facts.title, lost.facts.project_path) == ("why does it fail?", SRC)
    assert lost.facts.started_at == datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
    checkpoint = shelf.checkpoints[tmp_path / "history.jsonl"]
    assert (checkpoint.records, checkpoint.skipped, checkpoint.finished) == (7, (), True)


def test_what_was_pasted_is_put_where_it_was(tmp_path: Path) -> None:
    pasted = {
        "1": {"id": 1, "type": "text", "content": "one\ntwo"},
        "2": {"id": 2, "type": "text", "contentHash": "abc"},
        "3": {"id": 3, "type": "image", "content": "QUJD"},
    }
    display = "see [Pasted text #1 +2 lines], [Pasted text #2 +9 lines] and [Image #3]"
    history(tmp_path, typed(display, pastedContents=pasted))
    (kept,) = Shelf().read_all(CLAUDE, tmp_path).values()
    assert kept.prompts == ["see one\ntwo, [Pasted text #2 +9 lines] and [Image #3]"]


def test_older_lines_do_not_name_their_session(tmp_path: Path) -> None:
    path = home(tmp_path, [user("a", None, "still here")])
    os.utime(path, (TEN / 1000 + 600, TEN / 1000 + 600))
    history(
        tmp_path,
        typed("the day before", -1440, None),
        typed("the same day", -1430, None),
        typed("still here", 0, None),
        typed("meanwhile elsewhere", 1, None, project="/elsewhere"),
        typed("after that", 60, None),
    )
    sessions = Shelf().read_all(CLAUDE, tmp_path)
    del sessions[ID]
    assert [kept.prompts for kept in sessions.values()] == [
        ["the day before", "the same day"],
        ["meanwhile elsewhere"],
        ["after that"],
    ]


@pytest.mark.parametrize("odd", [None, 5, True, "x", [], {}, [[]], {"1": 5}, 1e400])
def test_no_field_of_a_history_has_to_be_what_it_should_be(tmp_path: Path, odd: Any) -> None:
    records = [typed("fine") | {name: odd} for name in typed("fine")]
    path = history(tmp_path, typed("fine"), *records, "[]", '{"display": "torn')
    os.truncate(path, path.stat().st_size - 1)
    shelf = Shelf()
    assert shelf.read_all(CLAUDE, tmp_path)[ID].prompts[0] == "fine"
    (checkpoint,) = shelf.checkpoints.values()
    assert [skip.line for skip in checkpoint.skipped] == [7]
    assert (checkpoint.records, checkpoint.pending) == (7, 8)


def test_only_the_history_of_claude_code_is_found(tmp_path: Path) -> None:
    write(tmp_path / "codex" / "history.jsonl", [{"session_id": ID, "ts": 5, "text": "no"}])
    ours = history(tmp_path / "claude", typed("one"))
    for root in (tmp_path, tmp_path / "claude", ours):
        (source,) = CLAUDE.find(root)
        assert (source.path, source.root) == (ours, ours.parent)
    home(tmp_path / "claude", [user("a", None, "one")])
    assert len(list(CLAUDE.find(tmp_path / "claude"))) == 2
    assert len(list(CLAUDE.find(tmp_path))) == 2
    assert not list(agents.load("codex").find(ours))


def test_a_long_history_comes_in_chunks_and_can_be_gone_on_with(tmp_path: Path) -> None:
    records = [typed(f"prompt {n}", n, f"{n % 7}{ID[1:]}") for n in range(1200)]
    path = history(tmp_path, *records[:1100])
    (source,) = CLAUDE.find(tmp_path)
    whole = list(CLAUDE.read(source, None))
    assert max(len(chunk.messages) for chunk in whole) <= 500
    closed = [n for n, chunk in enumerate(whole) if chunk.session is None]
    assert len(closed) == 3
    for cut in (closed[0], closed[0] + 3):
        after = list(CLAUDE.read(source, whole[cut].checkpoint))
        keys = {m.key for chunk in [*whole[: cut + 1], *after] for m in chunk.messages}
        assert len(keys) == 1100
        assert after[-1].checkpoint == whole[-1].checkpoint
        assert sum(len(chunk.messages) for chunk in after) == 600
    shelf = Shelf()
    shelf.read_all(CLAUDE, tmp_path)
    write(path, records[1100:], append=True)
    (grown,) = CLAUDE.find(tmp_path)
    shelf.read(CLAUDE, grown)
    assert shelf.messages_given == 100


async def test_a_lost_session_is_listed_as_gone(store: Store, tmp_path: Path) -> None:
    path = history(tmp_path / ".claude", typed("why?"), typed("and how?", 1), typed("x", 2, OTHER))
    report = await take_in(store, tmp_path / ".claude")
    assert (report.sessions_added, report.messages_added, report.records_all) == (2, 3, 3)
    session = await store.find_session("claude", ID)
    assert session.source_gone_at is not None
    assert (session.project_path, session.message_count) == (SRC, 2)
    task = await store.get_task(session.task_id)
    assert (task.title, task.prompt_count) == ("why?", 2)

    report = await take_in(store, tmp_path / ".claude")
    assert (report.sources_unchanged, report.sessions_unchanged, report.messages_added) == (1, 2, 0)
    write(path, [typed("again", 3)], append=True)
    report = await take_in(store, tmp_path / ".claude")
    assert (report.sessions_updated, report.sessions_unchanged, report.messages_added) == (1, 1, 1)
    assert texts(await store.get_history(session.task_id)) == ["why?", "and how?", "again"]
    assert (await store.get_task(session.task_id)).title == "why?"
    assert (await store.find_session("claude", ID)).source_gone_at is not None


async def test_a_transcript_that_turns_up_replaces_what_was_left(
    store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / ".claude"
    path = history(folder, typed("why?"), typed("and how?", 1))
    await take_in(store, folder)
    task_id = (await store.find_session("claude", ID)).task_id
    await store.tag(task_id, "kept")
    transcript = home(
        folder,
        [user("a", None, "why?"), assistant("b", "a", text("So.")), user("c", "b", "and how?")],
    )
    write(path, [typed("and how?", 2)], append=True)
    await take_in(store, folder)
    session = await store.find_session("claude", ID)
    assert session.task_id == task_id
    assert (session.source_gone_at, session.source_path) == (None, str(transcript))
    assert sorted(texts(await store.get_history(task_id))) == ["So.", "and how?", "why?"]
    task = await store.get_task(task_id)
    assert (task.message_count, task.prompt_count, task.tags) == (3, 2, ("kept",))

    transcript.unlink()  # what was imported is more than what the history has
    write(path, [typed("one more", 9)], append=True)
    await take_in(store, folder)
    session = await store.find_session("claude", ID)
    assert (session.source_gone_at is None, session.source_path) == (False, str(transcript))
    assert len(await store.get_history(task_id)) == 3
    (row,) = (await store.list_tasks(TaskFilter())).items
    assert row.task.id == task_id


async def test_what_is_left_of_a_session_cannot_be_resumed(store: Store, tmp_path: Path) -> None:
    history(tmp_path, typed("why?"), typed("and before?", -9000, None))
    await take_in(store, tmp_path)
    rows = (await store.list_tasks(TaskFilter())).items
    assert [row.task.title for row in rows] == ["why?", "and before?"]
    for row in rows:
        assert row.session is not None
        with pytest.raises(ResumeError, match="only its prompts are left"):
            CLAUDE.resume(row.session, fork=False, env={})
