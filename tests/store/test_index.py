"""The index of the full text has what the store has, whatever happens to either."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import store as library
from store import Kind, NewMessage, Role, Store, StoreError, Task, open_store
from store.ingest import index as index_all
from store.sources import Checkpoint, Chunk, Fingerprint, SessionFacts, Source
from store.sqlite import candidates, catching_up, engine, index, migrate, search
from store.sqlite.engine import SqliteStore
from store.words import EDITION
from tests.store.helpers import at, new_task, run, said

FEW = 8  # here; a test with fewer messages is a quick one
MANY = 40


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let so few wait, and search through no more."""
    monkeypatch.setattr(index, "FEW", FEW)
    monkeypatch.setattr(candidates, "MOST_WAITING", (FEW, FEW))
    monkeypatch.setattr(search, "MOST_WAITING", (FEW, FEW))
    monkeypatch.setattr(engine, "_MOST_WAITING", FEW // 4)


def output(text: str, minutes: float = 0) -> NewMessage:
    return said(text, at(minutes), role=Role.TOOL, kind=Kind.TOOL_RESULT)


def chunk(*messages: NewMessage, session: str = "s-1", **facts: object) -> Chunk:
    source = Source(
        "claude", Path("/root"), Path(f"/root/{session}.jsonl"), Fingerprint(1, 1, 1, 1)
    )
    known = SessionFacts(session_id=session, **facts)  # type: ignore[arg-type]
    return Chunk(source, known, messages, Checkpoint(source.fingerprint))


async def total(store: Store, query: str) -> int:
    return (await store.search(query)).total


async def whole(store: Store) -> None:
    assert (await store.integrity()).problems == ()


def rows(database: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as db:
        return db.execute(sql).fetchall()


def change(database: Path, sql: str) -> None:
    with closing(sqlite3.connect(database)) as db, db:
        db.execute(sql)


async def test_a_message_is_found_from_the_moment_it_is_stored(store: Store) -> None:
    task = await new_task(store)
    for number in range(MANY):
        await store.save_message(task, "user", f"storm number{number}")
        assert await total(store, f"number{number}") == 1
    assert await total(store, "storm") == MANY
    await store.save_messages(task, [said(f"rain drop{n}") for n in range(MANY)])
    assert await total(store, "rain") == MANY
    await store.save_messages(task, [output(f"hail stone{n}", n) for n in range(MANY)])
    assert await total(store, "hail in:all") == MANY
    assert (await store.search("hail")).unindexed == 0
    await whole(store)


async def test_many_writers_and_what_they_wrote(store: Store) -> None:
    tasks = [await new_task(store) for _ in range(4)]

    async def write(task: str) -> None:
        for _ in range(40):
            await store.save_message(task, "user", "storm")

    await asyncio.gather(*map(write, tasks))
    assert await total(store, "storm") == 160
    await whole(store)


async def test_the_output_of_tools_follows_behind_an_import(store: Store) -> None:
    outputs = [output(f"hail {n}", n) for n in range(MANY)]
    await store.record([chunk(said("storm", at(0)), *outputs)])
    assert await total(store, "storm") == 1
    hits = await store.search("hail")
    assert hits.unindexed == MANY - FEW
    assert hits.more_in_tools == FEW
    await whole(store)
    await index_all(store, None)
    hits = await store.search("hail")
    assert (hits.unindexed, hits.more_in_tools) == (0, MANY)
    await whole(store)


async def test_output_is_found_while_an_index_is_made_anew(store: Store) -> None:
    await store.record([chunk(said("hail", at(0)), *(output("hail", n) for n in range(FEW - 1)))])
    await index_all(store, None)
    await store.rebuild_index()
    hits = await store.search("hail")
    assert (hits.total, hits.more_in_tools, hits.unindexed) == (1, FEW - 1, 0)
    assert await total(store, "hail in:all") == FEW


async def test_an_import_that_ended_early_is_made_up_for(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(database) as store:
        await store.record([chunk(*(output("hail", n) for n in range(MANY)))])
    monkeypatch.setattr(catching_up, "_FIRST", 0)
    async with open_store(database) as store:
        for _ in range(1000):
            if (await store.search("hail")).unindexed == 0:
                break
            await asyncio.sleep(0.01)
        assert await total(store, "hail in:all") == MANY
        await whole(store)


KILLED = """
    import asyncio, os, sys
    from store import open_store
    from tests.store.test_index import MANY, chunk, output
    from tests.store.helpers import said

    async def main():
        async with open_store(sys.argv[1]) as store:
            for n in range(100):
                texts = [said("storm"), *(output("hail") for _ in range(MANY))]
                await store.record([chunk(*texts, session=f"s-{n}")])
                if n == int(sys.argv[2]):
                    os._exit(0)

    asyncio.run(main())
"""


@pytest.mark.parametrize("number", [0, 3])
async def test_killed_in_the_middle_of_an_import(database: Path, number: int) -> None:
    run(KILLED, database, number)
    async with open_store(database) as store:
        assert await total(store, "storm") == number + 1
        await whole(store)
        await index_all(store, None)
        assert (await store.search("hail")).more_in_tools == (number + 1) * MANY
        await whole(store)


@pytest.mark.parametrize("count", [3, MANY])
@pytest.mark.parametrize("way", ["task", "session"])
async def test_what_is_deleted_leaves_the_index(database: Path, way: str, count: int) -> None:
    async with open_store(database) as store:
        kept = await store.create_session("/src", "claude")
        gone = await store.create_session("/src", "claude", title="topsecrettitle")
        for session in (kept, gone):
            word = "public" if session is kept else "topsecret"
            texts = [said(f"{word} storm {n}") for n in range(count)]
            await store.save_messages(session.task_id, [*texts, output(f"{word}output")])
        await index_all(store, None)
        if way == "task":
            await store.delete_task(gone.task_id)
        else:
            await store.delete_session(gone.task_id)
            await store.update_task(gone.task_id, title="")
        await index_all(store, None)
        assert await total(store, "topsecret*") == 0
        assert (await store.search("topsecret*")).tasks == ()
        assert await total(store, "storm") == count
        await whole(store)
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for table in ("search_prose_data", "search_output_data", "search_task_data"):
        for (block,) in rows(database, f"SELECT block FROM {table}"):
            assert isinstance(block, bytes)
            assert b"topsec" not in block
    assert rows(database, "SELECT count(*) FROM search_removed") == [(0,)]


async def test_what_is_deleted_while_the_index_is_large(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "_SMALL", 2)
    monkeypatch.setattr(index, "_PAGES_AT_ONCE", 1)
    tasks = [await new_task(store) for _ in range(6)]
    for task in tasks:
        await store.save_messages(task, [said(f"storm {task} {n}") for n in range(MANY)])
    await store.delete_task(tasks[0])
    assert await total(store, "storm") == 5 * MANY
    assert isinstance(store, SqliteStore)
    while await store._catch_up():
        pass
    assert await total(store, tasks[0]) == 0
    await whole(store)


async def test_a_place_is_free_once_its_words_are_gone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits to be taken out must not take the words of another message with it."""
    task = await new_task(store)
    await store.save_messages(task, [said(f"storm {n}", at(n)) for n in range(MANY)])
    with monkeypatch.context() as patch:
        patch.setattr(index, "_take_out", lambda db: None)
        await store.delete_task(task)
        other = await new_task(store)
        await store.save_messages(other, [said(f"storm {n}", at(n)) for n in range(MANY)])
    assert await total(store, "storm") == MANY
    await index_all(store, None)
    assert await total(store, "storm") == MANY
    await whole(store)


async def test_a_remnant_makes_way_for_the_session_itself(store: Store) -> None:
    remnant = [said(f"storm {n}", at(n), key=str(n)) for n in range(MANY)]
    await store.record([chunk(*remnant, is_remnant=True)])
    await index_all(store, None)
    assert await total(store, "storm") == MANY
    await store.record([chunk(said("storm and calm", at(0), key="a"))])
    assert await total(store, "storm") == 1
    await whole(store)


async def test_a_record_that_was_rewritten_is_found_as_it_was_and_as_it_is(store: Store) -> None:
    await store.record([chunk(said("storm before", at(0), key="a"))])
    await store.record([chunk(said("storm behind", at(0), key="a"))])
    assert await total(store, "storm") == 2
    assert await total(store, "before") == await total(store, "behind") == 1
    await whole(store)


async def test_a_copy_has_an_index_of_its_own(store: Store, tmp_path: Path) -> None:
    task = await new_task(store, title="weather")
    await store.save_messages(task, [said("storm") for _ in range(MANY)])
    await store.backup(tmp_path / "copy.db")
    async with open_store(tmp_path / "copy.db") as copy:
        assert await total(copy, "storm") == MANY
        assert len((await copy.search("weather")).tasks) == 1
        await whole(copy)


async def test_a_recovered_store_is_searched(database: Path) -> None:
    async with open_store(database) as store:
        task = await new_task(store, title="weather")
        await store.save_messages(task, [said("storm") for _ in range(MANY)])
    await library.recover(database)
    async with open_store(database) as store:
        await index_all(store, None)
        assert await total(store, "storm") == MANY
        assert len((await store.search("weather")).tasks) == 1
        await whole(store)


async def test_a_store_from_before_there_was_an_index(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tuple(one for one in migrate.migrations() if one.number < 5)
    with (
        monkeypatch.context() as patch,
        closing(sqlite3.connect(database, isolation_level=None)) as db,
    ):
        patch.setattr(migrate, "migrations", lambda: old)
        migrate.migrate(db, str(database), allowed=True, deadline=1e12)
        db.execute(
            "INSERT INTO task (id, tenant_id, title, title_from, status, origin, notes, created_at,"
            " updated_at, message_count, last_seq, last_message_at)"
            " VALUES ('old', 'local', 'Old weather', 'person', 'open', 'person', '', 1, 1, 9000,"
            " 9000, 9000)"
        )
        db.execute(
            "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number LIMIT 9000)"
            " INSERT INTO message (task, seq, at, role, kind, is_error, is_prompt, on_branch,"
            " inherited, content) SELECT 1, n, n, 'user', iif(n % 3, 'text', 'tool_result'), 0, 0,"
            " 1, 0, 'storm ' || n FROM number"
        )
    async with open_store(database) as store:
        hits = await store.search("storm")
        assert hits.unindexed > 8000, "opening does not wait for it"
        assert hits.total > 0
        task = await new_task(store)
        await store.save_messages(task, [said("storm drop", at(n)) for n in range(MANY)])
        assert await total(store, "drop") == MANY
        assert len((await store.search("weather")).tasks) == 1
        await index_all(store, None)
        hits = await store.search("storm", task_id="old")
        assert (hits.unindexed, hits.total, hits.more_in_tools) == (0, 1000, 1000)
        await whole(store)


async def test_a_change_of_what_goes_into_the_index_makes_it_anew(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(database) as store:
        task = await new_task(store)
        await store.save_messages(task, [said("storm") for _ in range(MANY)])
    monkeypatch.setattr(index, "EDITION", EDITION + 1)
    async with open_store(database) as store:
        await index_all(store, None)
        assert await total(store, "storm") == MANY
        await whole(store)
    assert rows(database, "SELECT edition FROM search_state") == [(EDITION + 1,)]


DAMAGES = {
    "DELETE FROM search_entry WHERE message = 7": "1 messages are not in the index",
    "UPDATE search_entry SET task = 99 WHERE message = 7": "about no message",
    "INSERT INTO search_entry VALUES (-5, 9999, 1)": "about no message",
    "INSERT INTO search_prose (search_prose) VALUES ('delete-all')": "and no words",
    "INSERT INTO search_prose (rowid, words) VALUES (-7, '\ue000user\ue000text')": "of no message",
    "INSERT INTO search_prose (search_prose, rowid, words) SELECT 'delete', place, 'storm'"
    " FROM search_entry WHERE message = 7": "not found by their words",
    "DELETE FROM search_task": "other words",
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_what_is_wrong_with_the_index_is_seen_and_made_anew(
    database: Path, damage: str
) -> None:
    async with open_store(database) as store:
        task = await new_task(store, title="weather")
        await store.save_messages(task, [said(f"storm {n}") for n in range(MANY)])
    change(database, damage)
    async with open_store(database) as store:
        problems = (await store.integrity()).problems
        assert any(DAMAGES[damage] in problem for problem in problems)
        assert all("doctor --rebuild-index" in problem for problem in problems)
        await store.rebuild_index()
        await index_all(store, None)
        await whole(store)
        assert await total(store, "storm") == MANY


async def test_indexing_behind_a_store_that_is_closed(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "_FIRST", 0)
    monkeypatch.setattr(index, "_MOST_AT_ONCE", 10)
    for _ in range(3):
        async with open_store(database) as store:
            await store.rebuild_index()
            await store.save_task(Task(id="one"))
            await store.save_messages("one", [said("storm") for _ in range(MANY)])
    async with open_store(database) as store:
        await whole(store)


async def test_a_step_that_fails_is_tried_again(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "_FIRST", 0)
    steps = 0
    work_off: Callable[..., int] = index.work_off

    def fail_once(db: sqlite3.Connection, **how: bool) -> int:
        nonlocal steps
        steps += 1
        if steps == 1:
            raise StoreError("not now")
        return work_off(db, **how)

    monkeypatch.setattr(index, "work_off", fail_once)
    async with await SqliteStore.open(database) as store:
        await store.record([chunk(*(output("hail", n) for n in range(MANY)))])
        await store.rebuild_index()
        await asyncio.sleep(0.05)
        assert steps == 1
        await store.save_task(Task(id="any"))
        for _ in range(500):
            if (await store.search("hail")).unindexed == 0:
                break
            await asyncio.sleep(0.01)
        assert await total(store, "hail in:all") == MANY
