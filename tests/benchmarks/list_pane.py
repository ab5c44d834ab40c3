"""The task list at 50,000 tasks: `python -m tests.benchmarks.list_pane [TASKS]`.

What a key costs the event loop, drawing included, beside a list that paints the same number of
lines of text and does nothing else; and what reading the order anew costs the store's thread and
the loop. Every 25th task is a fork of an earlier one, every tenth a sub-agent.
"""

from __future__ import annotations

import asyncio
import gc
import os
import platform
import sqlite3
import sys
import tempfile
import time
from asyncio import events
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rich.segment import Segment
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from store import TaskFilter, TaskGroup
from store.sqlite.engine import SqliteStore
from tests.benchmarks.floor import longest_stall, make, middle
from tui import collector
from tui.widgets.tasks import TaskList

SIZE = (48, 38)
FRAME = 16.0  # milliseconds
TOP = TaskFilter(top_level=True)
HOUR = 3_600_000_000
KEYS: dict[str, Sequence[str]] = {
    "down": ["down"] * 100,
    "page down": ["pagedown"] * 60,
    "end, home": ["end", "home"] * 20,
    "unfold, fold": ["right", "left"] * 20,
    "two lines, one": ["z"] * 20,
}


class Bare(ScrollView, can_focus=True):
    """Lines of text, and keys that scroll."""

    BINDINGS = [Binding("down", "scroll_down"), Binding("pagedown", "page_down")]  # noqa: RUF012

    def __init__(self, length: int) -> None:
        super().__init__()
        self.virtual_size = Size(SIZE[0], length)

    def render_line(self, y: int) -> Strip:
        text = f" ○ Task {self.scroll_offset.y + y}: what is to be done"
        line = [Segment(text), Segment(" project "), Segment(" claude "), Segment(" 2m ")]
        return Strip(line).adjust_cell_length(self.size.width).apply_style(self.rich_style)


class One(App[None]):
    """A pane alone on the screen."""

    def __init__(self, pane: ScrollView) -> None:
        super().__init__()
        self.pane = pane

    def compose(self) -> ComposeResult:
        yield self.pane

    def key_z(self) -> None:
        if isinstance(self.pane, TaskList):
            self.pane.lines_each = 3 - self.pane.lines_each


spans: list[float] = []
_run = events.Handle._run


def _timed(handle: events.Handle) -> None:
    began = time.thread_time()
    try:
        _run(handle)
    finally:
        spans.append((time.thread_time() - began) * 1000)


def families(path: Path, tasks: int) -> None:
    """Spread the tasks over time and hang some under others."""
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE task SET last_message_at = last_message_at + n * ?", (HOUR // 6,))
        db.execute("UPDATE task SET fork_of = n - 200 WHERE n % 25 = 0 AND n > 200")
        db.execute(
            "UPDATE task SET parent = n - 1, origin = 'subagent' WHERE n % 10 = 7 AND n < ?",
            (tasks,),
        )
        db.execute("UPDATE task SET parent = ? WHERE n IN (3, 4)", (tasks,))  # the first listed
        db.commit()


async def press(app: App[None], keys: Sequence[str]) -> tuple[float, float, float]:
    """Give milliseconds of the loop per key: median and 95th percentile, and longest step."""
    totals, longest = [], 0.0
    gc.collect()
    for key in keys:
        spans.clear()
        app.simulate_key(key)
        await asyncio.sleep(0.05)
        totals.append(sum(spans))
        longest = max(longest, *spans)
    totals.sort()
    return middle(totals), totals[len(totals) * 95 // 100], longest


def line(*cells: str) -> None:
    widths = (34, 12, 12, 12)
    print("  ".join(f"{cell:<{w}}" for cell, w in zip(cells, widths, strict=False)).rstrip())


def figures(what: str, taken: tuple[float, float, float]) -> None:
    line(what, *(f"{value:.1f} ms" for value in taken), "" if taken[1] <= FRAME else "MISSED")


async def main(tasks: int) -> None:
    print(f"Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}, {tasks:,} tasks\n")
    line("a key", "median", "95 %", "longest step")
    collector.rest()
    collector.begin()
    events.Handle._run = _timed  # type: ignore[method-assign, assignment]
    app = One(Bare(tasks))
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause(0.2)
        for what in ("down", "page down"):
            figures(f"bare lines: {what}", await press(app, KEYS[what]))
    with tempfile.TemporaryDirectory() as folder:
        path = make(Path(folder) / "list.db", tasks, each=1)
        families(path, tasks)
        async with await SqliteStore.open(path) as store:
            pane = TaskList()
            app = One(pane)
            async with app.run_test(size=SIZE) as pilot:
                for group in (None, *TaskGroup):
                    for what, keys in KEYS.items():
                        await pane.show(store, TOP, group)
                        pane.action_first()
                        await pilot.pause(0.3)
                        figures(f"{group or 'ungrouped'}: {what}", await press(app, keys))
            print()
            line("reading the order anew", "took", "stall")
            for group in (None, *TaskGroup):
                rounds = [
                    await longest_stall(lambda group=group: store.outline(TOP, group=group))  # type: ignore[misc]
                    for _ in range(9)
                ]
                stall, took = (middle(each) for each in zip(*rounds, strict=True))
                line(f"outline, {group or 'ungrouped'}", f"{took:.0f} ms", f"{stall:.1f} ms")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if sys.argv[1:] else 50_000))
