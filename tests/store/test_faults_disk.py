"""Disks that are full or fail."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from store import open_store
from tests.store.helpers import ROOT, run, texts
from tests.store.test_faults_kill import strace, straced, whole

__all__ = ["straced"]  # a fixture

# Opens a store, does everything again until it succeeds, and says how each attempt ended.
# Anything but a StoreError ends it with a traceback.
STUBBORN = """
    import asyncio, json, sys
    from store import NewMessage, Role, Store, StoreError, Task, open_store

    path, rounds, size = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

    def told(**facts):
        print(json.dumps(facts), flush=True)

    async def stubborn(what, call):
        for _ in range(10):
            try:
                return await call()
            except StoreError as error:
                told(failed=what, error=type(error).__name__, words=str(error))
        sys.exit(f"{what} never worked again")

    async def main():
        try:
            store = await open_store(path)
        except StoreError as error:
            told(failed="open", error=type(error).__name__, words=str(error))
            return
        try:
            if await stubborn("count", lambda: store.count_tasks()) == 0:
                await stubborn("task", lambda: store.save_task(Task(id="shared")))
            acknowledged = []
            for n in range(rounds):
                text = f"{n} " + "x" * size
                if n % 3:
                    new = [NewMessage(role=Role.USER, content=text)] * 5
                    saved = await stubborn("batch", lambda: store.save_messages("shared", new))
                else:
                    one = await stubborn("one", lambda: store.save_message("shared", "user", text))
                    saved = [one]
                acknowledged += [(message.seq, n) for message in saved]
                told(acknowledged=[(message.seq, n) for message in saved])
                if n % 15 == 0 or n == rounds - 1:
                    history = await stubborn("read", lambda: store.get_history("shared"))
                    found = [(one.seq, int(one.content.split()[0])) for one in history]
                    assert found == acknowledged, "other than what was acknowledged"
        finally:
            await store.close()
        told(closed=True)

    asyncio.run(main())
"""


async def _as_told(path: Path, out: str, rounds: int) -> list[tuple[str, str, str]]:
    """See that a store holds what a stubborn program told; give how its attempts failed."""
    told = [json.loads(line) for line in out.splitlines()]
    assert told[-1] == {"closed": True}
    acknowledged = [tuple(one) for facts in told for one in facts.get("acknowledged", ())]
    whole(path)
    async with open_store(path) as store:
        found = [
            (one.seq, int(one.content.split()[0])) for one in await store.get_history("shared")
        ]
        assert found == acknowledged
        times = Counter(n for _, n in found)
        assert times == {n: 5 if n % 3 else 1 for n in range(rounds)}, "lost or doubled"
    failed = [(one["failed"], one["error"], one["words"]) for one in told if "failed" in one]
    for _, _, words in failed:
        assert str(path) in words
        assert "\n" not in words
    return failed


def _suffer(path: Path, rounds: int, size: int, calls: str, fault: str) -> str:
    """Run a stubborn program whose disk fails; give what it told.

    strace counts the calls of each thread, and each opening has a thread of its own. So a store
    that could not be opened would not be opened the next time either: another program does that.
    """
    path.parent.mkdir(exist_ok=True)
    log = path.parent / "log"
    arguments = (path, rounds, size)
    status, out = strace(STUBBORN, *arguments, calls=calls, fault=fault, log=log, only=path)
    assert status == 0, f"{path.parent.name}: {out}"
    assert "(INJECTED)" in log.read_text(), f"{path.parent.name}: nothing happened"
    if "closed" not in out:
        out += run(STUBBORN, *arguments)
    return out


FAULTS = {
    "full": ("pwrite64", "ENOSPC", (1, 2, 4, 30, 60, 75, 80, 90, 130, 210)),
    "failing writes": ("pwrite64", "EIO", (1, 2, 5, 20, 66, 79, 90, 101, 108, 116, 200)),
    "failing syncs": ("fdatasync", "EIO", (1, 2, 3, 4, 7, 12)),
    "failing truncations": ("ftruncate", "EIO", (1, 2)),
    "unreadable": ("pread64", "EIO", (1, 2, 3, 8, 16, 20, 28)),
}


@pytest.mark.usefixtures("straced")
@pytest.mark.parametrize("kind", FAULTS)
async def test_a_fault_of_the_disk_fails_one_call_only(tmp_path: Path, kind: str) -> None:
    calls, error, moments = FAULTS[kind]
    rounds = 25
    paths = {n: tmp_path / f"{calls} {n}" / "b.db" for n in moments}

    def suffer(n: int) -> str:
        return _suffer(paths[n], rounds, 300, calls, f"error={error}:when={n}")

    with ThreadPoolExecutor(3) as pool:
        ends = list(pool.map(suffer, moments))
    seen = set()
    for path, out in zip(paths.values(), ends, strict=True):
        failed = await _as_told(path, out, rounds)
        seen |= {what for what, _, _ in failed}
        for _, error, words in failed:
            # SQLite itself takes a file that cannot be read for a damaged one.
            assert error == "StoreUnavailable" or (error, kind) == ("StoreCorrupt", "unreadable")
            if kind == "full" and "disk I/O error" not in words:  # as of its shared memory
                assert "the disk is full" in words
    assert seen, "nobody noticed"
    if "writes" in kind or "full" in kind:
        assert seen >= {"open", "batch"}


@pytest.mark.usefixtures("straced")
async def test_a_fault_while_the_log_is_brought_into_the_file(tmp_path: Path) -> None:
    """The log grows past its thousand pages, so that a checkpoint runs, and fails."""
    faults = [
        *(("pwrite64", error, n) for error in ("ENOSPC", "EIO") for n in (1950, 2120)),
        *(("pwrite64", "EIO", n) for n in (2070, 2095, 2400)),
        ("fdatasync", "EIO", 12),
    ]
    paths = [tmp_path / " ".join(map(str, fault)) / "b.db" for fault in faults]

    def suffer(path: Path, fault: tuple[str, str, int]) -> str:
        calls, error, n = fault
        return _suffer(path, 45, 30_000, calls, f"error={error}:when={n}..{n + 8}")

    with ThreadPoolExecutor(3) as pool:
        for path, out in zip(paths, pool.map(suffer, paths, faults), strict=True):
            await _as_told(path, out, 45)


FULL = """
    import asyncio, resource, subprocess, sys
    from pathlib import Path
    from store import NewMessage, Role, StoreUnavailable, Task, open_store

    how, folder, out = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    path = folder / "b.db"
    filler = folder / "filler"

    def no_room():
        if how == "tmpfs":
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "none", folder], check=True)
            filler.write_bytes(bytes(10_500_000))
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, resource.RLIM_INFINITY))

    def room():
        if how == "tmpfs":
            filler.unlink()
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

    async def fill(store, acknowledged):
        while True:
            saved = await store.save_message("shared", "user", f"{len(acknowledged)} " + "x" * 2000)
            acknowledged.append((saved.seq, saved.content))

    async def refused(call):
        try:
            await call
        except StoreUnavailable as error:
            assert str(folder) in str(error), error
            if how == "tmpfs" and "disk I/O error" not in str(error):  # as of shared memory
                assert "the disk is full" in str(error), error
        else:
            raise AssertionError("there was room")

    async def main():
        no_room()
        async with open_store(path) as store:
            await store.save_task(Task(id="shared"))
            acknowledged = []
            await refused(fill(store, acknowledged))
            assert len(acknowledged) > 20
            big = NewMessage(role=Role.USER, content="never " * 2000)
            for _ in range(3):
                await refused(store.save_messages("shared", [big] * 20))
                history = await store.get_history("shared")
                assert [(one.seq, one.content) for one in history] == acknowledged
                assert (await store.get_task("shared")).message_count == len(acknowledged)
            room()
            for n in range(100):
                saved = await store.save_message("shared", "user", f"after {n} " + "y" * 2000)
                acknowledged.append((saved.seq, saved.content))
            history = await store.get_history("shared")
            assert [(one.seq, one.content) for one in history] == acknowledged
            assert [one.seq for one in history] == list(range(1, len(history) + 1))
        if how == "tmpfs":
            # What is full from the start, and what may not be written, is no place for a store.
            try:
                filler.write_bytes(bytes(13_000_000))
            except OSError:
                pass
            await refused(open_store(path))
            await refused(open_store(path.with_name("another.db")))
            path.with_name("another.db").unlink()
            filler.unlink()
        Path(out).write_bytes(path.read_bytes())
        print(len(acknowledged))

    asyncio.run(main())
"""


def unshared(program: str, *arguments: object) -> str:
    """Run a program that mounts for itself only, and whose mounts end with it."""
    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-W", "error", "-c", textwrap.dedent(program)]
        + [str(argument) for argument in arguments],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def mounting() -> None:
    """Skip where nothing may be mounted."""
    if os.geteuid() or not (shutil.which("unshare") and shutil.which("mount")):
        pytest.skip("only root may mount")
    shell = [
        "unshare",
        "-m",
        "mount",
        "-t",
        "tmpfs",
        "-o",
        "size=1m",
        "none",
        tempfile.gettempdir(),
    ]
    if subprocess.run(shell, capture_output=True).returncode:
        pytest.skip("mounting is not permitted here")


async def _filled(path: Path, count: int) -> None:
    whole(path)
    async with open_store(path) as store:
        found = texts(await store.get_history("shared"))
        assert len(found) == count
        assert [text.split()[0] for text in found[-100:]] == ["after"] * 100


@pytest.mark.usefixtures("mounting")
async def test_a_disk_that_is_full_until_there_is_room(tmp_path: Path) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    out = unshared(FULL, "tmpfs", folder, tmp_path / "copy.db")
    await _filled(tmp_path / "copy.db", int(out))


async def test_a_file_that_may_not_grow_until_it_may(tmp_path: Path) -> None:
    folder = tmp_path / "limited"
    folder.mkdir()
    out = run(FULL, "limit", folder, tmp_path / "copy.db")
    await _filled(tmp_path / "copy.db", int(out))
