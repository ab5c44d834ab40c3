"""What a line that is being typed may become."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from textual.suggester import Suggester

from store.text import printable

_MOST_ENTRIES = 2000


class Words(Suggester):
    """Suggests by a rule: from what was typed to what it may become."""

    def __init__(self, rule: Callable[[str], str | None]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._rule = rule

    async def get_suggestion(self, value: str) -> str | None:
        """Give what the line may become."""
        return self._rule(value)


class Folders(Suggester):
    """Suggests folders that are there."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """Give the first folder whose path begins like that."""
        return await asyncio.to_thread(_folder, value)


def _folder(value: str) -> str | None:
    parent, _, start = value.rpartition("/")
    place = Path(f"{parent}/").expanduser()
    if not value or not place.is_absolute():
        return None
    try:
        with os.scandir(place) as entries:
            names = sorted(
                entry.name
                for entry in islice(entries, _MOST_ENTRIES)
                if entry.name.startswith(start) and entry.is_dir()
            )
    except OSError:
        return None
    shown = (name for name in names if printable(name) == name)
    hidden = start.startswith(".")
    name = next((name for name in shown if hidden or not name.startswith(".")), None)
    return None if name is None else f"{parent}/{name}/"
