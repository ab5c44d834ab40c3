"""Starting: rows are there before the store is, and nothing is loaded that they do not need."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from store import Store, StoreClosed, StoreUnavailable, Task, open_store
from store.opening import first_rows
from tests.store.helpers import run
from tests.tui.people import FakeLauncher, browsing, detail_text, screen_text, settle, until
from tests.tui.terminal import Terminal, backscroll, surroundings
from tui import collector
from tui.app import Backscroll
from tui.browser import demonstration
from tui.first_page import FirstPage
from tui.importing import Importer
from tui.widgets.tasks import TaskList

LOADED = """
    import json, sys
    import tui.__main__, tui.browser
    print(json.dumps(sorted(sys.modules)))
"""


def test_the_screen_loads_no_models_no_engine_and_no_agent() -> None:
    loaded = json.loads(run(LOADED))
    assert "tui.screens.browse" in loaded
    heavy = (
        *("pydantic", "aiosqlite", "sqlite3", "store.models", "store.sqlite", "store.agents."),
        *("markdown_it", "pygments", "tui.render.markdown", "tui.render.code"),
        *("store.query.matching", "tui.importing", "tui.organise", "tui.render.lit"),
        *("tui.screens.ask", "tui.screens.help"),
    )
    found = [name for name in loaded if name.startswith(heavy)]
    assert found == [], "import it in the function that needs it, or for type checkers only"


class Opening:
    """A store that is opened when one says so."""

    def __init__(self, outcome: Store | Exception) -> None:
        self.outcome = outcome
        self.may_open = asyncio.Event()

    async def __call__(self) -> Store:
        await self.may_open.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


async def no_importer(_store: Store) -> Importer | None:
    return None


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "people.db"


def titles(text: str) -> list[str]:
    """Give what the list's lines begin with: the rest of them tells how long ago it was."""
    return [line[:24] for line in text.splitlines()[2:30]]


async def test_the_rows_are_there_before_the_store_is(seeded: Store, path: Path) -> None:
    first = FirstPage(lambda: first_rows(path, limit=40))
    opening = Opening(seeded)
    app = Backscroll(opening, no_importer, launcher=FakeLauncher(), first=first)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "Fix retry storm" in screen_text(pilot))
        before = titles(screen_text(pilot))
        await pilot.press("down")
        assert "Cached." not in screen_text(pilot)
        opening.may_open.set()
        await until(pilot, lambda: "Cached." in screen_text(pilot))
        await settle(pilot)
        assert "2 messages" in detail_text(pilot)
        await pilot.press("up")
        await settle(pilot)
        assert "Mended." in screen_text(pilot)
        assert titles(screen_text(pilot)) == before


async def test_the_first_rows_show_a_family_once_and_what_is_selected_stays(
    seeded: Store, path: Path
) -> None:
    docs = await seeded.get_task("docs")
    await seeded.save_task(docs.model_copy(update={"fork_of": "bug"}))
    first = FirstPage(lambda: first_rows(path, limit=40))
    opening = Opening(seeded)
    app = Backscroll(opening, no_importer, launcher=FakeLauncher(), first=first)
    async with app.run_test(size=(120, 40)) as pilot:
        tasks = app.screen.query_one(TaskList)
        await until(pilot, lambda: "Fix retry storm" in screen_text(pilot))
        assert "Write the docs" not in screen_text(pilot)
        await pilot.press("down", "down")
        assert tasks.selected_id == "ship"
        await seeded.save_task(Task(title="Arrived meanwhile"))
        opening.may_open.set()
        await until(pilot, lambda: "Arrived meanwhile" in screen_text(pilot))
        assert tasks.selected_id == "ship"
        await until(pilot, lambda: "▸1 Fix retry" in screen_text(pilot))
        assert "Write the docs" not in screen_text(pilot)


async def test_rows_of_a_store_that_cannot_be_opened_go(seeded: Store, path: Path) -> None:
    first = FirstPage(lambda: first_rows(path, limit=40))
    opening = Opening(StoreUnavailable("the disk is on fire"))
    app = Backscroll(opening, no_importer, launcher=FakeLauncher(), first=first)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: "Fix retry storm" in screen_text(pilot))
        opening.may_open.set()
        await until(pilot, lambda: "the disk is on fire" in screen_text(pilot))
        assert "Fix retry storm" not in screen_text(pilot)
        assert app.screen.query_one(TaskList).selected is None


async def test_no_first_page_is_no_matter(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        assert "Fix retry storm" in screen_text(pilot)


def test_a_narrow_terminal_is_narrow_from_the_first_frame(tmp_path: Path) -> None:
    given = backscroll("--demo")
    with Terminal(given, env=surroundings(tmp_path), cwd=tmp_path, columns=80) as terminal:
        terminal.shows("Fix retry storm")
        assert b"Tasks" in terminal.sent
        assert b"History" not in terminal.sent
        terminal.type("q")
        assert terminal.ends() == 0


async def test_quitting_while_the_store_is_opened_closes_it(path: Path) -> None:
    reached = asyncio.Event()
    stores = []

    async def opened() -> Store:
        stores.append(await open_store(path))
        reached.set()
        with suppress(asyncio.CancelledError):  # too late: it is open
            await asyncio.Event().wait()
        return stores[0]

    app = Backscroll(opened, no_importer, launcher=FakeLauncher())
    async with app.run_test(size=(120, 40)) as pilot:
        await asyncio.wait_for(reached.wait(), 10)
        await pilot.press("q")
    with pytest.raises(StoreClosed):
        await stores[0].version()


async def test_quitting_the_demonstration_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stores: list[Store] = []
    filling = asyncio.Event()

    async def fill(store: Store) -> None:
        stores.append(store)
        filling.set()
        await asyncio.Event().wait()

    monkeypatch.setattr("store.demo.fill", fill)
    app = demonstration()
    async with app.run_test(size=(120, 40)) as pilot:
        await asyncio.wait_for(filling.wait(), 10)
        await pilot.press("q")
    with pytest.raises(StoreClosed):
        await stores[0].version()


@pytest.fixture
def resting() -> Iterator[None]:
    """Let the collector rest, and put it back as it was."""
    before = gc.get_threshold()
    collector.rest()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)
    gc.enable()


def make_garbage(count: int) -> None:
    for _ in range(count):
        item: list[object] = []
        item.append(item)


@pytest.mark.usefixtures("resting")
def test_garbage_is_collected_when_nobody_presses_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([0.0, 1.0, 2.5, 2.5, 3.0, 9.0])
    monkeypatch.setattr(collector, "monotonic", lambda: next(moments))
    collector.begin()
    idle = collector.Idle()
    make_garbage(500_000)
    assert gc.get_count()[2] > 20
    idle.look()  # a second after the start
    assert gc.get_count()[2] > 20
    idle.touch()  # at 2.5
    idle.look()
    assert gc.get_count()[2] > 20
    monkeypatch.setattr(collector, "monotonic", lambda: 9.0)
    idle.look()
    assert gc.get_count()[2] == 0


def test_a_program_that_let_nothing_rest_keeps_its_collector() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    collector.begin()
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
