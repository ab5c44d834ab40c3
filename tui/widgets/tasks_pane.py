"""How the task list is read and drawn: what is in view of a `Listing`, whatever its length."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from store.enums import TaskGroup
from tui import clock
from tui.lines import Heading
from tui.listing import Entry, Listing
from tui.render.headings import heading_strip
from tui.render.tasks import Place, TaskLook, task_strips

_AGENTS = ("claude", "codex", "goose")
_STICKY_FROM = 4  # lines that a pane must have for one to be given to the heading


class TasksPane(ScrollView, can_focus=True):
    """A listing with one line selected. Headings are lines, too, and stay in view at the top."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tasks--title",
        "tasks--dim",
        "tasks--heading",
        "tasks--tag",
        "tasks--working",
        "tasks--waiting",
        "tasks--stale",
        "tasks--cursor",
        "tasks--cursor-blurred",
        *(f"tasks--{agent}" for agent in _AGENTS),
    }

    DEFAULT_CSS = """
    TasksPane {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-size-vertical: 1;
        scrollbar-background: $surface;
        scrollbar-background-hover: $surface;
        scrollbar-background-active: $surface;

        & > .tasks--title { color: $foreground; }
        & > .tasks--dim { color: $text-muted; }
        & > .tasks--heading { color: $text-primary; text-style: bold; }
        & > .tasks--tag { color: $text-accent; }
        & > .tasks--working { color: $text-success; text-style: bold; }
        & > .tasks--waiting { color: $text-warning; }
        & > .tasks--stale { color: $text-error; }
        & > .tasks--claude { color: $text-warning; }
        & > .tasks--codex { color: $text-success; }
        & > .tasks--goose { color: $text-accent; }
        & > .tasks--cursor {
            color: $block-cursor-foreground;
            background: $block-cursor-background;
            text-style: bold;
        }
        & > .tasks--cursor-blurred {
            color: $block-cursor-blurred-foreground;
            background: $block-cursor-blurred-background;
        }
        &:ansi > .tasks--cursor { text-style: reverse; }
    }
    """

    cursor: reactive[int] = reactive(0, init=False)
    lines_each: reactive[int] = reactive(1, init=False)

    class Failed(Message):
        """Rows could not be read."""

        def __init__(self, error: Exception) -> None:
            super().__init__()
            self.error = error

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.empty_text = "Opening …"
        self._listing: Listing | None = None
        self._group: TaskGroup | None = None
        self._is_reading = False
        self._look: TaskLook | None = None
        self._ground = Style()
        # What was drawn, by place: moving draws two lines anew, scrolling those that come in.
        self._drawn: dict[int, list[Strip]] = {}
        self._drawn_as: tuple[int, int] = (0, 0)

    def on_mount(self) -> None:
        """Redraw the ages now and then."""
        self.set_interval(30, self._redraw)

    # Places

    @property
    def _top(self) -> int:
        return self.scroll_offset.y // self.lines_each

    @property
    def _height(self) -> int:
        return -(-max(1, self.scrollable_content_region.height) // self.lines_each)

    def _resize_list(self) -> None:
        width = self.scrollable_content_region.width
        length = len(self._listing) if self._listing is not None else 0
        self.virtual_size = Size(width, length * self.lines_each)

    def _show_cursor(self) -> None:
        """Scroll until the selected task is in view."""
        self._show_lines(self.cursor, 1)

    def _show_lines(self, first: int, count: int) -> None:
        """Scroll until some lines are in view, and the heading above them."""
        above, listing = 0, self._listing
        if listing is not None and listing.is_grouped:
            follows_heading = listing.task_id(first - 1) is None
            above = self.lines_each if follows_heading else 1
        top, height = first * self.lines_each - above, count * self.lines_each + above
        region = Region(0, top, max(1, self.size.width), height)
        self.scroll_to_region(region, animate=False, force=True)

    # Reading rows

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Read the rows that came into view, or soon will."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._read_visible()

    def _read_visible(self) -> None:
        if self._listing is None or self._is_reading or not self._lacks(self._listing):
            return
        self._is_reading = True
        self.run_worker(self._read_rows, group="rows", exit_on_error=False)  # type: ignore[arg-type]

    async def _read_rows(self) -> None:
        """Read until nothing is missing: one goes on scrolling meanwhile."""
        try:
            while (listing := self._listing) is not None and self._lacks(listing):
                in_view = listing.lacks(self._top, self._top + self._height, near=0)
                await listing.fill(self._top, self._top + self._height)
                if in_view:
                    self._redraw()
                self._tell()
        except Exception as error:
            self.post_message(self.Failed(error))
        finally:
            self._is_reading = False

    def _lacks(self, listing: Listing) -> bool:
        return listing.lacks(self._top, self._top + self._height)

    def _tell(self) -> None:
        """Do what is due when rows were read."""

    # Drawing

    def _redraw(self) -> None:
        self._drawn.clear()
        self.refresh()

    def _redraw_line(self, index: int) -> None:
        self._drawn.pop(index, None)
        self.refresh_lines(index * self.lines_each, self.lines_each)

    def notify_style_update(self) -> None:
        """Take up the styles of another theme."""
        self._forget_styles()
        super().notify_style_update()

    def on_focus(self) -> None:
        """Show the cursor of a focused list."""
        self._forget_styles()

    def on_blur(self) -> None:
        """Show the cursor of a list that is not focused."""
        self._forget_styles()

    def _forget_styles(self) -> None:
        self._look = None
        self._drawn.clear()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the terminal."""
        width = self.size.width
        listing = self._listing
        if listing is None or not len(listing):
            return self._note(self.empty_text if y == 1 else "", width)
        if (width, self.lines_each) != self._drawn_as:
            self._drawn.clear()
            self._drawn_as = (width, self.lines_each)
        index, part = divmod(self.scroll_offset.y + y, self.lines_each)
        if y == 0 and (sticky := self._sticky(listing, index)) is not None:
            return self._heading(sticky, width)
        if index >= len(listing):
            return Strip.blank(width, self._styled()[1])
        if index not in self._drawn:
            self._drawn[index] = self._draw(listing, index, width)
        return self._drawn[index][part]

    def _sticky(self, listing: Listing, index: int) -> Heading | None:
        """Give the heading that stands over the first line, unless that is one itself."""
        if not listing.is_grouped or self.scrollable_content_region.height < _STICKY_FROM:
            return None
        index = min(index, len(listing) - 1)
        return listing.heading_of(index) if listing.task_id(index) is not None else None

    def _draw(self, listing: Listing, index: int, width: int) -> list[Strip]:
        line = listing.line(index)
        if isinstance(line, Heading):
            blank = Strip.blank(width, self._styled()[1])
            return [*[blank] * (self.lines_each - 1), self._heading(line, width)]
        look, ground = self._styled()
        strips = task_strips(
            listing.row(index),
            Place(line, index == self.cursor, self._group),
            width,
            look,
            lines=self.lines_each,
            now=clock.now(),
        )
        return [strip.apply_style(ground) for strip in strips]

    def _heading(self, heading: Heading, width: int) -> Strip:
        look, ground = self._styled()
        today = clock.now().astimezone().date()
        home = str(Path.home())
        group = self._group or TaskGroup.PROJECT
        return heading_strip(heading, group, width, look, today=today, home=home).apply_style(
            ground
        )

    def _note(self, text: str, width: int) -> Strip:
        look, ground = self._styled()
        line = [Segment(f"  {text}", look.dim)]
        return Strip(line).adjust_cell_length(width).apply_style(ground)

    def _styled(self) -> tuple[TaskLook, Style]:
        """Give the styles of the parts, and of the ground that they are drawn on."""
        if self._look is None:
            self._ground = self.rich_style
            self._look = TaskLook(
                title=self._colour("title"),
                dim=self._colour("dim"),
                working=self._colour("working"),
                waiting=self._colour("waiting"),
                stale=self._colour("stale"),
                heading=self._colour("heading"),
                tag=self._colour("tag"),
                agents={agent: self._colour(agent) for agent in _AGENTS},
                selected=self._style("cursor" if self.has_focus else "cursor-blurred"),
            )
        return self._look, self._ground

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"tasks--{name}")

    def _colour(self, name: str) -> Style:
        """Give a style without its background, which is the line's."""
        style = self._style(name)
        return Style(color=style.color, bold=style.bold)

    def _entry_at(self, index: int) -> Entry | None:
        """Give the task at a place, as it hangs in the list."""
        listing = self._listing
        if listing is None or listing.task_id(index) is None:
            return None
        line = listing.line(index)
        return line if isinstance(line, Entry) else None
