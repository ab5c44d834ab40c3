"""The task list as a person uses it: groups, families, rows that arrive, the mouse."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from textual.events import MouseScrollDown
from textual.pilot import Pilot

import store
from store import Store, Task
from tests.tui.people import browsing, notices, press, said, screen_text, settle, until
from tui.settings import Settings
from tui.widgets.tasks import TaskList

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)  # a Friday


@pytest.fixture
async def s(tmp_path: Path) -> AsyncIterator[Store]:
    """A store, opened at noon."""
    async with store.open_store(tmp_path / "list.db") as opened:
        with patch("tui.clock.now", lambda: NOON):
            yield opened


async def talk(
    s: Store, name: str, ago: timedelta, folder: str = "/src/api", fork_of: str | None = None
) -> None:
    """Store a conversation whose title is its name, and whose last word is so long ago."""
    await s.create_session(folder, "claude", task_id=name, title=name, session_id=f"s-{name}")
    await s.save_messages(name, said("Do it.", "Done.", at=NOON - ago - timedelta(seconds=1)))
    if fork_of is not None:
        task = await s.get_task(name)
        await s.save_task(task.model_copy(update={"fork_of": fork_of}))


async def sub_agent(s: Store, name: str, parent: str, ago: timedelta) -> None:
    await s.create_session("/src/api", "claude", task_id=name, title=name, origin="subagent")
    await s.save_messages(name, said("Look.", "Seen.", at=NOON - ago - timedelta(seconds=1)))
    task = await s.get_task(name)
    await s.save_task(task.model_copy(update={"parent_task_id": parent}))


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def days(n: float) -> timedelta:
    return timedelta(days=n)


def lines(pilot: Pilot[None]) -> list[str]:
    """Give the lines of the list, without its border."""
    tasks = pilot.app.screen.query_one(TaskList)
    content = tasks.content_region
    shown = screen_text(pilot).splitlines()
    return [line[content.x : content.right].rstrip() for line in shown[content.y : content.bottom]]


def words(pilot: Pilot[None]) -> list[str]:
    """Give what the lines of the list begin with: the title, or the heading."""
    told = [line.strip(" ○◐●◌✝×□") for line in lines(pilot) if line.strip()]
    return [re.split(r"(?<=[^\s│])  ", line)[0] for line in told]


def tasks_of(pilot: Pilot[None]) -> TaskList:
    return pilot.app.screen.query_one(TaskList)


async def week(s: Store) -> None:
    await talk(s, "seven", days(7), "/src/web")
    await talk(s, "tuesday", days(3), "/src/web")
    await talk(s, "yesterday", days(1), "/src/api")
    await talk(s, "early", minutes(60), "/src/api")
    await talk(s, "late", minutes(40), "/src/web")


async def test_b_groups_by_day_then_by_project_then_not(s: Store) -> None:
    await week(s)
    async with browsing(s) as pilot:
        await press(pilot, "b")
        assert [line.split(" ─")[0] for line in words(pilot)] == [
            "Today",
            "late",
            "early",
            "Yesterday",
            "yesterday",
            "Tuesday",
            "tuesday",
            "Friday 13 November",
            "seven",
        ]
        assert lines(pilot)[0].endswith("─ 2")
        assert "web" in lines(pilot)[1], "the project is on every row"
        await press(pilot, "b")
        assert [line.split(" ")[0] for line in words(pilot)] == [
            *("web", "late", "tuesday", "seven"),
            *("api", "early", "yesterday"),
        ]
        assert "/src/web ─" in lines(pilot)[0]
        assert "web" not in lines(pilot)[1], "the heading says it"
        await press(pilot, "b")
        assert words(pilot) == ["late", "early", "yesterday", "tuesday", "seven"]


async def test_the_cursor_goes_from_task_to_task(s: Store) -> None:
    await week(s)
    async with browsing(s) as pilot:
        await press(pilot, "b")
        tasks = tasks_of(pilot)
        seen = [tasks.selected_id]
        for _ in range(5):
            await press(pilot, "down")
            seen.append(tasks.selected_id)
        assert seen == ["late", "early", "yesterday", "tuesday", "seven", "seven"]
        for _ in range(5):
            await press(pilot, "up")
            seen.append(tasks.selected_id)
        assert seen[6:] == ["tuesday", "yesterday", "early", "late", "late"]
        for key, selected in (("end", "seven"), ("home", "late"), ("pagedown", "seven")):
            await press(pilot, key)
            assert tasks.selected_id == selected
        await press(pilot, "pageup")
        assert tasks.selected_id == "late"


async def test_the_heading_stays_while_its_tasks_pass_under_it(s: Store) -> None:
    for n in range(40):
        await talk(s, f"task {n:02}", minutes(60 + n), f"/src/p{n // 20}")
    async with browsing(s, size=(120, 16)) as pilot:
        await press(pilot, "b", "b")
        tasks = tasks_of(pilot)
        for _ in range(15):
            await press(pilot, "down")
        assert words(pilot)[0].startswith("p0")
        assert words(pilot)[-1] == "task 15"
        for _ in range(15):
            await press(pilot, "up")
        assert tasks.selected_id == "task 00"
        assert words(pilot)[:2][1] == "task 00", "the cursor is never under the heading"
        await press(pilot, "end")
        assert words(pilot)[0].startswith("p1")
        assert words(pilot)[-1] == "task 39"
        tasks.scroll_to(y=15, animate=False)
        await settle(pilot)
        assert words(pilot)[0].startswith("p0")
        await click(pilot, 10, 0)
        assert tasks.selected_id == "task 39", "a click on a heading selects nothing"
        assert [word for word in words(pilot)[1:] if word.startswith("p1")], "it comes from below"


async def test_the_selection_and_its_place_are_kept_while_rows_arrive_in_groups(s: Store) -> None:
    await week(s)
    async with browsing(s) as pilot:
        await press(pilot, "b", "down", "down")
        tasks = tasks_of(pilot)
        assert tasks.selected_id == "yesterday"
        await talk(s, "new", minutes(1))
        await until(pilot, lambda: "new" in words(pilot))
        assert tasks.selected_id == "yesterday"
        await talk(s, "yesterday too", days(1) - minutes(1))
        await until(pilot, lambda: "yesterday too" in words(pilot))
        assert tasks.selected_id == "yesterday"
        await press(pilot, "x")
        assert tasks.selected_id == "tuesday", "the next one, when it is archived"
        await press(pilot, "end", "x")
        assert tasks.selected_id == "tuesday"
        assert "Friday" not in "".join(words(pilot)), "a group without tasks has no heading"


async def family(s: Store) -> None:
    """Store an origin, a fork that was worked on since, a fork of that, a sub-agent of each."""
    await talk(s, "origin", days(30))
    await talk(s, "fork", minutes(50), fork_of="origin")
    await talk(s, "fork of it", days(2), fork_of="fork")
    await sub_agent(s, "helper", "origin", days(30))
    await sub_agent(s, "other helper", "fork", minutes(55))
    await sub_agent(s, "its own", "other helper", minutes(56))
    await talk(s, "alone", minutes(45))


async def test_a_family_is_folded_to_where_one_was_last(s: Store) -> None:
    await family(s)
    async with browsing(s) as pilot:
        assert words(pilot) == ["alone", "▸4 ⑂ fork"]
        assert "50m" in lines(pilot)[1], "the age is that of the conversation it names"
        await press(pilot, "down", "space")
        assert words(pilot) == [
            "alone",
            "▾ origin",
            "├ ⑂ fork",
            "│ ├ ⑂ fork of it",
            "│ └ ▸1 other helper",
            "└ helper",
        ]
        tasks = tasks_of(pilot)
        assert tasks.selected_id == "fork"
        await press(pilot, "down", "down", "right")
        assert words(pilot)[4:6] == ["│ └ ▾ other helper", "│   └ its own"]
        await press(pilot, "down", "left")
        assert tasks.selected_id == "other helper"
        assert words(pilot)[4:] == ["│ └ ▸1 other helper", "└ helper"]
        await press(pilot, "left")
        assert tasks.selected_id == "fork"
        assert words(pilot) == ["alone", "▸4 ⑂ fork"]
        await press(pilot, "left")
        assert "no sub-agents or forks" in notices(pilot)[-1]


async def test_what_is_read_is_not_folded_away_because_another_fork_goes_on(s: Store) -> None:
    await family(s)
    async with browsing(s) as pilot:
        tasks = tasks_of(pilot)
        await press(pilot, "down")
        assert tasks.selected_id == "fork"
        await s.save_messages("origin", said("More?", "More.", at=NOON - minutes(2)))
        await until(pilot, lambda: "▾ origin" in words(pilot))
        assert tasks.selected_id == "fork"
        await press(pilot, "left")
        assert tasks.selected_id == "origin"
        assert words(pilot) == ["▸4 origin", "alone"]
        await settle(pilot)
        await s.save_messages("alone", said("More?", "More.", at=NOON - minutes(1)))
        await until(pilot, lambda: words(pilot)[0] == "alone")
        assert words(pilot) == ["alone", "▸4 origin"], "it stays folded"


async def test_a_fork_that_matches_alone_is_shown_alone(s: Store) -> None:
    await family(s)
    async with browsing(s) as pilot:
        await press(pilot, "slash", *"it", "enter")
        assert words(pilot) == ["⑂ fork of it"]
        await press(pilot, "escape")
        assert words(pilot)[1:4] == ["▾ origin", "├ ⑂ fork", "│ ├ ⑂ fork of it"]
        assert tasks_of(pilot).selected_id == "fork of it", "it is not folded away"


async def test_an_unfolded_family_stays_so_in_groups_and_when_it_grows(s: Store) -> None:
    await family(s)
    async with browsing(s) as pilot:
        await press(pilot, "down", "space", "b")
        assert words(pilot)[2:4] == ["▾ origin", "├ ⑂ fork"]
        await talk(s, "late fork", minutes(41), fork_of="origin")
        await until(pilot, lambda: "⑂ late fork" in screen_text(pilot))
        assert tasks_of(pilot).selected_id == "fork"
        assert lines(pilot)[0].endswith("─ 2"), "a family counts as one"


async def test_the_top_line_says_how_many_are_hidden(s: Store) -> None:
    await family(s)
    await s.create_session("/src", "claude", task_id="nightly", origin="automated")
    await s.create_session("/src", "claude", task_id="empty")
    async with browsing(s) as pilot:
        assert "4 tasks · 2 hidden" in screen_text(pilot)
        await press(pilot, "slash", *"alone", "enter")
        assert "1 of 4" in screen_text(pilot)
        await press(pilot, "escape", "a")
        assert "6 tasks" in screen_text(pilot)
        assert "hidden" not in screen_text(pilot)


async def test_how_the_list_is_shown_is_remembered(s: Store, tmp_path: Path) -> None:
    await week(s)
    settings = Settings(tmp_path / "settings.json")

    async def again() -> Store:
        return await store.open_store(tmp_path / "list.db")

    async with browsing(s, settings=settings) as pilot:
        assert not settings.path.exists()
        await press(pilot, "b", "z", "o")
    async with browsing(await again(), settings=settings) as pilot:
        assert "by created" in screen_text(pilot)
        assert tasks_of(pilot).lines_each == 2
        assert " ──" in lines(pilot)[1]
        await press(pilot, "b", "b", "z")
    async with browsing(await again(), settings=settings) as pilot:
        assert tasks_of(pilot).lines_each == 1
        assert "──" not in "".join(lines(pilot))


@pytest.mark.parametrize("content", ['{"list_sort": "luck", "list_group": 7}', "{", "[]"])
async def test_settings_that_say_nothing_of_use_are_passed_over(
    s: Store, tmp_path: Path, content: str
) -> None:
    await week(s)
    path = tmp_path / "settings.json"
    path.write_text(content)
    async with browsing(s, settings=Settings(path)) as pilot:
        assert words(pilot) == ["late", "early", "yesterday", "tuesday", "seven"]


async def click(pilot: Pilot[None], x: int, y: int, times: int = 1) -> None:
    """Click on a cell of the list, counted from its first inside the border."""
    tasks = tasks_of(pilot)
    content = tasks.content_region.offset - tasks.region.offset
    await pilot.click(TaskList, offset=(content.x + x, content.y + y), times=times)
    await settle(pilot)


async def test_the_mouse_selects_reads_and_unfolds(s: Store) -> None:
    await family(s)
    async with browsing(s) as pilot:
        tasks = tasks_of(pilot)
        await click(pilot, 10, 1)
        assert tasks.selected_id == "fork"
        await click(pilot, 3, 1)
        assert words(pilot)[1:3] == ["▾ origin", "├ ⑂ fork"]
        await click(pilot, 3, 1)
        assert words(pilot) == ["alone", "▸4 ⑂ fork"]
        await click(pilot, 10, 0)
        assert tasks.selected_id == "alone"
        await click(pilot, 10, 20)
        assert tasks.selected_id == "alone", "there is nothing"
        await click(pilot, 10, 1, times=2)
        assert not tasks.has_focus
        assert pilot.app.screen.has_class("-reading")


async def test_only_the_mark_itself_unfolds(s: Store) -> None:
    await family(s)
    async with browsing(s) as pilot:
        await press(pilot, "z")
        for x, y in ((2, 2), (6, 2), (3, 3)):
            await click(pilot, x, y)
            assert "▾" not in screen_text(pilot), (x, y)
        await click(pilot, 3, 2)
        assert "▾ origin" in words(pilot)


async def test_the_mouse_on_headings_and_in_two_lines(s: Store) -> None:
    await week(s)
    async with browsing(s) as pilot:
        tasks = tasks_of(pilot)
        await press(pilot, "b", "z")
        for y, selected in ((1, "late"), (4, "early"), (6, "early"), (9, "yesterday")):
            await click(pilot, 10, y)
            assert tasks.selected_id == selected, y


async def test_the_wheel_scrolls_and_leaves_the_selection(s: Store) -> None:
    for n in range(80):
        await talk(s, f"task {n:02}", minutes(60 + n))
    async with browsing(s, size=(120, 20)) as pilot:
        tasks = tasks_of(pilot)
        await pilot._post_mouse_events([MouseScrollDown], TaskList, offset=(5, 5))
        await settle(pilot)
        assert words(pilot)[0] != "task 00"
        assert tasks.selected_id == "task 00"


async def test_the_selected_task_stays_in_view_in_another_density_or_size(s: Store) -> None:
    for n in range(120):
        await s.save_task(Task(id=f"t{n:03}", title=f"Task {n:03}", created_at=NOON - minutes(n)))
    async with browsing(s) as pilot:
        await press(pilot, *["pagedown"] * 2, *["up"] * 20)
        selected = tasks_of(pilot).selected
        assert selected is not None
        line = words(pilot).index(selected.task.title)
        await press(pilot, "z")
        assert words(pilot)[2 * line] == selected.task.title
        await press(pilot, "z")
        assert words(pilot)[line] == selected.task.title
        await pilot.resize_terminal(100, 12)
        await settle(pilot)
        assert selected.task.title in words(pilot)
        await pilot.resize_terminal(120, 60)
        await settle(pilot)
        assert "…" not in "".join(words(pilot))


def lit(pilot: Pilot[None]) -> list[str]:
    """Give the lines that look selected."""
    tasks = tasks_of(pilot)
    background = tasks.get_component_rich_style("tasks--cursor").bgcolor
    drawn = [tasks.render_line(y) for y in range(tasks.content_size.height)]
    shown = [
        strip for strip in drawn if any(s.style and s.style.bgcolor == background for s in strip)
    ]
    return [strip.text[3:].split("  ")[0].strip() for strip in shown]


async def test_one_line_looks_selected(s: Store) -> None:
    await week(s)
    async with browsing(s) as pilot:
        for key, selected in (("down", "early"), ("end", "seven"), ("up", "tuesday")):
            await press(pilot, key)
            assert lit(pilot) == [selected]


async def test_what_is_looked_at_stays_where_it_is_while_rows_arrive_above(s: Store) -> None:
    for n in range(120):
        await s.save_task(Task(id=f"t{n:03}", title=f"Task {n:03}", created_at=NOON - minutes(n)))
    async with browsing(s) as pilot:
        await press(pilot, "pagedown", "pagedown", *["up"] * 9)
        before = words(pilot)
        assert before[0] != "Task 000"
        for n in range(3):
            await s.save_task(Task(title="New", created_at=NOON + minutes(n)))
        await until(pilot, lambda: "123 tasks" in screen_text(pilot))
        await settle(pilot)
        assert words(pilot) == before


async def test_rows_are_there_however_fast_one_goes(s: Store) -> None:
    for n in range(300):
        await s.save_task(Task(id=f"t{n:03}", title=f"Task {n:03}", created_at=NOON - minutes(n)))
    async with browsing(s) as pilot:
        for _ in range(4):
            await pilot.press("pagedown")
        await pilot.press("pageup")
        await until(pilot, lambda: tasks_of(pilot).selected is not None)
        await until(pilot, lambda: "…" not in "".join(words(pilot)))
        selected = tasks_of(pilot).selected
        assert selected is not None
        assert selected.task.title in words(pilot)
        await press(pilot, "end")
        assert words(pilot)[-1] == "Task 299"
