"""What is known of a task: in short beside the list, and all of it on a sheet of its own."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

import store as library
from store import Kind, NotFound, Role, Store, ingest
from tests.agents import claude_records as claude
from tests.tui.people import browsing, detail_text, notices, press, screen_text, until
from tui.facts import Facts, Gatherer
from tui.render.figures import in_days, short, size, span
from tui.render.sheet import as_text, sheet
from tui.screens.details import Details
from tui.widgets.facts import FactList

NOW = datetime.now(UTC)


def _answer(name: str, parent: str, when: str, *blocks: Any) -> dict[str, Any]:
    record = claude.assistant(name, parent, *blocks, version="2.1.197", timestamp=when)
    record["message"] |= {
        "id": f"msg_{name}",
        "model": "claude-sonnet-5",
        "usage": {
            "input_tokens": 11,
            "cache_creation_input_tokens": 200,
            "cache_read_input_tokens": 3000,
            "output_tokens": 1042,
        },
    }
    return record


def _talk(folder: Path) -> list[dict[str, Any]]:
    at = [(NOW - timedelta(days=26, minutes=90 - n)).isoformat() for n in (0, 5, 30, 89)]
    where = {"cwd": str(folder), "permissionMode": "plan"}
    return [
        claude.user("a", None, "Why the storm?", timestamp=at[0], **where),
        _answer("b", "a", at[1], claude.text("Let me look."), claude.call("t", "Bash")),
        claude.user("c", "b", [claude.result("t", "14 lines")], timestamp=at[2]),
        _answer("d", "c", at[3], {"type": "thinking", "thinking": "Hm."}, claude.text("So.")),
    ]


@pytest.fixture
def transcript(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_program: Path) -> Path:
    """A transcript in a home of its own, last written to 26 days ago."""
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / "uploader"
    folder.mkdir()
    path = claude.home(tmp_path / ".claude", _talk(folder))
    place = path.parent.with_name(re.sub(r"[^A-Za-z0-9-]", "-", str(folder)))
    path = path.parent.rename(place) / path.name
    moment = (NOW - timedelta(days=26, hours=12)).timestamp()
    os.utime(path, (moment, moment))
    return path


@pytest.fixture
async def imported(tmp_path: Path, transcript: Path) -> AsyncIterator[Store]:
    async with library.open_store(tmp_path / "details.db") as s:
        await ingest.run(s, env={"HOME": str(tmp_path)})
        task_id = (await s.find_session("claude", claude.ID)).task_id
        for title, status in (("Migrate", "done"), ("Ship 2.0", "open")):
            await s.save_task(library.Task(id=title, title=title))
            await s.set_task_status(title, status)
        await s.add_dependency(task_id, "Migrate")
        await s.add_dependency("Ship 2.0", task_id)
        before = NOW - timedelta(days=40)
        other = library.Task(title="The other way", fork_of=task_id, created_at=before)
        await s.save_task(other)
        await s.tag(task_id, "bug", "starred")
        yield s


def facts_of(pilot: Pilot[None]) -> dict[str, str]:
    """Give what the sheet shows: values by name, those of one name together."""
    shown: dict[str, str] = {}
    heading = ""
    for fact in pilot.app.screen.query_one(FactList).facts:
        if fact.is_heading:
            heading = fact.name
        else:
            name = f"{heading}/{fact.name}"
            shown[name] = f"{shown[name]}; {fact.shown}" if name in shown else fact.shown
    return shown


async def test_in_short_with_tokens_and_how_long_the_file_will_be_there(
    imported: Store, transcript: Path
) -> None:
    async with browsing(imported) as pilot:
        await press(pilot, "end")
        text = detail_text(pilot)
        assert "claude-sonnet-5 · 6.4 k tokens in, 2.1 k out" in text
        assert "needs: Migrate ✓ · needed by: Ship 2.0 · source: kept, deleted in 3 d" in text
        transcript.unlink()
        await press(pilot, "home", "end")
        assert "source:" not in detail_text(pilot)


async def test_everything_is_on_the_sheet(imported: Store, transcript: Path) -> None:
    folder = str(transcript.parents[3] / "uploader")
    async with browsing(imported) as pilot:
        await press(pilot, "end", "v")
        shown = facts_of(pilot)
        task_id = (await imported.find_session("claude", claude.ID)).task_id
        expected = {
            "Task/Title": "Why the storm?",
            "Task/Title given by": "its first prompt",
            "Task/Status": "open",
            "Task/Begun by": "a person",
            "Task/Tags": "#bug #starred",
            "Task/Task id": task_id,
            "Session/Agent": "claude 2.1.197",
            "Session/Session id": claude.ID,
            "Session/Doing": "idle",
            "Session/Permission mode": "plan",
            "Session/Folder": folder,
            "Session/Folder exists": "yes",
            "Session/Branch": "main",
            "Session/Models": "claude-sonnet-5",
            "Session/Duration": "1 h 29 min",
            "Session/Agent's home": str(transcript.parents[2]),
            "Messages/In all": "6",
            "Messages/Prompts": "1",
            "Messages/Tool calls": "1",
            "Messages/Answers": "2",
            "Messages/Thinking": "1",
            "Messages/Tool results": "1",
            "Tokens/Input": "22",
            "Tokens/Cache read": "6,000",
            "Tokens/Cache write": "400",
            "Tokens/Output": "2,084",
            "Tokens/In all": "8,506",
            "Connections/Forked as": "The other way · open",
            "Connections/Needs": "Migrate · done",
            "Connections/Needed by": "Ship 2.0 · open",
            "Source/File": str(transcript),
            "Source/On disk": size(transcript.stat().st_size),
            "Source/Kept in the store": f"{size(transcript.stat().st_size)}, as it was",
            "Resume/Command": f"cd {folder} && claude --resume {claude.ID}",
        }
        assert {name: shown.get(name) for name in expected} == expected
        assert shown["Source/Agent deletes it"].startswith("in 3 d (")
        assert "26d ago" in shown["Session/Started"]
        assert set(shown) - set(expected) == {
            "Session/Started",
            "Session/Last message",
            "Source/Agent deletes it",
        }
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, Details)


async def test_what_is_not_as_it_was(imported: Store, transcript: Path) -> None:
    shutil.rmtree(transcript.parents[3] / "uploader")
    transcript.unlink()
    await ingest.run(imported, env={"HOME": str(transcript.parents[3])})
    async with browsing(imported) as pilot:
        await press(pilot, "end", "v")
        shown = facts_of(pilot)
        assert shown["Session/Folder exists"] == "not there any more"
        assert shown["Source/On disk"] == "not there any more"
        assert "0s ago" in shown["Source/Missed since"] or "s ago" in shown["Source/Missed since"]
        assert shown["Source/Kept in the store"].endswith(", as it was")
        assert "Source/Agent deletes it" not in shown
        assert shown["Resume/Command"].endswith(f"claude --resume {claude.ID}")
        assert "not there any more" in shown["Resume/In the way"]


async def test_why_there_is_no_command(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "down", "v")
        shown = facts_of(pilot)
        assert "Resume/Command" not in shown
        assert "does not have the shape" in shown["Resume/Cannot be resumed"]
        assert shown["Connections/Sub-agents"] == "1"
        await press(pilot, "v", "end", "v")
        shown = facts_of(pilot)
        assert shown["Task/Title"] == "Ship 2.0"
        assert not [name for name in shown if name.startswith(("Session", "Source", "Resume"))]


async def _chosen(pilot: Pilot[None], name: str) -> None:
    """Go to a fact by the keys that a person has."""
    await press(pilot, "home")
    sheet = pilot.app.screen.query_one(FactList)
    for _ in sheet.facts:
        if sheet.fact is not None and sheet.fact.name == name:
            return
        await pilot.press("down")
    raise AssertionError(f"there is no {name}")


async def test_values_are_copied_as_they_are(seeded: Store) -> None:
    branch = "feat/\x1b[31mred\x1b]52;c;eA==\x07[/bold] \u202eevil"
    notes = "first line\n\tsecond\x00 line"
    await seeded.update_session("bug", git_branch=branch, model="[link=x]")
    await seeded.update_task("bug", notes=notes)
    async with browsing(seeded) as pilot:
        await press(pilot, "v")
        text = screen_text(pilot)
        assert "\x1b" not in text
        assert "\x00" not in text
        assert "\u202e" not in text
        assert "feat/␛[31mred␛]52;c;eA==␇[/bold] <U+202E>evil" in text
        assert "first line" in text
        assert "second␀ line" in text
        await _chosen(pilot, "Branch")
        await press(pilot, "y")
        assert pilot.app.clipboard == branch
        assert notices(pilot)[-1].startswith("Copied: feat/␛[31mred")
        await _chosen(pilot, "Notes")
        await press(pilot, "enter")
        assert pilot.app.clipboard == notes
        await press(pilot, "Y")
        assert f"  Branch: {branch}\n" in pilot.app.clipboard
        assert f"  Notes: {notes}\n" in pilot.app.clipboard
        assert "\nMessages\n  In all: 4\n" in pilot.app.clipboard
        assert notices(pilot)[-1].startswith("Copied everything")


@pytest.mark.parametrize("where", [(80, 24), (40, 12), (20, 5)])
async def test_every_row_can_be_reached_on_a_small_screen(
    imported: Store, where: tuple[int, int]
) -> None:
    async with browsing(imported, size=where) as pilot:
        await press(pilot, "end", "v")
        sheet = pilot.app.screen.query_one(FactList)
        for key in ("down", "pagedown"):
            await press(pilot, "home")
            seen = []
            for _ in sheet.facts:
                assert sheet.fact is not None
                seen.append(sheet.fact.name)
                at = sheet._first_lines[sheet._cursor]
                top, height = sheet.scroll_offset.y, sheet.scrollable_content_region.height
                assert top <= at < top + height, "what is chosen is in view"
                await pilot.press(key)
                await pilot.pause()
            assert seen[-1] == sheet.facts[-1].name
            if key == "down":
                assert set(seen) == {one.name for one in sheet.facts if not one.is_heading}
        assert all(len(line) <= where[0] for line in screen_text(pilot).splitlines())


async def test_with_the_mouse(imported: Store) -> None:
    async with browsing(imported) as pilot:
        await press(pilot, "end", "v")
        sheet = pilot.app.screen.query_one(FactList)
        line = sheet._first_lines[[one.name for one in sheet.facts].index("Session id")]
        await pilot.click(FactList, offset=(30, line + 1))
        assert sheet.fact is not None
        assert sheet.fact.name == "Session id"
        await pilot.click(FactList, offset=(30, line + 1), times=2)
        await until(pilot, lambda: pilot.app.clipboard == claude.ID)
        await pilot.click(FactList, offset=(3, 1))
        assert sheet.fact.name == "Session id", "a heading is nothing to choose"


class Slow:
    """A store whose count takes as long as one wants, and which notes who stopped waiting."""

    def __init__(self, s: Store) -> None:
        self._store = s
        self.may_answer = asyncio.Event()
        self.was_cancelled = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def count_messages(self, task_id: str) -> dict[tuple[Role, Kind], int]:
        try:
            await self.may_answer.wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        return await self._store.count_messages(task_id)


async def _open_sheet(pilot: Pilot[None]) -> None:
    await pilot.press("v")
    await until(pilot, lambda: pilot.app.screen.query(FactList))
    await until(pilot, lambda: "Folder exists" in str(facts_of(pilot)))


async def test_what_takes_its_time_is_filled_in_later(seeded: Store) -> None:
    slow = Slow(seeded)
    async with browsing(slow) as pilot:
        await _open_sheet(pilot)
        assert facts_of(pilot)["Messages/Answers"] == "…"
        await _chosen_quickly(pilot, "Answers")
        await pilot.press("y")
        await until(pilot, lambda: notices(pilot))
        assert notices(pilot) == ["Answers: this is not known yet."]
        slow.may_answer.set()
        await until(pilot, lambda: facts_of(pilot)["Messages/Answers"] == "2")
        sheet = pilot.app.screen.query_one(FactList)
        assert sheet.fact is not None
        assert sheet.fact.name == "Answers", "what was chosen stays chosen"


async def test_closing_the_sheet_stops_what_is_still_looked_for(seeded: Store) -> None:
    slow = Slow(seeded)
    async with browsing(slow) as pilot:
        await _open_sheet(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: slow.was_cancelled)


async def _chosen_quickly(pilot: Pilot[None], name: str) -> None:
    sheet = pilot.app.screen.query_one(FactList)
    for _ in sheet.facts:
        if sheet.fact is not None and sheet.fact.name == name:
            return
        await pilot.press("down")
        await pilot.pause()


async def test_a_task_that_is_deleted_meanwhile(seeded: Store) -> None:
    row = (await seeded.get_rows(["bug"]))[0]
    await seeded.delete_task("bug")
    gathered = [facts async for facts in Gatherer().all(seeded, row)]
    assert gathered[0] == Facts()
    assert [facts.counts for facts in gathered] == [None] * len(gathered)
    with pytest.raises(NotFound):
        await seeded.get_task("bug")


async def test_a_disk_that_fails_costs_nothing(seeded: Store, tmp_path: Path) -> None:
    odd = str(tmp_path / "a\0b")
    await seeded.update_session("bug", project_path="x" * 5000, source_path=odd)
    row = (await seeded.get_rows(["bug"]))[0]
    *_, facts = [facts async for facts in Gatherer({}).all(seeded, row)]
    assert facts.disk is not None
    assert (facts.disk.has_folder, facts.disk.source_size) == (False, None)
    assert facts.resumption is not None
    assert facts.resumption.refusal or facts.resumption.obstacles


async def test_what_was_on_disk_stays_shown_while_it_is_looked_at_again(seeded: Store) -> None:
    row = (await seeded.get_rows(["bug"]))[0]
    gatherer = Gatherer()
    first = [facts.disk is not None async for facts in gatherer.some(seeded, row)]
    again = [facts.disk is not None async for facts in gatherer.some(seeded, row)]
    assert (first, again) == ([False, True], [True, True])


async def test_more_than_one_model_is_told_apart(seeded: Store) -> None:
    row = (await seeded.get_rows(["bug"]))[0]
    day = NOW.date()
    usage = [
        library.Usage(day=day, model="large", input_tokens=5, output_tokens=2, reasoning_tokens=1),
        library.Usage(day=day, model="", input_tokens=1_000, cache_read_tokens=1),
    ]
    rows = sheet(row, Facts(usage=usage), NOW)
    shown = {fact.name: fact.shown for fact in rows if fact.name.startswith("by ")}
    assert shown == {"by large": "5 in, 2 out", "by a model without a name": "1,001 in, 0 out"}
    assert "  Reasoning in it: 1\n" in as_text(rows)


async def test_kinds_without_a_name_are_counted_too(seeded: Store) -> None:
    row = (await seeded.get_rows(["bug"]))[0]
    counts = {
        (Role.USER, Kind.TEXT): 7,
        (Role.ASSISTANT, Kind.TOOL_CALL): 3,
        (Role.TOOL, Kind.SUMMARY): 2,
    }
    shown = {fact.name: fact.shown for fact in sheet(row, Facts(counts=counts), NOW)}
    assert shown["Not typed"] == "5"
    assert shown["tool, summary"] == "2"


@pytest.mark.parametrize(
    ("count", "words"),
    [
        *((0, "0"), (873, "873"), (999, "999"), (1000, "1.0 k"), (3_256, "3.3 k")),
        *((9_949, "9.9 k"), (9_951, "10 k"), (999_499, "999 k"), (999_600, "1.0 M")),
        *((1_234_567, "1.2 M"), (12_345_678, "12 M"), (5 * 10**9, "5.0 G"), (10**16, "10,000 T")),
    ],
)
def test_counts_in_a_few_letters(count: int, words: str) -> None:
    assert short(count) == words


def test_sizes_and_spans() -> None:
    assert [size(n) for n in (0, 999, 1500, 10**7)] == ["0 B", "999 B", "1.5 kB", "10 MB"]
    spans = {0: "0 s", 59: "59 s", 60: "1 min", 3600: "1 h", 3661: "1 h 1 min"}
    spans |= {86_400: "1 d", 90_060: "1 d 1 h", 10**8: "1,157 d 9 h", -5: "0 s"}
    assert {n: span(timedelta(seconds=n)) for n in spans} == spans
    days = {0: "a moment", 60: "1 min", 7200: "2 h", 3 * 86_400 + 5: "3 d"}
    assert {n: in_days(timedelta(seconds=n)) for n in days} == days
