"""A real terminal for the browser: a pseudo-terminal whose bytes are kept, and a screen of them."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte


class Terminal:
    """Runs a program in a pseudo-terminal; `sent` is every byte that it wrote."""

    def __init__(
        self,
        argv: list[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        columns: int = 120,
        lines: int = 40,
    ) -> None:
        self.sent = b""
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
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
        if self._master >= 0:
            os.close(self._master)

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size, and tell the program."""
        self.screen.resize(lines, columns)
        size = struct.pack("HHHH", lines, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def quiet(self, patience: float = 0.4, within: float = 15.0) -> str:
        """Wait until nothing more is written, and give all that was."""
        deadline = time.monotonic() + within
        since, size = time.monotonic(), len(self.sent)
        while time.monotonic() - since < patience and time.monotonic() < deadline:
            self._read(0.05)
            if len(self.sent) != size:
                since, size = time.monotonic(), len(self.sent)
        return self.sent.decode(errors="replace")

    def shows(self, *texts: str, within: float = 15.0) -> str:
        """Wait until all the texts are on the screen, and give the screen."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            self._read(0.05)
            now = self.text
            if all(text in now for text in texts):
                return now
        raise AssertionError(f"{texts} never showed; the screen is:\n{self.text}")

    def ends(self, within: float = 10.0) -> int:
        """Wait for the program's end and give its exit status."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline and self.process.poll() is None:
            self._read(0.05)
        return self.process.wait(timeout=1)

    def waits(self, happened: Callable[[], bool], within: float = 15.0) -> None:
        """Wait until something is true of the screen."""
        deadline = time.monotonic() + within
        while not happened():
            assert time.monotonic() < deadline, f"it never was; the screen is:\n{self.text}"
            self._read(0.05)

    def close(self) -> None:
        """Close the window; nothing can be read or typed any more."""
        os.close(self._master)
        self._master = -1

    def sends(self, data: bytes, *, after: bytes = b"", within: float = 15.0) -> bytes:
        """Wait until these bytes were written, behind the last of those; give all behind those."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            self._read(0.05)
            _, found, behind = self.sent.rpartition(after) if after else (b"", data, self.sent)
            if found and data in behind:
                return behind
        raise AssertionError(f"{data!r} was never sent; the screen is:\n{self.text}")

    def modes(self) -> list[object]:
        """Give the terminal's modes: what `stty` would say."""
        return termios.tcgetattr(self._master)[:4]

    @property
    def text(self) -> str:
        """The screen, line by line."""
        return "\n".join(self.screen.display)

    def _read(self, patience: float) -> None:
        if self._master < 0:
            time.sleep(patience)
            return
        ready, _, _ = select.select([self._master], [], [], patience)
        if not ready:
            return
        try:
            data = os.read(self._master, 1 << 16)
        except OSError:  # the last program let go of the terminal
            return
        self.sent += data
        self._stream.feed(data)


def backscroll(*arguments: str) -> list[str]:
    """Give the command line of the browser under test."""
    return [sys.executable, "-m", "tui", *arguments]


def surroundings(home: Path, **more: str) -> dict[str, str]:
    """Give the environment of a person whose home is `home`."""
    return {
        "HOME": str(home),
        "PATH": f"{home / 'bin'}:/usr/bin:/bin",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        **more,
    }
