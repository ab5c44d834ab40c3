"""A stretch of text chosen with the mouse: which cells of a line it has, and what they say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.render.cells import simple, whole
from tui.viewport import Place


class Point(NamedTuple):
    """A cell of a history."""

    place: Place
    x: int


@dataclass(frozen=True, slots=True)
class Selection:
    """What lies between the cell where the button went down and the one where the mouse is.

    It flows as text does: from the first cell to the end of its line, then whole lines, without
    the `gutter` cells at their left that only say who speaks.
    """

    origin: Point
    head: Point
    gutter: int

    @property
    def start(self) -> Point:
        """The earlier end."""
        return min(self.origin, self.head)

    @property
    def end(self) -> Point:
        """The later end, whose cell belongs to it."""
        return max(self.origin, self.head)

    @property
    def is_empty(self) -> bool:
        """Whether the mouse has not moved."""
        return self.origin == self.head

    def cells(self, place: Place, width: int) -> tuple[int, int] | None:
        """Give the range of a line's cells that are chosen; None where there are none."""
        if not self.start.place <= place <= self.end.place:
            return None
        lo = self.start.x if place == self.start.place else self.gutter
        hi = self.end.x + 1 if place == self.end.place else width
        lo, hi = max(0, lo), min(hi, width)
        return (lo, hi) if lo < hi else None

    def lit(self, place: Place, strip: Strip, style: Style) -> Strip:
        """Give a line with what is chosen of it in a style."""
        cells = self.cells(place, strip.cell_length)
        if cells is None:
            return strip
        _text, lo, hi = whole(strip.text, *cells)
        simpler = [Segment(simple(text), own) for text, own, _control in strip]
        strip = Strip(simpler, strip.cell_length)
        chosen = strip.crop(lo, hi)
        shown = Strip(Segment.apply_style(chosen, post_style=style), chosen.cell_length)
        return Strip.join([strip.crop(0, lo), shown, strip.crop(hi)])

    def text(self, rows: Iterable[tuple[Place, Strip]]) -> str:
        """Give what the chosen cells say, line by line, without the space at the ends of lines."""
        lines = []
        for place, strip in rows:
            cells = self.cells(place, strip.cell_length)
            lines.append(whole(strip.text, *cells)[0].rstrip() if cells else "")
        return "\n".join(lines).strip("\n")
