"""A damaged store is kept aside, and what can be read of it goes on."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import store as library
from store import InvalidValue, open_store
from tests.store.helpers import said

PAGE = 4096


async def filled(database: Path, tasks: int = 12, messages: int = 60) -> dict[str, list[str]]:
    """Fill a store; give the texts of each task's history."""
    texts: dict[str, list[str]] = {}
    async with open_store(database) as store:
        for number in range(tasks):
            session = await store.create_session("/src", "claude", title=f"Task {number}")
            texts[session.task_id] = [f"{number}/{place} " + "x" * 300 for place in range(messages)]
            await store.save_messages(
                session.task_id, [said(text) for text in texts[session.task_id]]
            )
            await store.tag(session.task_id, "kept")
        await store.save_memory("learnt", importance=1)
        ids = list(texts)
        await store.add_dependency(ids[0], ids[1])
    return texts


def pages_of(database: Path, table: str) -> list[int]:
    """Give the leaf pages of a table, where there is a way to know; else none."""
    with closing(sqlite3.connect(database)) as db:
        try:
            rows = db.execute(
                "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,)
            ).fetchall()
        except sqlite3.OperationalError:
            pytest.skip("this SQLite cannot tell which page is whose")
    return [page for (page,) in rows]


def damage(database: Path, page: int) -> None:
    noise = random.Random(page).randbytes(PAGE)
    with database.open("r+b") as file:
        file.seek((page - 1) * PAGE)
        file.write(noise)


@pytest.mark.parametrize("table", ["message", "task", "session", "message_order", "tag"])
async def test_all_but_a_damaged_page_is_recovered(database: Path, table: str) -> None:
    texts = await filled(database)
    pages = pages_of(database, table)
    damage(database, pages[len(pages) // 2])
    before = database.read_bytes()

    recovery = await library.recover(database)

    assert Path(recovery.kept).read_bytes() == before
    async with open_store(database) as store:
        problems = (await store.integrity()).problems
        # Messages that are lost leave their numbers unused: the history says that it has a hole.
        assert all("lacks" in problem for problem in problems)
        assert bool(problems) == (table == "message")
        found: list[str] = []
        for task_id in await store.list_task_ids(library.TaskFilter(everything=True)):
            history = [message.content for message in await store.get_history(task_id)]
            assert (await store.get_task(task_id)).message_count == len(history)
            found += history
        told = {text for history in texts.values() for text in history}
        assert set(found) <= told
        lost = PAGE // 300 + 2 if table == "message" else 0
        assert len(found) >= len(told) - lost
        assert len(await store.list_memories()) == 1
        await store.save_task(library.Task(title="it goes on"))


async def test_recovering_a_whole_store_loses_nothing(database: Path) -> None:
    texts = await filled(database, tasks=3, messages=5)
    async with open_store(database) as store:
        before = [await store.get_task(task_id) for task_id in texts]
        needs = await store.dependencies(next(iter(texts)))
    await library.recover(database)
    async with open_store(database) as store:
        after = [await store.get_task(task_id) for task_id in texts]
        assert [task.model_dump() for task in after] == [task.model_dump() for task in before]
        assert await store.dependencies(next(iter(texts))) == needs
        assert (await store.integrity()).is_whole


async def test_what_is_no_database_any_more_is_kept_and_begun_anew(database: Path) -> None:
    await filled(database, tasks=2, messages=2)
    damage(database, 1)
    before = database.read_bytes()
    recovery = await library.recover(database)
    assert Path(recovery.kept).read_bytes() == before
    assert sum(recovery.rows.values()) == 0
    async with open_store(database) as store:
        assert await store.list_task_ids() == []


async def test_memory_cannot_be_recovered() -> None:
    with pytest.raises(InvalidValue):
        await library.recover(":memory:")
