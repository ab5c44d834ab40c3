"""Going through conversations: to a place, into sub-agents and forks, and back."""

from __future__ import annotations

import json
from datetime import timedelta

from store import Kind, NewMessage, Role, Store
from tests.tui.people import NOW, browsing, notices, press, said, screen_text
from tui.widgets.history import HistoryView
from tui.widgets.tasks import TaskList

BEGAN = NOW + timedelta(minutes=1)


async def delegating(s: Store) -> None:
    """Store a conversation with two sub-agents and a fork."""
    await s.create_session("/p", "claude", task_id="main", title="Main", session_id="m")
    calls = [
        NewMessage(
            role=Role.ASSISTANT,
            kind=Kind.TOOL_CALL,
            tool_name="Task",
            tool_call_id=f"call-{n}",
            content=json.dumps({"description": f"job {n}", "prompt": f"Do job {n}."}),
            timestamp=BEGAN + timedelta(seconds=10 + n),
        )
        for n in (1, 2)
    ]
    early, late = said("Begin.", "Well.", "More?", "Done.", at=BEGAN), said("So.", at=BEGAN)
    late = [m.model_copy(update={"timestamp": BEGAN + timedelta(minutes=5)}) for m in late]
    early = [m.model_copy(update={"key": f"k{n}"}) for n, m in enumerate(early)]
    await s.save_messages("main", [*early, *calls, *late])
    for n in (2, 1):
        await s.create_session(
            "/p", "claude", task_id=f"job{n}", title=f"Sub {n}", origin="subagent"
        )
        await s.save_messages(
            f"job{n}", said(f"Do job {n}.", f"Did {n}.", at=BEGAN + timedelta(seconds=14))
        )
        job = await s.get_task(f"job{n}")
        await s.save_task(job.model_copy(update={"parent_task_id": "main"}))
    await s.create_session("/p", "claude", task_id="fork", title="Other way", session_id="f")
    taken = [m.model_copy(update={"inherited": True}) for m in early]
    await s.save_messages("fork", [*taken, *said("Differently.", "Yes.", at=BEGAN)])
    fork = await s.get_task("fork")
    await s.save_task(fork.model_copy(update={"fork_of": "main"}))


async def test_enter_goes_into_the_sub_agent_and_backspace_comes_back(seeded: Store) -> None:
    await delegating(seeded)
    async with browsing(seeded) as pilot:
        tasks = pilot.app.screen.query_one(TaskList)
        history = pilot.app.screen.query_one(HistoryView)
        assert tasks.selected_id == "main"
        assert "→ Sub 1" in screen_text(pilot)
        assert "→ Sub 2" in screen_text(pilot)
        assert "⑂ forked from here: Other way" in screen_text(pilot)
        await press(pilot, "enter")
        while (message := history.current) is None or message.tool_call_id != "call-2":
            await press(pilot, "right_square_bracket")
        await press(pilot, "enter")
        assert tasks.selected_id == "job2"
        assert history.task_id == "job2"
        assert history.has_focus
        assert "Did 2." in screen_text(pilot)
        await press(pilot, "backspace")
        assert tasks.selected_id == "main"
        assert history.current is not None
        assert history.current.tool_call_id == "call-2"


async def test_backspace_in_a_sub_agent_or_fork_goes_to_its_origin(seeded: Store) -> None:
    await delegating(seeded)
    async with browsing(seeded) as pilot:
        tasks = pilot.app.screen.query_one(TaskList)
        await press(pilot, "space", "down")
        assert tasks.selected_id in ("job1", "job2")
        await press(pilot, "enter", "backspace")
        assert tasks.selected_id == "main"
        await press(pilot, "backspace")
        assert "did not begin in another" in notices(pilot)[-1]


async def test_going_to_a_number_and_to_what_is_no_place(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        history = pilot.app.screen.query_one(HistoryView)
        await press(pilot, "enter", "g", "2", "enter")
        assert history.current_seq == 2
        await press(pilot, "g", "x", "enter")
        assert "'x' is not a number" in notices(pilot)[-1]
        assert history.current_seq == 2


async def test_views_are_named_in_the_title(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "p")
        text = screen_text(pilot)
        assert "History · your prompts only" in text
        assert "Why the storm?" in text
        assert "No backoff." not in text
        await press(pilot, "p", "h", "T", "T")
        assert "History · thinking hidden · no tools" in screen_text(pilot)
        assert "No backoff." in screen_text(pilot)
