"""The schema and its numbers: `PRAGMA user_version` says which migrations a file has had.

A migration is a file `NNNN_name.sql` that is never edited once released. Each is applied in one
transaction together with its record, so a file has had it wholly or not at all.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from pathlib import Path

from store.errors import Conflict, NotAStore, SchemaTooNew, SchemaTooOld
from store.sqlite.copy import copy
from store.sqlite.grouping import in_transaction
from store.sqlite.values import now

MEMORY = ":memory:"
APPLICATION_ID = 0x42534352  # "BSCR", at offset 68 of the file

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema."""

    number: int
    name: str
    sql: str


@cache
def migrations() -> tuple[Migration, ...]:
    """Give every migration that this version knows, in order."""
    found = [
        Migration(int(match[1]), match[2], file.read_text("utf-8"))
        for file in resources.files(__package__).joinpath("migrations").iterdir()
        if (match := _NAME.fullmatch(file.name))
    ]
    return tuple(sorted(found, key=lambda migration: migration.number))


def latest() -> int:
    """Give the number of the newest schema that this version knows."""
    return migrations()[-1].number


def schema_number(db: sqlite3.Connection) -> int:
    """Give the number of the schema that a database has; 0 for an empty one."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def check(db: sqlite3.Connection, name: str) -> int:
    """Give the schema's number. Raises NotAStore or SchemaTooNew; writes nothing."""
    # In this order: another process may be making the store between the two, in one commit.
    tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    application = db.execute("PRAGMA application_id").fetchone()[0]
    if application != APPLICATION_ID and (application or tables):
        raise NotAStore(f"{name} is a database of another program; it was left untouched")
    number = schema_number(db)
    if number > latest():
        raise SchemaTooNew(
            f"{name} has schema {number}, and this backscroll knows schemas up to {latest()}: "
            "a newer backscroll wrote it"
        )
    return number


def migrate(db: sqlite3.Connection, name: str, *, allowed: bool, deadline: float) -> None:
    """Bring a database to the newest schema, waiting for other processes until `deadline`.

    A copy of the older database stays beside it. Raises SchemaTooOld when an existing schema would
    change and that is not `allowed`.
    """
    number = check(db, name)
    if 0 < number < latest() and not allowed:
        raise SchemaTooOld(
            f"{name} has schema {number}, this backscroll needs {latest()}: "
            "run `backscroll migrate`"
        )
    if 0 < number < latest() and name != MEMORY:
        with suppress(Conflict):  # another process is at it, or was, and was interrupted
            copy(db, Path(f"{name}.schema-{number}"))
    for migration in migrations():
        if migration.number > number:
            in_transaction(db, partial(_apply, migration=migration, name=name), deadline)


def _apply(db: sqlite3.Connection, migration: Migration, name: str) -> None:
    if check(db, name) >= migration.number:
        return  # another process was faster
    if migration.number == 1:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for statement in _statements(migration.sql):
        db.execute(statement)
    db.execute(
        "INSERT INTO migration (number, name, applied_at) VALUES (?, ?, ?)",
        (migration.number, migration.name, now()),
    )
    db.execute(f"PRAGMA user_version = {migration.number}")


def _statements(script: str) -> Iterator[str]:
    """Split a script; `executescript` would commit the transaction first."""
    lines: list[str] = []
    for line in script.splitlines():
        lines.append(line)
        statement = "\n".join(lines)
        if line.rstrip().endswith(";") and sqlite3.complete_statement(statement):
            yield statement
            lines = []


def use_wal(db: sqlite3.Connection, deadline: float) -> str:
    """Switch to write-ahead logging and give the journal mode that the file really has.

    Some filesystems have no shared memory and stay as they are; the switch does not wait for
    locks by itself, so it is tried until `deadline`.
    """
    while True:
        try:
            return str(db.execute("PRAGMA journal_mode = WAL").fetchone()[0])
        except sqlite3.OperationalError as error:
            locked = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not locked or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
