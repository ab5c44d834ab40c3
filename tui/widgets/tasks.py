"""The task list: a task is selected in it, tasks are unfolded, the selection is kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from store.enums import TaskGroup
from store.errors import NotFound
from tui.listing import Entry, Listing, Order, TaskSource
from tui.render.tasks import fold_cells
from tui.widgets.tasks_pane import TasksPane

if TYPE_CHECKING:
    from store.models import TaskFilter, TaskRow


class TaskList(TasksPane):
    """The tasks that a filter lets through, one of them selected."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="list.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="list.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="list.page_up"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="list.page_down"),
        Binding("home", "first", "First", show=False, id="list.first"),
        Binding("end", "last", "Last", show=False, id="list.last"),
        Binding("enter", "open", "Read", show=False, id="list.open"),
        Binding("space", "fold", "Fold", show=False, id="list.fold"),
        Binding("right", "unfold", "Unfold", show=False, id="list.unfold"),
        Binding("left", "fold_up", "Fold up", show=False, id="list.fold_up"),
    ]

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

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._told: tuple[str, object] | None = None

    # What it shows

    async def show(
        self,
        source: TaskSource,
        wanted: TaskFilter | None = None,
        group: TaskGroup | None = None,
    ) -> None:
        """Show the tasks of a filter; the selected one stays selected while it is among them."""
        listing = self._listing
        if listing is None or listing.source is not source:
            listing = Listing(source)
            if group is None:
                await listing.begin(wanted, self._height)
                self._take(listing, group)
                self._shown()
        order = await listing.read_order(wanted, group, self.selected_id)
        # From here to the first await nothing can move: old order and old cursor belong together.
        self._take(listing, group, order)
        await listing.fill(min(self.cursor, self._top), max(self.cursor, self._top + self._height))
        self._shown()

    def _take(self, listing: Listing, group: TaskGroup | None, order: Order | None = None) -> None:
        selected, above = self.selected_id, self.cursor - self._top
        if order is not None:
            listing.take(order)
        self._listing, self._group = listing, group
        self._keep(listing, selected, above)

    def _keep(self, listing: Listing, selected: str | None, above: int) -> None:
        """Keep a task selected, or what is now in its place, where the eye has it."""
        index = listing.find(selected) if selected is not None else None
        index = listing.nearest(self.cursor if index is None else index)
        self.set_reactive(TaskList.cursor, index)
        self._drawn.clear()
        self._resize_list()
        if 0 <= above < self._height:
            top = max(0, index - above) * self.lines_each
            self.scroll_to(y=top, animate=False, force=True)

    def _shown(self) -> None:
        self._resize_list()
        self._show_cursor()
        self._redraw()
        self._tell()

    @property
    def count(self) -> int:
        """How many tasks are listed, those folded behind others of their family, too."""
        return 0 if self._listing is None else self._listing.count

    @property
    def selected_id(self) -> str | None:
        """The id of the selected task."""
        return None if self._listing is None else self._listing.task_id(self.cursor)

    @property
    def selected(self) -> TaskRow | None:
        """The row of the selected task, once it has been read."""
        return None if self._listing is None else self._listing.row(self.cursor)

    def __len__(self) -> int:
        return 0 if self._listing is None else len(self._listing)

    def __bool__(self) -> bool:
        return True

    # Moving

    def action_move(self, by: int) -> None:
        """Select the task above or below."""
        self._go(self.cursor + by, upwards=by < 0)

    def action_page(self, by: int) -> None:
        """Select the task a page above or below."""
        self._go(self.cursor + by * max(1, self._height - 1), upwards=by < 0)

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

    def _go(self, index: int, *, upwards: bool = False) -> None:
        if self._listing is not None and len(self):
            self.cursor = self._listing.nearest(index, upwards=upwards)

    def watch_cursor(self, before: int, index: int) -> None:
        """Keep the selected task in view and tell of it."""
        self._show_cursor()
        self._redraw_line(before)
        self._redraw_line(index)
        self._tell()

    def watch_lines_each(self, before: int, lines: int) -> None:
        """Lay the list out anew for another density, the selected task where the eye has it."""
        above = self.cursor - self.scroll_offset.y // before
        self._resize_list()
        self.scroll_to(y=max(0, self.cursor - above) * lines, animate=False, force=True)
        self._show_cursor()
        self._redraw()
        self._read_visible()

    def on_resize(self) -> None:
        """Keep the selected task in view, and read what came into it."""
        self._resize_list()
        self._show_cursor()
        self._read_visible()

    def on_click(self, event: events.Click) -> None:
        """Select the task under the mouse; a second click reads it, one on its mark unfolds it."""
        place = event.get_content_offset(self)
        if place is None:
            return
        index, part = divmod(self.scroll_offset.y + place.y, self.lines_each)
        entry = self._entry_at(index)
        listing = self._listing
        if entry is None or listing is None:
            return
        if place.y == 0 and self._sticky(listing, index) is not None:
            return  # a heading is over it
        self._go(index)
        if part == 0 and place.x in fold_cells(entry):
            self.action_fold()
        elif event.chain == 2:
            self.action_open()

    # Folding

    def action_fold(self) -> None:
        """Show or hide what belongs to the selected task, or to what it hangs under."""
        entry = self._entry_at(self.cursor)
        if entry is not None and entry.folded and not entry.is_open:
            self._unfold(entry)
        else:
            self.action_fold_up()

    def action_unfold(self) -> None:
        """Show the forks and sub-agents of the selected task."""
        entry = self._entry_at(self.cursor)
        if entry is None or entry.is_open:
            return
        if entry.folded:
            self._unfold(entry)
        else:
            self._refuse()

    def action_fold_up(self) -> None:
        """Hide what belongs to the selected task, or to what it hangs under."""
        entry, listing = self._entry_at(self.cursor), self._listing
        if entry is None or listing is None:
            return
        head = listing.head(entry.task_id)
        if entry.is_open and entry.rails:
            head = entry.task_id
        if head is None:
            self._refuse()
            return
        above = self.cursor - self._top
        listing.fold(head)
        self._keep(listing, head, min(above, self._height - 1))
        self._shown()

    def _refuse(self) -> None:
        self.post_message(self.Refused("This task has no sub-agents or forks to show."))

    def _unfold(self, entry: Entry) -> None:
        listing = self._listing
        if listing is None:
            return

        async def unfold() -> None:
            try:
                await self._open_up(listing, entry.task_id)
            except NotFound:
                pass  # deleted in this moment: the next reading of the list will tell
            except Exception as error:
                self.post_message(self.Failed(error))

        self.run_worker(unfold, group="fold", exit_on_error=False)  # type: ignore[arg-type]

    async def _open_up(self, listing: Listing, task_id: str) -> None:
        tree = await listing.read_family(task_id)
        selected, above = self.selected_id, self.cursor - self._top
        listing.unfold(task_id, tree)
        self._keep(listing, selected, above)
        first = listing.find(tree[0].task_id)
        if first is not None:  # as much of it as there is room for, the selected task in any case
            self._show_lines(first, min(len(tree), self._height))
        await listing.fill(self._top, self._top + self._height)
        self._shown()

    async def reveal(self, path: Sequence[str]) -> bool:
        """Select the last task of a path, unfolding those before it that it hangs under.

        Says whether it is listed.
        """
        listing = self._listing
        if listing is None:
            return False
        for task_id in path:
            if listing.find(path[-1]) is not None:
                break
            shown = task_id if listing.find(task_id) is not None else listing.head(task_id)
            if shown is not None and not listing.is_open(shown):
                await self._open_up(listing, shown)
        index = listing.find(path[-1])
        if index is None:
            return False
        await listing.fill(index, index + 1)
        self._go(listing.find(path[-1]) or index)
        return True

    # Telling

    def _tell(self) -> None:
        row = self.selected
        if row is None and self.selected_id is not None:
            self._read_visible()
            return
        told = (row.task.id, row) if row else None
        if told != self._told:
            self._told = told
            self.post_message(self.Selected(row))
