"""Reading a transcript while it is written: whatever it holds, no piece may be lost or doubled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.agents import Adapter
from store.models import NewMessage
from store.sources import Checkpoint, Fingerprint, Source
from tests.agents.reading import Kept, Shelf

ID = "11111111-1111-4111-8111-111111111111"


@dataclass(frozen=True)
class Outcome:
    """What there is to say about a transcript after it was read."""

    sessions: dict[str, list[tuple[Any, ...]]]
    off_branch: dict[str, set[str]]
    records: int
    skipped: tuple[int, ...]
    pending: int | None
    offset: int

    @property
    def texts(self) -> list[str]:
        return [message[3] for session in self.sessions.values() for message in session]


def place_of(adapter: Adapter, home: Path) -> Path:
    """Give a path in a home where only a transcript of this agent is."""
    path = {
        "claude": home / "projects" / "-src" / f"{ID}.jsonl",
        "codex": home / "sessions/2026/11/20" / f"rollout-2026-11-20T10-00-00-{ID}.jsonl",
    }[adapter.name]
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def source_of(adapter: Adapter, path: Path, home: Path) -> Source:
    return Source(adapter.name, home, path, Fingerprint.of(path.stat()))


def read_in_pieces(adapter: Adapter, home: Path, raw: bytes, cuts: Sequence[int] = ()) -> Outcome:
    """Write a transcript up to each cut and to its end, and import it each time."""
    path = place_of(adapter, home)
    shelf = Shelf()
    last: Checkpoint | None = None
    with path.open("wb", buffering=0) as file:
        begin = 0
        for end in (*sorted(cuts), len(raw)):
            file.write(raw[begin:end])
            begin = max(begin, end)
            last = shelf.read(adapter, source_of(adapter, path, home))
    again = shelf.read(adapter, source_of(adapter, path, home))
    assert last is not None
    assert _counts(again) == _counts(last), "reading again changed the counts"
    assert 0 <= last.offset <= max(len(raw), last.offset * (not raw.isascii()))
    return Outcome(
        {name: _said(kept) for name, kept in shelf.sessions.items()},
        {name: kept.off_branch for name, kept in shelf.sessions.items()},
        *_counts(last),
    )


def _counts(checkpoint: Checkpoint) -> tuple[int, tuple[int, ...], int | None, int]:
    skipped = tuple(skip.line for skip in checkpoint.skipped)
    assert len(skipped) <= checkpoint.records
    return checkpoint.records, skipped, checkpoint.pending, checkpoint.offset


def _said(kept: Kept) -> list[tuple[Any, ...]]:
    return [_essence(message) for message in kept.messages.values()]


def _essence(message: NewMessage) -> tuple[Any, ...]:
    """Leave out the time: a record without one takes it from those it was read with."""
    return (
        message.key,
        message.role,
        message.kind,
        message.content,
        message.tool_name,
        message.tool_call_id,
        message.is_prompt,
        message.is_error,
    )
