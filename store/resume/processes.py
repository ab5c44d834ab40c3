"""Which of the person's own processes has a session open, as far as the system tells.

Only looked at, never asked: what the kernel lists under `/proc`. Where there is no such place
nothing is known, and nothing is claimed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Process:
    """A running process and its argument list."""

    pid: int
    argv: tuple[str, ...]

    @property
    def cwd(self) -> str | None:
        """The folder that it works in; None when that is not told."""
        try:
            return str((_PROC / str(self.pid) / "cwd").readlink())
        except OSError:
            return None

    def has_open(self, path: Path) -> bool:
        """Tell whether it has a file open."""
        wanted = os.path.realpath(path)
        with suppress(OSError), os.scandir(_PROC / str(self.pid) / "fd") as handles:
            for handle in handles:
                with suppress(OSError):
                    if str(Path(handle.path).readlink()) == wanted:
                        return True
        return False

    def names(self, word: str) -> bool:
        """Tell whether a word is one of its arguments."""
        return word in self.argv[1:]

    def runs(self, program: str) -> bool:
        """Tell whether a program of that name runs in it, an interpreter's script included."""
        return any(Path(word).name == program for word in self.argv[:2])


def own_processes() -> Iterator[Process]:
    """Give the processes of this user, but not this one; none where the system does not tell."""
    try:
        numbers = [int(name) for name in os.listdir(_PROC) if name.isdecimal()]
    except OSError:
        return
    for pid in numbers:
        if pid == os.getpid():
            continue
        try:
            place = _PROC / str(pid)
            if place.stat().st_uid != os.geteuid():
                continue
            raw = (place / "cmdline").read_bytes()
        except OSError:  # it has ended
            continue
        argv = tuple(os.fsdecode(word) for word in raw.split(b"\0")[:-1])
        if argv:
            yield Process(pid, argv)


def is_running(pid: int, started: str | None) -> bool:
    """Tell whether a process runs, and if its start is known (in clock ticks), whether it is it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    try:
        stat = (_PROC / str(pid) / "stat").read_text("ascii", "replace")
    except OSError:
        return True
    fields = stat.rpartition(")")[2].split()  # from field 3 of proc(5) on; names may hold spaces
    return fields[0] != "Z" and (not started or fields[19] == started)
