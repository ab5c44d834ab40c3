"""A small invented collection of tasks, for `backscroll --demo`, for screenshots and for tests.

Everything in it is made up. Its ids are always the same, and its times follow from one moment, so
that it looks as if it had been worked on just now.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from store.demo import bug_hunt, helpers, others
from store.demo.spent import usage_of
from store.demo.talk import Talk
from store.models import NewMessage, Origin, SessionStatus, Task, TaskStatus, TitleFrom, Usage
from store.protocol import Store
from store.sources import Checkpoint, Chunk, Fingerprint, SessionFacts, Source

_IDS = uuid.UUID("0b5c2f3e-93a1-5d7e-8a44-1f0f6f6d1c77")
_HOME = "/home/ada"


def task_id(name: str) -> str:
    """Give the id of a demo task by its short name: `storm`, `ship`, `hostile`, ..."""
    return str(uuid.uuid5(_IDS, f"task {name}"))


def session_id(name: str) -> str:
    """Give the id of a demo task's session by its short name."""
    return _GOOSE_IDS.get(name) or str(uuid.uuid5(_IDS, f"session {name}"))


_GOOSE_IDS = {"notes": "20260113_4", "cache": "20260111_2"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One task and the facts of its session; `ago` is when its last word was said."""

    name: str
    title: str
    project: str
    ago: timedelta
    backend: str = ""
    branch: str = "main"
    model: str | None = None
    status: TaskStatus = TaskStatus.OPEN
    origin: Origin = Origin.PERSON
    title_from: TitleFrom = TitleFrom.AGENT
    tags: tuple[str, ...] = ()
    notes: str = ""
    parent: str | None = None
    fork_of: str | None = None
    active: bool = False
    archived: timedelta | None = None
    gone: timedelta | None = None


def _minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def _days(n: float) -> timedelta:
    return timedelta(days=n)


_ENTRIES = (
    _Entry(
        "ship",
        "Ship 2.0",
        "uploader",
        _days(6),
        title_from=TitleFrom.PERSON,
        tags=("release",),
        notes="Promised for the end of the month. Which month was not said.",
    ),
    _Entry(
        "storm",
        "Fix retry storm in uploader",
        "uploader",
        _minutes(2),
        backend="claude",
        model="sonnet-4.5",
        status=TaskStatus.RUNNING,
        tags=("bug", "starred"),
        active=True,
    ),
    _Entry(
        "callers",
        "Find every caller of send_chunk",
        "uploader",
        _minutes(31),
        backend="claude",
        model="haiku-4.5",
        status=TaskStatus.DONE,
        origin=Origin.SUBAGENT,
        parent="storm",
    ),
    _Entry(
        "logs",
        "Look for a pattern in staging logs",
        "uploader",
        _minutes(29),
        backend="claude",
        model="haiku-4.5",
        status=TaskStatus.DONE,
        origin=Origin.SUBAGENT,
        parent="storm",
    ),
    _Entry(
        "resume",
        "Make uploads resumable",
        "uploader",
        _minutes(95),
        backend="claude",
        branch="resumable",
        model="sonnet-4.5",
        tags=("feature",),
    ),
    _Entry(
        "schema",
        "Migrate schema",
        "tidewater",
        _minutes(60 * 5),
        backend="codex",
        branch="digest-blob",
        model="gpt-5-codex",
        status=TaskStatus.DONE,
    ),
    _Entry(
        "fork",
        "Migrate schema, without anybody noticing",
        "tidewater",
        _minutes(60 * 2.5),
        backend="codex",
        branch="digest-blob",
        model="gpt-5-codex",
        fork_of="schema",
    ),
    _Entry(
        "notes",
        "Write release notes for 2.0",
        "uploader",
        _minutes(60 * 20),
        backend="goose",
        model="qwen3-coder",
        tags=("docs", "release"),
    ),
    _Entry(
        "slow",
        "Why does the test suite take four minutes?",
        "uploader",
        _days(1.2),
        backend="codex",
        model="gpt-5-codex",
        status=TaskStatus.DONE,
        title_from=TitleFrom.PROMPT,
    ),
    _Entry(
        "cache",
        "Explore cache layout",
        "lanternfish",
        _days(2.1),
        backend="goose",
        model="qwen3-coder",
    ),
    _Entry(
        "scripts",
        "日本語のファイル名が壊れる 📁 تقرير",
        "lanternfish",
        _days(3.4),
        backend="claude",
        branch="fix/ファイル名",
        model="sonnet-4.5",
        status=TaskStatus.FAILED,
    ),
    _Entry(
        "hostile",
        "Audit log with \x1b[31mred\x1b[0m entries [/b]\u202etxt",
        "papercrane",
        _days(4.2),
        backend="codex",
        branch="audit",
        model="gpt-5-codex",
        tags=("security",),
    ),
    _Entry(
        "config",
        "Untangle the config loader",
        "papercrane",
        _days(45),
        backend="claude",
        model="sonnet-4",
        status=TaskStatus.DONE,
        gone=_days(15),
    ),
    _Entry(
        "snake",
        "Rename everything to snake_case",
        "papercrane",
        _days(70),
        backend="claude",
        model="opus-4.1",
        status=TaskStatus.CANCELLED,
        archived=_days(60),
    ),
    _Entry(
        "nightly",
        "Nightly dependency check",
        "papercrane",
        _minutes(60 * 7),
        backend="claude",
        model="haiku-4.5",
        origin=Origin.AUTOMATED,
    ),
)

# A task, and what it waits for.
_DEPENDENCIES = (
    ("storm", "callers"),
    ("storm", "logs"),
    ("resume", "storm"),
    ("notes", "schema"),
    ("ship", "schema"),
    ("ship", "resume"),
    ("ship", "notes"),
)

_TALKS = {
    "storm": bug_hunt.retry_storm,
    "callers": helpers.callers,
    "logs": helpers.staging_logs,
    "resume": helpers.resumable,
    "schema": helpers.migrate_schema,
    "notes": helpers.release_notes,
    "slow": others.slow_suite,
    "cache": others.cache_layout,
    "scripts": others.other_scripts,
    "hostile": others.hostile,
    "config": others.config_loader,
    "snake": others.snake_case,
    "nightly": others.nightly,
}


async def fill(store: Store, now: datetime | None = None) -> None:
    """Write the demo's tasks into an empty store, as seen at `now`: the present, if not given."""
    moment = now or datetime.now(UTC)
    for entry in _ENTRIES:
        messages = _messages(entry, moment)
        began = messages[0].timestamp if messages else None
        await _save(store, entry, moment, began or moment - entry.ago)
        if messages:
            await store.save_messages(task_id(entry.name), messages)
        if messages and entry.model and not entry.gone:
            await store.record([_spent(entry, usage_of(messages, entry.model), moment)])
    for waiting, needed in _DEPENDENCIES:
        await store.add_dependency(task_id(waiting), task_id(needed))


def _messages(entry: _Entry, now: datetime) -> list[NewMessage]:
    if not entry.backend:
        return []
    end = now - entry.ago
    return _talk(entry, now).messages(end)


def _talk(entry: _Entry, now: datetime) -> Talk:
    if entry.fork_of is None:
        return _TALKS[entry.name]()
    return helpers.zero_downtime(_TALKS[entry.fork_of]().messages(now))


async def _save(store: Store, entry: _Entry, now: datetime, began: datetime) -> None:
    project = f"{_HOME}/src/{entry.project}"
    await store.save_task(
        Task(
            id=task_id(entry.name),
            title=entry.title,
            title_from=entry.title_from,
            origin=entry.origin,
            notes=entry.notes,
            project_path=project,
            parent_task_id=task_id(entry.parent) if entry.parent else None,
            fork_of=task_id(entry.fork_of) if entry.fork_of else None,
            created_at=began,
            archived_at=now - entry.archived if entry.archived else None,
        )
    )
    await store.tag(task_id(entry.name), *entry.tags)
    if entry.backend:
        await _save_session(store, entry, project, now, began)
    if entry.status is not TaskStatus.OPEN:
        await store.set_task_status(task_id(entry.name), entry.status)


def _spent(entry: _Entry, usage: tuple[Usage, ...], now: datetime) -> Chunk:
    """Give what a session used as an import would."""
    root = _root(entry)
    mark = Fingerprint(0, 0, 0, int(now.timestamp() * 1e9))
    return Chunk(
        Source(entry.backend, Path(root), Path(_source(entry)), mark),
        SessionFacts(session_id(entry.name), namespace=root if entry.backend == "goose" else ""),
        (),
        Checkpoint(mark, finished=True),
        usage=usage,
    )


def _root(entry: _Entry) -> str:
    if entry.backend == "goose":
        return f"{_HOME}/.local/share/goose/sessions"
    return f"{_HOME}/.{entry.backend}"


def _source(entry: _Entry) -> str:
    return f"{_root(entry)}/{session_id(entry.name)}.jsonl"


async def _save_session(
    store: Store, entry: _Entry, project: str, now: datetime, began: datetime
) -> None:
    root = _root(entry)
    await store.save_session(
        task_id(entry.name),
        session_id(entry.name),
        entry.backend,
        status=SessionStatus.ACTIVE if entry.active else SessionStatus.PAUSED,
        namespace=root if entry.backend == "goose" else "",  # Goose only numbers its sessions
        root=root,
        project_path=project,
        git_branch=entry.branch,
        model=entry.model,
        parent_session_id=session_id(entry.parent) if entry.parent else None,
        fork_session_id=session_id(entry.fork_of) if entry.fork_of else None,
        source_path=_source(entry),
        source_gone_at=now - entry.gone if entry.gone else None,
        created_at=began,
    )
