"""The first page: what the list shows first, read without a store and without models."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import store
from store import InvalidValue, NewMessage, Role, Session, Store, Task, TaskFilter, TaskRow
from store.opening import first_rows
from store.sqlite.first_page import FirstRow
from store.sqlite.rows import SESSION_FIELDS, TASK_FIELDS
from tests.store.helpers import run

NOW = datetime(2026, 1, 14, 12, tzinfo=UTC)


async def fill(s: Store, folder: str) -> None:
    """Put one task of every kind into a store."""
    for number in range(6):
        name = f"task-{number}"
        await s.create_session(folder, "claude", task_id=name, title=f"Title {number}")
        said = NewMessage(role=Role.USER, content="Do it.", timestamp=NOW - timedelta(number))
        await s.save_messages(name, [said])
    await s.tag("task-0", "urgent", "später")
    await s.update_session("task-1", context={"nested": [1, {"deep": None}]}, git_branch="main")
    await s.archive("task-2")
    task = await s.get_task("task-3")
    await s.save_task(task.model_copy(update={"parent_task_id": "task-1"}))
    task = await s.get_task("task-4")
    await s.save_task(task.model_copy(update={"fork_of": "task-0"}))
    await s.save_task(Task(id="bare", title="Without a session", created_at=NOW))
    await s.create_session(folder, "codex", task_id="empty", title="Nothing said")
    await s.create_session(folder, "codex", task_id="robot", title="By itself", origin="automated")
    await s.save_messages("robot", [NewMessage(role=Role.USER, content="Tick.")])


def as_data(item: Any) -> Any:
    """Give a model, or what stands in for one, as a dictionary."""
    if isinstance(item, BaseModel):
        return {name: as_data(value) for name, value in item}
    return {name: as_data(value) for name, value in vars(item).items()} if is_plain(item) else item


def is_plain(item: Any) -> bool:
    return type(item).__name__ in ("FirstRow", "SimpleNamespace")


async def test_it_is_the_first_page_of_the_list(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    async with store.open_store(path) as s:
        await fill(s, str(tmp_path))
        page = await s.list_tasks(TaskFilter(top_level=True))
    found = first_rows(path, limit=50)
    assert [row.task.id for row in found] == ["bare", "task-0", "task-1", "task-4", "task-5"]
    assert [as_data(row) for row in found] == [as_data(row) for row in page.items]
    assert [row.active_at for row in found] == [row.active_at for row in page.items]
    assert [row.task.id for row in first_rows(f"sqlite:///{path}", limit=2)] == ["bare", "task-0"]


def test_a_row_of_it_has_all_that_a_row_has() -> None:
    assert tuple(Task.model_fields) == TASK_FIELDS
    assert tuple(Session.model_fields) == SESSION_FIELDS
    own = {name for name in vars(TaskRow) if not name.startswith(("_", "model_"))}
    assert own <= set(dir(FirstRow))


@pytest.mark.parametrize(
    "content", [None, b"", b"SQLite format 3\0 and then nothing of the kind", b"Some notes.\n" * 99]
)
def test_where_there_is_no_store_there_is_none(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "none.db"
    if content is not None:
        path.write_bytes(content)
    assert list(first_rows(path, limit=9)) == []
    assert [file.name for file in tmp_path.iterdir()] == ([] if content is None else ["none.db"])
    assert content is None or path.read_bytes() == content


def test_memory_has_none_and_nonsense_is_for_the_opening_to_tell() -> None:
    assert list(first_rows(":memory:", limit=9)) == []
    assert list(first_rows("postgres://somewhere", limit=9)) == []
    with pytest.raises(InvalidValue):
        store.open_store("postgres://somewhere")


async def test_it_reads_while_somebody_writes(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    async with store.open_store(path) as s:
        await fill(s, str(tmp_path))
        assert len(first_rows(path, limit=50)) == 5
        await s.create_session(str(tmp_path), "claude", task_id="new", title="New")
        await s.save_messages("new", [NewMessage(role=Role.USER, content="Now.")])
        assert first_rows(path, limit=1)[0].task.id == "new"


READ = """
    import json, sys
    from store.opening import first_rows
    rows = first_rows({path!r}, limit=9)
    print(json.dumps([[row.task.title for row in rows], sorted(sys.modules)]))
"""


async def test_reading_it_loads_no_models_and_no_engine(tmp_path: Path) -> None:
    path = tmp_path / "some.db"
    async with store.open_store(path) as s:
        await fill(s, str(tmp_path))
    titles, loaded = json.loads(run(READ.format(path=str(path))))
    assert "Title 0" in titles
    heavy = ("pydantic", "aiosqlite", "asyncio", "store.models", "store.sqlite.engine")
    assert [name for name in loaded if name.startswith(heavy)] == []
