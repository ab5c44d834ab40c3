"""What a search found as lines of the list: pure, from hits and a width to strips."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from store.ages import age
from store.enums import Kind, Role
from store.text import printable
from tui.hits import Group, is_task
from tui.render.tasks import TaskLook
from tui.render.wrap import Row, breaks, clip

if TYPE_CHECKING:
    from tui.hits import Found

_LABEL = 8
_AGE = 4
_BEFORE = 3  # a match that is far into a snippet is moved to this fraction of the room

_KINDS = {
    Kind.THINKING: "thinking",
    Kind.TOOL_RESULT: "output",
    Kind.SUMMARY: "summary",
}


def heading_strip(group: Group, width: int, look: TaskLook, now: datetime) -> Strip:
    """Draw the line that names a session."""
    first = group.first
    agent = printable(first.agent or "task")
    newest = max(hit.timestamp for hit in group.hits)
    tail = f" {len(group.hits)} {agent} {age(newest, now):>{_AGE}} "
    room = max(0, width - cell_len(tail) - 1)
    title = clip(printable(first.title) or "(no title)", room)
    gap = " " * (room - cell_len(title))
    segments = [
        Segment(" "),
        Segment(title, look.title + Style(bold=True)),
        Segment(gap),
        Segment(f" {len(group.hits)} ", look.dim),
        Segment(agent, look.agent(agent)),
        Segment(f" {age(newest, now):>{_AGE}} ", look.dim),
    ]
    return Strip(segments).adjust_cell_length(width)


def hit_strips(
    hit: Found,
    width: int,
    look: TaskLook,
    match: Style,
    *,
    lines: int,
    is_selected: bool,
    now: datetime,
) -> list[Strip]:
    """Draw a hit on `lines` (1 or 2) lines of exactly `width` cells, its matches lit."""
    if is_selected:
        look = look.for_selected()
    label = clip(label_of(hit), _LABEL)
    lead = Segment(f"   {label}" + " " * (_LABEL - cell_len(label) + 1), look.dim)
    indent = 4 + _LABEL
    first = max(2, width - indent - _AGE - 2)
    rest = max(2, width - indent - 1)
    text, spans = snippet(hit, first + (lines - 1) * rest)
    row = Row(text, look.title, [(lo, hi, match) for lo, hi in spans])
    pieces = breaks(text, rest, first=first)[:lines]
    drawn: list[Strip] = []
    for number in range(lines):
        cells = row.segments(*pieces[number]) if number < len(pieces) else []
        start = lead if number == 0 else Segment(" " * indent)
        strip = Strip([start, *cells])
        if number == 0:
            tail = Segment(f" {age(hit.timestamp, now):>{_AGE}} ", look.dim)
            strip = Strip.join([strip.adjust_cell_length(width - _AGE - 2), Strip([tail])])
        drawn.append(strip.adjust_cell_length(width))
    if is_selected:
        # The colours of a selected line are one; what is lit in it keeps its own attributes.
        drawn = [strip.apply_style(look.selected) for strip in drawn]
    return drawn


def label_of(hit: Found) -> str:
    """Say who says it, or which field of the task it is."""
    if is_task(hit):
        return hit.field
    if hit.kind is Kind.TOOL_CALL:
        return printable(hit.tool_name or "tool")
    if hit.kind in _KINDS:
        return _KINDS[hit.kind]
    if hit.role is Role.USER:
        return "you"
    return printable(hit.agent or "agent") if hit.role is Role.ASSISTANT else hit.role


def snippet(hit: Found, room: int) -> tuple[str, list[tuple[int, int]]]:
    """Give what of a snippet fits, made printable, and where the matches are in that.

    A first match that is far to the right is brought into view.
    """
    pieces = _pieces(hit.snippet, hit.marks)
    before = pieces[0][0] if pieces and not pieces[0][1] else ""
    if cell_len("".join(text for text, _ in pieces)) > room and cell_len(before) > room // _BEFORE:
        kept = before[-(room // _BEFORE) :]
        kept = kept[kept.find(" ") + 1 :] if " " in kept else kept
        pieces[0] = ("…" + kept, False)
    text, spans = "", []
    for piece, is_match in pieces:
        if is_match:
            spans.append((len(text), len(text) + len(piece)))
        text += piece
    return text, spans


def _pieces(text: str, marks: Sequence[tuple[int, int]]) -> list[tuple[str, bool]]:
    """Cut a text at its marks, each piece made printable."""
    out: list[tuple[str, bool]] = []
    at = 0
    for start, end in marks:
        out += [(text[at:start], False), (text[start:end], True)]
        at = end
    out.append((text[at:], False))
    return [
        (printable(piece, lines=True).replace("\n", " ").expandtabs(1), lit)
        for piece, lit in out
        if piece
    ]
