"""How much of a history is shown: folding, thinking, views; marks between messages; the mouse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from textual import events

from store import Kind, Message, Role
from tests.tui.histories import MILLION, START, Reader, all_text, call, message, reading, varied
from tui.places import parse_place
from tui.render.marks import Links
from tui.render.plan import Fold
from tui.showing import Extract, Showing, Thoughts
from tui.widgets.history import HistoryView

CYCLE = 5


def told(seq: int) -> Message:
    """Give turns of five: a prompt, a thought, a call, its output, an answer."""
    makers = [
        lambda: message(seq, f"prompt {seq}", role=Role.USER, is_prompt=True),
        lambda: message(seq, f"thought {seq}\nmore of thought {seq}", kind=Kind.THINKING),
        lambda: call(seq, "Bash", command=f"command {seq}", timeout=5),
        lambda: message(
            seq,
            "\n".join(f"output {seq} line {n}" for n in range(30)),
            role=Role.TOOL,
            kind=Kind.TOOL_RESULT,
        ),
        lambda: message(seq, f"answer {seq}"),
    ]
    return makers[(seq - 1) % CYCLE]()


def shown(reader: Reader) -> str:
    return all_text(reader.lines())


# One message


async def test_space_unfolds_the_marked_message_alone_and_folds_it_again() -> None:
    async with reading(100, told) as reader:
        reader.view.go_to(54)
        await reader.settle()
        before = reader.lines()
        assert "output 54 line 0" in shown(reader)
        assert "output 54 line 1\n" not in shown(reader)
        await reader.press("space")
        assert "output 54 line 20" in shown(reader)
        assert reader.view.current_seq == 54
        await reader.press("space")
        assert reader.lines() == before


async def test_a_message_unfolded_above_leaves_what_is_read_where_it_is() -> None:
    async with reading(100, told) as reader:
        reader.view.go_to(53)
        await reader.settle()
        await reader.press("space")
        reader.view.go_to(54)
        await reader.settle()
        await reader.press("space", "down", "down", "down")
        assert reader.lines()[0].split() == ["▌", "output", "54", "line", "3"]


async def test_space_on_what_has_no_folds_says_so() -> None:
    async with reading(100, told) as reader:
        reader.view.go_to(51)
        await reader.settle()
        await reader.press("space")
        await reader.pilot.pause()
        assert "nothing to unfold" in reader.events(HistoryView.Refused)[-1].reason


async def test_t_folds_what_was_unfolded_alone() -> None:
    async with reading(100, told) as reader:
        reader.view.go_to(54)
        await reader.settle()
        await reader.press("space")
        for _ in Fold:
            reader.view.cycle_fold()
        await reader.settle()
        assert "output 54 line 1\n" not in shown(reader)


# What is shown


async def test_thinking_is_folded_full_or_hidden() -> None:
    async with reading(100, told) as reader:
        reader.view.go_to(52)
        await reader.settle()
        assert "more of thought 52" not in shown(reader)
        reader.view.cycle_thoughts()
        await reader.settle()
        assert "more of thought 52" in shown(reader)
        assert "output 54 line 1\n" not in shown(reader)
        reader.view.cycle_thoughts()
        await reader.settle()
        assert "thought" not in shown(reader)
        assert "command 53" in shown(reader)
        reader.view.cycle_thoughts()
        await reader.settle()
        assert reader.view.current_seq == 53
        await reader.press("up")
        assert "thought 52" in shown(reader)


async def test_only_prompts_of_a_million_messages_and_back_to_the_same_place() -> None:
    async with reading(MILLION, told) as reader:
        reader.view.go_to(500_001)
        await reader.settle()
        reader.source.read.clear()
        reader.view.extract(Extract.PROMPTS)
        await reader.settle()
        lines = [line for line in reader.lines() if line.strip()]
        assert all("prompt" in line for line in lines)
        assert "prompt 500001 " in lines[0]
        assert "prompt 500006 " in lines[1]
        assert len(reader.source.read) <= 200
        await reader.pilot.pause(0.1)
        assert reader.events(HistoryView.Moved)[-1].total == MILLION // CYCLE
        await reader.press("home")
        assert "prompt 1 " in shown(reader)
        await reader.press("end")
        assert "prompt 999996 " in shown(reader)
        reader.view.go_to(500_001)
        await reader.settle()
        reader.view.extract(Extract.PROMPTS)
        await reader.settle()
        assert reader.view.current_seq == 500_001
        assert "command 500003" in shown(reader)


async def test_without_tools_what_was_said_remains() -> None:
    async with reading(1_000, told) as reader:
        reader.view.go_to(504)  # output, which goes: what follows it takes its place
        await reader.settle()
        reader.view.extract(Extract.TALK)
        await reader.settle()
        text = shown(reader)
        assert "command" not in text
        assert "output" not in text
        assert text.index("answer 505") < text.index("prompt 506")
        assert reader.view.current_seq == 505


async def test_a_view_of_prompts_grows_while_the_agent_works() -> None:
    async with reading(100, told) as reader:
        reader.view.extract(Extract.PROMPTS)
        await reader.settle()
        reader.view.toggle_follow()
        reader.source.count = 200
        reader.view.refresh_count(200)
        await reader.settle()
        assert "prompt 196" in shown(reader)
        await reader.pilot.pause(0.1)
        assert reader.view.count == 40


async def test_a_view_with_nothing_in_it_says_so() -> None:
    async with reading(50, message) as reader:
        reader.view.extract(Extract.PROMPTS)
        await reader.settle()
        assert "left to show" in shown(reader)
        reader.view.extract(Extract.PROMPTS)
        await reader.settle()
        assert "hello" in shown(reader)


def test_the_ways_of_showing_go_round() -> None:
    showing = Showing()
    assert showing.where is None
    assert showing.next_thoughts().next_thoughts().thoughts is Thoughts.HIDDEN
    assert showing.extracting(Extract.TALK).extracting(Extract.TALK) == showing
    for _ in Fold:
        showing = showing.next_fold()
    assert showing == Showing()
    assert not showing.in_words()
    assert Showing(Fold.FULL, Thoughts.HIDDEN, Extract.TALK).in_words() == (
        "tools full · thinking hidden · no tools"
    )


# Marks


def marked(seq: int) -> Message:
    """Give a fork: ten messages taken over, a rewound part, a next day."""
    fields: dict[str, Any] = {"inherited": seq <= 10, "on_branch": not 20 <= seq < 25}
    role = Role.USER if seq % 5 == 0 else Role.ASSISTANT
    said = message(seq, f"said {seq}", role=role, is_prompt=role is Role.USER, **fields)
    later = said.timestamp + timedelta(days=3 * (seq > 30))
    return said.model_copy(update={"timestamp": later})


async def test_forks_rewinds_and_days_are_marked() -> None:
    async with reading(40, marked, size=(100, 70)) as reader:
        await reader.press("home")
        while "said 40" not in shown(reader):
            await reader.pilot.resize_terminal(100, 140)
            await reader.settle()
        lines = [line.strip() for line in reader.lines() if line.strip()]
        assert "── forked here" in lines[10]
        assert "said 11" in lines[11]
        at = next(n for n, line in enumerate(lines) if "── rewound" in line)
        assert "said 20" in lines[at + 1]
        at = next(n for n, line in enumerate(lines) if "── goes on" in line)
        assert "said 25" in lines[at + 1]
        at = next(n for n, line in enumerate(lines) if "── Thursday 8 January" in line)
        assert "said 31" in lines[at + 1]


async def test_where_a_history_leads_is_marked_and_enter_goes_there() -> None:
    def make(seq: int) -> Message:
        if seq == 90:
            return call(seq, "Task", prompt="count").model_copy(update={"tool_call_id": "call"})
        return message(seq, f"said {seq}")

    async with reading(100, make, size=(100, 60)) as reader:
        titles = {"child": "Count the files", "fork": "Another way [/b]"}
        reader.view.link(Links({"call": "child"}, {95: ("fork",)}, titles))
        await reader.settle()
        assert "→ Count the files" in shown(reader)
        lines = reader.lines()
        at = next(n for n, line in enumerate(lines) if "forked from here: Another way [/b]" in line)
        assert "said 95" in lines[at - 1]
        for seq, task_id in ((90, "child"), (95, "fork")):
            reader.view.go_to(seq)
            await reader.settle()
            while reader.view.current_seq != seq:
                reader.view.next_message()
            await reader.press("enter")
            await reader.pilot.pause()
            followed = reader.events(HistoryView.Followed)[-1]
            assert (followed.task_id, followed.seq) == (task_id, seq)


# Going to a place


NOW = datetime(2026, 1, 10, 12, 0).astimezone()
NEAR = datetime(2026, 1, 5, 9, 30).astimezone()


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("1", 0),
        ("1,234", 1_233),
        ("0", 0),
        ("+10", 60),
        ("-10", 40),
        ("-100", 0),
        ("50%", 499),
        ("100 %", 999),
        ("14:30", NEAR.replace(hour=14, minute=30)),
        ("yesterday", datetime(2026, 1, 9).astimezone()),
        ("2026-01-07", datetime(2026, 1, 7).astimezone()),
        ("3d", NOW - timedelta(days=3)),
        ("soon", None),
        ("", None),
    ],
)
def test_places_as_people_write_them(text: str, place: int | datetime | None) -> None:
    assert parse_place(text, here=50, count=1_000, near=NEAR, now=NOW) == place


async def test_going_to_a_number_and_to_a_time_in_a_million() -> None:
    async with reading(MILLION) as reader:
        reader.view.go_to_rank(123_455)
        await reader.settle()
        assert reader.view.current_seq == 123_456
        reader.view.go_to_time(START + timedelta(seconds=654_321))
        await reader.settle()
        assert reader.view.current_seq == 654_321
        reader.view.go_to_time(datetime(2030, 1, 1, tzinfo=UTC))
        await reader.settle()
        assert reader.view.current_seq == MILLION
        reader.view.go_to_time(datetime(1999, 1, 1, tzinfo=UTC))
        await reader.settle()
        assert reader.view.current_seq == 1
        reader.view.go_to_rank(5 * MILLION)
        await reader.settle()
        assert reader.view.current_seq == MILLION


# The mouse


async def drag(reader: Reader, start: tuple[int, int], end: tuple[int, int]) -> None:
    await reader.pilot._post_mouse_events([events.MouseDown], reader.view, start, button=1)
    await reader.pilot._post_mouse_events([events.MouseMove], reader.view, end, button=1)
    await reader.pilot._post_mouse_events([events.MouseUp], reader.view, end, button=1)
    await reader.settle()
    await reader.pilot.pause()


async def test_dragging_chooses_text_without_the_gutter() -> None:
    async with reading(100, told) as reader:
        reader.view.go_to(51)
        await reader.settle()
        lines = reader.lines()
        row = next(n for n, line in enumerate(lines) if "command 53" in line)
        await drag(reader, (10, row), (99, row + 1))
        chosen = reader.events(HistoryView.Selected)[-1].text
        first, second = chosen.split("\n")
        assert first.startswith("Bash  command 53")
        assert second.lstrip("└ ").startswith("output 54 line 0")
        styles = [segment.style for segment in reader.view.render_line(row)]
        assert any(style is not None and style.reverse for style in styles)


async def test_a_click_marks_and_a_click_on_the_sign_unfolds() -> None:
    async with reading(100, told) as reader:
        reader.view.go_to(51)
        await reader.settle()
        row = next(n for n, line in enumerate(reader.lines()) if "command 53" in line)
        await drag(reader, (30, row), (30, row))
        assert reader.view.current_seq == 53
        assert not reader.events(HistoryView.Selected)
        assert "timeout" not in shown(reader)
        await drag(reader, (8, row), (8, row))
        assert "timeout: 5" in shown(reader)


async def test_choosing_goes_on_beyond_the_edge() -> None:
    async with reading(300, varied) as reader:
        await reader.press("home")
        await reader.pilot._post_mouse_events([events.MouseDown], reader.view, (12, 10), button=1)
        reader.view._pointer = (12, reader.height + 3)
        for _ in range(40):
            await reader.pilot.pause(0.05)
        before = reader.lines()
        await reader.pilot._post_mouse_events([events.MouseUp], reader.view, (12, 29), button=1)
        await reader.pilot.pause()
        assert before != reader.reference()[: reader.height]
        assert len(reader.events(HistoryView.Selected)[-1].text.split("\n")) > reader.height
