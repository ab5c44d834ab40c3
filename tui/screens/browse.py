"""The browser: task list, detail and history, and what the keys do with them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from store.enums import TaskGroup, TaskSort
from store.errors import NotFound, StoreError
from store.text import printable
from tui.commands import bindings
from tui.importing import Finished, Importer
from tui.launch import Launcher
from tui.organise import Organiser
from tui.render.detail import Surroundings
from tui.scope import Scope, folder_of
from tui.screens.ask import Ask
from tui.screens.help import Help
from tui.screens.panes import in_words
from tui.screens.reading import Reading
from tui.settings import Settings
from tui.widgets.bars import BottomBar, TopBar
from tui.widgets.detail import Detail
from tui.widgets.history import HistoryView
from tui.widgets.tasks import TaskList

if TYPE_CHECKING:
    from textual.widgets import Input

    from store.models import Task, TaskFilter, TaskRow
    from store.protocol import Store
    from tui.first_page import FirstPage
    from tui.resuming import Resumer

_LOOK_EVERY = 0.5  # seconds between looks at whether anybody has written to the store
_SETTLE = 0.06  # seconds a selection must last before its history is read
_SORTS = list(TaskSort)
_GROUPS = [None, *TaskGroup]


class Browse(Reading):
    """Three panes on a wide terminal; on a narrow one the list, or what is being read."""

    DEFAULT_CSS = """
    Browse {
        background: $surface;

        & #panes { height: 1fr; }
        & #tasks, & #detail, & #history {
            border: round $panel;
            border-title-color: $text-muted;
            border-subtitle-color: $text-muted;
        }
        & #tasks:focus, & #history:focus {
            border: round $primary;
            border-title-color: $text-primary;
        }
        & #detail { border-title-style: bold; border-title-color: $foreground; }
        & #tasks { width: 40%; min-width: 40; max-width: 90; }
        & #reader { width: 1fr; }
        & #history { height: 1fr; }
        &.-narrow #tasks { width: 1fr; max-width: 100%; }
        &.-narrow #reader { display: none; }
        &.-narrow #detail { max-height: 5; }
        &.-narrow.-reading #tasks { display: none; }
        &.-narrow.-reading #reader { display: block; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]  # noqa: RUF012 - as Textual has it
    AUTO_FOCUS = "#tasks"

    def __init__(
        self,
        open_store: Callable[[], Awaitable[Store]],
        importer: Callable[[Store], Awaitable[Importer | None]],
        launcher: Launcher,
        here: Path,
        settings: Settings | None = None,
        first: FirstPage | None = None,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._open_store = open_store
        self._make_importer = importer
        self._launcher = launcher
        self._here = here
        self._first = first
        self._opening: asyncio.Future[Store] | None = None
        self._importer: Importer | None = None
        self._organiser: Organiser | None = None
        self._resumer: Resumer | None = None
        self._scope = Scope.EVERYTHING
        self._lists: TaskFilter | None = None
        self._group: TaskGroup | None = None
        self._seen: tuple[int, int] | None = None
        self._listing = asyncio.Lock()
        self._is_stale = False
        self._is_looking = False
        self._organising = asyncio.Lock()
        self._settling: Timer | None = None
        self._looking: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay the panes out."""
        yield TopBar(id="top")
        with Horizontal(id="panes"):
            tasks = TaskList(id="tasks")
            tasks.border_title = "Tasks"
            yield tasks
            with Vertical(id="reader"):
                yield Detail(id="detail")
                history = HistoryView(id="history")
                history.border_title = "History"
                yield history
        yield BottomBar(id="bottom")

    # Starting: the first frame needs no store

    def on_mount(self) -> None:
        """Begin to open the store behind the first frame."""
        self._recall()
        self._work(self._start, "start")

    async def _start(self) -> None:
        if self._first is not None and self._lists is None and self._group is None:
            await self._tasks.show(self._first)
        await self._drawn()  # what opens the store is yet to be loaded, and that takes frames
        self._opening = asyncio.ensure_future(self._open_store())
        try:
            # Not cancelled with this worker, which may be cancelled twice: closing sees to it.
            self._store = await asyncio.shield(self._opening)
        except StoreError as error:
            self._tasks.empty_text = in_words(error)
            if self._first is not None:
                self._first.forget()
                await self._tasks.show(self._first)
            self._tasks.refresh()
            raise
        self._organiser = Organiser(self._store)
        self._importer = await self._make_importer(self._store)
        from tui.resuming import Resumer, Stage  # what it needs is loaded when it is used

        stage = Stage(self._tell, self._copy, self.app.push_screen_wait)
        self._resumer = Resumer(self._store, self._launcher, self._importer, stage)
        self._seen = await self._store.version()
        await self._list()
        self._looking = self.set_interval(_LOOK_EVERY, self._look)
        if self._importer is not None:
            self._work(partial(self._import, self._importer, watch=True), "watch")

    async def come_back(self) -> None:
        """See that an agent that has the terminal ends, before all of this does."""
        if self._resumer is not None:
            await self._resumer.end()

    async def _drawn(self) -> None:
        drawn = asyncio.Event()
        self.call_after_refresh(drawn.set)
        await drawn.wait()

    async def close_store(self) -> None:
        """Let go of the store; the screen is of no use after that."""
        if self._looking is not None:
            self._looking.stop()
        workers = list(self.workers)
        self.workers.cancel_all()
        await asyncio.gather(*(worker.wait() for worker in workers), return_exceptions=True)
        if self._opening is not None:
            self._opening.cancel()
            [opened] = await asyncio.gather(self._opening, return_exceptions=True)
            if not isinstance(opened, BaseException):
                await opened.close()

    # Keeping what is shown true

    def _look(self) -> None:
        if not self._is_looking:
            self._work(self._look_again, "look")

    async def _look_again(self) -> None:
        """Show what somebody has written since: this process, an import, another program."""
        if self._store is None:
            return
        self._is_looking = True
        try:
            version = await self._store.version()
            if version != self._seen:
                await self._list()
                self._seen = version
        finally:
            self._is_looking = False

    async def _list(self) -> None:
        """Read and show the list anew; who asks while it is read gets the next reading."""
        self._is_stale = True
        async with self._listing:
            if not self._is_stale or self._store is None:
                return
            self._is_stale = False
            try:
                await self._read_list(self._store)
            except BaseException:
                self._is_stale = True
                raise

    async def _read_list(self, store: Store) -> None:
        tasks = self._tasks
        tasks.empty_text = "No sessions yet."
        if self._filter.words or self._filter.archived:
            tasks.empty_text = "Nothing matches."
        await tasks.show(store, self._wanted(), self._group)
        may_widen = not self._filter.words and not self._filter.archived
        while may_widen and not len(tasks) and self._scope.wider is not self._scope:
            self._scope = self._scope.wider
            await tasks.show(store, self._wanted(), self._group)
        shown, wanted = tasks.count, self._wanted()
        self._say(scope=self._scope, scopes=tuple(Scope), notes=self._notes(), shown=shown)
        every_kind = await store.count_tasks(wanted.model_copy(update={"everything": True}))
        anywhere = _lists(everything=wanted.everything, archived=wanted.archived)
        total = await store.count_tasks(anywhere)
        self._say(total=total, hidden=max(0, every_kind - shown))

    @property
    def _filter(self) -> TaskFilter:
        """What is listed. Made when it is asked for: the first frame needs no models."""
        if self._lists is None:
            self._lists = _lists()
        return self._lists

    def _wanted(self) -> TaskFilter:
        folder = folder_of(self._scope, self._here)
        # With every kind shown, sub-agents stay under their parents unless they have none.
        return self._filter.model_copy(update={"under": str(folder) if folder else None})

    def _notes(self) -> tuple[str, ...]:
        wanted = self._filter
        notes = []
        if wanted.words:
            notes.append("/" + printable(" ".join(wanted.words)))
        if wanted.sort is not TaskSort.ACTIVE:
            notes.append(f"by {wanted.sort}")
        if wanted.everything:
            notes.append("all kinds")
        if wanted.archived:
            notes.append("archived")
        return tuple(notes)

    def _say(self, **changes: Any) -> None:
        if not self.is_attached or not self._top.is_attached:
            return  # the screen is going
        self._top.standing = replace(self._top.standing, **changes)

    async def _import(self, importer: Importer, *, watch: bool = False) -> None:
        """Import, and with `watch` go on with what agents write."""
        self._say(importing="importing …")
        skipped = 0
        try:
            async for step in importer.everything(watch=watch):
                if isinstance(step, Finished):
                    self._say(importing="")
                    if step.skipped > skipped:
                        self._tell(
                            f"{step.skipped} records or files could not be read;"
                            " `backscroll import` names them.",
                            "warning",
                        )
                    skipped = max(skipped, step.skipped)
                    await self._look_again()
                else:
                    self._say(importing=f"importing {step.agent} {step.done:,}/{step.all:,}")
        finally:
            self._say(importing="")

    # The selected task

    @on(TaskList.Selected)
    def _selected(self, event: TaskList.Selected) -> None:
        if self._store is None:
            return  # it is told again when the store's own rows are there
        if self._settling is not None:
            self._settling.stop()
        row = event.row
        if row is not None and row.task.id == self._history.task_id:
            self._work(lambda: self._show(row), "show")
            return
        self._settling = self.set_timer(
            _SETTLE, lambda: self._work(lambda: self._show(row), "show")
        )

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
                self._history.go_to(landing[1])
        else:
            name = row.session.backend if row.session else "agent"
            at = landing[1] if landing is not None else None
            self._history.show(task_id, store, count, printable(name), at=at)
        if self._linked != (task_id, row.children):
            self._linked = (task_id, row.children)
            self._work(lambda: self._link(store, row), "link")
        detail.show(row, await self._surroundings(store, row.task))
        if (resumer := self._resumer) is not None:
            self._work(lambda: self._weigh(resumer, row), "weigh")

    async def _surroundings(self, store: Store, task: Task) -> Surroundings:
        try:
            return Surroundings(
                needs=await store.dependencies(task.id),
                needed_by=await store.dependents(task.id),
                origin=await store.get_task(task.fork_of) if task.fork_of else None,
            )
        except NotFound:
            return Surroundings()  # deleted by somebody in this moment: the list will tell

    # Commands

    def action_back(self) -> None:
        """Leave the history, or end filtering."""
        self.query("#filter").remove()
        if self._filter.words:
            self._change_filter(words=())
        self.remove_class("-reading")
        self._tasks.focus()

    def action_next_pane(self) -> None:
        """Go between list and history."""
        if self._tasks.has_focus:
            self._opened()
        else:
            self.remove_class("-reading")
            self._tasks.focus()

    async def action_filter(self) -> None:
        """Open the line for filter words. Keys that follow wait until it has the focus."""
        from tui.widgets.filter import FilterLine  # an input costs the first frame; it can wait

        self.remove_class("-reading")
        if self.query("#filter"):
            self.query_one("#filter").focus()
            return
        line = FilterLine(" ".join(self._filter.words), id="filter")
        await self.mount(line, before="#bottom")
        self.set_focus(line)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while the words are typed."""
        words = tuple(event.value.split())
        if words != self._filter.words:
            self._change_filter(words=words)

    def on_input_submitted(self) -> None:
        """Keep the filter and go to what it lets through."""
        self.query("#filter").remove()
        self._tasks.focus()

    def action_scope(self) -> None:
        """Go to the next scope."""
        wanted = self._scope.next
        self._scope = wanted

        async def widen() -> None:
            await self._list()
            if self._scope is not wanted and wanted is not Scope.EVERYTHING:
                self._tell(f"There is nothing in the scope {wanted}: showing {self._scope}.")

        self._work(widen, "list")

    def action_sort(self) -> None:
        """Go to the next order."""
        after = _SORTS[(_SORTS.index(self._filter.sort) + 1) % len(_SORTS)]
        self._change_filter(sort=after)
        self._remember("list_sort", after)

    def action_hidden(self) -> None:
        """Show every kind of session, or only people's."""
        self._change_filter(everything=not self._filter.everything)

    def action_archived(self) -> None:
        """Show what is archived, or what is not."""
        self._change_filter(archived=not self._filter.archived)

    def _change_filter(self, **changes: Any) -> None:
        self._lists = self._filter.model_copy(update=changes)
        self._work(self._list, "list")

    def action_group(self) -> None:
        """Group by the next thing, or not."""
        self._group = _GROUPS[(_GROUPS.index(self._group) + 1) % len(_GROUPS)]
        self._remember("list_group", self._group or "none")
        self._work(self._list, "list")

    def action_density(self) -> None:
        """Give tasks one line or two."""
        self._tasks.lines_each = 3 - self._tasks.lines_each
        self._remember("list_lines", str(self._tasks.lines_each))

    def _recall(self) -> None:
        """Show the list as it was chosen last. What does not say is as usual."""
        if self._settings is None:
            return
        try:
            chosen = self._settings.all()
        except (OSError, ValueError):
            return  # the app says so
        if (sort := chosen.get("list_sort")) in _SORTS and sort != TaskSort.ACTIVE:
            self._lists = self._filter.model_copy(update={"sort": TaskSort(str(sort))})
        if (group := chosen.get("list_group")) in _GROUPS and group is not None:
            self._group = TaskGroup(str(group))
        if chosen.get("list_lines") == "2":
            self._tasks.lines_each = 2

    def _remember(self, name: str, value: str) -> None:
        if self._settings is None:
            return
        try:
            self._settings.change(name, value)
        except (OSError, ValueError) as error:
            self._tell(f"This is not remembered: {printable(str(error))}", "warning")

    def action_help(self) -> None:
        """Show every key."""
        self.app.push_screen(Help())

    async def action_quit(self) -> None:
        """Leave, once what was begun has ended."""
        await self.close_store()
        self.app.exit()

    def action_import_now(self) -> None:
        """Look for what is new."""
        if self._store is None:
            self._tell("No store is open.")
        elif self._importer is None:
            self._tell("Nothing is imported into a store in memory.")
        elif self._top.standing.importing:
            self._tell("An import is running already.")
        else:
            self._work(partial(self._import, self._importer), "import")

    # Organising

    def action_rename(self) -> None:
        """Ask for another title."""
        row, organiser = self._tasks.selected, self._organiser
        if row is None or organiser is None:
            self._nothing_selected()
            return

        before = printable(row.task.title)

        def answered(title: str | None) -> None:
            if title is not None and title != before:
                self._work(
                    lambda: self._organise(lambda: organiser.rename(row.task, title)), "organise"
                )

        self.app.push_screen(Ask("A title of your own", before), answered)

    def action_archive(self) -> None:
        """Put the task away or take it back."""
        row, organiser = self._tasks.selected, self._organiser
        if row is None or organiser is None:
            self._nothing_selected()
            return
        self._work(lambda: self._organise(lambda: organiser.archive(row.task)), "organise")

    def action_undo(self) -> None:
        """Take the last change back."""
        organiser = self._organiser
        if organiser is not None:
            self._work(
                lambda: self._organise(organiser.undo, "There is nothing to undo"), "organise"
            )

    async def _organise(
        self, change: Callable[[], Coroutine[Any, Any, str | None]], nothing: str = ""
    ) -> None:
        async with self._organising:
            words = await change()
            if words or nothing:
                self._tell(f"{words or nothing}.")
            await self._list()

    # Resuming

    def action_copy(self) -> None:
        """Copy the command that resumes the session."""
        self._resume(lambda resumer, row: resumer.copy(row))

    def action_resume(self) -> None:
        """Hand the terminal to the agent."""
        self._resume(lambda resumer, row: resumer.resume(row))

    def action_fork(self) -> None:
        """Hand the terminal to the agent, with a copy."""
        self._resume(lambda resumer, row: resumer.resume(row, fork=True))

    def action_choose(self) -> None:
        """Show how the agent would be started, and let it be changed."""
        self._resume(lambda resumer, row: resumer.choose(row))

    def _resume(self, how: Callable[[Resumer, TaskRow], Coroutine[Any, Any, bool]]) -> None:
        """Do something with the selected session; when an agent was in it, show what it said."""
        row, resumer = self._tasks.selected, self._resumer
        if row is None or resumer is None:
            self._nothing_selected()
            return

        async def there_and_back() -> None:
            if await how(resumer, row):
                await self._list()
                self._history.action_scroll_end()

        self._work(there_and_back, "resume")

    async def _weigh(self, resumer: Resumer, row: TaskRow) -> None:
        """Grey the keys that cannot act on a row."""
        idle = await resumer.idle_commands(row)
        selected = self._tasks.selected
        if selected is not None and selected.task.id == row.task.id:
            self.query_one(BottomBar).off = idle

    def on_unmount(self, _event: events.Unmount) -> None:
        """Stop the clock that reads the history of a passing selection."""
        if self._settling is not None:
            self._settling.stop()


def _lists(**also: Any) -> TaskFilter:
    from store.models import TaskFilter

    # Unvalidated: building the validator would cost more than the list.
    return TaskFilter.model_construct(top_level=True, **also)
