"""An app whose event loop is watched: `python -m tests.benchmarks.watched LOG MODULE ...`.

Runs a module as `python -m` does, and writes a line into LOG for each callback of the loop that
took longer than `LEAST`: when it began (as `time.perf_counter` tells), its seconds, its thread's
seconds of processor time, what it was. While a callback runs nothing is drawn and no key is heard.
"""

from __future__ import annotations

import asyncio
import gc
import runpy
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

LEAST = 0.002


class Callback(NamedTuple):
    """One callback of the event loop."""

    began: float
    wall: float
    cpu: float
    what: str


def read(log: Path) -> list[Callback]:
    """Give what was noted so far."""
    lines = (line.split(" ", 3) for line in log.read_text().splitlines())
    return [
        Callback(float(began), float(wall), float(cpu), what) for began, wall, cpu, what in lines
    ]


def _watch(path: str) -> None:
    log = Path(path).open("w", buffering=1)  # noqa: SIM115 - open as long as the program runs
    run = asyncio.Handle._run
    collecting = 0.0

    def timed(self: asyncio.Handle) -> None:
        nonlocal collecting
        collecting = 0.0
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            run(self)
        finally:
            took = time.perf_counter() - wall
            if took > LEAST:
                rest = f", collecting {collecting * 1000:.1f} ms" if collecting > 0.001 else ""
                used = time.thread_time() - cpu
                log.write(f"{wall} {took:.6f} {used:.6f} {_name(self)}{rest}\n")

    def collected(phase: str, _info: dict[str, int]) -> None:
        nonlocal collecting
        collecting += time.thread_time() * (1 if phase == "stop" else -1)

    asyncio.Handle._run = timed  # type: ignore[method-assign]
    gc.callbacks.append(collected)


def _name(handle: asyncio.Handle) -> str:
    callback: Any = handle._callback  # type: ignore[attr-defined]
    task = getattr(callback, "__self__", None)
    if isinstance(task, asyncio.Task):
        return f"{getattr(task.get_coro(), '__qualname__', '?')} ({task.get_name()})"
    return str(getattr(callback, "__qualname__", callback))


if __name__ == "__main__":
    _watch(sys.argv[1])
    module = sys.argv[2]
    sys.argv[:] = [module, *sys.argv[3:]]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
