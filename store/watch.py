"""Following what agents write: their folders are watched, and what changes there is imported.

Only so many folders are watched, those that something was written to last; a look at everything
now and then finds what happens in the others, and what was missed.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from store import agents, ingest
from store.errors import InvalidValue
from store.ingest import Report
from store.progress import Progress
from store.protocol import Store
from store.reading.files import folders_below

MOST_FOLDERS = 1000
SWEEP_SECONDS = 60.0  # from one look at everything to the next, at least
_SWEEP_SHARE = 20.0  # and so many times as long as a look takes
_HURRY_SECONDS = 5.0  # the same, after a source was deleted or a folder made
_GATHER_MS = 50  # changes closer together than this come together
_AT_LEAST_EVERY_MS = 300
_REST = 2.0  # times as long as the last import took: a large database is not copied all the time
_MOST_REST = 10.0
_SOURCES = (".jsonl", ".jsonl.zst", ".db")
_LOGS = ("-wal", "-shm", "-journal")

Told = Callable[[Report], None]


async def follow(
    store: Store,
    told: Told,
    *,
    only: Sequence[str] = (),
    env: Mapping[str, str] = os.environ,
    originals: bool = True,
    progress: Callable[[Progress], None] | None = None,
    notice: Callable[[str], None] | None = None,
) -> None:
    """Import everything, and then what changes, until cancelled.

    `told` gets the first report and every later one that is not about nothing; `notice` is told in
    words when folders cannot be watched, which leaves the looks at everything. Raises as
    `ingest.run` does.
    """
    names = list(only) or agents.names()
    roots = {name: [str(root) for root in agents.load(name).roots(env)] for name in names}
    watch = _Watch([root for some in roots.values() for root in some], notice)
    look = partial(ingest.run, store, only=only, env=env, originals=originals)
    try:
        await watch.begin()
        report = await look(progress=progress)
        told(report)
        watch.looked(report.seconds)
        while True:
            await watch.wait()
            if watch.is_outdated or watch.is_due:
                await watch.begin()
            if watch.is_due:
                report = await look()
                watch.looked(report.seconds)
                _tell(report, told)
            else:
                paths = await asyncio.to_thread(_there, watch.taken())
                took = await _import(store, roots, paths, told)
                await asyncio.sleep(min(_REST * took, _MOST_REST))
    finally:
        watch.end()


async def _import(
    store: Store, roots: Mapping[str, Sequence[str]], paths: Sequence[str], told: Told
) -> float:
    """Import what changed, agent by agent; give how many seconds that took.

    The files themselves are kept with the next look at everything.
    """
    seconds = 0.0
    for name, places in roots.items():
        mine = [Path(path) for path in paths if any(path.startswith(f"{at}/") for at in places)]
        if not mine:
            continue
        with suppress(InvalidValue):  # it is gone again
            report = await ingest.run(store, only=[name], paths=mine, originals=False)
            seconds += report.seconds
            _tell(report, told)
    return seconds


def _there(paths: Sequence[str]) -> list[str]:
    return [path for path in paths if os.path.lexists(path)]


def _tell(report: Report, told: Told) -> None:
    if report.sources_read or report.sources_failed:
        told(report)


class _Watch:
    """What was written to since one asked last.

    `is_outdated` says that there are folders which are not watched yet.
    """

    def __init__(self, roots: Sequence[str], notice: Callable[[str], None] | None) -> None:
        self.is_outdated = False
        self._roots = roots
        self._notice = notice
        self._most = MOST_FOLDERS
        self._changed: set[str] = set()
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._due = 0.0

    async def begin(self) -> None:
        """Watch the folders that there are now."""
        self.is_outdated = False
        folders = await asyncio.to_thread(_latest, self._roots, self._most)
        before = self._task
        self._task = asyncio.create_task(self._gather(folders)) if folders else None
        await asyncio.sleep(0)  # in which the task begins to watch, before the other one ends
        if before is not None:
            before.cancel()

    def end(self) -> None:
        """Watch no more."""
        if self._task is not None:
            self._task.cancel()

    def looked(self, seconds: float) -> None:
        """Note that everything was looked at, and how long that took."""
        self._due = time.monotonic() + max(SWEEP_SECONDS, _SWEEP_SHARE * seconds)

    @property
    def is_due(self) -> bool:
        """Whether it is time to look at everything."""
        return time.monotonic() >= self._due

    async def wait(self) -> None:
        """Wait until something changed, or it is time to look at everything."""
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, self._due - time.monotonic())):
                await self._woken.wait()

    def taken(self) -> list[str]:
        """Give the paths that changed, once."""
        paths, self._changed = sorted(self._changed), set()
        self._woken.clear()
        return paths

    async def _gather(self, folders: Sequence[str]) -> None:
        from watchfiles import awatch

        try:
            async for changes in awatch(
                *folders,
                watch_filter=None,
                step=_GATHER_MS,
                debounce=_AT_LEAST_EVERY_MS,
                recursive=False,
                ignore_permission_denied=True,
            ):
                await asyncio.to_thread(self._note, [path for _, path in changes])
                self._woken.set()
        except FileNotFoundError:  # a folder went in this moment
            self._look_soon()
            self._woken.set()
        except (OSError, RuntimeError) as error:  # more folders than the system can watch, say
            self._most //= 2
            self._look_soon()
            self._woken.set()
            if self._notice is not None:
                self._notice(f"{len(folders):,} folders cannot be watched: {error}")

    def _note(self, paths: Sequence[str]) -> None:
        for path in paths:
            is_folder = Path(path).is_dir()
            self.is_outdated = self.is_outdated or is_folder
            if is_folder or (path.endswith(_SOURCES) and not os.path.lexists(path)):
                self._look_soon()
            self._changed.add(_without_log(path))

    def _look_soon(self) -> None:
        self._due = min(self._due, time.monotonic() + _HURRY_SECONDS)


def _without_log(path: str) -> str:
    """Give the database whose log a path is, else the path."""
    for ending in _LOGS:
        if path.endswith(ending):
            return path.removesuffix(ending)
    return path


def _latest(roots: Sequence[str], most: int) -> list[str]:
    """Give the roots, and of the folders below them those that were written to last."""
    below = sorted(_below(roots), reverse=True)
    found = [root for root in roots if Path(root).is_dir()]
    return [*found, *(path for _, path in below)][:most]


def _below(roots: Sequence[str]) -> Iterator[tuple[int, str]]:
    for root in roots:
        for path in folders_below(root):
            with suppress(OSError):
                yield Path(path).stat().st_mtime_ns, path
