"""Opening: what is made, what is migrated, and what is left alone to the last byte."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store import (
    InvalidValue,
    NotAStore,
    SchemaTooNew,
    SchemaTooOld,
    Store,
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreUnavailable,
    default_path,
    open_store,
)
from store.sqlite import migrate
from tests.store.helpers import new_task, run, said


def _mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


def _bytes(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.iterdir()}


@pytest.fixture(params=[0o000, 0o022, 0o177, 0o777], ids="umask {:03o}".format)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


async def test_only_the_owner_may_look(tmp_path: Path, umask: int) -> None:
    folder = tmp_path / "made" / "for" / "it"
    async with open_store(folder / "b.db") as store:
        await new_task(store)
        assert {file.name: _mode(file) for file in folder.iterdir()} == {
            "b.db": 0o600,
            "b.db-wal": 0o600,
            "b.db-shm": 0o600,
        }
        assert oct(_mode(folder)) == oct(0o700)


async def test_folders_made_on_the_way_are_the_owner_s_too(tmp_path: Path, umask: int) -> None:
    async with open_store(tmp_path / "made" / "for" / "it" / "b.db") as store:
        await new_task(store)
        for made in (tmp_path / "made", tmp_path / "made" / "for"):
            assert oct(_mode(made)) == oct(0o700), made


async def test_a_folder_that_was_there_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    folder.chmod(0o755)
    async with open_store(folder / "b.db"):
        pass
    assert _mode(folder) == 0o755


async def test_what_was_stored_is_there_the_next_time(database: Path) -> None:
    async with open_store(database) as store:
        task_id = await new_task(store, "Fix")
        await store.save_message(task_id, "user", "hello")
    async with open_store(database, migrate=False) as store:
        assert (await store.get_task(task_id)).title == "Fix"
        assert (await store.describe())["messages"] == 1
    assert not database.with_name("backscroll.db-wal").exists(), "closed cleanly"


FOREIGN = {
    "a letter": b"Dear Ada,\n\nthis is not a database.\n",
    "a short note": b"SQLite",
    "almost a database": b"SQLite format 4\0" + bytes(4080),
}


@pytest.mark.parametrize("kind", FOREIGN)
async def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "b.db"
    path.write_bytes(FOREIGN[kind])
    with pytest.raises(NotAStore, match=r"b\.db"):
        await open_store(path)
    assert _bytes(tmp_path) == {"b.db": FOREIGN[kind]}


def _foreign(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        for statement in statements:
            db.execute(statement)


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TABLE photo (x)", "INSERT INTO photo VALUES (1)"),
        ("PRAGMA application_id = 7",),
        ("PRAGMA journal_mode = WAL", "CREATE TABLE photo (x)"),
        ("CREATE TABLE migration (number)", "PRAGMA user_version = 1"),
    ],
    ids=["tables", "another program's id", "write-ahead log", "looks alike"],
)
async def test_another_program_s_database_is_left_as_it_is(
    tmp_path: Path, statements: tuple[str, ...]
) -> None:
    _foreign(tmp_path / "b.db", *statements)
    before = _bytes(tmp_path)
    with pytest.raises(NotAStore, match=r"b\.db"):
        await open_store(tmp_path / "b.db")
    assert _bytes(tmp_path) == before


def _crashed(path: Path, to: Path, *statements: str) -> None:
    """Leave in `to` what a process leaves that died with changes in its write-ahead log."""
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        for statement in statements:
            db.execute(statement)
        to.mkdir()
        for file in path.parent.glob(f"{path.name}*"):
            if not file.name.endswith("-shm"):
                shutil.copy(file, to)


async def test_another_program_s_unfinished_log_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "crashed"
    _crashed(tmp_path / "b.db", folder, "CREATE TABLE photo (x)", "INSERT INTO photo VALUES (1)")
    before = _bytes(folder)
    assert before.keys() == {"b.db", "b.db-wal"}
    with pytest.raises(NotAStore):
        await open_store(folder / "b.db")
    assert _bytes(folder) == before


async def test_a_newer_schema_is_never_written(tmp_path: Path, database: Path) -> None:
    async with open_store(database) as store:
        await new_task(store)
    _foreign(database, "PRAGMA user_version = 999")
    before = _bytes(tmp_path)
    for allowed in (True, False):
        with pytest.raises(SchemaTooNew, match="999"):
            await open_store(database, migrate=allowed)
        assert _bytes(tmp_path) == before


async def test_a_newer_schema_s_unfinished_log_is_left_as_it_is(
    tmp_path: Path, database: Path
) -> None:
    async with open_store(database) as store:
        await new_task(store)
    folder = tmp_path / "crashed"
    _crashed(database, folder, "PRAGMA user_version = 999")
    before = _bytes(folder)
    assert before.keys() == {"backscroll.db", "backscroll.db-wal"}
    with pytest.raises(SchemaTooNew):
        await open_store(folder / "backscroll.db")
    after = _bytes(folder)
    after.pop("backscroll.db-shm", None)  # the log's index, which reading makes anew
    assert after == before


def _later(monkeypatch: pytest.MonkeyPatch, sql: str) -> int:
    """Let this backscroll know one migration more; give its number."""
    known = migrate.migrations()
    number = known[-1].number + 1
    later = (*known, migrate.Migration(number, "later", sql))
    monkeypatch.setattr(migrate, "migrations", lambda: later)
    return number


async def test_an_older_schema_is_migrated_unless_that_is_not_wanted(
    tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(database) as store:
        task_id = await new_task(store, "Fix")
    number = _later(monkeypatch, "ALTER TABLE task ADD COLUMN mood TEXT;\nSELECT 1;")
    before = _bytes(tmp_path)
    with pytest.raises(SchemaTooOld, match="migrate"):
        await open_store(database, migrate=False)
    assert _bytes(tmp_path) == before

    async with open_store(database) as store:
        assert (await store.describe())["schema"] == number
        assert (await store.get_task(task_id)).title == "Fix"


async def test_a_migration_that_fails_changes_nothing(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(database) as store:
        await new_task(store, id="kept")
        schema = (await store.describe())["schema"]
    with monkeypatch.context() as patch:
        _later(patch, "DELETE FROM task;\nALTER TABLE no_such_table ADD COLUMN x;")
        with pytest.raises(StoreError, match="no_such_table"):
            await open_store(database)
    async with open_store(database) as store:
        assert await store.list_task_ids() == ["kept"]
        assert (await store.describe())["schema"] == schema


async def test_damage_is_called_damage(database: Path) -> None:
    async with open_store(database) as store:
        task_id = await new_task(store)
        await store.save_messages(task_id, [said("x" * 900)] * 300)
    body = bytearray(database.read_bytes())
    body[8192:-8192] = b"\xa5" * (len(body) - 16384)
    database.write_bytes(body)
    with pytest.raises(StoreCorrupt, match="damaged"):
        async with open_store(database) as store:
            await store.list_tasks()
            await store.get_history(task_id)
            await store.save_message(task_id, "user", "x")


@pytest.mark.parametrize("kind", ["a folder", "a pipe", "below a file"])
async def test_what_cannot_hold_a_store_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "b.db"
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    else:
        path.write_text("")
        path /= "b.db"
    with pytest.raises((StoreUnavailable, NotAStore)):
        await open_store(path)


async def test_the_environment_says_where_the_store_is(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKSCROLL_DATABASE", str(database))
    async with open_store() as store:
        assert (await store.describe())["path"] == str(database)
    async with open_store(tmp_path / "given.db") as store:
        assert (await store.describe())["path"] == str(tmp_path / "given.db")


async def test_without_a_word_the_store_is_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("BACKSCROLL_DATABASE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    async with open_store() as store:
        assert (await store.describe())["path"] == str(default_path())
    assert tmp_path in default_path().parents


async def test_a_url_names_a_file_or_memory(tmp_path: Path) -> None:
    async with open_store(f"sqlite:///{tmp_path}/with%20space.db") as store:
        await new_task(store)
    assert (tmp_path / "with space.db").exists()
    async with open_store("sqlite:///:memory:") as store:
        assert (await store.describe())["path"] == ":memory:"
    for unknown in ("postgres://host/db", "https://example.org/x.db"):
        with pytest.raises(InvalidValue, match="no engine"):
            open_store(unknown)


async def test_an_empty_target_is_a_mistake_and_not_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKSCROLL_DATABASE", str(tmp_path / "default.db"))
    with pytest.raises(InvalidValue, match="empty"):
        open_store("")


async def test_two_memories_are_two_stores() -> None:
    async with open_store(":memory:") as one, open_store(":memory:") as other:
        await new_task(one)
        assert await other.count_tasks() == 0


async def test_closing_twice_is_closing(target: str) -> None:
    store = await open_store(target)
    await new_task(store)
    await store.close()
    await store.close()


async def test_a_closed_store_says_that_it_is(target: str) -> None:
    store: Store = await open_store(target)
    task_id = await new_task(store)
    await store.get_task(task_id)
    await store.close()
    for call in (
        store.get_task(task_id),
        store.save_message(task_id, "user", "late"),
        store.list_tasks(),
        anext(store.iter_history(task_id)),
        store.version(),
        store.describe(),
    ):
        with pytest.raises(StoreClosed):
            await call


async def test_the_version_changes_with_every_write_and_with_no_read(database: Path) -> None:
    async with open_store(database) as here, open_store(database) as there:
        seen = [await here.version()]
        await here.list_tasks()
        assert await here.version() == seen[0]
        for writer in (here, there, here):
            await new_task(writer)
            seen.append(await here.version())
            assert seen[-1] not in seen[:-1]


FORGET = """
    import asyncio, sys
    from store import Task, open_store

    async def main():
        store = await open_store(sys.argv[1])
        await store.save_task(Task(title="kept"))
        await store.list_tasks()
        print("done")

    asyncio.run(main())
"""


async def test_forgetting_to_close_does_not_keep_the_interpreter(database: Path) -> None:
    assert run(FORGET, database, warnings="ignore") == "done\n"
    assert run(FORGET, ":memory:", warnings="ignore") == "done\n"
    async with open_store(database) as store:
        assert await store.count_tasks() == 1
