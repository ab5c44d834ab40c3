"""A terminal of any size: comfortable at 80x24, whole at 40x12, and never a crash below."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

import store
from store import Store
from tests.tui.foreign import fill_foreign
from tests.tui.people import browsing, press, screen_text

SIZES = [(80, 24), (1, 1), (60, 15), (40, 12), (20, 5), (2, 40), (200, 2), (120, 40)]

# What opens each screen, and what is done there.
SCREENS = {
    "list": ("down", "z", "pagedown", "end", "home", "o", "a"),
    "history": ("enter", "pagedown", "t", "K", "J", "t", "end", "space", "p", "T", "p"),
    "search": ("slash", "a", "f", "t", "down", "enter", "n", "N"),
    "facts": ("v", "down", "end", "home"),
    "help": ("question_mark", "pagedown", "down", "end"),
    "rename": ("e", "x", "left", "home"),
    "go to": ("enter", "g", "1"),
    "palette": ("ctrl+p", "t", "down", "up", "backspace"),
    "themes": ("ctrl+p", "t", "h", "e", "m", "e", "down", "enter", "down"),
}


@pytest.fixture
async def foreign() -> AsyncIterator[Store]:
    async with store.open_store(":memory:") as s:
        await fill_foreign(s, long=False)
        yield s


def check(pilot: Pilot[None]) -> None:
    """See that the screen was drawn, and that nothing went beyond it."""
    width, height = pilot.app.size
    rows = screen_text(pilot).split("\n")
    assert len(rows) == height
    strips = pilot.app.screen._compositor.render_strips(pilot.app.screen.size)
    assert {strip.cell_length for strip in strips} == {width}


@pytest.mark.parametrize("screen", SCREENS)
async def test_every_screen_at_every_size(foreign: Store, tmp_path: Path, screen: str) -> None:
    keys = SCREENS[screen]
    async with browsing(foreign, here=tmp_path) as pilot:
        for size in SIZES:
            await pilot.resize_terminal(*size)  # with the screen open that the last size left
            await pilot.pause(0.02)
            check(pilot)
            await press(pilot, "escape", "escape", "escape")
            await press(pilot, *keys)
            check(pilot)
        assert pilot.app.is_running
