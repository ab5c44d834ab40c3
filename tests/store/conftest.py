from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from store import Store, open_store


@pytest.fixture(params=["file", "memory"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a store of each engine goes."""
    return ":memory:" if request.param == "memory" else str(tmp_path / "backscroll.db")


@pytest.fixture
async def store(target: str) -> AsyncIterator[Store]:
    """An empty store of each engine."""
    async with open_store(target) as opened:
        yield opened


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The file of a store that is not there yet."""
    return tmp_path / "backscroll.db"
