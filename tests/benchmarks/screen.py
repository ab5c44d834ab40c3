"""The screen beside a bare Textual app: `python -m tests.benchmarks.screen [--quick] [FOLDER]`.

The browser runs in a terminal of its own, over a store of 50,000 tasks and histories of 100,000 and
1,000,000 messages, with outputs of 50 KB and a line of 10 MB; the store is made in FOLDER (1 GB)
and found there again, or made in a temporary one. A bare app takes turns with it.

Options: `--rounds N` starts, `--minutes N` of scrolling, `--only start|list|history|memory`.

A frame is drawn when the terminal has got the last of it. The longest callback is what kept the
event loop from everything else, frames and keys included; its processor time is given in brackets,
for the rest of it belongs to whatever else the machine was doing.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import bare_app, large_store, watched
from tests.benchmarks.terminals import COLUMNS, Terminal, Took

FRAME = 16.0
SOON = 100.0
MOST_MEMORY = 150.0
FLAT = 10.0  # megabytes that memory may grow by while one scrolls for minutes
RATE = 30.0
WIDTHS = (42, 20, 20, 22, 20)

UP, DOWN, PAGE_UP, PAGE_DOWN = "\x1b[A", "\x1b[B", "\x1b[5~", "\x1b[6~"
HOME, END, ENTER, ESCAPE = "\x1b[H", "\x1b[F", "\r", "\x1b"


class Scale(NamedTuple):
    tasks: int
    histories: tuple[int, ...]
    line: int
    rounds: int
    minutes: float
    times: int


FULL = Scale(50_000, (1_000_000, 100_000), 10_000_000, 15, 3, 30)
QUICK = Scale(5_000, (20_000, 10_000), 1_000_000, 5, 0.3, 8)

missed: list[str] = []


def line(*cells: str) -> None:
    print(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=False)).rstrip(),
        flush=True,
    )


def result(what: str, *cells: str, goal: str, reached: bool) -> None:
    *others, figure = cells
    if not reached:
        missed.append(f"{what}: {figure}, to reach {goal}")
    line(what, *others, figure + ("" if reached else " MISSED"), goal)


def spread(seconds: Sequence[float]) -> str:
    """Give the middle and the least of some times, in milliseconds."""
    return f"{statistics.median(seconds) * 1000:.0f} (least {min(seconds) * 1000:.0f}) ms"


class Place:
    """Where programs run: a home with nothing in it, and modules that are compiled once."""

    def __init__(self, folder: Path, scale: Scale) -> None:
        self.folder = folder
        self.scale = scale
        self.home = folder / "home"
        self.home.mkdir(parents=True, exist_ok=True)
        self.store = folder / f"screen-{scale.tasks}-{max(scale.histories)}.db"
        self.log = folder / "callbacks"

    def make(self) -> None:
        """Make the store."""
        scale = self.scale
        began = time.monotonic()
        asyncio.run(large_store.ensure(self.store, scale.tasks, scale.histories, line=scale.line))
        if (took := time.monotonic() - began) > 1:
            print(f"made {self.store} in {took:.0f} s", flush=True)

    def run(self, *arguments: str) -> Terminal:
        """Run a module in a terminal."""
        env = {
            "HOME": str(self.home),
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "PYTHONPYCACHEPREFIX": str(self.folder / "compiled"),
            "BACKSCROLL_DATABASE": str(self.store),
        }
        return Terminal([sys.executable, "-m", *arguments], env, self.home)

    def watch(self, *arguments: str) -> Terminal:
        """Run a module whose event loop is watched."""
        return self.run("tests.benchmarks.watched", str(self.log), *arguments)

    def longest(self, began: float) -> watched.Callback | None:
        """Give the longest callback of the watched app since a moment."""
        since = [item for item in watched.read(self.log) if item.began >= began]
        return max(since, key=lambda item: item.wall, default=None)


# Starting


class Started(NamedTuple):
    wall: float
    cpu: float
    peak: float


def start(place: Place, module: str, text: str) -> Started:
    """Start a program and leave it as soon as it has drawn a text."""
    with place.run(module) as terminal:
        wall = terminal.shows(text)
        return Started(wall, terminal.cpu(), terminal.memory("VmHWM"))


def starting(place: Place) -> None:
    programs = {"bare": ("tests.benchmarks.bare_app", bare_app.SHOWN), "ours": ("tui", "Task 3:")}
    taken: dict[str, list[Started]] = {name: [] for name in programs}
    for module, text in programs.values():
        start(place, module, text)  # its modules are compiled, its files read
    for _ in range(place.scale.rounds):
        for name, (module, text) in programs.items():
            taken[name].append(start(place, module, text))
    line("what", "browser", "bare app", "beyond it", "to reach")
    rows = f"start to rows, {place.scale.tasks:,} tasks"
    for what, of in ((rows, "wall"), ("  processor time until then", "cpu")):
        ours, bare = ([getattr(item, of) for item in taken[name]] for name in ("ours", "bare"))
        pairs = [a - b for a, b in zip(ours, bare, strict=True)]
        beyond = statistics.median(pairs) * 1000
        result(
            what,
            spread(ours),
            spread(bare),
            f"{beyond:+.0f} ms",
            goal="+100 ms",
            reached=beyond <= SOON,
        )
    peak = max(item.peak for item in taken["ours"])
    line("  memory then", f"{peak:.0f} MB", f"{max(i.peak for i in taken['bare']):.0f} MB")


# Keys


class Keys:
    """Presses keys in a watched program and prints what each took."""

    def __init__(self, place: Place, terminal: Terminal) -> None:
        self.place = place
        self.terminal = terminal

    def press(
        self, what: str, keys: str | Sequence[str], *, times: int = 1, bare: str = ""
    ) -> None:
        """Press keys in turn, so many times, and print the frames and the longest callback."""
        turns = [keys] if isinstance(keys, str) else list(keys)
        self.row(
            what,
            lambda: [self.terminal.press(key) for _ in range(times) for key in turns],
            bare=bare,
        )

    def row(self, what: str, act: Callable[[], list[Took]], *, bare: str = "") -> None:
        began = time.perf_counter()
        took = [item for item in act() if item.frames]
        longest = self.place.longest(began)
        frames = f"{statistics.median(i.first for i in took) * 1000:.0f}" if took else "none"
        last = f" / {statistics.median(i.last for i in took) * 1000:.0f} ms" if took else ""
        stall, used, name = (
            (longest.wall * 1000, longest.cpu * 1000, longest.what) if longest else (0, 0, "")
        )
        figure = f"{stall:.0f} ({used:.0f}) ms" if longest else f"< {watched.LEAST * 1000:.0f} ms"
        result(
            what,
            frames + last,
            bare,
            figure,
            goal=f"{FRAME:.0f} ms" + (f"  {name}" if used > FRAME else ""),
            reached=used <= FRAME,
        )


def bare_keys(place: Place) -> dict[str, str]:
    """Give the time to a frame of a bare list, and its longest callback, by what is done."""
    count = str(max(place.scale.histories))
    with place.watch("tests.benchmarks.bare_app", count) as terminal:
        terminal.shows("line 3")
        terminal.rest()
        deeds: dict[str, Callable[[], list[Took]]] = {
            "line": lambda: [terminal.press(DOWN) for _ in range(place.scale.times)],
            "page": lambda: [terminal.press(PAGE_DOWN) for _ in range(place.scale.times)],
            "resize": lambda: widths(terminal),
        }
        out = {}
        for name, act in deeds.items():
            began = time.perf_counter()
            took = act()
            longest = place.longest(began)
            used = f"{longest.cpu * 1000:.0f}" if longest else f"< {watched.LEAST * 1000:.0f}"
            out[name] = f"{statistics.median(i.first for i in took) * 1000:.0f}, {used} ms"
        return out


def head(what: str) -> None:
    line(f"\n{what}", "first / last frame", "bare: frame, work", "longest callback", "to reach")


def in_the_list(place: Place) -> None:
    times = place.scale.times
    bare = bare_keys(place)
    with place.watch("tui") as terminal:
        terminal.shows("Task 3:")
        terminal.rest(1)
        head(f"list of {place.scale.tasks:,}")
        keys = Keys(place, terminal)
        keys.press("down", DOWN, times=times, bare=bare["line"])
        keys.press("page down", PAGE_DOWN, times=times, bare=bare["page"])
        keys.press("page down, held", PAGE_DOWN * 20, times=3)
        keys.press("end, home", (END, HOME), times=5)
        keys.press("another order", "o", times=5)
        keys.press("all kinds", "a", times=4)
        keys.press("two lines each", "z", times=4)
        keys.press("filter: /", "/")
        keys.press("filter: a letter", "retry")
        keys.press("filter: letter by letter", tuple("\x7f\x7f\x7f\x7f\x7f"))
        keys.press("filter: gone", ESCAPE)
        keys.press("help, and back", ("?", ESCAPE))
        keys.row("resize", lambda: widths(terminal), bare=bare["resize"])
        terminal.press("q")
        terminal.ends()


def widths(terminal: Terminal) -> list[Took]:
    return [terminal.resize(columns) for columns in (80, 100, COLUMNS - 1, COLUMNS)]


# Histories


def opening(place: Place) -> None:
    head("open a session")
    with place.watch("tui") as terminal:
        terminal.shows("Task 3:")
        terminal.rest(1)
        names = [f"open {count:,} messages" for count in place.scale.histories]
        lasts = [large_store.last_answer(count) for count in place.scale.histories]
        names.append("open one that ends with a long line")
        lasts.append(large_store.last_answer(large_store.FEW - 1))
        for name, last in zip(names, lasts, strict=True):
            walls: list[float] = []
            began = time.perf_counter()
            for _ in range(5):
                terminal.press(END)
                terminal.press(HOME + DOWN * (names.index(name)), quiet=0.0)
                asked = time.perf_counter()
                terminal.shows(last)
                walls.append(time.perf_counter() - asked)
                terminal.rest()
            longest = place.longest(began)
            assert longest is not None
            middle = statistics.median(walls) * 1000
            result(
                name,
                spread(walls),
                "",
                f"{longest.wall * 1000:.0f} ({longest.cpu * 1000:.0f}) ms",
                goal=f"{SOON:.0f} ms; {FRAME:.0f} ms",
                reached=middle <= SOON and longest.cpu * 1000 <= FRAME,
            )
        line("  most memory", f"{terminal.memory('VmHWM'):.0f} MB")


def histories(place: Place) -> None:
    for number in range(len(place.scale.histories)):
        in_a_history(place, number)


def in_a_history(place: Place, number: int) -> None:
    times, count = place.scale.times, place.scale.histories[number]
    bare = bare_keys(place)
    with place.watch("tui") as terminal:
        terminal.shows("Task 3:")
        terminal.rest(1)
        terminal.press(DOWN * number)
        terminal.press(ENTER)
        terminal.rest(1)
        head(f"history of {count:,}")
        keys = Keys(place, terminal)
        keys.press("line up", UP, times=times, bare=bare["line"])
        keys.press("page up", PAGE_UP, times=times, bare=bare["page"])
        keys.press("page up, held", PAGE_UP * 20, times=3)
        keys.press("home, end", (HOME, END), times=5)
        keys.press("previous prompt", "K", times=times)
        keys.press("next prompt", "J", times=times)
        keys.press("previous message", "[", times=times)
        keys.press("next message", "]", times=times)
        keys.press("fold: short, full, summary", "t", times=3)
        keys.press("page up, past the long line", PAGE_UP, times=times * 2)
        keys.row("scrollbar", lambda: jumps(terminal))
        keys.row("resize", lambda: widths(terminal), bare=bare["resize"])
        keys.press("fold: short", "t")
        keys.press("page down, in short", PAGE_DOWN, times=times)
        keys.press("fold: full", "t")
        keys.press("page down, in full", PAGE_DOWN, times=times)
        keys.row("resize, in full", lambda: widths(terminal), bare=bare["resize"])
        line("  most memory", f"{terminal.memory('VmHWM'):.0f} MB")
        terminal.press("q")
        terminal.ends()


def jumps(terminal: Terminal) -> list[Took]:
    """Click into the track of the history's scrollbar."""
    column = COLUMNS - 1
    return [
        terminal.press(f"\x1b[<0;{column};{row}M\x1b[<0;{column};{row}m")
        for row in (20, 12, 30, 16, 25, 35, 10, 22)
    ]


def remembering(place: Place) -> None:
    minutes = place.scale.minutes
    print(f"\nmemory: {minutes:g} minutes of scrolling, {RATE:g} keys a second")
    with place.run("tui") as terminal:
        terminal.shows("Task 3:")
        terminal.rest(1)
        terminal.press(ENTER)
        terminal.press("tt")  # outputs in full, and the long line with them
        seen = [terminal.memory()]
        parts = max(3, int(minutes * 6))
        for part in range(parts):
            terminal.scroll((PAGE_UP, UP)[part % 2], minutes * 60 / parts, rate=RATE)
            seen.append(terminal.memory())
        print("  MB each " + f"{minutes * 60 / parts:.0f} s: " + " ".join(f"{m:.0f}" for m in seen))
        early, late = max(seen[: parts // 3 + 1]), max(seen[-(parts // 3) :])
        result(
            "memory",
            f"{early:.0f} MB at first",
            f"{late:.0f} MB at last",
            f"{late - early:+.0f} MB",
            goal=f"+{FLAT:.0f} MB",
            reached=late - early <= FLAT,
        )
        peak = terminal.memory("VmHWM")
        result(
            "most memory",
            "",
            "",
            f"{peak:.0f} MB",
            goal=f"{MOST_MEMORY:.0f} MB",
            reached=peak <= MOST_MEMORY,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--only", choices=("start", "list", "open", "history", "memory"))
    given = parser.parse_args()
    scale = QUICK if given.quick else FULL
    scale = scale._replace(
        rounds=given.rounds or scale.rounds, minutes=given.minutes or scale.minutes
    )
    version = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    load = os.getloadavg()[0]
    print(f"{version}, {os.cpu_count()} cores, load {load:.1f}, {platform.platform()}")
    print(f"middle of {scale.rounds} starts{', a quick look only' if given.quick else ''}\n")
    with tempfile.TemporaryDirectory() as name:
        place = Place(given.folder or Path(name), scale)
        place.make()
        parts: dict[str, Callable[[], None]] = {
            "start": lambda: starting(place),
            "list": lambda: in_the_list(place),
            "open": lambda: opening(place),
            "history": lambda: histories(place),
            "memory": lambda: remembering(place),
        }
        for part, measure in parts.items():
            if given.only in (None, part):
                measure()
    print("\n" + "\n".join(["Missed:", *missed] if missed else ["Every number is reached."]))


if __name__ == "__main__":
    main()
