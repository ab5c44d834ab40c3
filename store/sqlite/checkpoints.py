"""Bringing the write-ahead log into the database file, one process at a time.

SQLite 3.7.0 to 3.51.2 can damage a database when two connections write and checkpoint in the same
instant (https://sqlite.org/wal.html#walresetbug). So no connection checkpoints by itself: the one
that has just written does, while it holds a lock file that every process asks for.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path

LOG_LIMIT = 4 * 1024 * 1024  # as much as SQLite's own thousand pages
PAUSE = 1.0  # seconds from one checkpoint to the next
_FIXED_IN = (3, 51, 3)


def is_affected() -> bool:
    """Say whether the SQLite that Python is linked with has the bug."""
    return sqlite3.sqlite_version_info < _FIXED_IN


class Checkpoints:
    """Decides after a commit whether the log is long enough, and whose turn it is."""

    def __init__(self, database: str) -> None:
        self._log = Path(f"{database}-wal")
        self._lock = f"{database}-checkpoint"
        self._next = 0.0

    def after_commit(self, db: sqlite3.Connection) -> None:
        """Checkpoint if the log is long and no other process is at it. Never fails a commit."""
        try:
            # The log's file never shrinks by itself: its size says only that it was long once.
            if time.monotonic() < self._next or self._log.stat().st_size < LOG_LIMIT:
                return
            self._next = time.monotonic() + PAUSE
            descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return  # no log, or no room for the lock: the next commit will see
        try:
            # The log stays as it is when others hold the lock or read from it: there is no hurry.
            with suppress(BlockingIOError, sqlite3.Error):
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        finally:
            os.close(descriptor)
