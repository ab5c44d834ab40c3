"""From the agents' files to the store: find, read what is new, record, report.

Reading happens in a thread and recording in the store's own, so that the event loop stays free;
while one batch is recorded the next is read. Newest sources go first, and one that cannot be read
holds up nothing else.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from store import agents
from store.agents import Adapter
from store.batches import recorded
from store.errors import InvalidValue
from store.originals import keep
from store.progress import Progress
from store.protocol import Store
from store.reading import files
from store.resume.places import remember
from store.sources import Checkpoint, Chunk, KnownSource, Recorded, Source

# One batch is one transaction: large enough to be cheap, small enough to hold the write lock for
# well under 250 ms.
_BATCH_MESSAGES = 2000
_BATCH_CHARACTERS = 4_000_000
_BATCH_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record, or with line 0 a whole source, that could not be read, and why."""

    path: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Pending:
    """An unfinished last record that will be read when it is whole."""

    path: str
    line: int


@dataclass(slots=True)
class Report:
    """What an import found and did. Records count all that the seen sources hold."""

    sources_seen: int = 0
    sources_read: int = 0
    sources_unchanged: int = 0
    sources_failed: int = 0
    sessions_added: int = 0
    sessions_updated: int = 0
    sessions_unchanged: int = 0
    messages_added: int = 0
    bytes_kept: int = 0
    records_imported: int = 0
    records_skipped: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    pending: list[Pending] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def records_all(self) -> int:
        """Every record is imported, skipped or pending."""
        return self.records_imported + self.records_skipped + len(self.pending)


@dataclass(slots=True)
class _Reading:
    """One source that has to be read, and what came of it."""

    adapter: Adapter
    source: Source
    since: Checkpoint | None
    last: Checkpoint | None = None
    failure: str | None = None


@dataclass(slots=True)
class _Work:
    """What was found, split into what must be read and what is as it was."""

    readings: list[_Reading] = field(default_factory=list)
    unchanged: list[tuple[Source, KnownSource]] = field(default_factory=list)
    known: dict[str, dict[str, KnownSource]] = field(default_factory=dict)
    gone: dict[str, list[str]] = field(default_factory=dict)
    passed_over: dict[str, str] = field(default_factory=dict)
    """What could not be looked at, by path, and why."""


async def run(
    store: Store,
    *,
    only: Sequence[str] = (),
    paths: Sequence[Path] = (),
    env: Mapping[str, str] = os.environ,
    originals: bool = True,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Import every session below `paths`, or in the agents' own places when there are none.

    `only` names the agents to ask. With `originals` the files themselves are kept, too. Raises
    InvalidValue for a path that does not exist and NotFound for an unknown agent; what a file
    holds never raises.
    """
    began = time.monotonic()
    missing = _not_there([str(path) for path in paths])
    if missing:
        raise InvalidValue(f"there is nothing at {', '.join(missing)}")
    adapters = [agents.load(name) for name in only or agents.names()]
    work = await _find(store, adapters, paths, env)
    read = await recorded(_batches(work.readings, progress), store.record)
    for name, gone in work.gone.items():
        await store.mark_gone(name, gone)
    report = _report(work, read)
    seen = {str(source.path) for source in _sources(work)}
    known = work.known
    if work.readings:
        some = list(seen) if paths else None
        known = {one.name: await store.known_sources(one.name, some) for one in adapters}
    report.sessions_unchanged = max(
        0,
        sum(one.sessions for part in known.values() for path, one in part.items() if path in seen)
        - report.sessions_added
        - report.sessions_updated,
    )
    await index(store, progress)
    if originals:
        report.bytes_kept = await keep(store, _not_kept(work, known), progress)
    if report.sessions_added and not paths:
        await remember(store)  # by what their repositories are known again, should they be moved
    report.seconds = time.monotonic() - began
    return report


async def index(store: Store, progress: Callable[[Progress], None] | None) -> None:
    """Let what tools printed be found, too: everything else is, from when it was recorded on."""
    left = most = await store.index_more()
    while left:
        left = await store.index_more()
        most = max(most, left)
        if progress is not None:
            progress(Progress("", most - left, most, 0, 0, doing="indexing"))


def _not_kept(
    work: _Work, known: Mapping[str, Mapping[str, KnownSource]]
) -> list[tuple[Source, KnownSource | None]]:
    """Give the sources whose files are not kept, or may not be kept as they are now."""
    read = [(each.source, known[each.source.backend]) for each in work.readings]
    return [(source, part.get(str(source.path))) for source, part in read] + [
        (source, before)
        for source, before in work.unchanged
        if before.kept != replace(source.fingerprint, device=0, ctime_ns=0)
    ]


async def _find(
    store: Store, adapters: Sequence[Adapter], paths: Sequence[Path], env: Mapping[str, str]
) -> _Work:
    work = _Work()
    for adapter in adapters:
        roots = list(paths) or adapter.roots(env)
        found = await asyncio.to_thread(_found, adapter, roots, work.passed_over)
        known = await store.known_sources(adapter.name, list(found) if paths else None)
        work.known[adapter.name] = known
        for path, source in found.items():
            before = known.get(path)
            if before is not None and _is_unchanged(source, before):
                work.unchanged.append((source, before))
            else:
                since = before.checkpoint if before is not None else None
                work.readings.append(_Reading(adapter, source, since))
        if not paths:
            vanished = [path for path in known if path not in found and not known[path].gone]
            work.gone[adapter.name] = await asyncio.to_thread(_not_there, vanished)
    work.readings.sort(key=lambda reading: -reading.source.fingerprint.mtime_ns)
    return work


def _found(
    adapter: Adapter, roots: Sequence[Path], passed_over: dict[str, str]
) -> dict[str, Source]:
    with files.passed_over() as paths:
        found = {str(source.path): source for root in roots for source in adapter.find(root)}
    passed_over.update(paths)
    return found


def _not_there(paths: Sequence[str]) -> list[str]:
    return [path for path in paths if _is_gone(path)]


def _is_gone(path: str) -> bool:
    """Tell whether nothing is there. Where one may not look, something may well be."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False
    return False


def _is_unchanged(source: Source, known: KnownSource) -> bool:
    checkpoint = known.checkpoint
    return checkpoint.finished and not known.gone and checkpoint.fingerprint == source.fingerprint


def _sources(work: _Work) -> Iterator[Source]:
    yield from (source for source, _ in work.unchanged)
    yield from (reading.source for reading in work.readings)


def _batches(
    readings: Sequence[_Reading], progress: Callable[[Progress], None] | None
) -> Iterator[list[Chunk]]:
    """Gather chunks into batches, and say after each how far the whole is."""
    bytes_all = sum(_unread(reading) for reading in readings)
    bytes_done = 0
    batch: list[Chunk] = []
    messages = characters = 0
    began = time.monotonic()
    for done, reading in enumerate(readings):
        for chunk in _chunks(reading):
            batch.append(chunk)
            messages += len(chunk.messages)
            characters += sum(len(message.content) for message in chunk.messages)
            late = time.monotonic() - began > _BATCH_SECONDS
            if messages >= _BATCH_MESSAGES or characters >= _BATCH_CHARACTERS or late:
                yield batch
                batch, messages, characters = [], 0, 0
                began = time.monotonic()
                if progress is not None:
                    read = bytes_done + _read_of(reading, chunk.checkpoint)
                    name = reading.adapter.name
                    progress(Progress(name, done, len(readings), read, bytes_all))
        bytes_done += _unread(reading)
        if progress is not None:
            name = reading.adapter.name
            progress(Progress(name, done + 1, len(readings), bytes_done, bytes_all))
    yield batch


def _read_of(reading: _Reading, checkpoint: Checkpoint) -> int:
    """Give how many of a source's unread bytes were read, about: one may be packed."""
    unread = _unread(reading)
    before = reading.source.fingerprint.size - unread
    return max(0, min(unread, checkpoint.offset - before))


def _unread(reading: _Reading) -> int:
    before = reading.since.offset if reading.since is not None else 0
    size = reading.source.fingerprint.size
    return size - before if before <= size else size


def _chunks(reading: _Reading) -> Iterator[Chunk]:
    """Read one source; what keeps it from being read is noted, and the rest goes on."""
    try:
        for chunk in reading.adapter.read(reading.source, reading.since):
            reading.last = chunk.checkpoint
            yield chunk
    except OSError as error:
        reading.failure = error.strerror or str(error)
    except Exception as error:  # a mistake in an adapter must not cost the other sources
        reading.failure = f"cannot be read: {type(error).__name__}: {error}"


def _report(work: _Work, recorded: Sequence[Recorded]) -> Report:
    added: set[str] = set()
    updated: set[str] = set()
    for part in recorded:
        added |= part.added
        updated |= part.updated
    failed = [reading for reading in work.readings if reading.failure is not None]
    report = Report(
        sources_seen=len(work.unchanged) + len(work.readings),
        sources_read=len(work.readings) - len(failed),
        sources_unchanged=len(work.unchanged),
        sources_failed=len(failed),
        sessions_added=len(added),
        sessions_updated=len(updated - added),
        messages_added=sum(part.messages_added for part in recorded),
    )
    seen = {str(source.path) for source in _sources(work)}
    for path, reason in work.passed_over.items():
        if path not in seen:
            report.skipped.append(Skipped(path, 0, reason))
    for source, known in work.unchanged:
        _add_records(report, source, known.checkpoint)
    for reading in work.readings:
        if reading.failure is not None:
            report.skipped.append(Skipped(str(reading.source.path), 0, reading.failure))
        checkpoint = reading.last or reading.since
        if checkpoint is not None:
            _add_records(report, reading.source, checkpoint)
    return report


def _add_records(report: Report, source: Source, checkpoint: Checkpoint) -> None:
    path = str(source.path)
    report.records_imported += checkpoint.records - len(checkpoint.skipped)
    report.records_skipped += len(checkpoint.skipped)
    report.skipped += [Skipped(path, skip.line, skip.reason) for skip in checkpoint.skipped]
    if checkpoint.pending is not None:
        report.pending.append(Pending(path, checkpoint.pending))
