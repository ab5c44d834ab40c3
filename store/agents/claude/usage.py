"""What the model's answers used, as a Claude Code transcript says it.

An answer is in a record for each of its blocks, and each of them says what the whole used, the
first ones perhaps only what it had used by then. So it is counted once, by its id and its
request's, as the record with the most output has it.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

from pydantic import JsonValue

from store.reading.lines import Record
from store.reading.usage import MOST, Row, Tally, count_of, day_of
from store.reading.values import list_of

_STILL_WRITTEN = 3600  # seconds after which no more of an answer comes
_OPEN = 16  # answers whose records may still come: sub-agents in the same file write by turns
_KEPT = 4  # of these, from one read to the next
_KEPT_FIELDS = 7

Name = tuple[str, str]
_Answer = tuple[Row, int, int, int | None, int | None]
"""Where an answer was counted, and with what: output, input, read from a cache and written to one.

A plain tuple: making anything better takes as long as all else that is done for a record.
"""


class Answers:
    """Counts answers into a tally. `changed_ns` dates one of which nothing says when it was."""

    def __init__(self, tally: Tally, changed_ns: int) -> None:
        self._tally = tally
        self._changed_ns = changed_ns
        self._open: dict[Name, _Answer] = {}
        self._closed: set[int] = set()
        self._last_day, self._last_model = 0, ""
        self._last_row: Row = []
        self._before = dict(self._read(tally.extra))

    def count(self, record: Record, message: Record, model: str, when: datetime | None) -> None:
        """Count what a record says that its answer used, beyond what was counted for it."""
        used = message.get("usage")
        if type(used) is not dict:
            return
        answer, request = message.get("id"), record.get("requestId")
        if type(answer) is not str or not answer:
            _count(self._row(model, when), used)
            return
        name = (answer, request if type(request) is str else "")
        before = self._open.get(name)
        if before is None and (self._before or self._closed):
            if hash(name) in self._closed:
                return  # so long ago that it is not known any more how it was counted
            before = self._before.get(_mark(name)) if self._before else None
        if before is None:
            self._open[name] = _count(self._row(model, when), used)
            if len(self._open) > _OPEN:
                oldest = next(iter(self._open))
                self._closed.add(hash(oldest))
                del self._open[oldest]
        elif (count_of(used.get("output_tokens")) or 0) > before[1]:
            _take_back(before)
            self._open[name] = _count(before[0], used)

    def _row(self, model: str, when: datetime | None) -> Row:
        """Give the figures of a record's day and model, which mostly are those of the last one."""
        day = when.toordinal() if when is not None else day_of(None, self._changed_ns)
        if day != self._last_day or model != self._last_model:
            self._last_day, self._last_model = day, model
            self._last_row = self._tally.row(day, model)
        return self._last_row

    def remember(self) -> None:
        """Put the last answers into the tally's memory: their next records may come later.

        Not where the file has not been written to for long: all that is kept of a source is read
        whenever sources are looked at.
        """
        if time.time() - self._changed_ns / 1e9 > _STILL_WRITTEN:
            self._tally.extra = None
            return
        if not self._open:
            return  # those of the last read are remembered still
        last = islice(reversed(self._open.items()), _KEPT)
        latest = {_mark(name): answer for name, answer in last}
        for mark, answer in list(self._before.items())[: _KEPT - len(latest)]:
            latest.setdefault(mark, answer)
        place = self._tally.place
        self._tally.extra = [[mark, *place(one[0]), *one[1:]] for mark, one in latest.items()]

    def _read(self, extra: JsonValue) -> Iterator[tuple[int, _Answer]]:
        for kept in list_of(extra):
            if isinstance(kept, list) and len(kept) == _KEPT_FIELDS:
                mark, day, model, *figures = kept
                if isinstance(mark, int) and isinstance(day, int) and isinstance(model, str):
                    output, sent, read, written = map(count_of, figures)
                    row = self._tally.row(day, model)
                    yield mark, (row, output or 0, sent or 0, read, written)


def _count(row: Row, used: Record) -> _Answer:
    """Add what an answer used to its day and model."""
    get = used.get
    sent: Any = get("input_tokens")
    output: Any = get("output_tokens")
    read: Any = get("cache_read_input_tokens")
    written: Any = get("cache_creation_input_tokens")
    # Nearly all are whole: five calls less. Of numbers that are all in range so is their union.
    is_whole = type(sent) is type(output) is type(read) is type(written) is int
    if not is_whole or not 0 <= sent | output | read | written < MOST:
        sent, output = count_of(sent) or 0, count_of(output) or 0
        read, written = count_of(read), count_of(written)
    row[0] += sent
    row[1] += output
    if read is not None:
        row[2] = (row[2] or 0) + read
    if written is not None:
        row[3] = (row[3] or 0) + written
    return row, output, sent, read, written


def _take_back(answer: _Answer) -> None:
    """Take what an answer was counted with from its day and model."""
    row, output, sent, read, written = answer
    row[0] -= sent
    row[1] -= output
    if read is not None:
        row[2] = (row[2] or 0) - read
    if written is not None:
        row[3] = (row[3] or 0) - written


def _mark(name: Name) -> int:
    return zlib.crc32(f"{name[0]} {name[1]}".encode("utf-8", "replace"))
