"""The Textual app: opens the store behind the first frame, and closes it at the end."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.filter import LineFilter, Monochrome, NoColor
from textual.screen import Screen
from textual.theme import Theme

from store.text import printable
from tui.collector import IDLE, Idle
from tui.commands import COMMANDS
from tui.launch import Launcher, TerminalLauncher
from tui.output import Simple, settling
from tui.queries import Queries
from tui.screens.browse import Browse
from tui.settings import Settings
from tui.themes import OWN_THEMES, legible, suggested

if TYPE_CHECKING:
    from store.protocol import Store
    from tui.first_page import FirstPage
    from tui.importing import Importer


_COLOURLESS = (Monochrome, NoColor)
_COLOURLESS_FILTERS = (Monochrome(), NoColor())


class Backscroll(App[None]):
    """A browser for the sessions of coding agents.

    `open_store` is awaited once, after the first frame; `importer` makes what brings new sessions
    into that store, or None; `launcher` hands the terminal to an agent; `settings` remember the
    theme and how the list is shown; `first` has the rows that are shown until the store is open.
    """

    TITLE = "backscroll"
    ENABLE_COMMAND_PALETTE = True
    CSS = """
    Toast { padding: 0 1; margin: 0 0 1 0; background: $panel; }
    Input {
        & > .input--placeholder, & > .input--suggestion { color: $text-muted; }
    }
    Input:nocolor:ansi {
        & > .input--cursor { text-style: reverse; }
        & > .input--selection { text-style: reverse; }
    }
    Toast.-warning:nocolor, Toast.-error:nocolor { text-style: bold; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+l", "redraw", show=False, id="redraw")]

    def __init__(
        self,
        open_store: Callable[[], Awaitable[Store]],
        importer: Callable[[Store], Awaitable[Importer | None]],
        *,
        launcher: Launcher | None = None,
        here: Path | None = None,
        settings: Settings | None = None,
        queries: Queries | None = None,
        first: FirstPage | None = None,
    ) -> None:
        super().__init__()
        self._simple = Simple()
        self._settings = settings
        self._leaving: asyncio.Task[None] | None = None
        self._idle = Idle()
        self._said_at_start = ""
        for theme in OWN_THEMES:
            self.register_theme(theme)
        self.theme = self._first_theme()
        self._browse = Browse(
            open_store,
            importer,
            launcher or TerminalLauncher(self),
            here or _here(),
            settings,
            queries,
            first,
        )

    def on_mount(self) -> None:
        """Leave in order, terminal and store put right, when asked to from outside."""
        self.theme_changed_signal.subscribe(self, self._remember)
        if self._said_at_start:
            self._tell(self._said_at_start)
        if not self.is_headless:
            self.set_interval(IDLE, self._idle.look)
            loop = asyncio.get_running_loop()
            for asked in (signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(asked, self._begin_to_leave)

    def _begin_to_leave(self) -> None:
        async def leave() -> None:
            await self._browse.come_back()
            self.exit()

        self._leaving = asyncio.create_task(leave())

    async def on_event(self, event: events.Event) -> None:
        """Take note of keys and the mouse."""
        if isinstance(event, events.InputEvent):
            self._idle.touch()
        await super().on_event(event)

    def get_css_variables(self) -> dict[str, str]:
        """Give the colours of the theme, those of text made to be read."""
        self.theme_variables = legible(super().get_css_variables(), self.current_theme)
        return self.theme_variables

    def _first_theme(self) -> str:
        """Give the theme that was chosen last, else one for what the terminal says of itself."""
        is_plain = self.no_color or self.console.color_system in (None, "standard")
        usual = suggested(os.environ.get("COLORFGBG", ""), is_plain=is_plain)
        try:
            chosen = self._settings.theme if self._settings is not None else None
        except (OSError, ValueError) as error:
            self._said_at_start = _not_remembered(error)
            return usual
        if chosen is None or chosen in self.available_themes:
            return chosen or usual
        self._said_at_start = f"There is no theme {printable(chosen)} any more: this is {usual}."
        return usual

    def _remember(self, theme: Theme) -> None:
        if self._settings is None:
            return
        try:
            self._settings.theme = theme.name
        except (OSError, ValueError) as error:
            self._tell(_not_remembered(error))

    def _tell(self, words: str) -> None:
        self.notify(words, severity="warning", markup=False)

    def action_redraw(self) -> None:
        """Draw every cell of the terminal."""
        self.refresh()

    def get_driver_class(self) -> type[Driver]:
        """Write to the terminal so that it agrees with the layout about every cell."""
        return settling(super().get_driver_class())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Draw no cluster that cannot be cut, and no colour where NO_COLOR is set.

        Textual looks only once which of its two filters that takes, before a theme is chosen.
        """
        filters = [each for each in super().get_line_filters() if not isinstance(each, _COLOURLESS)]
        if self.no_color:
            filters.append(_COLOURLESS_FILTERS[self.native_ansi_color])
        return [*filters, self._simple]

    def get_default_screen(self) -> Screen[None]:
        """Show the browser first."""
        self._browse.expect(self.size.width)
        return self._browse

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Offer every command of the table, and the theme, in the palette."""
        if screen is self._browse:
            for command in COMMANDS:
                if command.is_bound:
                    run = getattr(self._browse, f"action_{command.id}")
                    yield SystemCommand(command.title, command.help, run)
            for name, text in self._browse.saved_queries().items():
                yield SystemCommand(
                    f"Query: {printable(name)}",
                    printable(text),
                    partial(self._browse.search_for, text),
                )
        yield SystemCommand("Theme", "Change the colours.", self.action_change_theme)

    async def on_unmount(self) -> None:
        """Close the store."""
        await self._browse.close_store()


def _not_remembered(error: Exception) -> str:
    return f"The theme is not remembered: {printable(str(error))}"


def _here() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # the folder was deleted under this shell
        return Path.home()
