"""Finding something: a query over every session while it is typed, and within a conversation."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from store import Kind, NewMessage, Role, Store
from store.query.model import Query
from store.search import Hits
from tests.tui.people import NOW, browsing, notices, press, said, screen_text, settle, until
from tui.queries import Queries
from tui.screens.browse import Browse
from tui.widgets.history import HistoryView
from tui.widgets.hits import HitList
from tui.widgets.query import QueryLine
from tui.widgets.tasks import TaskList


async def typed(pilot: Pilot[None], text: str) -> None:
    """Type a query into the line."""
    for char in text:
        await pilot.press({" ": "space"}.get(char, char))
    await settle(pilot)


def words(pilot: Pilot[None]) -> str:
    """Give what is said beside the line."""
    return str(pilot.app.screen.query_one("#query-words").render())


def lit(pilot: Pilot[None]) -> str:
    """Give what is lit in the history."""
    history = pilot.app.screen.query_one(HistoryView)
    match = history._styles().match
    return " ".join(
        segment.text
        for y in range(history.scrollable_content_region.height)
        for segment in history.render_line(y)
        if segment.style is not None and segment.style.bgcolor == match.bgcolor
    )


def shown(pilot: Pilot[None]) -> str:
    """Say which list is on the screen."""
    hits, tasks = pilot.app.screen.query_one(HitList), pilot.app.screen.query_one(TaskList)
    assert hits.display is not tasks.display
    return "hits" if hits.display else "tasks"


async def test_hits_are_shown_while_one_types_and_read_where_they_are(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        screen = pilot.app.screen
        history, hits = screen.query_one(HistoryView), screen.query_one(HitList)
        await press(pilot, "slash")
        await typed(pilot, "b")
        assert shown(pilot) == "tasks", "a single letter is in every message"
        await typed(pilot, "ackof")
        assert shown(pilot) == "hits"
        assert "1 hit" in words(pilot)
        text = screen_text(pilot)
        assert "Fix retry storm" in text
        assert "No backoff." in text
        assert history.task_id == "bug"
        assert history.current_seq == 2
        assert lit(pilot) == "backof"
        await press(pilot, "enter")
        assert hits.has_focus
        await press(pilot, "enter")
        assert history.has_focus
        assert history.current_seq == 2
        await press(pilot, "escape")
        assert hits.has_focus
        await press(pilot, "escape")
        assert shown(pilot) == "tasks"
        assert screen.query_one(TaskList).has_focus
        assert lit(pilot) == ""


async def test_the_next_letter_stops_the_search_under_way(
    seeded: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, stopped = seeded.search, []

    async def endless(query: Query, **options: Any) -> Hits:
        try:
            if query.text == "st":
                await asyncio.sleep(60)
        except asyncio.CancelledError:
            stopped.append(query.text)
            raise
        return await search(query, **options)

    monkeypatch.setattr(seeded, "search", endless)
    async with browsing(seeded) as pilot:
        await press(pilot, "slash")
        await pilot.press("s", "t")
        assert not stopped
        await typed(pilot, "orm")
        assert stopped == ["st"]
        assert "1 hit" in words(pilot)


async def test_a_list_that_is_stopped_by_a_letter_is_read_with_it(
    seeded: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with browsing(seeded) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, Browse)
        listed, waits = screen._list, True

        async def slow() -> None:
            if waits:
                await asyncio.sleep(60)
            await listed()

        monkeypatch.setattr(screen, "_list", slow)
        await press(pilot, "slash")
        await pilot.press(*"agent:codex")
        waits = False
        await typed(pilot, " ")
        assert "Cache the index" in screen_text(pilot)
        assert "Fix retry storm" not in screen_text(pilot)


async def test_what_takes_long_is_shown_as_far_as_it_is(
    seeded: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    search, go_on = seeded.search, asyncio.Event()

    async def hurried(query: Query, *, seconds: float | None = None, **options: Any) -> Hits:
        if seconds is not None:
            assert seconds < 0.05
            return Hits(is_cut=True, is_capped=True)
        await go_on.wait()
        return await search(query, **options)

    monkeypatch.setattr(seeded, "search", hurried)
    async with browsing(seeded) as pilot:
        await press(pilot, "slash")
        await pilot.press(*"storm")
        await until(pilot, lambda: "Looking…" in screen_text(pilot))
        assert words(pilot) == "looking…"
        go_on.set()
        await settle(pilot)
        assert "Looking…" not in screen_text(pilot)
        assert "1 hit" in words(pilot)
        assert "Fix retry storm" in screen_text(pilot)


async def test_n_goes_from_hit_to_hit_across_sessions(seeded: Store) -> None:
    await seeded.save_messages("docs", said("The storm again.", at=NOW - timedelta(hours=3)))
    async with browsing(seeded) as pilot:
        history = pilot.app.screen.query_one(HistoryView)
        await press(pilot, "slash")
        await typed(pilot, "storm")
        await press(pilot, "enter", "enter")
        assert (history.task_id, history.current_seq) == ("bug", 1)
        await press(pilot, "n")
        assert (history.task_id, history.current_seq) == ("docs", 3)
        assert lit(pilot) == "storm"
        await press(pilot, "n")
        assert "last hit" in notices(pilot)[-1]
        await press(pilot, "N")
        assert (history.task_id, history.current_seq) == ("bug", 1)
        await press(pilot, "e")
        assert "Fix retry storm" in screen_text(pilot), "the commands are about the hit's task"


async def test_leaving_the_search_stays_with_what_was_read(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        tasks = pilot.app.screen.query_one(TaskList)
        await press(pilot, "slash")
        await typed(pilot, "cached")
        await press(pilot, "enter", "escape")
        assert tasks.has_focus
        assert tasks.selected_id == "api"
        assert "Cached." in screen_text(pilot)


async def test_titles_are_found_too(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "slash")
        await typed(pilot, "docs")
        assert "title" in screen_text(pilot)
        assert "Write the docs" in screen_text(pilot)


async def test_filters_alone_narrow_the_list_and_are_completed(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        tasks, hits = pilot.app.screen.query_one(TaskList), pilot.app.screen.query_one(HitList)
        await press(pilot, "slash")
        await typed(pilot, "agent:co")
        await press(pilot, "tab")
        line = pilot.app.screen.query_one(QueryLine)
        assert line.text == "agent:codex"
        assert not hits.display
        assert tasks.count == 1
        assert "/agent:codex" in screen_text(pilot)
        await press(pilot, "enter", "escape")
        assert tasks.count == 4


async def test_a_wrong_query_says_what_is_wrong_and_is_no_error(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "slash")
        await typed(pilot, "agnet:codex")
        assert "agent" in words(pilot)
        assert pilot.app.screen.query_one(QueryLine).has_class("-wrong")
        await press(pilot, *["backspace"] * 11)
        await typed(pilot, "storm")
        assert "hit" in words(pilot)
        assert not pilot.app.screen.query_one(QueryLine).has_class("-wrong")


async def test_nothing_found_says_what_to_leave_out(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "slash")
        await typed(pilot, "backoff agent:codex")
        text = screen_text(pilot)
        assert "Nothing found." in text
        assert "Without agent:codex: 1." in text
        assert "Without backoff" not in text


async def test_tool_output_is_counted_and_added_when_asked_for(seeded: Store) -> None:
    output = NewMessage(
        role=Role.TOOL, kind=Kind.TOOL_RESULT, content="a storm in the log", timestamp=NOW
    )
    await seeded.save_messages("docs", [output] * 3)
    async with browsing(seeded) as pilot:
        await press(pilot, "slash")
        await typed(pilot, "storm")
        assert "in:all adds 3" in words(pilot)
        await typed(pilot, " in:all")
        assert "4 hits" in words(pilot)
        assert "output" in screen_text(pilot)


async def test_recent_and_saved_queries_come_back(seeded: Store, tmp_path: Path) -> None:
    path = tmp_path / "config" / "queries.json"
    async with browsing(seeded) as pilot:
        assert isinstance(pilot.app.screen, Browse)
        pilot.app.screen._queries = Queries(path)
        for text in ("storm", "cached"):
            await press(pilot, "slash")
            await press(pilot, *["backspace"] * 9)
            await typed(pilot, text)
            await press(pilot, "enter", "escape")
        await press(pilot, "slash", "up", "up")
        assert pilot.app.screen.query_one(QueryLine).text == "storm"
        await press(pilot, "down")
        assert pilot.app.screen.query_one(QueryLine).text == "cached"
        await press(pilot, "ctrl+s", *"mine", "enter")
        assert "Saved as mine" in notices(pilot)[-1]
        assert path.stat().st_mode & 0o077 == 0
        assert json.loads(path.read_text()) == {
            "recent": ["storm", "cached"],
            "saved": {"mine": "cached"},
        }
        await press(pilot, "escape", "ctrl+p")
        await typed(pilot, "mine")
        await press(pilot, "enter")
        await until(pilot, lambda: "Cached." in screen_text(pilot))
        assert pilot.app.screen.query_one(HitList).display


async def test_within_a_conversation_folded_output_is_found_and_unfolded(seeded: Store) -> None:
    lines = "\n".join(f"line {n}" + (" needle" if n == 150 else "") for n in range(300))
    output = NewMessage(role=Role.TOOL, kind=Kind.TOOL_RESULT, content=lines, timestamp=NOW)
    talk = said("A needle?", "In the hay.", "Where is the needle?", at=NOW + timedelta(minutes=1))
    await seeded.save_messages("bug", [output, *talk])
    async with browsing(seeded) as pilot:
        history = pilot.app.screen.query_one(HistoryView)
        await press(pilot, "enter", "home", "slash")
        await typed(pilot, "needle")
        assert words(pilot) == "1 of 3"
        assert "line 150 needle" in screen_text(pilot)
        assert not pilot.app.screen.query_one(HitList).display
        await press(pilot, "enter")
        assert history.has_focus
        await press(pilot, "n")
        assert "Hit 2 of 3" in notices(pilot)[-1]
        assert history.current is not None
        assert history.current.content == "A needle?"
        await press(pilot, "home")
        assert "line 20" not in screen_text(pilot), "it is folded again"
        await press(pilot, "N")
        assert "line 150 needle" in screen_text(pilot)
        await press(pilot, "space", "space", "n", "home")
        assert "line 20" in screen_text(pilot), "somebody unfolded it"
        await press(pilot, "N", "N")
        assert "Hit 3 of 3" in notices(pilot)[-1]
        await press(pilot, "escape")
        assert lit(pilot) == ""
        assert history.has_focus
        await press(pilot, "slash")
        await typed(pilot, "nowhere")
        assert words(pilot) == "nothing found"


async def test_narrow_terminals_show_hits_then_the_history(seeded: Store) -> None:
    async with browsing(seeded, size=(80, 24)) as pilot:
        await press(pilot, "slash")
        await typed(pilot, "backoff")
        assert "No backoff." in screen_text(pilot)
        await press(pilot, "enter", "enter")
        assert lit(pilot) == "backoff"
        await press(pilot, "escape")
        assert pilot.app.screen.query_one(HitList).has_focus


async def test_a_file_of_queries_that_cannot_be_read_stops_nobody(
    seeded: Store, tmp_path: Path
) -> None:
    path = tmp_path / "queries.json"
    path.write_text("{")
    async with browsing(seeded) as pilot:
        assert isinstance(pilot.app.screen, Browse)
        pilot.app.screen._queries = Queries(path)
        await press(pilot, "slash")
        assert "is not JSON" in notices(pilot)[-1]
        await typed(pilot, "backoff")
        assert "1 hit" in words(pilot)
        await press(pilot, "enter")
        assert "not remembered" in notices(pilot)[-1]
    assert path.read_text() == "{"
