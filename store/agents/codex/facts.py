"""What a Codex rollout says of its session, kept between reads."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from store.models import Origin, TitleFrom
from store.reading.values import object_of, text_of, title_of
from store.sources import SessionFacts
from store.text import storable
from store.times import parse_time

UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_MAX_TOOLS = 200
_TEXTS = (
    *("own_id", "cwd", "branch", "model", "version", "approval", "sandbox"),
    *("name", "prompt", "copied_prompt"),
)
_LINKS = ("parent", "fork")


@dataclass(slots=True)
class Facts:
    """What is known of a session so far.

    `base` is the `history_base` of a fork, if it has one; `copied_from` the session of which
    a copy may follow; `is_copy` says that what is read is copied from there.
    """

    stem: str
    archived: bool = False
    own_id: str | None = None
    cwd: str | None = None
    branch: str | None = None
    model: str | None = None
    version: str | None = None
    approval: str | None = None
    sandbox: str | None = None
    name: str | None = None
    prompt: str | None = None
    copied_prompt: str | None = None
    copied_from: str | None = None
    is_copy: bool = False
    parent: str | None = None
    fork: str | None = None
    is_subagent: bool = False
    has_meta: bool = False
    base: dict[str, Any] = field(default_factory=dict)
    started: datetime | None = None
    last: datetime | None = None
    tools: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> Facts:
        """Take what the path of a rollout says."""
        return cls(storable(path.name.partition(".")[0]), path.parent.name == "archived_sessions")

    def remember(self, state: dict[str, JsonValue]) -> None:
        """Take back what `state` gave."""
        for name in (*_TEXTS, *_LINKS):
            value = state.get(name)
            setattr(self, name, value if isinstance(value, str) else None)
        self.is_subagent = state.get("is_subagent") is True
        self.has_meta = state.get("has_meta") is True
        self.started = parse_time(state.get("started"))
        self.last = parse_time(state.get("last"))
        tools = object_of(state.get("tools"))
        self.tools = {call: name for call, name in tools.items() if isinstance(name, str)}

    def state(self) -> dict[str, JsonValue]:
        """Give what has to be known to go on reading, as JSON of bounded size."""
        state: dict[str, JsonValue] = {
            name: value for name in (*_TEXTS, *_LINKS) if (value := getattr(self, name)) is not None
        }
        state["is_subagent"] = self.is_subagent
        state["has_meta"] = self.has_meta
        for name, moment in (("started", self.started), ("last", self.last)):
            if moment is not None:
                state[name] = moment.isoformat()
        if self.tools:
            state["tools"] = dict(list(self.tools.items())[-_MAX_TOOLS:])
        return state

    @property
    def session_id(self) -> str:
        """The session's id: the first meta record's, else the one in the file's name."""
        if self.own_id:
            return self.own_id
        match = re.search(f"({UUID.pattern})$", self.stem)
        return match[1] if match else self.stem

    def stamp(self, time: datetime | None) -> datetime | None:
        """Give the time of a record: its own, else that of the one before."""
        if time is None:
            return self.last
        self.last = time
        if self.started is None:
            self.started = time
        return time

    def begin(self, meta: dict[str, Any]) -> None:
        """Learn from the first meta record; a later one is a copy of an origin's."""
        if self.has_meta:
            self._begin_copy(text_of(meta.get("id")))
            return
        self.has_meta = True
        self.own_id = text_of(meta.get("id")) or None
        self.cwd = text_of(meta.get("cwd")) or self.cwd
        self.version = text_of(meta.get("cli_version")) or None
        self.branch = text_of(object_of(meta.get("git")).get("branch")) or None
        self.started = parse_time(meta.get("timestamp")) or self.started
        self.last = self.last or self.started
        self.fork = text_of(meta.get("forked_from_id")) or None
        self.base = object_of(meta.get("history_base"))
        if not self.base:
            self.copied_from = self.fork
        self._learn_parent(meta)

    def _begin_copy(self, origin: str) -> None:
        if origin and origin != self.session_id:
            self.copied_from = origin
            if self.fork is None and not self.is_subagent:
                self.fork = origin

    def _learn_parent(self, meta: dict[str, Any]) -> None:
        source = object_of(meta.get("source")).get("subagent")
        self.is_subagent = source is not None or meta.get("thread_source") == "subagent"
        if self.is_subagent:
            spawn = object_of(object_of(source).get("thread_spawn"))
            parent = spawn.get("parent_thread_id") or meta.get("parent_thread_id") or self.fork
            self.parent = text_of(parent) or None
            self.fork = None

    def turn(self, context: dict[str, Any]) -> None:
        """Learn from the context of a turn."""
        self.model = text_of(context.get("model")) or self.model
        self.approval = text_of(context.get("approval_policy")) or self.approval
        policy = context.get("sandbox_policy")
        held = object_of(policy)
        sandbox = text_of(policy) or text_of(held.get("type")) or text_of(held.get("mode"))
        self.sandbox = sandbox or self.sandbox
        if self.cwd is None:
            self.cwd = text_of(context.get("cwd")) or None

    def hear(self, prompt: str) -> None:
        """Learn a prompt: the first one is the title that there is when nothing gives another."""
        if self.is_copy:
            self.copied_prompt = self.copied_prompt or title_of(prompt)
        elif self.prompt is None:
            self.prompt = title_of(prompt)

    def session(self, given_title: str | None) -> SessionFacts:
        """Give the facts, with the title that was given to the session elsewhere, if one was."""
        given = given_title or self.name
        modes = [mode for mode in (self.approval, self.sandbox) if mode]
        return SessionFacts(
            session_id=self.session_id,
            title=given or self.prompt or self.copied_prompt,
            title_from=TitleFrom.AGENT if given else TitleFrom.PROMPT,
            origin=Origin.SUBAGENT if self.is_subagent else Origin.PERSON,
            project_path=self.cwd,
            git_branch=self.branch,
            model=self.model,
            agent_version=self.version,
            permission_mode="/".join(modes) or None,
            parent_session_id=self.parent,
            fork_session_id=self.fork,
            started_at=self.started,
            archived=self.archived,
        )
