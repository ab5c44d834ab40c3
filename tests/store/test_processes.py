"""Several processes, killed processes, callers who change their minds."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from store import Store, StoreBusy, TaskFilter, open_store, protocol
from store.sqlite import connection
from tests.store.helpers import new_task, run, said, start, texts

APPEND = """
    import asyncio, sys
    from store import open_store

    path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])

    async def main():
        async with open_store(path) as store:
            print("ready", flush=True)
            sys.stdin.readline()
            for n in range(count):
                message = await store.save_message("shared", "user", f"{name} {n}")
                print(message.seq, flush=True)

    asyncio.run(main())
"""


async def _shared(database: Path) -> None:
    async with open_store(database) as store:
        await new_task(store, id="shared")


def _go(processes: list[subprocess.Popen[str]]) -> None:
    """Let processes that are ready begin together."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


VISIT = """
    import asyncio, sys
    from store import Task, open_store

    async def main():
        async with open_store(sys.argv[1]) as store:
            await store.save_task(Task(id=sys.argv[2]))

    asyncio.run(main())
"""


async def test_a_store_opened_twice_in_one_process_keeps_its_log(database: Path) -> None:
    """Closing a descriptor of a file takes a process's locks on it away, SQLite's too."""
    descriptors = len(os.listdir("/dev/fd"))
    async with open_store(database) as first:
        await new_task(first, id="one")
        async with open_store(database) as second:
            assert await second.list_task_ids(TaskFilter(everything=True)) == ["one"]
        run(VISIT, database, "other")  # it is not the last to close the database
        await new_task(first, id="two")
        listed = await first.list_task_ids(TaskFilter(everything=True))
        assert sorted(listed) == ["one", "other", "two"]
        run(VISIT, database, "another")
    async with open_store(database) as store:
        listed = await store.list_task_ids(TaskFilter(everything=True))
        assert sorted(listed) == ["another", "one", "other", "two"]
        assert (await store.integrity()).is_whole
    assert len(os.listdir("/dev/fd")) == descriptors


async def test_four_processes_append_to_one_history(database: Path) -> None:
    each = 60
    await _shared(database)
    processes = [start(APPEND, database, name, each) for name in "abcd"]
    _go(processes)
    numbers: list[int] = []
    for process in processes:
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        own = [int(line) for line in out.split()]
        assert own == sorted(own)
        numbers += own
    assert sorted(numbers) == list(range(1, 4 * each + 1))
    async with open_store(database) as store:
        history = await store.get_history("shared")
        assert sorted(message.seq for message in history) == sorted(numbers)
        assert (await store.get_task("shared")).message_count == 4 * each
        for name in "abcd":
            own_words = [text for text in texts(history) if text.startswith(name)]
            assert own_words == [f"{name} {n}" for n in range(each)]


OPEN = """
    import asyncio, sys
    from store import Task, open_store

    async def main():
        print("ready", flush=True)
        sys.stdin.readline()
        async with open_store(sys.argv[1]) as store:
            await store.save_task(Task())

    asyncio.run(main())
"""


async def test_four_processes_make_one_store_at_the_same_moment(database: Path) -> None:
    processes = [start(OPEN, database) for _ in range(4)]
    _go(processes)
    for process in processes:
        _, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
    async with open_store(database) as store:
        assert await store.count_tasks() == 4


async def test_a_lock_that_is_not_let_go_is_an_error_in_words_and_soon(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert protocol.WAIT_SECONDS == 5.0
    monkeypatch.setattr(connection, "WAIT_SECONDS", 0.5)  # 5 seconds, without the wait
    await _shared(database)
    async with open_store(database) as store:
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            with pytest.raises(StoreBusy, match="lock of"):
                await store.save_message("shared", "user", "hello")
            assert 0.4 < time.monotonic() - began < 4
            assert await store.get_history("shared") == [], "reading never waits for writing"
            other.execute("ROLLBACK")
        assert (await store.save_message("shared", "user", "hello")).seq == 1


async def test_a_lock_that_is_let_go_in_time_is_waited_for(database: Path) -> None:
    await _shared(database)
    async with open_store(database) as store:
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            saving = asyncio.create_task(store.save_message("shared", "user", "hello"))
            await asyncio.sleep(0.3)
            assert not saving.done()
            other.execute("ROLLBACK")
            assert (await saving).seq == 1


async def test_a_queue_that_does_not_move_is_an_error_too(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "WAIT_SECONDS", 0.4)
    await _shared(database)
    async with open_store(database) as store:
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            results = await asyncio.gather(
                *(store.save_message("shared", "user", str(n)) for n in range(5)),
                return_exceptions=True,
            )
            assert time.monotonic() - began < 4
            assert {type(result) for result in results} == {StoreBusy}
            other.execute("ROLLBACK")
        await store.save_message("shared", "user", "after")
        assert texts(await store.get_history("shared")) == ["after"]


async def test_changing_ones_mind_while_writing_leaves_a_whole_or_nothing(target: str) -> None:
    chance = random.Random(17)
    async with open_store(target) as store:
        await new_task(store, id="shared")
        acknowledged = 0
        for round_ in range(60):
            batch = [said(str(round_)) for _ in range(20)]
            saving = asyncio.create_task(store.save_messages("shared", batch))
            await asyncio.sleep(chance.random() * 0.002)
            saving.cancel()
            try:
                await saving
                acknowledged += 1
            except asyncio.CancelledError:
                pass
        rounds = texts(await store.get_history("shared"))
        for round_ in range(60):
            assert rounds.count(str(round_)) in (0, 20)
        assert len(rounds) >= 20 * acknowledged
        assert (await store.get_task("shared")).message_count == len(rounds)
        if target != ":memory:":
            with closing(sqlite3.connect(target, isolation_level=None, timeout=0)) as other:
                other.execute("BEGIN IMMEDIATE")
                other.execute("ROLLBACK")


async def test_changing_ones_mind_while_reading_leaves_the_readers_well(target: str) -> None:
    chance = random.Random(4)
    async with open_store(target) as store:
        task_id = await new_task(store)
        for _ in range(5):
            await store.save_messages(task_id, [said("word")] * 400)
        for _ in range(80):
            reading = [asyncio.create_task(store.get_history(task_id)) for _ in range(4)]
            await asyncio.sleep(chance.random() * 0.01)
            for one in reading:
                one.cancel()
            await asyncio.gather(*reading, return_exceptions=True)
        for _ in range(8):
            assert len(await store.get_history(task_id)) == 2000
        await store.save_message(task_id, "user", "and writing goes on")


async def test_many_at_once_are_served(store: Store) -> None:
    tasks = [await new_task(store) for _ in range(8)]
    await asyncio.gather(
        *(store.save_message(task_id, "user", str(n)) for n in range(25) for task_id in tasks),
        *(store.list_tasks() for _ in range(25)),
    )
    for task_id in tasks:
        history = await store.get_history(task_id)
        assert [message.seq for message in history] == list(range(1, 26))
        assert texts(history) == [str(n) for n in range(25)]


async def test_closing_lets_what_was_begun_finish(database: Path) -> None:
    async with open_store(database) as store:
        task_id = await new_task(store)
        saving = [asyncio.create_task(store.save_message(task_id, "user", "x")) for _ in range(20)]
        reading = [asyncio.create_task(store.get_history(task_id)) for _ in range(10)]
        await asyncio.sleep(0)
    await asyncio.gather(*saving)
    await asyncio.gather(*reading, return_exceptions=True)
    async with open_store(database) as store:
        assert len(await store.get_history(task_id)) == 20


@pytest.mark.parametrize("round_", range(4))
async def test_a_killed_process_loses_nothing_that_it_was_promised(
    database: Path, round_: int
) -> None:
    await _shared(database)
    with start(APPEND, database, "doomed", 100_000) as process:
        _go([process])
        assert process.stdout is not None
        first = process.stdout.readline()
        await asyncio.sleep(round_ * 0.07)
        process.send_signal(signal.SIGKILL)
        out = first + process.stdout.read()
    promised = [int(line) for line in out.splitlines(keepends=True) if line.endswith("\n")]
    assert promised, "killed before it had begun"
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    async with open_store(database) as store:
        history = await store.get_history("shared")
        assert [message.seq for message in history] == list(range(1, len(history) + 1))
        assert len(history) >= promised[-1]
        assert (await store.get_task("shared")).message_count == len(history)
        assert (await store.save_message("shared", "user", "on")).seq == len(history) + 1
