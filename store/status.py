"""The moves that a task's and a session's status can make: two tables and one rule."""

from __future__ import annotations

from collections.abc import Mapping

from store.errors import InvalidTransition
from store.models import SessionStatus, TaskStatus

_ENDED = frozenset({TaskStatus.DONE, TaskStatus.FAILED, TaskStatus.CANCELLED})

TASK_MOVES: Mapping[TaskStatus, frozenset[TaskStatus]] = {
    TaskStatus.OPEN: _ENDED | {TaskStatus.RUNNING},
    TaskStatus.RUNNING: _ENDED | {TaskStatus.OPEN},
    TaskStatus.DONE: frozenset({TaskStatus.OPEN}),
    TaskStatus.FAILED: frozenset({TaskStatus.OPEN}),
    TaskStatus.CANCELLED: frozenset({TaskStatus.OPEN}),
}

SESSION_MOVES: Mapping[SessionStatus, frozenset[SessionStatus]] = {
    SessionStatus.CREATED: frozenset({SessionStatus.ACTIVE, SessionStatus.TERMINATED}),
    SessionStatus.ACTIVE: frozenset({SessionStatus.PAUSED, SessionStatus.TERMINATED}),
    SessionStatus.PAUSED: frozenset({SessionStatus.ACTIVE, SessionStatus.TERMINATED}),
    SessionStatus.TERMINATED: frozenset(),
}


def check_task_move(task_id: str, old: TaskStatus, new: TaskStatus) -> None:
    """Raise InvalidTransition unless a task may go from `old` to `new`; staying is no move."""
    if new != old and new not in TASK_MOVES[old]:
        raise InvalidTransition("task", task_id, old, new)


def check_session_move(task_id: str, old: SessionStatus, new: SessionStatus) -> None:
    """Raise InvalidTransition unless a session may go from `old` to `new`."""
    if new != old and new not in SESSION_MOVES[old]:
        raise InvalidTransition("session of task", task_id, old, new)
