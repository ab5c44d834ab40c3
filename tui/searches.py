"""The searches that are made from one query, and what they found in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from store.models import Message, TaskFilter
from store.protocol import Store
from store.query.model import Filter, FilterName, In, Query
from store.query.relaxing import relaxed
from store.search import COUNT_CAP, Hit, Hits
from store.text import printable
from tui import clock
from tui.hits import HitListing

AT_ONCE = 0.03  # seconds until what has been found is shown; the next key is not kept waiting
FIRST = 50  # hits that are looked for with a key: more than a screen shows

_LEAST = 2  # characters from which on it is looked for
_OF_MESSAGES = (FilterName.ROLE, FilterName.KIND)
_PAGE = 200


def is_worthwhile(query: Query) -> bool:
    """Say whether messages are to be looked for: a single letter would be in every one.

    Filters alone are about sessions, unless they are about messages.
    """
    if query.wanted:
        return sum(len(term.text) for term in query.wanted) >= _LEAST
    return any(item.name in _OF_MESSAGES for item in query.filters)


@dataclass(frozen=True, slots=True)
class _Scoped:
    """A store of which only some tasks are searched."""

    store: Store
    scope: TaskFilter

    async def search(
        self, query: Query | str, *, limit: int = _PAGE, seconds: float | None = None
    ) -> Hits:
        return await self.store.search(query, filter=self.scope, limit=limit, seconds=seconds)


async def instead(store: Store, query: Query, scope: TaskFilter) -> str:
    """Say what would be found without one part of a query that finds nothing."""
    words = ["Nothing found."]
    for without in await relaxed(_Scoped(store, scope), query, now=clock.now()):
        found = _number(without.hits.total, without.hits.is_capped)
        words.append(f"Without {printable(without.part)}: {found}.")
    if not query.wants_tool_output:
        page = await store.search(_in_all(query), filter=scope, limit=1)
        if page.total:
            words.append(f"In tool output: {_number(page.total, page.is_capped)} (in:all).")
    return "\n".join(words)


async def within(store: Store, query: Query, task_id: str) -> list[Hit]:
    """Find everything in one conversation, tool output too, in its order; so many at most."""
    hits: list[Hit] = []
    page = Hits()
    while len(hits) < COUNT_CAP:
        page = await store.search(_in_all(query), task_id=task_id, limit=_PAGE, cursor=page.cursor)
        hits += page.hits
        if page.cursor is None:
            break
    return sorted(hits, key=_key)


def first_behind(hits: Sequence[Hit], message: Message) -> int:
    """Give the number of the first hit at a message or behind it, of the first one if none is."""
    return sum(1 for hit in hits if _key(hit) < (message.timestamp, message.seq)) % len(hits)


def counted(listing: HitListing) -> str:
    """Say how much was found, and how much more is in tool output."""
    if not listing.total and not len(listing):
        return "looking…" if listing.is_cut else "nothing found"
    words = f"{_number(listing.total, listing.is_capped)} hit{'' if listing.total == 1 else 's'}"
    if listing.more_in_tools:
        more = _number(listing.more_in_tools, listing.more_is_capped)
        words += f" · in:all adds {more}"
    return words


def _key(hit: Hit) -> tuple[datetime, int]:
    return hit.timestamp, hit.seq


def _in_all(query: Query) -> Query:
    """Give the query with tool output looked in, too."""
    if query.wants_tool_output:
        return query
    return replace(query, filters=(*query.filters, Filter(FilterName.IN, (In.ALL,))))


def _number(count: int, is_capped: bool) -> str:
    return f"{count:,}{'+' if is_capped else ''}"
