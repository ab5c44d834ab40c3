"""Calls that are locked out, without a write-ahead log, or in flight at the end."""

from __future__ import annotations

import asyncio
import ctypes.util
import sqlite3
import subprocess
import time
from collections.abc import Awaitable
from contextlib import closing
from pathlib import Path

import pytest

from store import Store, StoreBusy, StoreClosed, open_store
from store.sqlite import migrate
from tests.store.helpers import new_task, run, said, start, texts
from tests.store.test_faults_cancel import prepared
from tests.store.test_faults_kill import whole

HOLD = """
    import sqlite3, sys
    db = sqlite3.connect(sys.argv[1], isolation_level=None)
    if sys.argv[2] == "everything":
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("BEGIN IMMEDIATE")
    db.execute("CREATE TABLE held (x)")
    print("ready", flush=True)
    sys.stdin.readline()
    db.execute("ROLLBACK")
"""


async def test_another_process_holds_the_lock_for_longer_than_a_call_may_wait(
    tmp_path: Path,
) -> None:
    """The five seconds, really waited for, once."""
    path = tmp_path / "b.db"
    await prepared(path)

    async def timed(call: Awaitable[object]) -> tuple[object, float]:
        began = time.monotonic()
        try:
            result = await call
        except Exception as error:
            result = error
        return result, time.monotonic() - began

    async def reading(store: Store, until: float) -> int:
        reads = 0
        while time.monotonic() < until:
            (history, seconds) = await timed(store.get_history("a"))
            assert isinstance(history, list)
            assert len(history) == 30
            assert seconds < 1, "reading waited for writing"
            await asyncio.sleep(0.05)
            reads += 1
        return reads

    async with open_store(path) as store, open_store(path) as other:
        with start(HOLD, path, "writing") as process:
            assert process.stdout is not None
            assert process.stdin is not None
            assert process.stdout.readline() == "ready\n"
            began = time.monotonic()
            *refused, reads = await asyncio.gather(
                timed(store.save_message("a", "user", "never")),
                timed(store.save_messages("a", [said("never")] * 50)),
                timed(store.delete_task("a")),
                timed(other.save_message("a", "user", "never")),
                reading(store, began + 5),
            )
            async with open_store(path) as third:  # opening writes nothing
                assert len(await third.get_history("a")) == 30
            process.stdin.write("go\n")
            process.stdin.flush()
            assert process.wait(5) == 0
        assert reads > 20
        for error, seconds in refused:
            assert isinstance(error, StoreBusy), error
            assert str(path) in str(error)
            assert 4.5 < seconds < 6.5
        assert (await store.save_message("a", "user", "on")).seq == 31
        assert texts(await store.get_history("a"))[-1] == "on"


async def test_a_database_that_another_process_has_for_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither readable nor writable: every call says so in time."""
    for module in ("connection", "engine"):
        monkeypatch.setattr(f"store.sqlite.{module}.WAIT_SECONDS", 0.4)
    path = tmp_path / "b.db"
    await prepared(path)
    with start(HOLD, path, "everything") as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == "ready\n"
        began = time.monotonic()
        with pytest.raises(StoreBusy, match=r"b\.db"):
            async with open_store(path) as store:
                await store.get_history("a")
        assert time.monotonic() - began < 3
        process.stdin.write("go\n")
        process.stdin.flush()
        assert process.wait(5) == 0
    async with open_store(path) as store:
        assert len(await store.get_history("a")) == 30


async def test_the_switch_to_a_write_ahead_log_waits_for_a_reader(database: Path) -> None:
    """A store that another program has just read must open, and get its log."""
    await prepared(database)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        assert other.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM task").fetchone()
        opening = asyncio.ensure_future(_opened(database))
        await asyncio.sleep(0.3)
        assert not opening.done()
        other.execute("ROLLBACK")
        store = await opening
    assert (await store.describe())["journal_mode"] == "wal"
    await store.close()


async def _opened(path: Path) -> Store:
    return await open_store(path)


# SQLite's own dot-file locking has no shared memory, so it really answers "delete" when asked for
# a write-ahead log. `open_store` cannot name it, but the process can make it the default.
DOTFILE = """
    import asyncio, ctypes, sys
    import sqlite3

    library = ctypes.CDLL(sys.argv[4])
    library.sqlite3_vfs_find.restype = ctypes.c_void_p
    library.sqlite3_vfs_register.argtypes = (ctypes.c_void_p, ctypes.c_int)
    assert library.sqlite3_vfs_register(library.sqlite3_vfs_find(b"unix-dotfile"), 1) == 0

    from store import NotFound, Task, open_store

    path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])

    async def main():
        async with open_store(path) as store:
            assert (await store.describe())["journal_mode"] == "delete"
            print("ready", flush=True)
            sys.stdin.readline()
            await store.save_task(Task(id=name))
            for n in range(count):
                await store.save_message(name, "user", str(n))
                assert len(await store.get_history(name)) == n + 1
                print((await store.save_message("shared", "user", f"{name} {n}")).seq, flush=True)
            try:
                await store.get_task("nobody")
            except NotFound:
                pass

    asyncio.run(main())
"""


def _library() -> str:
    """Give the SQLite that Python uses, where it is a library of its own."""
    import _sqlite3

    path = ctypes.util.find_library("sqlite3")
    loaded = subprocess.run(["ldd", _sqlite3.__file__], capture_output=True, text=True).stdout
    if path is None or path not in loaded:
        pytest.skip("SQLite is not a library of its own here")
    return path


async def test_a_filesystem_without_shared_memory(tmp_path: Path) -> None:
    library = _library()
    path = tmp_path / "b.db"
    async with open_store(path) as store:
        await new_task(store, id="shared")
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    processes = [start(DOTFILE, path, name, 25, library) for name in "ab"]
    for process in processes:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready == "ready\n", process.communicate()[1]
    numbers = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        out, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        numbers += [int(line) for line in out.split()]
    assert sorted(numbers) == list(range(1, 51))
    whole(path)
    async with open_store(path) as store:
        assert len(await store.get_history("shared")) == 50
        assert sorted(await store.list_task_ids()) == ["a", "b", "shared"]


async def test_without_a_write_ahead_log_the_rules_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With ordinary locks, and `use_wal` as it is where the log is refused."""
    monkeypatch.setattr(migrate, "use_wal", lambda db, deadline: "delete")
    path = tmp_path / "b.db"
    async with open_store(path) as store, open_store(path) as other:
        await new_task(store, id="shared")
        assert (await store.describe())["journal_mode"] == "delete"
        assert not Path(f"{path}-wal").exists()
        saved = await asyncio.gather(
            *(writer.save_message("shared", "user", "x") for writer in (store, other) * 40),
            *(reader.get_history("shared") for reader in (store, other) * 40),
            *(store.save_messages("shared", [said("y")] * 5) for _ in range(5)),
        )
        assert len(saved) == 165
        history = await store.get_history("shared")
        assert sorted(message.seq for message in history) == list(range(1, 106))
        assert (await other.get_task("shared")).message_count == 105
    whole(path)


async def test_the_switch_to_a_write_ahead_log_waits_for_who_is_in_the_way(
    tmp_path: Path,
) -> None:
    """SQLite itself refuses the switch at once, however long its busy timeout is."""
    path = tmp_path / "b.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("CREATE TABLE t (x)")
        switching = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        with closing(switching):
            switching.execute("PRAGMA busy_timeout = 5000")
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                switching.execute("PRAGMA journal_mode = WAL")
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                migrate.use_wal(switching, time.monotonic() + 0.05)
            deadline = time.monotonic() + 20
            switch = asyncio.create_task(asyncio.to_thread(migrate.use_wal, switching, deadline))
            await asyncio.sleep(0.1)
            assert not switch.done()
            other.execute("ROLLBACK")
            assert await switch == "wal"


async def test_without_a_write_ahead_log_what_is_written_is_synced(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losing power in the middle of a transaction must not damage a file without such a log."""
    monkeypatch.setattr(migrate, "use_wal", lambda db, deadline: "delete")
    async with open_store(database) as store:
        writer = store._writer  # type: ignore[attr-defined]
        level = await writer.read(lambda db: db.execute("PRAGMA synchronous").fetchone()[0])
        assert level == 2, "synchronous = FULL: NORMAL is safe with a write-ahead log only"


@pytest.mark.parametrize("pause", [0, 0.002, 0.02])
async def test_closing_while_twenty_calls_are_in_flight(target: str, pause: float) -> None:
    store = await open_store(target)
    await new_task(store, id="kept")
    calls = [
        asyncio.create_task(
            store.save_message("kept", "user", str(n)) if n % 4 else _counted(store)
        )
        for n in range(20)
    ]
    await asyncio.sleep(pause)
    closes = [asyncio.create_task(store.close()) for _ in range(2)]
    async with asyncio.timeout(5):
        results = await asyncio.gather(*calls, return_exceptions=True)
        await asyncio.gather(*closes)
    for result in results:
        assert not isinstance(result, BaseException) or isinstance(result, StoreClosed), result
    await store.close()
    with pytest.raises(StoreClosed):
        await store.save_message("kept", "user", "late")
    if target != ":memory:":
        acknowledged = {n for n in range(20) if n % 4 and not isinstance(results[n], StoreClosed)}
        async with open_store(target) as again:
            found = {int(text) for text in texts(await again.get_history("kept"))}
            assert found >= acknowledged, "lost"
            assert found == acknowledged, "stored, though the caller was told otherwise"


async def _counted(store: Store) -> int:
    return len(await store.get_history("kept"))


LEAVE = """
    import asyncio, sys
    from store import Task, open_store

    how = sys.argv[2]

    async def main():
        store = await open_store(sys.argv[1])
        await store.save_task(Task(id="kept"))
        saved = await store.save_message("kept", "user", "acknowledged")
        calls = [asyncio.create_task(store.save_message("kept", "user", "x")) for _ in range(200)]
        calls += [asyncio.create_task(store.get_history("kept")) for _ in range(50)]
        await asyncio.sleep(0.001)
        if how == "exit":
            sys.exit(0)
        if how == "error":
            raise KeyError("of the caller's own")

    try:
        asyncio.run(main())
    except KeyError:
        pass
    print("ended", flush=True)
"""


@pytest.mark.parametrize("how", ["return", "exit", "error"])
async def test_leaving_with_calls_in_flight_and_the_store_open(database: Path, how: str) -> None:
    began = time.monotonic()
    out = run(LEAVE, database, how, warnings="ignore")
    assert time.monotonic() - began < 5
    assert out == ("" if how == "exit" else "ended\n")
    whole(database)
    async with open_store(database) as store:
        history = await store.get_history("kept")
        assert history[0].content == "acknowledged"
        assert [message.seq for message in history] == list(range(1, len(history) + 1))


async def test_leaving_while_a_lock_is_waited_for(database: Path) -> None:
    async with open_store(database) as store:
        await new_task(store, id="kept")
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with start(LEAVE_LOCKED, database, warnings="ignore") as process:
            _, err = process.communicate(timeout=20)
        assert process.returncode == 0, err
        assert time.monotonic() - began < 5
        other.execute("ROLLBACK")


LEAVE_LOCKED = """
    import asyncio, sys
    from store import open_store

    async def main():
        store = await open_store(sys.argv[1])
        call = asyncio.create_task(store.save_message("kept", "user", "x"))
        await asyncio.sleep(0.05)
        assert not call.done()

    asyncio.run(main())
"""
