"""Sessions as Goose kept them before its database: one JSONL file each.

The first line tells of the session, unless it is a message already; the others are messages.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from store.agents.goose.files import DATABASE, is_beginning
from store.agents.goose.records import Keys, Reader, heard, row_of
from store.agents.goose.tables import Tables
from store.agents.goose.usage import add_up, used
from store.models import NewMessage, Origin, TitleFrom, Usage
from store.reading.chunks import Gathering
from store.reading.databases import database, fingerprint_of
from store.reading.lines import Record
from store.reading.transcripts import Transcript, with_anchor
from store.reading.usage import Figures, Tally
from store.reading.values import list_of, object_of, text_of, title_of
from store.sources import Chunk, Fingerprint, SessionFacts, SkippedRecord, Source
from store.text import storable
from store.times import parse_time

_TEXTS = ("folder", "title", "prompt", "started", "last", "schedule")
_MAX_TOOLS = 50
_MAX_KEYS = 500


class Holdings:
    """Knows which conversations are in the databases beside the files."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[Fingerprint, frozenset[str]]] = {}

    def hold(self, path: Path) -> bool:
        """Tell whether the database beside a session's file has messages of that session."""
        place = path.with_name(DATABASE)
        try:
            look = fingerprint_of(place)
        except OSError:
            return False
        known = self._known.get(place)
        if known is None or known[0] != look:
            known = self._known[place] = look, _held(place)
        return storable(path.stem) in known[1]


def _held(place: Path) -> frozenset[str]:
    try:
        with database(place) as connection:
            return Tables(connection).held()
    except OSError:
        return frozenset()


class SessionFile:
    """One pass over a file, from a checkpoint or from its start.

    Of a session that the database holds the lines are only counted.
    """

    def __init__(self, source: Source, transcript: Transcript, is_held: bool) -> None:
        since = transcript.since
        if since is not None and (not since.finished or bool(since.state.get("held")) != is_held):
            transcript.start_over()
            since = None
        self._source = source
        self._transcript = transcript
        self._is_held = is_held
        self._gathering = Gathering(source, transcript.fingerprint, since, keys_tell_content=True)
        state = since.state if since is not None else {}
        self._known = {name: text_of(state.get(name)) for name in _TEXTS}
        self._reader = Reader(_names(state.get("tools")), None)
        self._keys = Keys(_counts(state.get("keys")))
        self._latest: list[str] = list(self._keys.seen)
        self._used: Figures | None = None

    def chunks(self) -> Iterator[Chunk]:
        """Give what the file holds, step by step."""
        lines = self._transcript.lines()
        gathering = self._gathering
        for number, end, record in lines:
            if gathering.is_full:
                yield self._chunk()
            gathering.line, gathering.offset = number, end
            if isinstance(record, SkippedRecord):
                gathering.skip(record)
                continue
            gathering.records += 1
            if not self._is_held:
                gathering.add(self._messages(record))
        gathering.pending = lines.pending
        yield self._chunk(finished=True)

    def _messages(self, record: Record) -> list[NewMessage]:
        if is_beginning(record):
            self._known["folder"] = text_of(record.get("working_dir"))
            self._known["title"] = title_of(text_of(record.get("description"))) or ""
            self._known["schedule"] = text_of(record.get("schedule_id"))
            added_up = ("accumulated_input_tokens", "accumulated_output_tokens")
            self._used = used(*(record.get(name) for name in added_up))
            return []
        created = parse_time(record.get("created"))
        content = record.get("content")
        blocks = [content] if isinstance(content, str | dict) else list_of(content)
        is_visible = object_of(record.get("metadata")).get("userVisible") is not False
        row = row_of(record.get("role"), created, blocks, is_visible)
        self._date(created, row.key)
        if created is None:
            row = row._replace(time=parse_time(self._known["last"]))
        made = self._reader.messages(self._keys.told_apart(row))
        self._known["prompt"] = self._known["prompt"] or heard(made) or ""
        return made

    def _date(self, created: datetime | None, key: str) -> None:
        """Take the time of a record, and note the keys that one still to come may have, too."""
        if created is not None:
            moment = created.isoformat()
            if moment != self._known["last"]:
                self._latest.clear()
            self._known["last"] = moment
            started = self._known["started"]
            self._known["started"] = min(started, moment) if started else moment
        self._latest.append(key)

    def _facts(self) -> SessionFacts | None:
        session_id = storable(self._source.path.stem)
        if self._is_held or not session_id:
            return None
        known = self._known
        return SessionFacts(
            session_id=session_id,
            namespace=str(self._source.root),
            title=known["title"] or known["prompt"] or None,
            title_from=TitleFrom.AGENT if known["title"] else TitleFrom.PROMPT,
            origin=Origin.AUTOMATED if known["schedule"] else Origin.PERSON,
            project_path=known["folder"] or None,
            started_at=parse_time(known["started"]),
        )

    def _usage(self) -> tuple[Usage, ...]:
        last = parse_time(self._known["last"])
        changed_ns = self._gathering.fingerprint.mtime_ns
        return add_up(Tally(), self._used, (), None, last, changed_ns)

    def _chunk(self, *, finished: bool = False) -> Chunk:
        state: dict[str, JsonValue] = {name: text for name, text in self._known.items() if text}
        tools = self._reader.tools
        if tools:
            state["tools"] = dict(list(tools.items())[-_MAX_TOOLS:])
        if self._latest:
            state["keys"] = {key: self._keys.seen[key] for key in self._latest[-_MAX_KEYS:]}
        if self._is_held:
            state["held"] = True
        usage = self._usage() if finished else ()
        chunk = self._gathering.chunk(self._facts(), state, finished=finished, usage=usage)
        with_anchor(self._transcript, chunk.checkpoint)
        return chunk


def _names(state: object) -> dict[str, str]:
    return {call: name for call, name in object_of(state).items() if isinstance(name, str)}


def _counts(state: object) -> dict[str, int]:
    return {key: count for key, count in object_of(state).items() if isinstance(count, int)}
