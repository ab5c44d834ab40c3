"""What a Claude Code transcript says of its session, kept between reads."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from store.models import Origin, TitleFrom
from store.reading.files import head_of
from store.reading.lines import Record
from store.reading.values import object_of, text_of, title_of, without_attachments
from store.sources import SessionFacts
from store.text import storable
from store.times import parse_time

UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_AGENT = "agent-"
_SUBAGENTS = "subagents"
_WARMUP = "Warmup"
_FAILURES = ("API Error", "Invalid API key", "Credit balance is too low")
_MAX_TOOLS = 200
_MAX_SUMMARIES = 20
_TEXTS = (
    "own_id",
    "cwd",
    "branch",
    "model",
    "version",
    "mode",
    "custom_title",
    "agent_name",
    "ai_title",
    "summary",
    "prompt",
    "fork",
)


@dataclass(slots=True)
class Facts:
    """What is known of a session so far.

    `agent` is the sub-agent's id when the file is a sub-agent's, and `parent` the session that
    the path says it belongs to. `tools` are the names of the calls that wait for their results.
    """

    stem: str
    agent: str | None = None
    parent: str | None = None
    description: str | None = None
    own_id: str | None = None
    cwd: str | None = None
    branch: str | None = None
    model: str | None = None
    version: str | None = None
    mode: str | None = None
    custom_title: str | None = None
    agent_name: str | None = None
    ai_title: str | None = None
    summary: str | None = None
    prompt: str | None = None
    fork: str | None = None
    started: datetime | None = None
    last: datetime | None = None
    tools: dict[str, str] = field(default_factory=dict)
    summaries: dict[str, str] = field(default_factory=dict)
    is_seen: bool = False

    @classmethod
    def of(cls, path: Path) -> Facts:
        """Take what the path of a transcript says."""
        stem = storable(path.name.partition(".")[0])
        if not stem.startswith(_AGENT):
            return cls(stem)
        parent = None
        if _SUBAGENTS in path.parts:
            place = len(path.parts) - 1 - path.parts[::-1].index(_SUBAGENTS)
            parent = storable(path.parts[place - 1]) if place else None
        return cls(
            stem,
            agent=stem.removeprefix(_AGENT),
            parent=parent if parent and UUID.fullmatch(parent) else None,
            description=_description(path),
        )

    def remember(self, state: dict[str, JsonValue]) -> None:
        """Take back what `state` gave."""
        for name in _TEXTS:
            value = state.get(name)
            setattr(self, name, value if isinstance(value, str) else None)
        self.started = parse_time(state.get("started"))
        self.last = parse_time(state.get("last"))
        tools = object_of(state.get("tools"))
        self.tools = {call: name for call, name in tools.items() if isinstance(name, str)}

    def state(self) -> dict[str, JsonValue]:
        """Give what has to be known to go on reading, as JSON of bounded size."""
        state: dict[str, JsonValue] = {
            name: value for name in _TEXTS if (value := getattr(self, name)) is not None
        }
        for name, moment in (("started", self.started), ("last", self.last)):
            if moment is not None:
                state[name] = moment.isoformat()
        if self.tools:
            state["tools"] = dict(list(self.tools.items())[-_MAX_TOOLS:])
        return state

    def stamp(self, time: datetime | None) -> datetime | None:
        """Give the time of a record: its own, else that of the one before."""
        if time is None:
            return self.last
        self.last = time
        return time

    def see(self, record: Record) -> None:
        """Learn from a record of the conversation."""
        self.is_seen = True
        if self.own_id is None:
            self.own_id = text_of(record.get("sessionId")) or None
        if self.cwd is None:
            self.cwd = text_of(record.get("cwd")) or None
        self.branch = text_of(record.get("gitBranch")) or self.branch
        self.version = text_of(record.get("version")) or self.version
        if "permissionMode" in record:
            self.mode = text_of(record["permissionMode"]) or self.mode

    def begin(self, time: datetime | None) -> None:
        """Learn the time of a message."""
        if time is not None and (self.started is None or time < self.started):
            self.started = time

    def learn(self, kind: str, record: Record) -> None:
        """Learn from a record beside the conversation."""
        if self.own_id is None and kind != "summary":
            self.own_id = text_of(record.get("sessionId")) or None
        if kind == "custom-title":
            self.custom_title = title_of(text_of(record.get("customTitle"))) or self.custom_title
        elif kind == "agent-name":
            self.agent_name = title_of(text_of(record.get("agentName"))) or self.agent_name
        elif kind == "ai-title":
            self.ai_title = title_of(text_of(record.get("aiTitle"))) or self.ai_title
        elif kind == "permission-mode":
            self.mode = text_of(record.get("permissionMode")) or self.mode
        elif kind == "summary":
            title = summary_of(record)
            if title and len(self.summaries) < _MAX_SUMMARIES:
                self.summaries[text_of(record.get("leafUuid"))] = title

    def hear(self, prompt: str) -> None:
        """Learn a prompt: the first one is the title that there is when nothing gives another."""
        if self.prompt is None:
            self.prompt = title_of(without_attachments(prompt))

    def settle(self, names: Collection[str], elsewhere: Mapping[str, str]) -> None:
        """Take the summaries of records that are in this file; others belong to other sessions.

        `elsewhere` has the summaries that the files beside this one hold.
        """
        if elsewhere and self.summary is None:
            for name in names:
                self.summary = elsewhere.get(name, self.summary)
        for leaf, title in self.summaries.items():
            if leaf in names:
                self.summary = title

    def session(self) -> SessionFacts | None:
        """Give the facts; None when nothing tells the session's id."""
        session_id = self._session_id()
        if not session_id:
            return None
        title, title_from = self._title()
        return SessionFacts(
            session_id=session_id,
            title=title,
            title_from=title_from,
            origin=self._origin(),
            project_path=self.cwd,
            git_branch=self.branch,
            model=self.model,
            agent_version=self.version,
            permission_mode=self.mode,
            parent_session_id=self._parent(),
            fork_session_id=self.fork,
            started_at=self.started,
        )

    def _parent(self) -> str | None:
        return (self.parent or self.own_id) if self.agent is not None else None

    def _session_id(self) -> str | None:
        if self.agent is not None:
            parent = self._parent()
            if parent:
                return f"{parent}/{self.stem}"
            return self.stem if self.is_seen or self.started else None
        if UUID.fullmatch(self.stem):
            return self.stem
        return self.own_id or self.stem

    def _origin(self) -> Origin:
        if self.agent is None:
            return Origin.PERSON
        return Origin.AUTOMATED if self.prompt == _WARMUP else Origin.SUBAGENT

    def _title(self) -> tuple[str | None, TitleFrom]:
        given = self.custom_title or self.agent_name or self.ai_title or self.summary
        if self.agent is not None:
            given = self.description
        if given:
            return given, TitleFrom.AGENT
        return self.prompt, TitleFrom.PROMPT


def summary_of(record: Record) -> str | None:
    """Give the title in a summary record; None where summing up failed and the failure is there."""
    title = title_of(text_of(record.get("summary")))
    return None if title is None or title.startswith(_FAILURES) else title


def _description(path: Path) -> str | None:
    """Read a sub-agent's task from the file beside its transcript, where 2.1 writes it."""
    raw = head_of(path.with_name(f"{path.name.partition('.')[0]}.meta.json"))
    try:
        return title_of(storable(text_of(object_of(json.loads(raw)).get("description"))))
    except (ValueError, RecursionError):
        return None
