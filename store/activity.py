"""What a session seems to be doing, judged from its last message and the time since."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from store.models import Kind, Role, TaskRow

WORKING_FOR = timedelta(minutes=2)
WAITING_FOR = timedelta(minutes=30)


class Activity(StrEnum):
    """The agent works, waits for the person, or nothing has happened for long."""

    WORKING = "working"
    WAITING = "waiting"
    IDLE = "idle"


def activity(row: TaskRow, now: datetime) -> Activity:
    """Judge: an answer ends the agent's turn; anything else, said just now, means that it works."""
    since = now - row.active_at
    if row.session is None or row.session.source_gone_at is not None or row.last_role is None:
        return Activity.IDLE
    answered = row.last_role is Role.ASSISTANT and row.last_kind is Kind.TEXT
    if not answered and since < WORKING_FOR:
        return Activity.WORKING
    if answered and since < WAITING_FOR:
        return Activity.WAITING
    return Activity.IDLE
