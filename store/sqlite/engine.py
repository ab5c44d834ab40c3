"""The `Store` on SQLite: one connection that writes, a few that read."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Self, TypeVar

from store.errors import InvalidValue
from store.models import (
    AnyTime,
    Extraction,
    Integrity,
    Kind,
    Memory,
    Message,
    MessageFilter,
    NewMemory,
    NewMessage,
    Outline,
    Page,
    Place,
    Recovery,
    Relative,
    Repository,
    Role,
    Session,
    SessionStatus,
    Summary,
    Task,
    TaskFilter,
    TaskGroup,
    TaskRow,
    TaskStatus,
    Usage,
)
from store.protocol import PAGE_SIZE, WAIT_SECONDS
from store.query.model import FilterName, Query
from store.query.parser import parse_query
from store.search import Hits
from store.sources import Chunk, KnownSource, Original, Piece, Recorded
from store.sqlite import (
    choices,
    dependencies,
    extractions,
    forks,
    index,
    lists,
    memories,
    messages,
    migrate,
    originals,
    outlines,
    places,
    sessions,
    sources,
    summaries,
    tasks,
    usage,
)
from store.sqlite.catching_up import CatchingUp
from store.sqlite.checkpoints import Checkpoints, is_affected
from store.sqlite.connection import Connection, Readers
from store.sqlite.copy import copy
from store.sqlite.file import prepare
from store.sqlite.grouping import Work, in_transaction
from store.sqlite.held import Held
from store.sqlite.integrity import problems
from store.validation import validated

T = TypeVar("T")

_HISTORY_PAGE = 256
_FULL = 2  # as PRAGMA synchronous answers
_SYNCHRONOUS = {"normal": "NORMAL", "full": "FULL"}
_MOST_PROBLEMS = 100
_MOST_WAITING = index.FEW // 4  # messages written one by one, until the index is asked about them
_JOURNAL_LIMIT = 64 * 1024 * 1024


class SqliteStore:
    """A store in one SQLite file, or in memory. See `store.protocol.Store` for every call."""

    def __init__(
        self,
        name: str,
        path: Path | None,
        writer: Connection,
        readers: Readers | None,
        held: Held | None = None,
    ) -> None:
        self.name = name
        self._held = held
        self._path = path
        self._writer = writer
        self._readers = readers
        self._writes = 0
        self._waiting = _MOST_WAITING  # there may be some from before
        self._catching_up = CatchingUp(self._catch_up)
        self._closing: asyncio.Future[None] | None = None

    @classmethod
    async def open(
        cls, path: Path | None, *, migrate: bool = True, synchronous: str = "normal"
    ) -> SqliteStore:
        """Open or create the database at `path`, or one in memory for None."""
        if synchronous not in _SYNCHRONOUS:
            raise InvalidValue(f"synchronous is normal or full, not {synchronous!r}")
        name = ":memory:" if path is None else str(path)
        held = None if path is None else await _prepared(path, name)
        is_behind = False

        def set_up(db: sqlite3.Connection) -> None:
            nonlocal is_behind
            _set_up(db, name=name, migrating=migrate, synchronous=synchronous)
            is_behind = index.may_be_tidied(db)

        try:
            writer = await Connection.open(name, name=name, setup=set_up)
        except BaseException:
            if held is not None:
                held.release()
            raise
        readers = None
        if path is not None:
            writer.after_each_commit(Checkpoints(name).after_commit)
            readers = Readers(path, name, _set_up_reader)
        store = cls(name, path, writer, readers, held)
        if is_behind:
            store._catching_up.begin()
        return store

    @staticmethod
    async def recover(path: Path) -> Recovery:
        """Replace a damaged database by what can be read of it. See `store.recover`."""
        from store.sqlite import recovery  # needed on the worst of days only

        return await asyncio.to_thread(recovery.recover, path)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        await self._catching_up.end()
        # One after the other: the last to close tidies the log away, if it knows that it is.
        if self._readers is not None:
            await self._readers.close()
        await self._writer.close()
        if self._held is not None:
            self._held.release()

    async def _write(self, work: Work[T], *, messages: int = 0, output_waits: bool = False) -> T:
        """Run `work`, and bring the index up to date, in one transaction.

        `messages` says how many of them the work writes; a few may wait.
        """
        self._waiting += messages
        if messages and self._waiting < _MOST_WAITING:
            result = await self._writer.write(work)
            self._writes += 1
            return result
        self._waiting, written = 0, self._waiting

        def with_index(db: sqlite3.Connection) -> tuple[T, bool]:
            result = work(db)
            return result, index.follow(db, written, output_waits=output_waits)

        result, is_behind = await self._writer.write(with_index)
        self._writes += 1
        if is_behind:
            self._catching_up.begin()
        return result

    async def _read(self, work: Work[T]) -> T:
        if self._readers is None:
            return await self._writer.read(work)
        return await self._readers.read(work)

    # Tasks

    async def save_task(self, task: Task) -> Task:
        return await self._write(lambda db: tasks.save(db, task))

    async def update_task(self, task_id: str, **changes: Any) -> Task:
        return await self._write(lambda db: tasks.update(db, task_id, changes))

    async def get_task(self, task_id: str) -> Task:
        return await self._read(lambda db: tasks.get(db, task_id))

    async def delete_task(self, task_id: str) -> None:
        await self._write(lambda db: tasks.delete(db, task_id))

    async def list_tasks(
        self,
        filter: TaskFilter | None = None,  # noqa: A002
        *,
        cursor: str | None = None,
        limit: int = PAGE_SIZE,
    ) -> Page[TaskRow]:
        wanted = filter or TaskFilter()
        return await self._read(lambda db: lists.list_page(db, wanted, cursor, limit))

    async def list_task_ids(self, filter: TaskFilter | None = None) -> list[str]:  # noqa: A002
        return await self._read(lambda db: lists.list_ids(db, filter or TaskFilter()))

    async def outline(
        self,
        filter: TaskFilter | None = None,  # noqa: A002
        *,
        group: TaskGroup | str | None = None,
    ) -> Outline:
        by = None if group is None else _member(TaskGroup, group)
        return await self._read(lambda db: outlines.outline(db, filter or TaskFilter(), by))

    async def family(
        self,
        task_id: str,
        filter: TaskFilter | None = None,  # noqa: A002
    ) -> list[Relative]:
        return await self._read(lambda db: outlines.family(db, task_id, filter or TaskFilter()))

    async def get_rows(self, task_ids: Sequence[str]) -> list[TaskRow]:
        return await self._read(lambda db: lists.get_rows(db, task_ids))

    async def count_tasks(self, filter: TaskFilter | None = None) -> int:  # noqa: A002
        return await self._read(lambda db: lists.count(db, filter or TaskFilter()))

    async def set_task_status(self, task_id: str, status: TaskStatus | str) -> Task:
        wanted = _member(TaskStatus, status)
        return await self._write(lambda db: tasks.set_status(db, task_id, wanted))

    async def archive(self, task_id: str) -> Task:
        return await self._write(lambda db: tasks.set_archived(db, task_id, archived=True))

    async def unarchive(self, task_id: str) -> Task:
        return await self._write(lambda db: tasks.set_archived(db, task_id, archived=False))

    async def tag(self, task_id: str, *tags: str) -> Task:
        return await self._write(lambda db: tasks.tag(db, task_id, tags))

    async def untag(self, task_id: str, *tags: str) -> Task:
        return await self._write(lambda db: tasks.untag(db, task_id, tags))

    async def resolve(self, name: str) -> str:
        return await self._read(lambda db: tasks.resolve(db, name))

    # Dependencies

    async def add_dependency(self, task_id: str, on: str) -> None:
        await self._write(lambda db: dependencies.add(db, task_id, on))

    async def remove_dependency(self, task_id: str, on: str) -> None:
        await self._write(lambda db: dependencies.remove(db, task_id, on))

    async def dependencies(self, task_id: str) -> list[Task]:
        return await self._read(lambda db: dependencies.of(db, task_id))

    async def dependents(self, task_id: str) -> list[Task]:
        return await self._read(lambda db: dependencies.on(db, task_id))

    async def forks(self, task_id: str) -> list[Task]:
        return await self._read(lambda db: dependencies.forks(db, task_id))

    async def ready_tasks(self) -> list[Task]:
        return await self._read(dependencies.ready)

    async def fork_points(self, task_id: str, *, limit: int = PAGE_SIZE) -> dict[str, int]:
        return await self._read(lambda db: forks.points(db, task_id, limit))

    # Sessions

    async def create_session(self, project_path: str, backend: str, **fields: Any) -> Session:
        return await self._write(lambda db: sessions.create(db, project_path, backend, fields))

    async def save_session(
        self, task_id: str, session_id: str, backend: str, **fields: Any
    ) -> Session:
        return await self._write(lambda db: sessions.save(db, task_id, session_id, backend, fields))

    async def get_session(self, task_id: str) -> Session:
        return await self._read(lambda db: sessions.get(db, task_id))

    async def find_session(
        self, backend: str, session_id: str, *, namespace: str | None = None
    ) -> Session:
        return await self._read(lambda db: sessions.find(db, backend, session_id, namespace))

    async def list_sessions(
        self,
        *,
        status: SessionStatus | str | None = None,
        tenant_id: str | None = None,
        user_id: str | None = None,
        project_path: str | None = None,
        cursor: str | None = None,
        limit: int = PAGE_SIZE,
    ) -> Page[Session]:
        conditions = {
            "status": None if status is None else _member(SessionStatus, status),
            "tenant_id": tenant_id,
            "user_id": user_id,
            "project_path": project_path,
        }
        return await self._read(lambda db: sessions.list_page(db, conditions, cursor, limit))

    async def update_session(self, task_id: str, **changes: Any) -> Session:
        return await self._write(lambda db: sessions.update(db, task_id, changes))

    async def set_session_status(self, task_id: str, status: SessionStatus | str) -> Session:
        wanted = _member(SessionStatus, status)
        return await self._write(lambda db: sessions.set_status(db, task_id, wanted))

    async def delete_session(self, task_id: str) -> None:
        await self._write(lambda db: sessions.delete(db, task_id))

    # Messages

    async def save_message(
        self,
        task_id: str,
        role: Role | str,
        content: str,
        *,
        kind: Kind | str = Kind.TEXT,
        timestamp: AnyTime | None = None,
        **fields: Any,
    ) -> Message:
        given = {"role": role, "content": content, "kind": kind, "timestamp": timestamp}
        message = validated(NewMessage, fields | given)
        return await self._write(lambda db: messages.save_one(db, task_id, message), messages=1)

    async def save_messages(self, task_id: str, new: Sequence[NewMessage]) -> list[Message]:
        return await self._write(lambda db: messages.save(db, task_id, new), messages=len(new))

    async def get_history(
        self,
        task_id: str,
        *,
        after: Message | None = None,
        before: Message | None = None,
        limit: int | None = None,
        where: MessageFilter | None = None,
    ) -> list[Message]:
        return await self._read(
            lambda db: messages.history(db, task_id, after, before, limit, where)
        )

    async def iter_history(self, task_id: str) -> AsyncIterator[Message]:
        page = await self._read(lambda db: messages.first(db, task_id, _HISTORY_PAGE))
        while page:
            for message in page:
                yield message
            page = await self.get_history(task_id, after=page[-1], limit=_HISTORY_PAGE)

    async def get_message(self, task_id: str, seq: int) -> Message:
        return await self._read(lambda db: messages.get(db, task_id, seq))

    async def message_at(
        self, task_id: str, rank: int, *, where: MessageFilter | None = None
    ) -> Message:
        return await self._read(lambda db: messages.at_rank(db, task_id, rank, where))

    async def count_history(
        self,
        task_id: str,
        *,
        before: Message | None = None,
        where: MessageFilter | None = None,
    ) -> int:
        return await self._read(lambda db: messages.count(db, task_id, before, where))

    # Search

    async def search(
        self,
        query: Query | str,
        *,
        filter: TaskFilter | None = None,  # noqa: A002
        task_id: str | None = None,
        limit: int = PAGE_SIZE,
        cursor: str | None = None,
        seconds: float | None = None,
    ) -> Hits:
        parsed = parse_query(query) if isinstance(query, str) else query
        stopped = threading.Event()

        def look(db: sqlite3.Connection) -> Hits:
            from store.sqlite import search as searching  # a tenth of the start, for those who ask

            wanted = searching.Wanted(parsed, filter, task_id, limit, cursor, seconds, stopped)
            return searching.search(db, wanted)

        try:
            return await self._read(look)
        except asyncio.CancelledError:
            stopped.set()
            raise

    async def filter_values(
        self, name: FilterName | str, prefix: str = "", *, limit: int = PAGE_SIZE
    ) -> list[str]:
        wanted = _member(FilterName, name)
        return await self._read(lambda db: choices.values(db, wanted, prefix, limit))

    async def count_messages(self, task_id: str) -> dict[tuple[Role, Kind], int]:
        return await self._read(lambda db: messages.count_by_kind(db, task_id))

    # Usage

    async def get_usage(self, task_id: str) -> list[Usage]:
        return await self._read(lambda db: usage.of(db, task_id))

    # Summaries

    async def save_summary(self, task_id: str, text: str, *, up_to: int) -> Summary:
        return await self._write(lambda db: summaries.save(db, task_id, text, up_to))

    async def get_summaries(self, task_id: str) -> list[Summary]:
        return await self._read(lambda db: summaries.of(db, task_id))

    # Memories

    async def save_memory(
        self, text: str, *, importance: float, task_id: str | None = None, **fields: Any
    ) -> Memory:
        new = validated(NewMemory, {"text": text, "importance": importance})
        return await self._write(lambda db: memories.save(db, new, task_id, fields))

    async def get_memory(self, memory_id: str) -> Memory:
        return await self._read(lambda db: memories.get(db, memory_id))

    async def list_memories(
        self, task_id: str | None = None, *, limit: int | None = None
    ) -> list[Memory]:
        return await self._read(lambda db: memories.list_all(db, task_id, limit))

    async def update_memory(self, memory_id: str, **changes: Any) -> Memory:
        return await self._write(lambda db: memories.update(db, memory_id, changes))

    async def delete_memory(self, memory_id: str) -> None:
        await self._write(lambda db: memories.delete(db, memory_id))

    # Extractions

    async def queue_extraction(self, task_id: str) -> Extraction:
        return await self._write(lambda db: extractions.queue(db, task_id))

    async def pending_extractions(self, *, limit: int = 1) -> list[Extraction]:
        return await self._write(lambda db: extractions.take(db, limit))

    async def fail_extraction(self, extraction_id: str, error: str) -> Extraction:
        return await self._write(lambda db: extractions.fail(db, extraction_id, error))

    async def finish_extraction(
        self, extraction_id: str, learnt: Sequence[NewMemory]
    ) -> list[Memory]:
        return await self._write(lambda db: extractions.finish(db, extraction_id, learnt))

    # Import

    async def record(self, chunks: Sequence[Chunk]) -> Recorded:
        count = sum(len(chunk.messages) for chunk in chunks)
        return await self._write(
            lambda db: sources.record(db, chunks), messages=count, output_waits=True
        )

    async def index_more(self) -> int:
        return await self._writer.write(index.work_off)

    async def _catch_up(self) -> int:
        return await self._writer.write(lambda db: index.work_off(db, tidying=True))

    async def rebuild_index(self) -> None:
        await self._writer.write(index.begin_anew)
        self._catching_up.begin()

    async def known_sources(
        self, backend: str, paths: Sequence[str] | None = None
    ) -> dict[str, KnownSource]:
        return await self._read(lambda db: sources.known(db, backend, paths))

    async def mark_gone(self, backend: str, paths: Sequence[str]) -> int:
        if not paths:
            return 0
        return await self._write(lambda db: sources.mark_gone(db, backend, paths))

    async def keep_originals(self, new: Sequence[Original]) -> int:
        return await self._write(lambda db: originals.keep(db, new))

    async def original_pieces(self, backend: str, path: str) -> list[Piece]:
        return await self._read(lambda db: originals.pieces(db, backend, path))

    async def original_piece(self, backend: str, path: str, number: int) -> Piece:
        return await self._read(lambda db: originals.piece(db, backend, path, number))

    # Places

    async def set_place(self, old: str, new: str) -> Place:
        return await self._write(lambda db: places.set_place(db, old, new))

    async def places(self) -> list[Place]:
        return await self._read(places.places)

    async def forget_place(self, old: str) -> None:
        await self._write(lambda db: places.forget_place(db, old))

    async def project_folders(self) -> list[str]:
        return await self._read(places.project_folders)

    async def note_repositories(self, seen: Sequence[Repository]) -> None:
        await self._write(lambda db: places.note_repositories(db, seen))

    async def repositories(self) -> list[Repository]:
        return await self._read(places.repositories)

    async def trust_home(self, path: str) -> None:
        await self._write(lambda db: places.trust_home(db, path))

    async def trusted_homes(self) -> list[str]:
        return await self._read(places.trusted_homes)

    # The database itself

    async def version(self) -> tuple[int, int]:
        # The writer's own view: PRAGMA data_version tells of other connections only.
        seen = await self._writer.read(
            lambda db: int(db.execute("PRAGMA data_version").fetchone()[0])
        )
        return self._writes, seen

    async def backup(self, path: str | os.PathLike[str]) -> None:
        await self._aside(lambda db: copy(db, Path(path)))

    async def integrity(self) -> Integrity:
        found = await self._aside(lambda db: tuple(islice(problems(db), _MOST_PROBLEMS)))
        return Integrity(problems=found)

    async def _aside(self, work: Work[T]) -> T:
        """Run long work on a connection of its own, so that no other call waits behind it."""
        if self._path is None:
            return await self._writer.run(work, wait=WAIT_SECONDS)
        connection = await Connection.open(self.name, name=self.name, setup=_set_up_reader)
        try:
            return await connection.run(work, wait=WAIT_SECONDS)
        finally:
            await connection.close()

    async def describe(self) -> dict[str, Any]:
        facts = await self._writer.read(_describe)
        return {"path": self.name, **facts}


async def _prepared(path: Path, name: str) -> Held:
    preparing = asyncio.ensure_future(asyncio.to_thread(prepare, path, name))
    try:
        return await asyncio.shield(preparing)
    except asyncio.CancelledError:  # the thread goes on, and what it gives is nobody's
        preparing.add_done_callback(_let_go)
        raise


def _let_go(preparing: asyncio.Future[Held]) -> None:
    if not preparing.cancelled() and preparing.exception() is None:
        preparing.result().release()


def _member(enum: type[T], value: object) -> T:
    try:
        return enum(value)  # type: ignore[call-arg]
    except ValueError as error:
        raise InvalidValue(str(error)) from error


def _set_up(db: sqlite3.Connection, *, name: str, migrating: bool, synchronous: str) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    db.execute(f"PRAGMA busy_timeout = {int(WAIT_SECONDS * 1000)}")
    _common(db)
    db.execute("PRAGMA cache_size = -16000")
    migrate.migrate(db, name, allowed=migrating, deadline=deadline)
    if migrate.use_wal(db, deadline) == "delete":
        synchronous = "full"  # without a write-ahead log less could damage the file
    db.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[synchronous]}")
    db.execute("PRAGMA wal_autocheckpoint = 0")  # see store.sqlite.checkpoints
    db.execute(f"PRAGMA journal_size_limit = {_JOURNAL_LIMIT}")
    if db.execute("SELECT 1 FROM session WHERE status = 'active' LIMIT 1").fetchone():
        in_transaction(db, sessions.pause_abandoned, deadline)


def _set_up_reader(db: sqlite3.Connection) -> None:
    db.execute(f"PRAGMA busy_timeout = {int(WAIT_SECONDS * 1000)}")
    _common(db)
    # Lists and histories are read no slower than with 16 MB for each of the connections.
    db.execute("PRAGMA cache_size = -4000")
    db.execute("PRAGMA query_only = ON")


def _common(db: sqlite3.Connection) -> None:
    db.row_factory = sqlite3.Row
    # SQLite's own lower() knows ASCII only.
    db.create_function("casefold", 1, str.casefold, deterministic=True)
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA temp_store = MEMORY")


def _describe(db: sqlite3.Connection) -> dict[str, Any]:
    def one(sql: str) -> Any:
        return db.execute(sql).fetchone()[0]

    return {
        "schema": migrate.schema_number(db),
        "sqlite": sqlite3.sqlite_version,
        "journal_mode": one("PRAGMA journal_mode"),
        "synchronous": "full" if one("PRAGMA synchronous") == _FULL else "normal",
        "wal_reset_bug": "in this SQLite; checkpoints go one process at a time"
        if is_affected()
        else "not in this SQLite",
        "bytes": one("PRAGMA page_count") * one("PRAGMA page_size"),
        "tasks": one("SELECT count(*) FROM task"),
        "sessions": one("SELECT count(*) FROM session"),
        "messages": one("SELECT coalesce(sum(message_count), 0) FROM task"),
        "sources": one("SELECT count(*) FROM source"),
    }
