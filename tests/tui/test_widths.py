"""Every cell is where it was laid out, whatever is in it and whatever the terminal counts."""

from __future__ import annotations

import asyncio
import re
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from wcwidth import wcwidth

from store.text import printable
from tests.tui.foreign import TEXTS, make
from tests.tui.grid import COUNTINGS, Counting, Grid, WithoutMarks
from tests.tui.terminal import Terminal, backscroll, surroundings
from tests.tui.tmux import Tmux
from tui.output import Simple
from tui.render.cells import SETTLED, is_settled, most_cells, simple, whole, without_tabs
from tui.render.wrap import breaks, clip
from tui.settle import settled

WORDS = [word for text in TEXTS.values() for word in printable(text).split(" ")]
TEXT = st.lists(st.sampled_from([*WORDS, "", "a", "│", "日", "👩", "\u0301"]), max_size=12).map(
    lambda words: printable(" ".join(words))
)
ANY_TEXT = TEXT | st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(printable)
T = TypeVar("T", str, list[str])
BOLD = Style(bold=True)


def drawn(strips: list[Strip], at: int = 0) -> str:
    """Give what the terminal gets for strips beside each other on its first line."""
    out = [f"\x1b[1;{at + 1}H"]
    for strip in strips:
        for text, style, _control in strip:
            out.append(f"\x1b[1m{text}\x1b[0m" if style else text)
    return settled("".join(out))


def pane(segments: list[Segment], width: int) -> Strip:
    """Give a line between borders, as Textual draws it: with every cluster made simple."""
    line = Strip(segments).adjust_cell_length(width)
    edge = Segment("│")
    strip = Strip([edge, *line, edge])
    return Strip(Simple().apply(list(strip), None), width + 2)  # type: ignore[arg-type]


# The rules


@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(ANY_TEXT, st.booleans()), max_size=4), st.sampled_from([8, 21, 40]))
@example([("कि", False), ("कि", True)], 8)
@example([("🇩🇪🇫🇷 🇨", False)], 8)
@example([("🏳🏳🏳🏳", False)], 8)
def test_borders_stay_and_nothing_is_left_of_before(
    pieces: list[tuple[str, bool]], width: int
) -> None:
    left = pane([Segment(text, BOLD if is_bold else None) for text, is_bold in pieces], width)
    for name, counting in COUNTINGS.items():
        grid = Grid(counting, 60, 2)
        grid.feed("\x1b[1;1H" + "x" * 60)
        grid.feed(drawn([left, Strip([Segment("right")])]))
        row = grid.cells[0]
        assert row[0][0] == "│", name
        assert row[width + 1][0] == "│", name
        assert "".join(row[width + 2 : width + 7]) == "right", name
        assert "x" not in "".join(row[: width + 2]) or any("x" in text for text, _ in pieces), name


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT, st.integers(2, 20))
@example("कि कि कि", 8)
@example("🏳" * 9, 9)
@example("🇩🇪🇫🇷", 3)
def test_a_pane_that_is_drawn_alone_leaves_its_neighbour_alone(text: str, width: int) -> None:
    line = Strip([Segment(simple(text))]).adjust_cell_length(width)
    for name, counting in COUNTINGS.items():
        if name == "without marks":
            continue  # a mark in the last cell of all stands in the neighbour's first
        grid = Grid(counting, 40, 2)
        grid.feed(f"\x1b[1;{width + 1}Hneighbour")
        grid.feed(drawn([line]))
        assert "".join(grid.cells[0][width : width + 9]) == "neighbour", name


@settings(max_examples=500, deadline=None)
@given(ANY_TEXT)
def test_what_is_made_simple_keeps_its_cells_and_can_be_cut_anywhere(text: str) -> None:
    shown = simple(text)
    width = cell_len(text)
    assert cell_len(shown) == width
    assert simple(shown) == shown
    if "\u200d" in shown:
        return  # between letters a joiner stays, for the shape that it gives them
    for cut in range(width + 1):
        parts = Strip([Segment(shown)], width).divide([cut, width])
        assert [cell_len(part.text) for part in parts if part] == [
            size for size in (cut, width - cut) if size
        ]


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT, st.integers(0, 30), st.integers(1, 9))
def test_a_chosen_stretch_of_text_has_whole_clusters(text: str, lo: int, size: int) -> None:
    chosen, start, end = whole(text, lo, lo + size)
    assert chosen in text
    assert whole(text, 0, cell_len(text) + 1)[0] == text
    if end <= cell_len(text):
        assert cell_len(chosen) == end - start
        assert start in (lo, lo - 1)
        assert end in (lo + size, lo + size + 1)


@settings(max_examples=300, deadline=None)
@given(ANY_TEXT, st.integers(2, 30))
def test_no_terminal_needs_more_room_than_lines_are_given(text: str, width: int) -> None:
    pieces = [text[lo:hi] for lo, hi in breaks(text, width)]
    for piece in [*pieces, clip(text, width)]:
        assert most_cells(piece) <= width
    assert "".join(pieces).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
@pytest.mark.parametrize("counting", COUNTINGS.values(), ids=COUNTINGS.keys())
def test_letters_are_not_lost_where_there_is_room(text: str, counting: Counting) -> None:
    if isinstance(counting, WithoutMarks):
        return  # it has no room for the marks of a word
    text = printable(text)
    width = most_cells(text) + 2
    grid = Grid(counting, width + 2, 1)
    grid.feed(drawn([pane([Segment(text)], width)]))
    shown = unicodedata.normalize("NFC", grid.rows()[0])
    letters = [char for char in unicodedata.normalize("NFC", text) if char.isalpha()]
    assert [char for char in letters if char not in shown] == []


def test_what_is_settled_is_sent_as_it_is() -> None:
    text = "\x1b[1;1H\x1b[1m│ Größe “x” → 日本語 한국어 ✓ ░▒▓ αβγ Привет\x1b[0m\n"
    assert is_settled(text)
    assert settled(text) == text


def test_settled_characters_have_one_width_in_every_version_of_unicode() -> None:
    pairs = re.findall("(.)-(.)|(.)", SETTLED, re.DOTALL)
    settled_ones = [
        char
        for first, last, one in pairs
        for char in ([one] if one else map(chr, range(ord(first), ord(last) + 1)))
        if char.isprintable()
    ]
    assert len(settled_ones) > 90_000
    for version in ("9.0.0", "12.1.0", "15.1.0", "17.0.0"):
        odd = [char for char in settled_ones if cell_len(char, version) not in (1, 2)]
        assert odd == []
        assert [char for char in settled_ones if cell_len(char, version) != cell_len(char)] == []
    assert [char for char in settled_ones if wcwidth(char) != cell_len(char)] == []
    assert [char for char in settled_ones if unicodedata.category(char)[0] in "MC"] == []


@given(st.lists(ANY_TEXT, min_size=1, max_size=5))
def test_tabs_end_at_multiples_of_their_size_in_cells(parts: list[str]) -> None:
    text = without_tabs("\t".join(parts), 4)
    for count in range(1, len(parts)):
        before = without_tabs("\t".join([*parts[:count], ""]), 4)
        assert text.startswith(before)
        assert cell_len(before) % 4 == 0
    assert without_tabs("日\t|\nab\t|", 4) == "日  |\nab  |"


def test_terminals_that_reorder_keep_borders_where_they_are() -> None:
    line = pane([Segment("שלום עולם", BOLD), Segment("    "), Segment("12:30")], 22)
    other = pane([Segment("مرحبا بالعالم")], 22)
    grid = Grid(COUNTINGS["per character"], 60, 1)
    grid.feed(drawn([line, other]))
    row = grid.rows()[0]
    assert reordered(row) == []
    assert reordered(row.replace("\u200e", "")) != []


def reordered(row: str) -> list[int]:
    """Say which borders and digits a terminal would move that reorders a row by UAX 9."""
    strong = [_direction(char) for char in row]
    moved = []
    for at, char in enumerate(row):
        if char in "│╭╮╰╯" or char.isdigit():
            before = next((way for way in reversed(strong[:at]) if way), "L")
            after = next((way for way in strong[at:] if way), "L")
            is_number = char.isdigit() and before == "R"
            if is_number or before == after == "R":
                moved.append(at)
    return moved


def _direction(char: str) -> str:
    return {"L": "L", "R": "R", "AL": "R"}.get(unicodedata.bidirectional(char), "")


# The browser


@dataclass(frozen=True)
class Step:
    """Keys to be pressed, then perhaps another size for the terminal."""

    keys: str
    size: tuple[int, int] | None = None


DOWN, UP, PAGE_DOWN, PAGE_UP = "\x1b[B", "\x1b[A", "\x1b[6~", "\x1b[5~"
HOME, END, TAB, REDRAW = "\x1b[H", "\x1b[F", "\t", "\x0c"


BORDER = "╭╮╰╯│"


def journey(columns: int, lines: int) -> Iterator[Step]:
    """Go through everything: the list, histories and their folds, other sizes and back."""
    yield Step(DOWN * 9)
    yield Step(PAGE_DOWN)
    yield Step(UP * 5 + "z")
    yield Step(PAGE_DOWN * 2 + HOME + DOWN * 12, (columns - 7, lines - 2))
    yield Step("z" + TAB + HOME, (columns, lines))
    yield Step("t" + PAGE_DOWN)
    yield Step("t" + PAGE_DOWN + DOWN * 3, (columns + 5, lines))
    yield Step(END + PAGE_UP * 3, (columns, lines))
    for _ in range(4):
        yield Step(TAB + DOWN * 7 + TAB + HOME + DOWN * 5)
        yield Step(PAGE_DOWN * 2 + UP * 4)
    yield Step(TAB + HOME + TAB + END + UP * 9)
    yield Step(TAB + DOWN * 20 + "/" + "a")


def edges(rows: list[list[str]]) -> list[int]:
    """Give the columns that panes begin and end in, as the line below them shows them."""
    last = next(row for row in reversed(rows) if row[0] == "╰")
    return [x for x, cell in enumerate(last) if cell[:1] in tuple("╰╯")]


def panes(rows: list[T]) -> list[T]:
    """Give the rows between the top line and the lines at the bottom."""
    starts = [y for y, row in enumerate(rows) if row and row[0] in tuple(BORDER)]
    return rows[1 : starts[-1] + 1]


def check(rows: list[list[str]], where: str) -> None:
    """See that every pane's borders are straight: `rows` are lists of cells."""
    text = "\n".join("".join(row) for row in rows)
    columns = edges(rows)
    assert len(columns) in (2, 4), f"{where}\n{text}"
    assert columns[0] == 0, f"{where}\n{text}"
    assert columns[-1] == len(rows[0]) - 1, f"{where}\n{text}"
    for row in panes(rows):
        assert all(row[x][:1] in tuple(BORDER) for x in columns), f"{where}\n{text}"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("foreign") / "foreign.db"
    asyncio.run(make(path))
    return path


SIZES = [(120, 40), (80, 24), (40, 12)]


@pytest.mark.parametrize(("columns", "lines"), SIZES)
def test_no_terminal_shows_a_stale_cell_or_a_crooked_border(
    database: Path, tmp_path: Path, columns: int, lines: int
) -> None:
    grids = {name: Grid(counting, columns, lines) for name, counting in COUNTINGS.items()}
    with Terminal(
        backscroll("--database", str(database)),
        env=surroundings(tmp_path),
        cwd=tmp_path,
        columns=columns,
        lines=lines,
    ) as terminal:
        fed = 0

        def feed() -> dict[str, list[str]]:
            nonlocal fed
            terminal.quiet()
            data = terminal.sent[fed:].decode()
            fed = len(terminal.sent)
            for grid in grids.values():
                grid.feed(data)
            return {name: grid.rows() for name, grid in grids.items()}

        terminal.shows("Plain words")
        terminal.quiet(1)
        for number, step in enumerate(journey(columns, lines)):
            if step.size is not None:
                feed()
                terminal.resize(*step.size)
                for grid in grids.values():
                    grid.resize(*step.size)
            terminal.type(step.keys)
            seen = feed()
            terminal.type(REDRAW)
            anew = feed()
            for name, grid in grids.items():
                if name != "without marks":  # words with marks fill its scrollbars
                    assert seen[name] == anew[name], f"{name}, step {number}"
                check(grid.cells, f"{name}, step {number}")


def alike(now: list[str], before: list[str]) -> bool:
    """Compare two screens of tmux.

    It joins what a joiner stands between or not, depending on where its reading was interrupted:
    rows with joiners are passed over.
    """
    pairs = zip(now, before, strict=True)
    return all(one == other for one, other in pairs if "\u200d" not in one + other)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux")
@pytest.mark.parametrize(("columns", "lines"), [SIZES[0], SIZES[-1]])
def test_the_same_in_tmux(database: Path, tmp_path: Path, columns: int, lines: int) -> None:
    with Tmux(
        backscroll("--database", str(database)),
        socket=tmp_path / "tmux",
        env=surroundings(tmp_path, TERM="tmux-256color"),
        columns=columns,
        lines=lines,
    ) as tmux:
        tmux.shows("Plain words")
        tmux.quiet(1)
        for number, step in enumerate(journey(columns, lines)):
            if step.size is not None:
                tmux.resize(*step.size)
            tmux.type(step.keys)
            seen = tmux.quiet()
            tmux.type(REDRAW)
            assert alike(tmux.quiet(), seen), f"step {number}"
            columns_of_edges = edges([list(row) for row in seen])
            for cut in tmux.cut(column + 1 for column in columns_of_edges):
                for row in panes(cut):
                    assert row[-1:] in tuple(BORDER), f"step {number}\n" + "\n".join([*seen, *cut])
            tmux.type(REDRAW)
            assert alike(tmux.quiet(), seen), f"step {number}"
