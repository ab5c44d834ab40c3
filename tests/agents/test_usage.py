"""What sessions used, whatever their agents write down of it and however often it is read."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import Usage
from store.agents.claude.adapter import ClaudeCode
from tests.agents.claude_records import ID, OTHER, assistant, home, text, user
from tests.agents.pieces import place_of, source_of
from tests.agents.usage_shelf import DAY, NEXT_DAY, append, rewrite, shelf


def spent(sent: int, output: int, read: int = 0, written: int = 0) -> dict[str, int]:
    return {
        "input_tokens": sent,
        "output_tokens": output,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
    }


def answer(
    name: str, parent: str | None, used: object, of: str | None = None, **more: Any
) -> dict[str, Any]:
    """Give a part of a model's answer `of`, with what it says that the answer used."""
    record = assistant(name, parent, text(f"say {name}"), **more)
    record["message"] |= {"id": of or f"msg_{name}", "usage": used}
    return record


def used(
    sent: int, output: int, read: int = 0, written: int = 0, day: date = DAY, model: str = "sonnet"
) -> Usage:
    return Usage(
        day=day,
        model=model,
        input_tokens=sent,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=written,
    )


async def test_the_records_of_an_answer_count_once_as_the_last_has_it(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        home(
            s.claude,
            [
                user("a", None, "go"),
                answer("b", "a", spent(10, 1, 300, 20), of="m1"),
                answer("c", "b", spent(10, 1, 300, 20), of="m1"),
                answer("d", "c", spent(11, 40, 300, 20), of="m1"),
                answer("e", "d", spent(2, 5), of="m2"),
                answer("f", "e", spent(10, 7, 300, 20), of="m1"),  # what is late is not less
            ],
        )
        assert await s.only() == [used(13, 45, 300, 20)]


async def test_the_same_id_of_another_request_is_another_answer(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        home(
            s.claude,
            [
                user("a", None, "go"),
                answer("b", "a", spent(1, 1), of="m1", requestId="r1"),
                answer("c", "b", spent(1, 1), of="m1", requestId="r2"),
            ],
        )
        assert await s.only() == [used(2, 2)]


async def test_answers_without_an_id_count_each(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        records = [answer(name, None, spent(1, 2)) for name in "bc"]
        for record in records:
            del record["message"]["id"]
        home(s.claude, [user("a", None, "go"), *records])
        assert await s.only() == [used(2, 4)]


async def test_by_day_and_model(tmp_path: Path) -> None:
    late, early = "2026-11-20T23:59:59.999Z", "2026-11-21T03:00:00+04:00"
    records = [
        answer("b", "a", spent(1, 1), of="m1", timestamp=late),
        answer("c", "b", spent(1, 9), of="m1", timestamp="2026-11-21T00:00:01Z"),
        answer("d", "c", spent(2, 2), timestamp="2026-11-21T00:00:02Z"),
        answer("e", "d", spent(4, 4), timestamp=early),
    ]
    records[2]["message"]["model"] = "haiku"
    async with shelf(tmp_path) as s:
        home(s.claude, [user("a", None, "go", timestamp=late), *records])
        assert await s.only() == [used(5, 13), used(2, 2, day=NEXT_DAY, model="haiku")]


@pytest.mark.parametrize(
    "odd",
    [
        *(None, 7, [], "many", {}, {"output_tokens": "12"}, {"output_tokens": True}),
        *({"input_tokens": -5}, {"output_tokens": 10**30}, {"input_tokens": 1.5}),
    ],
)
async def test_what_is_no_figure_is_none(tmp_path: Path, odd: object) -> None:
    async with shelf(tmp_path) as s:
        home(
            s.claude, [user("a", None, "go"), answer("b", "a", odd), answer("c", "b", spent(3, 4))]
        )
        assert await s.only() == [used(3, 4)]


async def test_what_the_program_says_itself_costs_nothing(tmp_path: Path) -> None:
    own = answer("b", "a", spent(5, 5))
    own["message"]["model"] = "<synthetic>"
    async with shelf(tmp_path) as s:
        home(s.claude, [user("a", None, "go"), own])
        assert await s.only() == []


async def test_a_grown_file_adds_the_difference(tmp_path: Path) -> None:
    """Also where the file ended within an answer, whose later records say more."""
    records = [user("a", None, "go"), answer("b", "a", spent(10, 1), of="m1")]
    async with shelf(tmp_path) as s:
        home(s.claude, records)
        assert await s.only() == [used(10, 1)]
        records.append(answer("c", "b", spent(10, 30), of="m1"))
        home(s.claude, records)
        assert await s.only() == [used(10, 30)]
        records.append(answer("d", "c", spent(1, 2)))
        home(s.claude, records)
        assert await s.only() == [used(11, 32)]


async def test_an_answer_said_again_long_after_counts_once(tmp_path: Path) -> None:
    many = [answer(f"m{n}", "a", spent(1, 1)) for n in range(50)]
    again = answer("again", "m49", spent(1, 90), of="msg_m0")
    async with shelf(tmp_path) as s:
        home(s.claude, [user("a", None, "go"), *many, again])
        assert await s.only() == [used(50, 50)]


async def test_what_is_appended_within_answers_of_several(tmp_path: Path) -> None:
    """Sub-agents of the first versions write into one file by turns."""
    async with shelf(tmp_path) as s:
        names = ["m1", "m2", "m3"]
        first = [answer(f"b{one}", "a", spent(10, 1), of=one) for one in names]
        path = home(s.claude, [user("a", None, "go"), *first])
        assert await s.only() == [used(30, 3)]
        for number in (20, 30):
            append(path, *(answer(f"{number}{m}", "a", spent(10, number), of=m) for m in names))
            assert await s.only() == [used(30, 3 * number)]


async def test_what_is_remembered_of_a_file_at_rest_is_little(tmp_path: Path) -> None:
    """All of it is read with every look at the sources, of which there may be thousands."""
    async with shelf(tmp_path) as s:
        records = [answer(f"b{n}", "a", spent(10, n)) for n in range(40)]
        path = home(s.claude, [user("a", None, "go"), *records])
        os.utime(path, (1, 1))
        assert await s.only() == [used(400, sum(range(40)))]
        (known,) = (await s.store.known_sources("claude")).values()
        assert len(str(known.checkpoint.state["usage"])) < 60


async def test_written_anew_cut_short_and_gone(tmp_path: Path) -> None:
    records = [user("a", None, "go"), *(answer(name, "a", spent(1, 1)) for name in "bcd")]
    async with shelf(tmp_path) as s:
        path = home(s.claude, records)
        assert await s.only() == [used(3, 3)]
        rewrite(path)
        assert await s.only() == [used(3, 3)]
        home(s.claude, [user("a", None, "gone"), *records[1:3]])
        assert await s.only() == [used(3, 3)], "what was used was used"
        append(path, *(answer(name, "a", spent(1, 1)) for name in "xyz"))
        assert await s.only() == [used(5, 5)]
        path.unlink()
        assert await s.only() == [used(5, 5)]


async def test_a_rewound_conversation_counts_what_was_rewound(tmp_path: Path) -> None:
    """The answer is told in a pass that begins again from the start."""
    async with shelf(tmp_path) as s:
        path = home(s.claude, [user("a", None, "go"), answer("b", "a", spent(1, 1))])
        assert await s.only() == [used(1, 1)]
        append(path, user("x", "a", "no"), answer("y", "x", spent(2, 2)))
        assert await s.only() == [used(3, 3)]


def _talk() -> list[dict[str, Any]]:
    return [
        user("a", None, "go", version="2.1.0", timestamp="2026-11-20T09:00:00Z"),
        answer("b", "a", spent(1, 1), timestamp="2026-11-20T09:01:00Z"),
        answer("c", "b", spent(2, 2), timestamp="2026-11-20T09:02:00Z"),
    ]


def _own(name: str, parent: str, minute: int) -> list[dict[str, Any]]:
    at = f"2026-11-20T10:{minute:02d}:00Z"
    return [
        user(f"ask-{name}", parent, "and", timestamp=at),
        answer(name, f"ask-{name}", spent(10, 10), timestamp=at),
    ]


async def test_what_a_fork_copied_is_counted_once_overall(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        home(s.claude, [*_talk(), *_own("first", "c", 1)])
        home(s.claude, [*_talk(), *_own("second", "c", 2)], OTHER)
        assert await s.used() == {ID: [used(13, 13)], OTHER: [used(10, 10)]}


async def test_nor_when_the_fork_is_read_again_after_its_origin_is_gone(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        origin = home(s.claude, [*_talk(), *_own("first", "c", 1)])
        fork = home(s.claude, [*_talk(), *_own("second", "c", 2)], OTHER)
        await s.used()
        origin.unlink()
        append(fork, *_own("third", "a", 3))  # rewound: the pass begins again
        assert await s.used() == {ID: [used(13, 13)], OTHER: [used(20, 20)]}


async def test_what_was_resumed_before_2_0_is_counted_once_overall(tmp_path: Path) -> None:
    """There the copy has names and times of its own; the ids of the answers are the same."""
    async with shelf(tmp_path) as s:
        first = [user("a", None, "go"), answer("b", "a", spent(1, 1), of="m1")]
        copied = [
            user("p", None, "go", timestamp="2026-11-20T12:00:00Z"),
            answer("q", "p", spent(1, 1), of="m1", timestamp="2026-11-20T12:00:00Z"),
            user("r", "q", "on", timestamp="2026-11-20T12:01:00Z"),
            answer("s", "r", spent(5, 5), of="m2", timestamp="2026-11-20T12:02:00Z"),
        ]
        copied[1]["message"]["content"] = first[1]["message"]["content"]
        home(s.claude, first)
        home(s.claude, copied, OTHER)
        assert await s.used() == {ID: [used(1, 1)], OTHER: [used(5, 5)]}


_NUMBER = st.integers(0, 500)
_PART = st.tuples(st.sampled_from(["m1", "m2", "m3", ""]), _NUMBER, _NUMBER)


@settings(max_examples=60, deadline=None)
@given(st.lists(_PART, max_size=12), st.lists(st.integers(0, 5000), max_size=3))
def test_read_in_pieces_is_as_read_at_once(
    tmp_path_factory: pytest.TempPathFactory,
    parts: list[tuple[str, int, int]],
    cuts: list[int],
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    records = [user("a", None, "go")]
    for number, (of, sent, output) in enumerate(parts):
        records.append(answer(f"r{number}", "a", spent(sent, output), of=of or None))
        if not of:
            del records[-1]["message"]["id"]
    raw = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    at_once = _read(folder / "once", raw, [])
    assert _read(folder / "pieces", raw, cuts) == at_once
    counted = sum(one.total_tokens for one in at_once)
    assert counted == sum(_expected(parts)), "each answer once, as its largest record has it"


def _expected(parts: list[tuple[str, int, int]]) -> Iterator[int]:
    largest: dict[str, tuple[int, int]] = {}
    for of, sent, output in parts:
        if not of:
            yield sent + output
        elif of not in largest or output > largest[of][1]:
            largest[of] = (sent, output)
    yield from itertools.chain.from_iterable(largest.values())


def _read(folder: Path, raw: bytes, cuts: list[int]) -> tuple[Usage, ...]:
    """Write a transcript up to each cut and to its end, reading it each time."""
    adapter = ClaudeCode()
    path = place_of(adapter, folder)
    told: tuple[Usage, ...] = ()
    since = None
    for end in (*sorted(min(cut, len(raw)) for cut in cuts), len(raw)):
        with path.open("ab") as file:
            file.write(raw[path.stat().st_size : end])
        for chunk in adapter.read(source_of(adapter, path, folder), since):
            told = chunk.usage or told
            since = chunk.checkpoint
    return told


async def test_what_was_imported_before_is_counted_without_a_message_twice(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        path = home(s.claude, [*_talk(), *_own("first", "c", 1)])
        home(s.claude, [*_talk(), *_own("second", "c", 2)], OTHER)
        before = await s.used()
        assert await s.upgraded() == before
        s.as_before_usage()
        append(path, *_own("more", "first", 9))
        report = await s.run()
        assert report.messages_added == 2, "what was said since is new"
        assert (await s.used())[ID] == [used(23, 23)]
