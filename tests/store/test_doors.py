"""Doors: what `import store` loads, what it offers, and which way the arrows point."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

import store
from tests.store.helpers import ROOT, run

IMPORT = """
    import json, sys
    import store
    print(json.dumps(sorted(sys.modules)))
"""

MODELS = """
    import json, sys
    from store import Task, open_store
    print(json.dumps(sorted(sys.modules)))
"""

HEAVY = ("textual", "rich", "aiosqlite", "sqlite3", "store.agents", "store.sqlite", "store.demo")


def test_importing_the_store_loads_nothing() -> None:
    loaded = json.loads(run(IMPORT))
    assert [name for name in loaded if name.startswith(("store.", "pydantic", *HEAVY))] == []


def test_the_models_bring_no_screen_no_agent_and_no_engine() -> None:
    loaded = json.loads(run(MODELS))
    assert "store.models" in loaded
    assert [name for name in loaded if name.startswith(HEAVY)] == []
    assert [name for name in loaded if name.split(".")[0] == "tui"] == []


def test_every_name_on_the_door_is_there() -> None:
    assert store.__all__ == sorted(store.__all__)
    for name in store.__all__:
        assert getattr(store, name).__name__ == name
        assert getattr(store, name).__doc__


def test_a_name_that_is_not_on_the_door_is_an_error() -> None:
    assert set(store.__all__) <= set(dir(store))
    with pytest.raises(AttributeError, match="no attribute 'opened'"):
        getattr(store, "opened")  # noqa: B009 - a type checker knows it, too


def test_every_error_is_a_store_error() -> None:
    errors = [name for name in store.__all__ if isinstance(getattr(store, name), type)]
    errors = [name for name in errors if issubclass(getattr(store, name), Exception)]
    assert "NotFound" in errors
    assert all(issubclass(getattr(store, name), store.StoreError) for name in errors)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            yield node.module or ""


FILES = sorted((ROOT / "store").rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_arrow_points_from_the_store_to_the_screen(path: Path) -> None:
    roots = {name.split(".")[0] for name in _imports(path)}
    assert not roots & {"tui", "textual", "rich"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sql_stays_in_the_engine_and_the_engine_behind_its_door(path: Path) -> None:
    inside = "sqlite" in path.parts
    names = set(_imports(path))
    if not inside:
        engine = {name for name in names if name.startswith("store.sqlite")}
        ways_in = {"store.sqlite.engine", "store.sqlite.first_page"}
        assert engine <= (ways_in if path.name == "opening.py" else set())
        assert "aiosqlite" not in names
