"""The task list: drawn line by line from a `Listing`, whatever its length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from store.models import TaskFilter, TaskRow
from tui import clock
from tui.listing import Listing, TaskSource
from tui.render.tasks import Place, TaskLook, task_strips

_AGENTS = ("claude", "codex", "goose")


class TaskList(ScrollView, can_focus=True):
    """The tasks that a filter lets through, one of them selected."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tasks--title",
        "tasks--dim",
        "tasks--working",
        "tasks--waiting",
        "tasks--cursor",
        "tasks--cursor-blurred",
        *(f"tasks--{agent}" for agent in _AGENTS),
    }

    DEFAULT_CSS = """
    TaskList {
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
        & > .tasks--working { color: $text-success; text-style: bold; }
        & > .tasks--waiting { color: $text-warning; }
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

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("home", "first", "First", show=False, id="list.first"),
        Binding("end", "last", "Last", show=False, id="list.last"),
        Binding("enter", "open", "Read", show=False, id="list.open"),
        Binding("space,left,right", "fold", "Fold", show=False, id="list.fold"),
    ]

    cursor: reactive[int] = reactive(0, init=False)
    lines_each: reactive[int] = reactive(1, init=False)

    class Selected(Message):
        """Another task is selected, or what is known of the selected one changed."""

        def __init__(self, row: TaskRow | None) -> None:
            super().__init__()
            self.row = row

    class Opened(Message):
        """The selected task is to be read."""

    class Refused(Message):
        """A key had nothing to do, and why."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    class Failed(Message):
        """Rows could not be read."""

        def __init__(self, error: Exception) -> None:
            super().__init__()
            self.error = error

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._listing: Listing | None = None
        self._look: TaskLook | None = None
        self._told: tuple[str, object] | None = None
        self.empty_text = "Opening …"

    def on_mount(self) -> None:
        """Redraw the ages now and then."""
        self.set_interval(30, self.refresh)

    # What it shows

    async def show(self, source: TaskSource, wanted: TaskFilter) -> None:
        """Show the tasks of a filter; the selected one stays selected while it is among them."""
        listing = self._listing
        if listing is None or listing.source is not source:
            listing = self._listing = Listing(source)
            await listing.begin(wanted, self._height)
            self._shown()
        order = await listing.read_order(wanted)
        # From here to the first await nothing can move: old order and old cursor belong together.
        selected, above = self.selected_id, self.cursor - self._top
        listing.take(order)
        index = listing.find(selected) if selected is not None else None
        if index is None:
            index = max(0, min(self.cursor, len(listing) - 1))
        self.set_reactive(TaskList.cursor, index)
        self._resize_list()
        if 0 <= above < self._height:
            # Rows came or went above the selected one: it stays where the eye has it.
            top = max(0, index - above) * self.lines_each
            self.scroll_to(y=top, animate=False, force=True)
        await listing.fill(min(index, self._top), max(index, self._top + self._height))
        self._shown()

    def _shown(self) -> None:
        self._resize_list()
        self._show_cursor()
        self.refresh()
        self._tell()

    @property
    def selected_id(self) -> str | None:
        """The id of the selected task."""
        if self._listing is None or not 0 <= self.cursor < len(self._listing):
            return None
        return self._listing.entry(self.cursor).task_id

    @property
    def selected(self) -> TaskRow | None:
        """The row of the selected task, once it has been read."""
        if self._listing is None or not 0 <= self.cursor < len(self._listing):
            return None
        return self._listing.row(self.cursor)

    def __len__(self) -> int:
        return 0 if self._listing is None else len(self._listing)

    def __bool__(self) -> bool:
        return True

    # Moving

    def action_move(self, by: int) -> None:
        """Select the task above or below."""
        self._go(self.cursor + by)

    def action_page(self, by: int) -> None:
        """Select the task a page above or below."""
        self._go(self.cursor + by * max(1, self._height - 1))

    def action_first(self) -> None:
        """Select the first task."""
        self._go(0)

    def action_last(self) -> None:
        """Select the last task."""
        self._go(len(self) - 1)

    def action_open(self) -> None:
        """Ask for the selected task to be read."""
        if self.selected_id is not None:
            self.post_message(self.Opened())

    def action_fold(self) -> None:
        """Show or hide the sub-agents of the selected task, or of its parent."""
        row, listing = self.selected, self._listing
        if row is None or listing is None:
            return
        task = row.task
        if not row.children:
            parent = task.parent_task_id
            if parent is None or listing.find(parent) is None:
                self.post_message(self.Refused("This task has no sub-agents to show."))
                return
            self._go(listing.find(parent) or 0)
            self._fold(listing, parent)
            return
        self._fold(listing, task.id)

    async def reveal(self, path: Sequence[str]) -> bool:
        """Select the last task of a path, opening those before it that it hangs under.

        Says whether it is listed.
        """
        listing = self._listing
        if listing is None:
            return False
        for above in path[:-1]:
            if listing.find(above) is not None and not listing.is_open(above):
                await listing.toggle(above)
        index = listing.find(path[-1])
        self._resize_list()
        self.refresh()
        if index is None:
            return False
        await listing.fill(index, index + 1)
        self._go(index)
        return True

    def _fold(self, listing: Listing, task_id: str) -> None:
        async def toggle() -> None:
            try:
                await listing.toggle(task_id)
                await listing.fill(self._top, self._top + self._height)
            except Exception as error:
                self.post_message(self.Failed(error))
                return
            self._resize_list()
            self.refresh()

        self.run_worker(toggle, group="fold", exit_on_error=False)  # type: ignore[arg-type]

    def _go(self, index: int) -> None:
        if len(self):
            self.cursor = max(0, min(index, len(self) - 1))

    def watch_cursor(self) -> None:
        """Keep the selected task in view and tell of it."""
        self._show_cursor()
        self.refresh()
        self._tell()

    def watch_lines_each(self) -> None:
        """Lay the list out anew for another density."""
        self._resize_list()
        self._show_cursor()
        self.refresh()

    def _show_cursor(self) -> None:
        top = self.cursor * self.lines_each
        region = Region(0, top, max(1, self.size.width), self.lines_each)
        self.scroll_to_region(region, animate=False, force=True)

    def on_click(self, event: events.Click) -> None:
        """Select the task under the mouse; a second click reads it."""
        index = (self.scroll_offset.y + event.y) // self.lines_each
        if index < len(self):
            self._go(index)
            if event.chain == 2:
                self.action_open()

    # Reading rows

    @property
    def _top(self) -> int:
        return self.scroll_offset.y // self.lines_each

    @property
    def _height(self) -> int:
        return -(-max(1, self.scrollable_content_region.height) // self.lines_each)

    def _resize_list(self) -> None:
        width = self.scrollable_content_region.width
        self.virtual_size = Size(width, len(self) * self.lines_each)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Read the rows that came into view."""
        super().watch_scroll_y(old_value, new_value)
        if round(old_value) != round(new_value):
            self._read_visible()

    def _read_visible(self) -> None:
        listing, top = self._listing, self._top
        if listing is None or not listing.lacks(top, top + self._height):
            return

        async def read() -> None:
            try:
                await listing.fill(self._top, self._top + self._height)
            except Exception as error:
                self.post_message(self.Failed(error))
                return
            self.refresh()
            self._tell()

        self.run_worker(read, group="rows", exclusive=True, exit_on_error=False)  # type: ignore[arg-type]

    def _tell(self) -> None:
        row = self.selected
        if row is None and self.selected_id is not None:
            self._read_visible()
            return
        told = (row.task.id, row) if row else None
        if told != self._told:
            self._told = told
            self.post_message(self.Selected(row))

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
        listing = self._listing
        index, part = divmod(self.scroll_offset.y + y, self.lines_each)
        if listing is None or not len(listing):
            return self._note(self.empty_text if y == 1 else "", width)
        if index >= len(listing):
            return Strip.blank(width, self.rich_style)
        entry = listing.entry(index)
        place = Place(entry, listing.is_open(entry.task_id), index == self.cursor)
        strips = task_strips(
            listing.row(index),
            place,
            width,
            self._styles(),
            lines=self.lines_each,
            now=clock.now(),
        )
        return strips[part].apply_style(self.rich_style)

    def _note(self, text: str, width: int) -> Strip:
        line = [Segment(f"  {text}", self._styles().dim)]
        return Strip(line).adjust_cell_length(width).apply_style(self.rich_style)

    def _styles(self) -> TaskLook:
        if self._look is None:
            selected = self._style("cursor" if self.has_focus else "cursor-blurred")
            self._look = TaskLook(
                title=self._colour("title"),
                dim=self._colour("dim"),
                working=self._colour("working"),
                waiting=self._colour("waiting"),
                agents={agent: self._colour(agent) for agent in _AGENTS},
                selected=selected,
            )
        return self._look

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"tasks--{name}")

    def _colour(self, name: str) -> Style:
        """Give a style without its background, which is the line's."""
        style = self._style(name)
        return Style(color=style.color, bold=style.bold)
