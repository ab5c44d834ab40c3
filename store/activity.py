"""What a session seems to be doing, judged from its last word and the time since.

An agent says nothing of itself while it thinks or a tool runs, so that silence is all there is to
tell work from a program that died: for as long as such a step may take it is taken for work.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from store.enums import Kind, Origin, Role, SessionStatus, TaskStatus

if TYPE_CHECKING:
    from store.models import TaskRow

THINKING_FOR = timedelta(minutes=5)  # after a prompt or a tool's output, the model's turn
CALLING_FOR = timedelta(minutes=15)  # after a call: tools run for ten minutes at most by default
WAITING_FOR = timedelta(minutes=30)
STALE_FOR = timedelta(days=7)

_ENDED = frozenset({TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.CANCELLED})


class Activity(StrEnum):
    """What a session seems to be doing.

    `working`: it is the agent's turn, and it spoke just now, or one of its sub-agents did.
    `waiting`: it is the person's turn, since less than half an hour.
    `stale`: it is the agent's turn, but it has been silent for longer than a step takes: it was
    stopped, it died, or it waits for a permission. After a week that is idle, too.
    `idle`: nothing is going on.
    """

    WORKING = "working"
    WAITING = "waiting"
    STALE = "stale"
    IDLE = "idle"


def activity(row: TaskRow, now: datetime) -> Activity:
    """Judge from a row of a list."""
    session = row.session
    if session is None or session.source_gone_at is not None or row.last_role is None:
        return Activity.IDLE
    if session.status is SessionStatus.TERMINATED:
        return Activity.IDLE
    is_persons = row.task.origin is Origin.PERSON and row.task.status not in _ENDED
    since = now - row.active_at
    if _has_ended_turn(row):
        return Activity.WAITING if is_persons and since < WAITING_FOR else Activity.IDLE
    if row.children_at is not None:
        since = min(since, now - row.children_at)
    if since < (CALLING_FOR if row.last_kind is Kind.TOOL_CALL else THINKING_FOR):
        return Activity.WORKING
    if row.task.status in _ENDED or since >= STALE_FOR or not _was_asked(row):
        return Activity.IDLE
    return Activity.STALE


def _has_ended_turn(row: TaskRow) -> bool:
    """Whether the last word leaves it to the person: an answer, or what the program itself says,
    such as that it was interrupted.
    """
    if row.last_role is Role.SYSTEM:
        return True
    return row.last_role is Role.ASSISTANT and row.last_kind is Kind.TEXT


def _was_asked(row: TaskRow) -> bool:
    """Whether the agent owes something. A command of its own, such as /exit, asks for no answer."""
    return row.last_role is not Role.USER or row.last_is_prompt
