"""The messages that may be hits, newest first, by whichever way is the shortest.

Words are looked up in the index, which gives its messages in the order of time at any speed. What
it cannot decide (punctuation, phrases) or only at a price (the beginning of a word that half of all
messages have) is left to whoever looks at the messages. Where few messages are left by the filters
these are gone through one by one.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from store.models import Kind, Role
from store.query.model import FilterName, Query
from store.sqlite.index import FEW, OUTPUT, PROSE
from store.sqlite.timeline import place_at
from store.sqlite.values import micros, to_json
from store.words import Needles, mark_of

_FEW_MESSAGES = 4_000  # are gone through one by one
_MANY_PAGES = 8  # of the index: a word that has more is in twenty thousand messages
# Of the index, for the beginning of a word: all of them are read before the first hit is known. To
# look at the newest messages is quicker than that, unless few of them pass the filters.
_MOST_PAGES = {PROSE: 40, OUTPUT: 20}
_MOST_PAGES_OF_SOME = 80
_MOST_WORDS = 60  # of a long phrase: the index allows for some more
_FIRST_PLACE, _LAST_PLACE = -(2**62), 2**62
# Messages that wait for the index and are looked at, the newest: prose, and the output of tools.
MOST_WAITING = (4 * FEW, FEW)
_NO_MARK = "\ue000"


class Candidate(NamedTuple):
    """A message that may be a hit. Without `content` the index has decided that it is one."""

    place: int
    id: int
    task: int
    seq: int
    at: int
    role: str
    kind: str
    tool_name: str | None
    inherited: int
    content: str | None


@dataclass(frozen=True)
class Tasks:
    """The tasks whose messages are looked at: their numbers, and how many messages they have."""

    numbers: Sequence[int]
    messages: int


class Conditions:
    """What a query and its caller ask of a message beside the words."""

    def __init__(
        self, query: Query, tasks: Tasks | None, allows: Callable[[int], bool] | None = None
    ) -> None:
        """Take them from a query. `allows` says of a task what is not told of by `tasks`."""
        self.tasks = tasks
        self.after = None if query.after is None else micros(query.after)
        self.before = None if query.before is None else micros(query.before)
        self.roles = query.any_of(FilterName.ROLE), query.none_of(FilterName.ROLE)
        self.kinds = query.any_of(FilterName.KIND), query.none_of(FilterName.KIND)
        self._numbers = None if tasks is None else frozenset(tasks.numbers)
        self._allows = None if allows is None else cache(allows)

    @property
    def marks(self) -> list[str] | None:
        """What a message must have one of in the index; None when any will do."""
        if not any((*self.roles, *self.kinds)):
            return None
        return [
            mark_of(role, kind)
            for role in Role
            if _is_among(role, *self.roles)
            for kind in Kind
            if _is_among(kind, *self.kinds)
        ] or [_NO_MARK]

    @property
    def are_any(self) -> bool:
        """Whether there is anything that keeps a message back."""
        bounds = self.tasks, self.after, self.before, self._allows
        return any(bound is not None for bound in bounds) or any((*self.roles, *self.kinds))

    def let_through(self, found: Candidate) -> bool:
        """Say whether a message passes."""
        return (
            self.allow(found.task)
            and (self.after is None or found.at >= self.after)
            and (self.before is None or found.at < self.before)
            and _is_among(found.role, *self.roles)
            and _is_among(found.kind, *self.kinds)
        )

    def allow(self, task: int) -> bool:
        """Say whether messages of a task can pass."""
        if self._numbers is not None:
            return task in self._numbers
        return self._allows is None or self._allows(task)


def _is_among(value: str, any_of: Sequence[str], none_of: Sequence[str]) -> bool:
    return (not any_of or value in any_of) and value not in none_of


class Candidates:
    """Where to look for the messages of one query."""

    def __init__(self, db: sqlite3.Connection, needles: Needles, conditions: Conditions) -> None:
        self._db = db
        self._needles = needles
        self._conditions = conditions
        self._state = db.execute("SELECT spill FROM search_state").fetchone()

    def newest_first(
        self, *, output: bool, beyond: tuple[int, int] | None = None, task: int | None = None
    ) -> Iterator[Candidate]:
        """Give the messages other than tools' output, or this output, from the newest on.

        `beyond` is the place and id of the candidate to go on behind; with `task` only that one's.
        """
        first = _FIRST_PLACE if beyond is None else beyond[0]
        found = self._indexed(OUTPUT if output else PROSE, first, task)
        if waiting := self._waiting(output):
            found = merged([iter(waiting), found])
        if beyond is not None:
            place, message = beyond
            found = (each for each in found if (each.place, -each.id) > (place, -message))
        if task is not None:
            found = (each for each in found if each.task == task)
        if self._conditions.are_any:
            let_through = self._conditions.let_through
            found = (each for each in found if let_through(each))
        return found

    def _waiting(self, output: bool) -> list[Candidate]:
        """Give what is not in the index yet, the newest of it if that is much."""
        # Output stands among the rest when all of the index is to be made.
        found = []
        for may_wait in (0, 1) if output else (0,):
            rows = self._db.execute(_WAITING, (may_wait, MOST_WAITING[may_wait], output))
            rows.row_factory = None
            found += [Candidate(place_at(row[3]), *row) for row in rows]
        return sorted(found, key=_newest_first)

    def _indexed(self, table: str, first: int, task: int | None) -> Iterator[Candidate]:
        tasks = self._conditions.tasks
        pages = min((self._pages(table, word) for word in self._words()), default=_MANY_PAGES + 1)
        is_few = tasks is not None and tasks.messages <= _FEW_MESSAGES
        if task is None and is_few and pages > _MANY_PAGES:
            assert tasks is not None
            return self._one_by_one(tasks, output=table == OUTPUT)
        return self._matching(table, first, task)

    def _words(self) -> list[str]:
        words = {word for needle in self._needles.wanted for word in needle.words}
        return sorted(words, key=len, reverse=True)[:_MOST_WORDS]

    # In the index

    def _matching(self, table: str, first: int, task: int | None) -> Iterator[Candidate]:
        expression, is_decided = self._expression(table, with_beginnings=task is None)
        first, last = self._range(first, task)
        conditions = [f"{'entry.place' if expression is None else 'found.rowid'} BETWEEN ? AND ?"]
        values: list[object] = [first, last]
        if task is not None:
            conditions.append("entry.task = ?")
            values.append(task)
        elif self._conditions.tasks is not None:
            conditions.append("entry.task IN (SELECT value FROM json_each(?))")
            values.append(to_json(list(self._conditions.tasks.numbers)))
        content = "NULL" if is_decided else "content"
        if expression is None:
            conditions.append(f"(kind = 'tool_result') = {int(table == OUTPUT)}")
            source = "search_entry AS entry"
        else:
            conditions.insert(0, f"found.{table} MATCH ?")
            values.insert(0, expression)
            source = (
                f"{table} AS found CROSS JOIN search_entry AS entry ON entry.place = found.rowid"
            )
        rows = self._db.execute(
            f"SELECT entry.place, {_COLUMNS}, {content} FROM {source}"  # noqa: S608
            " CROSS JOIN message ON message.id = entry.message"
            f" WHERE {' AND '.join(conditions)}"
            f" ORDER BY {'entry.place' if expression is None else 'found.rowid'}",
            values,
        )
        rows.row_factory = None
        return map(Candidate._make, rows)

    def _range(self, first: int, task: int | None) -> tuple[int, int]:
        """Give the places between which all candidates are."""
        last, spill = _LAST_PLACE, self._state[0]
        after, before = self._conditions.after, self._conditions.before
        if task is not None:
            begun, ended = self._db.execute(_SPAN, (task, task)).fetchone()
            if begun is not None:
                after = begun if after is None else max(begun, after)
                before = ended + 1 if before is None else min(ended + 1, before)
        if after is not None:
            last = place_at(after)
        if before is not None:
            first = max(first, place_at(before) - spill)
        return first, last

    def _expression(self, table: str, *, with_beginnings: bool) -> tuple[str | None, bool]:
        """Give what the index is asked for, None for everything; and whether that decides."""
        wanted = [f'"{word}"' for word in self._words()]
        is_decided = len(wanted) < _MOST_WORDS
        for needle in self._needles.wanted:
            is_decided = is_decided and needle.is_decided
            if needle.beginning is None:
                continue
            if with_beginnings and self._are_few(table, needle.beginning):
                wanted.append(f'"{needle.beginning}" *')
            else:
                is_decided = False
        if self._conditions.marks is not None:
            wanted.append("(" + " OR ".join(f'"{mark}"' for mark in self._conditions.marks) + ")")
        if not wanted:
            return None, not self._needles.wanted and not self._needles.excluded
        unwanted: list[str] = []
        for needle in self._needles.excluded:
            if needle.is_decided and needle.beginning is None:
                unwanted += (f'"{word}"' for word in needle.words)
            else:
                is_decided = False
        expression = " AND ".join(wanted)
        if unwanted:
            expression = f"({expression}) NOT ({' OR '.join(unwanted)})"
        return expression, is_decided

    def _are_few(self, table: str, beginning: str) -> bool:
        is_some = table == PROSE and self._conditions.tasks is not None
        most = _MOST_PAGES_OF_SOME if is_some else _MOST_PAGES[table]
        return self._pages(table, beginning, goes_on=True) < most

    def _pages(self, table: str, word: str, *, goes_on: bool = False) -> int:
        """Give about how many pages of the index are about a word, or all that begin like it."""
        key = _TERMS + word.encode()
        beyond = key + (b"\xff" if goes_on else b"\0")
        mark = max(beyond, _TERMS + mark_of("", "")[:1].encode())
        bounds = {"key": key, "beyond": beyond, "mark": mark}
        rows = self._db.execute(_PAGES.format(table=table), bounds)
        return sum(max(0, (last or 0) - (first or 0)) for first, last in rows)

    # Without the index

    def _one_by_one(self, tasks: Tasks, *, output: bool) -> Iterator[Candidate]:
        rows = self._db.execute(_OF_TASKS, (to_json(list(tasks.numbers)),))
        rows.row_factory = None
        for place, message in sorted(rows):
            row = self._db.execute(_ONE, (message,))
            row.row_factory = None
            [found] = row
            if (found[5] == Kind.TOOL_RESULT) is output:
                yield Candidate(place, *found)


def merged(streams: Sequence[Iterator[Candidate]]) -> Iterator[Candidate]:
    """Give the candidates of several streams, the newest first."""
    return heapq.merge(*streams, key=_newest_first)


def _newest_first(candidate: Candidate) -> tuple[int, int]:
    return candidate.place, -candidate.id


_COLUMNS = "message.id, message.task, seq, at, role, kind, tool_name, inherited"
_WAITING = f"""
    SELECT {_COLUMNS}, content FROM (
        SELECT message AS id FROM search_todo WHERE may_wait = ? ORDER BY message DESC LIMIT ?
    ) AS waiting CROSS JOIN message ON message.id = waiting.id
    WHERE (kind = 'tool_result') = ?
"""  # noqa: S608 - constants only
_ONE = f"SELECT {_COLUMNS}, content FROM message WHERE id = ?"  # noqa: S608
_OF_TASKS = """
    SELECT place, message.id FROM message JOIN search_entry ON search_entry.message = message.id
    WHERE message.task IN (SELECT value FROM json_each(?))
"""
_SPAN = """
    SELECT (SELECT at FROM message WHERE task = ? ORDER BY at LIMIT 1),
        (SELECT at FROM message WHERE task = ? ORDER BY at DESC LIMIT 1)
"""

# How FTS5 stores an index: the leaves of a part are numbered in the order of its terms, and the
# table of its first terms says on which leaf each is. What follows on the leaf that a term ends on
# may be one that fills hundreds: the marks do. See https://sqlite.org/fts5.html#the_shadow_tables
_TERMS = b"0"
_PAGES = """
    WITH RECURSIVE segment (id) AS (
        SELECT min(segid) FROM {table}_idx
        UNION ALL SELECT (SELECT min(segid) FROM {table}_idx WHERE segid > id) FROM segment
        WHERE id IS NOT NULL
    )
    SELECT (SELECT pgno >> 1 FROM {table}_idx WHERE segid = segment.id AND term <= :key
            ORDER BY term DESC LIMIT 1),
        min(coalesce(
            (SELECT pgno >> 1 FROM {table}_idx WHERE segid = segment.id AND term > :beyond
             ORDER BY term LIMIT 1),
            (SELECT 1 + (max(id) & 0x7fffffff) FROM {table}_data
             WHERE id > (segment.id << 37) AND id < (segment.id << 37) + (1 << 31))),
            (SELECT 1 + (pgno >> 1) FROM {table}_idx WHERE segid = segment.id AND term <= :mark
             ORDER BY term DESC LIMIT 1))
    FROM segment WHERE id IS NOT NULL
"""
