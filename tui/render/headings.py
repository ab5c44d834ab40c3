"""The headings of a grouped list: a day or a folder, and how many tasks it has. Pure."""

from __future__ import annotations

from datetime import date
from pathlib import PurePath

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from store.enums import TaskGroup
from store.text import printable
from tui.lines import Heading
from tui.render.detail import shortened
from tui.render.tasks import TaskLook
from tui.render.wrap import clip, held

_DAYS_BY_NAME = 7


def heading_strip(
    heading: Heading, group: TaskGroup, width: int, look: TaskLook, *, today: date, home: str
) -> Strip:
    """Draw a heading on one line of exactly `width` cells."""
    if group is TaskGroup.DAY:
        name, more = day_name(date.fromisoformat(heading.key), today), ""
    else:
        name, more = folder_name(heading.key, home)
    count = f" {heading.count:,} "
    room = max(0, width - 1 - len(count))
    name = held(clip(name, room))
    room -= cell_len(name)
    if more and room > 6:
        more = clip("  " + more, room - 2)
        room -= cell_len(more)
    else:
        more = ""
    rule = " " + "─" * (room - 1) if room > 1 else " " * room
    return Strip(
        [
            Segment(" "),
            Segment(name, look.heading),
            Segment(more + rule + count, look.dim),
        ]
    ).adjust_cell_length(width)


def day_name(day: date, today: date) -> str:
    """Give a day as people call it, seen from today."""
    ago = (today - day).days
    if ago == 0:
        return "Today"
    if ago == 1:
        return "Yesterday"
    if 0 < ago < _DAYS_BY_NAME:
        return f"{day:%A}"
    return f"{day:%A} {day.day} {day:%B}" + ("" if day.year == today.year else f" {day.year}")


def folder_name(path: str, home: str) -> tuple[str, str]:
    """Give the name of a folder, and its path as people write it."""
    if not path:
        return "no folder", ""
    return printable(PurePath(path).name or path), shortened(path, home)
