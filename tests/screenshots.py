"""The pictures in `screenshots/`: `python -m tests.screenshots` writes them from the demo store."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import store
from store import Store
from store.demo import fill
from tests.tui.people import browsing, press, settle
from tui.themes import DARK, LIGHT

CONTRAST_DARK, CONTRAST_LIGHT = "backscroll-contrast-dark", "backscroll-contrast-light"
READ = ("enter", "K", "K", "t")
FIND = ("slash", *"retry", "enter", "down", "down", "down")
FOLDER = Path(__file__).parents[1] / "screenshots"
WHEN = datetime(2026, 11, 20, 16, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Picture:
    """A screen to be seen: its size, the keys that lead to it, its theme; perhaps NO_COLOR."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    theme: str = DARK
    no_color: bool = False


PICTURES = (
    Picture("browse-120x40", (120, 40), ("right",)),
    Picture("browse-light-120x40", (120, 40), ("right",), LIGHT),
    Picture("browse-contrast-120x40", (120, 40), ("right",), CONTRAST_DARK),
    Picture("reading-120x40", (120, 40), READ),
    Picture("reading-contrast-light-120x40", (120, 40), READ, CONTRAST_LIGHT),
    Picture("reading-no-colour-120x40", (120, 40), READ, "ansi-dark", no_color=True),
    Picture("search-120x40", (120, 40), FIND),
    Picture("help-120x40", (120, 40), ("question_mark",)),
    Picture("list-80x24", (80, 24)),
    Picture("list-light-80x24", (80, 24), theme=LIGHT),
    Picture("reading-80x24", (80, 24), ("enter",)),
    Picture("reading-no-colour-80x24", (80, 24), ("enter",), "ansi-dark", no_color=True),
)


@contextmanager
def at(when: datetime) -> Iterator[None]:
    """Let it be a certain time in UTC."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        with patch("tui.clock.now", lambda: when), patch.dict(os.environ, HOME="/home/ada"):
            os.environ.pop("NO_COLOR", None)
            yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


async def take(picture: Picture) -> str:
    """Give a picture as SVG."""
    with at(WHEN):
        opened: Store = await store.open_store(":memory:")
        await fill(opened, WHEN)
        if picture.no_color:
            os.environ["NO_COLOR"] = "1"
        async with browsing(opened, size=picture.size, here=Path("/home/ada")) as pilot:
            pilot.app.theme = picture.theme
            await press(pilot, *picture.keys)
            pilot.app.screen.refresh()
            await settle(pilot)
            return pilot.app.export_screenshot(title="backscroll")


def main(folder: Path = FOLDER) -> None:
    folder.mkdir(exist_ok=True)
    for picture in PICTURES:
        (folder / f"{picture.name}.svg").write_text(asyncio.run(take(picture)), "utf-8")
        print(folder / f"{picture.name}.svg")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
