"""Running a program to its end, and what it took: time, processor, memory."""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

TICK = 0.002


class Took(NamedTuple):
    """What a whole process took, its children included; `peak` is its own memory."""

    wall: float
    cpu: float
    peak: float
    status: int


def run(
    argv: Sequence[str], env: Mapping[str, str], *, watch: Callable[[], None] | None = None
) -> Took:
    """Run a program quietly, calling `watch` all the while. Seconds, and megabytes of memory.

    Modules are compiled once, as they are on a person's machine, and not in this source tree.
    """
    compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(_compiled())}
    began = time.perf_counter()
    process = subprocess.Popen(
        argv,
        env={**os.environ, **compiled, **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0.0
    while True:
        peak = max(peak, _peak(process.pid))
        found, status, used = os.wait4(process.pid, os.WNOHANG)
        if found:
            process.returncode = os.waitstatus_to_exitcode(status)
            wall = time.perf_counter() - began
            return Took(wall, used.ru_utime + used.ru_stime, peak, process.returncode)
        if watch is not None:
            watch()
        time.sleep(TICK if _is_new(began) else 5 * TICK)


@cache
def _compiled() -> Path:
    folder = tempfile.mkdtemp(prefix="backscroll-compiled-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def _is_new(began: float) -> bool:
    """Say whether looking often is still worth it."""
    return time.perf_counter() - began < 1.5


def _peak(pid: int) -> float:
    """Give the most memory that a process has had. What getrusage says includes its parent's."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0.0
