"""Adding up what a source says was used, by day and model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from pydantic import JsonValue

from store.models import Usage
from store.reading.json_text import compact, decode
from store.reading.values import list_of, text_of

_KEY = "usage"
_UNCOUNTED = "uncounted"
MOST = 2**40  # tokens in one record; more than that is damage

Figures = tuple[int, int, int | None, int | None, int | None]
"""Input and output, what was read from a cache and written to one, reasoning. See `Usage`."""

Row = list[Any]
"""The same of a whole day and model, to which figures are added: a list of the five."""


def count_of(value: object) -> int | None:
    """Give a number of tokens; None for anything else, and for what nobody can have used."""
    return value if type(value) is int and 0 <= value < MOST else None


def uncounted_before(state: Mapping[str, JsonValue]) -> int | None:
    """Give up to where a source was read without counting; None when it was counted."""
    offset = state.get(_UNCOUNTED)
    return offset if isinstance(offset, int) else None


def remember_uncounted(state: dict[str, JsonValue], offset: int) -> None:
    """Note that messages up to an offset are stored, and need not be given again."""
    state[_UNCOUNTED] = offset


class Tally:
    """What was used so far: figures for each day and model.

    `extra` is what a reader adds to the memory for going on from here. All of it is one text in a
    source's state: a look at every source, which asks for none of it, would pay for each number.
    """

    def __init__(self, state: Mapping[str, JsonValue] | None = None) -> None:
        self._rows: dict[tuple[int, str], Row] = {}
        rows, extra = _held(state.get(_KEY)) if state else ((), None)
        for row in list_of(rows):
            if isinstance(row, list) and len(row) == len(_NOTHING) + 2:
                day, model, *figures = row
                if isinstance(day, int) and isinstance(model, str):
                    self._rows[day, model] = [_remembered(figure) for figure in figures]
        self.extra: JsonValue = extra
        self._told = self._copy()

    def row(self, day: int, model: str) -> Row:
        """Give the figures of a day (its ordinal) and model, to be changed."""
        row = self._rows.get((day, model))
        if row is None:
            row = self._rows[day, model] = [*_NOTHING]
        return row

    def place(self, row: Row) -> tuple[int, str]:
        """Give the day and model of a row."""
        for place, one in self._rows.items():
            if one is row:
                return place
        raise ValueError("not a row of this tally")

    def add(self, day: int, model: str, figures: Figures) -> None:
        """Add what was used on a day by a model."""
        row = self.row(day, model)
        for place, figure in enumerate(figures):
            if figure is not None:
                row[place] = (row[place] or 0) + figure

    def include(self, other: Tally) -> None:
        """Add everything of another tally."""
        for (day, model), (sent, output, *others) in other._rows.items():
            self.add(day, model, (sent or 0, output or 0, others[0], others[1], others[2]))

    def total(self) -> list[int]:
        """Give the figures of all days and models together, with 0 for what is not said."""
        return [
            sum(row[place] or 0 for row in self._rows.values()) for place in range(len(_NOTHING))
        ]

    def news(self) -> tuple[Usage, ...]:
        """Give everything, if any of it is new since this was last asked for."""
        told, self._told = self._told, self._copy()
        if told == self._told:
            return ()
        return tuple(
            Usage.trusted(
                day=date.fromordinal(day),
                model=model,
                input_tokens=row[0] or 0,
                output_tokens=row[1] or 0,
                cache_read_tokens=row[2],
                cache_write_tokens=row[3],
                reasoning_tokens=row[4],
            )
            for (day, model), row in sorted(self._rows.items())
            if any(row)
        )

    def _copy(self) -> dict[tuple[int, str], Row]:
        return {place: row.copy() for place, row in self._rows.items()}

    def remember(self, state: dict[str, JsonValue]) -> None:
        """Put into a state what has to be known to go on."""
        if self._rows or self.extra is not None:
            rows = [[*place, *row] for place, row in self._rows.items()]
            state[_KEY] = compact([rows, self.extra])


_NOTHING: Row = [0, 0, None, None, None]


def day_of(time: datetime | None, fallback_ns: int) -> int:
    """Give the ordinal of a time's day in UTC, or of the nanoseconds since 1970 instead."""
    return (time or datetime.fromtimestamp(fallback_ns / 1e9, UTC)).toordinal()


def _held(text: object) -> tuple[JsonValue, JsonValue]:
    try:
        rows, extra = list_of(decode(text_of(text) or "[[],null]"))
    except ValueError:
        return [], None
    return rows, extra


def _remembered(value: object) -> int | None:
    """Give a figure that was remembered, which may be of many records."""
    return value if type(value) is int and value >= 0 else None
