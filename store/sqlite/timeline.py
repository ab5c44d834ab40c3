"""Numbers for messages that put them in time, the newest first: the full text index's order."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

# A moment is 262,144 microseconds: so much is as good as one time to a reader, and several agents
# at work at once have room.
_BITS = 18
_LAST = 2**34  # in the year 2112
_FIRST = 1
_NEAR = 4096  # moments that are asked for together


def place_at(at: int) -> int:
    """Give the place that a message of a time (in microseconds since 1970) has, if it is free.

    Later times have lower places: what is imported, the newest first, is appended to the index.
    """
    return _LAST - _moment(at)


def _moment(at: int) -> int:
    return min(max(_FIRST, at >> _BITS), _LAST - 1)


class Places:
    """Gives out places that no message has, nor one whose words are still in the index."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def of(self, times: Sequence[int]) -> list[int]:
        """Give places for messages of these times, which ascend. The places descend.

        A message whose moment is taken gets the next free one, which is later: what is told last
        of one moment is the newest.
        """
        found: list[int] = []
        taken: set[int] = set()
        last = known_to = _FIRST - 1
        spill = 0
        for number, at in enumerate(times):
            wanted = _moment(at)
            moment = max(wanted, last + 1)
            if moment > known_to:
                known_to = _reach(times, number, moment)
                taken = self._taken(moment, known_to)
            while moment in taken:
                moment += 1
            if moment > known_to:
                moment = self._free_from(moment)
            found.append(_LAST - moment)
            spill = max(spill, moment - wanted)
            last = moment
        self._db.execute("UPDATE search_state SET spill = ? WHERE spill < ?", (spill, spill))
        return found

    def _taken(self, first: int, last: int) -> set[int]:
        bounds = _LAST - last, _LAST - first
        rows = self._db.execute(_TAKEN, (*bounds, *bounds))
        rows.row_factory = None
        return {_LAST - place for (place,) in rows}

    def _free_from(self, moment: int) -> int:
        """Give the next free moment of a crowd, in few steps however long that is."""
        if not self._taken(moment, moment):
            return moment
        step = 1
        while self._taken(moment + step, moment + step):
            step *= 2
        full, free = moment + step // 2, moment + step
        while free - full > 1:
            middle = (free + full) // 2
            if self._taken(middle, middle):
                full = middle
            else:
                free = middle
        return free


def _reach(times: Sequence[int], number: int, moment: int) -> int:
    """Give a moment up to which to ask at once: where the next few times are."""
    reach = moment
    for at in times[number + 1 : number + 1 + _NEAR]:
        following = _moment(at)
        if following - reach > _NEAR:
            break
        reach = max(reach + 1, following)
    return reach


_TAKEN = """
    SELECT place FROM search_entry WHERE place BETWEEN ? AND ?
    UNION ALL SELECT place FROM search_removed WHERE place BETWEEN ? AND ?
"""
