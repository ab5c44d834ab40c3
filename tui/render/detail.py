"""Everything that is known of a task, as content for the detail pane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content

from store.activity import Activity, activity
from store.enums import TaskStatus
from store.text import printable

if TYPE_CHECKING:
    from store.models import Task, TaskRow

_DOING = {
    Activity.WORKING: "working",
    Activity.WAITING: "waiting for you",
    Activity.STALE: "stopped in the middle",
    Activity.IDLE: "idle",
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a task is connected with."""

    needs: Sequence[Task] = ()
    needed_by: Sequence[Task] = ()
    origin: Task | None = None


def detail(row: TaskRow, around: Surroundings, home: str, now: datetime) -> Content:
    """Say what a task and its session are, in a few lines."""
    lines = (_where(row, home), _how(row, now), _how_much(row, now), _connections(row, around))
    return Content("\n").join(line for line in lines if line)


def shortened(path: str, home: str) -> str:
    """Give a path as people write it, with `~` for their home."""
    inside = path == home or path.startswith(home.rstrip("/") + "/")
    return printable("~" + path[len(home.rstrip("/")) :] if home and inside else path)


def _where(row: TaskRow, home: str) -> Content:
    session = row.session
    path = (session and session.project_path) or row.task.project_path
    folder = shortened(path, home) if path else "no folder"
    if session is None:
        return _joined([("task", "bold"), (row.task.status, ""), (folder, "")])
    branch = f" ({printable(session.git_branch)})" if session.git_branch else ""
    name = f"{printable(session.backend)} {_short_id(session.session_id)}"
    return _joined([(name, "bold"), (folder + branch, "")])


def _how(row: TaskRow, now: datetime) -> Content:
    session = row.session
    gone = session is not None and session.source_gone_at is not None
    return _joined(
        [
            (printable((session and session.model) or ""), ""),
            (_DOING[activity(row, now)] if session else "", "$text-warning"),
            ("deleted by its agent, kept here" if gone else "", "$text-warning"),
            ("archived" if row.task.archived_at else "", "$text-warning"),
            (" ".join(f"#{printable(tag)}" for tag in row.task.tags), "$text-accent"),
        ]
    )


def _short_id(session_id: str) -> str:
    shown = printable(session_id)
    return shown if len(shown) <= 16 else f"{shown[:8]}…{shown[-4:]}"


def _how_much(row: TaskRow, now: datetime) -> Content:
    task, session = row.task, row.session
    started = ((session.created_at if session else task.created_at) or row.active_at).astimezone()
    day = "%a %d %b" if started.year == now.year else "%d %b %Y"
    return _joined(
        [
            (_count(task.message_count, "message"), ""),
            (_count(task.prompt_count, "prompt"), ""),
            (_count(task.tool_call_count, "tool call"), ""),
            (f"started {started.strftime(day + ' %H:%M')}", ""),
        ],
        style="$text-muted",
    )


def _connections(row: TaskRow, around: Surroundings) -> Content | None:
    parts: list[Content] = []
    if around.origin is not None:
        parts.append(Content(f"fork of {_title(around.origin)}"))
    if around.needs:
        parts.append(Content(f"needs: {_titles(around.needs)}"))
    if around.needed_by:
        parts.append(Content(f"needed by: {_titles(around.needed_by)}"))
    if row.task.notes:
        parts.append(Content(printable(row.task.notes)))
    if not parts:
        return None
    return Content(" · ").join(parts).stylize("$text-muted")


def _titles(tasks: Iterable[Task]) -> str:
    return " · ".join(
        _title(task) + (" ✓" if task.status is TaskStatus.DONE else "") for task in tasks
    )


def _title(task: Task) -> str:
    return printable(task.title) or "(no title)"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _joined(parts: Iterable[tuple[str, str]], style: str = "") -> Content:
    told = [Content.styled(text, own or style) for text, own in parts if text]
    return Content.styled(" · ", "$text-muted").join(told)
