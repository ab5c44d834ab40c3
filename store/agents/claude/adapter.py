"""Claude Code: one JSONL transcript per session under `~/.claude/projects/`.

A transcript is a tree of records that grows at its end; going back in a conversation begins a new
branch in the same file. Beside them `~/.claude/history.jsonl` has every prompt, also those of
sessions whose transcripts were deleted.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from store.agents.claude import files, history, places
from store.agents.claude.facts import UUID, Facts
from store.agents.claude.forks import Forks
from store.agents.claude.manual import MANUAL
from store.agents.claude.records import Reader
from store.agents.claude.retention import expires_at
from store.agents.claude.tree import Nodes, begins_after, follows, leaf_of, off_branch
from store.agents.claude.usage import Answers
from store.agents.homes import at_home
from store.errors import ResumeError
from store.models import Session
from store.reading.chunks import Gathering
from store.reading.files import home_of
from store.reading.transcripts import Transcript, opened, with_anchor
from store.reading.usage import Tally, remember_uncounted, uncounted_before
from store.reading.values import text_of
from store.resume import Command, checked_id
from store.resume.standing import Standing
from store.sources import Checkpoint, Chunk, Fingerprint, SkippedRecord, Source
from store.times import parse_time

_ON_LINE = "on_line"
_COPIED = "copied"


class ClaudeCode:
    """The adapter of Claude Code."""

    name = "claude"
    title = "Claude Code"
    program = "claude"
    manual = MANUAL

    def __init__(self) -> None:
        self._forks = Forks()

    def roots(self, env: Mapping[str, str]) -> list[Path]:
        """Give the homes: where the environment says, else `~/.claude`; then the older place."""
        home = home_of(env)
        given = env.get("CLAUDE_CONFIG_DIR")
        first = Path(given).expanduser() if given else home / ".claude"
        older = home / ".config" / "claude"
        return [first] if first == older else [first, older]

    def find(self, root: Path) -> Iterator[Source]:
        """Give the transcripts and histories below a root, the last changed first."""
        found = sorted(files.sources(root), key=lambda one: one[1].st_mtime_ns, reverse=True)
        homes: dict[str, Path] = {}
        for path, stat in found:
            folder = path.rpartition("/")[0]
            home = homes.get(folder)
            if home is None:
                home = homes[folder] = files.home(path, root)
            yield Source(self.name, home, Path(path), Fingerprint.of(stat))

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Chunk]:
        """Read a transcript or a history from a checkpoint, or from its start."""
        if source.path.name == history.NAME:
            yield from history.read(source, since)
            return
        with opened(source, since, files.ENVELOPE) as transcript:
            reading = _Reading(source, transcript, self._forks)
            yield from reading.chunks()
            if reading.has_lost_its_place:
                transcript.start_over()
                reading = _Reading(source, transcript, self._forks, before=since)
                yield from reading.chunks()
            yield reading.last_chunk()

    def expires_at(self, session: Session, *, env: Mapping[str, str]) -> datetime | None:
        """Give when a start of Claude Code would delete the transcript."""
        if not session.source_path or Path(session.source_path).name == history.NAME:
            return None
        return expires_at(Path(session.source_path), Path(session.root), self.roots(env))

    def resume(self, session: Session, *, fork: bool, env: Mapping[str, str]) -> Command:
        """Resume by id in the folder where the session began: only there is it found."""
        if session.parent_session_id is not None or "/" in session.session_id:
            raise ResumeError("a sub-agent's conversation cannot be resumed; its parent's can")
        if session.source_path and Path(session.source_path).name == history.NAME:
            raise ResumeError("Claude Code deleted this session: only its prompts are left")
        argv = [self.program, "--resume", checked_id(session.session_id, UUID, "Claude Code")]
        if fork:
            argv.append("--fork-session")
        folder = places.start_folder(session) or ""
        return at_home(
            Command(tuple(argv), folder), "CLAUDE_CONFIG_DIR", self._home(session, env), env
        )

    def standing(self, session: Session, folder: str, env: Mapping[str, str]) -> Standing:
        """Look for the transcript under the folder's name, which is where Claude Code looks.

        Where it began it finds what is there: how folders were named has changed over time.
        """
        home = self._home(session, env)
        transcript = places.transcript(home, folder, session.session_id)
        if not transcript.is_file() and folder == places.start_folder(session):
            own = Path(session.source_path or "")
            if own.name == transcript.name and own.parents[1:2] == (home / "projects",):
                transcript = own
        return Standing(transcript.is_file(), home, transcript)

    def placed(self, command: Command, session: Session) -> Command:  # noqa: ARG002
        """Give the command as it is: the agent works where it is started."""
        return command

    def origins(self, head: bytes) -> tuple[str, ...]:  # noqa: ARG002 - none whatever it says
        """Give nothing: a fork's transcript has all that it took over."""
        return ()

    def holder(self, session: Session, folder: str, env: Mapping[str, str]) -> str | None:  # noqa: ARG002
        """Say which process has the session open."""
        return places.holder(self._home(session, env), session.session_id)

    def _home(self, session: Session, env: Mapping[str, str]) -> Path:
        own = self.roots(env)[0]
        return Path(session.root) if session.root and places.is_home(session) else own


class _Reading:
    """One pass over a transcript, from a checkpoint or from the start.

    A pass that was interrupted is begun again: the tree of what came before is needed to tell
    what was rewound, and storing a message again stores nothing. `before` is the checkpoint of
    a pass after which the tree changed where that pass had already been.
    """

    def __init__(
        self,
        source: Source,
        transcript: Transcript,
        forks: Forks,
        before: Checkpoint | None = None,
    ) -> None:
        self._known_end = 0
        if transcript.since is not None and not transcript.since.finished:
            before = transcript.since
            self._known_end = uncounted_before(before.state) or 0
            transcript.start_over()
        elif transcript.since is not None and not {"tip", "cwd"} & transcript.since.state.keys():
            transcript.start_over()  # nothing was said before: only now may it tell its origin
        self._since = transcript.since
        self._before = before
        self._transcript = transcript
        self._facts = Facts.of(source.path)
        self._tip: str | None = None
        copied: Container[str] = ()
        self._summaries: Mapping[str, str] = {}
        if self._since is not None:
            self._facts.remember(self._since.state)
            self._tip = text_of(self._since.state.get("tip")) or None
        else:
            origin = forks.origin(source.path)
            if origin is not None:
                self._facts.fork, copied = origin.session_id, origin.copied
            self._summaries = forks.summaries(source.path.parent)
        self._tally = Tally(self._since.state if self._since is not None else None)
        self._answers = Answers(self._tally, transcript.fingerprint.mtime_ns)
        last = self._since or before
        lines = last.state.get(_COPIED) if last is not None else None
        self._reader = Reader(
            self._facts,
            copied,
            answers=self._answers,
            copied_lines=lines if isinstance(lines, int) else 0,
        )
        if self._since is not None and isinstance(count := self._since.state.get(_ON_LINE), int):
            self._reader.last_line = (self._since.line, count)
        self._gathering = Gathering(source, transcript.fingerprint, self._since)
        self._count_before = 0

    def chunks(self) -> Iterator[Chunk]:
        """Give all chunks but the last."""
        lines = self._transcript.lines()
        gathering = self._gathering
        reader = self._reader
        end_before = self._before.offset if self._before is not None else 0
        known_end = self._known_end
        for number, end, record in lines:
            if gathering.is_full:
                yield self._chunk()
            gathering.line, gathering.offset = number, end
            if isinstance(record, SkippedRecord):
                gathering.skip(record)
                continue
            gathering.records += 1
            made = reader.messages(record, number)
            if not known_end or end > known_end:
                gathering.add(made)
            if end <= end_before:
                self._count_before = len(reader.nodes)
        gathering.pending = lines.pending
        self._facts.settle(reader.nodes, self._summaries)

    @property
    def has_lost_its_place(self) -> bool:
        """Whether the new records do not simply follow the ones read before."""
        if self._since is None:
            return False
        nodes, marked = self._reader.nodes, self._reader.leaf
        is_rewound = marked is not None and marked not in nodes and marked != self._tip
        return is_rewound or not begins_after(nodes, self._tip)

    def last_chunk(self) -> Chunk:
        """Give the chunk that ends the source, with what is known only now about branches."""
        nodes = self._reader.nodes
        leaf = leaf_of(nodes, self._reader.leaf, self._tip)
        off = {key for name in off_branch(nodes, leaf) for key in nodes[name].keys}
        back = self._came_back(nodes, off)
        state = self._state(finished=True)
        if leaf in nodes and self._is_newer(nodes, leaf):
            state["tip"] = leaf
            time = nodes[leaf].time
            state["tip_time"] = time.isoformat() if time else None
        if off:
            state["off"] = True
        return self._chunk(state, off=tuple(sorted(off)), back=back, finished=True)

    def _is_newer(self, nodes: Nodes, leaf: str) -> bool:
        if self._since is None:
            return True
        before, now = parse_time(self._since.state.get("tip_time")), nodes[leaf].time
        is_later = before is None or now is None or now >= before
        return is_later or follows(nodes, leaf, self._tip)

    def _came_back(self, nodes: Nodes, off: set[str]) -> tuple[str, ...]:
        """Give the keys that the store may hold as rewound and that are not, or no more."""
        before = self._before
        if before is None or not before.state.get("off"):
            return ()
        tip = text_of(before.state.get("tip")) or None
        if before.finished and tip in nodes:
            names = list(nodes)[: self._count_before]
            then = {name: nodes[name] for name in names}
            marked = {key for name in off_branch(then, tip) for key in nodes[name].keys}
        else:
            marked = {key for node in nodes.values() for key in node.keys}
        return tuple(sorted(marked - off))

    def _state(self, *, finished: bool) -> dict[str, JsonValue]:
        state = self._facts.state()
        line, count = self._reader.last_line
        if line == self._gathering.line:  # which may go on
            state[_ON_LINE] = count
        if self._reader.copied_lines:
            state[_COPIED] = self._reader.copied_lines
        if self._known_end and not finished:
            remember_uncounted(state, self._known_end)
        if finished:  # what is not is begun again
            self._answers.remember()
            self._tally.remember(state)
        kept = self._since or (None if finished else self._before)
        for name in ("tip", "tip_time", "off"):
            if kept is not None and name in kept.state:
                state[name] = kept.state[name]
        return state

    def _chunk(
        self,
        state: dict[str, JsonValue] | None = None,
        *,
        off: tuple[str, ...] = (),
        back: tuple[str, ...] = (),
        finished: bool = False,
    ) -> Chunk:
        chunk = self._gathering.chunk(
            self._facts.session(),
            self._state(finished=False) if state is None else state,
            finished=finished,
            off_branch=off,
            on_branch=back,
            usage=self._tally.news(),
        )
        with_anchor(self._transcript, chunk.checkpoint)
        return chunk
