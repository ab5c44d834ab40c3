"""Histories: appended to, never changed, always in order, always counted."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import InvalidValue, Kind, Message, MessageFilter, NotFound, Role, Store, open_store
from store.sqlite import messages as engine_messages
from tests.store.helpers import at, new_task, said, texts


async def _told(store: Store, *minutes: float | None) -> str:
    """Store a history with messages named 1, 2, ... at these minutes."""
    task_id = await new_task(store)
    await store.save_messages(
        task_id,
        [said(str(n), None if m is None else at(m)) for n, m in enumerate(minutes, 1)],
    )
    return task_id


async def _walked(store: Store, task_id: str, most: int) -> list[Message]:
    walked: list[Message] = []
    async for message in store.iter_history(task_id):
        walked.append(message)
        assert len(walked) <= most, "a history has an end"
    return walked


async def test_a_message_comes_back_as_it_was_said(store: Store) -> None:
    task_id = await new_task(store)
    fields: dict[str, Any] = {
        "kind": "tool_result",
        "tool_name": "Bash",
        "tool_call_id": "c1",
        "is_error": True,
        "model": "m",
        "on_branch": False,
        "inherited": True,
        "key": "k",
    }
    content = "line\n\ttab \x1b[31m \0 \U0001f4c1 \u202e e\u0301"
    saved = await store.save_message(task_id, "tool", content, timestamp=at(0), **fields)
    assert saved == (await store.get_history(task_id))[0] == await store.get_message(task_id, 1)
    assert (saved.seq, saved.role, saved.kind) == (1, Role.TOOL, Kind.TOOL_RESULT)
    assert (saved.content, saved.timestamp) == (content, at(0))
    assert saved.model_dump(include=set(fields), mode="json") == fields


async def test_counts_are_always_what_the_history_holds(store: Store) -> None:
    task_id = await new_task(store)
    await store.save_session(task_id, "s", "claude")
    for batch in range(4):
        await store.save_messages(
            task_id,
            [
                said("ask", at(batch), is_prompt=True),
                said(
                    "{}", at(batch + 0.5), role="assistant", kind="tool_call", key=f"k{batch // 2}"
                ),
            ],
        )
        history = await store.get_history(task_id)
        task, session = await store.get_task(task_id), await store.get_session(task_id)
        assert task.message_count == session.message_count == len(history)
        assert task.prompt_count == sum(message.is_prompt for message in history)
        assert task.tool_call_count == sum(m.kind is Kind.TOOL_CALL for m in history)
        assert task.last_message_at == session.last_message_at == history[-1].timestamp


async def test_no_reader_sees_counts_and_rows_disagree(database: str) -> None:
    async with open_store(database) as writer, open_store(database) as reader:
        task_id = await new_task(writer)

        async def write() -> None:
            for n in range(40):
                await writer.save_messages(task_id, [said(str(n)), said("again")])

        writing = asyncio.create_task(write())
        seen = set()
        while not writing.done():
            before = (await reader.get_task(task_id)).message_count
            rows = len(await reader.get_history(task_id))
            after = (await reader.get_task(task_id)).message_count
            assert before <= rows <= after
            assert rows % 2 == 0
            seen.add(rows)
        await writing
        assert len(seen) > 1, "the reader was never in between"


async def test_messages_at_one_moment_keep_the_order_they_came_in(store: Store) -> None:
    task_id = await _told(store, 5, 5, 5, 5)
    assert texts(await store.get_history(task_id)) == ["1", "2", "3", "4"]


async def test_a_message_from_earlier_is_put_where_it_belongs(store: Store) -> None:
    task_id = await _told(store, 10, 5, 10, 1)
    assert texts(await store.get_history(task_id)) == ["4", "2", "1", "3"]
    assert (await store.get_task(task_id)).last_message_at == at(10)


async def test_without_a_time_a_message_is_stamped_now(store: Store) -> None:
    before = datetime.now(UTC)
    task_id = await _told(store, None)
    [message] = await store.get_history(task_id)
    assert before - timedelta(milliseconds=1) <= message.timestamp <= datetime.now(UTC)


async def test_a_clock_that_steps_back_does_not_reorder_a_conversation(store: Store) -> None:
    future = datetime.now(UTC) + timedelta(days=1)
    task_id = await new_task(store)
    await store.save_messages(task_id, [said("from tomorrow", future), said("same batch")])
    await store.save_message(task_id, "user", "another call")
    history = await store.get_history(task_id)
    assert texts(history) == ["from tomorrow", "same batch", "another call"]
    assert all(message.timestamp >= future for message in history)


async def test_a_clock_before_1970_is_a_clock(store: Store) -> None:
    long_ago = datetime(1969, 7, 20, 20, 17, tzinfo=UTC)
    task_id = await new_task(store)
    await store.save_messages(task_id, [said("landed", long_ago)])
    assert (await store.get_history(task_id))[0].timestamp == long_ago
    assert (await store.get_task(task_id)).last_message_at == long_ago


async def test_a_time_in_another_zone_is_the_same_time(store: Store) -> None:
    berlin = datetime.fromisoformat("2026-01-14T13:00:00.123456+01:00")
    task_id = await new_task(store)
    saved = await store.save_message(task_id, "user", "hallo", timestamp=berlin)
    assert saved.timestamp == berlin
    assert saved.timestamp.utcoffset() == timedelta(0)
    with pytest.raises(InvalidValue, match="timestamp"):
        await store.save_message(task_id, "user", "when?", timestamp=datetime(2026, 1, 1))


async def test_a_role_or_kind_that_is_none_is_refused(store: Store) -> None:
    task_id = await new_task(store)
    with pytest.raises(InvalidValue, match="role"):
        await store.save_message(task_id, "ghost", "boo")
    with pytest.raises(InvalidValue, match="kind"):
        await store.save_message(task_id, "user", "boo", kind="haunting")
    assert await store.get_history(task_id) == []


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.lists(st.none() | st.integers(-3, 3), max_size=4), max_size=5),
    st.integers(0, 12),
)
async def test_history_is_ordered_by_time_then_number_whatever_arrives(
    batches: list[list[int | None]], limit: int
) -> None:
    async with open_store(":memory:") as store:
        task_id = await new_task(store)
        stored = []
        for batch in batches:
            stored += await store.save_messages(
                task_id, [said("x", None if m is None else at(m)) for m in batch]
            )
        assert [message.seq for message in stored] == list(range(1, len(stored) + 1))
        expected = sorted(stored, key=lambda message: (message.timestamp, message.seq))
        assert await store.get_history(task_id) == expected
        assert await _walked(store, task_id, len(stored)) == expected
        latest = expected[max(0, len(expected) - limit) :]
        assert await store.get_history(task_id, limit=limit) == latest
        for n, message in enumerate(expected):
            assert await store.count_history(task_id, before=message) == n
            assert await store.get_history(task_id, after=message) == expected[n + 1 :]
            assert await store.get_history(task_id, before=message) == expected[:n]
            after = await store.get_history(task_id, after=message, limit=limit)
            assert after == expected[n + 1 : n + 1 + limit]
            before = await store.get_history(task_id, before=message, limit=limit)
            assert before == expected[max(0, n - limit) : n]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from(list(Kind)), st.booleans()), max_size=12),
    st.builds(MessageFilter, only_prompts=..., tools=..., thinking=...),
    st.integers(1, 5),
)
async def test_a_filter_leaves_out_what_it_says_and_keeps_the_order(
    told: list[tuple[int, Kind, bool]], where: MessageFilter, limit: int
) -> None:
    async with open_store(":memory:") as store:
        task_id = await new_task(store)
        for minute, kind, is_prompt in told:
            await store.save_message(
                task_id, "user", "x", kind=kind, timestamp=at(minute), is_prompt=is_prompt
            )
        everything = await store.get_history(task_id)
        expected = [message for message in everything if where.lets_through(message)]
        assert await store.get_history(task_id, where=where) == expected
        assert await store.get_history(task_id, where=where, limit=limit) == expected[-limit:]
        assert await store.count_history(task_id, where=where) == len(expected)
        for message in everything:
            key = (message.timestamp, message.seq)
            after = [other for other in expected if (other.timestamp, other.seq) > key]
            before = [other for other in expected if (other.timestamp, other.seq) < key]
            got = await store.get_history(task_id, after=message, limit=limit, where=where)
            assert got == after[:limit]
            got = await store.get_history(task_id, before=message, limit=limit, where=where)
            assert got == before[-limit:]
            assert await store.count_history(task_id, before=message, where=where) == len(before)
        for rank, message in enumerate(expected):
            assert await store.message_at(task_id, rank, where=where) == message
        for rank in (-1, len(expected), 2**70):
            with pytest.raises(NotFound):
                await store.message_at(task_id, rank, where=where)


async def test_prompts_and_talk_are_read_by_indexes_of_their_own(database: Path) -> None:
    async with open_store(database) as store:
        await new_task(store)
    with closing(sqlite3.connect(database)) as db:
        for where, index in (
            (MessageFilter(only_prompts=True), "message_prompt"),
            (MessageFilter(tools=False), "message_talk"),
            (MessageFilter(tools=False, thinking=False), "message_talk"),
        ):
            sql = f"""EXPLAIN QUERY PLAN SELECT content FROM message
                WHERE task = 1{engine_messages._also(where)} AND (at, seq) > (1, 1)
                ORDER BY at, seq LIMIT 5"""
            plan = " ".join(row[-1] for row in db.execute(sql))
            assert f"USING INDEX {index}" in plan
            assert "TEMP B-TREE" not in plan


async def test_the_latest_ones_are_given_first_come_last(store: Store) -> None:
    task_id = await _told(store, 1, 2, 3, 4, 5)
    history = await store.get_history(task_id)
    assert texts(await store.get_history(task_id, limit=2)) == ["4", "5"]
    assert texts(await store.get_history(task_id, limit=0)) == []
    assert texts(await store.get_history(task_id, limit=99)) == ["1", "2", "3", "4", "5"]
    assert texts(await store.get_history(task_id, after=history[1], limit=2)) == ["3", "4"]
    assert texts(await store.get_history(task_id, before=history[3], limit=2)) == ["2", "3"]
    between = await store.get_history(task_id, after=history[0], before=history[4], limit=2)
    assert texts(between) == ["2", "3"]
    assert await store.get_history(task_id, after=history[4]) == []


async def test_a_history_without_messages_is_empty(store: Store) -> None:
    task_id = await new_task(store)
    assert await store.get_history(task_id) == []
    assert await store.get_history(task_id, limit=5) == []
    assert [message async for message in store.iter_history(task_id)] == []
    assert await store.save_messages(task_id, []) == []


async def test_a_long_history_is_read_to_its_end(store: Store) -> None:
    task_id = await _told(store, *(n % 7 for n in range(700)))
    walked = await _walked(store, task_id, 700)
    assert walked == await store.get_history(task_id)
    assert len(walked) == 700


async def test_a_key_is_taken_once(store: Store) -> None:
    task_id = await new_task(store)
    first = await store.save_messages(task_id, [said("one", key="a"), said("twin", key="a")])
    assert texts(first) == ["one"]
    again = await store.save_messages(
        task_id, [said("changed", key="a"), said("new", key="b"), said("free"), said("free")]
    )
    assert [(message.seq, message.content) for message in again] == [
        (2, "new"),
        (3, "free"),
        (4, "free"),
    ]
    assert texts(await store.get_history(task_id)) == ["one", "new", "free", "free"]
    other = await new_task(store)
    assert len(await store.save_messages(other, [said("mine", key="a")])) == 1


async def test_saving_one_message_under_a_known_key_adds_nothing(store: Store) -> None:
    task_id = await new_task(store)
    first = await store.save_message(task_id, "user", "one", key="a")
    again = await store.save_message(task_id, "user", "one", key="a")
    assert again == first
    assert (await store.get_task(task_id)).message_count == 1


async def test_a_batch_is_kept_whole_or_not_at_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    task_id = await _told(store, 1)

    def fail() -> int:
        raise RuntimeError("the disk caught fire")

    before = await store.get_task(task_id)
    with monkeypatch.context() as patch:
        patch.setattr(engine_messages, "_COUNT", "UPDATE no_such_table SET x = 1")
        with pytest.raises(Exception, match="no_such_table"):
            await store.save_messages(task_id, [said("two"), said("three")])
        patch.setattr(engine_messages, "now", fail)
        with pytest.raises(RuntimeError, match="fire"):
            await store.save_messages(task_id, [said("two"), said("three")])
    assert await store.get_task(task_id) == before
    assert (await store.save_message(task_id, "user", "two")).seq == 2


async def test_histories_do_not_mix(store: Store) -> None:
    ada, grace = await new_task(store), await new_task(store)
    await asyncio.gather(
        *(store.save_message(task, "user", task) for task in (ada, grace) for _ in range(10))
    )
    for task_id in (ada, grace):
        history = await store.get_history(task_id)
        assert set(texts(history)) == {task_id}
        assert [message.seq for message in history] == list(range(1, 11))
