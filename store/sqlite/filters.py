"""From a filter of tasks to SQL: conditions on `task LEFT JOIN session`, with their values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from store.activity import WAITING_FOR
from store.errors import InvalidValue
from store.models import TaskFilter
from store.query.model import Filter, FilterName, Is
from store.sqlite.values import micros, now
from store.text import storable

MOST_WORDS = 100

_MICROSECOND = timedelta(microseconds=1)
_SEARCHED = """casefold(task.title || ' ' || coalesce(task.project_path, '') || ' '
    || coalesce(session.git_branch, '') || ' ' || coalesce(session.model, '') || ' '
    || coalesce(session.backend, ''))"""
_TITLE = "casefold(task.title)"

_Condition = tuple[str, Sequence[Any]]


def conditions(filter: TaskFilter) -> tuple[list[str], list[Any]]:  # noqa: A002
    """Give what must hold of a row of `joined(filter)`, and the values for the placeholders.

    Raises InvalidValue for more words than can be looked for at once.
    """
    parts = [
        *_kinds(filter),
        *_places(filter),
        *_times(filter),
        *(_condition(item) for item in filter.conditions),
        *_words(filter),
    ]
    return [condition for condition, _ in parts], [value for _, more in parts for value in more]


def _kinds(filter: TaskFilter) -> Iterator[_Condition]:  # noqa: A002
    yield "task.tenant_id = ?", (storable(filter.tenant_id),)
    if not filter.everything:
        yield "task.origin = 'person'", ()
        yield "(task.message_count > 0 OR session.task IS NULL)", ()
    if filter.archived is not None:
        yield f"task.archived_at IS {'NOT ' if filter.archived else ''}NULL", ()
    if filter.status is not None:
        yield "task.status = ?", (filter.status,)
    if filter.backend is not None:
        yield "session.backend = ?", (storable(filter.backend),)


def _places(filter: TaskFilter) -> Iterator[_Condition]:  # noqa: A002
    if filter.under is not None:
        folder = storable(filter.under).rstrip("/")
        below = folder + "/"
        yield (
            "(task.project_path = ? OR substr(task.project_path, 1, ?) = ?)",
            (folder or "/", len(below), below),
        )
    if filter.parent_task_id is not None:
        parent = storable(filter.parent_task_id)
        yield "task.parent = (SELECT n FROM task WHERE id = ?)", (parent,)
    if filter.top_level:
        yield "(task.parent IS NULL OR task.origin = 'automated')", ()


def _times(filter: TaskFilter) -> Iterator[_Condition]:  # noqa: A002
    if filter.active_after is not None:
        yield "task.active_at >= ?", (micros(filter.active_after),)
    if filter.active_before is not None:
        yield "task.active_at < ?", (micros(filter.active_before),)


def _words(filter: TaskFilter) -> Iterator[_Condition]:  # noqa: A002
    if len(filter.words) + len(filter.without) > MOST_WORDS:
        raise InvalidValue(f"more than {MOST_WORDS} words are too many to look for at once")
    searched = _TITLE if filter.titles_only else _SEARCHED
    for word in filter.words:
        yield f"instr({searched}, ?)", (storable(word).casefold(),)
    for word in filter.without:
        yield f"NOT instr({searched}, ?)", (storable(word).casefold(),)


def joined(filter: TaskFilter) -> str:  # noqa: A002
    """Give the tables that the conditions speak of; the session's only where they need it."""
    needed = (
        not filter.everything
        or filter.backend is not None
        or filter.words
        or filter.without
        or filter.conditions
    )
    return "task LEFT JOIN session ON session.task = task.n" if needed else "task"


def _condition(item: Filter) -> _Condition:
    """Give the condition of one filter of a query: any of the values, or none. Never NULL."""
    of = _OF_TASKS.get(item.name)
    if of is None:
        raise InvalidValue(f"{item.name}: is no filter of tasks")
    parts = [of(storable(value)) for value in item.values]
    either = "(" + " OR ".join(condition for condition, _ in parts) + ")"
    values = [value for _, more in parts for value in more]
    return (f"NOT {either}" if item.is_excluded else either), values


def _whole(column: str) -> Callable[[str], _Condition]:
    return lambda value: (f"casefold(coalesce({column}, '')) = ?", (value.casefold(),))


def _part(column: str) -> Callable[[str], _Condition]:
    return lambda value: (f"instr(casefold(coalesce({column}, '')), ?)", (value.casefold(),))


def _tag(value: str) -> _Condition:
    return (
        "EXISTS (SELECT 1 FROM tag WHERE tag.task = task.n AND casefold(tag.name) = ?)",
        (value.casefold(),),
    )


def _is(value: str) -> _Condition:
    if value == Is.LIVE:
        return _LIVE, (now() - WAITING_FOR // _MICROSECOND,)
    return _STATES[Is(value)], ()


_STATES: Mapping[Is, str] = {
    Is.ARCHIVED: "task.archived_at IS NOT NULL",
    Is.GONE: "session.source_gone_at IS NOT NULL",
    Is.FORK: "(task.fork_of IS NOT NULL OR session.fork_session_id IS NOT NULL)",
    Is.SUBAGENT: "task.origin = 'subagent'",
}
# Something happened since the agent's turn could have ended unseen: it may be at work or waiting.
_LIVE = """(session.task IS NOT NULL AND session.source_gone_at IS NULL
    AND (session.status = 'active' OR task.active_at >= ?))"""

_OF_TASKS: Mapping[FilterName, Callable[[str], _Condition]] = {
    FilterName.AGENT: _whole("session.backend"),
    FilterName.PROJECT: _part("task.project_path"),
    FilterName.BRANCH: _part("session.git_branch"),
    FilterName.MODEL: _part("session.model"),
    FilterName.STATUS: _whole("task.status"),
    FilterName.TAG: _tag,
    FilterName.IS: _is,
}
