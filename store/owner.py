"""Which process something belongs to, in a form that outlives it: host, process, start time.

A process id alone is given out again after its process has died; with the start time it is not
mistaken for its successor.
"""

from __future__ import annotations

import os
import platform
from functools import cache
from pathlib import Path


@cache
def this_process() -> str:
    """Name this process."""
    return f"{platform.node()}:{os.getpid()}:{_started(os.getpid())}"


def alive(owner: str | None) -> bool:
    """Say whether the process of that name still runs. One on another host is taken to."""
    if owner is None:
        return False
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    pid, started = int(rest), owner.rpartition(":")[2]
    if host != platform.node():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs, as somebody else
    return _started(pid) == started


def _started(pid: int) -> str:
    """Give the process's start time as the kernel counts it; empty where there is no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return ""
    return stat.rpartition(")")[2].split()[19]  # field 22 of proc(5); the name may hold spaces
