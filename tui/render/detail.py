"""The most telling of what is known of a task, as content for the detail pane."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from textual.content import Content

from store.activity import Activity, activity
from store.enums import TaskStatus
from store.text import printable
from tui.render.figures import in_days, short

if TYPE_CHECKING:
    from store.models import Task, TaskRow, Usage
    from tui.facts import Facts

_SOON = timedelta(days=7)

DOING = {
    Activity.WORKING: "working",
    Activity.WAITING: "waiting for you",
    Activity.STALE: "stopped in the middle",
    Activity.IDLE: "idle",
}


def detail(row: TaskRow, facts: Facts, home: str, now: datetime) -> Content:
    """Say what a task and its session are, in a few lines."""
    lines = (
        _where(row, home),
        _how(row, facts, now),
        _how_much(row, now),
        _connections(row, facts, now),
    )
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


def _how(row: TaskRow, facts: Facts, now: datetime) -> Content:
    session = row.session
    gone = session is not None and session.source_gone_at is not None
    return _joined(
        [
            (printable((session and session.model) or ""), ""),
            (tokens(facts.usage), "$text-muted"),
            (DOING[activity(row, now)] if session else "", "$text-warning"),
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


def tokens(usage: Iterable[Usage]) -> str:
    """Say in a few words how much went to a model and came back; nothing when nobody says."""
    sent = output = 0
    for one in usage:
        sent += one.sent_tokens
        output += one.output_tokens
    return f"{short(sent)} tokens in, {short(output)} out" if sent or output else ""


def _connections(row: TaskRow, facts: Facts, now: datetime) -> Content | None:
    parts: list[Content] = []
    if facts.origin is not None:
        parts.append(Content(f"fork of {_title(facts.origin)}"))
    if facts.needs:
        parts.append(Content(f"needs: {_titles(facts.needs)}"))
    if facts.needed_by:
        parts.append(Content(f"needed by: {_titles(facts.needed_by)}"))
    if row.task.notes:
        parts.append(Content(printable(row.task.notes)))
    parts = [part.stylize("$text-muted") for part in parts]
    if source := _source(row, facts, now):
        parts.append(source)
    return Content.styled(" · ", "$text-muted").join(parts) if parts else None


def _source(row: TaskRow, facts: Facts, now: datetime) -> Content | None:
    """Say whether the source is kept, and when its agent will delete it."""
    session, disk = row.session, facts.disk
    if session is None or disk is None or disk.source_size is None:
        return None
    parts = ["kept" if facts.kept else "not kept"]
    style = "$text-muted"
    if disk.expires_at is not None:
        parts.append(f"deleted {until(disk.expires_at, now)}")
        if not facts.kept and disk.expires_at - now < _SOON:
            style = "$text-warning"
    return Content.styled(f"source: {', '.join(parts)}", style)


def until(moment: datetime, now: datetime) -> str:
    """Say when an agent will do what it does when it is started from a moment on."""
    left = moment - now
    return f"in {in_days(left)}" if left > timedelta() else "when its agent is next started"


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
