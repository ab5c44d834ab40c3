"""Leaving the screen for an agent, and coming back whatever happens in between."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from textual.app import App, SuspendNotSupported

from store.resume import Command

# Out of the alternate screen, the mouse, bracketed paste and the keyboard protocol; cursor shown,
# colours reset. All of it is without effect where the agent has cleaned up.
_RESET = "\x1b[?1049l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[<u\x1b[?25h\x1b[0m"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an agent ended: its exit status, or why it could not be started."""

    status: int | None = None
    failure: str | None = None

    def in_words(self, program: str) -> str | None:
        """Say what went wrong; None when nothing did."""
        if self.failure is not None:
            return f"{program} could not be started: {self.failure}"
        if not self.status:
            return None
        if self.status < 0:
            return f"{program} was ended by {_signal_name(-self.status)}"
        return f"{program} ended with exit status {self.status}"


class Launcher(Protocol):
    """Hands the terminal to a command and waits for its end. Never raises."""

    async def __call__(self, command: Command) -> Outcome:
        """Run the command in its folder, with its additions to the environment."""
        ...


class TerminalLauncher:
    """The launcher of a real terminal: the agent gets all of it."""

    def __init__(self, app: App[None]) -> None:
        self._app = app

    async def __call__(self, command: Command) -> Outcome:
        """Suspend the app, run the agent, resume the app."""
        # Ctrl+C is the agent's while it runs. A handler that does nothing, and not SIG_IGN, which
        # the agent would inherit.
        before = signal.signal(signal.SIGINT, lambda *_: None)
        try:
            # Drawing into a suspended terminal would fill the driver's queue, and then wait.
            with self._app.batch_update(), self._app.suspend(), _terminal_put_back():
                return await _run(command)
        except SuspendNotSupported:
            return Outcome(failure="this terminal cannot be handed over")
        finally:
            signal.signal(signal.SIGINT, before)
            self._app.refresh(layout=True)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # the real-time ones have no name
        return f"signal {number}"


@contextmanager
def _terminal_put_back() -> Iterator[None]:
    """Leave the terminal as it was found, whatever an agent that was killed has done to it."""
    stdin, stdout = sys.__stdin__, sys.__stdout__
    if stdin is None or stdout is None or not stdin.isatty():
        yield
        return
    modes = termios.tcgetattr(stdin)
    try:
        yield
    finally:
        termios.tcsetattr(stdin, termios.TCSANOW, modes)
        stdout.write(_RESET)
        stdout.flush()


async def _run(command: Command) -> Outcome:
    """Run a command to its end. An exception in here would leave the app suspended for ever."""
    try:
        process = await asyncio.create_subprocess_exec(
            *command.argv, cwd=command.cwd, env=command.environment(os.environ)
        )
        return Outcome(status=await process.wait())
    except (OSError, ValueError) as error:
        return Outcome(failure=str(error))
