"""Connections and their threads: every call is one function, run in one transaction, in one hop.

aiosqlite gives each connection a thread and a queue. Sending whole transactions through that
queue, instead of one statement at a time, makes them cheap (one thread hop) and makes them safe:
a caller that is cancelled cannot leave a transaction open, since nothing of it is left to await.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import aiosqlite

from store.errors import (
    Conflict,
    InvalidValue,
    NotAStore,
    StoreBusy,
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreUnavailable,
)
from store.protocol import WAIT_SECONDS
from store.sqlite.grouping import Call, Patience, Work, Writes, answer

T = TypeVar("T")

READERS = 3

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NOT_TEXT = "Could not decode to UTF-8"  # what follows is the content itself
_DAMAGED = {sqlite3.SQLITE_CORRUPT}
_UNAVAILABLE = {
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_IOERR: "reading or writing it failed",
    sqlite3.SQLITE_PERM: "access to it is not permitted",
    sqlite3.SQLITE_READONLY: "it is read-only",
}


def store_error(error: sqlite3.Error, name: str) -> StoreError:
    """Give SQLite's error as the store's own, naming the database."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in _BUSY:
        return StoreBusy(f"another process holds the write lock of {name}")
    if code in _DAMAGED or str(error).startswith(_NOT_TEXT):
        error = sqlite3.DatabaseError(_NOT_TEXT) if str(error).startswith(_NOT_TEXT) else error
        return StoreCorrupt(
            f"{name} is damaged ({error}); `backscroll recover` keeps it and saves what it can"
        )
    if code == sqlite3.SQLITE_NOTADB:
        return NotAStore(f"{name} is not a SQLite database")
    if code in _UNAVAILABLE:
        return StoreUnavailable(f"{name}: {_UNAVAILABLE[code]} ({error})")
    if isinstance(error, sqlite3.IntegrityError):
        return Conflict(f"{name}: {error}")
    return StoreError(f"{name}: {error}")


class Connection:
    """One SQLite connection with its thread."""

    def __init__(self, name: str, db: aiosqlite.Connection) -> None:
        self.name = name
        self._db = db
        self._writes = Writes()
        self._patience = Patience(f"{name}: its own queue did not get free")
        self._closed = False
        self._closing: asyncio.Future[None] | None = None

    @classmethod
    async def open(cls, path: str, *, name: str, setup: Work[None]) -> Connection:
        """Open a database file and prepare the connection with `setup`."""
        db = aiosqlite.connect(path, isolation_level=None, cached_statements=256)
        # A store that somebody forgot to close must not keep the interpreter from ending.
        db._thread.daemon = True
        connection = cls(name, db)
        connecting = asyncio.ensure_future(db)
        try:
            await asyncio.shield(connecting)
            await connection.run(setup, wait=WAIT_SECONDS)
        except BaseException as error:
            # In a task of its own: who is cancelled here may be cancelled once more.
            await asyncio.shield(asyncio.ensure_future(connection._abandon(connecting)))
            if isinstance(error, sqlite3.Error):
                raise store_error(error, name) from error
            raise
        return connection

    async def _abandon(self, connecting: asyncio.Future[aiosqlite.Connection]) -> None:
        # Cancelled while it connects, aiosqlite forgets the connection without closing it.
        await asyncio.wait([connecting])
        await self.close()

    async def close(self) -> None:
        """Close after everything that was sent has been done, whoever stops waiting for it."""
        if self._closing is None:
            self._closed = True
            self._closing = asyncio.ensure_future(self._db.close())
        await asyncio.shield(self._closing)

    async def run(self, work: Work[T], *, wait: float) -> T:
        """Run `work` in the connection's thread, once it is free within `wait` seconds.

        Cancelled before its turn, the work is never begun; after, it is finished unseen.
        """
        call = Call(work, time.monotonic() + wait)
        return await self._send(call, lambda: self._run(call))

    async def write(self, work: Work[T]) -> T:
        """Run `work` in an immediate transaction: committed when it returns, else undone."""
        call = Call(work, time.monotonic() + WAIT_SECONDS)
        if not self._closed:
            self._writes.add(call)
        return await self._send(call, lambda: self._writes.do_waiting(self._db._conn))

    def _run(self, call: Call[T]) -> None:
        if call.claim():
            call.do(lambda work: work(self._db._conn))
            answer([call])

    async def _send(self, call: Call[T], turn: Callable[[], None]) -> T:
        if self._closed:
            raise StoreClosed(f"the store {self.name} is closed")
        # aiosqlite's public calls run one statement each; its queue takes any function.
        self._db._tx.put_nowait((None, _once(turn)))
        self._patience.watch(call)
        try:
            return await call.future
        except asyncio.CancelledError:
            call.claim()
            raise
        except sqlite3.Error as error:
            raise store_error(error, self.name) from error
        except OverflowError as error:
            raise InvalidValue(f"a number is too large to be stored: {error}") from error
        finally:
            self._patience.forget(call)

    def after_each_commit(self, work: Work[None]) -> None:
        """Let `work` run in the connection's thread after every commit."""
        self._writes.after_commit = work

    async def read(self, work: Work[T], *, wait: float = WAIT_SECONDS) -> T:
        """Run `work` on one snapshot of the database."""
        try:
            return await self.run(lambda db: in_snapshot(db, work), wait=wait)
        except ValueError as error:
            raise StoreCorrupt(f"{self.name} holds what it never wrote: {error}") from error

    def interrupt(self) -> None:
        """Stop the statement that is running, if one is."""
        if self._db._connection is not None:
            self._db._connection.interrupt()


def _once(turn: Callable[[], None]) -> Callable[[], None]:
    """Give a function that forgets `turn` when it is called.

    aiosqlite keeps the last function of each thread until the next one: what that has read, be it
    a history's longest lines, would stay in memory with it.
    """
    turns = [turn]
    return lambda: turns.pop()()


def in_snapshot(db: sqlite3.Connection, work: Work[T]) -> T:
    """Run `work` in a read transaction, so that all its statements see the same moment."""
    if db.in_transaction:  # an interruption came just when the one before was to be ended
        db.execute("ROLLBACK")
    db.execute("BEGIN")
    try:
        return work(db)
    except BaseException as error:
        _let_go(error)
        raise
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")


def _let_go(error: BaseException | None) -> None:
    """Free what the frames of failed work hold.

    An interruption stands until no statement is under way: one cursor that is kept open, in the
    traceback of the error, and the next question is interrupted, too.
    """
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


class Readers:
    """A few connections for reading, opened when they are first needed."""

    def __init__(self, path: Path, name: str, setup: Work[None]) -> None:
        self._path = path
        self._name = name
        self._setup = setup
        self._idle: list[Connection] = []
        self._all: list[Connection] = []
        self._places = asyncio.Semaphore(READERS)
        self._closed = False

    async def read(self, work: Work[T]) -> T:
        """Run `work` on one snapshot, on whichever connection is free first."""
        if self._closed:
            raise StoreClosed(f"the store {self._name} is closed")
        began = time.monotonic()
        if not self._places.locked():
            await self._places.acquire()  # at once: a timeout would outlast the reading
        else:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await self._places.acquire()
            except TimeoutError:
                raise StoreBusy(f"{self._name}: no reading connection got free") from None
        try:
            connection = self._idle.pop() if self._idle else await self._open()
        except BaseException:
            self._places.release()
            raise
        wait = max(0.0, WAIT_SECONDS - (time.monotonic() - began))
        try:
            return await connection.read(work, wait=wait)
        except asyncio.CancelledError:
            # Nobody waits for the answer any more: the connection is wanted for the next question.
            connection.interrupt()
            raise
        finally:
            self._idle.append(connection)
            self._places.release()

    async def _open(self) -> Connection:
        connection = await Connection.open(str(self._path), name=self._name, setup=self._setup)
        if self._closed:
            await connection.close()
            raise StoreClosed(f"the store {self._name} is closed")
        self._all.append(connection)
        return connection

    async def close(self) -> None:
        """Close every connection, after what each is doing."""
        self._closed = True
        for connection in self._all:
            await connection.close()
