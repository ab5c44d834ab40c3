"""The floor of every screen benchmark: a Textual app that does nothing but show something.

Without an argument it shows one line; with a number, a list of so many lines to scroll in.
"""

from __future__ import annotations

import sys

from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

SHOWN = "The only line"


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Static(SHOWN)


class Lines(ScrollView, can_focus=True):
    def __init__(self, count: int) -> None:
        super().__init__()
        self.count = count

    def on_mount(self) -> None:
        self.virtual_size = Size(100, self.count)

    def action_scroll_down(self) -> None:
        self.scroll_to(y=self.scroll_y + 1, animate=False, force=True)

    def action_page_down(self) -> None:
        self.scroll_to(y=self.scroll_y + self.size.height - 1, animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        text = f"{SHOWN}, line {self.scroll_offset.y + y:,}" + " of a list that scrolls" * 3
        return Strip([Segment(text)]).adjust_cell_length(self.size.width)


class BareList(App[None]):
    def compose(self) -> ComposeResult:
        yield Lines(int(sys.argv[1]))


if __name__ == "__main__":
    (BareList if len(sys.argv) > 1 else Bare)().run()
