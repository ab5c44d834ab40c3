"""What every part of the browser's screen is built on: the panes, words to the person, work."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Coroutine

from textual import on
from textual.screen import Screen

from store.errors import StoreError
from store.text import printable
from tui.widgets.bars import TopBar
from tui.widgets.history import HistoryView
from tui.widgets.tasks import TaskList

_ONE_AT_A_TIME = ("show", "find")


class Panes(Screen[None]):
    """The panes by name. What goes wrong in them, or in work behind them, is told in words."""

    @property
    def _tasks(self) -> TaskList:
        return self.query_one("#tasks", TaskList)

    @property
    def _history(self) -> HistoryView:
        return self.query_one("#history", HistoryView)

    @property
    def _top(self) -> TopBar:
        return self.query_one("#top", TopBar)

    def _ask(self, question: str, text: str, answered: Callable[[str | None], None]) -> None:
        from tui.screens.ask import Ask  # what asks is loaded when somebody is asked

        self.app.push_screen(Ask(question, text), answered)

    def _nothing_selected(self) -> None:
        self._tell("No task is selected.")

    def _tell(self, words: str, severity: str = "information") -> None:
        if not self.is_attached:
            return  # the screen is going
        self.notify(words, severity=severity, markup=False)  # type: ignore[arg-type]

    @on(TaskList.Refused)
    @on(HistoryView.Refused)
    def _refused(self, event: TaskList.Refused | HistoryView.Refused) -> None:
        self._tell(event.reason)

    @on(TaskList.Failed)
    @on(HistoryView.Failed)
    def _failed(self, event: TaskList.Failed | HistoryView.Failed) -> None:
        self._tell(in_words(event.error), "error")

    def _work(self, work: Callable[[], Coroutine[None, None, None]], group: str) -> None:
        """Do something that waits, behind the screen; what went wrong is told in words.

        What is shown and what is found are one at a time: the next one cancels what is under way.
        """

        async def told() -> None:
            try:
                await work()
            except (StoreError, OSError) as error:
                self._tell(in_words(error), "error")
            except Exception as error:  # a mistake of ours, which must not cost the person theirs
                self.log.error(traceback.format_exc())
                self._tell(f"A mistake in backscroll: {_named(error)}", "error")

        self.run_worker(told, group=group, exclusive=group in _ONE_AT_A_TIME)  # type: ignore[arg-type]


def in_words(error: Exception) -> str:
    """Say what went wrong: the store's errors are words already."""
    return printable(str(error)) if isinstance(error, StoreError | OSError) else _named(error)


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {printable(str(error))}"
