"""What Codex's threads used, from totals that are said again, begin anew and are taken over."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from store import Usage
from tests.agents.codex_records import FORK, ID, message, meta, numbered, record, rollout
from tests.agents.usage_shelf import DAY, NEXT_DAY, append, rewrite, shelf

_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _usage(sent: int, output: int, read: int = 0, reasoning: int = 0) -> dict[str, Any]:
    return {
        "input_tokens": sent,
        "cached_input_tokens": read,
        "output_tokens": output,
        "reasoning_output_tokens": reasoning,
        "total_tokens": sent + output,
    }


def count(
    total: dict[str, Any] | None, last: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """Give a token count: the thread's total, and what the last request used."""
    info = total and {"total_token_usage": total, "last_token_usage": last or total}
    return record("event_msg", {"type": "token_count", "info": info, "rate_limits": {}}, **more)


def turn(model: str = "gpt") -> dict[str, Any]:
    return record("turn_context", {"cwd": "/src", "model": model})


def used(
    sent: int,
    output: int,
    read: int | None = 0,
    reasoning: int | None = 0,
    written: int | None = None,
    day: date = DAY,
    model: str = "gpt",
) -> Usage:
    return Usage(
        day=day,
        model=model,
        input_tokens=sent,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
    )


_BEGUN = [meta(), turn(), count(None), message("user", "go"), message("assistant", "gone")]


async def test_the_total_is_counted_as_it_moves(tmp_path: Path) -> None:
    """It is said again when a session is resumed, and by each request that is refused."""
    async with shelf(tmp_path) as s:
        first, second = _usage(100, 10, 60, 4), _usage(250, 30, 160, 9)
        path = rollout(
            s.codex, [*_BEGUN, count(first), count(first), turn(), count(first), count(second)]
        )
        assert await s.only() == [used(90, 30, 160, 9)]
        rewrite(path)
        assert await s.only() == [used(90, 30, 160, 9)]
        append(path, count(second), message("user", "on"))
        assert await s.only() == [used(90, 30, 160, 9)]
        append(path, count(_usage(251, 31, 160, 9)))
        assert await s.only() == [used(91, 31, 160, 9)]


async def test_a_total_that_begins_anew(tmp_path: Path) -> None:
    """What was too long for the model leaves a total of nothing; another version forgets it."""
    full = {**_usage(0, 0), "total_tokens": 272_000}
    async with shelf(tmp_path) as s:
        path = rollout(s.codex, [*_BEGUN, count(_usage(100, 10)), count(full, full)])
        assert await s.only() == [used(100, 10)]
        append(path, count(_usage(40, 4)), count(_usage(60, 5)))
        assert await s.only() == [used(160, 15)]


@pytest.mark.parametrize("anew", [(40, 50), (200, 5)])
async def test_a_total_of_which_one_part_is_less_has_begun_anew(
    tmp_path: Path, anew: tuple[int, int]
) -> None:
    async with shelf(tmp_path) as s:
        rollout(s.codex, [*_BEGUN, count(_usage(100, 10)), count(_usage(*anew))])
        assert await s.only() == [used(100 + anew[0], 10 + anew[1])]


async def test_a_compaction_uses_what_it_says(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        total = _usage(100, 10)
        compacted = record("compacted", {"message": "the short of it"})
        after = count(total, {**_usage(0, 0), "total_tokens": 6429})
        rollout(s.codex, [*_BEGUN, count(total), compacted, after, count(_usage(130, 12))])
        assert await s.only() == [used(130, 12)]


async def test_what_goes_into_a_cache_is_told_apart(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        total = _usage(100, 10, 60) | {"cache_write_input_tokens": 30}
        rollout(s.codex, [*_BEGUN, count(total)])
        assert await s.only() == [used(10, 10, 60, written=30)]


async def test_by_day_and_model(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        rollout(
            s.codex,
            [
                *_BEGUN,
                count(_usage(1, 1), timestamp="2026-11-20T23:59:59Z"),
                turn("mini"),
                count(_usage(11, 4), timestamp="2026-11-21T00:00:00Z"),
            ],
        )
        assert await s.only() == [used(1, 1), used(10, 3, day=NEXT_DAY, model="mini")]


@pytest.mark.parametrize(
    "odd", [7, [], {"total_token_usage": 3}, {"total_token_usage": {"input_tokens": "x"}}]
)
async def test_what_is_no_total_moves_nothing(tmp_path: Path, odd: object) -> None:
    broken = record("event_msg", {"type": "token_count", "info": odd})
    async with shelf(tmp_path) as s:
        rollout(s.codex, [*_BEGUN, count(_usage(5, 5)), broken, count(_usage(5, 5))])
        assert [one.total_tokens for one in await s.only()] in ([10], [20])


def _origin() -> list[dict[str, Any]]:
    return numbered(
        [*_BEGUN, count(_usage(100, 10)), message("user", "more"), count(_usage(150, 15))]
    )


@pytest.mark.parametrize("is_gone", [False, True])
async def test_a_fork_that_names_its_origin_goes_on_from_its_total(
    tmp_path: Path, is_gone: bool
) -> None:
    base = {"thread_id": ID, "end_ordinal_exclusive": 6, "end_byte_offset": 10**6}
    own = [
        meta(FORK, forked_from_id=ID, history_base=base),
        turn(),
        message("user", "another way"),
        count(_usage(120, 12), _usage(20, 2)),
        count(_usage(140, 13), _usage(20, 1)),
    ]
    async with shelf(tmp_path) as s:
        origin = rollout(s.codex, _origin())
        expected = {ID: [used(150, 15)], FORK: [used(40, 3)]}
        if is_gone:
            assert await s.used() == {ID: expected[ID]}
            origin.unlink()
        fork = rollout(s.codex, numbered(own, 6), FORK)
        assert await s.used() == expected
        rewrite(fork)
        assert await s.used() == expected
        append(fork, count(_usage(141, 13), _usage(1, 0)))
        assert (await s.used())[FORK] == [used(41, 3)]


@pytest.mark.parametrize("is_gone", [False, True])
async def test_a_fork_that_copied_its_origin_counts_its_own(tmp_path: Path, is_gone: bool) -> None:
    copied = [*_BEGUN, count(_usage(100, 10)), message("user", "more"), count(_usage(150, 15))]
    at = [{"timestamp": (_NOON + timedelta(milliseconds=n)).isoformat()} for n in range(20)]
    first = meta(FORK, timestamp=_NOON.isoformat(), forked_from_id=ID)
    later = {"timestamp": (_NOON + timedelta(minutes=1)).isoformat()}
    own = [
        one | later
        for one in (turn(), message("user", "own"), count(_usage(150, 15)), count(_usage(157, 18)))
    ]
    async with shelf(tmp_path) as s:
        origin = rollout(s.codex, copied)
        if is_gone:
            await s.used()
            origin.unlink()
        stamped = [one | when for one, when in zip([first, *copied], at, strict=False)]
        rollout(s.codex, [*stamped, *own], FORK)
        assert await s.used() == {ID: [used(150, 15)], FORK: [used(7, 3)]}


async def test_what_was_imported_before_is_counted_without_a_message_twice(tmp_path: Path) -> None:
    base = {"thread_id": ID, "end_ordinal_exclusive": 6, "end_byte_offset": 10**6}
    own = [
        meta(FORK, forked_from_id=ID, history_base=base),
        message("user", "another way"),
        count(_usage(120, 12), _usage(20, 2)),
    ]
    async with shelf(tmp_path) as s:
        origin = rollout(s.codex, _origin())
        rollout(s.codex, numbered(own, 6), FORK)
        before = await s.used()
        assert await s.upgraded() == before
        s.as_before_usage()
        append(origin, message("user", "on", ordinal=99), count(_usage(151, 16)))
        assert (await s.run()).messages_added == 1, "what was said since is new"
        assert (await s.used())[ID] == [used(151, 16)]
