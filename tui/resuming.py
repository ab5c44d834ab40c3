"""Going back into the agents that held conversations, and coming back from them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from store.enums import SessionStatus
from store.errors import ResumeError, StoreError
from store.text import printable
from tui.launch import Launcher

if TYPE_CHECKING:
    from store.models import TaskRow
    from store.protocol import Store
    from store.resume import Command
    from tui.importing import Importer


@dataclass(frozen=True, slots=True)
class Stage:
    """What resuming needs of the screen that it is asked for on.

    `tell` shows a notice, of words made printable and a severity; `copy` fills the
    clipboard and says so.
    """

    tell: Callable[[str, str], None]
    copy: Callable[[str, str], None]


class Resumer:
    """Resumes sessions and copies the commands that do."""

    def __init__(
        self, store: Store, launcher: Launcher, importer: Importer | None, stage: Stage
    ) -> None:
        self._store = store
        self._launcher = launcher
        self._importer = importer
        self._stage = stage
        self._is_busy = False
        self._is_leaving = False
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    async def end(self) -> None:
        """See that an agent ends that has the terminal, and that the store knows."""
        self._is_leaving = True
        await self._launcher.end()
        await self._is_idle.wait()

    def copy(self, row: TaskRow) -> None:
        """Copy the command that resumes a session."""
        command = self._command(row)
        if command is not None:
            line = command.shell_line()
            self._stage.copy(line, f"Copied: {printable(line)}")

    async def resume(self, row: TaskRow) -> bool:
        """Hand the terminal to a session's agent; say whether it had it, and gave it back."""
        from store.resume import ready

        if self._is_busy:
            return False  # the key was pressed twice: one agent has the terminal already
        command = self._command(row)
        if command is None:
            return False
        self._is_busy = True
        self._is_idle.clear()
        try:
            found = ready(command, os.environ)
            await self._mark(row, SessionStatus.ACTIVE)
            outcome = await self._launcher(found)
            await self._mark(row, SessionStatus.PAUSED)
        except ResumeError as error:
            self._tell(f"Cannot be resumed: {error}.", "warning")
            return False
        finally:
            self._is_busy = False
            self._is_idle.set()
        if self._is_leaving:
            return False
        if words := outcome.in_words(command.argv[0]):
            self._tell(f"{words}.", "warning")
        session = row.session
        if self._importer is not None and session is not None and session.source_path:
            await self._importer.source(session.backend, session.source_path)
        return True

    def _command(self, row: TaskRow) -> Command | None:
        from store import agents

        if row.session is None:
            self._tell("This task has no session that could be resumed.", "warning")
            return None
        try:
            return agents.resume_command(row.session, fork=False, env=os.environ)
        except ResumeError as error:
            self._tell(f"Cannot be resumed: {error}.", "warning")
            return None

    async def _mark(self, row: TaskRow, status: SessionStatus) -> None:
        """Say of a session that it is live, or not any more. A store that is busy stops nobody."""
        if row.session is None or row.session.status is SessionStatus.TERMINATED:
            return
        try:
            await self._store.set_session_status(row.task.id, status)
        except StoreError as error:
            self._tell(printable(str(error)), "warning")

    def _tell(self, words: str, severity: str = "information") -> None:
        self._stage.tell(words, severity)
