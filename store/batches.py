"""Two things side by side: the next batch is made in a thread while the last one is recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar

B = TypeVar("B")
R = TypeVar("R")


async def recorded(batches: Iterator[B], record: Callable[[B], Awaitable[R]]) -> list[R]:
    """Record every batch, in order; give what recording each gave."""
    results: list[R] = []
    recording: asyncio.Task[R] | None = None
    try:
        while True:
            batch = await asyncio.to_thread(next, batches, None)
            if recording is not None:
                results.append(await recording)
                recording = None
            if batch is None:
                return results
            if batch:
                recording = asyncio.ensure_future(record(batch))
    finally:
        if recording is not None:
            recording.cancel()
