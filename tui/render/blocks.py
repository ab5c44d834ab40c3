"""Where a Markdown text may be cut, so that each part of it can be read by itself.

A text is read line by line here, by its outer marks only: quotes and list items that are open,
fences, tables. That is enough to cut between blocks, and where a block is longer than a part, to
say what has to be open again where the next one begins. Reading what the marks mean is done when
a part is laid out; a mark that is misread here shows a line otherwise, and loses nothing.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, replace
from typing import NamedTuple

from rich.cells import cell_len

from store.text import TAB_WIDTH

MOST_COLUMNS = 40  # of a table; one with more is shown as it is written
_MOST_LINES = 2_000  # read of a text, but for blank ones: 4 ms, 10 if each begins a list
_LONGEST_LINE = 400  # of those that are said again to open a block
_DEEPEST = 24  # quotes and items within one another that are told apart

_QUOTE = re.compile(r" {0,3}> ?")
_ITEM = re.compile(r"( {0,3})([-+*]|\d{1,9}[.)])( {1,4}(?! )| (?= )|$)")
_FENCE = re.compile(r" {0,3}(?:(`{3,})([^`]*)|(~{3,})(.*))$")
_BLOCK = re.compile(r" {0,3}(?:#{1,6}(?: |$)|(?:- *){3,}$|(?:\* *){3,}$|(?:_ *){3,}$)")
_UNDERLINE = re.compile(r" {0,3}-+ *$")
_CODE_INDENT = "    "
_COLUMNS = re.compile(r" *\|? *:?-+:? *(?:\| *:?-+:? *)*\|? *$")
_PIPE = re.compile(r"(?<!\\)\|")

_MARKS = frozenset(" >#-+*_`~0123456789")  # what a line that begins a block begins with

# How bad it is to cut before a line.
_FREE, _ITEM_COST, _NESTED, _ROW, _BLANK_CODE, _CODE, _PROSE = range(7)


@dataclass(frozen=True, slots=True)
class Opening:
    """What is open where a part begins.

    `lines` open it again when they are read before the part; nothing of them is to be shown.
    `goes_on` says that the part begins in the middle of a block. `columns` are the widths of the
    table that it goes on with, `leaves` those of the one that it ends in the middle of.
    """

    lines: tuple[str, ...] = ()
    goes_on: bool = False
    columns: tuple[int, ...] = ()
    leaves: tuple[int, ...] = ()


START = Opening()


def cut(text: str, size: int, lines: int = sys.maxsize) -> list[tuple[int, Opening]]:
    """Say where the parts of a text begin, each at most so long, and what is open there.

    A part has at most `size` characters and, but for blank ones, `lines` lines. The text's lines
    end with a newline and nothing else. Of a text with very many lines only the first are read;
    the last part goes to its end, however far that is.
    """
    if len(text) <= size and text.count("\n") < lines:
        return [(0, START)]
    return _Cutter(text, size, lines).run()


def cells(line: str) -> list[str]:
    """Give the cells of a line of a table."""
    line = line.strip()
    parts = [part.strip() for part in _PIPE.split(line)]
    if parts and not parts[0]:
        parts.pop(0)
    if parts and not parts[-1]:
        parts.pop()
    return parts


class _Open(NamedTuple):
    """A quote or a list item that is open. `offset` is how far in an item's text begins."""

    offset: int  # 0 for a quote
    line: str  # what opens it again
    sign: str = ""


class _Fence(NamedTuple):
    closing: re.Pattern[str]
    line: str
    within: int  # how many quotes and items it stands in


class _Table(NamedTuple):
    start: int
    lines: tuple[str, str]
    within: int


class _Place(NamedTuple):
    """The start of a line, how bad it is to cut there, and what is open."""

    at: int
    number: int
    cost: int
    opened: tuple[_Open, ...]
    before: str | None  # the blank line before it, if that matters
    fence: _Fence | None
    table: _Table | None


class _Cutter:
    """One text being read."""

    def __init__(self, text: str, size: int, lines: int) -> None:
        self.text = text
        self.size = size
        self.lines = lines
        self.first = 0  # the number of the line that the last part begins in
        self.number = 0  # of the line that is being read
        self.out: list[tuple[int, Opening]] = [(0, START)]
        self.places: list[_Place] = []
        self.opened: tuple[_Open, ...] = ()
        self.fence: _Fence | None = None
        self.table: _Table | None = None
        self.previous = ""  # the line before, without what it stands in
        self.blank: str | None = None  # the line before as it is, when it is a blank one
        self.is_prose = False  # the line before is one of a paragraph
        self.is_code = False  # the last line that was not blank is one of indented code
        self.widths: dict[int, tuple[int, ...]] = {}

    def run(self) -> list[tuple[int, Opening]]:
        text, at, left = self.text, 0, _MOST_LINES
        while at < len(text) and left:
            end = text.find("\n", at) + 1 or len(text)
            left -= end - at > 1
            self._line(at, text[at:end].rstrip("\n"))
            while end - self.out[-1][0] > self.size:
                self._cut()
            if self.number - self.first >= self.lines and self._has_place():
                self._cut()
            at = end
            self.number += 1
        return self.out

    # Cutting

    def _has_place(self) -> bool:
        return any(place.at > self.out[-1][0] for place in self.places)

    def _cut(self) -> None:
        """Cut at the best place so far."""
        start = self.out[-1][0]
        places = [place for place in self.places if start < place.at <= start + self.size]
        if places:
            best = min(places, key=lambda place: (place.cost, -place.at))
            self.places = [place for place in self.places if place.at > best.at]
            self.first = best.number
            self._add(best.at, self._opening(best))
            return
        # One line longer than a part: after a word, or anywhere.
        stop = start + self.size
        at = self.text.rfind(" ", max(start, stop - 256), stop) + 1 or stop
        self.places = [place for place in self.places if place.at > at]
        lines = () if self.fence is None else (self.fence.line,)
        self.first = self.number
        self._add(at, Opening(lines, goes_on=True))

    def _add(self, at: int, opening: Opening) -> None:
        if opening.columns:
            before, last = self.out[-1]
            self.out[-1] = before, replace(last, leaves=opening.columns)
        self.out.append((at, opening))

    def _opening(self, place: _Place) -> Opening:
        lines = [item.line for item in place.opened if item.offset]
        if place.fence is not None:
            return Opening((*lines, place.fence.line), goes_on=True)
        if place.table is not None:
            columns = self._measure(place.table)
            return Opening((*lines, *place.table.lines), goes_on=True, columns=columns)
        if lines and place.before is not None:
            lines.append(place.before)
        return Opening(tuple(lines), goes_on=place.cost in (_PROSE, _CODE))

    def _measure(self, table: _Table) -> tuple[int, ...]:
        """Give the width of each column over all of a table."""
        if table.start not in self.widths:
            count = len(cells(table.lines[1]))
            widths = [0] * count
            at = table.start
            while at < len(self.text):
                end = self.text.find("\n", at) + 1 or len(self.text)
                line = self.text[at:end].strip(" >\n")
                if not line:
                    break
                if at == table.start or "-" not in line or not _COLUMNS.match(line):
                    row = cells(line)
                    row[count - 1 :] = [" | ".join(row[count - 1 :])]
                    for column, cell in enumerate(row):
                        widths[column] = max(widths[column], cell_len(cell))
                at = end
            self.widths[table.start] = tuple(widths)
        return self.widths[table.start]

    # Reading

    def _line(self, at: int, raw: str) -> None:
        line = raw.expandtabs(TAB_WIDTH) if "\t" in raw else raw
        rest, kept = self._walk(line) if self.opened else (line, 0)
        is_blank = not rest.strip()
        if self.fence is not None and kept >= self.fence.within:
            self._fenced(at, rest, line if is_blank else None)
            return
        self.fence = None
        if is_blank:
            if kept < len(self.opened) and not all(item.offset for item in self.opened[kept:]):
                self.opened = self.opened[:kept]  # a quote ends with a line that has no mark of it
            self.table, self.is_prose = None, False
            self.previous, self.blank = "", line
            return
        if self.table is not None and kept >= self.table.within and not self._is_block(rest):
            self._note(at, _ROW, self.opened[: self.table.within])
            self.previous, self.blank = rest, None
            return
        self.table = None
        self._block(at, line, rest, kept)

    def _walk(self, line: str) -> tuple[str, int]:
        """Go into the quotes and items that are open; give what is left and how many go on."""
        rest = line
        for index, item in enumerate(self.opened):
            if item.offset:
                indent = len(rest) - len(rest.lstrip(" "))
                if indent < item.offset and indent < len(rest):
                    return rest, index
                rest = rest[item.offset :]
            elif (quote := _QUOTE.match(rest)) is not None:
                rest = rest[quote.end() :]
            else:
                return rest, index
        return rest, len(self.opened)

    def _fenced(self, at: int, rest: str, blank: str | None) -> None:
        assert self.fence is not None
        if self.fence.closing.match(rest):
            # The closing line is of no use to a part of its own.
            self.fence = None
            self.previous, self.blank, self.is_prose = "", None, False
            return
        cost = _CODE if self.blank is None or rest.startswith(" ") else _BLANK_CODE
        self._note(at, cost, self.opened[: self.fence.within])
        self.previous, self.blank = rest, blank

    def _block(self, at: int, line: str, rest: str, kept: int) -> None:
        if self.is_code and kept == len(self.opened) and rest.startswith(_CODE_INDENT):
            self._note(at, _CODE if self.blank is None else _NESTED, self.opened)
            self.previous, self.blank = rest, None
            return
        gone = self.opened[kept:]
        is_block = self._is_block(rest)
        if is_block and self.is_prose and not gone and _UNDERLINE.match(rest):
            is_block = False  # the paragraph before it is a heading
        begins = is_block or self.blank is not None or not self.is_prose
        if not begins and gone:
            kept, gone = len(self.opened), ()  # a paragraph goes on without its marks
        opened = self.opened[:kept]
        item = _ITEM.match(rest) if gone else None
        if item is not None and gone[0].sign == item[2][-1]:
            self._note(at, _ITEM_COST if not kept else _NESTED, (*opened, gone[0]))
        elif begins:
            self._note(at, _NESTED if opened else _FREE, opened)
        else:
            self._note(at, _PROSE, opened)
        self.opened = opened
        if is_block:
            rest = self._enter(line, rest)
        self._look_at(at, line, rest)

    def _note(self, at: int, cost: int, opened: tuple[_Open, ...]) -> None:
        self.places.append(
            _Place(at, self.number, cost, opened, self.blank, self.fence, self.table)
        )

    def _enter(self, line: str, rest: str) -> str:
        """Open the quotes and items that a line begins; give what stands in them."""
        opened = list(self.opened)
        while len(opened) < _DEEPEST:
            if (quote := _QUOTE.match(rest)) is not None:
                opened.append(_Open(0, ""))
                rest = rest[quote.end() :]
            elif (item := _ITEM.match(rest)) is not None and not _BLOCK.match(rest):
                end = item.end() if item[3] else item.end() + 1
                marks = line[: len(line) - len(rest) + item.end()]
                opener = marks + ("#" if item[3] else " #")
                opened.append(_Open(end, opener[:_LONGEST_LINE], item[2][-1]))
                rest = rest[item.end() :]
            else:
                break
        self.opened = tuple(opened)
        return rest

    def _look_at(self, at: int, line: str, rest: str) -> None:
        """Note what a line begins, beside quotes and items."""
        within = len(self.opened)
        before, is_prose = self.previous, self.is_prose
        self.previous, self.blank, self.is_prose, self.is_code = rest, None, False, False
        if rest[:1] not in _MARKS and rest[:1] not in "|:":
            self.is_prose = True
        elif rest.startswith(_CODE_INDENT) and not is_prose:
            self.is_code = True
        elif (fence := _FENCE.match(rest)) is not None:
            sign = fence[1] or fence[3]
            closing = re.compile(rf" {{0,3}}{re.escape(sign[0])}{{{len(sign)},}} *$")
            self.fence = _Fence(closing, line[:_LONGEST_LINE], within)
        elif is_prose and "|" in before and len(rest) <= _LONGEST_LINE and _COLUMNS.match(rest):
            self._begin_table(at, line, before, rest, within)
        else:
            self.is_prose = not _BLOCK.match(rest)

    def _begin_table(self, at: int, line: str, before: str, rest: str, within: int) -> None:
        start = self.text.rfind("\n", 0, at - 1) + 1
        head = self.text[start : at - 1].expandtabs(TAB_WIDTH)
        fits = max(len(head), len(line)) <= _LONGEST_LINE
        if fits and len(cells(before)) == len(cells(rest)) <= MOST_COLUMNS:
            self.table = _Table(start, (head, line), within)

    def _is_block(self, rest: str) -> bool:
        if rest[:1] not in _MARKS:
            return False
        return any(mark.match(rest) for mark in (_BLOCK, _QUOTE, _ITEM, _FENCE))
