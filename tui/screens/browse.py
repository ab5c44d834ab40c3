"""The browser: task list, detail and history, and what the keys do with them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from store.errors import StoreError
from store.text import printable
from tui.commands import bindings
from tui.launch import Launcher
from tui.queries import Queries
from tui.screens.panes import in_words
from tui.screens.resuming import Resuming
from tui.settings import Settings
from tui.widgets.bars import BottomBar, TopBar
from tui.widgets.detail import Detail
from tui.widgets.history import HistoryView
from tui.widgets.hits import HitList
from tui.widgets.tasks import TaskList

if TYPE_CHECKING:
    from store.protocol import Store
    from tui.first_page import FirstPage
    from tui.importing import Importer
    from tui.organise import Organiser

_LOOK_EVERY = 0.5  # seconds between looks at whether anybody has written to the store
WIDE = 100  # columns from which on three panes stand side by side


class Browse(Resuming):
    """Three panes on a wide terminal; on a narrow one the list, or what is being read."""

    DEFAULT_CSS = """
    Browse {
        background: $surface;

        & #panes { height: 1fr; }
        & #tasks, & #hits, & #detail, & #history {
            border: round $pane-border;
            border-title-color: $text-muted;
            border-subtitle-color: $text-muted;
        }
        & #tasks:focus, & #hits:focus, & #history:focus {
            border: round $primary;
            border-title-color: $text-primary;
        }
        &:nocolor #tasks:focus, &:nocolor #hits:focus, &:nocolor #history:focus {
            border: heavy $primary;
        }
        & HistoryView > .history--match {
            color: $match-foreground;
            background: $match-background;
        }
        & #detail { border-title-style: bold; border-title-color: $foreground; }
        & #tasks, & #hits { width: 40%; min-width: 40; max-width: 90; }
        & #hits { display: none; }
        &.-found #hits { display: block; }
        &.-found #tasks { display: none; }
        & #reader { width: 1fr; }
        & #history { height: 1fr; }
        &.-narrow #tasks, &.-narrow #hits { width: 1fr; max-width: 100%; }
        &.-narrow #reader { display: none; }
        &.-narrow #detail { max-height: 5; }
        &.-narrow.-reading #tasks, &.-narrow.-reading #hits { display: none; }
        &.-narrow.-reading #reader { display: block; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings()]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012 - as Textual has it
    AUTO_FOCUS = "#tasks"

    def __init__(
        self,
        open_store: Callable[[], Awaitable[Store]],
        importer: Callable[[Store], Awaitable[Importer | None]],
        launcher: Launcher,
        here: Path,
        settings: Settings | None = None,
        queries: Queries | None = None,
        first: FirstPage | None = None,
    ) -> None:
        super().__init__(here, settings, queries or Queries())
        self._open_store = open_store
        self._make_importer = importer
        self._launcher = launcher
        self._first = first
        self._opening: asyncio.Future[Store] | None = None
        self._importer: Importer | None = None
        self._organiser: Organiser | None = None
        self._organising = asyncio.Lock()
        self._looking: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay the panes out."""
        yield TopBar(id="top")
        with Horizontal(id="panes"):
            tasks = TaskList(id="tasks")
            tasks.border_title = "Tasks"
            yield tasks
            hits = HitList(id="hits")
            hits.border_title = "Found"
            yield hits
            with Vertical(id="reader"):
                yield Detail(id="detail")
                history = HistoryView(id="history")
                history.border_title = "History"
                yield history
        yield BottomBar(id="bottom")

    # Starting: the first frame needs no store

    def expect(self, width: int) -> None:
        """Be laid out for this width from the first: Textual says it after the first layout."""
        self.set_class(width < WIDE, "-narrow").set_class(width >= WIDE, "-wide")

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
        from tui.organise import Organiser

        self._organiser = Organiser(self._store)
        self._importer = await self._make_importer(self._store)
        from tui.resuming import Resumer, Stage  # what it needs is loaded when it is used

        stage = Stage(self._tell, self._copy, self.app.push_screen_wait)
        self._resumer = Resumer(self._store, self._launcher, self._importer, stage)
        self._seen = await self._store.version()
        await self._list()
        Thread(target=_warm, name="warm", daemon=True).start()
        self._looking = self.set_interval(_LOOK_EVERY, self._look)
        if self._importer is not None:
            self._work(partial(self._import, self._importer, watch=True), "watch")

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

    async def _import(self, importer: Importer, *, watch: bool = False) -> None:
        """Import, and with `watch` go on with what agents write."""
        from tui.importing import Finished

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

    # Commands

    def action_help(self) -> None:
        """Show every key."""
        from tui.screens.help import Help

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
        row, organiser = self._row, self._organiser
        if row is None or organiser is None:
            self._nothing_selected()
            return

        before = printable(row.task.title)

        def answered(title: str | None) -> None:
            if title is not None and title != before:
                self._work(
                    lambda: self._organise(lambda: organiser.rename(row.task, title)), "organise"
                )

        self._ask("A title of your own", before, answered)

    def action_archive(self) -> None:
        """Put the task away or take it back."""
        row, organiser = self._row, self._organiser
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


def _warm() -> None:
    """Load what draws Markdown and code, while nothing of it is in view yet."""
    from tui.render.markdown import warm

    warm()
