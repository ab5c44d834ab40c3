"""Everything known of a task: asked of the store, of the disk, and of its agent's adapter.

It comes in steps: what the store has at hand at once, what is on disk after that, and what takes
a look at every message at last.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from stat import S_ISREG
from typing import TYPE_CHECKING

from store import agents
from store.errors import NotFound, ResumeError

if TYPE_CHECKING:
    from datetime import datetime

    from store.enums import Kind, Role
    from store.models import Session, Task, TaskRow, Usage
    from store.protocol import Store


@dataclass(frozen=True, slots=True)
class Disk:
    """What is on disk now. `source_size` is None when the source is not there."""

    has_folder: bool = False
    source_size: int | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Resumption:
    """How a session is resumed: the line for a shell, what is in the way, what is to be known.

    Or else why it cannot be. All is as the resuming itself finds it.
    """

    command: str | None = None
    refusal: str | None = None
    obstacles: Sequence[str] = ()
    doubts: Sequence[str] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a task beyond its row; None is what is not known yet.

    `kept` is the size of what the store keeps of the source's file.
    """

    needs: Sequence[Task] = ()
    needed_by: Sequence[Task] = ()
    parent: Task | None = None
    origin: Task | None = None
    forks: Sequence[Task] = ()
    usage: Sequence[Usage] = ()
    kept: int | None = None
    disk: Disk | None = None
    resumption: Resumption | None = None
    counts: Mapping[tuple[Role, Kind], int] | None = None


class Gatherer:
    """Gathers facts. Remembers what was on disk for the last task, until it has looked again."""

    def __init__(self, env: Mapping[str, str] = os.environ) -> None:
        self._env = env
        self._last: tuple[str, Facts] | None = None

    async def some(self, store: Store, row: TaskRow) -> AsyncIterator[Facts]:
        """Give what a summary says: at once what the store has, then with what is on disk."""
        try:
            facts = await _connections(store, row.task)
        except NotFound:
            yield Facts()  # deleted by somebody in this moment: the list will tell
            return
        if self._last is not None and self._last[0] == row.task.id:
            facts = replace(facts, disk=self._last[1].disk, kept=self._last[1].kept)
        yield facts
        if row.session is not None:
            facts = replace(facts, kept=await _kept(store, row.session))
        facts = replace(facts, disk=await asyncio.to_thread(look, row, self._env))
        self._last = (row.task.id, facts)
        yield facts

    async def all(self, store: Store, row: TaskRow) -> AsyncIterator[Facts]:
        """Give everything: the same, how it is resumed, and at last its messages by kind."""
        facts = Facts()
        async for facts in self.some(store, row):
            yield facts
        try:
            if row.session is not None:
                resumption = await _resumption(store, row.task.id, self._env)
                facts = replace(facts, resumption=resumption)
                yield facts
            yield replace(facts, counts=await store.count_messages(row.task.id))
        except NotFound:
            return  # as above


async def _connections(store: Store, task: Task) -> Facts:
    return Facts(
        needs=await store.dependencies(task.id),
        needed_by=await store.dependents(task.id),
        parent=await _task(store, task.parent_task_id),
        origin=await _task(store, task.fork_of),
        forks=await store.forks(task.id),
        usage=await store.get_usage(task.id),
    )


async def _task(store: Store, task_id: str | None) -> Task | None:
    try:
        return await store.get_task(task_id) if task_id else None
    except NotFound:
        return None


async def _kept(store: Store, session: Session) -> int:
    if session.source_path is None:
        return 0
    pieces = await store.original_pieces(session.backend, session.source_path)
    return sum(piece.size for piece in pieces)


def look(row: TaskRow, env: Mapping[str, str]) -> Disk:
    """Look at what is on disk of a task. For a thread: a disk may be far away, or asleep."""
    session = row.session
    folder = (session and session.project_path) or row.task.project_path
    has_folder = bool(folder) and _is_folder(folder or "")
    if session is None:
        return Disk(has_folder)
    return Disk(has_folder, _size(session.source_path), agents.expires_at(session, env=env))


async def _resumption(store: Store, task_id: str, env: Mapping[str, str]) -> Resumption:
    from store.resume.plan import prepare  # it looks at much that a summary does not say

    try:
        plan = await prepare(store, task_id, env=env)
    except ResumeError as error:
        return Resumption(refusal=str(error))
    return Resumption(
        plan.command.shell_line(),
        None,
        tuple(plan.obstacles.values()),
        tuple(plan.doubts.values()),
        tuple(plan.notes),
    )


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except (OSError, ValueError):
        return False


def _size(path: str | None) -> int | None:
    """Give the size of a regular file; None when there is none."""
    if path is None:
        return None
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_size if S_ISREG(found.st_mode) else None
