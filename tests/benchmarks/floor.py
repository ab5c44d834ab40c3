"""The floor of the store's benchmark: the same rows written and read with sqlite3 alone.

The statements are those that the work cannot do without; the pragmas and the schema are the
store's own. Nothing there checks, converts or waits in line. Store and floor are measured in turns.
"""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import statistics
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from store.sqlite import index, migrate

TICK = 0.001
START = 1_768_392_000_000_000  # noon, 2026-01-14, in microseconds
PRAGMAS = (
    *("busy_timeout = 5000", "journal_mode = WAL", "journal_size_limit = 67108864"),
    *("foreign_keys = ON", "synchronous = NORMAL", "cache_size = -16000", "temp_store = MEMORY"),
)
TEXT = "The retry should back off, and say in one line what it waits for. " * 6

Values = tuple[object, ...]
Call = Callable[[], Awaitable[object]]

_MESSAGE = """INSERT INTO message (task, seq, at, role, kind, content, tool_name, tool_call_id,
    is_error, model, is_prompt, on_branch, inherited, key)
    VALUES (?, ?, ?, 'user', 'text', ?, NULL, NULL, 0, NULL, 0, 1, 0, NULL)"""
_ENTRY = "INSERT INTO search_entry (place, message, task) VALUES (?, ?, ?)"
_WORDS = "INSERT INTO search_prose (rowid, words) VALUES (?, ?)"
_TRIGGERS = "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'search_%'"
_COUNT = """UPDATE task SET message_count = message_count + ?, last_seq = last_seq + ?,
    last_message_at = ?, updated_at = ? WHERE n = ? RETURNING last_seq"""
_TASK = """INSERT INTO task (n, id, tenant_id, title, title_from, status, origin, notes,
    project_path, created_at, updated_at)
    VALUES (?, ?, 'local', ?, 'person', 'open', 'person', '', ?, ?, ?)"""
_SESSION = """INSERT INTO session (task, tenant_id, backend, namespace, session_id, status, root,
    project_path, context, traits, created_at, updated_at)
    VALUES (?, 'local', 'claude', '', ?, 'paused', '', ?, '{}', '{}', ?, ?)"""
_LAST = """SELECT seq, at, role, kind, content, tool_name, tool_call_id, is_error, model, is_prompt,
    on_branch, inherited, key FROM message WHERE task = 1 ORDER BY at DESC, seq DESC LIMIT 50"""
_SESSIONS = """SELECT task.id, task.message_count, task.last_message_at, session.*
    FROM session JOIN task ON task.n = session.task
    ORDER BY session.created_at DESC, session.task DESC LIMIT 50"""
_TASKS = """SELECT task.*, session.*, last.role, last.kind,
    (SELECT id FROM task AS other WHERE other.n = task.parent),
    (SELECT id FROM task AS other WHERE other.n = task.fork_of),
    (SELECT json_group_array(name) FROM tag WHERE tag.task = task.n),
    (SELECT count(*) FROM task AS child WHERE child.parent = task.n)
    FROM task LEFT JOIN session ON session.task = task.n
    LEFT JOIN message AS last ON last.id = (
        SELECT id FROM message WHERE message.task = task.n ORDER BY at DESC, seq DESC LIMIT 1)
    WHERE task.tenant_id = 'local' AND task.origin = 'person' AND task.archived_at IS NULL
    AND (task.message_count > 0 OR session.task IS NULL)
    ORDER BY task.active_at DESC, task.n DESC LIMIT 50"""


class Raw:
    """One connection to a file of the store's schema."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None)
        for pragma in PRAGMAS:
            self.db.execute(f"PRAGMA {pragma}")

    def close(self) -> None:
        self.db.close()

    def without_triggers(self) -> Raw:
        """Let nobody note what is to be put into the index of the full text: `append` does it."""
        for (trigger,) in self.db.execute(_TRIGGERS).fetchall():
            self.db.execute(f"DROP TRIGGER {trigger}")
        return self

    def append(self, n: int, count: int = 1) -> None:
        """Append messages to the history of task `n`, and their words, in one transaction."""
        db, at = self.db, time.time_ns() // 1000
        db.execute("BEGIN IMMEDIATE")
        [(last,)] = db.execute(_COUNT, (count, count, at, at, n)).fetchall()
        if count == 1:
            message = db.execute(_MESSAGE, (n, last, at, TEXT)).lastrowid
            db.execute(_ENTRY, (message, message, n))
            db.execute(_WORDS, (message, TEXT))
        else:
            rows = ((n, seq, at, TEXT) for seq in range(last + 1 - count, last + 1))
            db.executemany(_MESSAGE, rows)
            [(message,)] = db.execute("SELECT max(id) FROM message")
            numbers = range(message + 1 - count, message + 1)
            db.executemany(_ENTRY, ((number, number, n) for number in numbers))
            db.executemany(_WORDS, ((number, TEXT) for number in numbers))
        db.execute("COMMIT")

    def last(self) -> int:
        return len(self.db.execute(_LAST).fetchall())

    def sessions(self) -> int:
        return len(self.db.execute(_SESSIONS).fetchall())

    def tasks(self) -> int:
        return len(self.db.execute(_TASKS).fetchall())


def make(path: Path, tasks: int, *, each: int = 0, long: int = 0) -> Path:
    """Make a store's file: tasks `task-1`, ... with a session and `each` messages; `long` in 1."""
    with closing(Raw(path)) as raw:
        raw.db.execute("PRAGMA synchronous = OFF")
        migrate.migrate(raw.db, str(path), allowed=True, deadline=time.monotonic() + 5)
        raw.db.execute("BEGIN IMMEDIATE")
        for n in range(1, tasks + 1):
            folder, made = f"/home/ada/src/project-{n % 200}", START + n
            raw.db.execute(_TASK, (n, f"task-{n}", f"Task {n}: {TEXT[:30]}", folder, made, made))
            raw.db.execute(_SESSION, (n, f"session-{n}", folder, made, made))
            count = long if long and n == 1 else each
            # A third of the messages share their moment with the one before.
            rows: Iterable[Values] = (
                (n, seq, made + 1_000_000 * (seq - seq % 3 // 2), TEXT)
                for seq in range(1, count + 1)
            )
            raw.db.executemany(_MESSAGE, rows)
            if count:
                at = made + 1_000_000 * count
                raw.db.execute(_COUNT, (count, count, at, at, n)).fetchall()
        raw.db.execute("COMMIT")
        while index.work_off(raw.db):
            pass
        raw.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


class Taken(NamedTuple):
    """What one measurement gave: the store's time, the floor's, and the ratio round by round."""

    store: float
    raw: float
    ratio: float


def micros(began: float, count: int = 1) -> float:
    """Give the time since `began`, shared by `count`, in microseconds."""
    return (time.perf_counter() - began) / count * 1e6


def middle(values: Sequence[float]) -> float:
    return statistics.median(values)


async def in_turns(store: Call, raw: Callable[[], object], count: int, rounds: int) -> Taken:
    """Let store and floor do the same `count` things, round by round."""
    stores, raws = [], []
    for number in range(rounds + 1):
        gc.collect()
        began = time.perf_counter()
        await store()
        of_store = micros(began, count)
        began = time.perf_counter()
        raw()
        if number:  # the first round warms both
            stores.append(of_store)
            raws.append(micros(began, count))
    ratios = [one / other for one, other in zip(stores, raws, strict=True)]
    return Taken(middle(stores), middle(raws), middle(ratios))


async def longest_stall(call: Call) -> tuple[float, float]:
    """Give the longest time between two turns of the loop while a call runs, and the call's."""
    gaps = [0.0]

    async def tick() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(TICK)
            now = time.perf_counter()
            gaps.append(now - last - TICK)
            last = now

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(5 * TICK)
    gaps.clear()
    began = time.perf_counter()
    kept = await call()
    took = time.perf_counter() - began
    await asyncio.sleep(2 * TICK)  # the gap that the call ended in counts, too
    ticking.cancel()
    del kept
    return max(gaps) * 1000, took * 1000
