"""Copies of a store, its own check, and the copy that is made before a schema changes."""

from __future__ import annotations

import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from store import Conflict, Store, StoreUnavailable, Task, open_store
from store.sqlite import migrate
from tests.store.helpers import new_task


async def test_a_backup_is_a_store_of_its_own(store: Store, tmp_path: Path) -> None:
    task_id = await new_task(store, title="Kept")
    await store.save_message(task_id, "user", "hello")
    copy = tmp_path / "copy.db"
    await store.backup(copy)
    await store.save_message(task_id, "user", "after the copy")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir() if "copy" in path.name) == ["copy.db"]
    async with open_store(copy) as other:
        assert [message.content for message in await other.get_history(task_id)] == ["hello"]
        assert (await other.integrity()).is_whole


async def test_a_backup_never_replaces_a_file(store: Store, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_text("mine")
    with pytest.raises(Conflict, match=r"copy\.db"):
        await store.backup(copy)
    assert copy.read_text() == "mine"
    with pytest.raises(StoreUnavailable, match="nowhere"):
        await store.backup(tmp_path / "nowhere" / "copy.db")


async def test_a_backup_while_others_write_is_of_one_moment(database: Path, tmp_path: Path) -> None:
    async with open_store(database) as store:
        task_id = await new_task(store)
        for _ in range(200):
            await store.save_message(task_id, "user", "x" * 5000)

        async def write() -> None:
            for _ in range(200):
                await store.save_message(task_id, "user", "y" * 5000)

        writing = asyncio.create_task(write())
        await store.backup(tmp_path / "copy.db")
        await writing
    async with open_store(tmp_path / "copy.db") as copy:
        assert (await copy.integrity()).is_whole
        task = await copy.get_task(task_id)
        assert task.message_count == len(await copy.get_history(task_id)) >= 200


async def test_a_whole_store_has_no_problems(store: Store) -> None:
    task_id = await new_task(store)
    await store.save_message(task_id, "user", "hello", is_prompt=True)
    found = await store.integrity()
    assert found.is_whole
    assert found.problems == ()


async def test_what_no_constraint_catches_is_found(database: Path) -> None:
    async with open_store(database) as store:
        task_id = await new_task(store)
        for _ in range(3):
            await store.save_message(task_id, "user", "hello")
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("DELETE FROM message WHERE seq = 2")
        db.execute("INSERT INTO dependency (task, on_task) VALUES (1, 77)")
    async with open_store(database) as store:
        problems = (await store.integrity()).problems
    assert any(f"the task {task_id!r} says 3 messages" in problem for problem in problems)
    assert any("refers to a task that is not there" in problem for problem in problems)


@pytest.mark.parametrize("number", [one.number for one in migrate.migrations()[:-1]])
async def test_an_upgrade_leaves_the_older_store_beside_the_new_one(
    database: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = tuple(one for one in migrate.migrations() if one.number <= number)
    monkeypatch.setattr(migrate, "migrations", lambda: older)
    database.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        migrate.migrate(db, str(database), allowed=True, deadline=1e12)
        db.execute(
            "INSERT INTO task (id, tenant_id, title, title_from, status, origin, notes,"
            " created_at, updated_at) VALUES ('old', 'local', 'Old', 'person', 'open', 'person',"
            " '', 1, 1)"
        )
    monkeypatch.undo()
    async with open_store(database) as store:
        assert (await store.get_task("old")).title == "Old"
        assert (await store.describe())["schema"] == migrate.latest()
        await store.save_task(Task(id="new"))
        assert (await store.integrity()).is_whole
    kept = Path(f"{database}.schema-{number}")
    with closing(sqlite3.connect(kept)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (number,)
        assert db.execute("SELECT id FROM task").fetchall() == [("old",)]
