"""Everything that is known of a task, as rows of a name and a value. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from store.activity import activity
from store.ages import age
from store.enums import Kind, Role, TitleFrom
from store.text import printable
from tui.render.detail import DOING, until
from tui.render.figures import moment, size, span

if TYPE_CHECKING:
    from store.models import Session, Task, TaskRow, Usage
    from tui.facts import Disk, Facts, Resumption

_NOT_YET = "…"
_KINDS: tuple[tuple[str, tuple[Role, Kind]], ...] = (
    ("Answers", (Role.ASSISTANT, Kind.TEXT)),
    ("Thinking", (Role.ASSISTANT, Kind.THINKING)),
    ("Tool results", (Role.TOOL, Kind.TOOL_RESULT)),
    ("Summaries", (Role.SYSTEM, Kind.SUMMARY)),
)
_TOKENS = (
    ("Input", "input_tokens"),
    ("Cache read", "cache_read_tokens"),
    ("Cache write", "cache_write_tokens"),
    ("Output", "output_tokens"),
    ("Reasoning in it", "reasoning_tokens"),
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A row: what it is, how it is shown, and what is copied of it.

    `shown` has been made printable, and may have several lines. A heading has a name only.
    """

    name: str
    shown: str = ""
    raw: str = ""
    is_warning: bool = False

    @property
    def is_heading(self) -> bool:
        """Whether it stands above others, and says nothing itself."""
        return not self.shown


def sheet(row: TaskRow, facts: Facts, now: datetime) -> list[Fact]:
    """Give everything that is known, under headings; what is not known is left out."""
    session = row.session
    parts: list[tuple[str, Iterable[Fact | None]]] = [("Task", _task(row, now))]
    if session is not None:
        parts.append(("Session", _session(row, session, facts, now)))
    parts.append(("Messages", _messages(row, facts)))
    parts.append(("Tokens", _tokens(facts.usage)))
    parts.append(("Connections", _connections(row, facts)))
    if session is not None:
        parts.append(("Source", _source(session, facts, now)))
        parts.append(("Resume", _resume(facts.resumption)))
    rows: list[Fact] = []
    for heading, some in parts:
        known = [fact for fact in some if fact is not None and fact.shown]
        if known:
            rows += [Fact(heading), *known]
    return rows


def as_text(rows: Sequence[Fact]) -> str:
    """Give all rows as text to be copied: the values as they are."""
    lines: list[str] = []
    for row in rows:
        if row.is_heading:
            lines += ["", row.name]
        else:
            lines.append(f"  {row.name}: {row.raw}")
    return "\n".join(lines[1:]) + "\n"


def _task(row: TaskRow, now: datetime) -> Iterator[Fact | None]:
    task = row.task
    by = {TitleFrom.PERSON: "you", TitleFrom.PROMPT: "its first prompt"}
    yield _said("Title", task.title or "(no title)")
    agent = row.session.backend if row.session else "its agent"
    yield _said("Title given by", by.get(task.title_from, agent))
    yield _said("Status", task.status)
    yield _said(
        "Begun by", {"person": "a person", "subagent": "an agent"}.get(task.origin, "itself")
    )
    yield _said("Tags", " ".join(f"#{tag}" for tag in task.tags))
    yield _said("Notes", task.notes, lines=True)
    yield _when("Archived", task.archived_at, now)
    yield _said("Task id", task.id)


def _session(row: TaskRow, session: Session, facts: Facts, now: datetime) -> Iterator[Fact | None]:
    version = f" {session.agent_version}" if session.agent_version else ""
    yield _said("Agent", session.backend + version)
    yield _said("Session id", session.session_id)
    yield _said("Doing", DOING[activity(row, now)])
    yield _said("Permission mode", session.permission_mode)
    folder = session.project_path or row.task.project_path
    yield _said("Folder", folder)
    if folder:
        yield _folder(facts.disk)
    yield _said("Branch", session.git_branch)
    yield _said("Models", ", ".join(_models(session, facts.usage)))
    yield _when("Started", session.created_at, now)
    last = row.task.last_message_at
    yield _when("Last message", last, now)
    if last is not None and last > session.created_at:
        lasted = last - session.created_at
        yield Fact("Duration", span(lasted), f"{lasted.total_seconds():.0f} s")
    yield _said("Agent's home", session.root)


def _folder(disk: Disk | None) -> Fact:
    if disk is None:
        return Fact("Folder exists", _NOT_YET)
    there = "yes" if disk.has_folder else "not there any more"
    return Fact("Folder exists", there, there, is_warning=not disk.has_folder)


def _models(session: Session, usage: Iterable[Usage]) -> list[str]:
    names = dict.fromkeys(one.model for one in usage if one.model)
    if session.model:
        names.setdefault(session.model, None)
    return list(names)


def _messages(row: TaskRow, facts: Facts) -> Iterator[Fact | None]:
    task = row.task
    yield _counted("In all", task.message_count)
    yield _counted("Prompts", task.prompt_count)
    yield _counted("Tool calls", task.tool_call_count)
    if not task.message_count:
        return
    counts = facts.counts
    for name, kind in _KINDS:
        if counts is None:
            yield Fact(name, _NOT_YET)
        elif kind in counts:
            yield _counted(name, counts[kind])
    if counts is not None:
        yield from _others(counts, task.prompt_count)


def _others(counts: Mapping[tuple[Role, Kind], int], prompts: int) -> Iterator[Fact]:
    """Give what has no name of its own: nothing that is counted may be missing."""
    named = {kind for _, kind in _KINDS} | {(Role.ASSISTANT, Kind.TOOL_CALL)}
    for (role, kind), number in counts.items():
        if (role, kind) == (Role.USER, Kind.TEXT):
            if number > prompts:
                yield _counted("Not typed", number - prompts)
        elif (role, kind) not in named:
            yield _counted(f"{role}, {kind.replace('_', ' ')}", number)


def _tokens(usage: Sequence[Usage]) -> Iterator[Fact | None]:
    for name, field in _TOKENS:
        known = [figure for one in usage if (figure := getattr(one, field)) is not None]
        if known:
            yield _counted(name, sum(known))
    models: dict[str, list[Usage]] = {}
    for one in usage:
        models.setdefault(one.model, []).append(one)
    if usage:
        yield _counted("In all", sum(one.total_tokens for one in usage))
    if len(models) > 1:
        for model, own in models.items():
            sent = sum(one.sent_tokens for one in own)
            output = sum(one.output_tokens for one in own)
            name = f"by {printable(model) or 'a model without a name'}"
            yield Fact(name, f"{sent:,} in, {output:,} out", f"{sent} in, {output} out")


def _connections(row: TaskRow, facts: Facts) -> Iterator[Fact | None]:
    yield _task_of("Sub-agent of", facts.parent)
    yield _counted("Sub-agents", row.children) if row.children else None
    yield _task_of("Fork of", facts.origin)
    for name, others in (
        ("Forked as", facts.forks),
        ("Needs", facts.needs),
        ("Needed by", facts.needed_by),
    ):
        for other in others:
            yield _task_of(name, other)
    session = row.session
    if session is not None and facts.parent is None:
        yield _said("Parent session", session.parent_session_id)
    if session is not None and facts.origin is None:
        yield _said("Forked from", session.fork_session_id)


def _task_of(name: str, task: Task | None) -> Fact | None:
    if task is None:
        return None
    title = printable(task.title) or "(no title)"
    return Fact(name, f"{title} · {task.status}", task.title or task.id)


def _source(session: Session, facts: Facts, now: datetime) -> Iterator[Fact | None]:
    disk, path = facts.disk, session.source_path
    if path is None:
        return
    yield _said("File", path)
    if disk is None:
        yield Fact("On disk", _NOT_YET)
        return
    if disk.source_size is not None:
        yield Fact("On disk", size(disk.source_size), str(disk.source_size))
    else:
        yield Fact("On disk", "not there any more", "not there any more", is_warning=True)
        yield _when("Missed since", session.source_gone_at, now)
    if disk.expires_at is not None:
        when = f"{until(disk.expires_at, now)} ({moment(disk.expires_at)})"
        yield Fact("Agent deletes it", when, disk.expires_at.isoformat(), is_warning=not facts.kept)
    elif disk.source_size is not None:
        yield _said("Agent deletes it", "not by itself")
    yield Fact("Kept in the store", *_kept(facts.kept or 0, disk.source_size))


def _kept(kept: int, whole: int | None) -> tuple[str, str]:
    if not kept:
        return "its messages only", "0"
    part = f" of {size(whole)}" if whole is not None and kept < whole else ", as it was"
    return size(kept) + part, str(kept)


def _resume(how: Resumption | None) -> Iterator[Fact | None]:
    if how is None:
        yield Fact("Command", _NOT_YET)
        return
    yield _said("Command", how.command)
    yield _warned("Cannot be resumed", how.refusal)
    for words in how.obstacles:
        yield _warned("In the way", words)
    for words in how.doubts:
        yield _warned("To be asked", words)
    for words in how.notes:
        yield _said("Note", words)


def _warned(name: str, words: str | None) -> Fact | None:
    return Fact(name, printable(words), words, is_warning=True) if words else None


def _said(name: str, value: str | None, *, lines: bool = False) -> Fact | None:
    """Give a row of a text from outside, if there is any."""
    return Fact(name, printable(value, lines=lines), value) if value else None


def _counted(name: str, number: int) -> Fact:
    return Fact(name, f"{number:,}", str(number))


def _when(name: str, time: datetime | None, now: datetime) -> Fact | None:
    if time is None:
        return None
    return Fact(name, f"{moment(time)}, {age(time, now)} ago", time.isoformat())
