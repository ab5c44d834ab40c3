"""What a search found, as a list: grouped, lit, moved through."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.strip import Strip

from store import Kind, Role
from store.query.model import Term
from store.search import Hit, Hits, TaskHit
from tui.hits import HitListing, seq_of
from tui.render.hits import heading_strip, hit_strips, snippet
from tui.render.lit import Finder, lit
from tui.render.tasks import TaskLook
from tui.widgets.hits import HitList

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PLAIN = Style()
LOOK = TaskLook(PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, {}, Style(reverse=True))
MATCH = Style(underline=True)


def hit(task: str, seq: int, text: str = "the storm came", **fields: Any) -> Hit:
    at = text.find("storm")
    given: dict[str, Any] = {
        "task_id": task,
        "session_id": task,
        "agent": "claude",
        "project_path": "/p",
        "title": f"Title of {task}",
        "seq": seq,
        "role": Role.USER,
        "kind": Kind.TEXT,
        "tool_name": None,
        "timestamp": NOW - timedelta(minutes=seq),
        "snippet": text,
        "marks": ((at, at + 5),) if at >= 0 else (),
    } | fields
    return Hit(**given)


def titled(task: str) -> TaskHit:
    return TaskHit(
        task_id=task,
        session_id=None,
        agent=None,
        project_path=None,
        title="storm",
        first_seq=1,
        field="title",
        timestamp=NOW,
        snippet="storm",
        marks=((0, 5),),
    )


# Grouping


def test_hits_are_grouped_by_session_where_its_first_hit_is() -> None:
    listing = HitListing()
    listing.add(Hits(hits=(hit("a", 1), hit("b", 2), hit("a", 3)), total=5, cursor="more"))
    assert [(line.group.task_id, line.hit and seq_of(line.hit)) for line in listing.lines] == [
        ("a", None), ("a", 1), ("a", 3), ("b", None), ("b", 2),
    ]  # fmt: skip
    assert [seq_of(listing.hit(n)) for n in range(3)] == [1, 3, 2]  # type: ignore[arg-type]
    assert listing.hit(3) is None
    listing.add(Hits(hits=(hit("b", 4), hit("c", 5)), tasks=(titled("d"),)))
    assert (len(listing), listing.sessions, listing.total, listing.cursor) == (6, 4, 5, None)
    assert listing.number_of("b", 4) == 3
    assert listing.number_of("b", 99) is None
    assert [listing.number_at(line) for line in range(6)] == [0, 0, 1, 2, 2, 3]


# Drawing


def lit_text(strip: Strip) -> str:
    return "".join(s.text for s in strip if s.style is not None and s.style.underline)


@pytest.mark.parametrize("width", [5, 20, 46, 120])
@pytest.mark.parametrize("lines", [1, 2])
@given(
    st.text(max_size=300), st.integers(0, 300), st.integers(0, 300), st.booleans(), st.booleans()
)
@settings(max_examples=50, deadline=None)
def test_every_line_is_as_wide_as_asked(
    width: int, lines: int, text: str, start: int, size: int, is_selected: bool, is_task: bool
) -> None:
    start = min(start, len(text))
    marks = ((start, min(len(text), start + size)),) if text[start : start + size] else ()
    found = hit("a", 1, text, marks=marks, tool_name="[/x]\x1b", agent="漢\x1b", title=text)
    strips = hit_strips(
        titled("x") if is_task else found,
        width, LOOK, MATCH, lines=lines, is_selected=is_selected, now=NOW,
    )  # fmt: skip
    listing = HitListing()
    listing.add(Hits(hits=(found,)))
    for strip in (*strips, heading_strip(listing.lines[0].group, width, LOOK, NOW)):
        assert strip.cell_length == cell_len(strip.text) == width
        assert "\x1b" not in strip.text
    assert len(strips) == lines


def test_the_match_is_lit_wherever_it_is_in_the_snippet() -> None:
    for text in ("storm", "a " * 200 + "storm" + " b" * 200, "x" * 300 + "storm", "storm " * 50):
        for width in (30, 46, 100):
            (strip,) = hit_strips(
                hit("a", 1, text), width, LOOK, MATCH, lines=1, is_selected=False, now=NOW
            )
            assert lit_text(strip).startswith("storm"), (text[:20], width)


def test_who_says_it_is_said() -> None:
    def label(**fields: Any) -> str:
        (strip,) = hit_strips(
            hit("a", 1, **fields), 60, LOOK, MATCH, lines=1, is_selected=False, now=NOW
        )
        return strip.text.split()[0]

    assert label() == "you"
    assert label(role=Role.ASSISTANT) == "claude"
    assert label(role=Role.ASSISTANT, kind=Kind.THINKING) == "thinking"
    assert label(role=Role.ASSISTANT, kind=Kind.TOOL_CALL, tool_name="Bash") == "Bash"
    assert label(role=Role.TOOL, kind=Kind.TOOL_RESULT) == "output"


def test_what_acts_in_a_snippet_is_made_visible_and_the_marks_stay_true() -> None:
    text, spans = snippet(hit("a", 1, "a\x1b\u202e  storm\x07"), 80)
    assert [text[lo:hi] for lo, hi in spans] == ["storm"]
    assert "\x1b" not in text
    assert "\u202e" not in text


@given(st.text(alphabet="ab storm_漢é\t", max_size=60), st.lists(st.integers(1, 9), max_size=6))
def test_lighting_changes_no_text(text: str, cuts: list[int]) -> None:
    segments, at = [], 0
    for size in cuts:
        segments.append(Segment(text[at : at + size], PLAIN))
        at += size
    segments.append(Segment(text[at:]))
    finder = Finder([Term("storm"), Term("a")])
    shown = lit(Strip(segments), finder, MATCH)
    assert shown.text == text
    assert lit_text(shown) == "".join(text[lo:hi] for lo, hi in finder.marks(text))


# Moving


class Host(App[None]):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def compose(self) -> ComposeResult:
        yield HitList()

    def on_hit_list_selected(self, event: HitList.Selected) -> None:
        self.seen.append((event.hit.task_id, seq_of(event.hit)))

    def on_hit_list_wanted(self, _event: HitList.Wanted) -> None:
        self.seen.append("wanted")

    def on_hit_list_left(self, _event: HitList.Left) -> None:
        self.seen.append("left")

    def on_hit_list_opened(self, _event: HitList.Opened) -> None:
        self.seen.append("opened")


@pytest.mark.parametrize("lines", [1, 2])
async def test_moving_passes_headings_over_and_asks_for_more(lines: int) -> None:
    app = Host()
    async with app.run_test(size=(60, 12)) as pilot:
        view = app.query_one(HitList)
        view.lines_each = lines
        listing = HitListing()
        hits = tuple(hit(f"t{seq // 3}", seq) for seq in range(200))
        listing.add(Hits(hits=hits, total=200, cursor="more"))
        view.show(listing)
        view.focus()
        await pilot.pause()
        assert app.seen == [("t0", 0)]
        await pilot.press("down", "down", "down")
        assert app.seen[-1] == ("t1", 3)
        await pilot.press("up", "up", "up", "up")
        assert app.seen[-1] == "left"
        await pilot.press("enter")
        assert app.seen[-1] == "opened"
        await pilot.press("end")
        assert app.seen[-2:] == [("t66", 199), "wanted"]
        assert "Title of t66" in "\n".join(view.render_line(y).text for y in range(12))
        await pilot.press("home", "pagedown")
        assert view.cursor > 0
        for y in range(12):
            assert view.render_line(y).cell_length == view.size.width
        await pilot.click(HitList, offset=(5, 1), times=2)
        assert app.seen[-1] == "opened"


async def test_the_selected_hit_stays_selected_when_it_is_found_again() -> None:
    app = Host()
    async with app.run_test(size=(60, 12)):
        view = app.query_one(HitList)
        first, second = HitListing(), HitListing()
        first.add(Hits(hits=(hit("a", 1), hit("a", 2), hit("b", 3))))
        view.show(first)
        view.step(2)
        second.add(Hits(hits=(hit("b", 3), hit("c", 4))))
        view.show(second)
        assert view.selected == hit("b", 3)
        assert not view.step(5)
        view.show(HitListing(), "Nothing found.\nWithout agent:codex: 3.")
        assert not len(view)
        assert "Without agent:codex: 3." in view.render_line(2).text
