"""What of a query to leave out when nothing is found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from store.query.model import Filter, FilterName, Query, Term
from store.query.parser import parse_query
from store.search import Hits

_MOST = 10  # tries
_SECONDS_EACH = 0.2


@dataclass(frozen=True, slots=True)
class Relaxed:
    """A query without one of its parts, and what it finds. `part` is what was left out."""

    part: str
    query: Query
    hits: Hits


class Searches(Protocol):
    """Who can search: a store."""

    async def search(
        self, query: Query | str, *, limit: int = ..., seconds: float | None = ...
    ) -> Hits:
        """Give hits."""
        ...


async def relaxed(
    store: Searches, query: Query, *, now: datetime | None = None, limit: int = 1
) -> list[Relaxed]:
    """Give the parts without which the query finds something: filters first, then words.

    Each is tried by itself. `limit` is how many hits of each are wanted beside their number.
    """
    found: list[Relaxed] = []
    for part, _ in zip(_parts(query), range(_MOST), strict=False):
        text = f"{query.text[: part.start].rstrip()} {query.text[part.end :].lstrip()}".strip()
        wider = parse_query(text, now)
        hits = await store.search(wider, limit=limit, seconds=_SECONDS_EACH)
        if hits.total or hits.tasks:
            found.append(Relaxed(query.text[part.start : part.end], wider, hits))
    return found


def _parts(query: Query) -> Iterator[Term | Filter]:
    yield from (item for item in query.filters if item.name is not FilterName.SORT)
    yield from query.excluded
    if len(query.wanted) > 1:
        yield from query.wanted
