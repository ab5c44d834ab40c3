"""What is chosen once is there the next day."""

from __future__ import annotations

from pathlib import Path

import pytest

from store import Store, open_store
from tests.tui.people import settle
from tui.app import Backscroll
from tui.importing import Importer
from tui.settings import Settings


def browser(settings: Settings) -> Backscroll:
    async def opened() -> Store:
        return await open_store(":memory:")

    async def none(_store: Store) -> Importer | None:
        return None

    return Backscroll(opened, none, settings=settings)


async def test_the_theme_is_remembered(tmp_path: Path) -> None:
    settings = Settings(tmp_path / "config" / "settings.json")
    app = browser(settings)
    async with app.run_test() as pilot:
        assert not settings.path.exists(), "nothing was chosen"
        app.theme = "nord"
        await settle(pilot)
    app = browser(Settings(settings.path))
    async with app.run_test() as pilot:
        assert app.theme == "nord"
        await settle(pilot)


async def test_a_theme_that_is_no_more_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"theme": "of-yesterday", "other": 1}')
    app = browser(Settings(path))
    usual = browser(Settings(tmp_path / "none.json")).theme
    async with app.run_test() as pilot:
        assert app.theme == usual
        await settle(pilot)
        said = [notification.message for notification in app._notifications]
        assert said == [f"There is no theme of-yesterday any more: this is {usual}."]
        app.theme = "gruvbox"
        await settle(pilot)
    assert '"other": 1' in path.read_text(), "what another version knows is kept"


@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
async def test_settings_that_cannot_be_read_are_told_and_left_as_they_are(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "settings.json"
    path.write_text(content)
    app = browser(Settings(path))
    async with app.run_test() as pilot:
        await settle(pilot)
        said = [notification.message for notification in app._notifications]
        assert any(str(path) in words for words in said)
        app.theme = "nord"
        await settle(pilot)
    assert path.read_text() == content
