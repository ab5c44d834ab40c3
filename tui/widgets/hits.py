"""The list of what a search found: sessions and their hits, drawn line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui import clock
from tui.hits import HitListing, seq_of
from tui.render.hits import heading_strip, hit_strips
from tui.render.tasks import TaskLook

if TYPE_CHECKING:
    from tui.hits import Found

_AGENTS = ("claude", "codex", "goose")
_AHEAD = 50  # hits before the end of what has been read at which the next page is asked for


class HitList(ScrollView, can_focus=True):
    """What was found, one hit of it selected. Headings name the session and are passed over."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "hits--title",
        "hits--dim",
        "hits--match",
        "hits--cursor",
        "hits--cursor-blurred",
        *(f"hits--{agent}" for agent in _AGENTS),
    }

    DEFAULT_CSS = """
    HitList {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-background: $surface;
        scrollbar-background-hover: $surface;
        scrollbar-background-active: $surface;

        & > .hits--title { color: $foreground; }
        & > .hits--dim { color: $text-muted; }
        & > .hits--match { color: $text-warning; text-style: bold underline; }
        & > .hits--claude { color: $text-warning; }
        & > .hits--codex { color: $text-success; }
        & > .hits--goose { color: $text-accent; }
        & > .hits--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
        }
        & > .hits--cursor-blurred {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
        }
        &:ansi > .hits--dim { text-style: dim; }
        &:ansi > .hits--cursor-blurred { text-style: bold underline; }
        &:nocolor > .hits--cursor-blurred { text-style: bold underline; }
        &:nocolor:ansi > .hits--cursor { text-style: bold reverse; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="hits.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="hits.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="hits.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="hits.page_down"),
        Binding("home", "first", "First", show=False, id="hits.first"),
        Binding("end", "last", "Last", show=False, id="hits.last"),
        Binding("enter", "open", "Read", show=False, id="hits.open"),
    ]

    cursor: reactive[int] = reactive(0, init=False)
    lines_each: reactive[int] = reactive(1, init=False)

    class Selected(Message):
        """Another hit is selected."""

        def __init__(self, hit: Found) -> None:
            super().__init__()
            self.hit = hit

    class Opened(Message):
        """The selected hit is to be read."""

    class Left(Message):
        """The first hit was left upwards."""

    class Wanted(Message):
        """The end of what has been read is near: the next page is wanted."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._listing = HitListing()
        self._look: TaskLook | None = None
        self._match = Style()
        self.notice = ""

    def show(self, listing: HitListing, notice: str = "") -> None:
        """Show what was found; the hit that was selected stays so if it was found again."""
        before = self.selected
        self._listing = listing
        self.notice = notice
        found = None
        if before is not None:
            found = listing.number_of(before.task_id, seq_of(before))
        self.set_reactive(HitList.cursor, found or 0)
        self._resized()
        if self.selected is not None and self.selected != before:
            self.post_message(self.Selected(self.selected))

    def grown(self) -> None:
        """Take note that the listing has more hits now. The selected one stays where it is."""
        self._resized()

    @property
    def selected(self) -> Found | None:
        """The selected hit."""
        return self._listing.hit(self.cursor)

    def __len__(self) -> int:
        return len(self._listing)

    def __bool__(self) -> bool:
        return True

    # Moving

    def step(self, by: int) -> bool:
        """Select another hit, counted from this one; say whether there is one."""
        wanted = self.cursor + by
        if not 0 <= wanted < len(self):
            return False
        self.cursor = wanted
        return True

    def action_move(self, by: int) -> None:
        """Select the hit above or below."""
        if by < 0 and self.cursor == 0:
            self.post_message(self.Left())
        else:
            self._go(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Select the hit a page above or below."""
        if len(self):
            line = self._listing.places[self.cursor] + by * max(1, self._height - 1)
            self._go(self._listing.number_at(line))

    def action_first(self) -> None:
        """Select the first hit."""
        self._go(0)

    def action_last(self) -> None:
        """Select the last hit that has been read."""
        self._go(len(self) - 1)

    def action_open(self) -> None:
        """Ask for the selected hit to be read."""
        if self.selected is not None:
            self.post_message(self.Opened())

    def on_click(self, event: events.Click) -> None:
        """Select the hit under the mouse; a second click reads it."""
        line = self._line_at(self.scroll_offset.y + event.y)
        if line is not None:
            self._go(self._listing.number_at(line))
            if event.chain == 2:
                self.action_open()

    def _go(self, number: int) -> None:
        if len(self):
            self.cursor = max(0, min(number, len(self) - 1))

    def watch_cursor(self) -> None:
        """Keep the selected hit in view and tell of it."""
        self._show_cursor()
        self.refresh()
        if self.selected is not None:
            self.post_message(self.Selected(self.selected))
        if self._listing.cursor is not None and self.cursor + _AHEAD >= len(self):
            self.post_message(self.Wanted())

    def watch_lines_each(self) -> None:
        """Lay the list out anew for another density."""
        self._resized()

    # Lines: a heading has one, a hit one or two

    @property
    def _height(self) -> int:
        return max(1, self.scrollable_content_region.height // self.lines_each)

    def _top_of(self, line: int) -> int:
        """Give the row that a line of the listing begins at."""
        if self.lines_each == 1:
            return line
        return line + self._listing.number_at(line)

    def _line_at(self, row: int) -> int | None:
        lines = self._listing.lines
        if not 0 <= row < self._rows:
            return None
        if self.lines_each == 1:
            return row
        lo, hi = 0, len(lines) - 1
        while lo < hi:
            middle = (lo + hi + 1) // 2
            lo, hi = (middle, hi) if self._top_of(middle) <= row else (lo, middle - 1)
        return lo

    @property
    def _rows(self) -> int:
        return len(self._listing.lines) + len(self) * (self.lines_each - 1)

    def _resized(self) -> None:
        self.virtual_size = Size(self.scrollable_content_region.width, self._rows)
        self._show_cursor()
        self.refresh()

    def _show_cursor(self) -> None:
        if not len(self):
            return
        line = self._listing.places[self.cursor]
        above = line > 0 and self._listing.lines[line - 1].hit is None
        top = self._top_of(line) - above  # a first hit is shown with its heading
        region = Region(0, top, max(1, self.size.width), self.lines_each + above)
        self.scroll_to_region(region, animate=False, force=True)

    # Drawing

    def notify_style_update(self) -> None:
        """Take up the styles of another theme."""
        self._look = None
        super().notify_style_update()

    def on_focus(self) -> None:
        """Show the cursor of a focused list."""
        self._look = None

    def on_blur(self) -> None:
        """Show the cursor of a list that is not focused."""
        self._look = None

    def render_line(self, y: int) -> Strip:
        """Draw one line of the terminal."""
        width = self.size.width
        if not len(self):
            words = self.notice.split("\n")
            text = words[y - 1] if 0 < y <= len(words) else ""
            line = [Segment(f"  {text}", self._styles().dim)]
            return Strip(line).adjust_cell_length(width).apply_style(self.rich_style)
        row = self.scroll_offset.y + y
        at = self._line_at(row)
        if at is None:
            return Strip.blank(width, self.rich_style)
        line_ = self._listing.lines[at]
        if line_.hit is None:
            strip = heading_strip(line_.group, width, self._styles(), clock.now())
        else:
            strips = hit_strips(
                line_.hit,
                width,
                self._styles(),
                self._match,
                lines=self.lines_each,
                is_selected=at == self._listing.places[self.cursor],
                now=clock.now(),
            )
            strip = strips[row - self._top_of(at)]
        return strip.apply_style(self.rich_style)

    def _styles(self) -> TaskLook:
        if self._look is None:
            selected = self._style("cursor" if self.has_focus else "cursor-blurred")
            dim = self._colour("dim")
            self._match = self._colour("match")
            self._look = TaskLook(
                title=self._colour("title"),
                dim=dim,
                working=dim,
                waiting=dim,
                stale=dim,
                heading=dim,
                tag=dim,
                agents={agent: self._colour(agent) for agent in _AGENTS},
                selected=selected,
            )
        return self._look

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"hits--{name}")

    def _colour(self, name: str) -> Style:
        """Give a style without its background, which is the line's."""
        style = self._style(name)
        return Style(color=style.color, bold=style.bold, underline=style.underline, dim=style.dim)
