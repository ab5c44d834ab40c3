"""What passes between an agent's adapter, the import and the store: plain data, no I/O.

An adapter finds `Source`s and reads each into `Chunk`s. A chunk is what one transaction stores:
facts about a session, messages, and the `Checkpoint` that says how far the source was read, so
that an import killed anywhere goes on exactly there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from store.models import NewMessage, Origin, TitleFrom, Usage

_SIGNED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What tells a file that changed from one that did not, without opening it."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int = 0
    """When the system noted the last change: unlike the time before it, no program can set it."""

    @classmethod
    def of(cls, stat: os.stat_result) -> Fingerprint:
        """Take the fingerprint from a stat result, in numbers that fit a signed 64-bit column."""
        return cls(
            stat.st_dev & _SIGNED,
            stat.st_ino & _SIGNED,
            stat.st_size,
            max(-_SIGNED, min(stat.st_mtime_ns, _SIGNED)),
            max(-_SIGNED, min(stat.st_ctime_ns, _SIGNED)),
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A file or database of an agent as it lies on disk now.

    `root` is the agent's home that it was found under (`~/.claude`, `~/.codex`, ...).
    """

    backend: str
    root: Path
    path: Path
    fingerprint: Fingerprint


@dataclass(frozen=True, slots=True)
class SkippedRecord:
    """A record that could not be understood: where it is (from 1) and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """How far a source has been read, and the adapter's own memory for going on from there.

    `offset` and `line` count bytes and records from the source's start. `records`, `skipped` and
    `pending` describe everything up to there: records = understood + len(skipped), and `pending`
    is the line number of an unfinished last line that is waited for. `state` is JSON.
    """

    fingerprint: Fingerprint
    offset: int = 0
    line: int = 0
    records: int = 0
    skipped: tuple[SkippedRecord, ...] = ()
    pending: int | None = None
    state: dict[str, JsonValue] = field(default_factory=dict)
    finished: bool = False
    """True when the source was read to its end as of `fingerprint`."""


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a source says of a session so far. None means that it does not say.

    `is_remnant` marks what a source holds of a session whose own source is gone: it counts only
    as long as nothing better is known.
    """

    session_id: str
    namespace: str = ""
    title: str | None = None
    title_from: TitleFrom = TitleFrom.PROMPT
    origin: Origin = Origin.PERSON
    project_path: str | None = None
    git_branch: str | None = None
    model: str | None = None
    agent_version: str | None = None
    permission_mode: str | None = None
    parent_session_id: str | None = None
    fork_session_id: str | None = None
    started_at: datetime | None = None
    archived: bool = False
    is_remnant: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """One step of reading a source: stored whole, in one transaction, or not at all.

    `off_branch` and `on_branch` are keys of stored messages whose mark changed with this step.
    Where keys tell what their messages hold, none is ever written anew in its place. `usage` is all
    that the session used, as far as its source was read; empty when that is as it was.
    """

    source: Source
    session: SessionFacts | None
    messages: tuple[NewMessage, ...]
    checkpoint: Checkpoint
    off_branch: tuple[str, ...] = ()
    on_branch: tuple[str, ...] = ()
    keys_tell_content: bool = False
    usage: tuple[Usage, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownSource:
    """What the store remembers of a source from earlier imports.

    `kept` is the fingerprint of the file that is kept as it was, without its device: all zeros
    while only a part is, None when nothing is.
    """

    backend: str
    path: str
    checkpoint: Checkpoint
    gone: bool = False
    sessions: int = 0
    kept: Fingerprint | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a source's file: its size and CRC-32 there, and its bytes packed with zstd.

    Without the bytes where only the rest is asked for.
    """

    number: int
    size: int
    checksum: int
    packed: bytes = b""


@dataclass(frozen=True, slots=True)
class Original:
    """Some pieces of a source's file, to be kept.

    `is_anew` says that they belong to another file than the pieces kept before. `whole` is the
    file's fingerprint when all of it is kept with these.
    """

    backend: str
    path: str
    pieces: tuple[Piece, ...]
    is_anew: bool = False
    whole: Fingerprint | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What storing some chunks changed: ids of tasks whose sessions are new or changed."""

    added: frozenset[str] = frozenset()
    updated: frozenset[str] = frozenset()
    messages_added: int = 0
