"""The query line: `python -m tests.benchmarks.query [STORE]` prints the figures.

STORE is one of `tests.benchmarks.large_store`; without it one of 50,000 sessions is made first.
Every figure is the least of several rounds, in milliseconds. What is asked of the store is asked
off the event loop; a screen waits for it, but does not stand still.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import store
from store.models import TaskFilter
from store.query.completion import complete
from store.query.parser import parse_query, render
from store.query.uses import listed
from store.snippets import snippet
from tests.benchmarks import large_store

ROUNDS = 9
LINE = 'retry "exact phrase" -word agent:codex,claude project:"my app" after:3d is:gone upl*'
VALUES = (("agent", ""), ("project", ""), ("branch", ""), ("branch", "42"), ("model", ""))
LISTS = (
    *("", "agent:claude", "-agent:claude", "project:project-17", "branch:work/42", "is:live"),
    *("is:fork", "status:done", "retry -cache agent:codex", "after:3d"),
)


def tell(what: str, seconds: float) -> None:
    print(f"{what:<58}{seconds * 1000:>9.3f}")


def pure(what: str, work: Callable[[], object]) -> None:
    least = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        least = min(least, time.perf_counter() - began)
    tell(what, least)


async def asked(what: str, work: Callable[[], Awaitable[object]]) -> None:
    least = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        await work()
        least = min(least, time.perf_counter() - began)
    tell(what, least)


def lines() -> None:
    query = parse_query(LINE)
    pure("parse a line", lambda: parse_query(LINE))
    pure("parse 10,000 characters in quotes", lambda: parse_query('"' * 9_999))
    pure("render it", lambda: render(query))
    pure("complete a name", lambda: complete(LINE + " b", len(LINE) + 2))


def snippets() -> None:
    dice = random.Random(1)
    words = ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(5_000)]
    huge = " ".join(dice.choices(words, k=1_300_000))
    for what, text, line in (
        ("300 characters", huge[:300], words[0]),
        ("2 KB, three beginnings", huge[:2_000], "a* b* c*"),
        ("10 MB, a word of it", huge, words[0]),
        ("10 MB, behind 100 KB", huge[:100_000] + " needle " + huge, "needle"),
        ("10 MB, nowhere", huge, "needle"),
        ("10 MB, eight words nowhere", huge, "needle pin hay stack straw fork barn field"),
        ("10 MB beyond ASCII, nowhere", "日本語 é " + huge, "nädel"),
        ("10 MB of one letter, nowhere", "a" * len(huge), "aaaaaaab"),
    ):
        terms = parse_query(line).terms
        pure(f"snippet of {what}", lambda text=text, terms=terms: snippet(text, terms))  # type: ignore[misc]


async def stores(path: str) -> None:
    async with store.open_store(path) as s:
        for name, prefix in VALUES:
            await asked(
                f"values of {name}:{prefix}",
                lambda name=name, prefix=prefix: s.filter_values(name, prefix),  # type: ignore[misc]
            )
        for line in LISTS:
            wanted = listed(TaskFilter(top_level=True), parse_query(line))
            await asked(f"first page of: {line}", lambda wanted=wanted: s.list_tasks(wanted))  # type: ignore[misc]
            await asked(f"count of: {line}", lambda wanted=wanted: s.count_tasks(wanted))  # type: ignore[misc]


def main() -> None:
    lines()
    snippets()
    with tempfile.TemporaryDirectory() as folder:
        path = sys.argv[1] if len(sys.argv) > 1 else str(Path(folder) / "large.db")
        if len(sys.argv) == 1:
            asyncio.run(large_store.make(path, 50_000, []))
        asyncio.run(stores(path))


if __name__ == "__main__":
    main()
