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

FOLDER = Path(__file__).parents[1] / "screenshots"
WHEN = datetime(2026, 11, 20, 16, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Picture:
    """A screen to be seen: its size, the keys that lead to it, its theme."""

    name: str
    size: tuple[int, int]
    keys: tuple[str, ...] = ()
    theme: str = "textual-dark"


PICTURES = (
    Picture("browse-120x40", (120, 40), ("right",)),
    Picture("browse-light-120x40", (120, 40), ("right",), "textual-light"),
    Picture("reading-120x40", (120, 40), ("enter", "K", "K", "t")),
    Picture("help-120x40", (120, 40), ("question_mark",)),
    Picture("list-80x24", (80, 24)),
    Picture("reading-80x24", (80, 24), ("enter",)),
)


@contextmanager
def at(when: datetime) -> Iterator[None]:
    """Let it be a certain time in UTC."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        with patch("tui.clock.now", lambda: when), patch.dict(os.environ, HOME="/home/ada"):
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
