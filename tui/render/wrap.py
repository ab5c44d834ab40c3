"""Breaking text into lines of cells. A cell is a column of a terminal; some characters take two.

Where terminals do not agree how many a text takes, it gets the room that it may need at most.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from tui.render.cells import clusters, is_settled, most_cells

_RUNS = re.compile(r"\s+|\S+")
_MOST_PER_CELL = 16  # characters: what more is piled up in one cell is cut off

Span = tuple[int, int, Style]
Piece = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of text before it is wrapped. `spans` are in order and do not overlap.

    The lines that it is wrapped into begin `hang` cells further in than the first. `lead` stands
    before the first of them, `follow` before the others; both are equally wide. `fill` is the
    style of what is left of a line, if that is not the ground that all stands on. A row that
    `is_whole` fits into its line and is not to be broken.
    """

    text: str
    style: Style
    spans: Sequence[Span] = ()
    hang: int = 0
    lead: Sequence[Segment] = ()
    follow: Sequence[Segment] = ()
    fill: Style | None = None
    is_whole: bool = False

    def segments(self, lo: int, hi: int) -> list[Segment]:
        """Give a part of the text in its styles."""
        out: list[Segment] = []
        at = lo
        for start, end, style in self.spans:
            if end <= at or start >= hi:
                continue
            if start > at:
                out.append(Segment(self.text[at:start], self.style))
            at = max(at, start)
            out.append(Segment(self.text[at : min(end, hi)], style))
            at = min(end, hi)
        if at < hi:
            out.append(Segment(self.text[at:hi], self.style))
        return out


def breaks(text: str, width: int, *, first: int | None = None, hang: int = 0) -> list[Piece]:
    """Say where to break one line of text: the start and end of each piece.

    Breaks at white space, which it swallows, and inside what is longer than a line. `first` is
    the room on the first line; the others have `width - hang`. Nothing is ever wider than its
    room in any terminal, save a character of two cells in a room of one.
    """
    first = width if first is None else first
    rest = max(2, width - hang)
    if text.isascii():
        return _ascii_breaks(text, max(2, first), rest)
    return _Breaker(text, max(2, first), rest).run()


def clip(text: str, width: int) -> str:
    """Give the text cut to the width, with an ellipsis when something is missing."""
    if width <= 0:
        return ""
    if text.isascii():
        return text if len(text) <= width else text[: width - 1].rstrip() + "…"
    head = text[: _MOST_PER_CELL * width]  # all that can be in view of a text of any length
    if len(head) == len(text) and most_cells(text) <= width:
        return text
    return _beginning(head, width - 1).rstrip() + "…"


def held(text: str) -> str:
    """Give the text with the blanks that it may need in some terminal."""
    return text if text.isascii() else text + " " * (most_cells(text) - cell_len(text))


def _beginning(text: str, width: int) -> str:
    used = 0
    for start, _end, _cells, most in clusters(text):
        used += most
        if used > width:
            return text[:start]
    return text


def _ascii_breaks(text: str, room: int, rest: int) -> list[Piece]:
    out: list[Piece] = []
    lo, end = 0, len(text)
    while end - lo > room:
        cut = text.rfind(" ", lo, lo + room + 1)
        if cut <= lo or text[lo:cut].isspace():
            out.append((lo, lo + room))
            lo += room
        else:
            out.append((lo, cut))
            lo = cut + 1
            while lo < end and text[lo] == " ":
                lo += 1
        room = rest
    if lo < end or not out:
        out.append((lo, end))
    return out


class _Breaker:
    """Breaks text whose characters are not all one cell wide."""

    def __init__(self, text: str, room: int, rest: int) -> None:
        self.text = text
        self.room = room
        self.rest = rest
        self.out: list[Piece] = []
        self.lo = 0  # where the line being filled begins
        self.hi = 0  # where it ends so far
        self.used = 0

    def run(self) -> list[Piece]:
        for match in _RUNS.finditer(self.text):
            run = match.group()
            cells = most_cells(run)
            if self.used + cells <= self.room:
                self._take(match.end(), cells)
            elif run.isspace() and self.used:
                self._break(self.hi, match.end())
            elif cells > max(self.room, self.rest) or not self.used:
                # Too long for any line, as a text without spaces is: fill what is left of this.
                self._chop(run, match.start())
            else:
                self._break(match.start(), match.start())
                self._take(match.end(), cells)
        if self.lo < self.hi or not self.out:
            self.out.append((self.lo, self.hi))
        return self.out

    def _take(self, end: int, cells: int) -> None:
        self.hi = end
        self.used += cells

    def _break(self, end: int, begin: int) -> None:
        self.out.append((self.lo, end))
        self.lo = self.hi = begin
        self.used = 0
        self.room = self.rest

    def _chop(self, run: str, offset: int) -> None:
        if is_settled(run):
            self._chop_settled(run, offset)
            return
        for start, end, _cells, most in clusters(run):
            if self.used and self.used + most > self.room:
                self._break(offset + start, offset + start)
            self._take(offset + end, most)

    def _chop_settled(self, run: str, offset: int) -> None:
        """Do the same for text whose characters are one cluster each, as that of Chinese."""
        at = 0
        while at < len(run):
            room = self.room - self.used
            size = min(room, len(run) - at)
            while (cells := cell_len(run[at : at + size])) > room:
                size -= (cells - room + 1) // 2
            if not size and not self.used:
                size, cells = 1, cell_len(run[at])
            at += size
            self._take(offset + at, cells)
            if at < len(run):
                self._break(offset + at, offset + at)
