"""Whatever arrives, and however: a history is in the order of (time, number), without gaps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import Message, NewMessage, Store, open_store
from store.sqlite import engine, messages
from tests.store.helpers import NOON, new_task, said

PAGE = 3
ZONES = (0, 60, -480, 345, 840, -720)  # minutes from UTC, Nepal's and the extremes among them


UNITS = (1, 10**3, 10**6, 10**9)  # of which so many make a second


class Given(NamedTuple):
    """A time as somebody gives it, and the moment that it means."""

    value: datetime | float | str | None
    moment: datetime | None


@st.composite
def moments(draw: st.DrawFn) -> Given:
    """Give no time, or one of few, so that equal and backward ones are common.

    They come in any zone, as text, and as numbers of every unit.
    """
    if draw(st.integers(0, 3)) == 0:
        return Given(None, None)
    moment = NOON + timedelta(minutes=draw(st.integers(-3, 3)))
    per_second = draw(st.sampled_from((*UNITS, None)))
    if per_second is not None:
        number = int(moment.timestamp()) * per_second
        ways: tuple[float | str, ...] = (number, float(number), str(number))
        return Given(draw(st.sampled_from(ways)), moment)
    moment += timedelta(microseconds=draw(st.integers(0, 1)))
    local = moment.astimezone(timezone(timedelta(minutes=draw(st.sampled_from(ZONES)))))
    return Given(local if draw(st.booleans()) else local.isoformat(), moment)


Step = tuple[str, list[Given]]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(("singly", "batch", "together")),
        st.lists(moments(), min_size=1, max_size=5),
    ),
    max_size=6,
)


async def _append(store: Store, task_id: str, step: Step) -> list[Message]:
    how, times = step

    def save(given: Given) -> Awaitable[Message]:
        return store.save_message(task_id, "user", "x", timestamp=given.value)

    if how == "batch":
        return await store.save_messages(task_id, [said("x", given.value) for given in times])
    if how == "together":
        return await asyncio.gather(*map(save, times))
    return [await save(given) for given in times]


def _in_order(stored: Sequence[Message]) -> list[Message]:
    return sorted(stored, key=lambda message: (message.timestamp, message.seq))


async def _agrees(store: Store, task_id: str, expected: list[Message], limit: int) -> None:
    """Compare every way of reading with the sorted reference."""
    assert await store.get_history(task_id) == expected
    walked: list[Message] = []
    async for message in store.iter_history(task_id):
        walked.append(message)
        assert len(walked) <= len(expected), "a history has an end"
    assert walked == expected
    assert (
        await store.get_history(task_id, limit=limit) == expected[max(0, len(expected) - limit) :]
    )
    for place, message in enumerate(expected):
        later, earlier = expected[place + 1 :], expected[:place]
        assert await store.get_history(task_id, after=message) == later
        assert await store.get_history(task_id, after=message, limit=limit) == later[:limit]
        assert await store.get_history(task_id, before=message) == earlier
        assert (
            await store.get_history(task_id, before=message, limit=limit)
            == earlier[max(0, place - limit) :]
        )
    if expected:
        between = await store.get_history(task_id, after=expected[0], before=expected[-1])
        assert between == expected[1:-1]


@pytest.fixture
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "_HISTORY_PAGE", PAGE)  # so that few messages are several pages


@pytest.mark.usefixtures("_short_pages")
@settings(deadline=None, max_examples=60)
@given(STEPS, st.integers(0, 8))
async def test_every_way_of_reading_agrees_with_the_sorted_reference(
    steps: list[Step], limit: int
) -> None:
    async with open_store(":memory:") as store:
        task_id = await new_task(store)
        stored: list[Message] = []
        for step in steps:
            new = await _append(store, task_id, step)
            for message, (_, moment) in zip(new, step[1], strict=True):
                assert moment is None or message.timestamp == moment
                assert message.timestamp.utcoffset() == timedelta(0)
            stored += new
        assert sorted(message.seq for message in stored) == list(range(1, len(stored) + 1))
        await _agrees(store, task_id, _in_order(stored), limit)
        task = await store.get_task(task_id)
        latest = max((message.timestamp for message in stored), default=None)
        assert (task.message_count, task.last_message_at) == (len(stored), latest)


@settings(deadline=None, max_examples=25)
@given(st.lists(STEPS, min_size=2, max_size=4))
async def test_a_number_is_never_given_twice(lives: list[list[Step]]) -> None:
    async with open_store(":memory:") as store:
        task_id = await new_task(store)
        given_so_far = 0
        for life, steps in enumerate(lives):
            await store.save_session(task_id, f"session {life}", "claude")
            stored = [message for step in steps for message in await _append(store, task_id, step)]
            numbers = sorted(message.seq for message in stored)
            assert numbers == list(range(given_so_far + 1, given_so_far + 1 + len(stored)))
            assert await store.get_history(task_id) == _in_order(stored)
            given_so_far += len(stored)
            await store.delete_session(task_id)
            assert await store.get_history(task_id) == []


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.integers(-90, 90)), min_size=1, max_size=12))
async def test_a_conversation_keeps_its_order_whatever_the_clock_does(
    turns: list[tuple[bool, int]],
) -> None:
    """Each turn the clock shows some second around noon, back and forth; nobody gives a time."""
    clock = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(messages, "now", lambda: clock)
        async with open_store(":memory:") as store:
            task_id = await new_task(store)
            for number, (batch, seconds) in enumerate(turns):
                clock = int(NOON.timestamp()) * 1_000_000 + seconds * 1_000_000
                texts = [f"{number}a", f"{number}b"]
                if batch:
                    await store.save_messages(
                        task_id,
                        [
                            NewMessage.model_validate({"role": "user", "content": text})
                            for text in texts
                        ],
                    )
                else:
                    for text in texts:
                        await store.save_message(task_id, "user", text)
            history = await store.get_history(task_id)
    said_in_order = [f"{number}{half}" for number in range(len(turns)) for half in "ab"]
    assert [message.content for message in history] == said_in_order
    assert [message.seq for message in history] == list(range(1, 2 * len(turns) + 1))
