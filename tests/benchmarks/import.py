# ruff: noqa: N999 - it is run, never imported
"""The import beside its floor: `python -m tests.benchmarks.import [--quick] [--long] [FOLDER]`.

Whole processes take turns on the same files, which are read once beforehand. The corpus is made
in FOLDER and found there again, or made in a temporary one. Compare the ratios of processor time:
the times belong to the machine and to what else it was doing. The floor has an index of the full
text, too: one of FTS5 as it comes. What is left without it is shown beside.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks import corpus
from tests.benchmarks.corpus import Corpus
from tests.benchmarks.floor import middle
from tests.benchmarks.processes import Took, run

QUICK = "--quick" in sys.argv
SKIPPED = 3  # the exit status of an import that had to skip something
LONG = "--long" in sys.argv
WIDTHS = (44, 16, 16, 18, 26)
PEER = "fast-resume==2.14.*"


class Scale(NamedTuple):
    rounds: int
    megabytes: float
    growing: tuple[float, ...]
    files: int
    line: int


FULL = Scale(3, corpus.FULL_MEGABYTES, (20, 100, corpus.FULL_MEGABYTES), 20_000, 100)
SCALE = Scale(3, 40, (10, 20, 40), 2_000, 100) if QUICK else FULL

missed: list[str] = []


def line(*cells: str) -> None:
    print(
        "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS, strict=False)).rstrip(),
        flush=True,
    )


def result(what: str, ours: str, other: str, figure: str, goal: str, reached: bool) -> None:
    if not reached:
        missed.append(f"{what}: {figure}, to reach {goal}")
    line(what, ours, other, figure + ("" if reached else " MISSED"), goal)


def times(took: Took) -> str:
    return f"{took.cpu:.2f} ({took.wall:.2f}) s"


def middle_of(all_took: list[Took]) -> Took:
    walls, cpus, peaks, _ = zip(*all_took, strict=True)
    return Took(middle(walls), middle(cpus), max(peaks), 0)


class Place:
    """Where the databases go; every import is a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "import.db"

    def clear(self) -> None:
        for path in self.folder.glob("*.db*"):
            path.unlink()

    def imports(
        self, home: str | Path, watch: Callable[[], None] | None = None, *, keep: bool = True
    ) -> Took:
        argv = [sys.executable, "-m", "store", "--database", str(self.database), "import"]
        took = run(argv if keep else [*argv, "--no-originals"], _only(home), watch=watch)
        if took.status not in (0, SKIPPED):
            raise RuntimeError(f"an import ended with {took.status}")
        return took

    def first(
        self, home: str | Path, watch: Callable[[], None] | None = None, *, keep: bool = True
    ) -> Took:
        self.clear()
        return self.imports(home, watch, keep=keep)

    def floor(self, home: str | Path, index: str = "plain") -> Took:
        self.clear()
        module = "tests.benchmarks.import_floor"
        argv = [sys.executable, "-m", module, str(home), str(self.folder / "floor.db"), index]
        took = run(argv, {})
        if took.status:
            raise RuntimeError(f"the floor ended with {took.status}")
        return took

    def count(self, name: str = "import.db") -> int:
        with closing(sqlite3.connect(self.folder / name)) as db:
            return int(db.execute("SELECT count(*) FROM message").fetchone()[0])


def _only(home: str | Path) -> dict[str, str]:
    """Give an environment in which an agent's files are nowhere but below a home."""
    elsewhere = {"CLAUDE_CONFIG_DIR": "", "CODEX_HOME": ""}
    xdg = {f"XDG_{name}_HOME": f"{home}/.{name.lower()}" for name in ("DATA", "CONFIG", "CACHE")}
    return {"HOME": str(home), **elsewhere, **xdg}


def first_import(place: Place, made: Corpus) -> None:
    """Rows a, b and f: everything for the first time, beside the floor."""
    ours, keeping, floors, ratios = [], [], [], []
    bare, own = [], []
    for _ in range(SCALE.rounds):
        floors.append(place.floor(made.home))
        if place.count("floor.db") < made.messages:
            raise RuntimeError("the floor has lost messages")
        keeping.append(place.first(made.home))
        ours.append(place.first(made.home, keep=False))
        if place.count() != made.messages:
            raise RuntimeError("the import has lost messages")
        ratios.append(ours[-1].cpu / floors[-1].cpu)
        bare.append(place.floor(made.home, "none"))
        own.append(place.floor(made.home, "own"))
    our, kept, floor = middle_of(ours), middle_of(keeping), middle_of(floors)
    ratio = middle(ratios)
    what = f"{made.sessions:,} sessions, {made.messages:,} messages"
    each = f"{made.messages / our.wall:,.0f} messages/s"
    line(f"a  {what}", "", f"{floor.peak:.0f} MB", "", "")
    goal = "1.3 x the floor"
    result("b  first import", times(our), times(floor), f"{ratio:.2f} x", goal, ratio <= 1.3)
    line("   by the clock", "", "", f"{our.wall / floor.wall:.2f} x, {each}")
    line("   the floor without full text", "", times(middle_of(bare)))
    line("   the floor with the store's own", "", times(middle_of(own)))
    more = f"{kept.cpu - our.cpu:.2f} CPU s"
    line("   and keeping the files themselves", times(kept), "", f"{more} more")
    peak = f"{kept.peak:.0f} MB"
    result("f  memory of it", peak, f"{floor.peak:.0f} MB", peak, "150 MB", kept.peak < 150)


def linear(place: Place, folder: Path) -> None:
    """Row c: megabytes a second, whatever the size."""
    sizes = (*SCALE.growing, 1_000) if LONG else SCALE.growing
    speeds: list[float] = []
    for size in sizes:
        made = corpus.make(folder, size)
        _warm(Path(made.home))
        idle = _idle().cpu
        took = middle_of([place.first(made.home) for _ in range(1 if size > 400 else 3)])
        speeds.append(made.megabytes / (took.cpu - idle))
        what = f"c  {made.megabytes:,.0f} MB, {made.sessions:,} sessions"
        slower = speeds[0] / speeds[-1]
        figure = f"{speeds[-1]:.0f} MB/CPU s"
        goal = "1.25 x the least's time"
        result(what, times(took), f"{took.peak:.0f} MB", figure, goal, slower <= 1.25)


def newest_first(place: Place, made: Corpus) -> None:
    """Row d: when another process sees the sessions last worked on, with their titles."""
    wanted = dict(made.newest)
    seconds: dict[str, list[float]] = {"nothing": [], "newest": [], "all": []}
    for _ in range(SCALE.rounds):
        seen: dict[str, float] = {}
        began = time.perf_counter()

        def watch(seen: dict[str, float] = seen, began: float = began) -> None:
            listed = _listed(place.database)
            now = time.perf_counter() - began
            if listed:
                seen.setdefault("nothing", now)
            if all(listed.get(one) == title for one, title in wanted.items()):
                seen.setdefault("newest", now)
            if len(listed) == made.sessions:
                seen.setdefault("all", now)

        took = place.first(made.home, watch)
        for name, moments in seconds.items():
            moments.append(seen.get(name, took.wall))
    first, newest, whole = (middle(moments) for moments in seconds.values())
    line("d  any session is listed", f"{first:.2f} s")
    what = f"d  the newest {len(wanted)} are, with their titles"
    result(what, f"{newest:.2f} s", "", f"{newest:.2f} s", "1 s", newest <= 1)
    line(f"   all {made.sessions:,} are, and found by what was said", f"{whole:.2f} s")


def _listed(database: Path) -> dict[str, str]:
    if not database.exists():
        return {}
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as db,
    ):
        return dict(
            db.execute("SELECT session_id, title FROM session JOIN task ON task.n = session.task")
        )
    return {}


def nothing_new(place: Place, home: str | Path, files: int, most: float) -> None:
    """Row e: importing again when nothing has changed."""
    place.first(home)
    ours, idles, beyond = [], [], []
    for _ in range(4 * SCALE.rounds):
        idles.append(_idle())
        ours.append(place.imports(home))
        beyond.append(ours[-1].cpu - idles[-1].cpu)
    figure = f"{middle(beyond):.3f} CPU s beyond"
    what = f"e  again, {files:,} files, nothing changed"
    reached = middle(beyond) <= most
    our, idle = middle_of(ours), middle_of(idles)
    result(what, times(our), times(idle), figure, f"{most:g} s beyond the start", reached)


def _idle() -> Took:
    return run([sys.executable, "-c", "pass"], {})


def long_lines(place: Place, folder: Path) -> None:
    """Row f: memory, with a line that is as long as a whole corpus."""
    for is_base64 in (False, True):
        home = corpus.make_line(folder, SCALE.line, is_base64=is_base64)
        took = place.first(home)
        peak = f"{took.peak:.0f} MB"
        what = f"f  a line of {SCALE.line} MB, {'a picture' if is_base64 else 'text'}"
        result(what, times(took), "", peak, "150 MB", took.peak < 150)


def peer(place: Place, folder: Path, made: Corpus) -> None:
    """Row g: fast-resume, which keeps a record a session, on the same files."""
    program = _program(folder)
    if program is None:
        line("g  fast-resume", "not to be had here: skipped")
        return
    peers, ours = [], []
    for number in range(SCALE.rounds):
        env = _only(made.home)
        env |= {name: f"{place.folder}/peer-{number}" for name in env if name.startswith("XDG_")}
        peers.append(run([program, "--list", "x"], env))
        ours.append(place.first(made.home))
    our, other = middle_of(ours), middle_of(peers)
    figure = f"{our.cpu / other.cpu:.1f} x CPU"
    line("g  first import beside fast-resume", times(our), times(other), figure)
    line("   its memory", f"{our.peak:.0f} MB", f"{other.peak:.0f} MB")


def _program(folder: Path) -> str | None:
    """Give the peer's command, installed in a place of its own."""
    place = folder / "peer"
    program = place / "bin" / "fr"
    if not program.exists():
        install = [str(place / "bin" / "pip"), "install", "--quiet", PEER]
        for argv in ([sys.executable, "-m", "venv", str(place)], install):
            if subprocess.run(argv, capture_output=True, check=False).returncode:
                return None
    return str(program)


def _warm(home: Path) -> None:
    for path in home.rglob("*.jsonl"):
        path.read_bytes()


def measure(folder: Path, databases: Path) -> None:
    began = time.monotonic()
    made = corpus.make(folder, SCALE.megabytes)
    print(f"{made.megabytes:,.0f} MB of sessions in {time.monotonic() - began:.0f} s")
    print("processor seconds (by the clock), whole processes; every file is in memory\n")
    line("what", "store", "floor or peer", "result", "to reach")
    _warm(Path(made.home))
    place = Place(databases)
    first_import(place, made)
    newest_first(place, made)
    nothing_new(place, made.home, made.sessions, 0.15)
    peer(place, folder, made)
    small = corpus.make_small(folder, SCALE.files)
    nothing_new(place, small, SCALE.files, 0.5)
    long_lines(place, folder)
    linear(place, folder)


def main() -> None:
    version = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    load = os.getloadavg()[0]
    print(f"{version}, {os.cpu_count()} cores, load {load:.1f}, {platform.platform()}")
    print(f"medians of {SCALE.rounds} rounds{', a quick look only' if QUICK else ''}")
    given = [argument for argument in sys.argv[1:] if not argument.startswith("--")]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(given[0] if given else name).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as databases:
            measure(folder, Path(databases))
    print("\n" + "\n".join(["Missed:", *missed] if missed else ["Every number is reached."]))


if __name__ == "__main__":
    main()
