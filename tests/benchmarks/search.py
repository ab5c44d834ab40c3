"""Searching while somebody types: `python -m tests.benchmarks.search [--quick] [FOLDER]`.

A store of 150,000 and one of 1,500,000 messages are made in FOLDER and found there again, or made
in a temporary one. Every keystroke is one search as the screen makes it: fifty hits with snippets,
the newest first, counts, tasks. The same words are looked up in a table of FTS5 as it comes, with
the messages in the order of time, and by ripgrep in a file of the same texts.
"""

from __future__ import annotations

import asyncio
import math
import os
import platform
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from store import Store, open_store
from store.query.model import Query
from store.query.parser import parse_query
from store.sqlite.engine import SqliteStore
from tests.benchmarks.conversations import SELDOM_TOGETHER, Words, conversations
from tui import searches

QUICK = "--quick" in sys.argv
SIZES = (30_000,) if QUICK else (150_000, 1_500_000)
GOAL = 50.0  # ms, 95th percentile
ROUNDS = 3
WIDTHS = (34, 9, 9, 9, 11, 11, 11)

missed: list[str] = []


def line(*cells: str) -> None:
    print(
        "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=False)).rstrip(),
        flush=True,
    )


class Group(NamedTuple):
    """Keystrokes of one kind. `bare` says whether FTS5 alone could answer them."""

    name: str
    queries: Sequence[str]
    bare: bool = False


def typed(text: str, begin: int = 1) -> Iterator[str]:
    """Give what stands in the line after each key."""
    return (text[:end] for end in range(begin, len(text) + 1))


def groups() -> list[Group]:
    """Give what is typed: the same at every size."""
    dice = random.Random(3)
    words = Words(random.Random(5)).all
    plain = [word for word in words if word.isalpha() and word.islower()]
    common, middling, rare = plain[:40], plain[300:3_000], plain[20_000:]
    names = [word for word in words if "_" in word or not word.islower()]
    paths = [word for word in words if "/" in word]
    some, others = dice.sample(middling, 40), dice.sample(rare, 40)
    letters = [dice.choice((common, middling, rare))[dice.randrange(40)] for _ in range(120)]
    filters = (
        *(
            "agent:codex",
            "agent:goose",
            "-agent:claude",
            "project:project-7",
            "project:project-250",
        ),
        *("branch:release", "model:haiku", "role:user", "role:system", "kind:summary"),
        *("kind:thinking", "kind:call", "after:2026-11-01", "before:2025-06-01", "tag:red"),
        *("status:open", "status:done", "is:archived", "is:fork", "is:live", "in:all"),
    )
    together = dice.sample(common, 20)
    return [
        Group("common words", [f"{word} " for word in common], bare=True),
        Group("words", [f"{word} " for word in some], bare=True),
        Group("rare words", [f"{word} " for word in others], bare=True),
        *(
            Group(
                f"{count} letter{'s' * (count > 1)} typed", _beginnings(letters, count), bare=True
            )
            for count in range(1, 6)
        ),
        Group(
            "two common words", [f"{a} {b} " for a, b in zip(together, common, strict=False)], True
        ),
        Group("two that are seldom together", [" ".join(SELDOM_TOGETHER) + " "], bare=True),
        Group("common and rare", [f"{a} {b} " for a, b in zip(common, others, strict=True)], True),
        Group(
            "phrases of common words",
            [f'"{a} {b}"' for a, b in zip(common, together, strict=False)],
        ),
        Group("phrases", [f'"{a} {b}"' for a, b in zip(some, common, strict=True)]),
        Group(
            "names, key by key", [key for name in dice.sample(names, 12) for key in typed(name, 2)]
        ),
        Group(
            "paths, key by key", [key for path in dice.sample(paths, 8) for key in typed(path, 2)]
        ),
        Group("--no-verify, key by key", list(typed("--no-verify", 1))),
        Group("a sentence, key by key", list(typed(" ".join(dice.sample(middling, 4)), 1))),
        Group("punctuation", ["->", "=", "::", "#!", "%%"]),
        Group("without a word", [f"{a} -{b} " for a, b in zip(some, common, strict=True)]),
        Group("filters alone", [f"{item} " for item in filters]),
        Group("filters and a common word", [f"{item} {common[9]} " for item in filters]),
        Group("filters and a word", [f"{item} {some[0]} " for item in filters]),
        Group("filters and three letters", [f"{item} {some[1][:3]}" for item in filters]),
        Group("in:title", [f"in:title {word} " for word in common[:20]]),
        Group("in:all", [f"in:all {word} " for word in common[:10] + some[:10] + others[:10]]),
        Group("sort:relevance", [f"sort:relevance {word} " for word in common[:10] + some[:10]]),
    ]


def _beginnings(words: Sequence[str], count: int) -> list[str]:
    return list(dict.fromkeys(word[:count] for word in words if len(word) >= count))


class Place:
    """What was made of one size: the store, a bare table, and a file of the texts."""

    def __init__(self, folder: Path, messages: int) -> None:
        self.messages = messages
        self.store = folder / f"search-{messages}.db"
        self.bare = folder / f"search-{messages}-bare.db"
        self.texts = folder / f"search-{messages}.txt"

    async def make(self) -> None:
        if self.texts.exists():
            return
        began = time.perf_counter()
        count = 0
        async with open_store(self.store) as store:
            for one in conversations(self.messages):
                session = await store.create_session(
                    one.project, one.agent, title=one.title, git_branch=one.branch, model=one.model
                )
                await store.save_messages(session.task_id, one.messages)
                count += len(one.messages)
                if one.number % 50 == 0:
                    await store.tag(session.task_id, "red")
                if one.number % 40 == 0:
                    await store.archive(session.task_id)
            assert isinstance(store, SqliteStore)
            while await store._catch_up():  # as an open store does by itself
                pass
        print(f"a store of {count:,} messages in {time.perf_counter() - began:.0f} s", flush=True)
        self._make_bare()
        self._write_texts()

    def _make_bare(self) -> None:
        with closing(sqlite3.connect(self.bare)) as db:
            db.execute("PRAGMA synchronous = OFF")
            db.execute("CREATE VIRTUAL TABLE bare USING fts5 (text, content = '')")
            db.execute("ATTACH ? AS made", (str(self.store),))
            began = time.process_time()
            with db:
                db.execute(
                    "INSERT INTO bare (rowid, text) SELECT row_number() OVER (ORDER BY at, id),"
                    " content FROM made.message ORDER BY at, id"
                )
                db.execute("INSERT INTO bare (bare) VALUES ('optimize')")
            print(f"a bare table of FTS5 in {time.process_time() - began:.0f} CPU s", flush=True)

    def _write_texts(self) -> None:
        part = self.texts.with_suffix(".part")
        with closing(sqlite3.connect(self.store)) as db, part.open("w") as file:
            for (content,) in db.execute("SELECT content FROM message ORDER BY at, id"):
                file.write(content.replace("\n", " ") + "\n")
        part.rename(self.texts)

    def sizes(self) -> tuple[int, int, int]:
        """Give the bytes of the texts, of their index, and of the bare one."""
        with (
            closing(sqlite3.connect(self.store)) as db,
            closing(sqlite3.connect(self.bare)) as bare,
        ):
            [text] = db.execute("SELECT sum(length(CAST(content AS BLOB))) FROM message").fetchone()
            [index] = db.execute(
                "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'search_%'"
            ).fetchone()
            [other] = bare.execute(
                "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'bare%'"
            ).fetchone()
        return text, index, other


class Times(NamedTuple):
    """How long keystrokes took, in ms, and of how many not all was ready in time."""

    each: list[float]
    cut: int = 0

    def at(self, share: float) -> float:
        ordered = sorted(self.each)
        return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


async def searched(store: Store, queries: Sequence[Query], seconds: float | None) -> Times:
    """Search for each; the best of a few rounds is what the machine can do while others use it."""
    best = [math.inf] * len(queries)
    cut = 0
    for number in range(ROUNDS):
        for place, query in enumerate(queries):
            began = time.perf_counter()
            page = await store.search(query, limit=searches.FIRST, seconds=seconds)
            best[place] = min(best[place], (time.perf_counter() - began) * 1000)
            cut += number == ROUNDS - 1 and page.is_cut
    return Times(best, cut)


def bare(db: sqlite3.Connection, queries: Sequence[Query]) -> Times:
    sql = "SELECT rowid FROM bare WHERE bare MATCH ? ORDER BY rowid DESC LIMIT ?"
    times = []
    for query in queries:
        words = [f'"{term.text}"{"*" * term.is_prefix}' for term in query.wanted]
        best = math.inf
        for _ in range(ROUNDS):
            began = time.perf_counter()
            db.execute(sql, (" ".join(words), searches.FIRST)).fetchall()
            best = min(best, (time.perf_counter() - began) * 1000)
        times.append(best)
    return Times(times)


def ripgrep(texts: Path, words: Sequence[str]) -> Times | None:
    program = shutil.which("rg")
    if program is None:
        return None
    times = []
    for word in words:
        best = math.inf
        for _ in range(ROUNDS):
            began = time.perf_counter()
            argv = [program, "--ignore-case", "--fixed-strings", "--count", word, str(texts)]
            subprocess.run(argv, stdout=subprocess.DEVNULL, check=False)
            best = min(best, (time.perf_counter() - began) * 1000)
        times.append(best)
    return Times(times)


async def cancelled(store: Store) -> Times:
    """Type over a search that goes through everything: until the next one has its answer."""
    times = []
    for _ in range(10):
        running = asyncio.ensure_future(store.search(parse_query('"%%%%"')))
        await asyncio.sleep(0.02)
        began = time.perf_counter()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await store.search(parse_query("kestrel"), limit=searches.FIRST, seconds=searches.AT_ONCE)
        times.append((time.perf_counter() - began) * 1000)
    return Times(times)


async def measure(folder: Path, messages: int) -> None:
    place = Place(folder, messages)
    await place.make()
    text, index, other = place.sizes()
    share = index / text
    print(
        f"\n{messages:,} messages, {text / 1e6:,.0f} MB of text; the index has {share:.2f} of that,"
    )
    print(f"a bare table of FTS5 {other / text:.2f}\n")
    if share > 0.5:
        missed.append(f"{messages:,}: the index has {share:.2f} x the text, to reach 0.5")
    line("keystrokes, ms", "median", "95 %", "most", "cut", "unhurried", "bare FTS5")
    alone: list[float] = []
    everything: list[float] = []
    async with open_store(place.store) as store:
        with closing(sqlite3.connect(place.bare)) as db:
            await store.search("warm", seconds=searches.AT_ONCE)
            for group in groups():
                queries = [parse_query(text).as_typed() for text in group.queries]
                times = await searched(store, queries, searches.AT_ONCE)
                whole = await searched(store, queries, None)
                by_fts = bare(db, queries) if group.bare else None
                everything += times.each
                alone += whole.each
                line(
                    group.name,
                    *(f"{times.at(share):.1f}" for share in (0.5, 0.95, 1)),
                    f"{times.cut} of {len(queries)}" if times.cut else "",
                    f"{whole.at(0.95):.1f}",
                    f"{by_fts.at(0.95):.1f}" if by_fts else "",
                )
        over = await cancelled(store)
    line("typed over a long one", *(f"{over.at(share):.1f}" for share in (0.5, 0.95, 1)))
    every, whole = Times(everything), Times(alone)
    line(
        f"all {len(everything)}",
        *(f"{every.at(share):.1f}" for share in (0.5, 0.95, 1)),
        "",
        f"{whole.at(0.95):.1f}",
    )
    if every.at(0.95) > GOAL:
        missed.append(f"{messages:,}: 95 % within {every.at(0.95):.1f} ms, to reach {GOAL:g}")
    some = [text.strip() for group in islice(groups(), 3) for text in group.queries[:5]]
    by_rg = ripgrep(place.texts, some)
    if by_rg is None:
        print("ripgrep is not to be had here")
    else:
        middle = statistics.median(by_rg.each)
        print(f"ripgrep counts a word in {middle:.0f} ms, at most {by_rg.at(1):.0f}")


def main() -> None:
    version = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    load = os.getloadavg()[0]
    print(f"{version}, {os.cpu_count()} cores, load {load:.1f}, {platform.platform()}")
    print(
        f"the best of {ROUNDS} rounds for each keystroke; {searches.AT_ONCE * 1000:g} ms are given,"
    )
    print("cut: hits or counts that were not ready by then; unhurried: all that these need")
    given = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(given[0] if given else name).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        for messages in SIZES:
            asyncio.run(measure(folder, messages))
    print("\n" + "\n".join(["Missed:", *missed] if missed else ["Every number is reached."]))


if __name__ == "__main__":
    main()
