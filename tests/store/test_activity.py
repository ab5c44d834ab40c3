"""What a session seems to be doing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import Kind, Origin, Role, Session, SessionStatus, Store, Task, TaskRow, TaskStatus
from store.activity import Activity, activity
from tests.store.helpers import NOON, at, new_task

ANSWER = (Role.ASSISTANT, Kind.TEXT, False)
PROMPT = (Role.USER, Kind.TEXT, True)
COMMAND = (Role.USER, Kind.TEXT, False)
CALL = (Role.ASSISTANT, Kind.TOOL_CALL, False)
OUTPUT = (Role.TOOL, Kind.TOOL_RESULT, False)
THOUGHT = (Role.ASSISTANT, Kind.THINKING, False)
INTERRUPTED = (Role.SYSTEM, Kind.TEXT, False)
COMPACTED = (Role.SYSTEM, Kind.SUMMARY, False)


def row(last: tuple[Role, Kind, bool] | None = ANSWER, **changes: object) -> TaskRow:
    """Give the row of a session whose last word was said at noon."""
    task = Task(id="t", last_message_at=NOON)
    session = Session(
        task_id="t", session_id="s", backend="claude", created_at=NOON, updated_at=NOON
    )
    role, kind, is_prompt = last or (None, None, False)
    whole = TaskRow(
        task=task, session=session, last_role=role, last_kind=kind, last_is_prompt=is_prompt
    )
    return whole.model_copy(update=changes)


@pytest.mark.parametrize(
    ("last", "minutes"),
    [(CALL, 15), (PROMPT, 5), (OUTPUT, 5), (THOUGHT, 5)],
)
def test_an_agent_whose_turn_it_is_works_until_it_is_silent_for_too_long(
    last: tuple[Role, Kind, bool], minutes: int
) -> None:
    assert activity(row(last), at(0)) is Activity.WORKING
    assert activity(row(last), at(minutes - 0.1)) is Activity.WORKING
    assert activity(row(last), at(minutes)) is Activity.STALE
    assert activity(row(last), NOON + timedelta(days=6, hours=23)) is Activity.STALE
    assert activity(row(last), NOON + timedelta(days=7)) is Activity.IDLE, "nobody waits for it now"


@pytest.mark.parametrize("last", [ANSWER, INTERRUPTED, COMPACTED])
def test_an_answer_or_a_word_of_the_program_leaves_it_to_the_person(
    last: tuple[Role, Kind, bool],
) -> None:
    assert activity(row(last), at(0)) is Activity.WAITING
    assert activity(row(last), at(29)) is Activity.WAITING
    assert activity(row(last), at(30)) is Activity.IDLE


def test_a_command_that_asks_for_nothing_is_never_stale() -> None:
    assert activity(row(COMMAND), at(1)) is Activity.WORKING
    assert activity(row(COMMAND), at(6)) is Activity.IDLE


def test_an_agent_is_at_work_while_one_it_sent_off_is() -> None:
    delegated = row(CALL, children_at=at(50))
    assert activity(delegated, at(60)) is Activity.WORKING
    assert activity(delegated, at(65)) is Activity.STALE
    assert activity(row(ANSWER, children_at=at(50)), at(51)) is Activity.IDLE


def test_what_is_over_waits_for_nobody() -> None:
    session = row().session
    assert session is not None
    gone = session.model_copy(update={"source_gone_at": at(1)})
    ended = session.model_copy(update={"status": SessionStatus.TERMINATED})
    done = Task(id="t", last_message_at=NOON, status=TaskStatus.DONE)
    for last in (ANSWER, CALL, PROMPT):
        assert activity(row(last, session=None), at(0)) is Activity.IDLE
        assert activity(row(last, session=gone), at(0)) is Activity.IDLE
        assert activity(row(last, session=ended), at(0)) is Activity.IDLE
        assert activity(row(last, task=done), at(20)) is Activity.IDLE
    assert activity(row(PROMPT, task=done), at(1)) is Activity.WORKING, "it was taken up again"
    assert activity(row(None), at(0)) is Activity.IDLE


@pytest.mark.parametrize("origin", [Origin.SUBAGENT, Origin.AUTOMATED])
def test_nobody_is_waited_for_by_what_another_program_began(origin: Origin) -> None:
    task = Task(id="t", last_message_at=NOON, origin=origin)
    assert activity(row(ANSWER, task=task), at(0)) is Activity.IDLE
    assert activity(row(CALL, task=task), at(0)) is Activity.WORKING
    assert activity(row(CALL, task=task), at(20)) is Activity.STALE


@given(
    st.sampled_from([ANSWER, PROMPT, COMMAND, CALL, OUTPUT, THOUGHT, INTERRUPTED, COMPACTED]),
    st.lists(st.integers(min_value=-60, max_value=30 * 24 * 60), min_size=2, max_size=2),
)
def test_a_session_that_is_silent_never_gets_busier(
    last: tuple[Role, Kind, bool], minutes: list[int]
) -> None:
    calmer = [Activity.WORKING, Activity.WAITING, Activity.STALE, Activity.IDLE]
    earlier, later = (calmer.index(activity(row(last), at(minute))) for minute in sorted(minutes))
    assert earlier <= later


async def test_a_row_says_whose_word_the_last_is_and_when_its_sub_agents_spoke(
    store: Store,
) -> None:
    await store.create_session("/src", "claude", task_id="parent")
    await store.save_message("parent", "user", "Go", timestamp=at(0), is_prompt=True)
    began = (("a", "subagent", 4), ("b", "subagent", 2), ("c", "automated", 9))
    for name, origin, minutes in began:
        await new_task(store, name, id=name, origin=origin, parent_task_id="parent")
        await store.save_message(name, "user", "Look", timestamp=at(minutes))
    parent, child = await store.get_rows(["parent", "a"])
    assert (parent.last_is_prompt, parent.children, parent.children_at) == (True, 2, at(4))
    assert (child.last_is_prompt, child.children, child.children_at) == (False, 0, None)
    assert activity(parent, at(8)) is Activity.WORKING
    assert activity(parent, at(9)) is Activity.STALE
