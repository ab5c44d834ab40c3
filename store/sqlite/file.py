"""The database's file before SQLite opens it: whose it may be, and who may read it."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from store.errors import NotAStore, StoreCorrupt, StoreUnavailable
from store.sqlite import migrate
from store.sqlite.held import Held

_MAGIC = b"SQLite format 3\0"
_HEADER = 100
_APPLICATION_ID = slice(68, 72)  # see https://sqlite.org/fileformat.html#the_database_header


def prepare(path: Path, name: str) -> Held:
    """Make the folder and the file, for their owner only, and refuse what is not a store.

    Gives what is to be released when the database has been closed. The -wal and -shm files take
    the file's permissions. Raises NotAStore or SchemaTooNew before anything is opened for writing,
    StoreCorrupt for a file that has lost what its log belongs to, and StoreUnavailable for what
    the system refuses.
    """
    try:
        _make_folder(path.parent)
        descriptor = _open(path)
    except OSError as error:
        raise StoreUnavailable(f"{name} cannot be opened: {error.strerror}") from error
    held = Held(descriptor)
    try:
        _check(path, name, os.pread(descriptor, _HEADER, 0))
    except OSError as error:
        held.release()
        raise StoreUnavailable(f"{name} cannot be read: {error.strerror}") from error
    except BaseException:
        held.release()
        raise
    return held


def _check(path: Path, name: str, head: bytes) -> None:
    if not head and _size(f"{name}-wal"):
        # SQLite would take the file for a new one, and the log that holds its data for an old one.
        raise StoreCorrupt(f"{name} is empty, but a log with data lies beside it: {name}-wal")
    if not head or Path(f"{name}-journal").exists():
        return  # new, or in the middle of a transaction that SQLite will undo
    if not head.startswith(_MAGIC):
        raise NotAStore(f"{name} is not a SQLite database; it was left untouched")
    if int.from_bytes(head[_APPLICATION_ID]) != migrate.APPLICATION_ID:
        raise NotAStore(f"{name} is a database of another program; it was left untouched")
    if Path(f"{name}-wal").exists():
        _look(path, name)


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it. An umask must neither open nor close them."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    try:
        folder.mkdir()
    except FileExistsError:
        return
    folder.chmod(0o700)


def _open(path: Path) -> int:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        descriptor = os.open(path, flags | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return os.open(path, flags)
    os.fchmod(descriptor, 0o600)
    return descriptor


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _look(path: Path, name: str) -> None:
    """See which schema a database has that was left with a log, without ending that log.

    A connection that may write would bring the log into the file when it closes.
    """
    where = f"file:{quote(str(path))}?mode=ro"
    try:
        with closing(sqlite3.connect(where, uri=True, isolation_level=None, timeout=0)) as db:
            migrate.check(db, name)
    except sqlite3.Error:
        return  # opening it for writing will say what is wrong
