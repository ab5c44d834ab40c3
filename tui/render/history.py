"""How the messages of a history look: one message, or a part of one, to lines of a given width.

Every text of a message passes `store.text.printable` and becomes plain segments: nothing in it
is ever markup. The gutter on the left names who speaks, in words, so that prompts, answers,
thoughts, calls and results are told apart without colour as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import chain
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from store.enums import Role
from store.text import TAB_WIDTH, printable
from tui.render.cells import unpiled, without_tabs
from tui.render.look import Look, on_ground
from tui.render.plan import FULL_FROM, Fold, Plan, Shape, plan_message
from tui.render.tools import Region
from tui.render.wrap import Row, breaks, clip, held

if TYPE_CHECKING:
    from store.models import Message

__all__ = ["Fold", "Look", "Plan", "message_lines", "part_lines", "plan_message"]

GUTTER = 10  # a margin, a label of eight cells, a space
NARROW_GUTTER = 3
NARROW = 44  # below this width labels are single signs
_INSET = 2  # what belongs to a call is set in below it
_LEAST = 12  # cells that the notes at the right leave to a first line


_SIGNS = {
    Shape.PROMPT: ">",
    Shape.ANSWER: "•",
    Shape.CONTEXT: "·",
    Shape.THINKING: "~",
    Shape.CALL: "▸",
    Shape.RESULT: "",
    Shape.SUMMARY: "",
}


def message_lines(message: Message, width: int, look: Look, fold: Fold) -> list[Strip]:
    """Give all the lines of a message, each exactly as wide as asked."""
    plan = plan_message(message, fold)
    return list(
        chain.from_iterable(part_lines(plan, part, width, look) for part in range(plan.parts))
    )


def part_lines(plan: Plan, part: int, width: int, look: Look) -> list[Strip]:
    """Give the lines of one part of a message, at least one."""
    drawing = _Drawing(plan, width, look)
    strips = list(drawing.lines(part))
    if not plan.message.on_branch:
        blank = Strip.blank(width, look.text)
        faded = Style(color=look.note.color, dim=look.note.dim)
        strips = [strip if strip == blank else _over(strip, faded) for strip in strips]
    return strips


def stamp(moment: datetime, today: date) -> str:
    """Give a local time, with its date when that is not today's."""
    local = moment.astimezone()
    if local.date() == today:
        return f"{local:%H:%M}"
    day = f"{local.day} {local:%b}"
    return f"{day} {local:%H:%M}" if local.year == today.year else f"{day} {local.year}"


class _Drawing:
    """One message being laid out."""

    def __init__(self, plan: Plan, width: int, look: Look) -> None:
        self.plan = plan
        self.width = width
        self.look = look
        self.is_narrow = width < NARROW
        self.style = _ground(plan.shape, look)
        self.gutter = NARROW_GUTTER if self.is_narrow else GUTTER
        is_inset = plan.shape is Shape.RESULT
        self.indent = self.gutter + (_INSET if is_inset else 0)
        self.room = max(2, width - self.indent - 1)

    def lines(self, part: int) -> Iterator[Strip]:
        plan = self.plan
        is_first, is_last = part == 0, part == plan.parts - 1
        if is_first:
            yield from (self._divider(mark) for mark in plan.before)
        if is_first and plan.shape in (Shape.PROMPT, Shape.ANSWER):
            yield Strip.blank(self.width, self.look.text)
        if is_first and plan.shape is Shape.SUMMARY:
            yield self._divider("compacted")
        elif is_first and plan.head is not None:
            yield self._head(plan.head)
        if plan.body is not None:
            yield from self._body(part, is_first=is_first and plan.head is None)
        if is_last and plan.more:
            yield self._line([Segment(plan.more, self.look.note)], indent=self.indent)
        if is_last:
            yield from (self._divider(mark) for mark in plan.after)

    def _divider(self, words: str) -> Strip:
        text = f" ── {held(clip(printable(words), self.width - 6))} "
        rule = "─" * (self.width - 1 - cell_len(text))
        style = self.look.divider
        return Strip([Segment(f"{text}{rule} ", style)]).adjust_cell_length(self.width, style)

    def _head(self, head: str) -> Strip:
        notes = self._notes()
        cells: list[Segment] = []
        room = self._first_room(notes)
        if self.plan.shape is Shape.CALL:
            name = held(clip(printable(self.plan.message.tool_name or "tool"), min(40, room)))
            cells = [Segment(name, self.look.tool), Segment("  ", self.style)]
            room -= cell_len(name) + 2
        cells.append(Segment(clip(printable(head), room), self.style))
        return self._line(cells, label=self._label(), notes=notes)

    def _body(self, part: int, *, is_first: bool) -> Iterator[Strip]:
        notes = self._notes() if is_first else []
        room = self._first_room(notes)
        label = self._label() if is_first else None
        indent = self.gutter + _INSET if self.plan.shape is Shape.CALL else self.indent
        width = self.width - indent - 1
        for row in self._rows(part, width, min(room, width)):
            lead, taken = row.lead, _cells(row.lead)
            for lo, hi in _pieces(row, width - taken, min(room, width) - taken):
                cells = [*lead, *row.segments(lo, hi)]
                yield self._line(cells, label=label, notes=notes, indent=indent, fill=row.fill)
                lead, room, label, notes = row.follow, width, None, []
                if row.hang:
                    lead = [*lead, Segment(" " * row.hang, row.style)]

    def _rows(self, part: int, width: int, first: int) -> Iterable[Row]:
        """Give the rows of a part, to be wrapped to a width; the first line has less room."""
        plan = self.plan
        if part < len(plan.openings):
            return self._markdown(part, width, first)
        pieces = plan.pieces(part) if plan.body else [("", Region(0))]
        return chain.from_iterable(self._piece(text, region) for text, region in pieces)

    def _markdown(self, part: int, width: int, first: int) -> Iterable[Row]:
        # Loaded when it is needed, as all that reads Markdown or code: no first frame is.
        from tui.render.markdown import Page, markdown_rows
        from tui.render.parser import definitions

        plan = self.plan
        named = definitions((plan.body or "")[:FULL_FROM])
        breaks = plan.shape is Shape.PROMPT
        page = Page(self.look, self.style, width, first, breaks=breaks, named=named)
        return markdown_rows(plan.text(part), plan.openings[part], page, is_first=not part)

    def _piece(self, text: str, region: Region) -> Iterable[Row]:
        text = unpiled(without_tabs(printable(text, lines=True), TAB_WIDTH))
        lines = text.removesuffix("\n").split("\n")
        if region.within is not None:
            from tui.render.diff import diff_rows

            return diff_rows(lines, self.look, self.style, region.within)
        if region.language:
            from tui.render.code import code_rows

            return code_rows(lines, self.look, self.style, region.language)
        return (Row(line, self.style) for line in lines)

    def _label(self) -> list[Segment]:
        """Give the gutter of a first line, as wide as what it belongs to is set in."""
        shape, look = self.plan.shape, self.look
        if shape is Shape.RESULT:
            return [Segment(" " * self.gutter, self.style), Segment("└ ", look.note)]
        if shape is Shape.CALL:
            mark = "▸" if self.plan.body is None else "▾"
            return [Segment(" " * (self.gutter - 2), look.text), Segment(f"{mark} ", look.note)]
        text = _SIGNS[shape] if self.is_narrow else self._name()
        text = clip(text, self.gutter - 2)
        pad = " " * (self.gutter - 1 - cell_len(text))
        return [Segment(" ", self.style), Segment(text + pad, self._label_style())]

    def _name(self) -> str:
        shape = self.plan.shape
        if shape is Shape.PROMPT:
            return "you"
        if shape is Shape.ANSWER:
            return printable(self.look.agent_name)
        if shape is Shape.THINKING:
            return "thinking"
        return "system" if self.plan.message.role is Role.SYSTEM else "context"

    def _label_style(self) -> Style:
        shape = self.plan.shape
        if shape is Shape.PROMPT:
            return self.look.you
        return self.look.agent if shape is Shape.ANSWER else self.style

    def _notes(self) -> list[Segment]:
        """Give what stands at the right of a first line."""
        plan, look, message = self.plan, self.look, self.plan.message
        note = on_ground(look.note, self.style)
        notes: list[Segment] = []
        if not message.on_branch:
            notes.append(Segment("rewound", note))
        if plan.leads_to and plan.shape is Shape.CALL:
            title = held(clip(plan.leads_to, max(8, self.room // 3)))
            notes.append(Segment(f"→ {title}", on_ground(look.link, self.style)))
        if plan.change is not None:
            notes.append(Segment(f"+{plan.change[0]} -{plan.change[1]}", note))
        if plan.lines > 1:
            notes.append(Segment(f"{plan.lines:,} lines", note))
        if plan.shape is Shape.RESULT:
            is_error = message.is_error
            word = Segment("error", look.error) if is_error else Segment("ok   ", look.ok)
            notes.append(word)
        if plan.shape is Shape.PROMPT:
            notes.append(Segment(stamp(message.timestamp, look.today), note))
        while notes and self.room - _cells(notes) - 2 * len(notes) < _LEAST:
            notes.pop(0)
        return notes

    def _first_room(self, notes: list[Segment]) -> int:
        return self.room - (_cells(notes) + 2 * len(notes))

    def _line(
        self,
        cells: list[Segment],
        *,
        label: list[Segment] | None = None,
        notes: Sequence[Segment] = (),
        indent: int | None = None,
        fill: Style | None = None,
    ) -> Strip:
        start = label or [Segment(" " * (self.indent if indent is None else indent), self.style)]
        right = [Segment(" ", self.style)]
        if notes:
            gap = Segment("  ", self.style)
            right = [*chain.from_iterable((gap, note) for note in notes), *right]
        left = self.width - _cells(start) - _cells(cells) - _cells(right)
        if left < 0:
            return Strip([*start, *cells]).adjust_cell_length(self.width, self.style)
        return Strip([*start, *cells, Segment(" " * left, fill or self.style), *right], self.width)


def _over(strip: Strip, style: Style) -> Strip:
    """Give a line with a style laid over its own."""
    return Strip(Segment.apply_style(strip, post_style=style), strip.cell_length)


def _cells(segments: Iterable[Segment]) -> int:
    cells = 0
    for text, _, _ in segments:
        cells += len(text) if text.isascii() else cell_len(text)
    return cells


def _pieces(row: Row, width: int, first: int) -> Iterable[tuple[int, int]]:
    if row.is_whole:
        return [(0, len(row.text))]
    return breaks(row.text, width, first=first, hang=row.hang)


def _ground(shape: Shape, look: Look) -> Style:
    return {
        Shape.PROMPT: look.prompt,
        Shape.ANSWER: look.text,
        Shape.CONTEXT: look.context,
        Shape.THINKING: look.thinking,
        Shape.CALL: look.argument,
        Shape.RESULT: look.result,
        Shape.SUMMARY: look.text,
    }[shape]
