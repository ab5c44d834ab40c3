"""Processes killed at any moment, and processes that make one store at the same moment."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from store import open_store
from store.sqlite import migrate
from tests.store.helpers import ROOT, new_task, run, said

BATCH = 7

# Forks children, since starting an interpreter takes longer than what is to be killed.
# A child writes what it was acknowledged to a file, in one system call each.
NURSERY = """
    import asyncio, json, os, random, signal, sys, time
    from pathlib import Path
    from store import NewMessage, Role, Task, open_store
    from store.sqlite import engine, migrate

    plan = json.loads(sys.argv[1])
    if plan.get("no_wal"):
        migrate.use_wal = lambda db, deadline: "delete"

    async def append(path, name, batch, count, acks):
        def acknowledged(**facts):
            os.write(acks, json.dumps(facts).encode() + b"\\n")

        async with open_store(path) as store:
            acknowledged(opened=True)
            if await store.count_tasks() == 0:
                await store.save_task(Task(id="shared"))
                acknowledged(task=True)
            for n in range(count):
                if batch == 1:
                    saved = [await store.save_message("shared", "user", f"{name} {n}")]
                else:
                    new = [NewMessage(role=Role.USER, content=f"{name} {n}")] * batch
                    saved = await store.save_messages("shared", new)
                acknowledged(n=n, seqs=[message.seq for message in saved])

    def bear(child):
        acks = os.open(child["acks"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        pid = os.fork()
        if pid:
            os.close(acks)
            return pid
        status = 1
        try:
            asyncio.run(append(child["path"], child["name"], child["batch"], child["count"], acks))
            status = 0
        finally:
            os._exit(status)

    def time_of_one(path):
        # How long the machine takes now: moments are spread over multiples of that.
        began = time.monotonic()
        child = {"path": path, "name": "timed", "batch": 1, "count": 8, "acks": path + ".acks"}
        assert os.waitpid(bear(child), 0)[1] == 0
        return time.monotonic() - began

    chance = random.Random(plan["seed"])
    unit = min(time_of_one(f"{plan['folder']}/timed{n}.db") for n in range(3))
    for group in plan["groups"]:
        alive = []
        for child in group["children"]:
            alive.append((time.monotonic() + chance.random() * plan["spread"] * unit, bear(child)))
        survivors = [bear(child) for child in group.get("survivors", ())]
        for moment, pid in sorted(alive):
            time.sleep(max(0, moment - time.monotonic()))
            os.kill(pid, signal.SIGKILL)
            assert os.waitpid(pid, 0)[1] == signal.SIGKILL, "it ended by itself"
        for pid in survivors:
            assert os.waitpid(pid, 0)[1] == 0, "a writer that was not killed failed"
"""


def _child(path: Path, name: str, batch: int = 1, count: int = 1_000_000) -> dict[str, Any]:
    acks = str(path.with_suffix(f".{name}.acks"))
    return {"path": str(path), "name": name, "batch": batch, "count": count, "acks": acks}


def _acks(child: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give what a child was acknowledged; it may have died before its first word."""
    path = Path(child["acks"])
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _groups(children: Sequence[dict[str, Any]], size: int = 4) -> list[dict[str, Any]]:
    return [{"children": children[n : n + size]} for n in range(0, len(children), size)]


def whole(path: Path) -> None:
    """See on a copy, without the store, that what a dead process left holds together."""
    copy = path.with_name(f"copy of {path.name}")
    for end in ("", "-wal", "-journal"):
        left = Path(f"{path}{end}")
        if left.exists():
            shutil.copy(left, f"{copy}{end}")
    with closing(sqlite3.connect(copy, isolation_level=None)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
        number = db.execute("PRAGMA user_version").fetchone()[0]
        tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        assert (number == 0) == (tables == 0), "migrated in part"
        if not tables:
            return
        assert db.execute("SELECT count(*) FROM migration").fetchone()[0] == number
        for row in db.execute(
            """
            SELECT message_count, last_seq, count(message.id), coalesce(max(seq), 0),
                   coalesce(min(seq), 1)
            FROM task LEFT JOIN message ON message.task = task.n GROUP BY task.n
            """
        ):
            count, last, rows, highest, lowest = row
            assert (count, last, highest, lowest) == (rows, rows, rows, 1)


async def _kept(path: Path, children: Sequence[Mapping[str, Any]]) -> None:
    """See that a store has everything that anybody was acknowledged, and works."""
    whole(path)
    async with open_store(path) as store:
        if not await store.count_tasks():
            assert not any("task" in ack or "n" in ack for one in children for ack in _acks(one))
            await new_task(store, id="shared")
        history = await store.get_history("shared")
        assert sorted(message.seq for message in history) == list(range(1, len(history) + 1))
        content = {message.seq: message.content for message in history}
        assert (await store.get_task("shared")).message_count == len(history)
        counts = Counter(content.values())
        for child in children:
            for ack in _acks(child):
                for seq in ack.get("seqs", ()):
                    assert content.get(seq) == f"{child['name']} {ack['n']}", "lost"
            own = {count for text, count in counts.items() if text.startswith(child["name"])}
            assert own <= {child["batch"]}, "a batch is there in part"
        assert (await store.save_message("shared", "user", "on")).seq == len(history) + 1
    whole(path)


async def _existing(path: Path) -> Path:
    path.parent.mkdir(exist_ok=True)
    async with open_store(path) as store:
        await new_task(store, id="shared")
    return path


def _plan(folder: Path, groups: list[dict[str, Any]], spread: float, **more: object) -> None:
    folder.mkdir(exist_ok=True)
    plan = {"seed": 11, "folder": str(folder), "groups": groups, "spread": spread} | more
    run(NURSERY, json.dumps(plan))


@pytest.mark.parametrize("journal", ["wal", "delete"])
@pytest.mark.parametrize("batch", [1, BATCH])
async def test_killed_while_writing(tmp_path: Path, batch: int, journal: str) -> None:
    kills = 16 if journal == "wal" else 6
    paths = [await _existing(tmp_path / str(n) / "b.db") for n in range(kills)]
    if journal == "delete":
        for path in paths:
            with closing(sqlite3.connect(path)) as db:
                assert db.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    children = [_child(path, "doomed", batch) for path in paths]
    _plan(tmp_path, _groups(children), spread=6, no_wal=journal == "delete")
    for child in children:
        await _kept(Path(child["path"]), [child])
    writing = [child for child in children if any("n" in ack for ack in _acks(child))]
    assert len(writing) >= kills // 3, "killed before they had begun"


async def test_killed_while_making_the_store(tmp_path: Path) -> None:
    children = []
    for n in range(16):
        (tmp_path / str(n)).mkdir()
        children.append(_child(tmp_path / str(n) / "b.db", "doomed"))
    _plan(tmp_path, _groups(children), spread=1.5)
    opened = [bool(_acks(child)) for child in children]
    assert any(opened), "killed too soon every time"
    assert not all(opened), "killed too late every time"
    for child in children:
        await _kept(Path(child["path"]), [child])


async def test_killed_beside_another_that_writes(tmp_path: Path) -> None:
    groups, families = [], []
    for n in range(4):
        path = await _existing(tmp_path / str(n) / "b.db")
        doomed = [_child(path, name, batch) for name, batch in (("a", 1), ("b", BATCH), ("c", 1))]
        survivor = _child(path, "survivor", count=150)
        groups.append({"children": doomed, "survivors": [survivor]})
        families.append((path, survivor, [*doomed, survivor]))
    _plan(tmp_path, groups, spread=5)
    for path, survivor, family in families:
        assert sum("n" in ack for ack in _acks(survivor)) == 150
        await _kept(path, family)
    assert any("n" in ack for _, _, family in families for ack in _acks(family[0]))


MAKE = """
    import asyncio, sys
    from store import Task, open_store

    async def main():
        async with open_store(sys.argv[1]) as store:
            await store.save_task(Task(id="shared"))
            print("acknowledged", flush=True)

    asyncio.run(main())
"""


def strace(
    program: str, *arguments: object, calls: str, fault: str, log: Path, only: Path
) -> tuple[int, str]:
    """Run a program whose system calls on a database fail as told; give its status and output.

    Without --seccomp-bpf, with which strace 6.1 does not count the calls.
    """
    files = (only, *(f"{only}{end}" for end in ("-wal", "-shm", "-journal")), only.parent)
    shell = ["strace", "-f", "-qq", "-o", str(log), *(f"--trace-path={file}" for file in files)]
    shell += ["-e", f"trace={calls}", "-e", f"inject={calls}:{fault}"]
    done = subprocess.run(
        [*shell, sys.executable, "-c", textwrap.dedent(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="session")
def straced() -> None:
    """Skip where no process may be traced."""
    if shutil.which("strace") is None:
        pytest.skip("no strace here")
    shell = ["strace", "-f", "-qq", "-e", "inject=pwrite64:error=EIO:when=1"]
    if subprocess.run([*shell, "true"], capture_output=True).returncode:
        pytest.skip("tracing is not permitted here")


AT_CALLS = [
    *(("pwrite64", n) for n in (1, 2, 3, 5, 8, 20, 40, 60, 90)),
    *(("fdatasync", n) for n in (1, 2, 3, 4)),
    *(("unlink", n) for n in (1, 2, 3)),
]


@pytest.mark.usefixtures("straced")
async def test_killed_at_a_system_call_of_making_the_store(tmp_path: Path) -> None:
    def kill(at: tuple[str, int]) -> tuple[Path, str]:
        calls, n = at
        folder = tmp_path / f"{calls} {n}"
        folder.mkdir()
        fault = f"signal=SIGKILL:when={n}"
        path = folder / "b.db"
        _, out = strace(MAKE, path, calls=calls, fault=fault, log=folder / "log", only=path)
        assert out in ("", "acknowledged\n"), out
        return path, out

    with ThreadPoolExecutor(3) as pool:
        ends = list(pool.map(kill, AT_CALLS))
    # 3.40 makes the store in about 60 writes and 8 syncs: most are hit, whatever the version.
    assert sum(out == "" for _, out in ends) >= len(AT_CALLS) // 2
    for path, out in ends:
        whole(path)
        async with open_store(path) as store:
            if out:
                assert await store.list_task_ids() == ["shared"]
            else:
                assert await store.count_tasks() <= 1, "unless it died after its transaction"
            assert (await store.describe())["schema"] == migrate.latest()
            await new_task(store, id="another")


RACE = """
    import asyncio, os, sys
    from pathlib import Path
    from store import NewMessage, Role, Task, open_store
    from store.sqlite import engine

    async def race(path, name):
        async with open_store(path) as store:
            await store.save_task(Task(id=name))
            new = [NewMessage(role=Role.USER, content=name)] * 3
            assert [one.seq for one in await store.save_messages(name, new)] == [1, 2, 3]

    folder, rounds, racers = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    for round_ in range(rounds):
        gate, starter = os.pipe()
        pids = []
        for n in range(racers):
            pid = os.fork()
            if not pid:
                status = 1
                try:
                    os.close(starter)
                    os.read(gate, 1)  # ends for all of them when the parent closes its end
                    asyncio.run(race(folder / f"{round_}.db", f"racer {n}"))
                    status = 0
                except BaseException as error:
                    print(round_, n, type(error).__name__, error, file=sys.stderr, flush=True)
                finally:
                    os._exit(status)
            pids.append(pid)
        os.close(gate)
        os.close(starter)
        failed = [pid for pid in pids if os.waitpid(pid, 0)[1]]
        if failed:
            sys.exit(f"{len(failed)} failed in round {round_}")
"""


async def test_eight_processes_make_one_store_ten_times_over(tmp_path: Path) -> None:
    run(RACE, tmp_path, 10, 8)
    schemas = set()
    for n in range(10):
        path = tmp_path / f"{n}.db"
        whole(path)
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            schemas.add(tuple(db.execute("SELECT name, sql FROM sqlite_schema ORDER BY name")))
        async with open_store(path, migrate=False) as store:
            racers = sorted(await store.list_task_ids())
            assert racers == sorted(f"racer {racer}" for racer in range(8))
            await store.save_messages(racers[0], [said("on")])
    assert len(schemas) == 1, "one schema"
