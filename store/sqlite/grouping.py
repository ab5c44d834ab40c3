"""Writes that wait together share one transaction.

A commit costs as much as several small writes. While one runs, others gather behind it; the next
commit takes them all. When one of them fails, nothing of their transaction stays and each is done
alone: an error is only its own.
"""

from __future__ import annotations

import asyncio
import math
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import Context
from typing import Any, Generic, TypeVar

from store.errors import StoreBusy

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_MOST_AT_ONCE = 64
_GROUP_SECONDS = 0.05  # for which a transaction goes on taking in writes


class Call(Generic[T]):
    """Work for a connection's thread, and the future of whoever waits for it."""

    __slots__ = ("_unclaimed", "deadline", "error", "future", "result", "work")

    def __init__(self, work: Work[T], deadline: float) -> None:
        self.work = work
        self.deadline = deadline
        self.future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self.result: T | None = None
        self.error: BaseException | None = None
        self._unclaimed = threading.Lock()

    def claim(self) -> bool:
        """Begin the work, or take it back: whoever comes first has it, and is told so."""
        return self._unclaimed.acquire(blocking=False)

    def do(self, how: Callable[[Work[T]], T]) -> None:
        """Do the work, keeping its result or its error."""
        try:
            self.result = how(self.work)
        except BaseException as error:
            self.error = error

    def deliver(self) -> None:
        """Give the outcome to who waits, in their loop. Nobody does after a cancellation."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)  # type: ignore[arg-type]
        else:
            self.future.set_exception(self.error)


def answer(calls: Sequence[Call[Any]]) -> None:
    """Deliver outcomes from a connection's thread, waking each loop once."""
    for loop in {call.future.get_loop() for call in calls}:
        with suppress(RuntimeError):  # in a loop that is closed nobody waits
            loop.call_soon_threadsafe(
                _deliver, [call for call in calls if call.future.get_loop() is loop]
            )


def _deliver(calls: Sequence[Call[Any]]) -> None:
    for call in calls:
        call.deliver()


class Patience:
    """Ends the waiting of calls that nobody has begun by their deadline.

    One timer looks after them all: one for each would cost more than all else in a small call.
    """

    def __init__(self, refusal: str) -> None:
        self._refusal = refusal
        self._waiting: set[Call[Any]] = set()
        self._next = math.inf

    def watch(self, call: Call[Any]) -> None:
        """Look after a call until it is forgotten."""
        self._waiting.add(call)
        if call.deadline < self._next:
            self._next = call.deadline
            wait = call.deadline - time.monotonic()
            # In a context of its own: the caller's would stay in memory for as long.
            call.future.get_loop().call_later(wait, self._look, self._next, context=Context())

    def forget(self, call: Call[Any]) -> None:
        """Look after a call no longer: it has its answer."""
        self._waiting.remove(call)

    def _look(self, present: float) -> None:
        self._next = math.inf
        for call in list(self._waiting):
            if call.deadline > present:
                self.watch(call)
            elif call.claim() and not call.future.done():
                call.future.set_exception(StoreBusy(self._refusal))


class Writes:
    """The writes that wait for one connection, and how they are done together."""

    def __init__(self, after_commit: Work[None] | None = None) -> None:
        self.after_commit = after_commit
        self._waiting: deque[Call[Any]] = deque()

    def add(self, write: Call[Any]) -> None:
        """Let a write wait until it, or one before it, has its turn."""
        self._waiting.append(write)

    def do_waiting(self, db: sqlite3.Connection) -> None:
        """Do the writes that wait, in their order. Called in the connection's thread."""
        writes: list[Call[Any]] = []
        while self._waiting and len(writes) < _MOST_AT_ONCE:
            write = self._waiting.popleft()
            if write.claim():
                writes.append(write)
        while writes:
            done = _do_first(db, writes)
            if self.after_commit is not None and any(write.error is None for write in done):
                self.after_commit(db)
            answer(done)
            writes = writes[len(done) :]


def _do_first(db: sqlite3.Connection, writes: Sequence[Call[Any]]) -> Sequence[Call[Any]]:
    """Do the first of these writes, in one transaction if they can be had so."""
    begun: list[Call[Any]] = []

    def each(db: sqlite3.Connection) -> None:
        until = time.monotonic() + _GROUP_SECONDS
        for write in writes:
            begun.append(write)
            write.result = write.work(db)
            if time.monotonic() > until:
                break

    if len(writes) > 1:
        with suppress(Exception):
            in_transaction(db, each, writes[0].deadline)
            return begun
    alone = begun or writes
    for write in alone:
        write.do(lambda work, write=write: in_transaction(db, work, write.deadline))  # type: ignore[misc]
    return alone


def in_transaction(db: sqlite3.Connection, work: Work[T], deadline: float) -> T:
    """Run `work` between BEGIN IMMEDIATE and COMMIT, waiting for the lock until `deadline`.

    Immediate, because a transaction that reads first and writes later fails at once when
    somebody else has written in between, whatever the timeout.
    """
    # In tenths of a second: the same few statements, which SQLite then need not prepare anew.
    patience = max(0, math.ceil((deadline - time.monotonic()) * 10)) * 100
    db.execute(f"PRAGMA busy_timeout = {patience}")
    db.execute("BEGIN IMMEDIATE")
    try:
        result = work(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return result
