"""Many writers and readers at once, as tasks and as processes: nobody refused, nothing lost."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from store import Conflict, Message, NotFound, Store, StoreBusy, TaskFilter, open_store
from store.sqlite import connection, grouping, messages
from store.sqlite.engine import SqliteStore
from tests.store.helpers import new_task, said, start, texts

TASKS = 8
PROCESSES = 4
GENEROUS = 3.0  # seconds; the wait for a lock would be five

LOOK = """SELECT message_count, last_seq, (SELECT count(*) FROM message WHERE task = task.n),
    (SELECT max(seq) FROM message WHERE task = task.n) FROM task"""

WRITE = """
    import asyncio, json, sys
    from store import StoreError, open_store

    path, name, count, histories = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4:]

    async def main():
        stored, refused = [], []
        async with open_store(path) as store:
            async def write(history):
                for n in range(count):
                    try:
                        message = await store.save_message(history, "user", f"{name} {n}")
                    except StoreError as error:
                        refused.append(str(error))
                    else:
                        stored.append([history, message.seq])
            print("ready", flush=True)
            sys.stdin.readline()
            await asyncio.gather(*map(write, histories))
        print(json.dumps({"stored": stored, "refused": refused}))

    asyncio.run(main())
"""

WATCH = """
    import json, sqlite3, sys, threading

    db = sqlite3.connect(sys.argv[1], isolation_level=None)
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stop.set()), daemon=True).start()
    print("ready", flush=True)
    looks, wrong, seen = 0, [], set()
    while not stop.is_set():
        for count, last, rows, highest in db.execute(sys.argv[2]).fetchall():
            if not count == last == rows == (highest or 0):
                wrong.append([count, last, rows, highest])
            seen.add(count)
        looks += 1
    print(json.dumps({"looks": looks, "wrong": wrong[:5], "seen": len(seen)}))
    db.close()
"""


def _ready(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line == "ready\n", process.stderr and process.stderr.read()


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


async def _whole(path: Path, histories: list[str], writers: list[str], each: int) -> None:
    """Look at what is stored: every message of every writer, in its order, without a gap."""
    async with open_store(path) as store:
        for name in histories:
            history = await store.get_history(name)
            numbers = sorted(message.seq for message in history)
            assert numbers == list(range(1, len(writers) * each + 1))
            assert (await store.get_task(name)).message_count == len(history)
            for writer in writers:
                own = [text for text in texts(history) if text.startswith(f"{writer} ")]
                assert own == [f"{writer} {n}" for n in range(each)]


@pytest.mark.parametrize("histories", [1, TASKS])
async def test_processes_and_their_tasks_write_and_a_process_watches(
    database: Path, histories: int
) -> None:
    each = 60 if histories == 1 else 15
    names = [f"history {n}" for n in range(histories)]
    async with open_store(database) as store:
        for name in names:
            await new_task(store, id=name)
    watcher = start(WATCH, database, LOOK)
    writers = [start(WRITE, database, name, each, *names) for name in "abcd"[:PROCESSES]]
    for process in (watcher, *writers):
        _ready(process)
    for process in writers:
        _go(process)
    stored: list[tuple[str, int]] = []
    for process in writers:
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0, err
        told = json.loads(out)
        assert told["refused"] == []
        stored += [(history, seq) for history, seq in told["stored"]]
    out, err = watcher.communicate("stop\n", timeout=30)
    assert watcher.returncode == 0, err
    watched = json.loads(out)
    assert watched["wrong"] == []
    assert watched["seen"] > 2, "the watcher was never in between"
    assert len(stored) == len(set(stored)) == PROCESSES * each * histories
    await _whole(database, names, list("abcd"[:PROCESSES]), each)


@pytest.mark.parametrize("histories", [1, TASKS])
async def test_tasks_write_and_a_task_watches(database: Path, histories: int) -> None:
    each = 40
    names = [f"history {n % histories}" for n in range(TASKS)]
    seen: set[int] = set()

    async def write(store: Store, number: int) -> None:
        for n in range(each):
            # One message or two: an odd count would be half a batch.
            await store.save_messages(names[number], [said(f"{number} {n}"), said("and")])

    async with open_store(database) as store, open_store(database) as other:
        for name in dict.fromkeys(names):
            await new_task(store, id=name)
        writing = [asyncio.create_task(write(store, number)) for number in range(TASKS)]
        with closing(sqlite3.connect(database, isolation_level=None)) as raw:
            while not all(task.done() for task in writing):
                for count, last, rows, highest in raw.execute(LOOK).fetchall():
                    assert count == last == rows == (highest or 0)
                    assert count % 2 == 0
                    seen.add(count)
                before = (await other.get_task(names[0])).message_count
                history = await other.get_history(names[0])
                assert before <= len(history) <= (await other.get_task(names[0])).message_count
                assert [m.seq for m in history] == list(range(1, len(history) + 1))
        await asyncio.gather(*writing)
    assert len(seen) > 2, "the watcher was never in between"
    async with open_store(database) as store:
        for name in dict.fromkeys(names):
            own = [text for text in texts(await store.get_history(name)) if text != "and"]
            for number in (n for n in range(TASKS) if names[n] == name):
                expected = [f"{number} {n}" for n in range(each)]
                assert [text for text in own if text.split()[0] == str(number)] == expected
            count = 2 * each * names.count(name)
            assert (await store.get_task(name)).message_count == count


async def test_a_write_that_fails_among_others_fails_alone(database: Path) -> None:
    """Writes that wait together may be committed together; an error is still only its own."""
    async with open_store(database) as store:
        names = [await new_task(store, id=f"history {n}") for n in range(3)]

        await store.save_session(names[0], "taken", "claude")

        async def write(n: int) -> object:
            if n % 4 == 0:
                return await store.save_message("nobody's", "user", str(n))
            if n % 4 == 1:  # fails when its task is stored already
                return await store.create_session(
                    "/src", "claude", session_id="taken", task_id=f"half {n}"
                )
            return await store.save_message(names[n % 3], "user", str(n))

        results = await asyncio.gather(*(write(n) for n in range(48)), return_exceptions=True)
        for n, result in enumerate(results):
            assert isinstance(result, (NotFound, Conflict, Message, Message)[n % 4]), (n, result)
        for place, name in enumerate(names):
            expected = [str(n) for n in range(48) if n % 4 > 1 and n % 3 == place]
            history = await store.get_history(name)
            assert texts(history) == expected
            assert [message.seq for message in history] == list(range(1, len(expected) + 1))
        everything = await store.list_task_ids(TaskFilter(everything=True))
        assert sorted(everything) == names


async def test_a_write_withdrawn_in_the_queue_is_never_done(database: Path) -> None:
    async with open_store(database) as store:
        task_id = await new_task(store)
        with closing(sqlite3.connect(database, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            first = asyncio.create_task(store.save_message(task_id, "user", "first"))
            await asyncio.sleep(0.1)
            rest = [
                asyncio.create_task(store.save_message(task_id, "user", str(n))) for n in range(6)
            ]
            await asyncio.sleep(0.1)
            for saving in rest[::2]:
                saving.cancel()
            await asyncio.sleep(0.05)
            holder.execute("ROLLBACK")
        await first
        results = await asyncio.gather(*rest, return_exceptions=True)
        assert [isinstance(one, asyncio.CancelledError) for one in results] == [True, False] * 3
        assert texts(await store.get_history(task_id)) == ["first", "1", "3", "5"]
        assert (await store.get_task(task_id)).message_count == 4


async def test_reading_never_waits_for_a_writer(database: Path) -> None:
    """A writer holds a transaction, with changes in it; every kind of reading goes on."""
    async with open_store(database) as store, open_store(database) as other:
        task_id = await new_task(store)
        await store.save_session(task_id, "s", "claude")
        stored = await store.save_messages(task_id, [said("one"), said("two")])
        with closing(sqlite3.connect(database, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            holder.execute("UPDATE task SET message_count = 99")
            saving = asyncio.create_task(store.save_message(task_id, "user", "three"))
            await asyncio.sleep(0.05)
            for reader in (store, other):
                reads: list[Callable[[], Awaitable[object]]] = [
                    lambda r=reader: r.get_history(task_id),  # type: ignore[misc]
                    lambda r=reader: r.get_task(task_id),  # type: ignore[misc]
                    lambda r=reader: r.list_tasks(),  # type: ignore[misc]
                    lambda r=reader: r.list_sessions(),  # type: ignore[misc]
                ]
                began = time.monotonic()
                for _ in range(20):
                    await asyncio.gather(*(read() for read in reads))
                assert time.monotonic() - began < GENEROUS
                assert await reader.get_history(task_id) == stored
                assert (await reader.get_task(task_id)).message_count == 2
            assert not saving.done()
            holder.execute("ROLLBACK")
        assert (await saving).seq == 3


async def test_a_call_waits_for_its_turn_only_so_long(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind work that takes longer, it ends in words, and is not done later either."""
    monkeypatch.setattr(connection, "WAIT_SECONDS", 0.3)
    async with await SqliteStore.open(database) as store:
        task_id = await new_task(store)
        long_work = asyncio.create_task(store._writer.run(lambda db: time.sleep(1), wait=1))
        await asyncio.sleep(0.01)
        late = [store.save_message(task_id, "user", str(n)) for n in range(3)]
        began = time.monotonic()
        ends = await asyncio.gather(*late, return_exceptions=True)
        assert time.monotonic() - began < 0.9, "they waited for the work"
        assert all(isinstance(end, StoreBusy) and str(database) in str(end) for end in ends)
        await long_work
        await store.save_message(task_id, "user", "after")
        assert texts(await store.get_history(task_id)) == ["after"]


async def test_writes_that_take_long_do_not_share_a_transaction(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other processes get the lock between them."""
    monkeypatch.setattr(grouping, "_GROUP_SECONDS", 0.02)
    async with await SqliteStore.open(database) as store:
        task_id = await new_task(store)

        def slow(db: sqlite3.Connection) -> int:
            time.sleep(0.03)
            return len(messages.save(db, task_id, [said("slow")]))

        seen = set()
        with closing(sqlite3.connect(database)) as other:
            held = asyncio.create_task(store._writer.run(lambda db: time.sleep(0.05), wait=1))
            writes = [asyncio.create_task(store._write(slow)) for _ in range(4)]
            while not all(write.done() for write in writes):
                seen.add(other.execute("SELECT count(*) FROM message").fetchone()[0])
                await asyncio.sleep(0.002)
        await held
        assert len(seen) >= 4, f"committed together: {seen}"
