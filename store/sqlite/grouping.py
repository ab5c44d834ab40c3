"""Writes that wait together share one transaction.

A commit costs as much as several small writes. While one runs, others gather behind it; the next
commit takes them all. Each has a savepoint of its own, so that one that fails takes nothing with
it, and each is run alone when the shared transaction cannot be had.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]

_MOST_AT_ONCE = 64


class Call(Generic[T]):
    """Work on its way to a connection's thread. It can be withdrawn until it has begun."""

    def __init__(self, run: Callable[[], T]) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._begun = False
        self._withdrawn = False

    def __call__(self) -> T | None:
        """Do the work, unless it was withdrawn."""
        return self._run() if self.begin() else None

    def begin(self) -> bool:
        """Take the work up. False when it was withdrawn."""
        with self._lock:
            self._begun = not self._withdrawn
            return self._begun

    def withdraw(self) -> bool:
        """Take the work back. False when it has begun, and will be done."""
        with self._lock:
            self._withdrawn = not self._begun
            return self._withdrawn


class Write(Call[T]):
    """One write among those that wait; whichever is called first does them all."""

    def __init__(self, writes: Writes, work: Work[T], deadline: float) -> None:
        super().__init__(self._outcome)
        self.work = work
        self.deadline = deadline
        self.is_done = False
        self.result: T | None = None
        self.error: BaseException | None = None
        self._writes = writes

    def __call__(self) -> T | None:
        """Do this write and those that wait with it, unless one of them has."""
        if not self.is_done and self.begin():
            self._writes.do_waiting()
        return self._outcome() if self.is_done else None

    def end(self, result: T | None, error: BaseException | None) -> None:
        """Note how the write ended."""
        self.is_done, self.result, self.error = True, result, error

    def _outcome(self) -> T:
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]


class Writes:
    """The writes that wait for one connection, and how they are done together."""

    def __init__(
        self, connection: Callable[[], sqlite3.Connection], after_commit: Work[None] | None
    ) -> None:
        self._connection = connection
        self._after_commit = after_commit
        self._waiting: deque[Write[Any]] = deque()

    def add(self, work: Work[T], deadline: float) -> Write[T]:
        """Let a write wait; it is done when it, or one before it, is called."""
        write = Write(self, work, deadline)
        self._waiting.append(write)
        return write

    def do_waiting(self) -> None:
        """Do the writes that wait, in their order. Called in the connection's thread."""
        writes: list[Write[Any]] = []
        while self._waiting and len(writes) < _MOST_AT_ONCE:
            write = self._waiting.popleft()
            if write.begin():
                writes.append(write)
        db = self._connection()
        if len(writes) < 2 or not _do_together(db, writes):
            for write in writes:
                _do_alone(db, write)
        if self._after_commit is not None and any(write.error is None for write in writes):
            self._after_commit(db)


def _do_alone(db: sqlite3.Connection, write: Write[Any]) -> None:
    try:
        write.end(in_transaction(db, write.work, write.deadline), None)
    except BaseException as error:
        write.end(None, error)


def _do_together(db: sqlite3.Connection, writes: list[Write[Any]]) -> bool:
    """Do writes in one transaction. False when nothing is done, and each has to go alone."""

    def each(db: sqlite3.Connection) -> list[tuple[Any, BaseException | None]]:
        return [_in_savepoint(db, write.work) for write in writes]

    try:
        ends = in_transaction(db, each, min(write.deadline for write in writes))
    except sqlite3.Error:
        return False
    for write, (result, error) in zip(writes, ends, strict=True):
        write.end(result, error)
    return True


def _in_savepoint(db: sqlite3.Connection, work: Work[T]) -> tuple[T | None, BaseException | None]:
    db.execute("SAVEPOINT one")
    try:
        end: tuple[T | None, BaseException | None] = work(db), None
    except BaseException as error:
        if not db.in_transaction:  # SQLite has undone all of it: a full disk, say
            raise sqlite3.OperationalError("the shared transaction is gone") from error
        db.execute("ROLLBACK TO one")
        end = None, error
    db.execute("RELEASE one")
    return end


def in_transaction(db: sqlite3.Connection, work: Work[T], deadline: float) -> T:
    """Run `work` between BEGIN IMMEDIATE and COMMIT, waiting for the lock until `deadline`.

    Immediate, because a transaction that reads first and writes later fails at once when
    somebody else has written in between, whatever the timeout.
    """
    patience = max(0, int((deadline - time.monotonic()) * 1000))
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
