"""The lines between messages that say where a conversation turns: days, branches, forks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.models import Message


@dataclass(frozen=True, slots=True)
class Links:
    """Where a history leads to: tasks by the call that began them, forks by their last message.

    `calls` has the task of a sub-agent under the id of the call that began it; `forks` has the
    tasks that went on from here under the number of the last message they took over; `titles`
    has the titles of all of these, made printable.
    """

    calls: dict[str, str] = field(default_factory=dict)
    forks: dict[int, tuple[str, ...]] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)

    def of(self, message: Message) -> str | None:
        """Give the task that a message leads to."""
        task_id = self.calls.get(message.tool_call_id) if message.tool_call_id else None
        return task_id or next(iter(self.forks.get(message.seq, ())), None)


NO_LINKS = Links()


def marks_before(message: Message, before: Message | None) -> tuple[str, ...]:
    """Say what turns between two messages that follow one another; nothing where one is unknown."""
    if before is None:
        return ()
    marks = []
    day = message.timestamp.astimezone().date()
    if day != before.timestamp.astimezone().date():
        marks.append(in_words(day))
    if before.inherited and not message.inherited:
        marks.append("forked here; what is above was taken over")
    if message.is_prompt and before.on_branch is not message.on_branch:
        marks.append(
            "goes on from before the rewound part"
            if message.on_branch
            else "rewound: this part was left behind"
        )
    return tuple(marks)


def marks_after(message: Message, links: Links) -> tuple[str, ...]:
    """Say which forks went their own way behind a message."""
    forks = links.forks.get(message.seq, ())
    return tuple(f"⑂ forked from here: {links.titles.get(task_id, task_id)}" for task_id in forks)


def in_words(day: date) -> str:
    """Give a day as people say it."""
    this_year = day.year == datetime.now().astimezone().year
    return f"{day:%A} {day.day} {day:%B}" + ("" if this_year else f" {day.year}")
