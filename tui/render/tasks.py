"""One task as a line of the list, or two: pure, from a row and a width to strips.

The columns of a list depend on its width alone, so that they stand under one another; the title
has what they leave, and is never squeezed to nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from store.activity import Activity, activity
from store.ages import age
from store.enums import TaskGroup, TaskStatus
from store.text import printable
from tui.listing import Entry
from tui.render.cells import most_cells
from tui.render.wrap import clip, held

if TYPE_CHECKING:
    from store.models import TaskRow

MARKS = {
    Activity.WORKING: "●",
    Activity.WAITING: "◐",
    Activity.STALE: "◌",
    Activity.IDLE: "○",
}
ARCHIVED = "×"
GONE = "✝"
NO_SESSION = "□"
FORK = "⑂"

LEGEND = (
    (MARKS[Activity.WORKING], "the agent works"),
    (MARKS[Activity.WAITING], "it has answered and waits for you, since half an hour at most"),
    (MARKS[Activity.STALE], "it stopped in the middle: it died, or waits for a permission"),
    (MARKS[Activity.IDLE], "nothing is going on"),
    (GONE, "the agent deleted the session; it is kept here"),
    (ARCHIVED, "archived"),
    (NO_SESSION, "a task without a session"),
    (FORK, "a fork"),
    ("▸3", "three more are folded here: sub-agents, forks, what it was forked from"),
)

_LEAD = 3  # cells before the rails: a space, the mark, a space
_AGE = 4
_AGENT = 6
_COUNT = 6
_BRANCH = 14
_PROJECT_AT_MOST = 18
_TITLE_AT_LEAST = 12
_DEEPEST = 8  # cells of rails
_MOST_FOLDED = 999


@dataclass(frozen=True, slots=True)
class TaskLook:
    """The styles of the list, resolved from the theme. A selected task has one style for all."""

    title: Style
    dim: Style
    working: Style
    waiting: Style
    stale: Style
    heading: Style
    tag: Style
    agents: dict[str, Style]
    selected: Style

    def agent(self, name: str) -> Style:
        """Give the style of an agent's name."""
        return self.agents.get(name, self.dim)

    def for_selected(self) -> TaskLook:
        """Give the look of the selected task: its background suits none of the other colours."""
        one = self.selected
        agents = dict.fromkeys(self.agents, one)
        return TaskLook(one, one, one, one, one, one, one, agents, one)


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide the columns behind the title are; 0 for one that is not there."""

    project: int
    branch: int
    count: int

    @classmethod
    def of(cls, width: int, group: TaskGroup | None) -> Columns:
        """Share a width. The project is left out where headings say it."""
        room = width - _LEAD - _AGENT - _AGE - 3
        project = 0
        if group is not TaskGroup.PROJECT and room >= _TITLE_AT_LEAST + 7:
            project = min(_PROJECT_AT_MOST, max(6, room // 4))
            room -= project + 1
        count = _COUNT if room - _COUNT - 1 >= 32 else 0
        room -= count + 1 if count else 0
        return cls(project, _BRANCH if room - _BRANCH - 1 >= 32 else 0, count)


@dataclass(frozen=True, slots=True)
class Place:
    """How a row stands in the list."""

    entry: Entry
    is_selected: bool
    group: TaskGroup | None = None


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


def fold_cells(entry: Entry) -> range:
    """Give the cells of a task's first line where its fold mark is; none when it has no mark."""
    start = _LEAD + len(_rails(entry))
    return range(start, start + len(_fold_mark(entry)))


def project_name(row: TaskRow) -> str:
    """Give the name of the folder that a task belongs to."""
    path = (row.session and row.session.project_path) or row.task.project_path or ""
    return printable(PurePath(path).name or path)


def _compact(
    row: TaskRow, place: Place, width: int, look: TaskLook, now: datetime
) -> list[Segment]:
    columns = Columns.of(width, place.group)
    lead, agent = _lead(row, place.entry, look, now), _agent(row)
    tail: list[Segment] = [
        _right(agent, _AGENT, look.agent(agent)),
        _right(age(row.active_at, now), _AGE + 1, look.dim),
        Segment(" "),
    ]
    if columns.count:
        count = f"{row.task.message_count:,}" if row.task.message_count else ""
        tail = [_right(count, columns.count, look.dim), Segment(" "), *tail]
    if columns.branch:
        tail = [Segment(_fit(_branch(row), columns.branch), look.dim), Segment(" "), *tail]
    room = width - _cells(lead) - _cells(tail) - 1
    if columns.project and room - columns.project - 1 >= _TITLE_AT_LEAST:
        # A short title leaves more of the name, a short name more of the title.
        name, title = project_name(row), printable(row.task.title)
        spare = room - most_cells(title) - 1
        name = held(clip(name, min(_PROJECT_AT_MOST, max(columns.project, spare))))
        tail = [Segment(name, look.dim), Segment(" "), *tail]
        room -= cell_len(name) + 1
    return [*lead, _title(row, room, look), Segment(" "), *tail]


def _roomy(
    row: TaskRow, place: Place, width: int, look: TaskLook, now: datetime
) -> list[list[Segment]]:
    lead, agent = _lead(row, place.entry, look, now), _agent(row)
    indent = _LEAD + len(_rails(place.entry)) + len(_fold_mark(place.entry))
    ago = _right(age(row.active_at, now), _AGE, look.dim)
    room = max(0, width - _cells(lead) - _AGE - 2)
    first = [*lead, _title(row, room, look), Segment(" "), ago]
    facts = [] if place.group is TaskGroup.PROJECT else [project_name(row)]
    if branch := _branch(row):
        facts = [f"{facts[0]} ({branch})" if facts else branch]
    if count := row.task.message_count:
        facts.append(f"{count:,} message{'' if count == 1 else 's'}")
    if row.task.status is not TaskStatus.OPEN:
        facts.append(row.task.status)
    told = "".join(f" · {fact}" for fact in facts if fact)
    tags = " ".join(f"#{printable(tag)}" for tag in row.task.tags)
    space = max(0, width - indent - cell_len(agent) - 1)
    told = held(clip(told, space))
    space -= cell_len(told)
    below = [Segment(" " * indent), Segment(agent, look.agent(agent)), Segment(told, look.dim)]
    if tags and space > 4:
        below.append(Segment("  " + clip(tags, space - 2), look.tag))
    return [first, below]


def _agent(row: TaskRow) -> str:
    return printable(row.session.backend) if row.session else "task"


def _branch(row: TaskRow) -> str:
    return printable((row.session and row.session.git_branch) or "")


def _title(row: TaskRow, width: int, look: TaskLook) -> Segment:
    title = printable(row.task.title)
    return Segment(_fit(title or "(no title)", width), look.title if title else look.dim)


def _lead(row: TaskRow, entry: Entry, look: TaskLook, now: datetime) -> list[Segment]:
    tree = _rails(entry) + _fold_mark(entry) + (f"{FORK} " if row.task.fork_of else "")
    return [Segment(" "), _mark(row, look, now), Segment(" "), Segment(tree, look.dim)]


def _mark(row: TaskRow, look: TaskLook, now: datetime) -> Segment:
    if row.task.archived_at is not None:
        return Segment(ARCHIVED, look.dim)
    if row.session is None:
        return Segment(NO_SESSION, look.dim)
    if row.session.source_gone_at is not None:
        return Segment(GONE, look.dim)
    doing = activity(row, now)
    styles = {
        Activity.WORKING: look.working,
        Activity.WAITING: look.waiting,
        Activity.STALE: look.stale,
    }
    return Segment(MARKS[doing], styles.get(doing, look.dim))


def _rails(entry: Entry) -> str:
    return entry.rails[-_DEEPEST:]


def _fold_mark(entry: Entry) -> str:
    if entry.is_open:
        return "▾ "
    if not entry.folded:
        return ""
    more = "+" if entry.folded > _MOST_FOLDED else ""
    return f"▸{min(entry.folded, _MOST_FOLDED)}{more} "


def _right(text: str, width: int, style: Style) -> Segment:
    shown = clip(text, width)
    return Segment(" " * (width - cell_len(shown)) + shown, style)


def _fit(text: str, width: int) -> str:
    shown = clip(text, max(0, width))
    return shown + " " * (width - cell_len(shown))


def _cells(segments: list[Segment]) -> int:
    return sum(segment.cell_length for segment in segments)
