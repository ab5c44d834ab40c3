"""The demo: a store that looks lived in, the same every time."""

from __future__ import annotations

import json
from typing import Any

import pytest

from store import Kind, Origin, Store, TaskFilter, open_store
from store.demo import fill, session_id, task_id
from tests.store.helpers import NOON

ALL = TaskFilter(everything=True, archived=None)


async def _everything() -> list[dict[str, Any]]:
    async with open_store(":memory:") as store:
        await fill(store, NOON)
        ids = await store.list_task_ids(ALL)
        kept: list[dict[str, Any]] = []
        for row in await store.get_rows(ids):
            task = row.task.model_dump(exclude={"updated_at"})
            session = row.session.model_dump(exclude={"updated_at"}) if row.session else None
            history = await store.get_history(row.task.id)
            needed = [other.id for other in await store.dependencies(row.task.id)]
            kept.append({"task": task, "session": session, "history": history, "needs": needed})
        return kept


async def test_the_demo_is_the_same_every_time() -> None:
    assert await _everything() == await _everything()


async def test_the_demo_has_something_of_everything(store: Store) -> None:
    await fill(store, NOON)
    rows = (await store.list_tasks(ALL)).items
    by_id = {row.task.id: row for row in rows}
    assert len(rows) == 15
    assert {row.session.backend for row in rows if row.session} == {"claude", "codex", "goose"}
    assert len({row.task.project_path for row in rows}) == 4
    assert {row.task.status for row in rows} >= {"open", "running", "done", "failed", "cancelled"}
    assert {row.task.origin for row in rows} == set(Origin)
    assert [row.task.title for row in rows if row.task.archived_at] == [
        "Rename everything to snake_case"
    ]
    assert [row.task.title for row in rows if row.session and row.session.source_gone_at] == [
        "Untangle the config loader"
    ]
    assert rows[0].task.id == task_id("storm")
    assert rows[0].children == 2
    assert by_id[task_id("ship")].session is None
    assert len(await store.dependencies(task_id("ship"))) == 3
    for row in rows:
        assert row.active_at <= NOON
        assert row.task.created_at is not None
        assert row.task.created_at <= row.active_at


async def test_the_demo_s_conversations_are_hard_on_a_screen(store: Store) -> None:
    await fill(store, NOON)

    async def history(name: str) -> list[Any]:
        return await store.get_history(task_id(name))

    assert len(await history("storm")) >= 80
    assert any(message.kind is Kind.SUMMARY for message in await history("resume"))
    assert [m.on_branch for m in await history("resume")].count(False) == 4
    fork, origin = await history("fork"), await history("schema")
    inherited = [message for message in fork if message.inherited]
    assert [m.content for m in inherited] == [m.content for m in origin]
    assert fork[: len(inherited)] == inherited
    assert len(fork) > len(inherited)
    assert max(message.content.count("\n") for message in await history("slow")) == 399
    hostile = "".join(message.content for message in await history("hostile"))
    for trick in ("\x1b[31m", "[/b]", "[@click=app.bell]x[/]", "\u202e", "\0", "\x9b"):
        assert trick in hostile


async def test_the_demo_s_tool_calls_are_json_and_have_their_results(store: Store) -> None:
    await fill(store, NOON)
    failed = 0
    for task in await store.list_task_ids(ALL):
        open_calls: set[str | None] = set()
        for message in await store.get_history(task):
            if message.kind is Kind.TOOL_CALL:
                assert isinstance(json.loads(message.content), dict)
                open_calls.add(message.tool_call_id)
            elif message.kind is Kind.TOOL_RESULT:
                open_calls.remove(message.tool_call_id)
                failed += message.is_error
        assert open_calls == set()
    assert failed >= 3


@pytest.mark.parametrize("name", ["storm", "notes"])
async def test_the_demo_s_sessions_are_found_by_their_ids(store: Store, name: str) -> None:
    await fill(store)
    assert await store.resolve(session_id(name)) == task_id(name)
