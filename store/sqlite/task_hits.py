"""Tasks that are found by what they say themselves: title, project, branch, notes, tags."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from typing import Any

from store.models import TaskFilter
from store.query.model import Term
from store.search import TaskHit
from store.snippets import snippet
from store.sqlite import filters
from store.sqlite.values import moment, to_json
from store.words import Needle, Needles, Text

_FIELDS = ("title", "project", "branch", "notes", "tags")
_MANY = 2_000  # tasks that have the words: some of the latest are found by looking at them

_ROWS = """
    SELECT task.n, task.id, session.session_id, session.backend, task.project_path, task.active_at,
        (SELECT min(seq) FROM message WHERE message.task = task.n),
        task.title, task.project_path, session.git_branch, task.notes,
        (SELECT group_concat(name, char(10)) FROM tag WHERE tag.task = task.n)
    FROM task LEFT JOIN session ON session.task = task.n
    WHERE {} ORDER BY task.active_at DESC, task.n DESC
"""
_TEXTS = slice(7, None)
_WITH_WORDS = "SELECT rowid FROM search_task WHERE search_task MATCH ? LIMIT ?"
_AMONG = "task.n IN (SELECT value FROM json_each(?))"
_MOST_WORDS = 100


def task_hits(
    db: sqlite3.Connection,
    needles: Needles,
    terms: Sequence[Term],
    filter: TaskFilter,  # noqa: A002
    *,
    titles_only: bool,
    until: float | None,
) -> Iterator[tuple[int, TaskHit]]:
    """Give the tasks in which all words occur, the latest first, with their numbers.

    It ends at a time of `time.monotonic`, too.
    """
    for row in _candidates(db, needles, filter):
        if until is not None and time.monotonic() > until:
            return
        texts = row[_TEXTS][: 1 if titles_only else None]
        looked_at = [Text(text or "") for text in texts]
        if not needles.are_in(looked_at):
            continue
        place = _best(needles.wanted, looked_at)
        words, marks = snippet(texts[place] or "", terms)
        n, task_id, session_id, agent, project_path, active_at, first_seq = row[: _TEXTS.start]
        yield (
            n,
            TaskHit(
                task_id=task_id,
                session_id=session_id,
                agent=agent,
                project_path=project_path,
                title=row[_TEXTS][0],
                first_seq=first_seq,
                field=_FIELDS[place],
                timestamp=moment(active_at),
                snippet=words,
                marks=marks,
            ),
        )


def _candidates(
    db: sqlite3.Connection,
    needles: Needles,
    filter: TaskFilter,  # noqa: A002
) -> Iterator[tuple[Any, ...]]:
    conditions, values = filters.conditions(filter)
    wanted = [f'"{word}"' for needle in needles.wanted for word in needle.words]
    wanted += [f'"{needle.beginning}" *' for needle in needles.wanted if needle.beginning]
    if wanted:
        expression = " AND ".join(wanted[:_MOST_WORDS])
        numbers = [n for (n,) in db.execute(_WITH_WORDS, (expression, _MANY + 1))]
        if len(numbers) <= _MANY:
            conditions = [*conditions, _AMONG]
            values = [*values, to_json(numbers)]
    rows = db.execute(_ROWS.format(" AND ".join(conditions)), values)
    rows.row_factory = None
    yield from rows


def _best(needles: Sequence[Needle], texts: Sequence[Text]) -> int:
    """Give the place of the text in which most of the terms are, the first of equals."""
    counts = [sum(needle.is_in(text) for needle in needles) for text in texts]
    return counts.index(max(counts))
