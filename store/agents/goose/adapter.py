"""Goose: all sessions in one SQLite database, `sessions.db`.

Goose writes a session's rows anew when it compacts it: a row is known by its message id, which
stays, rather than by its number, which does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from store.agents.goose.records import Reader, Row
from store.agents.goose.tables import Conversation, NotGoose, Tables
from store.errors import ResumeError
from store.models import NewMessage, Origin, Session, TitleFrom
from store.reading.chunks import Gathering
from store.reading.databases import database, fingerprint_of, is_database
from store.reading.files import files_below, home_of
from store.reading.values import object_of, title_of, without_attachments
from store.resume import Command, checked_id
from store.sources import Checkpoint, Chunk, SessionFacts, SkippedRecord, Source

_DATABASE = "sessions.db"
_ID = re.compile(r"\d{8}_\d+")
_AUTOMATED = frozenset({"scheduled", "hidden"})
_SUBAGENT = "sub_agent"
_MAX_TOOLS = 50


class Goose:
    """The adapter of Goose."""

    name = "goose"
    program = "goose"

    def roots(self, env: Mapping[str, str]) -> list[Path]:
        """Give the folder of the database, as the environment says, else under `~/.local`."""
        given = env.get("GOOSE_PATH_ROOT")
        if given:
            return [Path(given).expanduser() / "data" / "sessions"]
        data = env.get("XDG_DATA_HOME")
        share = Path(data) if data else home_of(env) / ".local" / "share"
        return [share / "goose" / "sessions"]

    def find(self, root: Path) -> Iterator[Source]:
        """Give the databases below a root, the last changed first."""
        found: list[Source] = []
        for path, _ in files_below(root, _DATABASE.__eq__):
            place = Path(path)
            if place.suffix != ".db" or not is_database(place) or not _is_goose(place):
                continue
            try:
                fingerprint = fingerprint_of(place)
            except OSError:
                continue
            found.append(Source(self.name, place.parent, place, fingerprint))
        yield from sorted(found, key=lambda one: one.fingerprint.mtime_ns, reverse=True)

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Chunk]:
        """Read the sessions that changed since a checkpoint, or all."""
        fingerprint = fingerprint_of(source.path)
        if since is not None and since.fingerprint.inode != fingerprint.inode:
            since = None
        with database(source.path) as connection:
            gathering = Gathering(source, fingerprint, since)
            yield from _Reading(Tables(connection), gathering, since).chunks()

    def resume(self, session: Session, *, fork: bool, env: Mapping[str, str]) -> Command:
        """Resume by id in the session's folder: Goose works wherever it is started."""
        if session.parent_session_id is not None:
            raise ResumeError("a sub-agent's conversation cannot be resumed; its parent's can")
        number = checked_id(session.session_id, _ID, "Goose")
        argv = [self.program, "session", "--resume", "--session-id", number]
        if fork:
            argv.append("--fork")
        additions: dict[str, str] = {}
        root = Path(session.root)
        if session.root and root not in self.roots(env):
            if root.parts[-2:] == ("data", "sessions"):
                additions["GOOSE_PATH_ROOT"] = str(root.parent.parent)
            elif root.parts[-2:] == ("goose", "sessions"):
                additions["XDG_DATA_HOME"] = str(root.parent.parent)
        return Command(tuple(argv), session.project_path or "", additions)


def _is_goose(path: Path) -> bool:
    """Tell whether a database is Goose's; one that cannot be read now may be."""
    if path.parent.name == "sessions":
        return True
    try:
        with database(path) as connection:
            Tables(connection)
    except NotGoose:
        return False
    except OSError:
        return True
    return True


@dataclass(slots=True)
class _Memory:
    """What is known of a session from earlier reads: enough to pass over it, or to go on."""

    last_row: int = 0
    updated: str = ""
    parent: str | None = None
    prompt: str | None = None
    tools: dict[str, str] = field(default_factory=dict)

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
        )

    def state(self) -> dict[str, JsonValue]:
        state: dict[str, JsonValue] = {"row": self.last_row, "updated": self.updated}
        if self.parent:
            state["parent"] = self.parent
        if self.prompt:
            state["prompt"] = self.prompt
        if self.tools:
            state["tools"] = dict(list(self.tools.items())[-_MAX_TOOLS:])
        return state


class _Reading:
    """One pass over a database: the sessions that are not as they were."""

    def __init__(self, tables: Tables, gathering: Gathering, since: Checkpoint | None) -> None:
        self._tables = tables
        self._gathering = gathering
        state = since.state if since is not None else {}
        last_row = state.get("row")
        self._last_row = last_row if isinstance(last_row, int) else 0
        self._state: dict[str, JsonValue] = dict(object_of(state.get("sessions")))
        self._parents: dict[str, str] | None = None
        self._origins: dict[str, str] | None = None

    def chunks(self) -> Iterator[Chunk]:
        """Give the chunks of every changed session, and the one that ends the source."""
        conversations = self._tables.conversations()
        for one in conversations:
            memory = _Memory.of(self._state.get(one.session_id))
            if self._is_unchanged(one, memory):
                continue
            yield from self._session(one, memory)
        self._last_row = max((one.last_row for one in conversations), default=0)
        yield self._chunk(None, finished=True)

    def _is_unchanged(self, one: Conversation, memory: _Memory) -> bool:
        if one.session_id not in self._state:
            return False
        if (memory.last_row, memory.updated) != (one.last_row, one.updated):
            return False
        return memory.parent == self._parent(one, memory)

    def _session(self, one: Conversation, memory: _Memory) -> Iterator[Chunk]:
        """Give the chunks of one session; each names it, and how far it was read."""
        origin = self._origin(one)
        copied = self._tables.message_ids(origin) if origin is not None else frozenset()
        memory.parent = self._parent(one, memory)
        reader = Reader(memory.tools, one.model)
        seen: dict[str, int] = {}
        started = one.created
        for number, name, row in self._tables.messages(one.session_id, memory.last_row):
            self._gathering.line += 1
            if isinstance(row, str):
                self._gathering.skip(SkippedRecord(number, f"message row {number}: {row}"))
            else:
                self._gathering.records += 1
                row = self._told_apart(one, row, number, name, seen)
                made = reader.messages(row, inherited=name in copied)
                _hear(made, memory)
                if origin is None and row.time and (started is None or row.time < started):
                    started = row.time
                self._gathering.add(made)
            memory.last_row = number
            if self._gathering.is_full:
                memory.updated = ""
                self._state[one.session_id] = memory.state()
                yield self._chunk(self._facts(one, memory, origin, started))
        memory.last_row, memory.updated = one.last_row, one.updated
        self._state[one.session_id] = memory.state()
        yield self._chunk(self._facts(one, memory, origin, started))

    def _told_apart(
        self, one: Conversation, row: Row, number: int, name: str, seen: dict[str, int]
    ) -> Row:
        """Give a row whose message id another row of its session has, too, a key of its own."""
        if not name:
            return row
        count = seen.get(name)
        if count is None:
            count = self._tables.times_before(one.session_id, name, number)
        seen[name] = count + 1
        return row._replace(key=f"{row.key}+{count}") if count else row

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

    def _chunk(self, session: SessionFacts | None, *, finished: bool = False) -> Chunk:
        state: dict[str, JsonValue] = {"sessions": dict(self._state), "row": self._last_row}
        return self._gathering.chunk(session, state, finished=finished)


def _hear(made: list[NewMessage], memory: _Memory) -> None:
    if memory.prompt is None:
        for message in made:
            if message.is_prompt:
                memory.prompt = title_of(without_attachments(message.content))
                return


def _origin_of(one: Conversation) -> Origin:
    if one.kind == _SUBAGENT:
        return Origin.SUBAGENT
    if one.kind in _AUTOMATED or one.is_scheduled:
        return Origin.AUTOMATED
    return Origin.PERSON
