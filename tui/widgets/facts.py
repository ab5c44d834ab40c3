"""Rows of names and values, one of them chosen: each as many lines as its value needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.render.sheet import Fact
from tui.render.wrap import breaks, clip

_MOST_LINES = 12  # of one value; copying gives all of it
_MOST_SHOWN = 20_000  # characters of a value that are laid out at all


class _Line(NamedTuple):
    """A line: which row it belongs to, and its part of the name and of the value."""

    row: int
    name: str
    value: str


class FactList(ScrollView, can_focus=True):
    """Facts under headings. The chosen one's value can be copied."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "facts--heading",
        "facts--name",
        "facts--value",
        "facts--warning",
        "facts--cursor",
    }

    DEFAULT_CSS = """
    FactList {
        background: $panel;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-background: $panel;
        scrollbar-background-hover: $panel;
        scrollbar-background-active: $panel;

        & > .facts--heading { color: $text-primary; text-style: bold; }
        & > .facts--name { color: $text-muted; }
        & > .facts--value { color: $foreground; }
        & > .facts--warning { color: $text-warning; }
        & > .facts--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
        }
        &:ansi > .facts--cursor { text-style: reverse; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "Page up", show=False),
        Binding("pagedown,space", "page(1)", "Page down", show=False),
        Binding("home,g", "ends(-1)", "First", show=False),
        Binding("end,G", "ends(1)", "Last", show=False),
        Binding("enter,y", "choose", "Copy", show=False),
    ]

    class Chosen(Message):
        """A value is to be copied."""

        def __init__(self, fact: Fact) -> None:
            super().__init__()
            self.fact = fact

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.facts: Sequence[Fact] = ()
        self._cursor = 0
        self._lines: list[_Line] = []
        self._first_lines: list[int] = []
        self._width = 0

    def show(self, facts: Sequence[Fact]) -> None:
        """Show other facts. The chosen one stays chosen while it is among them."""
        before = self.fact
        self.facts = facts
        places = [place for place, one in enumerate(facts) if before and one.name == before.name]
        nearest = min(places, key=lambda place: abs(place - self._cursor), default=self._cursor)
        self._cursor = self._choosable(nearest, 1)
        self._lay_out()

    @property
    def fact(self) -> Fact | None:
        """The chosen one."""
        return self.facts[self._cursor] if self._cursor < len(self.facts) else None

    # Moving

    def action_move(self, by: int) -> None:
        """Choose the one above or below."""
        wanted = self._cursor + by
        if 0 <= wanted < len(self.facts):
            self._go(self._choosable(wanted, by))
        if by < 0 and self._cursor <= 1:
            self.scroll_home(animate=False)  # the heading above the first one

    def action_page(self, by: int) -> None:
        """Choose one a page further."""
        if not self._lines:
            return
        height = max(1, self.scrollable_content_region.height - 1)
        line = self._first_lines[self._cursor] + by * height
        row = self._lines[max(0, min(line, len(self._lines) - 1))].row
        if row == self._cursor:  # whose value has more lines than a page
            row = max(0, min(row + by, len(self.facts) - 1))
        self._go(self._choosable(row, by))

    def action_ends(self, to: int) -> None:
        """Choose the first or the last."""
        self._go(self._choosable(0 if to < 0 else len(self.facts) - 1, -to))
        if to < 0:
            self.scroll_home(animate=False)

    def action_choose(self) -> None:
        """Ask for the chosen value to be copied."""
        if self.fact is not None:
            self.post_message(self.Chosen(self.fact))

    def on_click(self, event: events.Click) -> None:
        """Choose the one under the mouse; a second click copies it."""
        offset = event.get_content_offset(self)
        line = self.scroll_offset.y + offset.y if offset is not None else len(self._lines)
        if line >= len(self._lines):
            return
        row = self._lines[line].row
        if not self.facts[row].is_heading:
            self._go(row)
            if event.chain == 2:
                self.action_choose()

    def _choosable(self, row: int, by: int) -> int:
        """Give the row, or the nearest that is no heading, in a direction first."""
        for step in (by, -by):
            place = row
            while 0 <= place < len(self.facts):
                if not self.facts[place].is_heading:
                    return place
                place += step
        return 0

    def _go(self, row: int) -> None:
        self._cursor = row
        self._show_cursor()
        self.refresh()

    def _show_cursor(self) -> None:
        if self._cursor < len(self._first_lines):
            first = self._first_lines[self._cursor]
            after = self._cursor + 1
            end = self._first_lines[after] if after < len(self.facts) else len(self._lines)
            region = Region(0, first, max(1, self.size.width), end - first)
            self.scroll_to_region(region, animate=False, force=True)

    # Drawing

    def on_resize(self) -> None:
        """Wrap the values anew."""
        self._lay_out()

    def _lay_out(self) -> None:
        width = self.scrollable_content_region.width
        longest = max((cell_len(one.name) for one in self.facts if not one.is_heading), default=0)
        indent = min(longest, max(6, width * 2 // 5))
        self._lines = []
        self._first_lines = []
        for row, one in enumerate(self.facts):
            if one.is_heading and row:
                self._lines.append(_Line(row, "", ""))
            self._first_lines.append(len(self._lines))
            name = one.name if one.is_heading else clip(one.name, indent)
            name += " " * (indent - cell_len(name))
            for value in _wrapped(one.shown, max(4, width - indent - 4)):
                self._lines.append(_Line(row, name, value))
                name = " " * indent
        self.virtual_size = Size(width, len(self._lines))
        self._show_cursor()
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the terminal."""
        width = self.size.width
        place = self.scroll_offset.y + y
        if place >= len(self._lines):
            return Strip.blank(width, self.rich_style)
        line = self._lines[place]
        one = self.facts[line.row]
        if one.is_heading:
            segments = [Segment(f" {line.name}", self._style("heading"))]
        elif line.row == self._cursor:
            cursor = self._style("cursor")
            segments = [Segment(f" {line.name}  {line.value}".ljust(width), cursor)]
        else:
            value = self._style("warning" if one.is_warning else "value")
            segments = [Segment(f" {line.name}  ", self._style("name")), Segment(line.value, value)]
        style = self._style("cursor") if line.row == self._cursor else self.rich_style
        return Strip(segments).adjust_cell_length(width, style).apply_style(self.rich_style)

    def _style(self, name: str) -> Style:
        style = self.get_component_rich_style(f"facts--{name}")
        if name == "cursor":
            return style
        return Style(color=style.color, bold=style.bold)


def _wrapped(text: str, width: int) -> list[str]:
    """Break a value into lines; of a long one the beginning."""
    lines: list[str] = []
    for line in text[:_MOST_SHOWN].expandtabs(4).split("\n"):
        lines += [line[start:end] for start, end in breaks(line, width)]
        if len(lines) > _MOST_LINES:
            break
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[: _MOST_LINES - 1], clip(f"… {len(text):,} characters; y copies them", width)]
