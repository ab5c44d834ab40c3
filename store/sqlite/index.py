"""Keeping the full text index true.

Triggers note every message that comes or goes, and every task whose own words may have changed
(see the schema): nothing can be written past them. Here these notes are worked off, in the
transaction that made them or in later ones. A few messages may wait, since a search looks through
what waits as well; only the output of tools, and a store from before there was an index, may leave
more than that for later.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from store.models import Kind
from store.sqlite.timeline import Places
from store.words import EDITION, mark_of, spelled

FEW = 256
"""So many messages may wait without being a burden to a search."""

_MOST_AT_ONCE = 2_000
_CHARACTERS_AT_ONCE = 1_600_000
_SMALL = 500  # pages of an index that is tidied up at once
_FEW_TASKS = 8
_PAGES_AT_ONCE = 400
_MOST_LOOSE = 4  # a fourth of the index

PROSE, OUTPUT, TASKS = "search_prose", "search_output", "search_task"
TABLES = {PROSE: False, OUTPUT: True}
"""The tables of messages' words, and whether they have the output of tools."""

_Message = tuple[
    int, int, int, str, str, str | None, str
]  # id, task, at, role, kind, tool, content

_STATE = """
    SELECT EXISTS (SELECT 1 FROM search_stale), EXISTS (SELECT 1 FROM search_removed),
        (SELECT count(*) FROM (SELECT 1 FROM search_todo WHERE may_wait = 0 LIMIT :few)),
        (SELECT count(*) FROM (SELECT 1 FROM search_todo WHERE may_wait = 1 LIMIT :few)),
        is_untidy
    FROM search_state
"""


def follow(db: sqlite3.Connection, written: int, *, output_waits: bool = False) -> bool:
    """Work off what a transaction noted that wrote so many messages; say if more is left to do.

    With `output_waits` the output of tools is left for later, and nothing is said of it.
    """
    has_stale, has_removed, prose, output, is_untidy = db.execute(_STATE, {"few": FEW}).fetchone()
    if has_stale:
        _refresh_tasks(db)
    if has_removed:
        _take_out(db)
    if prose >= FEW:
        _put_in(db, 0, written + FEW)
    if output >= FEW and not output_waits:
        _put_in(db, 1, written + FEW)
    if output_waits or not (has_stale or has_removed or is_untidy or prose + output >= FEW):
        return False
    return is_behind(db)


def is_behind(db: sqlite3.Connection) -> bool:
    """Say whether more is left to do than a search should have to make up for."""
    has_stale, has_removed, prose, output, is_untidy = db.execute(_STATE, {"few": FEW}).fetchone()
    return bool(has_stale or has_removed or is_untidy or prose >= FEW or output >= FEW)


def may_be_tidied(db: sqlite3.Connection) -> bool:
    """Say whether there is anything at all to do for one who has the time."""
    loose = db.execute("SELECT loose FROM search_state").fetchone()[0]
    return is_behind(db) or bool(loose >= _MOST_AT_ONCE)


def work_off(db: sqlite3.Connection, *, tidying: bool = False) -> int:
    """Do a part of what is left, small enough for one transaction; 0 when nothing is left.

    Gives how many messages still wait. Messages come before the output of tools. With `tidying`
    the index is made small and quick, when there is nothing else to do.
    """
    if is_outdated(db):
        begin_anew(db)
    has_stale, has_removed, prose, output, is_untidy = db.execute(_STATE, {"few": FEW}).fetchone()
    if has_stale:
        _refresh_tasks(db)
    if has_removed:
        _take_out(db)
    elif prose or output:
        _put_in_some(db, 0 if prose else 1, _MOST_AT_ONCE)
    elif tidying and (is_untidy or _is_loose(db)):
        _tidy(db)
        return 1
    has_stale, has_removed, *_ = db.execute(_STATE, {"few": FEW}).fetchone()
    left = waiting(db, 0) + waiting(db, 1) or has_stale or has_removed
    return left or int(tidying and (is_behind(db) or _is_loose(db)))


def _is_loose(db: sqlite3.Connection) -> bool:
    """Say whether much of the index came since it was last made one part."""
    [loose] = db.execute("SELECT loose FROM search_state").fetchone()
    if loose < _MOST_AT_ONCE:
        return False
    [count] = db.execute("SELECT count(*) FROM search_entry").fetchone()
    return bool(loose * _MOST_LOOSE > count)


def begin_anew(db: sqlite3.Connection) -> None:
    """Empty the index; everything there is waits to be put in."""
    for table in TABLES:
        db.execute(f"INSERT INTO {table} ({table}) VALUES ('delete-all')")  # noqa: S608
    for table in ("search_task", "search_entry", "search_removed", "search_todo", "search_stale"):
        db.execute(f"DELETE FROM {table}")  # noqa: S608
    db.execute(
        "UPDATE search_state SET edition = ?, spill = 0, loose = 0, is_untidy = 0", (EDITION,)
    )
    db.execute("INSERT INTO search_todo SELECT 0, id FROM message ORDER BY id")
    db.execute("INSERT INTO search_stale SELECT n FROM task")


def is_outdated(db: sqlite3.Connection) -> bool:
    """Say whether words were spelled in another way when they were put in."""
    return bool(db.execute("SELECT edition FROM search_state").fetchone()[0] != EDITION)


def waiting(db: sqlite3.Connection, may_wait: int) -> int:
    """Count the messages that are not in the index yet: those that may wait, or the others."""
    sql = "SELECT count(*) FROM search_todo WHERE may_wait = ?"
    return int(db.execute(sql, (may_wait,)).fetchone()[0])


# Messages

# Of what may not wait the newest first: new messages are found while an old store is gone through.
_NEXT = """
    SELECT message.id, task, at, role, kind, tool_name, content
    FROM search_todo CROSS JOIN message ON message.id = search_todo.message
    WHERE may_wait = ? ORDER BY search_todo.message DESC LIMIT ?
"""


def _put_in(db: sqlite3.Connection, may_wait: int, most: int) -> None:
    """Put up to `most` messages into the index, the newest ones."""
    while most > 0 and (done := _put_in_some(db, may_wait, min(most, _MOST_AT_ONCE))):
        most -= done


def _put_in_some(db: sqlite3.Connection, may_wait: int, most: int) -> int:
    """Put some messages into the index, up to `most` and no more text than is good at once."""
    chosen: list[_Message] = []
    characters = 0
    rows = db.execute(_NEXT, (may_wait, most))
    rows.row_factory = None
    for row in rows:
        chosen.append(row)
        characters += len(row[-1])
        if characters > _CHARACTERS_AT_ONCE:
            break
    rows.close()
    chosen.sort(key=_by_time)
    places = Places(db).of([at for _, _, at, *_ in chosen])
    # In the index's own order: anything else makes it write what it has gathered so far.
    chosen.reverse()
    places.reverse()
    db.executemany(
        "INSERT INTO search_entry (place, message, task) VALUES (?, ?, ?)",
        [(place, each[0], each[1]) for place, each in zip(places, chosen, strict=True)],
    )
    documents: dict[bool, list[tuple[int, str]]] = {False: [], True: []}
    for place, (_, _, _, role, kind, tool, content) in zip(places, chosen, strict=True):
        words = document(role, kind, tool, content)
        documents[kind == Kind.TOOL_RESULT].append((place, words))
    for table, is_output in TABLES.items():
        db.executemany(
            f"INSERT INTO {table} (rowid, words) VALUES (?, ?)",  # noqa: S608 - a constant
            documents[is_output],
        )
    db.executemany(
        "DELETE FROM search_todo WHERE may_wait = ? AND message = ?",
        [(may_wait, message) for message, *_ in chosen],
    )
    db.execute("UPDATE search_state SET loose = loose + ?", (len(chosen),))
    return len(chosen)


def _by_time(message: _Message) -> tuple[int, int]:
    return message[2], message[0]


def document(role: str, kind: str, tool_name: str | None, content: str) -> str:
    """Give what the index has of a message."""
    return f"{spelled(kind, tool_name, content)}\n{mark_of(role, kind)}"


_REMOVED = """
    SELECT place, role, kind, tool_name, content FROM search_removed ORDER BY place LIMIT ?
"""


def _take_out(db: sqlite3.Connection) -> None:
    """Take deleted messages out of the index, as many as is good at once."""
    characters = 0
    removed: list[tuple[int, bool, str]] = []
    rows = db.execute(_REMOVED, (_MOST_AT_ONCE,))
    rows.row_factory = None
    for place, role, kind, tool, content in rows:
        removed.append((place, kind == Kind.TOOL_RESULT, document(role, kind, tool, content)))
        characters += len(content)
        if characters > _CHARACTERS_AT_ONCE:
            break
    rows.close()
    for table, is_output in TABLES.items():
        db.executemany(
            f"INSERT INTO {table} ({table}, rowid, words) VALUES ('delete', ?, ?)",  # noqa: S608
            [(place, words) for place, in_output, words in removed if in_output is is_output],
        )
    db.executemany("DELETE FROM search_removed WHERE place = ?", [(each[0],) for each in removed])
    _tidy_soon(db, *TABLES)


def _tidy_soon(db: sqlite3.Connection, *tables: str) -> None:
    """See to it that no word of what was taken out stays: at once where that is quick."""
    for table in tables:
        size = db.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {table}_data LIMIT ?)",  # noqa: S608
            (_SMALL,),
        ).fetchone()[0]
        if size < _SMALL:
            db.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")  # noqa: S608
        else:
            db.execute("UPDATE search_state SET is_untidy = 1")


def _tidy(db: sqlite3.Connection) -> None:
    """Do a part of writing the index anew without the words of what was deleted."""
    for table in (*TABLES, TASKS):
        before = db.total_changes
        db.execute(
            f"INSERT INTO {table} ({table}, rank) VALUES ('merge', ?)",  # noqa: S608
            (-_PAGES_AT_ONCE,),
        )
        if db.total_changes - before > 1:  # as SQLite says that there was something to do
            return
    db.execute("UPDATE search_state SET loose = 0, is_untidy = 0")


# Tasks

_STALE = """
    SELECT search_stale.task, title, task.project_path, git_branch, notes,
        (SELECT group_concat(name, char(10)) FROM tag WHERE tag.task = task.n)
    FROM search_stale LEFT JOIN task ON task.n = search_stale.task
    LEFT JOIN session ON session.task = task.n
    ORDER BY search_stale.task LIMIT ?
"""


def _refresh_tasks(db: sqlite3.Connection) -> None:
    """Bring what the index has of tasks up to date."""
    if db.execute("SELECT 1 FROM search_stale LIMIT 1").fetchone() is None:
        return
    rows = db.execute(_STALE, (_MOST_AT_ONCE,)).fetchall()
    numbers = [(row[0],) for row in rows]
    taken_out = db.executemany("DELETE FROM search_task WHERE rowid = ?", numbers).rowcount
    db.executemany(
        "INSERT INTO search_task (rowid, words) VALUES (?, ?)",
        [(n, words_of_task(texts)) for n, *texts in rows if texts[0] is not None],
    )
    db.executemany("DELETE FROM search_stale WHERE task = ?", numbers)
    if 0 < taken_out <= _FEW_TASKS:  # more are an import's
        _tidy_soon(db, TASKS)


def words_of_task(texts: Iterable[str | None]) -> str:
    """Give what the index has of a task."""
    return "\n".join([spelled(Kind.TEXT, None, text) for text in texts if text])
