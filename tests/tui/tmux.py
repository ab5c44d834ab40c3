"""A screen in tmux: a terminal emulator of its own making, whose cells can be read."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shlex
import signal
import struct
import subprocess
import sys
import termios
import time
import tty
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self


class Tmux:
    """A program in a tmux server of its own, with UTF-8 and without anybody's settings."""

    def __init__(
        self,
        argv: list[str],
        *,
        socket: Path,
        env: Mapping[str, str],
        columns: int = 120,
        lines: int = 40,
    ) -> None:
        self._tmux = ["tmux", "-u", "-S", str(socket), "-f", os.devnull]
        words = " ".join(f"{name}={shlex.quote(value)}" for name, value in env.items())
        # Between tmux and the program stands one that passes sizes on only when it is told to.
        command = f"exec env -i {words} {shlex.join([sys.executable, __file__, *argv])}"
        size = ["-x", str(columns), "-y", str(lines)]
        self._run("new-session", "-d", *size, command)
        self._run("set-option", "-g", "window-size", "manual")
        self._run("set-option", "-g", "status", "off")
        self._resize(columns, lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, check=False)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: `Down`, `Enter`, `PageUp`, `j`."""
        self._run("send-keys", *keys)

    def type(self, keys: str) -> None:
        """Send the bytes of keys, as a terminal does."""
        self._run("send-keys", "-H", *(f"{byte:02x}" for byte in keys.encode()))

    def resize(self, columns: int, lines: int) -> None:
        """Give the terminal another size, and tell the program."""
        self._resize(columns, lines)
        pid, terminal = self._run("display-message", "-p", "#{pane_pid} #{pane_tty}").split()
        wanted = struct.pack("HHHH", lines, columns, 0, 0)[:4]
        with Path(terminal).open("rb", buffering=0) as opened:
            while fcntl.ioctl(opened, termios.TIOCGWINSZ, bytes(8))[:4] != wanted:
                time.sleep(0.02)  # tmux takes a quarter of a second until it tells
        os.kill(int(pid), signal.SIGUSR1)

    def rows(self) -> list[str]:
        """Give the screen, a string for each row; a wide character stands once."""
        return self._run("capture-pane", "-p").split("\n")[:-1]

    def cut(self, columns: Iterable[int]) -> list[list[str]]:
        """Give the rows up to some columns, which only tmux knows: it counts cells in its own way.

        The program learns nothing of it; what was cut off is missing until it draws anew.
        """
        size = self._run("display-message", "-p", "#{window_width} #{window_height}")
        width, height = map(int, size.split())
        cuts = []
        for column in sorted(columns, reverse=True):
            self._resize(column, height)
            cuts.append(self.rows())
        self._resize(width, height)
        return cuts

    def quiet(self, patience: float = 0.4, within: float = 15.0) -> list[str]:
        """Wait until nothing has changed for a while, and give the screen."""
        deadline = time.monotonic() + within
        before, since = self.rows(), time.monotonic()
        while time.monotonic() < deadline:
            time.sleep(0.05)
            now = self.rows()
            if now != before:
                before, since = now, time.monotonic()
            elif time.monotonic() - since >= patience:
                break
        return before

    def shows(self, text: str, within: float = 15.0) -> list[str]:
        """Wait until a text is on the screen, and give the screen."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            rows = self.rows()
            if any(text in row for row in rows):
                return rows
            time.sleep(0.05)
        raise AssertionError(f"{text!r} never showed; the screen is:\n" + "\n".join(self.rows()))

    def _resize(self, columns: int, lines: int) -> None:
        self._run("resize-window", "-x", str(columns), "-y", str(lines))

    def _run(self, *arguments: str) -> str:
        ran = subprocess.run(
            [*self._tmux, *arguments], capture_output=True, check=True, encoding="utf-8"
        )
        return ran.stdout


def relay(argv: list[str]) -> int:
    """Run a program in a terminal of its own within this one, and pass on what both write."""
    pid, master = pty.fork()
    if not pid:
        os.execvp(argv[0], argv)

    def pass_size(*_: object) -> None:
        size = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
        fcntl.ioctl(master, termios.TIOCSWINSZ, size)

    time.sleep(0.1)  # the window gets its size
    pass_size()
    signal.signal(signal.SIGUSR1, pass_size)
    tty.setraw(0)
    other = {0: master, master: 1}
    with contextlib.suppress(OSError):  # the program has ended
        while True:
            for ready in select.select([0, master], [], [])[0]:
                data = os.read(ready, 1 << 16)
                while data:
                    data = data[os.write(other[ready], data) :]
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


if __name__ == "__main__":
    sys.exit(relay(sys.argv[1:]))
