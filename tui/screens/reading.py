"""What the keys do while one reads: moving, folding, copying, going into sub-agents and back."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from textual import events, on
from textual.timer import Timer

from store.errors import NotFound
from store.text import printable
from tui import clipboard, clock
from tui.facts import Gatherer
from tui.links import links_of
from tui.screens.panes import Panes
from tui.showing import Extract
from tui.widgets.detail import Detail
from tui.widgets.history import HistoryView
from tui.widgets.tasks import TaskList

if TYPE_CHECKING:
    from store.models import Task, TaskRow
    from store.protocol import Store

_SETTLE = 0.06  # seconds a selection must last before its history is read


class Reading(Panes):
    """The commands of the history pane."""

    def __init__(self) -> None:
        super().__init__()
        self._store: Store | None = None
        self._trail: list[tuple[str, int]] = []  # where one came from, through which message
        self._landing: tuple[str, int] | None = None  # the message that a task is to be shown at
        self._linked: tuple[str, int] | None = None  # the task whose links are marked
        self._settling: Timer | None = None
        self._facts = Gatherer()

    @property
    def _row(self) -> TaskRow | None:
        """The task that the commands are about."""
        return self._tasks.selected

    # The selected task

    @on(TaskList.Selected)
    def _selected(self, event: TaskList.Selected) -> None:
        if self._store is None:
            return  # it is told again when the store's own rows are there
        row = event.row
        if row is not None and row.task.id == self._history.task_id:
            self._stop_settling()
            self._work(lambda: self._show(row), "show")
            return
        self._settle(lambda: self._show(row))

    def _settle(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Show something once the selection has stayed where it is for a moment."""

        def show() -> None:
            self._settling = None
            self._work(work, "show")

        self._stop_settling()
        self._settling = self.set_timer(_SETTLE, show)

    def _stop_settling(self) -> None:
        if self._settling is not None:
            self._settling.stop()
        self._settling = None

    @property
    def is_settling(self) -> bool:
        """Whether something has been selected that is to be shown in a moment."""
        return self._settling is not None

    async def _show(self, row: TaskRow | None) -> None:
        store, detail = self._store, self.query_one("#detail", Detail)
        if store is None or row is None:
            detail.show(None)
            self._history.clear()
            return
        task_id, count = row.task.id, row.task.message_count
        landing = self._landing if self._landing and self._landing[0] == task_id else None
        self._landing = None
        if task_id == self._history.task_id:
            self._history.refresh_count(count)
            if landing is not None:
                self._history.go_to_match(landing[1])
        else:
            name = row.session.backend if row.session else "agent"
            at = landing[1] if landing is not None else None
            self._history.show(task_id, store, count, printable(name), at=at)
        if self._linked != (task_id, row.children):
            self._linked = (task_id, row.children)
            self._work(lambda: self._link(store, row), "link")
        self._row_shown(row)
        async for facts in self._facts.some(store, row):
            detail.show(row, facts)

    def _row_shown(self, row: TaskRow) -> None:
        """Do what depends on the task that is shown now: for what is built on this."""

    def action_details(self) -> None:
        """Show everything known of the task."""
        from tui.screens.details import Details  # what is asked for now and then costs no start

        row, store = self._row, self._store
        if row is None or store is None:
            self._nothing_selected()
            return
        self.app.push_screen(Details(row, self._facts.all(store, row)))

    # Reading

    @on(TaskList.Opened)
    def _opened(self) -> None:
        self.add_class("-reading")
        self._history.focus()

    @on(HistoryView.Moved)
    def _moved(self, event: HistoryView.Moved) -> None:
        where = f"{event.position:,} of {event.total:,}" if event.total else ""
        self._history.border_subtitle = where + (" · following" if event.following else "")

    @on(HistoryView.Selected)
    def _chosen(self, event: HistoryView.Selected) -> None:
        self._copy(event.text, f"Copied {_characters(event.text)}.")

    def action_previous_prompt(self) -> None:
        """Go to the prompt before."""
        self._history.previous_prompt()

    def action_next_prompt(self) -> None:
        """Go to the prompt after."""
        self._history.next_prompt()

    def action_previous_message(self) -> None:
        """Go to the message before."""
        self._history.previous_message()

    def action_next_message(self) -> None:
        """Go to the message after."""
        self._history.next_message()

    def action_go_to(self) -> None:
        """Ask for a message's number or a time, and go there."""
        history = self._history
        message = history.current
        if message is None:
            self._tell("There are no messages to go to.")
            return
        here, near = history.current_rank, message.timestamp

        def answered(text: str | None) -> None:
            if text is None:
                return
            from tui.places import EXPECTED, parse_place

            place = parse_place(text, here=here, count=history.count, near=near, now=clock.now())
            if place is None:
                self._tell(f"{printable(text)!r} is not {EXPECTED}.", "warning")
            elif isinstance(place, int):
                history.go_to_rank(place)
            else:
                history.go_to_time(place)

        self._ask(f"Go to message (1 to {history.count:,}) or time", "", answered)

    def action_tools(self) -> None:
        """Show more of everything that is folded, or the least again."""
        self._history.cycle_fold()
        self._say_showing()

    def action_thoughts(self) -> None:
        """Show thinking in another way."""
        self._history.cycle_thoughts()
        self._say_showing()

    def action_prompts_only(self) -> None:
        """Show only what the person typed, or everything again."""
        self._history.extract(Extract.PROMPTS)
        self._say_showing()

    def action_hide_tools(self) -> None:
        """Leave tools out, or show them again."""
        self._history.extract(Extract.TALK)
        self._say_showing()

    def _say_showing(self) -> None:
        self._history.border_title = " · ".join(
            words for words in ("History", self._history.showing.in_words()) if words
        )

    def action_follow(self) -> None:
        """Stay at the end of a growing history, or let go."""
        self._history.toggle_follow()

    # Copying

    def action_copy_message(self) -> None:
        """Copy what the reader is at."""
        message = self._history.current
        if message is None:
            self._tell("No message is in view; enter goes into the history.")
            return
        what = f"message {message.seq:,}, {_characters(message.content)}"
        self._copy(message.content, f"Copied {what}.")

    def action_copy_path(self) -> None:
        """Copy where the session came from."""
        row = self._row
        if row is None:
            self._nothing_selected()
        elif row.session is None or row.session.source_path is None:
            self._tell("This session did not come from a file.")
        else:
            path = row.session.source_path
            self._copy(path, f"Copied: {printable(path)}")

    def _copy(self, text: str, words: str) -> None:
        """Copy with the desktop's clipboard program, else by asking the terminal."""

        async def copied() -> None:
            if not await clipboard.copy(text, clipboard.found()):
                self.app.copy_to_clipboard(text)
            self._tell(words)

        self._work(copied, "copy")

    # Into sub-agents and forks, and back

    async def _link(self, store: Store, row: TaskRow) -> None:
        """Mark in the history where it leads to others."""
        links = await links_of(store, row)
        if self._history.task_id == row.task.id:
            self._history.link(links)

    @on(HistoryView.Followed)
    def _followed(self, event: HistoryView.Followed) -> None:
        here = self._history.task_id

        async def follow() -> None:
            if await self._go(event.task_id) and here is not None:
                self._trail.append((here, event.seq))

        self._work(follow, "go")

    def action_come_back(self) -> None:
        """Return to where one came from; else from a sub-agent or fork to its origin."""
        if self._trail:
            task_id, seq = self._trail.pop()
            self._work(lambda: self._gone(task_id, seq), "go")
            return
        row = self._row
        origin = (row.task.parent_task_id or row.task.fork_of) if row is not None else None
        if origin is None:
            self._tell("This conversation did not begin in another one.")
            return
        self._work(lambda: self._gone(origin), "go")

    async def _gone(self, task_id: str, seq: int | None = None) -> None:
        await self._go(task_id, seq)

    async def _go(self, task_id: str, seq: int | None = None) -> bool:
        """Select a task in the list, which shows its history; say whether it is listed."""
        store = self._store
        if store is None:
            return False
        path = await ancestors(store, task_id)
        self._landing = (task_id, seq) if seq is not None else None
        if await self._tasks.reveal([task.id for task in path]):
            self.add_class("-reading")
            self._history.focus()
            return True
        self._landing = None
        title = printable(path[-1].title) or "(no title)"
        self._tell(f"“{title}” is not in the list as it is filtered now.", "warning")
        return False

    def on_unmount(self, _event: events.Unmount) -> None:
        """Stop the clock that reads the history of a passing selection."""
        self._stop_settling()


async def ancestors(store: Store, task_id: str) -> list[Task]:
    """Give a task and those it hangs under, the topmost first. Raises NotFound for the task."""
    path = [await store.get_task(task_id)]
    while (above := path[0].parent_task_id or path[0].fork_of) is not None:
        if any(task.id == above for task in path):
            break
        try:
            path.insert(0, await store.get_task(above))
        except NotFound:
            break  # deleted in this moment
    return path


def _characters(text: str) -> str:
    return f"{len(text):,} character{'' if len(text) == 1 else 's'}"
