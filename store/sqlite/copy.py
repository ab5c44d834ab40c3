"""Copies of a database, whole or not at all."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from store.errors import Conflict, StoreUnavailable

_PAGES_AT_ONCE = 256  # a step of a copy holds no lock between steps


def copy(db: sqlite3.Connection, path: Path) -> None:
    """Write a copy of the connection's database, as of one moment, to a new file.

    The copy is made under another name beside it, and gets its own when it is whole and on disk.
    Raises Conflict when the file exists, StoreUnavailable when it cannot be written.
    """
    path = path.expanduser().absolute()
    if os.path.lexists(path):
        raise Conflict(f"there is a file {path} already")
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.unfinished")
    try:
        os.close(os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(unfinished, isolation_level=None)) as target:
            db.backup(target, pages=_PAGES_AT_ONCE)
            target.execute("PRAGMA journal_mode = DELETE")  # a copy is one file
        _sync(unfinished)
        os.link(unfinished, path)  # unlike a rename, never over another file
    except FileExistsError as error:
        raise Conflict(f"there is a file {error.filename} already") from error
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(f"the copy {path} cannot be written: {error}") from error
    finally:
        with suppress(FileNotFoundError):
            unfinished.unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
