"""Working off what the index has not got to, behind everything else."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from store.errors import StoreError

_FIRST = 1.0  # seconds: a program that only looks something up is gone by then
_LEAST_REST = 0.05


class CatchingUp:
    """A task that calls `step`, which does one transaction, until that says that nothing is left.

    It rests as long as it works, so that others have their turn.
    """

    def __init__(self, step: Callable[[], Awaitable[int]]) -> None:
        self._step = step
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin, unless that was done already."""
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def end(self) -> None:
        """Stop where it is; what is left stays noted."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        await asyncio.sleep(_FIRST)
        # Who holds the lock, or what is wrong with the database, the next call says to its caller;
        # what is left to do stays noted.
        with suppress(StoreError):
            left = 1
            while left:
                began = time.monotonic()
                left = await self._step()
                await asyncio.sleep(max(_LEAST_REST, time.monotonic() - began))
