"""Running a program as the job that has the terminal, as a shell does.

The program gets a process group of its own and the terminal with it: what is typed at it, Ctrl+C
and Ctrl+Z too, is its own. When it is stopped this process stops as well, so that the shell around
it takes over; `fg` there goes on with both.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType

from store.resume import Command

_TYPED = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP)
_PATIENCE = 3.0  # seconds in which a program that is told to end may do so
_AGAIN = 0.1  # seconds between looks whether the terminal is ours again
_TOLD_BY_THE_TERMINAL = (signal.SIGTTIN, signal.SIGTTOU)


_Handler = signal.Handlers | Callable[[int, FrameType | None], object]


async def run(command: Command) -> int:
    """Run a command to its end, with the terminal; give its status, or minus its signal.

    Raises OSError or ValueError when it cannot be started. When this is cancelled the program is
    told to end, and after a while made to.
    """
    job = _Job(_terminal())
    with ExitStack() as stack:
        for number in _TYPED:
            stack.enter_context(_handled(number, job.pass_on))
        job.start(command)
        try:
            return await job.ended()
        except asyncio.CancelledError:
            await job.end()
            raise
        finally:
            job.take_terminal_back()


class _Job:
    """A program, and the terminal that it is given, if there is one."""

    def __init__(self, terminal: int | None) -> None:
        self._terminal = terminal
        self._own = os.getpgrp()
        self._modes = _modes(terminal)
        self._changes: asyncio.Queue[int] = asyncio.Queue()
        self._early: list[int] = []

    def start(self, command: Command) -> None:
        """Start the program, and give it the terminal."""
        self._process = subprocess.Popen(  # noqa: S603 - an argument list, checked before
            command.argv,
            cwd=command.cwd,
            env=command.environment(os.environ),
            process_group=None if self._terminal is None else 0,
        )
        self._give_terminal()
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._watch, args=(loop,), daemon=True).start()
        for number in self._early:
            self._signal(number)

    def pass_on(self, number: int, _frame: object) -> None:
        """Pass on what was typed before the program had the terminal; it was meant for it.

        Without a terminal that was given away it has come to both.
        """
        if self._terminal is None:
            return
        if hasattr(self, "_process"):
            self._signal(number)
        else:
            self._early.append(number)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Note every stop of the program, and its end."""
        with suppress(OSError, RuntimeError):  # the loop has ended before the program
            while True:
                _, status = os.waitpid(self._process.pid, os.WUNTRACED)
                loop.call_soon_threadsafe(self._changes.put_nowait, status)
                if not os.WIFSTOPPED(status):
                    return

    async def ended(self) -> int:
        """Wait for the end, and stop whenever the program is stopped."""
        while self._process.returncode is None:
            status = await self._changes.get()
            if not os.WIFSTOPPED(status):
                self._process.returncode = os.waitstatus_to_exitcode(status)
            elif os.WSTOPSIG(status) in _TOLD_BY_THE_TERMINAL:
                self._give_terminal()  # it was faster than the terminal was given to it
                self._signal(signal.SIGCONT)
            else:
                await self._stop_too()
        return self._process.returncode

    async def _stop_too(self) -> None:
        """Let the shell have the terminal, until it gives it to this job again.

        Where there is no shell around, nothing can stop, and the program goes on at once.
        """
        modes = _modes(self._terminal)
        self.take_terminal_back(flush=False)
        while True:
            with _handled(signal.SIGTSTP, signal.SIG_DFL):
                os.kill(0, signal.SIGTSTP)
            if self._terminal is None or _group_of(self._terminal) == self._own:
                break
            await asyncio.sleep(_AGAIN)
        self._give_terminal(modes)
        self._signal(signal.SIGCONT)

    def _give_terminal(self, modes: list[object] | None = None) -> None:
        if self._terminal is not None:
            _set_modes(self._terminal, modes)
            _set_group(self._terminal, self._process.pid)

    def take_terminal_back(self, *, flush: bool = True) -> None:
        """Be the terminal's job again, with the modes that it had before.

        With `flush` what was typed at the program and not read by it is lost: it was not meant for
        this one.
        """
        if self._terminal is not None:
            _set_group(self._terminal, self._own)
            _set_modes(
                self._terminal, self._modes, termios.TCSAFLUSH if flush else termios.TCSADRAIN
            )

    async def end(self) -> None:
        """Tell the program that its terminal is gone, and see that it ends."""
        self._signal(signal.SIGHUP)
        self._signal(signal.SIGCONT)
        try:
            async with asyncio.timeout(_PATIENCE):
                while self._process.returncode is None:
                    status = await self._changes.get()
                    if not os.WIFSTOPPED(status):
                        self._process.returncode = os.waitstatus_to_exitcode(status)
        except TimeoutError:
            self._signal(signal.SIGKILL)
        finally:
            if self._process.returncode is None:
                self._process.returncode = -signal.SIGKILL  # the watching thread takes its leave

    def _signal(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            if self._terminal is None:
                os.kill(self._process.pid, number)
            else:
                os.killpg(self._process.pid, number)


def _terminal() -> int | None:
    """Give the terminal that this process may hand on: its own one, and its to use now."""
    stdin = sys.__stdin__
    if stdin is None or not stdin.isatty():
        return None
    return stdin.fileno() if _group_of(stdin.fileno()) == os.getpgrp() else None


def _group_of(terminal: int) -> int | None:
    try:
        return os.tcgetpgrp(terminal)
    except OSError:  # it is no terminal of ours, or gone
        return None


def _set_group(terminal: int, group: int) -> None:
    # From behind, which is where this process may be, this would stop it.
    with _handled(signal.SIGTTOU, signal.SIG_IGN), suppress(OSError):
        os.tcsetpgrp(terminal, group)


def _modes(terminal: int | None) -> list[object] | None:
    if terminal is None:
        return None
    try:
        return termios.tcgetattr(terminal)
    except termios.error:
        return None


def _set_modes(terminal: int, modes: list[object] | None, when: int = termios.TCSADRAIN) -> None:
    if modes is not None:
        with _handled(signal.SIGTTOU, signal.SIG_IGN), suppress(termios.error):
            termios.tcsetattr(terminal, when, modes)  # type: ignore[arg-type]


@contextmanager
def _handled(number: signal.Signals, handler: _Handler) -> Iterator[None]:
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)
