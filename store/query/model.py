"""What a query says: the terms that must occur, and the filters that must let a message through.

The grammar is in `store.query.parser`. Nothing here knows how a term is looked for: what a word
is, how case and accents fold, is the index's business, and each term keeps its raw text for it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum


class FilterName(StrEnum):
    """The names that stand before a colon."""

    AGENT = "agent"
    PROJECT = "project"
    BRANCH = "branch"
    MODEL = "model"
    ROLE = "role"
    KIND = "kind"
    TAG = "tag"
    STATUS = "status"
    IS = "is"
    AFTER = "after"
    BEFORE = "before"
    IN = "in"
    SORT = "sort"


class Is(StrEnum):
    """What a task can be: `is:gone`."""

    ARCHIVED = "archived"
    GONE = "gone"
    FORK = "fork"
    SUBAGENT = "subagent"
    LIVE = "live"


class In(StrEnum):
    """Where terms are looked for: `in:all`.

    By default in messages other than tool output, and in what a task itself says (title, project,
    branch, notes, tags). TITLE looks in titles only; ALL looks in tool output, too.
    """

    TITLE = "title"
    ALL = "all"


class Sort(StrEnum):
    """The orders that a query can ask for. CREATED to PROJECT are orders of tasks only."""

    NEWEST = "newest"
    RELEVANCE = "relevance"
    CREATED = "created"
    MESSAGES = "messages"
    TITLE = "title"
    PROJECT = "project"


@dataclass(frozen=True, slots=True)
class Term:
    """Something that must occur, or must not.

    `text` is what was typed, without the quotes around it, the `-` before it and the `*` behind
    it; never empty, but it may hold punctuation only. A phrase's words stand next to one another
    in this order; an open one misses the quote at its end. A prefix's last word may go on. `start`
    and `end` are the place in the query's text, marks included.
    """

    text: str
    is_phrase: bool = False
    is_prefix: bool = False
    is_excluded: bool = False
    is_open: bool = field(default=False, compare=False)
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter as it was typed: any of its values will do; excluded, none of them may be.

    `values` of role, kind, status, is, in and sort are those of `Role`, `Kind`, `TaskStatus`,
    `Is`, `In` and `Sort`; the others are free text. `moment` is what the value of after and before
    means, aware. `start` and `end` are the place in the query's text.
    """

    name: FilterName
    values: tuple[str, ...]
    is_excluded: bool = False
    moment: datetime | None = None
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


# A task has one agent, one folder...: asking for two can only mean either. It can have two tags.
_ONE_OF_A_KIND = frozenset(
    {
        FilterName.AGENT,
        FilterName.PROJECT,
        FilterName.BRANCH,
        FilterName.MODEL,
        FilterName.ROLE,
        FilterName.KIND,
        FilterName.STATUS,
    }
)
_CONDITIONS = _ONE_OF_A_KIND | {FilterName.TAG, FilterName.IS}


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query. `text` is its source; two queries that say the same are equal.

    `terms` and `filters` are in the order of the text. A query without terms asks for everything
    that its filters let through; one with excluded terms only, for all of that without these.
    """

    text: str = field(default="", compare=False)
    terms: tuple[Term, ...] = ()
    filters: tuple[Filter, ...] = ()

    @property
    def wanted(self) -> tuple[Term, ...]:
        """The terms that must all occur."""
        return tuple(term for term in self.terms if not term.is_excluded)

    @property
    def excluded(self) -> tuple[Term, ...]:
        """The terms of which none may occur."""
        return tuple(term for term in self.terms if term.is_excluded)

    @property
    def conditions(self) -> tuple[Filter, ...]:
        """The filters other than after, before, in and sort: all of them must hold.

        What was repeated is one filter here where a task can have only one such value: any will
        do. `tag:` and `is:` repeated ask for both.
        """
        found: dict[object, Filter] = {}
        for number, item in enumerate(self.filters):
            if item.name not in _CONDITIONS:
                continue
            joins = item.is_excluded or item.name in _ONE_OF_A_KIND
            key = (item.name, item.is_excluded) if joins else number
            before = found.get(key)
            values = item.values if before is None else (*before.values, *item.values)
            found[key] = replace(before or item, values=tuple(dict.fromkeys(values)))
        return tuple(found.values())

    def any_of(self, name: FilterName) -> tuple[str, ...]:
        """Give the values of which a message has to have one; () when any will do.

        For the names of which there is one: agent, project, branch, model, role, kind, status.
        """
        return tuple(self._values(name, is_excluded=False))

    def none_of(self, name: FilterName) -> tuple[str, ...]:
        """Give the values of which a message may have none."""
        return tuple(self._values(name, is_excluded=True))

    def _values(self, name: FilterName, *, is_excluded: bool) -> Iterator[str]:
        for item in self.conditions:
            if item.name is name and item.is_excluded is is_excluded:
                yield from item.values

    @property
    def after(self) -> datetime | None:
        """The moment at or after which it must be; the latest when several were given."""
        return max(self._moments(FilterName.AFTER), default=None)

    @property
    def before(self) -> datetime | None:
        """The moment before which it must be; the earliest when several were given."""
        return min(self._moments(FilterName.BEFORE), default=None)

    def _moments(self, name: FilterName) -> Iterator[datetime]:
        for item in self.filters:
            if item.name is name and item.moment is not None:
                yield item.moment

    @property
    def scope(self) -> In | None:
        """Where terms are looked for; None is the default. The last one given counts."""
        last = self._last(FilterName.IN)
        return None if last is None else In(last)

    @property
    def sort(self) -> Sort | None:
        """The order asked for; None is newest first. The last one given counts."""
        last = self._last(FilterName.SORT)
        return None if last is None else Sort(last)

    def _last(self, name: FilterName) -> str | None:
        values = [item.values[-1] for item in self.filters if item.name is name]
        return values[-1] if values else None

    @property
    def wants_tool_output(self) -> bool:
        """Whether tool output is looked in: `in:all`, or a `role:` or `kind:` that names it."""
        return (
            self.scope is In.ALL
            or "tool" in self.any_of(FilterName.ROLE)
            or "tool_result" in self.any_of(FilterName.KIND)
        )

    def as_typed(self) -> Query:
        """Give the query of somebody who has not finished: the word at the end may go on."""
        if not self.terms or self.terms[-1].end != len(self.text):
            return self
        last = self.terms[-1]
        if last.is_excluded or (last.is_phrase and not last.is_open):
            return self
        return replace(self, terms=(*self.terms[:-1], replace(last, is_prefix=True)))
