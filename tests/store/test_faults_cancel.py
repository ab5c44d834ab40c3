"""Calls that are cancelled at any step: whole or absent, and nothing stays locked."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from store import NewMemory, Repository, Store, StoreClosed, Task, Usage, open_store
from store.sources import Checkpoint, Chunk, Fingerprint, SessionFacts, Source
from tests.store.helpers import new_task, said


class Stepped:
    """A coroutine that is cancelled at its n-th suspension, in one of three ways.

    "at once": mostly before what it waits for has begun; "soon": while that is under way; "late":
    when it is done already, and the coroutine was about to be told.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, Any], n: int, way: str) -> None:
        self._coroutine = coroutine
        self._n = n
        self._way = way
        self.cancelled = False

    def __await__(self) -> Generator[Any, None, Any]:
        suspensions = 0
        value, error = None, None
        while True:
            try:
                if error is not None:
                    waited_for = self._coroutine.throw(error)
                else:
                    waited_for = self._coroutine.send(value)
            except StopIteration as end:
                return end.value
            value, error = None, None
            if suspensions == self._n:
                self.cancelled = True
                if waited_for is None:  # a bare yield to the loop
                    yield
                else:
                    waited_for._asyncio_future_blocking = False
                    if self._way == "soon":
                        yield from asyncio.sleep(0.0002).__await__()
                    elif self._way == "late":
                        yield from asyncio.wait([waited_for]).__await__()
                    waited_for.cancel()
                error = asyncio.CancelledError()
            elif waited_for is None:
                yield
            else:
                # As a task does: wait for it, then let the coroutine ask it for its result.
                waited_for._asyncio_future_blocking = False
                yield from asyncio.wait([waited_for]).__await__()
            suspensions += 1


def _chunk(root: Path) -> Chunk:
    mark = Fingerprint(1, 2, 3, 4)
    return Chunk(
        Source("claude", root, root / "a.jsonl", mark),
        SessionFacts("recorded", title="Recorded"),
        (said("one", key="1"), said("two", key="2")),
        Checkpoint(mark, offset=3, line=2, records=2, finished=True),
        usage=(Usage(day=date(2026, 1, 14), model="m", input_tokens=1, output_tokens=2),),
    )


ROOT_OF_CLAUDE = Path("/home/ada/.claude")
LEARNT = [NewMemory(text=text, importance=0.5) for text in ("one", "two")]

WRITES: dict[str, Callable[[Store], Awaitable[object]]] = {
    "save_task": lambda s: s.save_task(Task(id="new", title="New")),
    "save_task again": lambda s: s.save_task(Task(id="a", title="Renamed", notes="more")),
    "update_task": lambda s: s.update_task("a", title="Renamed", notes="more"),
    "delete_task": lambda s: s.delete_task("a"),
    "set_task_status": lambda s: s.set_task_status("a", "running"),
    "archive": lambda s: s.archive("a"),
    "unarchive": lambda s: s.unarchive("archived"),
    "tag": lambda s: s.tag("a", "x", "y", "z"),
    "untag": lambda s: s.untag("a", "one", "two"),
    "add_dependency": lambda s: s.add_dependency("b", "a"),
    "remove_dependency": lambda s: s.remove_dependency("a", "archived"),
    "create_session": lambda s: s.create_session("/src", "claude", session_id="made"),
    "save_session": lambda s: s.save_session("b", "saved", "claude"),
    "update_session": lambda s: s.update_session("a", model="other", context={"x": 1}),
    "set_session_status": lambda s: s.set_session_status("a", "active"),
    "delete_session": lambda s: s.delete_session("a"),
    "save_message": lambda s: s.save_message("a", "user", "said"),
    "save_messages": lambda s: s.save_messages("a", [said(str(n)) for n in range(40)]),
    "record": lambda s: s.record([_chunk(ROOT_OF_CLAUDE), _chunk(ROOT_OF_CLAUDE / "other")]),
    "save_summary": lambda s: s.save_summary("a", "so far", up_to=3),
    "save_memory": lambda s: s.save_memory("learnt", importance=1, task_id="a", id="memory"),
    "update_memory": lambda s: s.update_memory("known", text="learnt better", importance=0.5),
    "delete_memory": lambda s: s.delete_memory("known"),
    "queue_extraction": lambda s: s.queue_extraction("b"),
    "pending_extractions": lambda s: s.pending_extractions(),
    "fail_extraction": lambda s: s.fail_extraction("queued", "no words"),
    "finish_extraction": lambda s: s.finish_extraction("queued", LEARNT),
    "set_place": lambda s: s.set_place("/old", "/new"),
    "note_repositories": lambda s: s.note_repositories(
        [Repository(folder="/a"), Repository(folder="/b")]
    ),
    "trust_home": lambda s: s.trust_home("/home/ada/.other"),
    "mark_gone": lambda s: s.mark_gone("claude", [str(ROOT_OF_CLAUDE / "known" / "a.jsonl")]),
}
TIMES = {
    "created_at",
    "updated_at",
    "archived_at",
    "at",
    "last_message_at",
    "gone_at",
    "said_at",
    "seen_at",
    "applied_at",
}
TIMES |= {"source_gone_at", "active_at"}
LENGTH_OF_A_UUID = 36


async def prepared(path: Path) -> None:
    async with open_store(path) as store:
        for task_id in ("a", "b", "archived"):
            await new_task(store, task_id, id=task_id)
            await store.tag(task_id, "one", "two")
        await store.archive("archived")
        await store.add_dependency("a", "archived")
        await store.save_session("a", "session a", "claude", context={"n": 1})
        await store.save_messages("a", [said(f"before {n}") for n in range(30)])
        await store.record([_chunk(ROOT_OF_CLAUDE / "known")])
        await store.save_memory("known", importance=1, task_id="a", id="known")
        await store.queue_extraction("a")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE extraction SET id = 'queued'")  # a name that the calls above can know


def _contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Give all rows of all tables, but for times and ids that are made up."""
    contents = {}
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        tables = db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
            " AND name NOT LIKE 'search_%'"
        ).fetchall()
        for (table,) in tables:
            rows = [dict(row) for row in db.execute(f'SELECT * FROM "{table}"')]
            for row in rows:
                for name in TIMES & row.keys():
                    row[name] = row[name] is not None
                if len(str(row.get("id"))) == LENGTH_OF_A_UUID:
                    row["id"] = "made up"
                if row.get("owner"):
                    row["owner"] = "somebody"
            contents[table] = sorted((tuple(row.values()) for row in rows), key=repr)
    return contents


def _writable_at_once(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_cancelled_at_any_step(tmp_path: Path, name: str) -> None:
    original = tmp_path / "original.db"
    await prepared(original)
    body = original.read_bytes()

    async def attempt(n: int, way: str) -> tuple[Stepped, dict[str, list[tuple[object, ...]]]]:
        path = tmp_path / f"{n} {way}.db"
        path.write_bytes(body)
        async with open_store(path) as store:
            coroutine = WRITES[name](store)
            assert asyncio.iscoroutine(coroutine)
            stepped = Stepped(coroutine, n, way)
            try:
                await stepped
                ended = "done"
            except asyncio.CancelledError:
                ended = "cancelled"
            await store.version()  # in the writer's own queue: what had begun is finished then
            _writable_at_once(path)
            contents = _contents(path)
            if ended == "cancelled" and way == "late":
                assert contents != before, "done, and then undone"
            if ended == "done":
                assert contents == after
            await store.save_message("b", "user", "and on it goes")
        return stepped, contents

    before = _contents(original)
    after: dict[str, list[tuple[object, ...]]] = {}
    path = tmp_path / "uncancelled.db"
    path.write_bytes(body)
    async with open_store(path) as store:
        await WRITES[name](store)
    after = _contents(path)
    assert after != before
    for way in ("at once", "soon", "late"):
        steps = 0
        while True:
            stepped, contents = await attempt(steps, way)
            assert contents in (before, after), "in part"
            if not stepped.cancelled:
                assert contents == after
                break
            steps += 1
            assert steps < 50
        assert steps > 0, "never suspended"


@pytest.mark.parametrize("way", ["at once", "soon", "late"])
async def test_opening_and_closing_cancelled_at_any_step(tmp_path: Path, way: str) -> None:
    threads = set(threading.enumerate())
    for n in range(30):
        path = tmp_path / f"{n}.db"
        store: Store | None = None

        async def opened(path: Path = path) -> Store:
            return await open_store(path)

        opening = Stepped(opened(), n, way)
        with suppress(asyncio.CancelledError):
            store = await opening
        if store is None:
            store = await open_store(path)
        await new_task(store, id="kept")
        await asyncio.gather(*(store.list_tasks() for _ in range(3)))
        saving = [asyncio.create_task(store.save_message("kept", "user", str(n))) for n in range(3)]
        await asyncio.sleep(0)
        close = store.close()
        assert asyncio.iscoroutine(close)
        closing_ = Stepped(close, n, way)
        try:
            await closing_
        except asyncio.CancelledError:
            await store.close()
        results = await asyncio.gather(*saving, return_exceptions=True)
        acknowledged = [one for one in results if not isinstance(one, BaseException)]
        assert all(isinstance(one, StoreClosed) for one in results if one not in acknowledged)
        for _ in range(200):
            if not (own := set(threading.enumerate()) - threads) or all(
                thread.name.startswith("asyncio") for thread in own
            ):
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail(f"step {n}: a thread was left: {own}")
        _writable_at_once(path)
        async with open_store(path) as again:
            assert await again.list_task_ids() == ["kept"]
            assert len(await again.get_history("kept")) >= len(acknowledged)
        if not opening.cancelled and not closing_.cancelled:
            assert n > 2
            return
    pytest.fail("there is no end to its steps")


@pytest.mark.parametrize("way", ["at once", "soon", "late"])
async def test_a_read_cancelled_at_any_step_leaves_the_readers_well(
    database: Path, way: str
) -> None:
    await prepared(database)
    async with open_store(database) as store:
        for n in range(12):
            stepped = Stepped(_reading(store), n, way)
            with suppress(asyncio.CancelledError):
                await stepped
            # As many at once as there are readers: none is left out, none is interrupted.
            for history in await asyncio.gather(*(store.get_history("a") for _ in range(6))):
                assert len(history) == 30
            await store.save_message("b", "user", "x")
            _writable_at_once(database)
            with closing(sqlite3.connect(database, isolation_level=None)) as other:
                checkpoint = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                assert checkpoint == (0, 0, 0), "a reader kept its snapshot"
            if not stepped.cancelled:
                assert n > 0
                return
    pytest.fail("there is no end to its steps")


async def _reading(store: Store) -> None:
    await store.list_tasks()
    assert len([message async for message in store.iter_history("a")]) == 30


async def test_an_opening_cancelled_twice_leaves_nothing_open(tmp_path: Path) -> None:
    threads = set(threading.enumerate())
    for n in range(60):
        opening = asyncio.ensure_future(open_store(tmp_path / f"{n}.db").__aenter__())
        await asyncio.sleep(n * 0.0002)
        for _ in range(3):
            opening.cancel()
            await asyncio.sleep(0)
        with suppress(asyncio.CancelledError):
            await (await opening).close()
    for _ in range(200):
        if not set(threading.enumerate()) - threads - _of_the_loop():
            break
        await asyncio.sleep(0.01)
    assert not set(threading.enumerate()) - threads - _of_the_loop()


def _of_the_loop() -> set[threading.Thread]:
    """Give the threads that run functions for the loop: they wait for the next one."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("asyncio_")}
