from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import store
from store import Store
from tests.tui.people import seed


@pytest.fixture
async def seeded(tmp_path: Path) -> AsyncIterator[Store]:
    async with store.open_store(tmp_path / "people.db") as s:
        await seed(s, tmp_path)
        yield s


@pytest.fixture(autouse=True)
def no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the clipboard of whoever runs the tests alone: text goes to the app's own."""
    monkeypatch.setattr("tui.clipboard.found", list)


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let agents' homes be looked for where the seeded sessions are."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GOOSE_PATH_ROOT", "TMUX"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fake_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program called `claude`, alone on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "claude"
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return program
