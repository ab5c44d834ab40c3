"""The store beside raw sqlite3: `python -m tests.benchmarks.store [--quick]` prints the figures.

Store and floor take turns in one run; every figure is the median of several rounds. Compare the
ratios: the times belong to the machine and to what else it was doing.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import platform
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from store import Message, NewMessage, Role, StoreError
from store.sqlite.engine import SqliteStore
from tests.benchmarks.floor import TEXT, Call, Raw, Taken, in_turns, longest_stall, make, middle

QUICK = "--quick" in sys.argv
WRITERS = 8
PROCESSES = 4
WIDTHS = (44, 14, 14, 16, 16)


@dataclass(frozen=True)
class Scale:
    rounds: int
    appends: int
    history: int
    sessions: int
    tasks: int
    by_process: int


FULL = Scale(9, 400, 100_000, 5_000, 50_000, 500)
SCALE = Scale(3, 80, 20_000, 1_000, 5_000, 100) if QUICK else FULL


missed: list[str] = []


def line(*cells: str) -> None:
    print(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=False)).rstrip()
    )


def result(what: str, store: str, floor: str, figure: str, goal: str, reached: bool) -> None:
    if not reached:
        missed.append(f"{what}: {figure}, to reach {goal}")
    line(what, store, floor, figure + ("" if reached else " MISSED"), goal)


def ratio(what: str, taken: Taken, most: float) -> None:
    times, floor = f"{taken.store:.0f} us", f"{taken.raw:.0f} us"
    result(what, times, floor, f"{taken.ratio:.2f} x", f"{most:g} x raw", taken.ratio <= most)


async def appending(folder: Path) -> None:
    """Rows a, b and c: appends, one at a time, by several tasks, in batches."""
    path = make(folder / "store.db", WRITERS)
    count = SCALE.appends
    with closing(Raw(make(folder / "raw.db", WRITERS)).without_triggers()) as raw:
        async with await SqliteStore.open(path) as store:

            async def append(n: int, times: int) -> None:
                for _ in range(times):
                    await store.save_message(f"task-{n}", "user", TEXT)

            async def together(same: bool) -> None:
                each = count // WRITERS
                await asyncio.gather(*(append(1 if same else n + 1, each) for n in range(WRITERS)))

            def one_by_one(histories: int) -> None:
                for number in range(count):
                    raw.append(number % histories + 1)

            calls: tuple[tuple[str, Call, int, float], ...] = (
                ("a  append one message", lambda: append(1, count), 1, 2),
                (f"b  {WRITERS} tasks, a history each", lambda: together(same=False), WRITERS, 1),
                (f"b  {WRITERS} tasks, one history", lambda: together(same=True), 1, 1),
            )
            for what, call, histories, most in calls:
                floor = partial(one_by_one, histories)
                ratio(what, await in_turns(call, floor, count, SCALE.rounds), most)
            for size, times in ((100, 10), (5_000, 1)):
                batch = [NewMessage(role=Role.USER, content=TEXT)] * size

                async def save(batch: list[NewMessage] = batch, times: int = times) -> None:
                    for _ in range(times):
                        await store.save_messages("task-1", batch)

                def bulk(size: int = size, times: int = times) -> None:
                    for _ in range(times):
                        raw.append(1, size)

                taken = await in_turns(save, bulk, size * times, SCALE.rounds)
                figures = f"{taken.store:.1f} us", f"{taken.raw:.1f} us", f"{taken.ratio:.2f} x"
                result(
                    f"c  a message of a batch of {size:,}", *figures, "2 x raw", taken.ratio <= 2
                )


async def page(
    what: str, store: SqliteStore, call: Call, raw: Callable[[], int], most: float
) -> None:
    """One call many times; what counts is its time without the hop to a thread and back."""
    times = 100

    async def calls() -> None:
        for _ in range(times):
            await call()

    async def hops() -> None:
        for _ in range(times):
            await store._read(lambda db: None)

    def raws() -> None:
        for _ in range(times):
            assert raw() == 50

    taken = await in_turns(calls, raws, times, SCALE.rounds)
    hop = (await in_turns(hops, raws, times, SCALE.rounds)).store
    beyond = (taken.store - hop) / 1000
    result(
        what,
        f"{taken.store / 1000:.2f} ms",
        f"{taken.raw / 1000:.2f} ms",
        f"{beyond:.2f} ms + {hop / 1000:.2f}",
        f"{most:g} ms",
        beyond <= most,
    )


async def pages(folder: Path) -> None:
    """Rows d and e: the end of a long history, the first page of a long list."""
    path = make(folder / "history.db", 1, long=SCALE.history)
    with closing(Raw(path)) as raw:
        async with await SqliteStore.open(path) as store:
            what = f"d  last 50 of {SCALE.history:,} messages"
            await page(what, store, lambda: store.get_history("task-1", limit=50), raw.last, 1)
    path = make(folder / "sessions.db", SCALE.sessions, each=3)
    with closing(Raw(path)) as raw:
        async with await SqliteStore.open(path) as store:
            what = f"first 50 of {SCALE.sessions:,}"
            await page(f"e  list_sessions, {what}", store, store.list_sessions, raw.sessions, 0.5)
            await page(f"e  list_tasks, {what}", store, store.list_tasks, raw.tasks, 0.5)


async def stalls(folder: Path) -> None:
    """Row f: what a call at scale does to everything else on the event loop."""
    some = 5_000
    path = make(folder / "many.db", SCALE.tasks, each=1, long=some)
    long = make(folder / "long.db", 1, long=SCALE.history)
    batch = [NewMessage(role=Role.USER, content=TEXT)] * some
    async with await SqliteStore.open(path) as store, await SqliteStore.open(long) as other:

        async def walk() -> int:
            return len([message.seq async for message in other.iter_history("task-1")])

        calls: dict[str, Call] = {
            "nothing (the floor)": lambda: asyncio.sleep(0.1),
            f"list_task_ids, {SCALE.tasks:,}": store.list_task_ids,
            "list_tasks": store.list_tasks,
            "list_sessions": store.list_sessions,
            f"get_history, {some:,}": lambda: store.get_history("task-1", limit=some),
            f"get_history, {SCALE.history:,}": lambda: other.get_history("task-1"),
            f"iter_history, {SCALE.history:,}": walk,
            f"save_messages, {some:,}": lambda: store.save_messages("task-2", batch),
        }
        taken: dict[str, list[tuple[float, float]]] = {what: [] for what in calls}
        for _ in range(SCALE.rounds):
            for what, call in calls.items():
                taken[what].append(await longest_stall(call))
        floor = middle([stall for stall, _ in taken["nothing (the floor)"]])
        for what, measured in taken.items():
            stall, took = (middle(times) for times in zip(*measured, strict=True))
            figure = f"{stall:.1f} ms"
            result(f"f  {what}", f"{took:.1f} ms", f"{floor:.1f} ms", figure, "20 ms", stall <= 20)


Told = tuple[int, float, float]


def write(path: Path, raw: bool, count: int, barrier: Barrier, told: SimpleQueue[Told]) -> None:
    """Be one of several processes: append, and tell how often that was refused, and when."""

    async def append() -> Told:
        refused = 0
        async with await SqliteStore.open(path) as store:
            barrier.wait()
            began = time.monotonic()
            for _ in range(count):
                try:
                    await store.save_message("task-1", "user", TEXT)
                except StoreError:
                    refused += 1
            return refused, began, time.monotonic()

    def append_raw() -> Told:
        refused = 0
        with closing(Raw(path)) as db:
            barrier.wait()
            began = time.monotonic()
            for _ in range(count):
                try:
                    db.append(1)
                except sqlite3.OperationalError:
                    refused += 1
            return refused, began, time.monotonic()

    told.put(append_raw() if raw else asyncio.run(append()))


def all_at_once(path: Path, *, raw: bool) -> tuple[int, float]:
    """Let processes write one history; give how many messages were refused, and the speed."""
    context = multiprocessing.get_context("spawn")
    barrier, told = context.Barrier(PROCESSES), context.SimpleQueue()
    given = (path, raw, SCALE.by_process, barrier, told)
    running = [context.Process(target=write, args=given) for _ in range(PROCESSES)]
    for process in running:
        process.start()
    heard: list[Told] = [told.get() for _ in running]
    for process in running:
        process.join()
    took = max(end for _, _, end in heard) - min(began for _, began, _ in heard)
    return sum(refused for refused, _, _ in heard), PROCESSES * SCALE.by_process / took


async def processes(folder: Path) -> None:
    """Row g: several processes write one history."""
    speeds, floors, refused, lost, gaps = [], [], 0, 0, 0
    for number in range(3):
        path = make(folder / f"shared-{number}.db", 1)
        no, of_store = all_at_once(path, raw=False)
        refused += no
        speeds.append(of_store)
        async with await SqliteStore.open(path) as store:
            history: list[Message] = await store.get_history("task-1")
        lost += PROCESSES * SCALE.by_process - no - len(history)
        seqs = sorted(message.seq for message in history)
        gaps += sum(seq != place for place, seq in enumerate(seqs, 1))
        floors.append(all_at_once(make(folder / f"shared-raw-{number}.db", 1), raw=True)[1])
    figure = f"{refused} / {lost} / {gaps}"
    speed, floor = (f"{middle(each):,.0f} /s" for each in (speeds, floors))
    what = f"g  {PROCESSES} processes: refused, lost, gaps"
    result(what, speed, floor, figure, "0 / 0 / 0", not refused + lost + gaps)


async def main() -> None:
    version = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    load = os.getloadavg()[0]
    print(f"{version}, {os.cpu_count()} cores, load {load:.1f}, {platform.platform()}")
    print(f"medians of {SCALE.rounds} rounds{', a quick look only' if QUICK else ''}\n")
    line("what", "store", "raw sqlite3", "result", "to reach")
    with tempfile.TemporaryDirectory() as name:
        for measure in (appending, pages, stalls, processes):
            await measure(Path(name))
    print("\n" + "\n".join(["Missed:", *missed] if missed else ["Every number is reached."]))


if __name__ == "__main__":
    asyncio.run(main())
