"""What a session used, and how many messages of each kind it has."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydantic import ValidationError

import store as library
from store import Kind, NotFound, Role, Store, Usage, open_store
from store.sources import Checkpoint, Chunk, Fingerprint, SessionFacts, Source
from tests.store.helpers import new_task, said

MARK = Fingerprint(1, 2, 3, 4)
ROOT = Path("/home/ada/.claude")
FIRST = Usage(day=date(2026, 1, 14), model="sonnet", input_tokens=10, output_tokens=2)
SECOND = Usage(
    day=date(2026, 1, 15),
    model="sonnet",
    input_tokens=1,
    output_tokens=3,
    cache_read_tokens=400,
    cache_write_tokens=50,
    reasoning_tokens=2,
)
OTHER = Usage(day=date(2026, 1, 15), model="haiku\udc80", input_tokens=7, output_tokens=7)


def chunk(*usage: Usage, session_id: str = "s") -> Chunk:
    return Chunk(
        Source("claude", ROOT, ROOT / f"{session_id}.jsonl", MARK),
        SessionFacts(session_id),
        (said("one", key="1"),),
        Checkpoint(MARK, finished=True),
        usage=usage,
    )


async def recorded(store: Store, *usage: Usage) -> str:
    await store.record([chunk(*usage)])
    return (await store.find_session("claude", "s")).task_id


async def test_what_was_used_by_day_and_model(store: Store) -> None:
    task_id = await recorded(store, OTHER, SECOND, FIRST)
    found = await store.get_usage(task_id)
    assert found == [FIRST, OTHER.model_copy(update={"model": "haiku\ufffd"}), SECOND]
    assert [one.sent_tokens for one in found] == [10, 7, 451]
    assert sum(one.total_tokens for one in found) == 12 + 14 + 454


async def test_a_task_of_which_nothing_is_said_used_nothing(store: Store) -> None:
    assert await store.get_usage(await recorded(store)) == []
    assert await store.get_usage(await new_task(store)) == []


async def test_another_reading_replaces_what_the_first_one_said(store: Store) -> None:
    """Readings are never added up: a source says all that was used so far, each time."""
    await recorded(store, FIRST)
    grown = FIRST.model_copy(update={"output_tokens": 5})
    await recorded(store, grown)
    task_id = await recorded(store, grown, SECOND)
    assert await store.get_usage(task_id) == [grown, SECOND]
    await recorded(store, FIRST)  # begun again from the start, and not as far yet
    assert await store.get_usage(task_id) == [grown, SECOND]
    await recorded(store)  # nothing is new
    assert await store.get_usage(task_id) == [grown, SECOND]


async def test_an_import_that_adds_figures_only_is_an_update(store: Store) -> None:
    task_id = await recorded(store, FIRST)
    assert (await store.record([chunk(FIRST)])).updated == frozenset()
    told = await store.record([chunk(FIRST, SECOND)])
    assert (told.updated, told.messages_added) == (frozenset({task_id}), 0)


async def test_figures_go_with_the_session_and_with_the_task(store: Store) -> None:
    task_id = await recorded(store, FIRST)
    await store.delete_session(task_id)
    assert await store.get_usage(task_id) == []
    assert await recorded(store, SECOND) == task_id
    await store.delete_task(task_id)
    with pytest.raises(NotFound, match=task_id):
        await store.get_usage(task_id)
    assert await store.get_usage(await recorded(store)) == [], "nothing is left to be found again"


async def test_figures_stay_when_the_task_gets_another_session(store: Store) -> None:
    task_id = await recorded(store, FIRST)
    await store.save_session(task_id, "another", "codex")
    assert await store.get_usage(task_id) == [FIRST]


async def test_figures_are_there_after_opening_again_and_in_copies(
    tmp_path: Path, database: Path
) -> None:
    async with open_store(database) as store:
        task_id = await recorded(store, FIRST, SECOND)
        await store.backup(tmp_path / "copy.db")
    for path in (database, tmp_path / "copy.db"):
        async with open_store(path) as store:
            assert await store.get_usage(task_id) == [FIRST, SECOND]
            assert (await store.integrity()).is_whole
    await library.recover(database)
    async with open_store(database) as store:
        assert await store.get_usage(task_id) == [FIRST, SECOND]


async def test_the_largest_figures_there_can_be(store: Store) -> None:
    large = FIRST.model_copy(update={"input_tokens": 2**60, "cache_read_tokens": 2**60})
    task_id = await recorded(store, large)
    assert await store.get_usage(task_id) == [large]


def test_no_figure_is_negative() -> None:
    for name in ("input_tokens", "output_tokens", "cache_read_tokens", "reasoning_tokens"):
        with pytest.raises(ValidationError):
            Usage.model_validate({"day": "2026-01-14", name: -1})


async def test_figures_of_one_session_are_not_another_s(store: Store) -> None:
    first = chunk(FIRST)
    second = replace(chunk(SECOND, session_id="t"))
    await store.record([first, second])
    for session_id, usage in (("s", FIRST), ("t", SECOND)):
        task_id = (await store.find_session("claude", session_id)).task_id
        assert await store.get_usage(task_id) == [usage]


async def test_messages_are_counted_by_who_speaks_and_what_they_hold(store: Store) -> None:
    task_id = await new_task(store)
    assert await store.count_messages(task_id) == {}
    spoken = {
        (Role.USER, Kind.TEXT): 2,
        (Role.ASSISTANT, Kind.TEXT): 3,
        (Role.ASSISTANT, Kind.THINKING): 1,
        (Role.ASSISTANT, Kind.TOOL_CALL): 2,
        (Role.TOOL, Kind.TOOL_RESULT): 2,
        (Role.SYSTEM, Kind.SUMMARY): 1,
    }
    for (role, kind), count in spoken.items():
        for number in range(count):
            await store.save_message(task_id, role, f"{number}", kind=kind)
    await store.save_message(await new_task(store), "user", "elsewhere")
    assert await store.count_messages(task_id) == spoken


async def test_forks_are_found_from_their_origin(store: Store) -> None:
    origin = await new_task(store, "origin")
    assert await store.forks(origin) == []
    forks = [await new_task(store, f"fork {n}", fork_of=origin) for n in range(2)]
    await new_task(store, "a fork of a fork", fork_of=forks[0])
    assert [task.id for task in await store.forks(origin)] == forks
