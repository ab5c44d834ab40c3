"""Tables: columns as wide as their cells where there is room, their cells wrapped where not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.style import Style

from tui.render.cells import most_cells
from tui.render.wrap import Row, Span, breaks

_BETWEEN = " │ "
_CROSS = "─┼─"
_NARROWEST = 4  # a column that has to wrap; with less there are no columns
_MOST_STACKED = 12  # columns; the cells of more are written one after the other
_WORD = 16  # a longer word may be broken to make columns fit
_HEAD = Style(bold=True)


@dataclass(frozen=True, slots=True)
class Table:
    """A table, or what a part of a text has of it.

    Every row has as many cells as there are `aligns`, which are "", "left", "center" and "right".
    Where it goes on from another part its head is known and not shown; `natural` are the widths
    that its columns would have, if that is known of more rows than are here.
    """

    aligns: Sequence[str]
    head: Sequence[Row]
    body: Sequence[Sequence[Row]]
    goes_on: bool = False
    natural: Sequence[int] = ()


def table_rows(table: Table, width: int, style: Style, line: Style) -> Iterator[Row]:
    """Give the lines of a table, none wider than the width. `line` is the style of its lines."""
    rows = table.body if table.goes_on else [table.head, *table.body]
    columns = _columns(table, width)
    if columns is None and len(table.aligns) > _MOST_STACKED:
        yield from (Row(_BETWEEN.join(cell.text for cell in row), style, hang=2) for row in rows)
        return
    if columns is None:
        yield from _stacked(table, width, style, line)
        return
    rule = Row(_CROSS.join("─" * cells for cells in columns), line, is_whole=True)
    is_tall = any(_height(row, columns) > 1 for row in table.body)
    if not table.goes_on:
        yield from _lines(table.head, table.aligns, columns, style + _HEAD, line)
        yield rule
    for number, row in enumerate(table.body):
        if is_tall and (number or table.goes_on):
            yield rule
        yield from _lines(row, table.aligns, columns, style, line)


def _columns(table: Table, width: int) -> list[int] | None:
    """Say how wide the columns are, None when there is no room for them side by side."""
    room = width - len(_BETWEEN) * (len(table.aligns) - 1)
    if room < len(table.aligns):
        return None
    cells = list(zip(table.head, *table.body, strict=True))
    natural = [max(most_cells(cell.text) for cell in column) for column in cells]
    natural = list(map(max, natural, table.natural or [1] * len(natural)))
    if room < sum(min(wanted, _NARROWEST) for wanted in natural):
        return None
    if table.natural:
        words = natural  # the same in every part of the table
    else:
        words = [max(_longest_word(cell.text) for cell in column) for column in cells]
    return _fit(natural, words, room)


def _height(row: Sequence[Row], columns: Sequence[int]) -> int:
    return max(
        len(breaks(cell.text, cells)) if most_cells(cell.text) > cells else 1
        for cell, cells in zip(row, columns, strict=True)
    )


def _longest_word(text: str) -> int:
    return max(map(most_cells, text.split()), default=0)


def _fit(natural: Sequence[int], words: Sequence[int], room: int) -> list[int]:
    """Give each column a width: all of what it wants, or its words and a share of the rest."""
    if sum(natural) <= room:
        return list(natural)
    least = [
        min(cells, max(min(word, _WORD), _NARROWEST))
        for cells, word in zip(natural, words, strict=True)
    ]
    if sum(least) > room:
        least = [min(cells, _NARROWEST) for cells in natural]
    columns = list(least)
    left = room - sum(columns)
    wanting = sorted(
        (at for at, cells in enumerate(natural) if cells > columns[at]),
        key=lambda at: natural[at] - columns[at],
    )
    # The narrow ones first: what they do not need is for the others.
    for done, at in enumerate(wanting):
        share = min(natural[at] - columns[at], left // (len(wanting) - done))
        columns[at] += share
        left -= share
    return columns


def _lines(
    row: Sequence[Row], aligns: Sequence[str], columns: Sequence[int], style: Style, line: Style
) -> Iterator[Row]:
    """Give the lines that a row of cells takes, its cells side by side."""
    pieces = [breaks(cell.text, cells) for cell, cells in zip(row, columns, strict=True)]
    for number in range(max(map(len, pieces), default=0)):
        text: list[str] = []
        spans: list[Span] = []
        size = 0
        for at, cell in enumerate(row):
            if at:
                spans.append((size, size + len(_BETWEEN), line))
                text.append(_BETWEEN)
                size += len(_BETWEEN)
            lo, hi = pieces[at][number] if number < len(pieces[at]) else (0, 0)
            words = cell.text[lo:hi].rstrip()
            space = columns[at] - cell_len(words)
            before = {"right": space, "center": space // 2}.get(aligns[at], 0)
            spans += _shifted(cell, lo, lo + len(words), size + before - lo)
            text += (" " * before, words, " " * (space - before))
            size += len(words) + space
        yield Row("".join(text).rstrip(), style, spans, is_whole=True)


def _shifted(cell: Row, lo: int, hi: int, by: int) -> Iterator[Span]:
    for start, end, style in cell.spans:
        if end > lo and start < hi:
            yield max(start, lo) + by, min(end, hi) + by, style


def _stacked(table: Table, width: int, style: Style, line: Style) -> Iterator[Row]:
    """Give a table too wide for columns as one line for each cell, under its column's name."""
    rule = Row("─" * min(width, 24), line)
    if not table.body and not table.goes_on:
        yield from (Row(cell.text, style + _HEAD, cell.spans) for cell in table.head)
    for number, row in enumerate(table.body):
        if number or table.goes_on:
            yield rule
        for name, cell in zip(table.head, row, strict=True):
            label = f"{name.text}: "
            spans = [(0, len(label), style + _HEAD), *_shifted(cell, 0, len(cell.text), len(label))]
            yield Row(label + cell.text, style, spans, 2)
