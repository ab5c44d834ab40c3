"""Whole lists as a screen shows them: one line a family, in groups, and what is folded away."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.families import first_origins, nearest_origins
from store.models import Fold, Outline, Relative, TaskFilter, TaskGroup, TaskSort
from store.sqlite import lists, tasks
from store.sqlite.values import moment, to_json
from store.text import storable

_QUARTER = 15 * 60 * 1_000_000  # of an hour, in microseconds: no day begins within one


def outline(
    db: sqlite3.Connection,
    filter: TaskFilter,  # noqa: A002
    group: TaskGroup | None,
) -> Outline:
    """Give the ids of a whole list, families folded, in groups if they are asked for."""
    if group is None:
        task_ids = lists.list_ids(db, filter)
        folds = _folds(db, task_ids)
        if folds:
            behind = _behind(folds)
            task_ids = [task_id for task_id in task_ids if task_id not in behind]
        return Outline.trusted(task_ids=task_ids, folds=folds, groups=())
    name: Callable[[Any], str] = str
    at, key = "task.active_at", "coalesce(task.project_path, '')"
    if group is TaskGroup.DAY:
        name = _day
        at = "task.created_at" if filter.sort is TaskSort.CREATED else at
        key = f"{at} / {_QUARTER}"
    rows = lists.select(db, filter, f"task.id, {key}, {at}").fetchall()
    folds = _folds(db, [row[0] for row in rows])
    groups = _in_groups(rows, _behind(folds), name)
    return Outline.trusted(
        task_ids=[task_id for group in groups for task_id in group.task_ids],
        folds=folds,
        groups=tuple((group.name, len(group.task_ids)) for group in groups),
    )


@dataclass(slots=True)
class _Group:
    name: str
    latest: int
    task_ids: list[str]


def _in_groups(
    rows: Iterable[tuple[str, Any, int]], behind: Collection[str], name: Callable[[Any], str]
) -> list[_Group]:
    """Give the groups, the one of the latest task first. Keys may share a name."""
    named: dict[str, _Group] = {}
    by_key: dict[object, _Group] = {}  # a key is named once, however many rows have it
    for task_id, key, at in rows:
        if task_id in behind:
            continue
        group = by_key.get(key)
        if group is None:
            group = by_key[key] = named.setdefault(name(key), _Group(name(key), at, []))
        if at > group.latest:
            group.latest = at
        group.task_ids.append(task_id)
    return sorted(named.values(), key=lambda group: group.latest, reverse=True)


def _day(quarter: int) -> str:
    """Give the local day of a quarter of an hour since 1970, as `2026-11-20`."""
    return local_day(moment(quarter * _QUARTER))


def local_day(moment: datetime) -> str:
    """Give the day of a time where the person is, as `2026-11-20`."""
    try:
        return moment.astimezone().date().isoformat()
    except (OverflowError, ValueError, OSError):  # at an end of time
        return moment.date().isoformat()


_FORKS = """SELECT task.id, origin.id FROM task JOIN task AS origin ON origin.n = task.fork_of
    WHERE task.fork_of IS NOT NULL"""
_LATEST_FIRST = """SELECT id FROM task WHERE id IN (SELECT value FROM json_each(?))
    ORDER BY active_at DESC, n DESC"""
_CHILDREN = """SELECT task.id, child.created_at, child.n, child.id
    FROM task JOIN task AS child ON child.parent = task.n
    WHERE task.id IN (SELECT value FROM json_each(?)) AND child.origin != 'automated'"""


def _folds(db: sqlite3.Connection, listed: Sequence[str]) -> dict[str, Fold]:
    """Give what is folded behind the latest of each family."""
    forks: dict[str, str] = dict(map(tuple, db.execute(_FORKS)))
    near = nearest_origins(forks, set(listed)) if forks else {}
    if not near:
        return {}
    first = first_origins(near)
    every = to_json([*first.keys() | set(first.values())])
    families: dict[str, list[str]] = {}
    for (task_id,) in db.execute(_LATEST_FIRST, (every,)):
        families.setdefault(first.get(task_id, task_id), []).append(task_id)
    children: dict[str, int] = {}
    for task_id, *_ in db.execute(_CHILDREN, (every,)):
        children[task_id] = children.get(task_id, 0) + 1
    return {
        family[0]: Fold.trusted(
            task_ids=tuple(family[1:]),
            size=len(family) - 1 + sum(children.get(task_id, 0) for task_id in family),
        )
        for family in families.values()
    }


def _behind(folds: Mapping[str, Fold]) -> set[str]:
    return {task_id for fold in folds.values() for task_id in fold.task_ids}


_KIN = """
    WITH RECURSIVE
        up (n) AS (SELECT n FROM task WHERE id = ? UNION
            SELECT fork_of FROM task JOIN up USING (n) WHERE fork_of IS NOT NULL),
        kin (n) AS (SELECT n FROM up UNION
            SELECT task.n FROM task JOIN kin ON task.fork_of = kin.n)
    SELECT task.id, origin.id, task.created_at, task.n FROM kin JOIN task USING (n)
    LEFT JOIN task AS origin ON origin.n = task.fork_of
"""


def family(
    db: sqlite3.Connection,
    task_id: str,
    filter: TaskFilter,  # noqa: A002
) -> list[Relative]:
    """Give what a task is unfolded to, as a tree in the order that it is drawn in."""
    tasks.place(db, task_id)
    kin = {row[0]: tuple(row[1:]) for row in db.execute(_KIN, (storable(task_id),))}
    listed = lists.among(db, filter, [*kin])
    near = nearest_origins({fork: row[0] for fork, row in kin.items() if row[0]}, listed)
    first = first_origins(near)
    begin = first.get(task_id, task_id)
    members = [begin, *(fork for fork in near if first[fork] == begin)]
    below: dict[str, list[tuple[int, int, str]]] = {}
    for fork in members[1:]:
        _, created, n = kin[fork]
        below.setdefault(near[fork], []).append((created, n, fork))
    for parent, *child in db.execute(_CHILDREN, (to_json(members),)):
        below.setdefault(parent, []).append(tuple(child))
    order = {parent: [each[-1] for each in sorted(hung)] for parent, hung in below.items()}
    return [
        Relative.trusted(task_id=each, depth=depth, is_fork=each in near)
        for each, depth in _walk(begin, order)
    ]


def _walk(begin: str, below: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, int]]:
    """Walk a tree from its root. A loop, as forks of forks may hang deeper than calls may go."""
    waiting = [(begin, 0)]
    while waiting:
        task_id, depth = waiting.pop()
        yield task_id, depth
        waiting += [(each, depth + 1) for each in reversed(below.get(task_id, ()))]
