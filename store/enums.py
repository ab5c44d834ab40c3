"""The words that models are made of: string enums, which compare equal to their plain strings.

They are part of `store.models`, and apart from it here for those who must not wait for pydantic.
"""

from __future__ import annotations

from enum import StrEnum


class TaskStatus(StrEnum):
    """Where a task stands; `store.status` has the moves between them."""

    OPEN = "open"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class SessionStatus(StrEnum):
    """Where a session stands; `store.status` has the moves between them."""

    CREATED = "created"
    ACTIVE = "active"
    PAUSED = "paused"
    TERMINATED = "terminated"


class Role(StrEnum):
    """Who speaks in a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Kind(StrEnum):
    """What a message holds."""

    TEXT = "text"
    THINKING = "thinking"
    TOOL_CALL = "tool_call"
    TOOL_RESULT = "tool_result"
    SUMMARY = "summary"


class TitleFrom(StrEnum):
    """Who gave a task its title. A person's is never replaced by an import."""

    PERSON = "person"
    AGENT = "agent"
    PROMPT = "prompt"


class Origin(StrEnum):
    """Who began a task: a person, an agent that delegated, or a machine on its own."""

    PERSON = "person"
    SUBAGENT = "subagent"
    AUTOMATED = "automated"


class TaskSort(StrEnum):
    """The orders a list of tasks can have. Times and counts: largest first; words: A to Z."""

    ACTIVE = "active"
    CREATED = "created"
    MESSAGES = "messages"
    TITLE = "title"
    PROJECT = "project"


class TaskGroup(StrEnum):
    """What the tasks of a list can be grouped by: the day (in local time), or the folder."""

    DAY = "day"
    PROJECT = "project"
