"""Lists of tasks: a sort becomes an expression, a cursor a place to go on."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from store.errors import InvalidValue
from store.models import Page, Session, Task, TaskFilter, TaskRow, TaskSort
from store.sqlite.filters import conditions, joined
from store.sqlite.rows import ROWS, line
from store.sqlite.values import from_cursor, to_cursor, to_json

_SORTS: Mapping[TaskSort, tuple[str, str]] = {
    TaskSort.ACTIVE: ("task.active_at", "DESC"),
    TaskSort.CREATED: ("task.created_at", "DESC"),
    TaskSort.MESSAGES: ("task.message_count", "DESC"),
    TaskSort.TITLE: ("lower(task.title)", "ASC"),
    TaskSort.PROJECT: ("coalesce(task.project_path, '')", "ASC"),
}


def select(db: sqlite3.Connection, filter: TaskFilter, columns: str) -> sqlite3.Cursor:  # noqa: A002
    """Give columns of all the tasks that the filter lets through, in its order."""
    wanted, values = conditions(filter)
    key, direction = _SORTS[filter.sort]
    rows = db.execute(
        f"SELECT {columns} FROM {joined(filter)} WHERE {' AND '.join(wanted)}"  # noqa: S608
        f" ORDER BY {key} {direction}, task.n {direction}",
        values,
    )
    rows.row_factory = None
    return rows


def among(db: sqlite3.Connection, filter: TaskFilter, task_ids: Sequence[str]) -> set[str]:  # noqa: A002
    """Give those of some tasks that the filter lets through."""
    wanted, values = conditions(filter)
    rows = db.execute(  # a cross join, as a plain one would go through all of the tenant's
        f"SELECT task.id FROM json_each(?) AS asked CROSS JOIN {joined(filter)}"  # noqa: S608
        f" WHERE {' AND '.join(wanted)} AND task.id = asked.value",
        [to_json(list(task_ids)), *values],
    )
    return {row[0] for row in rows}


def list_ids(db: sqlite3.Connection, filter: TaskFilter) -> list[str]:  # noqa: A002
    """Give the ids of all the tasks that the filter lets through, in its order."""
    return [task_id for (task_id,) in select(db, filter, "task.id")]


def count(db: sqlite3.Connection, filter: TaskFilter) -> int:  # noqa: A002
    """Count the tasks that the filter lets through."""
    wanted, values = conditions(filter)
    sql = f"SELECT count(*) FROM {joined(filter)} WHERE {' AND '.join(wanted)}"  # noqa: S608
    return int(db.execute(sql, values).fetchone()[0])


def list_page(
    db: sqlite3.Connection,
    filter: TaskFilter,  # noqa: A002
    cursor: str | None,
    limit: int,
) -> Page[TaskRow]:
    """Give the page of tasks that begins behind a cursor."""
    wanted, values = conditions(filter)
    key, direction = _SORTS[filter.sort]
    if cursor is not None:
        sort, value, n = from_cursor(cursor, 3)
        if sort != filter.sort:
            raise InvalidValue(f"the cursor belongs to a list sorted by {sort}")
        wanted.append(f"({key}, task.n) {'<' if direction == 'DESC' else '>'} (?, ?)")
        values += [value, n]
    rows = db.execute(
        f"{ROWS} WHERE {' AND '.join(wanted)}"
        f" ORDER BY {key} {direction}, task.n {direction} LIMIT ?",
        [*values, max(0, limit) + 1],
    ).fetchall()
    more = len(rows) > limit
    rows = rows[: max(0, limit)]
    last = to_cursor(filter.sort, *_place(db, key, rows[-1])) if more and rows else None
    return Page.trusted(items=tuple(_to_row(row) for row in rows), cursor=last)


def _place(db: sqlite3.Connection, key: str, row: Sequence[Any]) -> Sequence[Any]:
    """Give where a row of `ROWS` stands in a list sorted by `key`."""
    [place] = db.execute(f"SELECT {key}, n FROM task WHERE id = ?", (row[0],))  # noqa: S608
    return tuple(place)


def get_rows(db: sqlite3.Connection, task_ids: Sequence[str]) -> list[TaskRow]:
    """Give the rows of these tasks, in this order, without those that are gone."""
    rows = db.execute(
        f"{ROWS} WHERE task.id IN (SELECT value FROM json_each(?))",  # noqa: S608
        (to_json(list(task_ids)),),
    )
    found = {row[0]: row for row in rows}
    return [_to_row(found[task_id]) for task_id in task_ids if task_id in found]


def _to_row(row: Sequence[Any]) -> TaskRow:
    task, session, rest = line(row)
    return TaskRow.trusted(
        task=Task.trusted(**task),
        session=None if session is None else Session.trusted(**session),
        **rest,
    )
