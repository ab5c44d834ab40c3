"""One pass over Goose's database: the sessions that are not as they were.

A pass that was interrupted is begun again, as storing a message again stores nothing: what has to
be known of every session to go on from there is only written down at the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from pydantic import JsonValue

from store.agents.goose.records import Keys, Reader, heard
from store.agents.goose.tables import Conversation, Tables
from store.agents.goose.usage import add_up
from store.models import Origin, TitleFrom, Usage
from store.reading.chunks import Gathering
from store.reading.usage import Tally
from store.reading.values import list_of, object_of
from store.sources import Checkpoint, Chunk, Fingerprint, SessionFacts, SkippedRecord, Source
from store.times import parse_time

_AUTOMATED = frozenset({"scheduled", "hidden"})
_SUBAGENT = "sub_agent"
_MAX_TOOLS = 50


@dataclass(slots=True)
class _Memory:
    """What is known of a session from earlier reads: enough to pass over it, or to go on.

    `beyond` is what it used beyond its ledger; its extra is how the figures looked then.
    """

    last_row: int = 0
    updated: str = ""
    parent: str | None = None
    prompt: str | None = None
    tools: dict[str, str] = field(default_factory=dict)
    beyond: Tally = field(default_factory=Tally)

    @classmethod
    def of(cls, state: object) -> _Memory:
        held = object_of(state)
        last_row, prompt, parent = held.get("row"), held.get("prompt"), held.get("parent")
        tools = object_of(held.get("tools"))
        return cls(
            last_row if isinstance(last_row, int) else 0,
            str(held.get("updated") or ""),
            parent if isinstance(parent, str) else None,
            prompt if isinstance(prompt, str) else None,
            {call: name for call, name in tools.items() if isinstance(name, str)},
            Tally(held),
        )

    def state(self) -> dict[str, JsonValue]:
        state: dict[str, JsonValue] = {"row": self.last_row, "updated": self.updated}
        if self.parent:
            state["parent"] = self.parent
        if self.prompt:
            state["prompt"] = self.prompt
        if self.tools:
            state["tools"] = dict(list(self.tools.items())[-_MAX_TOOLS:])
        self.beyond.remember(state)
        return state


class Rows:
    """Gives the chunks of the sessions that changed since a checkpoint, or of all."""

    def __init__(
        self, source: Source, tables: Tables, fingerprint: Fingerprint, since: Checkpoint | None
    ) -> None:
        self._tables = tables
        self._before: dict[str, JsonValue] = dict(since.state) if since is not None else {}
        last_row = self._before.get("row")
        self._last_row = last_row if isinstance(last_row, int) else 0
        self._state: dict[str, JsonValue] = dict(object_of(self._before.get("sessions")))
        self._parents: dict[str, str] | None = None
        self._origins: dict[str, str] | None = None
        self._conversations = tables.conversations()
        self._homeless = tables.homeless()
        if since is not None:
            since = self._counted_anew(since)
        self._gathering = Gathering(source, fingerprint, since, keys_tell_content=True)

    def chunks(self) -> Iterator[Chunk]:
        """Give the chunks of every changed session, and the one that ends the source."""
        for row in self._homeless:
            self._gathering.skip(SkippedRecord(row, f"message row {row} names no session"))
        for one in self._conversations:
            memory = _Memory.of(self._state.get(one.session_id))
            if not self._is_unchanged(one, memory):
                yield from self._session(one, memory)
        last_row = max((one.last_row for one in self._conversations), default=0)
        state: dict[str, JsonValue] = {"sessions": self._state, "row": last_row}
        yield self._gathering.chunk(None, state, finished=True)

    def _counted_anew(self, since: Checkpoint) -> Checkpoint:
        """Count what was read before as it is now: Goose takes rows back and writes them anew."""
        ends: dict[str, int] = {}
        records = 0
        for one in self._conversations:
            memory = _Memory.of(self._state.get(one.session_id))
            ends[one.session_id] = memory.last_row
            if memory.last_row == one.last_row:
                records += one.rows
            elif memory.last_row:
                records += self._tables.count(one.session_id, memory.last_row)
        skipped = tuple(
            skip
            for skip in since.skipped
            if skip.line <= ends.get(self._tables.session_of(skip.line) or "", 0)
        )
        return replace(since, line=records, records=records, skipped=skipped)

    def _is_unchanged(self, one: Conversation, memory: _Memory) -> bool:
        if one.session_id not in self._state:
            return False
        if (memory.last_row, memory.updated) != (one.last_row, one.updated):
            return False
        if list_of(memory.beyond.extra) != _look(one):
            return False
        return memory.parent == self._parent(one, memory)

    def _session(self, one: Conversation, memory: _Memory) -> Iterator[Chunk]:
        """Give the chunks of one session; each names it."""
        origin = self._origin(one)
        copied = self._tables.message_ids(origin) if origin is not None else frozenset()
        memory.parent = self._parent(one, memory)
        reader = Reader(memory.tools, one.model)
        keys = Keys()
        after = memory.last_row
        latest = parse_time(self._tables.latest(one.session_id, after)) if after else None
        started = one.created
        for number, name, row in self._tables.messages(one.session_id, after, one.last_row):
            self._gathering.line += 1
            if isinstance(row, str):
                self._gathering.skip(SkippedRecord(number, f"message row {number}: {row}"))
            else:
                self._gathering.records += 1
                before = 0
                if latest and row.time and row.time <= latest and row.key not in keys.seen:
                    before = self._tables.times_before(one.session_id, number)
                row = keys.told_apart(row, before)
                made = reader.messages(row, inherited=name in copied)
                memory.prompt = memory.prompt or heard(made)
                if origin is None and row.time and (started is None or row.time < started):
                    started = row.time
                self._gathering.add(made)
            if self._gathering.is_full:
                yield self._chunk(one, memory, origin, started)
        memory.last_row, memory.updated = one.last_row, one.updated
        usage = self._usage(one, memory)
        self._state[one.session_id] = memory.state()
        yield self._chunk(one, memory, origin, started, usage)

    def _chunk(
        self,
        one: Conversation,
        memory: _Memory,
        origin: str | None,
        started: datetime | None,
        usage: tuple[Usage, ...] = (),
    ) -> Chunk:
        facts = self._facts(one, memory, origin, started)
        return self._gathering.chunk(facts, self._before, usage=usage)

    def _usage(self, one: Conversation, memory: _Memory) -> tuple[Usage, ...]:
        """Give what the session used; a fork has its own figures, from 0 on."""
        memory.beyond.extra = list[JsonValue](look) if (look := _look(one)) else None
        return add_up(
            memory.beyond,
            one.used,
            self._tables.ledger(one.session_id) if one.ledger_end else (),
            one.model,
            parse_time(one.updated),
            self._gathering.fingerprint.mtime_ns,
        )

    def _facts(
        self, one: Conversation, memory: _Memory, origin: str | None, started: datetime | None
    ) -> SessionFacts:
        title = one.title or memory.prompt
        return SessionFacts(
            session_id=one.session_id,
            namespace=str(self._gathering.source.root),
            title=title,
            title_from=TitleFrom.AGENT if one.title else TitleFrom.PROMPT,
            origin=_origin_of(one),
            project_path=one.folder,
            model=one.model,
            permission_mode=one.mode,
            parent_session_id=memory.parent,
            fork_session_id=origin,
            started_at=started,
            archived=one.is_archived,
        )

    def _parent(self, one: Conversation, memory: _Memory) -> str | None:
        """Give the session that a sub-agent's belongs to; before v15 only a result there says."""
        parent = one.parent or memory.parent
        if parent is not None or one.kind != _SUBAGENT:
            return parent
        if self._parents is None:
            self._parents = self._tables.delegations(self._last_row)
        return self._parents.get(one.session_id)

    def _origin(self, one: Conversation) -> str | None:
        if self._origins is None:
            self._origins = self._tables.origins()
        return self._origins.get(one.session_id)


def _look(one: Conversation) -> list[int | None]:
    """Give what tells whether a session used anything since; it need not have said anything."""
    return [*one.used, one.ledger_end] if one.used else [one.ledger_end] * bool(one.ledger_end)


def _origin_of(one: Conversation) -> Origin:
    if one.kind == _SUBAGENT:
        return Origin.SUBAGENT
    if one.kind in _AUTOMATED or one.is_scheduled:
        return Origin.AUTOMATED
    return Origin.PERSON
