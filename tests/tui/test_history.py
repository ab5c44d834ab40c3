"""The history pane: every line once, nothing loaded that is not looked at, nothing acted on."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Iterator
from datetime import datetime

import pytest
from rich.cells import cell_len
from textual.events import MouseScrollDown
from textual.scrollbar import ScrollTo

from store.errors import NotFound, StoreError
from store.models import Kind, Message, Role
from tests.tui.histories import (
    HOSTILE,
    MILLION,
    TASK,
    WIDE,
    Reader,
    Source,
    all_text,
    call,
    message,
    reading,
    varied,
)
from tui.paging import MOST_CHARACTERS, MOST_MESSAGES, PAGE, HistoryPages
from tui.render.history import message_lines
from tui.render.look import Look
from tui.render.plan import PART, Fold, plan_message
from tui.render.tools import detail, telling
from tui.render.wrap import breaks, clip
from tui.widgets.history import HistoryView

# Opening


async def test_opening_shows_the_end_and_reads_a_few_pages() -> None:
    async with reading(MILLION) as reader:
        assert len(reader.source.read) <= 3 * PAGE
        assert min(reader.source.read) > MILLION - 3 * PAGE
        assert f"message {MILLION}" in all_text(reader.lines()[-4:])
        moved = reader.events(HistoryView.Moved)[-1]
        assert (moved.position, moved.total) == (MILLION, MILLION)


@pytest.mark.parametrize("key", ["home", "pageup", "K"])
async def test_moving_through_a_million_reads_a_few_pages(key: str) -> None:
    async with reading(MILLION) as reader:
        reader.source.read.clear()
        for _ in range(3):
            if key == "K":
                reader.view.previous_prompt()
                await reader.settle()
            else:
                await reader.press(key)
        assert len(reader.source.read) <= 4 * PAGE


async def test_an_empty_history_says_so_and_fills_when_messages_come() -> None:
    async with reading(0) as reader:
        assert "No messages yet." in reader.lines()[0]
        await reader.press("up", "pagedown", "home", "end")
        reader.source.count = 3
        reader.view.refresh_count(3)
        await reader.settle()
        assert "message 1" in all_text(reader.lines())


async def test_the_old_picture_stays_until_the_new_one_is_there() -> None:
    async with reading(50) as reader:
        before = reader.lines()
        other = Source(20, lambda seq: message(seq, f"other {seq}"))
        other.gate = asyncio.Event()
        reader.view.show(TASK, other, 20, "codex")
        await reader.pilot.pause()
        assert reader.lines() == before
        await reader.pilot.pause(0.3)
        assert "Loading" in reader.lines()[0]
        other.gate.set()
        await reader.settle()
        assert "other 20" in all_text(reader.lines())


async def test_clear_shows_nothing() -> None:
    async with reading(50) as reader:
        reader.view.clear()
        await reader.press("up", "end", "J")
        assert all_text(reader.lines()).strip() == ""


# Moving: every line exactly once


@pytest.mark.parametrize("fold", list(Fold))
async def test_walking_down_and_up_gives_every_line_once(fold: Fold) -> None:
    async with reading(300, size=(60, 20)) as reader:
        while reader.view.showing.fold is not fold:
            reader.view.cycle_fold()
        await reader.press("home")
        expected = reader.reference(fold)
        height = reader.height
        assert reader.lines() == expected[:height]
        for top in range(1, len(expected) - height + 1):
            reader.view.action_scroll_down()
            await reader.settle()
            assert reader.lines()[-1] == expected[top + height - 1]
        assert reader.lines() == expected[-height:]
        reader.view.action_scroll_down()
        assert reader.lines() == expected[-height:]
        for top in range(len(expected) - height - 1, -1, -1):
            reader.view.action_scroll_up()
            await reader.settle()
            assert reader.lines()[0] == expected[top]
        reader.view.action_scroll_up()
        assert reader.lines() == expected[:height]


async def test_pages_are_consecutive() -> None:
    async with reading(300) as reader:
        expected = reader.reference()
        height = reader.height
        await reader.press("end")
        assert reader.lines() == expected[-height:]
        await reader.press("home")
        assert reader.lines() == expected[:height]
        await reader.press("pagedown")
        assert reader.lines() == expected[height - 1 : 2 * height - 1]
        await reader.press("pagedown", "down", "down")
        assert reader.lines() == expected[2 * height : 3 * height]
        await reader.press("pageup", "k")
        assert reader.lines() == expected[height : 2 * height]


async def test_keys_faster_than_loading_lose_nothing() -> None:
    async with reading(1_000) as reader:
        expected = reader.reference()
        height = reader.height
        await reader.press("home")
        for _ in range(30):
            reader.view.action_page_down()
        await reader.settle()
        start = 30 * (height - 1)
        assert reader.lines() == expected[start : start + height]
        reader.view.action_scroll_end()
        for _ in range(5):
            reader.view.action_scroll_up()
        await reader.settle()
        assert reader.lines() == expected[-height - 5 : -5]


async def test_a_history_shorter_than_the_view_stays_put() -> None:
    async with reading(3) as reader:
        expected = reader.reference()
        for key in ("end", "home", "down", "up", "pagedown", "pageup"):
            await reader.press(key)
            assert reader.lines()[: len(expected)] == expected
            assert not any(reader.lines()[len(expected) :])


async def test_the_wheel_and_the_scrollbar_move() -> None:
    async with reading(MILLION) as reader:
        await reader.press("home")
        view = reader.view
        view.post_message(ScrollTo(y=view.max_scroll_y / 2))
        await reader.pilot.pause()
        await reader.settle()
        moved = view._state()
        assert abs(moved[0] - MILLION // 2) < 50
        assert abs(view.scroll_y / view.max_scroll_y - 0.5) < 0.01
        before = reader.lines()
        await reader.pilot._post_mouse_events([MouseScrollDown], HistoryView, offset=(5, 5))
        await reader.settle()
        assert reader.lines()[:5] == before[2:7]
        view.post_message(ScrollTo(y=view.max_scroll_y))
        await reader.pilot.pause()
        await reader.settle()
        assert f"message {MILLION}" in all_text(reader.lines()[-4:])
        view.post_message(ScrollTo(y=0))
        await reader.pilot.pause()
        await reader.settle()
        assert reader.lines()[:20] == reader_start(reader)


async def test_a_click_on_the_scrollbar_jumps_there() -> None:
    async with reading(MILLION) as reader:
        for line, rank in ((15, 0.5), (3, 0.1), (27, 0.93)):
            await reader.pilot.click(HistoryView, offset=(99, line))
            await reader.settle()
            await reader.pilot.pause()
            assert abs(reader.view._state()[0] / MILLION - rank) < 0.05


def reader_start(reader: Reader) -> list[str]:
    look = Look(agent_name="claude", today=datetime.now().astimezone().date())
    lines = [
        strip.text.rstrip()
        for seq in range(1, 30)
        for strip in message_lines(reader.source.make(seq), reader.width, look, Fold.SUMMARY)
    ]
    return lines[:20]


# Staying in place


async def test_a_resize_keeps_the_text_at_the_top() -> None:
    def make(seq: int) -> Message:
        return message(seq, " ".join(f"w{seq}-{i}" for i in range(300)))

    async with reading(200, make) as reader:
        reader.view.go_to(100)
        await reader.settle()
        for _ in range(7):
            await reader.press("down")
        word = reader.lines()[0].lstrip("▌ ").split()[0]
        assert word.startswith("w100-")
        for width in (60, 140, 30, 100):
            await reader.pilot.resize_terminal(width, 30)
            await reader.settle()
            assert word in reader.lines()[0].split()
        assert reader.lines()[0].lstrip("▌ ").split()[0] == word


async def test_a_resize_at_the_end_stays_at_the_end() -> None:
    async with reading(200) as reader:
        await reader.pilot.resize_terminal(60, 20)
        await reader.settle()
        assert reader.lines() == reader.reference()[-reader.height :]


async def test_folding_keeps_the_message_at_the_top() -> None:
    async with reading(300) as reader:
        reader.view.go_to(147)
        await reader.settle()
        for _ in range(4):
            assert reader.view.current_seq == 147
            text = " ".join(reader.lines()[0:4])
            assert "message 147" in text
            reader.view.cycle_fold()
            await reader.settle()
            await reader.pilot.pause()


async def test_new_messages_leave_the_view_alone() -> None:
    async with reading(100) as reader:
        before = reader.lines()
        reader.source.count = 140
        reader.view.refresh_count(140)
        await reader.settle()
        assert reader.lines() == before
        await reader.press("end")
        assert reader.lines() == reader.reference()[-reader.height :]


async def test_following_goes_along_and_lets_go() -> None:
    async with reading(100) as reader:
        await reader.press("home")
        assert reader.view.toggle_follow()
        await reader.settle()
        for count in (101, 180, 500):
            reader.source.count = count
            reader.view.refresh_count(count)
            await reader.settle()
            assert reader.lines() == reader.reference()[-reader.height :]
        await reader.press("up")
        assert not reader.view.following
        before = reader.lines()
        reader.source.count = 510
        reader.view.refresh_count(510)
        await reader.settle()
        assert reader.lines() == before


async def test_another_theme_is_drawn_in_its_colours() -> None:
    async with reading(30) as reader:
        before = [reader.view.render_line(y) for y in range(reader.height)]
        reader.app.theme = "textual-light"
        await reader.pilot.pause()
        after = [reader.view.render_line(y) for y in range(reader.height)]
        assert [s.text for s in before] == [s.text for s in after]
        assert before != after


# Prompts and places


async def test_next_and_previous_prompt() -> None:
    async with reading(300) as reader:
        prompts = [seq for seq in range(1, 301) if varied(seq).is_prompt]
        for seq in reversed(prompts):
            reader.view.previous_prompt()
            await reader.settle()
            assert reader.view.current_seq == seq
        reader.view.previous_prompt()
        await reader.settle()
        await reader.pilot.pause()
        assert "first prompt" in reader.events(HistoryView.Refused)[-1].reason
        for seq in prompts[1:]:
            reader.view.next_prompt()
            await reader.settle()
            assert reader.view.current_seq == seq
        reader.view.next_prompt()
        await reader.settle()
        await reader.pilot.pause()
        assert "last prompt" in reader.events(HistoryView.Refused)[-1].reason


async def test_message_by_message_through_all_pages_and_back() -> None:
    async with reading(300) as reader:
        for seq in range(300, 0, -1):
            reader.view.previous_message()
            await reader.settle()
            assert reader.view.current_seq == seq
        reader.view.previous_message()
        await reader.settle()
        await reader.pilot.pause()
        assert reader.events(HistoryView.Refused)[-1].reason == "This is the first message."
        for seq in range(2, 301):
            reader.view.next_message()
            await reader.settle()
            assert reader.view.current_seq == seq
        reader.view.next_message()
        await reader.settle()
        await reader.pilot.pause()
        assert reader.events(HistoryView.Refused)[-1].reason == "This is the last message."


async def test_messages_are_passed_as_fast_as_one_types() -> None:
    async with reading(300) as reader:
        for _ in range(5):
            reader.view.previous_message()
        assert reader.view.current_seq == 296
        reader.view.next_message()
        assert reader.view.current_seq == 297


async def test_prompts_are_passed_as_fast_as_one_types_however_far_apart_they_are() -> None:
    def make(seq: int) -> Message:
        is_prompt = seq % 10_000 == 0
        return message(seq, f"message {seq}", role=Role.USER, is_prompt=is_prompt)

    async with reading(100_000, make) as reader:
        reader.source.read.clear()
        for _ in range(5):
            reader.view.previous_prompt()
        await reader.settle()
        assert reader.view.current_seq == 60_000
        reader.view.next_prompt()
        reader.view.next_prompt()
        reader.view.previous_prompt()
        await reader.settle()
        assert reader.view.current_seq == 70_000
        assert len(reader.source.read) <= 6 * PAGE


async def test_go_to_marks_the_message() -> None:
    async with reading(MILLION) as reader:
        reader.view.go_to(654_321)
        await reader.settle()
        lines = reader.lines()
        assert "654321" in all_text(lines[:3])
        assert any(line.startswith("▌") for line in lines[:3])


async def test_what_fails_is_said() -> None:
    async with reading(300) as reader:
        before = reader.lines()
        reader.source.error = StoreError("disk on fire")
        reader.view.go_to(3)
        await reader.settle()
        await reader.pilot.pause()
        assert str(reader.events(HistoryView.Failed)[-1].error) == "disk on fire"
        assert reader.lines() == before
        reader.source.error = None
        reader.view.go_to(3)
        await reader.settle()
        assert "message 3" in all_text(reader.lines()[:3])
        reader.view.go_to(999)
        await reader.settle()
        await reader.pilot.pause()
        assert isinstance(reader.events(HistoryView.Failed)[-1].error, NotFound)


# The window


async def test_the_window_is_bounded() -> None:
    source = Source(100_000)
    pages = HistoryPages(source, TASK, source.count)
    await pages.jump_end()
    at = pages.last
    while at > 98_000:
        while way := pages.lacks(at, at + 30):
            await pages.extend(way, at, at + 30)
        assert pages[at].seq == at + 1
        at -= 25
    assert len(pages) <= MOST_MESSAGES
    heavy = Source(1_000, lambda seq: message(seq, "x" * 400_000))
    pages = HistoryPages(heavy, TASK, heavy.count)
    at = await pages.jump_seq(500)
    for _ in range(60):
        at += 3
        while way := pages.lacks(at, at + 1, margin=4):
            await pages.extend(way, at, at + 1)
    assert pages[at].seq == at + 1
    assert len(pages) * 400_000 <= 8 * MOST_CHARACTERS


async def test_ranks_are_put_right_at_the_start() -> None:
    source = Source(200)
    pages = HistoryPages(source, TASK, 150)  # fifty came since they were counted
    await pages.jump_end()
    while not pages.at_start:
        await pages.extend(-1, pages.first, pages.first)
    assert pages.rank(pages.first) == 0
    position = await pages.jump_rank(400)
    assert pages[position].seq == 200
    await pages.jump_start()
    assert pages[pages.first].seq == 1


# One message


@pytest.mark.parametrize("width", [3, 12, 43, 44, 60, 100, 173])
@pytest.mark.parametrize("fold", list(Fold))
def test_every_line_is_as_wide_as_asked_and_harmless(width: int, fold: Fold) -> None:
    for text in (*HOSTILE, WIDE, "漢a" * 50, "\t\tx\ty", "a" * 300, "é" * 300, "# **x** `y` [/z]"):
        for shaped in shapes(text):
            for strip in message_lines(shaped, width, Look(agent_name="[/x]\x1b漢字"), fold):
                assert cell_len(strip.text) == strip.cell_length == width
                assert not any(map(is_control, strip.text)), repr(strip.text)
                assert not any(segment.control for segment in strip)
                assert not any(segment.style and segment.style.meta for segment in strip)


def shapes(text: str) -> Iterator[Message]:
    yield message(1, text, role=Role.USER, is_prompt=True)
    yield message(1, text)
    yield message(1, text, role=Role.SYSTEM)
    yield message(1, text, kind=Kind.THINKING)
    yield message(1, text, kind=Kind.SUMMARY, on_branch=False)
    yield message(1, text, kind=Kind.TOOL_RESULT, role=Role.TOOL, is_error=True)
    yield message(1, text, kind=Kind.TOOL_CALL, tool_name=text)
    yield call(1, "Edit", file_path=text, old_string=text, new_string=text + "\n" + text)
    yield call(1, "Shell", command=["bash", "-lc", text], deep=[[[{text: text}]]])


def is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in "\u202e\u2066\u200b"


def test_nothing_of_a_text_is_lost_in_wrapping() -> None:
    for text in ("one two  three " * 30, WIDE, "x" * 500, "日本 " * 90, "  indented " * 20):
        for width in (2, 7, 33):
            pieces = [text[lo:hi] for lo, hi in breaks(text, width)]
            assert "".join("".join(pieces).split()) == "".join(text.split())
            assert all(cell_len(piece) <= width for piece in pieces)


def test_clipping() -> None:
    assert clip("abcdef", 6) == "abcdef"
    assert clip("abcdef", 4) == "abc…"
    assert cell_len(clip("日本語日本語", 6)) <= 6


def test_shapes_are_told_apart_without_colour() -> None:
    look = Look(agent_name="claude")

    def text(shaped: Message, fold: Fold = Fold.SUMMARY) -> str:
        return all_text([strip.text.rstrip() for strip in message_lines(shaped, 90, look, fold)])

    prompt = text(message(1, "why?", role=Role.USER, is_prompt=True))
    assert prompt.startswith("\n you      why?")
    assert text(message(1, "because")).lstrip("\n").startswith(" claude   because")
    assert text(message(1, "hm", kind=Kind.THINKING)).startswith(" thinking hm")
    assert '▸ Bash  rg -n "retry" src/' in text(call(1, "Bash", command='rg -n "retry" src/'))
    edit = call(1, "Edit", file_path="a.py", old_string="a\nb", new_string="a\nc\nd")
    assert "Edit  a.py" in text(edit)
    assert "+2 -1" in text(edit)
    assert "- b" in text(edit, Fold.FULL)
    result = message(1, "\n".join(f"l{i}" for i in range(14)), kind=Kind.TOOL_RESULT)
    assert text(result).count("\n") == 0
    assert "14 lines" in text(result)
    assert "6 more lines" in text(result, Fold.SHORT)
    assert "l13" in text(result, Fold.FULL)
    assert "error" in text(message(1, "x", kind=Kind.TOOL_RESULT, is_error=True))
    assert "rewound" in text(message(1, "x", on_branch=False))
    assert "compacted" in text(message(1, "x", kind=Kind.SUMMARY))


def test_huge_messages_are_laid_out_in_parts() -> None:
    for content in ("x" * 10_000_000, "word " * 2_000_000, "line\r\n" * 1_000_000):
        plan = plan_message(message(1, content, kind=Kind.TOOL_RESULT), Fold.FULL)
        texts = [plan.text(part) for part in range(plan.parts)]
        assert "".join(texts) == content.rstrip()
        assert max(map(len, texts)) <= PART + 1
        short = message_lines(message(1, content, kind=Kind.TOOL_RESULT), 80, Look(), Fold.SHORT)
        assert len(short) < 30
        assert "more" in short[-1].text
        assert len(message_lines(message(1, content), 80, Look(), Fold.SUMMARY)) < 20_000


async def test_a_huge_message_is_read_from_both_ends() -> None:
    body = "\n".join(f"row {i}" for i in range(300_000))
    async with reading(3, lambda seq: message(seq, body if seq == 2 else "x")) as reader:
        for _ in range(2):
            reader.view.cycle_fold()
        await reader.press("end", "pageup")
        assert "row 299" in all_text(reader.lines())
        await reader.press("home", "pagedown")
        assert "row 30" in all_text(reader.lines())


def test_arguments_that_tell() -> None:
    assert telling('{"x": 1, "pattern": "abc"}') == "abc"
    assert telling('{"command": ["bash", "-lc", "ls -l"]}') == "ls -l"
    assert telling('{"x": 1}') == '{"x": 1}'
    assert telling("not json") == "not json"
    assert telling("{}") == ""
    assert telling('{"n": ' + "9" * 5_000 + "}").startswith('{"n"')
    assert telling('{"a":' * 30_000).startswith('{"a"')
    assert detail('{"path": "a", "text": "b\\nc"}').text == "path: a\ntext:\nb\nc"
