"""Searching: from a query to a page of hits, in a moment however much there is."""

from __future__ import annotations

import math
import sqlite3
import threading
import time
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from store.errors import InvalidValue
from store.models import TaskFilter
from store.query.model import FilterName, In, Query, Sort
from store.query.parser import render
from store.query.uses import check_search, narrowed
from store.search import COUNT_CAP, Hit, Hits, TaskHit
from store.snippets import snippet
from store.sqlite import filters, tasks
from store.sqlite.candidates import MOST_WAITING, Candidate, Candidates, Conditions, Tasks, merged
from store.sqlite.copies import Copies
from store.sqlite.index import waiting
from store.sqlite.rows import KINDS, ROLES
from store.sqlite.task_hits import task_hits
from store.sqlite.values import from_cursor, moment, to_cursor, to_json
from store.words import Needles, texts_of

# Shares of the time there is, from the beginning: hits come first, what is beside them may be cut.
_COUNTED_BY, _TOOLS_COUNTED_BY, _TASKS_FOUND_BY = 0.6, 0.87, 1.0
_UNHURRIED = 1.0  # seconds for each of these where there is no such time
_MOST_ASKED = 24  # tasks whose messages are gone through to see that none matches
_LOOKED_AT = 32  # candidates between two looks at the clock
_EVERYTHING = TaskFilter(everything=True, archived=None)


@dataclass(frozen=True)
class Wanted:
    """What is looked for, where, and how much of it.

    `seconds` is how long it may take, about; once it is `stopped` nobody waits any more.
    """

    query: Query
    filter: TaskFilter | None = None
    task_id: str | None = None
    limit: int = 50
    cursor: str | None = None
    seconds: float | None = None
    stopped: threading.Event = field(default_factory=threading.Event)


def search(db: sqlite3.Connection, wanted: Wanted) -> Hits:
    """Give a page of hits.

    Raises QueryError for what only a list of tasks can answer, InvalidValue for a cursor of
    another query, NotFound for an unknown task.
    """
    check_search(wanted.query)
    return _Search(db, wanted).hits()


@dataclass(frozen=True)
class _Counts:
    """How many hits there are, at least, and whether there are more; the same of tools' output."""

    total: int = 0
    is_capped: bool = False
    in_tools: int = 0
    tools_are_capped: bool = False


class _Looking:
    """A walk through candidates: the hits among them, and how far it went."""

    def __init__(
        self,
        candidates: Iterator[Candidate],
        needles: Needles,
        copies: Copies | None,
        stopped: threading.Event,
    ) -> None:
        self.last: Candidate | None = None
        self.is_end = False
        self.until: float | None = None
        self._candidates = candidates
        self._needles = needles
        self._copies = copies
        self._stopped = stopped
        self._looked_at = 0

    def hits(self) -> Iterator[Candidate]:
        """Give hits until the end, or until it is late."""
        for found in self._candidates:
            self.last = found
            if self._is_hit(found):
                yield found
            self._looked_at += 1
            if self._looked_at % _LOOKED_AT == 0 and self._is_late():
                return
        self.is_end = True

    def _is_hit(self, found: Candidate) -> bool:
        if found.content is not None:
            texts = texts_of(found.kind, found.tool_name, found.content)
            if not self._needles.are_in(texts):
                return False
        return self._copies is None or not self._copies.is_copy(found)

    def _is_late(self) -> bool:
        return _is_past(self.until) or self._stopped.is_set()


class _Search:
    def __init__(self, db: sqlite3.Connection, wanted: Wanted) -> None:
        self._db = db
        self._wanted = wanted
        self._query = wanted.query
        self._began = time.monotonic()
        self._deadline = None if wanted.seconds is None else self._until(1)
        self._is_cut = False
        self._needles = Needles(wanted.query.terms)
        self._filter = narrowed(wanted.filter or _EVERYTHING, wanted.query)
        # A caller leaves out a few tasks, a query most of them: those are looked up beforehand.
        is_of_all = wanted.filter is None or wanted.task_id is not None
        allows = None if is_of_all else self._allows
        self._conditions = Conditions(wanted.query, self._tasks(), allows)
        self._candidates = Candidates(db, self._needles, self._conditions)
        # Within one history there are no two of the same.
        self._copies = None if wanted.task_id else Copies(db, self._conditions.allow)
        said = f"{render(self._query)}\0{wanted.filter}\0{wanted.task_id}"
        self._mark = zlib.crc32(said.encode("utf-8", "surrogatepass"))

    def _tasks(self) -> Tasks | None:
        """Give the tasks that the query's own filters let through; None when it has none."""
        if self._wanted.task_id is not None:
            n = tasks.place(self._db, self._wanted.task_id)
            row = self._db.execute("SELECT message_count FROM task WHERE n = ?", (n,)).fetchone()
            return Tasks((n,), row[0])
        if self._filter.conditions == (self._wanted.filter or _EVERYTHING).conditions:
            return None
        found = self._select("n, message_count").fetchall()
        return Tasks([n for n, _ in found], sum(count for _, count in found))

    def _allows(self, task: int) -> bool:
        """Say whether the filters let a task through."""
        return self._select("1", " AND task.n = ?", task).fetchone() is not None

    def _select(self, columns: str, more: str = "", *values: object) -> sqlite3.Cursor:
        conditions, bound = filters.conditions(self._filter)
        rows = self._db.execute(
            f"SELECT {columns} FROM {filters.joined(self._filter)}"  # noqa: S608
            f" WHERE {' AND '.join(conditions)}{more}",
            (*bound, *values),
        )
        rows.row_factory = None
        return rows

    def hits(self) -> Hits:
        """Give the page that is wanted."""
        if self._query.scope is In.TITLE and self._query.wanted:
            named = self._tasks_with(titles_only=True, until=self._deadline)
            found = tuple(hit for _, hit in islice(named, self._wanted.limit))
            return Hits(tasks=found, is_cut=_is_past(self._deadline))
        if self._query.sort is Sort.RELEVANCE:
            return self._most_relevant()
        return self._newest()

    # The newest first

    def _newest(self) -> Hits:
        wanted, beyond, counts = self._wanted, None, None
        if wanted.cursor is not None:
            place, message, total, capped, in_tools, tools_capped = self._from_cursor(6)
            beyond = place, message
            counts = _Counts(total, bool(capped), in_tools, bool(tools_capped))
        looking = self._looking(beyond)
        looking.until = self._deadline
        stream = looking.hits()
        found = list(islice(stream, max(0, wanted.limit)))
        page_ends = looking.last
        is_partial = len(found) < wanted.limit and not looking.is_end
        more: list[Candidate] = []
        if counts is None:
            if not is_partial:
                looking.until = self._until(_COUNTED_BY)
                more = list(islice(stream, max(1, COUNT_CAP + 1 - len(found))))
            total = len(found) + len(more)
            is_capped = total > COUNT_CAP or not looking.is_end
            self._is_cut |= is_capped and total <= COUNT_CAP
            counts = _Counts(min(total, COUNT_CAP), is_capped, *self._in_tools())
        elif is_partial:
            self._is_cut = True
        else:
            more = list(islice(stream, 1))
        cursor = None
        if page_ends is not None and (more or not looking.is_end):
            cursor = self._cursor(page_ends.place, page_ends.id, *_values(counts))
        return self._page(found, counts, cursor, self._tasks_beside(found + more, looking.is_end))

    def _looking(
        self, beyond: tuple[int, int] | None = None, *, task: int | None = None
    ) -> _Looking:
        streams = [self._candidates.newest_first(output=False, beyond=beyond, task=task)]
        if self._query.wants_tool_output:
            streams.append(self._candidates.newest_first(output=True, beyond=beyond, task=task))
        return self._walk(merged(streams) if len(streams) > 1 else streams[0])

    def _walk(self, candidates: Iterator[Candidate]) -> _Looking:
        return _Looking(candidates, self._needles, self._copies, self._wanted.stopped)

    def _in_tools(self) -> tuple[int, bool]:
        """Count the tools' outputs that match and are not looked in."""
        if self._query.wants_tool_output:
            return 0, False
        until = self._until(_TOOLS_COUNTED_BY)
        if _is_past(until):
            self._is_cut = True
            return 0, True
        looking = self._walk(self._candidates.newest_first(output=True))
        looking.until = until
        count = sum(1 for _ in islice(looking.hits(), COUNT_CAP + 1))
        is_capped = count > COUNT_CAP or not looking.is_end
        self._is_cut |= is_capped and count <= COUNT_CAP
        return min(count, COUNT_CAP), is_capped

    def _until(self, share: float) -> float:
        """Give when to stop what may take that share of the time there is."""
        seconds = self._wanted.seconds
        if seconds is None:
            return time.monotonic() + _UNHURRIED
        return self._began + share * seconds

    # The most relevant first

    def _most_relevant(self) -> Hits:
        """Put the newest of the hits, as many as are counted, into order."""
        wanted, begin = self._wanted, 0
        if wanted.cursor is not None:
            [begin] = self._from_cursor(1)
        looking = self._looking()
        looking.until = self._deadline
        found = list(islice(looking.hits(), COUNT_CAP + 1))
        is_capped = len(found) > COUNT_CAP or not looking.is_end
        self._is_cut |= is_capped and len(found) <= COUNT_CAP
        found = found[:COUNT_CAP]
        contents = self._contents(found)
        found.sort(key=lambda hit: _relevance(hit, contents[hit.id], self._needles), reverse=True)
        end = begin + max(0, wanted.limit)
        counts = _Counts(len(found), is_capped, *self._in_tools())
        cursor = self._cursor(end) if end < len(found) else None
        beside = self._tasks_beside(found, looking.is_end)
        return self._page(found[begin:end], counts, cursor, beside)

    # Tasks

    def _tasks_with(
        self, *, titles_only: bool, until: float | None
    ) -> Iterator[tuple[int, TaskHit]]:
        if not self._query.wanted:
            return iter(())
        changes = {"active_after": self._query.after, "active_before": self._query.before}
        narrow = {name: moment for name, moment in changes.items() if moment is not None}
        return task_hits(
            self._db,
            self._needles,
            self._query.terms,
            self._filter.model_copy(update=narrow),
            titles_only=titles_only,
            until=until,
        )

    def _tasks_beside(self, found: Sequence[Candidate], is_all: bool) -> tuple[TaskHit, ...]:
        """Give tasks that match themselves, and of which no message does.

        `found` are the first hits; `is_all` says that there are no others. Of how many tasks that
        can be told is a matter of time: where hits are many, it is not told of all.
        """
        asks_for_messages = any(
            item.name in (FilterName.ROLE, FilterName.KIND) for item in self._query.conditions
        )
        if self._wanted.cursor or self._wanted.task_id or asks_for_messages:
            return ()
        until = self._until(_TASKS_FOUND_BY)
        seen = {hit.task for hit in found}
        hits: list[TaskHit] = []
        asked = 0
        for n, hit in self._tasks_with(titles_only=False, until=until):
            if n in seen:
                continue
            asked += not is_all
            if is_all or self._has_none(n, until):
                hits.append(hit)
            if len(hits) >= self._wanted.limit or asked >= _MOST_ASKED:
                break
        self._is_cut |= _is_past(until)
        return tuple(hits)

    def _has_none(self, task: int, until: float) -> bool:
        """Say whether it is known that no message of a task matches, looking until it is late."""
        looking = self._looking(task=task)
        looking.until = until
        return next(looking.hits(), None) is None and looking.is_end

    # Pages

    def _page(
        self,
        found: Sequence[Candidate],
        counts: _Counts,
        cursor: str | None,
        beside: tuple[TaskHit, ...],
    ) -> Hits:
        contents = self._contents(found)
        about = self._about({hit.task for hit in found})
        hits = []
        for hit in found:
            words, marks = snippet(contents[hit.id], self._query.terms)
            task_id, title, project_path, session_id, agent = about[hit.task]
            hits.append(
                Hit.trusted(
                    task_id=task_id,
                    session_id=session_id,
                    agent=agent,
                    project_path=project_path,
                    title=title,
                    seq=hit.seq,
                    role=ROLES[hit.role],
                    kind=KINDS[hit.kind],
                    tool_name=hit.tool_name,
                    timestamp=moment(hit.at),
                    snippet=words,
                    marks=marks,
                )
            )
        return Hits.trusted(
            hits=tuple(hits),
            tasks=beside,
            total=counts.total,
            is_capped=counts.is_capped,
            more_in_tools=counts.in_tools,
            more_is_capped=counts.tools_are_capped,
            cursor=cursor,
            is_cut=self._is_cut,
            unindexed=self._unindexed(),
        )

    def _unindexed(self) -> int:
        """Count what could not be looked at, since it is not in the index yet."""
        return sum(
            max(0, waiting(self._db, may_wait) - most) for may_wait, most in enumerate(MOST_WAITING)
        )

    def _contents(self, found: Sequence[Candidate]) -> dict[int, str]:
        unread = [hit.id for hit in found if hit.content is None]
        rows = self._db.execute(_CONTENTS, (to_json(unread),)) if unread else ()
        contents = {hit.id: hit.content for hit in found if hit.content is not None}
        return contents | dict(rows)

    def _about(self, numbers: set[int]) -> dict[int, tuple[Any, ...]]:
        rows = self._db.execute(_ABOUT, (to_json(sorted(numbers)),))
        return {n: tuple(rest) for n, *rest in rows}

    # Cursors

    def _cursor(self, *place: int) -> str:
        return to_cursor(self._mark, *place)

    def _from_cursor(self, length: int) -> list[int]:
        mark, *place = from_cursor(self._wanted.cursor or "", length + 1)
        if mark != self._mark:
            raise InvalidValue("the cursor belongs to another query")
        return place


def _is_past(until: float | None) -> bool:
    return until is not None and time.monotonic() > until


def _values(counts: _Counts) -> tuple[int, ...]:
    return counts.total, counts.is_capped, counts.in_tools, counts.tools_are_capped


_CONTENTS = "SELECT id, content FROM message WHERE id IN (SELECT value FROM json_each(?))"
_ABOUT = """
    SELECT task.n, task.id, title, task.project_path, session_id, backend
    FROM task LEFT JOIN session ON session.task = task.n
    WHERE task.n IN (SELECT value FROM json_each(?))
"""

_MOST_OCCURRENCES = 8  # of one term that count
_USUAL_LENGTH = 400  # characters
_WEIGHTS = {"thinking": 0.8, "tool_call": 0.7, "tool_result": 0.6}


def _relevance(found: Candidate, content: str, needles: Needles) -> tuple[float, int]:
    """Say how much a message is about what was looked for. Of equals the newest comes first."""
    texts = texts_of(found.kind, found.tool_name, content)
    occurrences = (
        sum(needle.count_in(text, _MOST_OCCURRENCES) for text in texts) for needle in needles.wanted
    )
    often = sum(math.log2(1 + count) for count in occurrences)
    brief = 1 / (1 + len(content) / _USUAL_LENGTH)
    weight = 1.2 if found.role == "user" and found.kind == "text" else _WEIGHTS.get(found.kind, 1.0)
    return round(often * (0.5 + brief) * weight, 6), -found.place
