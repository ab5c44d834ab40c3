"""Reading a source as an import does, and keeping what a store would keep."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.agents import Adapter
from store.models import Kind, NewMessage
from store.sources import Checkpoint, SessionFacts, Source


@dataclass
class Kept:
    """One session as a store holds it: a message for each key, marks as last said."""

    facts: SessionFacts
    messages: dict[str, NewMessage] = field(default_factory=dict)
    off_branch: set[str] = field(default_factory=set)

    @property
    def prompts(self) -> list[str]:
        return [m.content for m in self.messages.values() if m.is_prompt]

    @property
    def calls(self) -> list[NewMessage]:
        return [m for m in self.messages.values() if m.kind is Kind.TOOL_CALL]

    def contents(self) -> list[str]:
        return [m.content for m in self.messages.values()]


@dataclass
class Shelf:
    """What several reads of sources came to."""

    sessions: dict[str, Kept] = field(default_factory=dict)
    checkpoints: dict[Path, Checkpoint] = field(default_factory=dict)
    messages_given: int = 0

    def read(self, adapter: Adapter, source: Source) -> Checkpoint:
        """Read a source from where it was left, with the state having been through JSON."""
        since = self.checkpoints.get(source.path)
        self.messages_given = 0
        for chunk in adapter.read(source, since):
            self.messages_given += len(chunk.messages)
            checkpoint = chunk.checkpoint
            assert json.loads(json.dumps(checkpoint.state)) == checkpoint.state
            self.checkpoints[source.path] = checkpoint
            if chunk.session is None:
                assert not chunk.messages
                continue
            kept = self.sessions.setdefault(chunk.session.session_id, Kept(chunk.session))
            kept.facts = chunk.session
            for message in chunk.messages:
                assert message.key and message.timestamp is not None
                message.content.encode()
                kept.messages.setdefault(message.key, message)
            kept.off_branch |= set(chunk.off_branch)
            kept.off_branch -= set(chunk.on_branch)
        last = self.checkpoints[source.path]
        assert last.finished
        return last

    def read_all(self, adapter: Adapter, root: Path) -> dict[str, Kept]:
        for source in adapter.find(root):
            self.read(adapter, source)
        return self.sessions


def only(adapter: Adapter, root: Path) -> Kept:
    """Read the one session that a root holds."""
    sessions = Shelf().read_all(adapter, root)
    assert len(sessions) == 1
    return next(iter(sessions.values()))


def write(path: Path, records: Iterable[Any], *, append: bool = False) -> Path:
    """Write records as JSONL; text is written as it is, as a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a" if append else "w", encoding="utf-8") as file:
        for record in records:
            file.write(record if isinstance(record, str) else json.dumps(record))
            file.write("\n")
    return path
