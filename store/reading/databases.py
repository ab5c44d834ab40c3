"""Reading an agent's SQLite database without leaving anything behind."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from store.reading.files import head_of, open_regular
from store.sources import Fingerprint

_WAIT_SECONDS = 2.0
_TRIES = 3
_MAX_COPY = 256 * 1024 * 1024
_LOG_HEADER = 32
MAGIC = b"SQLite format 3\0"
_WRITE_VERSION = 18  # the byte of the header that is 2 when there is a write-ahead log


@contextmanager
def database(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a database for reading only. Raises OSError, in words, for whatever goes wrong.

    One with a write-ahead log is read from a private copy: even a reader makes a `-wal` and
    a `-shm` beside it and leaves them there, or writes to those that are there. Only when it is
    too large, or changes faster than it can be copied, is it read in place while its agent has it
    open. The connection may be used from any thread, one at a time.
    """
    with contextlib.ExitStack() as stack:
        try:
            place = path
            if _has_log(path):
                folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="backscroll-"))
                place = _copied(path, Path(folder))
            yield stack.enter_context(_connected(place))
        except sqlite3.Error as error:
            raise OSError(f"the database cannot be read: {error}") from error


def fingerprint_of(path: Path) -> Fingerprint:
    """Take the fingerprint of a database together with its write-ahead log. Raises OSError."""
    main = path.stat()
    try:
        log = _beside(path, "-wal").stat()
    except OSError:
        return Fingerprint.of(main)
    return Fingerprint(
        main.st_dev,
        main.st_ino,
        main.st_size + log.st_size,
        max(main.st_mtime_ns, log.st_mtime_ns) if log.st_size else main.st_mtime_ns,
    )


def is_database(path: str | Path) -> bool:
    """Tell by its first bytes whether a regular file is a SQLite database."""
    try:
        with open_regular(path) as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def columns(connection: sqlite3.Connection, table: str) -> frozenset[str]:
    """Give the names of a table's columns; none when there is no such table."""
    return frozenset(row[1] for row in connection.execute(f'PRAGMA table_info("{table}")'))


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _has_log(path: Path) -> bool:
    with open_regular(path) as file:
        return file.read(_WRITE_VERSION + 1)[_WRITE_VERSION:] == b"\x02"


def _is_open(path: Path) -> bool:
    return all(_beside(path, suffix).exists() for suffix in ("-wal", "-shm"))


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    uri = f"file:{quote(os.fsencode(path.absolute()))}?mode=ro"
    connection = sqlite3.connect(
        uri, uri=True, timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
    )
    with closing(connection):
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        yield connection


def _copied(path: Path, folder: Path) -> Path:
    """Copy a database and its log, again if its pages changed meanwhile.

    What is appended to the log while it is copied does no harm: an unfinished transaction at its
    end does not count.
    """
    target = folder / "copy.db"
    if _is_open(path) and path.stat().st_size > _MAX_COPY:
        return path
    for _ in range(_TRIES):
        before = _pages(path)
        for suffix in ("", "-wal"):
            _copy(_beside(path, suffix), _beside(target, suffix), is_needed=not suffix)
        if _pages(path) == before:
            return target
    if _is_open(path):
        return path
    raise OSError("the database is being written to; it will be read again")


def _pages(path: Path) -> tuple[Fingerprint, bytes]:
    """Give what stays the same until pages are written: the file's look, and the log's header."""
    return Fingerprint.of(path.stat()), head_of(_beside(path, "-wal"), _LOG_HEADER)


def _copy(source: Path, target: Path, *, is_needed: bool) -> None:
    try:
        with open_regular(source) as file, target.open("wb") as copy:
            shutil.copyfileobj(file, copy, 1024 * 1024)
    except FileNotFoundError:
        if is_needed:
            raise
        target.unlink(missing_ok=True)
