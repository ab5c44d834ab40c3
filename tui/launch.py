"""Leaving the screen for an agent, and coming back whatever happens in between."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from textual.app import App, SuspendNotSupported

from store.text import printable
from tui import foreground

if TYPE_CHECKING:
    from store.resume import Command


# The title is put aside. Textual itself leaves the mouse reporting pixels, where it had asked.
_BEFORE = "\x1b[22;0t\x1b[?1016l"

# What an agent may have left behind, and is without effect where it has cleaned up: an unfinished
# frame, a link; mouse, focus, paste, colour scheme and size reports; application keys; a hidden
# cursor, colours. Then out of the alternate screen, and the title back.
_AFTER = (
    "\x1b[?2026l\x1b]8;;\x1b\\"
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\x1b[?1015l\x1b[?1016l"
    "\x1b[?1004l\x1b[?2004l\x1b[?2031l\x1b[?2048l"
    "\x1b[>4m\x1b[?1l\x1b>\x1b[?7h\x1b[?25h\x1b[0m\x1b[?1049l\x1b[23;0t"
)

# What only one that was ended had no time for: the keyboard protocol of either screen, character
# sets, insert mode, the cursor's shape, margins. Done twice it would undo what others did.
_AFTER_DEATH = "\x1b[<u{}\x1b[<u\x1b(B\x0f\x1b[4l\x1b[0 q\x1b7\x1b[r\x1b8"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an agent ended: its exit status, or why it could not be started."""

    status: int | None = None
    failure: str | None = None

    @property
    def was_ended(self) -> bool:
        """Whether a signal ended it, as far as its status tells."""
        return self.status is not None and not 0 <= self.status < 128

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
    """Gives the terminal to an agent until that ends."""

    async def __call__(self, command: Command) -> Outcome:
        """Run the command in its folder and environment."""
        ...

    async def end(self) -> None:
        """See that the agent ends, if one runs, and take the terminal back."""
        ...


class TerminalLauncher:
    """The launcher of a real terminal: the agent gets all of it."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._running: asyncio.Task[Outcome] | None = None
        self._is_back = asyncio.Event()
        self._is_back.set()

    async def __call__(self, command: Command) -> Outcome:
        """Suspend the app, run the agent, resume the app."""
        self._is_back.clear()
        try:
            # Drawing into a suspended terminal would fill the driver's queue, and then wait.
            with self._app.batch_update(), self._app.suspend():
                self._running = asyncio.create_task(_run(command))
                was_cancelled = await _ended(self._running)
        except SuspendNotSupported:
            return Outcome(failure="this terminal cannot be handed over")
        finally:
            self._is_back.set()
            self._app.refresh(layout=True)
        if was_cancelled:
            raise asyncio.CancelledError
        return self._running.result()

    async def end(self) -> None:
        """Tell the agent that its terminal is gone, and wait until it has ended."""
        if self._running is not None and not self._running.done():
            self._running.cancel()
        await self._is_back.wait()


async def _ended(running: asyncio.Task[Outcome]) -> bool:
    """Wait for an agent's end; say whether this was cancelled, which ends the agent.

    Not even that is raised: it would leave the app suspended for ever.
    """
    was_cancelled = False
    while not running.done():
        try:
            await asyncio.wait([running])
        except asyncio.CancelledError:
            was_cancelled = True
            running.cancel()
    return was_cancelled


async def _run(command: Command) -> Outcome:
    _write(_BEFORE)
    outcome = Outcome(status=-signal.SIGHUP)  # should it not come to anything better
    try:
        outcome = Outcome(status=await foreground.run(command))
    except asyncio.CancelledError:
        pass  # it was told to end, and has
    except Exception as error:  # whatever it is, the browser has to come back
        outcome = Outcome(failure=printable(str(error)) or type(error).__name__)
    finally:
        _write(_AFTER_DEATH.format(_AFTER) if outcome.was_ended else _AFTER)
    return outcome


def _write(sequences: str) -> None:
    stdout = sys.__stdout__
    if stdout is not None and stdout.isatty():
        with suppress(OSError, ValueError):  # the terminal is gone
            stdout.write(sequences)
            stdout.flush()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # the real-time ones have no name
        return f"signal {number}"
