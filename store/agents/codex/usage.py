"""What a thread used, as the token counts of its rollout say it.

Each count is the thread's total so far, so that what was used is how far the total moved. It may
be said again unchanged (a thread that is resumed says it first), and it may begin anew (a request
that was too long leaves nothing of it). A fork goes on from its origin's total.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from pydantic import JsonValue

from store.agents.codex.facts import Facts
from store.reading.lines import Record
from store.reading.usage import Tally, count_of, day_of
from store.reading.values import list_of, object_of


class _Total(NamedTuple):
    """What Codex counts. Input includes what came from the cache and what went into it."""

    sent: int = 0
    output: int = 0
    read: int | None = None
    written: int | None = None
    reasoning: int | None = None


class Meter:
    """Counts a thread's use into a tally. `changed_ns` dates what is said at no known time."""

    def __init__(self, tally: Tally, changed_ns: int) -> None:
        self._tally = tally
        self._changed_ns = changed_ns
        self._total = _remembered(tally.extra)
        self._said: object = None

    def take(self, event: Record, facts: Facts, time: datetime | None, *, is_origins: bool) -> None:
        """Count what was used since the last count; of an origin's only the total is taken over."""
        info = event.get("info")
        said = info.get("total_token_usage") if type(info) is dict else None
        if said == self._said or type(info) is not dict:
            return
        self._said = said
        total = _total_in(said)
        if total is None or total == self._total:
            return
        if not is_origins and not facts.is_copy:
            before = self._total
            if before is None and (facts.fork is not None or facts.parent is not None):
                # An origin's counts were not at hand: all but the last request may be its.
                before = _less(total, _total_in(info.get("last_token_usage")))
            if before is None or total.sent < before.sent or total.output < before.output:
                before = _Total()
            self._count(_less(total, before), facts.model, time)
        self._total = total
        self._tally.extra = list[JsonValue](total)

    def _count(self, used: _Total, model: str | None, time: datetime | None) -> None:
        if not any(used):
            return
        fresh = max(0, used.sent - (used.read or 0) - (used.written or 0))
        figures = (fresh, used.output, used.read, used.written, used.reasoning)
        self._tally.add(day_of(time, self._changed_ns), model or "", figures)


def _total_in(value: object) -> _Total | None:
    if not isinstance(value, dict):
        return None
    held = object_of(value)
    return _Total(
        count_of(held.get("input_tokens")) or 0,
        count_of(held.get("output_tokens")) or 0,
        count_of(held.get("cached_input_tokens")),
        count_of(held.get("cache_write_input_tokens")),
        count_of(held.get("reasoning_output_tokens")),
    )


def _remembered(extra: JsonValue) -> _Total | None:
    row = list_of(extra)
    if len(row) != len(_Total._fields):
        return None
    sent, output, *others = (count_of(one) for one in row)
    return _Total(sent or 0, output or 0, *others)


def _less(total: _Total, part: _Total | None) -> _Total:
    """Give what a total has beyond a part of it."""
    if part is None:
        return _Total()
    return _Total(
        max(0, total.sent - part.sent),
        max(0, total.output - part.output),
        _beyond(total.read, part.read),
        _beyond(total.written, part.written),
        _beyond(total.reasoning, part.reasoning),
    )


def _beyond(figure: int | None, part: int | None) -> int | None:
    return None if figure is None else max(0, figure - (part or 0))
