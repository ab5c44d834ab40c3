"""What Claude Code's `history.jsonl` still has of sessions whose transcripts it has deleted.

The file has a line for everything that a person typed, in every project: the words, what was
pasted into them, the time and the session. Most is in a transcript too, and of no use here.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

from store.agents.claude.facts import UUID
from store.models import NewMessage, Role
from store.reading.chunks import Gathering
from store.reading.files import head_of
from store.reading.lines import Record
from store.reading.transcripts import opened, with_anchor
from store.reading.values import object_of, text_of, title_of, without_attachments
from store.sources import Checkpoint, Chunk, SessionFacts, SkippedRecord, Source
from store.times import parse_time

NAME = "history.jsonl"
ENVELOPE = frozenset({"display"})

_MAX_PROMPTS = 500
_MAX_CHARACTERS = 1_000_000
_HEAD = 65536
_COMMAND = re.compile(r"/[\w:.-]+(?:\s|\Z)")
_PASTED = re.compile(r"\[Pasted text #(\d+)[^\]\n]*\]")
_TIME = re.compile(rb'"timestamp": ?"([^"]+)"')
_SLACK = timedelta(minutes=1)


def is_history(head: Record) -> bool:
    """Tell from a record whether Claude Code wrote a file of this name: others have one too."""
    return "display" in head and ("project" in head or "pastedContents" in head)


def read(source: Source, since: Checkpoint | None) -> Iterator[Chunk]:
    """Give the prompts that no transcript in the same home has, session by session."""
    with opened(source, since, ENVELOPE) as transcript:
        gathering = Gathering(source, transcript.fingerprint, transcript.since)
        before = transcript.since or Checkpoint(transcript.fingerprint)
        transcripts = _Transcripts(source.root)
        batch = _Batch()
        lines = transcript.lines()
        for number, end, record in lines:
            if batch.is_full or gathering.is_full:
                yield from batch.chunks(source, before)
                closing = gathering.chunk(None, {})
                with_anchor(transcript, closing.checkpoint)
                yield closing
                before, batch = closing.checkpoint, _Batch(batch.last)
            gathering.line, gathering.offset = number, end
            if isinstance(record, SkippedRecord):
                gathering.skip(record)
                continue
            gathering.records += 1
            batch.take(record, transcripts)
        gathering.pending = lines.pending
        yield from batch.chunks(source, before)
        closing = gathering.chunk(None, {}, finished=True)
        with_anchor(transcript, closing.checkpoint)
        yield closing


@dataclass(slots=True)
class _Batch:
    """Prompts by session, in the order in which the sessions were begun."""

    last: datetime | None = None
    sessions: dict[str, tuple[SessionFacts, list[NewMessage]]] = field(default_factory=dict)
    prompts: int = 0
    characters: int = 0

    @property
    def is_full(self) -> bool:
        return self.prompts >= _MAX_PROMPTS or self.characters >= _MAX_CHARACTERS

    def take(self, record: Record, transcripts: _Transcripts) -> None:
        """Keep a line if it is a prompt, and the only place that still has it."""
        time = self.last = parse_time(record.get("timestamp")) or self.last
        typed = text_of(record.get("display"))
        project = text_of(record.get("project"))
        session_id = text_of(record.get("sessionId"))
        if not _is_prompt(typed) or transcripts.have(session_id, project, time):
            return
        session_id = session_id or _made_id(project, time)
        content = _with_pasted(typed, record)
        if session_id not in self.sessions:
            facts = SessionFacts(
                session_id,
                title=title_of(without_attachments(content)) or title_of(content),
                project_path=project or None,
                started_at=time,
                is_remnant=True,
            )
            self.sessions[session_id] = (facts, [])
        self.prompts += 1
        self.characters += len(content)
        stamp = int(time.timestamp() * 1000) if time else 0
        key = f"{stamp}-{zlib.crc32(typed.encode('utf-8', 'replace')):08x}"
        message = NewMessage(
            role=Role.USER, content=content, timestamp=time, key=key, is_prompt=True
        )
        self.sessions[session_id][1].append(message)

    def chunks(self, source: Source, before: Checkpoint) -> Iterator[Chunk]:
        """Give a chunk for each session; none says that the lines were read: there may be more."""
        changed = datetime.fromtimestamp(source.fingerprint.mtime_ns / 1e9, UTC)
        for facts, messages in self.sessions.values():
            timed = (
                m if m.timestamp else m.model_copy(update={"timestamp": changed}) for m in messages
            )
            yield Chunk(source, facts, tuple(timed), before)


class _Transcripts:
    """Which sessions the transcripts of a home hold."""

    def __init__(self, home: Path) -> None:
        self._projects = home / "projects"
        self._names = {
            entry.name.partition(".")[0]
            for folder in _entries(self._projects)
            for entry in _entries(folder.path)
            if entry.name.endswith(".jsonl")
        }
        self._spans: dict[str, list[tuple[datetime, datetime]]] = {}

    def have(self, session_id: str, project: str, time: datetime | None) -> bool:
        """Tell whether a transcript has what was typed.

        Older lines do not name their session. What was typed in a project while one of its
        sessions was going on is taken to be in that one.
        """
        if session_id:
            return session_id in self._names
        if project not in self._spans:
            folder = self._projects / re.sub(r"[^A-Za-z0-9-]", "-", project)
            found = (_span(entry) for entry in _entries(folder))
            self._spans[project] = [span for span in found if span is not None]
        return time is not None and any(
            begun - _SLACK <= time <= ended + _SLACK for begun, ended in self._spans[project]
        )


def _entries(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (OSError, ValueError):
        return []


def _span(entry: os.DirEntry[str]) -> tuple[datetime, datetime] | None:
    if not UUID.fullmatch(entry.name.removesuffix(".jsonl")):
        return None
    first = _TIME.search(head_of(entry.path, _HEAD))
    begun = parse_time(first[1].decode("utf-8", "replace")) if first else None
    try:
        ended = datetime.fromtimestamp(entry.stat().st_mtime, UTC)
    except OSError:
        return None
    return (begun, ended) if begun is not None else None


def _made_id(project: str, time: datetime | None) -> str:
    """Make an id for what was typed in a project on one day; it does not look like a real one."""
    place = blake2b(project.encode("utf-8", "replace"), digest_size=6).hexdigest()
    day = time.astimezone(UTC).date().isoformat() if time else "undated"
    return f"history-{place}-{day}"


def _is_prompt(typed: str) -> bool:
    """Tell a prompt from a command to the program (`/clear`) or to the shell (`!ls`)."""
    start = typed.lstrip()
    return bool(start) and not start.startswith("!") and not _COMMAND.match(start)


def _with_pasted(typed: str, record: Record) -> str:
    """Put pasted texts where they were pasted; what is not at hand keeps the line for it."""
    pasted = {
        number: content
        for number, item in object_of(record.get("pastedContents")).items()
        if (content := text_of(object_of(item).get("content")))
        and object_of(item).get("type") != "image"
    }
    if not pasted:
        return typed
    return _PASTED.sub(lambda place: pasted.get(place[1], place[0]), typed)
