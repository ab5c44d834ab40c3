"""Codex: one JSONL rollout per thread under `~/.codex/sessions/YYYY/MM/DD/`.

A fork of the newer versions holds only what came after it: what came before is read from the
rollouts that it names. One of the older versions holds a copy of it. The first Codex wrote one JSON
document per session.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from store.agents.codex import files, places
from store.agents.codex.copies import Copy
from store.agents.codex.facts import UUID, Facts
from store.agents.codex.manual import MANUAL
from store.agents.codex.records import Reader
from store.agents.codex.usage import Meter
from store.agents.codex.whole import Items, Marks
from store.agents.homes import at_home
from store.errors import ResumeError
from store.models import NewMessage, Session
from store.reading.chunks import Gathering
from store.reading.files import home_of
from store.reading.lines import Item, Lines, Record
from store.reading.transcripts import Transcript, opened, with_anchor
from store.reading.usage import Tally, remember_uncounted, uncounted_before
from store.reading.values import text_of
from store.resume import Command, checked_id
from store.resume.standing import Standing
from store.sources import Checkpoint, Chunk, Fingerprint, SkippedRecord, Source

_MAX_ORIGINS = 16  # forks of forks
_INHERITING = "inheriting"
_ON_LINE = "on_line"


class Codex:
    """The adapter of Codex."""

    name = "codex"
    title = "Codex"
    program = "codex"
    manual = MANUAL

    def __init__(self) -> None:
        self._threads = files.Threads()

    def roots(self, env: Mapping[str, str]) -> list[Path]:
        """Give the home: where the environment says, else `~/.codex`."""
        given = env.get("CODEX_HOME")
        return [Path(given).expanduser() if given else home_of(env) / ".codex"]

    def find(self, root: Path) -> Iterator[Source]:
        """Give the rollouts below a root, the last changed first."""
        self._threads.forget_places()
        found = sorted(files.rollouts(root), key=lambda one: one[1].st_mtime_ns, reverse=True)
        homes: dict[str, tuple[Path, Mapping[str, str]]] = {}
        for path, stat in found:
            folder = path.rpartition("/")[0]
            if folder not in homes:
                home = files.home(path, root)
                homes[folder] = (home, self._threads.names(home))
            home, names = homes[folder]
            fingerprint = files.with_name(Fingerprint.of(stat), path, names)
            yield Source(self.name, home, Path(path), fingerprint)

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Chunk]:
        """Read a rollout from a checkpoint, or from its start."""
        marks = None
        if files.is_whole(str(source.path)):
            marks = Marks(since.state if since is not None else {})
            since = None
        with opened(source, since, files.ENVELOPE) as transcript:
            reading = _Reading(source, transcript, self._threads, marks)
            yield from reading.chunks()
            if reading.has_to_start_over:
                transcript.start_over()
                reading = _Reading(source, transcript, self._threads)
                yield from reading.chunks()
            yield reading.chunk(finished=True)

    def expires_at(self, session: Session, *, env: Mapping[str, str]) -> datetime | None:  # noqa: ARG002
        """Codex deletes nothing by itself."""
        return None

    def resume(self, session: Session, *, fork: bool, env: Mapping[str, str]) -> Command:
        """Resume by id in the session's folder: Codex works wherever it is started."""
        if session.parent_session_id is not None:
            raise ResumeError("a sub-agent's conversation cannot be resumed; its parent's can")
        if session.source_path is not None and files.is_whole(session.source_path):
            raise ResumeError("the Codex of today cannot resume what its first versions wrote")
        thread = checked_id(session.session_id, UUID, "Codex")
        argv = (self.program, "fork" if fork else "resume", thread)
        command = Command(argv, session.project_path or "")
        return at_home(command, "CODEX_HOME", self._home(session, env), env)

    def standing(self, session: Session, folder: str, env: Mapping[str, str]) -> Standing:  # noqa: ARG002
        """Look for the thread's rollout, wherever in the home it is."""
        return places.standing(session, self._home(session, env), self.program)

    def placed(self, command: Command, session: Session) -> Command:
        """Name the folder, if it is another than the session's: Codex would ask which is meant."""
        if command.cwd == session.project_path or {"--cd", "-C"} & set(command.argv):
            return command
        return replace(command, argv=(*command.argv, "--cd", command.cwd))

    def origins(self, head: bytes) -> tuple[str, ...]:
        """Give the thread whose rollout a fork's goes on from, if it holds none of it itself."""
        return places.origins(head)

    def holder(self, session: Session, folder: str, env: Mapping[str, str]) -> str | None:  # noqa: ARG002
        """Say which process has the session open."""
        return places.holder(session, folder)

    def _home(self, session: Session, env: Mapping[str, str]) -> Path:
        own = self.roots(env)[0]
        return Path(session.root) if session.root and places.is_home(session) else own


class _Reading:
    """One pass over a rollout, from a checkpoint or from the start.

    `marks` is there for a rollout that is one document. A pass that did not count what was used is
    begun again, and no message of it is given again.
    """

    def __init__(
        self,
        source: Source,
        transcript: Transcript,
        threads: files.Threads,
        marks: Marks | None = None,
    ) -> None:
        self._source = source
        self._transcript = transcript
        self._threads = threads
        self._facts = Facts.of(source.path)
        self._known_end = 0
        if transcript.since is not None:
            is_cut = bool(transcript.since.state.get(_INHERITING))
            uncounted = uncounted_before(transcript.since.state)
            if is_cut or uncounted is not None:
                self._known_end = 0 if is_cut else uncounted or 0
                transcript.start_over()
        since = transcript.since
        if since is not None:
            self._facts.remember(since.state)
        self._marks = marks
        self._tally = Tally(since.state if since is not None else None)
        meter = Meter(self._tally, transcript.fingerprint.mtime_ns)
        self._reader = Reader(self._facts, by_content=marks is not None, meter=meter)
        if since is not None and isinstance(count := since.state.get(_ON_LINE), int):
            self._reader.last_line = (since.line, count)
        self._copy: Copy | None = None
        self._names = threads.names(source.root)
        fingerprint = files.with_name(transcript.fingerprint, str(source.path), self._names)
        self._gathering = Gathering(source, fingerprint, since)
        self._is_from_start = since is None

    def chunks(self) -> Iterator[Chunk]:
        """Give all chunks but the last."""
        lines = self._lines()
        gathering = self._gathering
        known_end = self._known_end
        for item in lines:
            # Two records may share a line: a checkpoint is only ever between lines.
            if gathering.is_full and item[1] != gathering.offset:
                yield self.chunk()
            made = self._messages(item)
            if self._facts.base:
                yield from self._inherited(is_new=item[1] > known_end)
            if not known_end or item[1] > known_end:
                gathering.add(made)
            if self._marks is not None:
                self._marks.add(made)
        gathering.pending = lines.pending

    def _lines(self) -> Lines | Items:
        if self._marks is not None:
            return Items(self._transcript.stream(), self._facts.begin)
        return self._transcript.lines()

    def _messages(self, item: Item) -> list[NewMessage]:
        number, end, record = item
        gathering = self._gathering
        gathering.line, gathering.offset = number, end
        if isinstance(record, SkippedRecord):
            gathering.skip(record)
            return []
        gathering.records += 1
        if self._copy is not None:
            original = self._copy.original(record)
            if original is None:
                self._copy = None
                self._facts.is_copy = False
            else:
                record = original
        is_marked = self._facts.has_meta
        made = self._reader.messages(record, number)
        if self._facts.copied_from is not None:
            self._begin_copy(is_marked=is_marked)
        return made

    def _begin_copy(self, *, is_marked: bool) -> None:
        """Expect what follows to be copied from an origin, unless that is expected already."""
        facts = self._facts
        origin, facts.copied_from = facts.copied_from or "", None
        if self._copy is None and origin != facts.session_id:
            records = _records(self._threads, self._source.root, origin)
            self._copy = Copy(records, facts.started, facts.last, is_marked=is_marked)
            facts.is_copy = True

    def _inherited(self, *, is_new: bool) -> Iterator[Chunk]:
        """Give what the fork took over, before the fork's own; only read it if it is not new."""
        base, self._facts.base = self._facts.base, {}
        self._facts.fork = self._facts.fork or text_of(base.get("thread_id")) or None
        for message in _history(self._threads, self._source.root, base, self._reader):
            if is_new:
                self._gathering.add([message])
            if self._gathering.is_full:
                yield self.chunk(is_inheriting=True)

    @property
    def has_to_start_over(self) -> bool:
        """Whether turns were taken back that this pass did not see."""
        return self._reader.wants_all and not self._is_from_start

    def chunk(self, *, finished: bool = False, is_inheriting: bool = False) -> Chunk:
        """Give a chunk of what was read since the last one.

        One that is cut while history is taken over cannot be gone on from, but only begun again.
        """
        title = self._names.get(self._facts.session_id)
        state = self._facts.state()
        line, count = self._reader.last_line
        if line == self._gathering.line:  # which may go on
            state[_ON_LINE] = count
        if is_inheriting or self._copy is not None:
            state[_INHERITING] = True
        if self._known_end and not finished:
            remember_uncounted(state, self._known_end)
        self._tally.remember(state)
        off = tuple(self._reader.rolled_back) if finished else ()
        on: tuple[str, ...] = ()
        if self._marks is not None:
            is_torn = not finished or self._gathering.pending is not None
            off, on = self._marks.settle(state, is_torn=is_torn)
        chunk = self._gathering.chunk(
            self._facts.session(title),
            state,
            finished=finished,
            off_branch=off,
            on_branch=on,
            usage=self._tally.news(),
        )
        with_anchor(self._transcript, chunk.checkpoint)
        return chunk


def _history(
    threads: files.Threads, home: Path, base: Record, own: Reader, depth: int = 0
) -> Iterator[NewMessage]:
    """Give the messages that a fork took over, its origin's own origin's first.

    `base` is a `history_base`: the origin's id and the ordinal (in records without ordinals the
    byte) where the fork's own history begins. An origin that is gone gives nothing. The turns are
    noted in the fork's reader `own`, as its own ones.
    """
    path = threads.rollout(home, text_of(base.get("thread_id")))
    if path is None or depth >= _MAX_ORIGINS:
        return
    facts = Facts.of(Path(path))
    reader = Reader(facts, of=own)
    try:
        with opened(_source(home, path), None, files.ENVELOPE) as transcript:
            for number, end, record in transcript.lines():
                if isinstance(record, SkippedRecord):
                    continue
                if _is_past(record, end, base):
                    break
                made = reader.messages(record, number)
                if facts.base:
                    origin, facts.base = facts.base, {}
                    yield from _history(threads, home, origin, own, depth + 1)
                yield from made
    except OSError:
        return


def _records(threads: files.Threads, home: Path, thread: str) -> Iterator[Record]:
    """Give the records of a thread; none when its rollout is gone or cannot be read."""
    path = threads.rollout(home, thread)
    if path is None:
        return
    try:
        with opened(_source(home, path), None, files.ENVELOPE) as transcript:
            for _, _, record in transcript.lines():
                if not isinstance(record, SkippedRecord):
                    yield record
    except OSError:
        return


def _source(home: Path, path: str) -> Source:
    return Source(Codex.name, home, Path(path), Fingerprint(0, 0, 0, 0))


def _is_past(record: Record, end: int, base: Record) -> bool:
    """Tell whether a record of the origin came after the fork."""
    ordinal, limit = record.get("ordinal"), base.get("end_ordinal_exclusive")
    if isinstance(ordinal, int) and isinstance(limit, int):
        return ordinal >= limit
    size = base.get("end_byte_offset")
    return isinstance(size, int) and end > size
