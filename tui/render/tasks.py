"""One task as a line of the list, or two: pure, from a row and a width to strips."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from store.activity import Activity, activity
from store.ages import age
from store.models import TaskRow
from store.text import printable
from tui.listing import Entry
from tui.render.wrap import clip

_MARKS = {Activity.WORKING: "●", Activity.WAITING: "◐", Activity.IDLE: "○"}
_GONE = "✝"
_NO_SESSION = "□"
_TITLE_AT_LEAST = 10
_AGE = 4
_AGENT = 6


@dataclass(frozen=True, slots=True)
class TaskLook:
    """The styles of the list, resolved from the theme. A selected task has one style for all."""

    title: Style
    dim: Style
    working: Style
    waiting: Style
    agents: dict[str, Style]
    selected: Style

    def agent(self, name: str) -> Style:
        """Give the style of an agent's name."""
        return self.agents.get(name, self.dim)

    def for_selected(self) -> TaskLook:
        """Give the look of the selected task: its background suits none of the other colours."""
        one = self.selected
        return TaskLook(one, one, one, one, dict.fromkeys(self.agents, one), one)


@dataclass(frozen=True, slots=True)
class Place:
    """How a row stands in the list."""

    entry: Entry
    is_open: bool
    is_selected: bool


def task_strips(
    row: TaskRow | None, place: Place, width: int, look: TaskLook, *, lines: int, now: datetime
) -> list[Strip]:
    """Draw a task on `lines` (1 or 2) lines of exactly `width` cells."""
    if place.is_selected:
        look = look.for_selected()
    if row is None:
        drawn = [[Segment(" …", look.dim)]] + [[]] * (lines - 1)
    elif lines == 1:
        drawn = [_compact(row, place, width, look, now)]
    else:
        drawn = _roomy(row, place, width, look, now)
    strips = [Strip(segments).adjust_cell_length(width) for segments in drawn]
    if place.is_selected:
        strips = [strip.apply_style(look.selected) for strip in strips]
    return strips


def project_name(row: TaskRow) -> str:
    """Give the name of the folder that a task belongs to."""
    path = (row.session and row.session.project_path) or row.task.project_path or ""
    return printable(PurePath(path).name or path)


def _compact(
    row: TaskRow, place: Place, width: int, look: TaskLook, now: datetime
) -> list[Segment]:
    agent = row.session.backend if row.session else "task"
    tail: list[Segment] = [
        _right(printable(agent), _AGENT, look.agent(agent)),
        Segment(" "),
        _right(age(row.active_at, now), _AGE, look.dim),
        Segment(" "),
    ]
    lead = _lead(row, place, look, now)
    room = width - _cells(lead) - _cells(tail)
    if room > 60:
        count = f"{row.task.message_count:,}" if row.task.message_count else ""
        branch = row.session.git_branch if row.session else None
        tail = [
            Segment(_fit(printable(branch or ""), 16), look.dim),
            _right(count, 7, look.dim),
            Segment(" "),
            *tail,
        ]
        room -= 24
    project = min(20, max(6, room // 4)) if room >= _TITLE_AT_LEAST + 7 else 0
    if project:
        tail = [Segment(_fit(project_name(row), project), look.dim), Segment(" "), *tail]
    title = room - project - (2 if project else 1)
    return [*lead, Segment(_fit(_title(row), title), look.title), Segment(" "), *tail]


def _roomy(
    row: TaskRow, place: Place, width: int, look: TaskLook, now: datetime
) -> list[list[Segment]]:
    lead = _lead(row, place, look, now)
    ago = _right(age(row.active_at, now), _AGE, look.dim)
    room = max(0, width - _cells(lead) - _AGE - 2)
    first = [*lead, Segment(_fit(_title(row), room), look.title), Segment(" "), ago]
    agent = row.session.backend if row.session else "task"
    branch = row.session.git_branch if row.session else None
    facts = [project_name(row)]
    if branch:
        facts[0] += f" ({printable(branch)})"
    if row.task.message_count:
        facts.append(f"{row.task.message_count:,} messages")
    below = [
        Segment(" " * _cells(lead)),
        Segment(printable(agent), look.agent(agent)),
        Segment(clip(" · " + " · ".join(facts), max(0, room - cell_len(agent))), look.dim),
    ]
    return [first, below]


def _title(row: TaskRow) -> str:
    return printable(row.task.title) or "(no title)"


def _lead(row: TaskRow, place: Place, look: TaskLook, now: datetime) -> list[Segment]:
    doing = activity(row, now)
    if row.session is None:
        mark = Segment(_NO_SESSION, look.dim)
    elif row.session.source_gone_at is not None:
        mark = Segment(_GONE, look.dim)
    else:
        style = {Activity.WORKING: look.working, Activity.WAITING: look.waiting}
        mark = Segment(_MARKS[doing], style.get(doing, look.dim))
    tree = ""
    if place.entry.depth:
        tree = "  " * (place.entry.depth - 1) + ("└ " if place.entry.is_last else "├ ")
    if row.children:
        tree += "▾ " if place.is_open else "▸ "
    if row.task.fork_of:
        tree += "⑂ "
    return [Segment(" "), mark, Segment(" "), Segment(tree, look.dim)]


def _right(text: str, width: int, style: Style) -> Segment:
    shown = clip(text, width)
    return Segment(" " * (width - cell_len(shown)) + shown, style)


def _fit(text: str, width: int) -> str:
    shown = clip(text, max(0, width))
    return shown + " " * (width - cell_len(shown))


def _cells(segments: list[Segment]) -> int:
    return sum(segment.cell_length for segment in segments)
