"""Markdown as it reads: blocks to rows of styled text, for one part of a message at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from store.text import TAB_WIDTH, printable
from tui.render import blocks, code, parser
from tui.render.blocks import START, Opening
from tui.render.cells import unpiled
from tui.render.diff import Within, diff_rows
from tui.render.inline import Ink, inline_rows, shown
from tui.render.look import Look, on_ground
from tui.render.parser import Definitions, is_definition, is_plain, read_blocks, read_inline
from tui.render.table import Table, table_rows
from tui.render.wrap import Row

if TYPE_CHECKING:
    from markdown_it.token import Token

_RULE = 24  # cells
_BULLETS = "•◦▪"
_BOXES = {"[ ] ": "☐", "[x] ": "☑", "[X] ": "☑"}
_DIFFS = frozenset(("diff", "patch"))
_LEAVES = frozenset(("inline", "hr", "html_block", "fence", "code_block"))
_CONTAINERS = frozenset(
    (
        *("blockquote_open", "blockquote_close", "list_item_open", "list_item_close"),
        *("bullet_list_close", "ordered_list_close"),
    )
)

_BOLD = Style(bold=True)
_UNDERLINE = Style(underline=True)


@dataclass(frozen=True, slots=True)
class Page:
    """What a part of a message is written on: so many cells, `first` on the first line.

    With `breaks` a line ends where one ends in the source, as it does for who types a prompt.
    `named` are the addresses that the whole text defines.
    """

    look: Look
    style: Style
    width: int
    first: int
    breaks: bool = False
    named: Definitions = field(default_factory=dict)


def warm() -> None:
    """Load what reads Markdown and code. Takes 0.2 s; for a thread, while one looks elsewhere."""
    parser.warm()
    code.warm()


def markdown_rows(text: str, opening: Opening | None, page: Page, *, is_first: bool) -> list[Row]:
    """Give the rows of a part of a text. `is_first` says that nothing stands above it."""
    opening = opening or START
    # Made printable before it is read, so that lines are what they look like, and again after:
    # see `shown`.
    text = printable("\n".join((*opening.lines, text)), lines=True).expandtabs(TAB_WIDTH)
    text = unpiled(text)
    lines = text.split("\n")
    tokens = read_blocks(text)
    if tokens is None:
        return [Row(line, page.style) for line in lines[len(opening.lines) :]]
    return _Writer(lines, opening, page, is_first=is_first).write(tokens)


@dataclass(slots=True)
class _Nest:
    """A quote or a list item: what stands before its first line, and before the others."""

    first: str
    rest: str
    is_begun: bool = False


@dataclass(slots=True)
class _List:
    """A list: how many with bullets it stands in, how long the longest number of an item is."""

    depth: int
    width: int = 0


def _lists(tokens: Sequence[Token]) -> dict[int, _List]:
    """Give the lists by the places of the tokens that open them."""
    found: dict[int, _List] = {}
    within: list[_List | None] = []  # None for a quote
    for at, token in enumerate(tokens):
        if token.type in ("bullet_list_open", "ordered_list_open"):
            found[at] = _List(sum(one is not None and not one.width for one in within))
            within.append(found[at])
        elif token.type == "blockquote_open":
            within.append(None)
        elif token.type in ("bullet_list_close", "ordered_list_close", "blockquote_close"):
            within.pop()
        elif token.type == "list_item_open" and (inner := within[-1]) is not None:
            inner.width = max(inner.width, len(token.info))
    return found


class _Writer:
    """One part of a text being written."""

    def __init__(
        self, source: Sequence[str], opening: Opening, page: Page, *, is_first: bool
    ) -> None:
        self.source = source
        self.opening = opening
        self.page = page
        self.skip = len(opening.lines)
        self.ink = Ink.of(page.look, page.style)
        # On a ground of its own, save where the message has one.
        is_plain = page.style.bgcolor == page.look.text.bgcolor
        self.ground = on_ground(page.look.text, page.look.block if is_plain else page.style)
        self.most = max(2, page.width // 2)  # cells that quotes and lists may take
        self.rows: list[Row] = []
        self.nests: list[_Nest] = []
        self.lists: list[_List | None] = []  # None for a quote
        self.is_due = not is_first and not opening.goes_on  # a blank line, before what comes

    def write(self, tokens: Sequence[Token]) -> list[Row]:
        lists = _lists(tokens)
        at = 0
        while at < len(tokens):
            token = tokens[at]
            if at in lists:
                self._begin(token)
                self.lists.append(lists[at])
            elif token.type == "table_open":
                end = _closing(tokens, at, "table_close")
                self._table(tokens[at:end])
                at = end
            elif token.type in _CONTAINERS:
                self._container(token, tokens[at + 1 : at + 3])
            elif token.type in _LEAVES:
                self._leaf(token, tokens[at - 1] if at else token)
            at += 1
        return self.rows or [Row("", self.page.style)]

    # Quotes and lists

    def _container(self, token: Token, inside: Sequence[Token]) -> None:
        if token.type == "blockquote_open":
            self._begin(token)
            self.nests.append(_Nest("▎ ", "▎ "))
            self.lists.append(None)
        elif token.type == "list_item_open":
            self._begin(token)
            self.nests.append(self._item(token, inside))
        elif token.type == "list_item_close":
            if not self.nests[-1].is_begun:
                self._emit(Row("", self.page.style))  # with nothing in it, but for its sign
            self.nests.pop()
        else:
            if token.type == "blockquote_close":
                self.nests.pop()
            self.lists.pop()

    def _item(self, token: Token, inside: Sequence[Token]) -> _Nest:
        shape = self.lists[-1]
        assert shape is not None
        sign = _BULLETS[shape.depth % len(_BULLETS)]
        if token.info:
            sign = f"{token.info}{token.markup}".rjust(shape.width + 1)
        words = inside[1] if len(inside) > 1 and inside[1].type == "inline" else None
        box = _BOXES.get(words.content[:4]) if words is not None else None
        if words is not None and box is not None:
            words.content = words.content[4:]
            sign = f"{sign} {box}" if token.info else box
        return _Nest(f"{sign} ", " " * (cell_len(sign) + 1))

    def _begin(self, token: Token) -> None:
        """Begin a block: with a blank line before it, in a list only where the source has one."""
        first, _ = token.map or (0, 0)
        if first < self.skip:
            return
        in_list = bool(self.lists) and self.lists[-1] is not None
        if self.is_due and not (in_list and first and self.source[first - 1].strip(" >")):
            lead = self._lead(is_first=False)
            self.rows.append(Row("", self.page.style, (), 0, lead, lead))
        self.is_due = False

    def _lead(self, *, is_first: bool) -> list[Segment]:
        """Give what quotes and lists put before a line; before all but the first, what has room."""
        out: list[Segment] = []
        used = 0
        for nest in self.nests:
            text = nest.first if is_first and not nest.is_begun else nest.rest
            used += cell_len(text)
            if used > self.most and not is_first:
                break
            out.append(Segment(text, self.ink.note))
        return out

    def _emit(self, row: Row) -> None:
        """Add a row, behind what quotes and lists put before it."""
        if not self.nests:
            self.rows.append(row)
            return
        lead, follow = self._lead(is_first=True), self._lead(is_first=False)
        is_begun = all(nest.is_begun for nest in self.nests)
        for nest in self.nests:
            nest.is_begun = True
        if is_begun:
            lead = follow
        elif _cells(lead) > self.most:
            # More signs than there is room for: a line of their own, wrapped like any text.
            self.rows.append(Row("".join(segment.text for segment in lead), self.ink.note))
            lead = follow
        if row.lead:
            lead, follow = [*lead, *row.lead], [*follow, *row.follow]
        self.rows.append(_behind(row, lead, follow))

    # Blocks

    def _leaf(self, token: Token, before: Token) -> None:
        first, end = token.map or (0, 0)
        if first < self.skip:
            for nest in self.nests:
                nest.is_begun = True
            if end <= self.skip:
                return  # it only opens the part again; what is longer goes on in it
            if token.type != "fence":
                token.content = "\n".join(token.content.split("\n")[self.skip - first :])
        else:
            self._begin(token)
        if token.type == "inline":
            self._inline(token, before)
        elif token.type == "hr":
            self._emit(Row("─" * min(_RULE, self._room()), self.ink.note))
        elif token.type == "html_block":
            self._lines(token.content.rstrip("\n").split("\n"))
        else:
            self._code(token, is_new=first >= self.skip)
        self.is_due = True

    def _inline(self, token: Token, before: Token) -> None:
        look, style = self.page.look, self.page.style
        if before.type == "heading_open":
            level = int(before.tag[1])
            heading = on_ground(look.heading, style)
            style = [heading + _UNDERLINE, heading, style + _BOLD][min(level, 3) - 1]
        for is_named, lines in groupby(token.content.split("\n"), is_definition):
            if is_named:
                self._lines(list(lines))
                continue
            for row in self._words("\n".join(lines), style):
                self._emit(row)

    def _words(self, content: str, style: Style, *, one_line: bool = False) -> list[Row]:
        """Give the lines of a paragraph, or of a heading or a cell."""
        if is_plain(content):
            return [Row(shown(content), style)]
        tokens = read_inline(content, self.page.named)
        if tokens is None:
            return [Row(shown(line), style) for line in content.split("\n")]
        breaks = self.page.breaks
        return inline_rows(tokens, self.ink, style, breaks=breaks, one_line=one_line)

    def _lines(self, lines: Sequence[str]) -> None:
        """Write lines as they are in the source."""
        for line in lines:
            self._emit(Row(shown(line), self.ink.note))

    # Code

    def _code(self, token: Token, *, is_new: bool) -> None:
        look, info = self.page.look, shown(token.info.strip())
        lines = token.content.removesuffix("\n").split("\n")
        if info and is_new:
            self._block(Row(info, on_ground(look.note, self.ground)))
        if lines == [""]:
            return
        if info.split(" ")[0].lower() in _DIFFS:
            rows = diff_rows(lines, look, self.ground, Within(in_hunk=True))
        else:
            rows = code.code_rows(lines, look, self.ground, code.language(info))
        for row in rows:
            self._block(row)

    def _block(self, row: Row) -> None:
        """Add a line of a block of code, set in on a ground of its own."""
        margin = Segment("  ", self.ground)
        self._emit(_behind(row, [margin, *row.lead], [margin, *row.follow], self.ground))

    # Tables

    def _table(self, tokens: Sequence[Token]) -> None:
        first, end = tokens[0].map or (0, 0)
        goes_on = first < self.skip
        if goes_on:
            for nest in self.nests:
                nest.is_begun = True
        self._begin(tokens[0])
        aligns, lines = self._cells(tokens)
        natural = self.opening.columns if goes_on else ()
        if not natural and end >= len(self.source) - 1:
            natural = self.opening.leaves
        if len(natural) != len(aligns):
            natural = ()
        table = Table(aligns, lines[0], lines[1:], goes_on, natural)
        for row in table_rows(table, self._room(), self.page.style, self.ink.note):
            self._emit(row)
        self.is_due = True

    def _cells(self, tokens: Sequence[Token]) -> tuple[list[str], list[list[Row]]]:
        """Read the cells of a table, line by line, and how its columns are aligned."""
        aligns: list[str] = []
        lines: list[list[Row]] = []
        for at, token in enumerate(tokens):
            if token.type == "tr_open":
                lines.append([])
                line, _ = token.map or (0, 0)
            elif token.type in ("th_open", "td_open"):
                if token.type == "th_open":
                    aligns.append(str(token.attrs.get("style", "")).removeprefix("text-align:"))
                content = tokens[at + 1].content
                if len(lines) > 1 and len(lines[-1]) == len(aligns) - 1:
                    # Cells beyond the last column are left out by the rules. Not here.
                    beyond = blocks.cells(self.source[line].lstrip(" >"))[len(aligns) :]
                    content = " | ".join((content, *beyond))
                lines[-1] += self._words(content, self.page.style, one_line=True)
        return aligns, lines

    def _room(self) -> int:
        """Say how many cells a line has that is not to be wrapped."""
        width = self.page.width if self.rows else min(self.page.first, self.page.width)
        return max(2, width - _cells(self._lead(is_first=True)))


def _behind(row: Row, lead: list[Segment], follow: list[Segment], fill: Style | None = None) -> Row:
    """Give a row with something before it."""
    fill = row.fill or fill
    return Row(row.text, row.style, row.spans, row.hang, lead, follow, fill, row.is_whole)


def _closing(tokens: Sequence[Token], at: int, kind: str) -> int:
    """Give the place of the next token of a kind."""
    return next(place for place in range(at, len(tokens)) if tokens[place].type == kind)


def _cells(segments: Iterable[Segment]) -> int:
    return sum(cell_len(segment.text) for segment in segments)
