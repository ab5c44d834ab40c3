"""What the keys do to go back into an agent, and to come back from it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from tui.screens.finding import Finding
from tui.widgets.bars import BottomBar

if TYPE_CHECKING:
    from store.models import TaskRow
    from tui.resuming import Resumer


class Resuming(Finding):
    """The commands that resume. They are there once the store is."""

    _resumer: Resumer | None = None

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

    async def come_back(self) -> None:
        """See that an agent that has the terminal ends, before all of this does."""
        if self._resumer is not None:
            await self._resumer.end()

    def _resume(self, how: Callable[[Resumer, TaskRow], Coroutine[Any, Any, bool]]) -> None:
        """Do something with the selected session; when an agent was in it, show what it said."""
        row, resumer = self._row, self._resumer
        if row is None or resumer is None:
            self._nothing_selected()
            return

        async def there_and_back() -> None:
            if await how(resumer, row):
                await self._list()
                self._history.action_scroll_end()

        self._work(there_and_back, "resume")

    def _row_shown(self, row: TaskRow) -> None:
        if (resumer := self._resumer) is not None:
            self._work(lambda: self._weigh(resumer, row), "weigh")

    async def _weigh(self, resumer: Resumer, row: TaskRow) -> None:
        """Grey the keys that cannot act on a row."""
        idle = await resumer.idle_commands(row)
        selected = self._row
        if selected is not None and selected.task.id == row.task.id:
            self.query_one(BottomBar).off = idle
