"""What a search found, in the order in which it is shown: sessions, and their hits below them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from typing_extensions import TypeIs

    from store.search import Hit, Hits, TaskHit

    Found: TypeAlias = Hit | TaskHit


@dataclass(slots=True)
class Group:
    """One session and what was found in it."""

    first: Found
    hits: list[Found] = field(default_factory=list)

    @property
    def task_id(self) -> str:
        """The session's task."""
        return self.first.task_id


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list: a group's heading, or one of its hits."""

    group: Group
    hit: Found | None = None


class HitListing:
    """The hits that have been read, grouped by session. Groups stand where their first hit did.

    Only hits can be selected; `places` has the lines that they are on.
    """

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.places: list[int] = []
        self.cursor: str | None = None
        self.total = 0
        self.is_capped = False
        self.more_in_tools = 0
        self.more_is_capped = False
        self.is_cut = False
        self._groups: dict[str, Group] = {}

    def __len__(self) -> int:
        return len(self.places)

    @property
    def sessions(self) -> int:
        """How many sessions the hits that have been read are in."""
        return len(self._groups)

    def add(self, page: Hits) -> None:
        """Take the first page, or the next one."""
        if not self._groups:
            self.count(page)
        self.cursor = page.cursor
        self._take(page.hits)
        self._take(page.tasks)
        self.lines = [
            line
            for group in self._groups.values()
            for line in (Line(group), *(Line(group, hit) for hit in group.hits))
        ]
        self.places = [at for at, line in enumerate(self.lines) if line.hit is not None]

    def count(self, page: Hits) -> None:
        """Take how much there is from a first page."""
        self.total, self.is_capped = page.total, page.is_capped
        self.more_in_tools, self.more_is_capped = page.more_in_tools, page.more_is_capped
        self.is_cut = page.is_cut

    def hit(self, number: int) -> Found | None:
        """Give a hit by its number, from 0, in the order in which they are shown."""
        if not 0 <= number < len(self.places):
            return None
        return self.lines[self.places[number]].hit

    def number_of(self, task_id: str, seq: int | None) -> int | None:
        """Give the number of the hit that is this message."""
        for number, place in enumerate(self.places):
            hit = self.lines[place].hit
            if hit is not None and (hit.task_id, seq_of(hit)) == (task_id, seq):
                return number
        return None

    def number_at(self, line: int) -> int:
        """Give the number of the hit on a line; of the first one below a heading."""
        return bisect_left(self.places, line)

    def _take(self, hits: Iterable[Found]) -> None:
        for hit in hits:
            group = self._groups.get(hit.task_id)
            if group is None:
                group = self._groups[hit.task_id] = Group(hit)
            group.hits.append(hit)


def seq_of(hit: Found) -> int | None:
    """Give the number of the message that a hit leads to."""
    return hit.first_seq if is_task(hit) else hit.seq


def is_task(hit: Found) -> TypeIs[TaskHit]:
    """Say whether it is the task itself that was found."""
    return hasattr(hit, "field")
