"""What Goose's sessions used.

Every version adds up what a session used. The newer ones also note each call in a ledger, with its
time and model; what was added up before there was one, or is not in it, is dated by when the
session was last changed, each time that more is found.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from store.models import Usage
from store.reading.usage import Figures, Tally, count_of, day_of

Entry = tuple[datetime | None, str, Figures]


def used(sent: Any, output: Any, read: Any = None, written: Any = None) -> Figures | None:
    """Give what was used, None when that is not said.

    What Goose calls input includes what came from a cache or went into one.
    """
    known = [count_of(one) for one in (sent, output, read, written)]
    if known[0] is None and known[1] is None:
        return None
    fresh = (known[0] or 0) - (known[2] or 0) - (known[3] or 0)
    return max(0, fresh), known[1] or 0, known[2], known[3], None


def add_up(
    beyond: Tally,
    added_up: Figures | None,
    ledger: Iterable[Entry],
    model: str | None,
    changed: datetime | None,
    changed_ns: int,
) -> tuple[Usage, ...]:
    """Give all that a session used: its ledger, and what was added up beyond that.

    `beyond` is what of the latter was found before; what is new goes into it.
    """
    whole = Tally()
    for time, by, figures in ledger:
        whole.add(day_of(time or changed, changed_ns), by or model or "", figures)
    if added_up is not None:
        found = [one + other for one, other in zip(whole.total(), beyond.total(), strict=True)]
        sent, output, read, written, _ = added_up
        # What was added up without telling caches apart has what came from one in its input.
        within = (found[2] if read is None else 0) + (found[3] if written is None else 0)
        more = (
            max(0, sent - found[0] - within),
            max(0, output - found[1]),
            None if read is None else max(0, read - found[2]),
            None if written is None else max(0, written - found[3]),
            None,
        )
        if any(more):
            beyond.add(day_of(changed, changed_ns), model or "", more)
    whole.include(beyond)
    return whole.news()
