"""Comparing the full text index with what it is about."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator

from store.models import Kind, Role
from store.sqlite.index import OUTPUT, TABLES, document, words_of_task
from store.words import mark_of

_SAMPLE = 1_000  # messages of which every word is looked up
_MOST_WORDS = 100  # of each

_WORD = re.compile(r"[0-9A-Za-z\u0080-\U0010ffff]+")
_MARKS = " OR ".join(f'"{mark_of(role, kind)}"' for role in Role for kind in Kind)

_LOST = """
    SELECT count(*) FROM search_entry AS entry LEFT JOIN message ON message.id = entry.message
    WHERE message.task IS NOT entry.task
"""
_MISSING = """
    SELECT count(*) FROM message
    WHERE NOT EXISTS (SELECT 1 FROM search_entry WHERE search_entry.message = message.id)
    AND NOT EXISTS (SELECT 1 FROM search_todo
        WHERE may_wait IN (0, 1) AND search_todo.message = message.id)
"""
_WORDLESS = """
    SELECT count(*) FROM search_entry AS entry JOIN message ON message.id = entry.message
    WHERE (kind = 'tool_result') = ? AND place NOT IN (SELECT rowid FROM {0} WHERE {0} MATCH ?)
"""
_NOBODYS = """
    SELECT count(*) FROM (SELECT rowid AS place FROM {0} WHERE {0} MATCH ?)
    WHERE place NOT IN (SELECT place FROM search_entry UNION ALL SELECT place FROM search_removed)
"""
_SOME = """
    SELECT place, role, kind, tool_name, content
    FROM search_entry AS entry JOIN message ON message.id = entry.message
    WHERE entry.message % (1 + (SELECT count(*) FROM search_entry) / ?) = 0
"""
_TASKS = """
    SELECT search_task.words, title, task.project_path, git_branch, notes,
        (SELECT group_concat(name, char(10)) FROM tag WHERE tag.task = task.n)
    FROM task LEFT JOIN search_task ON search_task.rowid = task.n
    LEFT JOIN session ON session.task = task.n
    WHERE NOT EXISTS (SELECT 1 FROM search_stale WHERE search_stale.task = task.n)
"""


def problems(db: sqlite3.Connection) -> Iterator[str]:
    """Give in words where the index and the store differ.

    Every message and task is looked for; of the words of messages a sample is.
    """
    counts = {
        "messages are not in the index": _one(db, _MISSING),
        "entries of the index are about no message": _one(db, _LOST),
        "messages have an entry in the index, and no words": sum(
            _one(db, _WORDLESS.format(table), is_output, _MARKS)
            for table, is_output in TABLES.items()
        ),
        "words in the index are of no message": sum(
            _one(db, _NOBODYS.format(table), _MARKS) for table in TABLES
        ),
        "messages of a sample are not found by their words": sum(_unfound(db)),
        "tasks are in the index with other words than they have": sum(
            words != words_of_task(texts) for words, *texts in _rows(db, _TASKS)
        ),
    }
    yield from (f"{count:,} {what}" for what, count in counts.items() if count)


def _unfound(db: sqlite3.Connection) -> Iterator[bool]:
    for place, role, kind, tool_name, content in _rows(db, _SOME, _SAMPLE):
        table = OUTPUT if kind == Kind.TOOL_RESULT else next(iter(TABLES))
        sql = f"SELECT 1 FROM {table} WHERE {table} MATCH ? AND rowid = ?"  # noqa: S608
        words = _WORD.findall(document(role, kind, tool_name, content))
        yield any(
            db.execute(sql, (f'"{word}"', place)).fetchone() is None
            for word in list(dict.fromkeys(words))[:_MOST_WORDS]
        )


def _one(db: sqlite3.Connection, sql: str, *values: object) -> int:
    return int(db.execute(sql, values).fetchone()[0])


def _rows(db: sqlite3.Connection, sql: str, *values: object) -> sqlite3.Cursor:
    rows = db.execute(sql, values)
    rows.row_factory = None
    return rows
