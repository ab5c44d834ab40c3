"""A program in a terminal, timed from outside: what it writes, when, and what it takes meanwhile.

The terminal answers as a modern one when it is asked for synchronised output: a program then says
where each frame ends. What is written is not drawn anywhere; that costs the terminal, not us.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

COLUMNS, LINES = 120, 40
PATIENCE = 60.0

_ASKED = b"\x1b[?2026$p"
_ANSWER = b"\x1b[?2026;2$y"
_END_OF_FRAME = b"\x1b[?2026l"


class Took(NamedTuple):
    """Seconds from a key to the end of the first frame after it, and to that of the last one."""

    first: float
    last: float
    frames: int


class Terminal:
    """Runs a program in a pseudo-terminal and notes when it draws."""

    def __init__(
        self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, *, columns: int = COLUMNS
    ) -> None:
        self._master, slave = pty.openpty()
        self._size(columns)
        self._recent = b""
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)

    def shows(self, *texts: str) -> float:
        """Wait until all of the texts have been written; give the seconds since the start.

        Each in one piece: a program may write as much of a line as has changed.
        """
        wanted = {text.encode() for text in texts}
        deadline = time.perf_counter() + PATIENCE
        while wanted and time.perf_counter() < deadline:
            before = self._recent[-200:]
            written = self._read(0.1)
            wanted -= {text for text in wanted if text in before + written}
        if wanted:
            raise TimeoutError(f"{wanted} never showed; the last was {self._recent[-2000:]!r}")
        return time.perf_counter() - self.began

    def press(self, keys: str, *, quiet: float = 0.15) -> Took:
        """Press keys at once, and wait until nothing has been drawn for `quiet` seconds."""
        began = time.perf_counter()
        os.write(self._master, keys.encode())
        return self._draws(began, quiet)

    def resize(self, columns: int, *, quiet: float = 0.15) -> Took:
        """Change the terminal's width, and wait as for keys."""
        began = time.perf_counter()
        self._size(columns)
        return self._draws(began, quiet)

    def scroll(self, key: str, seconds: float, *, rate: float) -> None:
        """Press a key again and again, so many times a second."""
        began = time.perf_counter()
        pressed = 0
        while (passed := time.perf_counter() - began) < seconds:
            if pressed < passed * rate:
                os.write(self._master, key.encode())
                pressed += 1
            self._read(min(0.01, 1 / rate))

    def rest(self, quiet: float = 0.5, *, most: float = PATIENCE) -> None:
        """Wait until nothing has been drawn for `quiet` seconds."""
        deadline = time.perf_counter() + most
        while time.perf_counter() < deadline and self._read(quiet):
            pass

    def ends(self) -> int:
        """Wait for the program's end and give its exit status."""
        deadline = time.perf_counter() + PATIENCE
        while self.process.poll() is None and time.perf_counter() < deadline:
            self._read(0.05)
        return self.process.wait(timeout=1)

    def cpu(self) -> float:
        """Give the processor time that the program has taken, its children's not included."""
        nanoseconds = 0
        for thread in Path(f"/proc/{self.process.pid}/task").iterdir():
            with suppress(OSError):
                nanoseconds += int((thread / "schedstat").read_text().split()[0])
        return nanoseconds / 1e9

    def memory(self, which: str = "VmRSS") -> float:
        """Give the program's memory in megabytes: what it has, or with VmHWM the most it had."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(f"{which}:"):
                return int(line.split()[1]) * 1024 / 1e6
        return 0.0

    def _draws(self, began: float, quiet: float) -> Took:
        first = last = 0.0
        frames = 0
        deadline = began + PATIENCE
        while time.perf_counter() < deadline:
            written = self._read(quiet if frames else 2.0)
            if not written:
                break
            now = time.perf_counter() - began
            if ends := written.count(_END_OF_FRAME):
                first = first or now
                last = now
                frames += ends
        return Took(first, last, frames)

    def _size(self, columns: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, columns, 0, 0))

    def _read(self, patience: float) -> bytes:
        ready, _, _ = select.select([self._master], [], [], patience)
        if not ready:
            return b""
        try:
            written = os.read(self._master, 1 << 18)
        except OSError:  # the last program let go of the terminal
            return b""
        if _ASKED in self._recent[1 - len(_ASKED) :] + written:
            os.write(self._master, _ANSWER)
        self._recent = (self._recent + written)[-20_000:]
        return written
