"""Between Textual and the terminal: text whose cells terminals count differently is held in place.

A line is drawn with simple clusters, and what is written is settled where it has to be. Both pass
over text that every terminal counts alike, which nearly all is.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.driver import Driver
from textual.filter import LineFilter

from tui.render.cells import is_settled, simple


class Simple(LineFilter):
    """Shows clusters that Textual cannot cut, and not every terminal knows, by simple ones."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """Give a line anew, of the same cells."""
        if all(segment.text.isascii() for segment in segments):
            return segments
        return [Segment(simple(text), style, control) for text, style, control in segments]


class Settling(Driver):
    """The part of a driver that settles what is written. See `settling`."""

    def write(self, data: str) -> None:
        """Write to the terminal."""
        if not data.isascii() and not is_settled(data):
            from tui.settle import settled  # what few need costs no start

            data = settled(data)
        super().write(data)  # type: ignore[safe-super]


def settling(driver: type[Driver]) -> type[Driver]:
    """Give a driver like another, whose terminal agrees with the layout."""
    return type(f"Settling{driver.__name__}", (Settling, driver), {})
