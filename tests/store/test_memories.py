"""What was learnt: memories, the queue that makes them, and summaries."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest

from store import InvalidValue, NewMemory, NotFound, Store, open_store
from tests.store.helpers import new_task, run

TAKE = """
import asyncio, sys
from store import open_store
async def main():
    async with open_store(sys.argv[1]) as store:
        print([extraction.id for extraction in await store.pending_extractions(limit=5)])
asyncio.run(main())
"""


async def test_a_memory_outlives_its_task_and_says_where_it_came_from(store: Store) -> None:
    session = await store.create_session(
        "/src/uploader", "claude", session_id="s-1", title="Fix retry storm"
    )
    memory = await store.save_memory("Back off.", importance=0.9, task_id=session.task_id)
    await store.delete_task(session.task_id)
    kept = await store.get_memory(memory.id)
    assert kept == memory
    assert (kept.task_id, kept.task_title) == (session.task_id, "Fix retry storm")
    assert (kept.backend, kept.session_id) == ("claude", "s-1")
    assert kept.project_path == "/src/uploader"
    assert await store.list_memories(session.task_id) == [memory]


async def test_the_most_important_come_first_then_the_newest(store: Store) -> None:
    task_id = await new_task(store)
    for number, importance in enumerate((0.2, 0.9, 0.5, 0.9)):
        await store.save_memory(str(number), importance=importance, task_id=task_id)
    await store.save_memory("elsewhere", importance=1)
    assert [memory.text for memory in await store.list_memories(task_id)] == ["3", "1", "2", "0"]
    first = await store.list_memories(limit=2)
    assert [memory.text for memory in first] == ["elsewhere", "3"]
    assert await store.list_memories(limit=0) == []
    assert await store.list_memories("unknown") == []


async def test_a_memory_can_be_changed_and_deleted(store: Store) -> None:
    memory = await store.save_memory("Back of.", importance=0)
    changed = await store.update_memory(memory.id, text="Back off.", importance=1)
    assert (changed.text, changed.importance) == ("Back off.", 1)
    assert changed.created_at == memory.created_at
    with pytest.raises(InvalidValue, match="task_id"):
        await store.update_memory(memory.id, task_id="other")
    await store.delete_memory(memory.id)
    for call in (store.get_memory, store.update_memory, store.delete_memory):
        with pytest.raises(NotFound, match=memory.id):
            await call(memory.id)


@pytest.mark.parametrize("importance", [-0.1, 1.1, math.nan, math.inf])
async def test_importance_is_between_nothing_and_everything(
    store: Store, importance: float
) -> None:
    with pytest.raises(InvalidValue, match="importance"):
        await store.save_memory("x", importance=importance)


async def test_a_memory_of_an_unknown_task_is_refused(store: Store) -> None:
    with pytest.raises(NotFound, match="nobody"):
        await store.save_memory("x", importance=1, task_id="nobody")
    with pytest.raises(InvalidValue):
        await store.save_memory("", importance=1)


async def test_an_extraction_is_tried_three_times(store: Store) -> None:
    task_id = await new_task(store)
    queued = await store.queue_extraction(task_id)
    assert await store.queue_extraction(task_id) == queued
    for attempt in (1, 2, 3):
        (taken,) = await store.pending_extractions(limit=5)
        assert taken.id == queued.id
        assert await store.pending_extractions(limit=5) == []
        failed = await store.fail_extraction(taken.id, f"no model {attempt}")
        assert (failed.attempts, failed.error) == (attempt, f"no model {attempt}")
    assert await store.pending_extractions(limit=5) == []
    anew = await store.queue_extraction(task_id)
    assert (anew.attempts, anew.error) == (0, None)
    assert [one.id for one in await store.pending_extractions()] == [anew.id]


async def test_finishing_stores_what_was_learnt(store: Store) -> None:
    task_id = await new_task(store)
    await store.queue_extraction(task_id)
    (taken,) = await store.pending_extractions()
    learnt = [NewMemory(text="one", importance=0.1), NewMemory(text="two", importance=0.2)]
    memories = await store.finish_extraction(taken.id, learnt)
    assert [memory.text for memory in memories] == ["one", "two"]
    assert {memory.task_id for memory in memories} == {task_id}
    for call in (
        store.finish_extraction(taken.id, []),
        store.fail_extraction(taken.id, "late"),
        store.queue_extraction("nobody"),
    ):
        with pytest.raises(NotFound):
            await call


async def test_the_oldest_is_taken_first_and_by_one_worker_only(store: Store) -> None:
    tasks = [await new_task(store, f"task-{number}") for number in range(20)]
    for task_id in tasks:
        await store.queue_extraction(task_id)
    taken = await asyncio.gather(*(store.pending_extractions(limit=3) for _ in range(8)))
    ids = [extraction.task_id for some in taken for extraction in some]
    assert sorted(ids) == sorted(tasks)
    assert [extraction.task_id for extraction in taken[0]] == tasks[:3]


async def test_what_a_dead_worker_held_is_free_again(database: Path) -> None:
    async with open_store(database) as store:
        queued = await store.queue_extraction(await new_task(store))
        assert queued.id in run(TAKE, database)
        (taken,) = await store.pending_extractions()
        assert (taken.id, taken.attempts) == (queued.id, 0)
        assert run(TAKE, database).strip() == "[]"  # this process lives


async def test_deleting_a_task_takes_its_extraction_along(store: Store) -> None:
    task_id = await new_task(store)
    await store.queue_extraction(task_id)
    await store.delete_task(task_id)
    assert await store.pending_extractions() == []


async def test_a_summary_stands_for_a_history_up_to_a_message(store: Store) -> None:
    session = await store.create_session("/src", "goose")
    task_id = session.task_id
    for word in ("one", "two", "three"):
        await store.save_message(task_id, "user", word)
    await store.save_summary(task_id, "all three", up_to=3)
    await store.save_summary(task_id, "the first", up_to=1)
    summaries = await store.get_summaries(task_id)
    assert [(summary.text, summary.up_to) for summary in summaries] == [
        ("the first", 1),
        ("all three", 3),
    ]
    for place in (0, 4):
        with pytest.raises(NotFound, match=str(place)):
            await store.save_summary(task_id, "of nothing", up_to=place)
    with pytest.raises(NotFound, match="nobody"):
        await store.get_summaries("nobody")
    await store.delete_session(task_id)
    assert await store.get_summaries(task_id) == []
