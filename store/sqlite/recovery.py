"""Getting out of a damaged database what can still be read, into a new one.

Tables are read by row number, without their indexes; a range that cannot be read is halved until
only the unreadable rows are left out. What refers to a lost task gets a task again.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from store.errors import StoreUnavailable
from store.models import Recovery, new_id
from store.protocol import WAIT_SECONDS
from store.sqlite import migrate
from store.sqlite.values import now

# Parents before what refers to them.
_NUMBERED = {
    "task": "n",
    "session": "task",
    "message": "id",
    "summary": "id",
    "memory": "rowid",
    "extraction": "n",
    "original": "id",
    "piece": "id",
}
_KEYED = {
    "dependency": "task, on_task",
    "tag": "task, name",
    "source": "backend, path",
    "usage": "task, day, model",
    "place": "old",
    "repository": "folder",
    "trusted_home": "path",
}
_REFERRING = ("session", "message", "summary", "extraction", "usage")
_HIGHEST = 2**40
_MOST_FAILURES = 20_000  # a table whose root is gone fails wherever it is asked

_LOST_TASKS = """
    INSERT OR IGNORE INTO task (n, id, tenant_id, title, title_from, status, origin, notes,
                                created_at, updated_at)
    VALUES (?, ?, 'local', '(recovered)', 'prompt', 'open', 'person', '', ?, ?)
"""
_COUNTS = """
    UPDATE task SET (message_count, prompt_count, tool_call_count, last_message_at, last_seq) = (
        SELECT count(*), coalesce(sum(is_prompt), 0), coalesce(sum(kind = 'tool_call'), 0),
            max(at), max(coalesce(max(seq), 0), task.last_seq)
        FROM message WHERE message.task = task.n)
"""


def recover(path: Path) -> Recovery:
    """Make a new database of what can be read from a damaged one, which is kept beside it.

    No other program may have the store open. Raises StoreUnavailable when the new one cannot be
    written; the damaged one is then where it was.
    """
    try:
        return _recover(path)
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(f"{path} could not be recovered: {error}") from error


def _recover(path: Path) -> Recovery:
    fresh = path.with_name(f"{path.name}.{os.getpid()}.recovered")
    rows: dict[str, int] = {}
    os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        with closing(sqlite3.connect(fresh, isolation_level=None)) as new:
            deadline = time.monotonic() + WAIT_SECONDS
            migrate.migrate(new, migrate.MEMORY, allowed=True, deadline=deadline)
            new.execute("BEGIN")
            with closing(_opened(path)) as old:
                for table in (*_NUMBERED, *_KEYED):
                    rows[table] = _copy(old, new, table)
            _mend(new)
            new.execute("COMMIT")
        aside = _put_aside(path)
        fresh.rename(path)
    except BaseException:
        with suppress(FileNotFoundError):
            fresh.unlink()
        raise
    return Recovery(kept=str(aside), rows=rows)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, isolation_level=None)


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> int:
    columns = [row[1] for row in new.execute(f"PRAGMA table_info({table})")]
    names = ", ".join(columns)
    places = ", ".join("?" * len(columns))
    insert = f"INSERT OR IGNORE INTO {table} ({names}) VALUES ({places})"  # noqa: S608
    copied = 0
    for row in _readable(old, table, names):
        with suppress(sqlite3.Error):  # a row whose values no longer satisfy the schema
            copied += new.execute(insert, row).rowcount
    return copied


def _readable(db: sqlite3.Connection, table: str, names: str) -> Iterator[Sequence[object]]:
    if table in _KEYED:
        for direction in ("ASC", "DESC"):
            order = ", ".join(f"{key} {direction}" for key in _KEYED[table].split(", "))
            with suppress(sqlite3.DatabaseError):
                yield from db.execute(f"SELECT {names} FROM {table} ORDER BY {order}")  # noqa: S608
        return
    key = _NUMBERED[table]
    select = (
        f"SELECT {names} FROM {table} NOT INDEXED"  # noqa: S608
        f" WHERE {key} >= ? AND {key} < ? ORDER BY {key}"
    )
    ranges = [(0, _highest(db, table, key) + 1)]
    failures = 0
    while ranges and failures < _MOST_FAILURES:
        first, end = ranges.pop()
        try:
            yield from db.execute(select, (first, end))
        except sqlite3.DatabaseError:
            # What was read before the damage comes again, and is not inserted twice.
            failures += 1
            if end - first > 1:
                middle = (first + end) // 2
                ranges += [(middle, end), (first, middle)]


def _highest(db: sqlite3.Connection, table: str, key: str) -> int:
    try:
        return int(db.execute(f"SELECT coalesce(max({key}), 0) FROM {table}").fetchone()[0])  # noqa: S608
    except sqlite3.DatabaseError:
        return _HIGHEST


def _mend(db: sqlite3.Connection) -> None:
    at = now()
    lost = {
        row[0]
        for table in _REFERRING
        for row in db.execute(
            f"SELECT DISTINCT task FROM {table} WHERE task NOT IN (SELECT n FROM task)"  # noqa: S608
        )
    }
    db.executemany(_LOST_TASKS, [(n, new_id(), at, at) for n in sorted(lost)])
    for table, column in (("dependency", "task"), ("dependency", "on_task"), ("tag", "task")):
        db.execute(f"DELETE FROM {table} WHERE {column} NOT IN (SELECT n FROM task)")  # noqa: S608
    db.execute("DELETE FROM piece WHERE original NOT IN (SELECT id FROM original)")
    for column in ("parent", "fork_of"):
        db.execute(
            f"UPDATE task SET {column} = NULL"  # noqa: S608
            f" WHERE {column} IS NOT NULL AND {column} NOT IN (SELECT n FROM task)"
        )
    db.execute(_COUNTS)


def _put_aside(path: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    for ending in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            Path(f"{path}{ending}").rename(f"{aside}{ending}")
    path.rename(aside)
    return aside
