"""What Goose's sessions used, from the figures that each version keeps."""

from __future__ import annotations

from contextlib import closing
from datetime import date
from pathlib import Path

from store import Usage
from tests.agents.goose_records import (
    OLD,
    ONE,
    START,
    TWO,
    GooseDatabase,
    beginning,
    imported,
    line,
    text,
)
from tests.agents.reading import write
from tests.agents.usage_shelf import DAY, NEXT_DAY, Shelf, shelf

_COLUMNS = (
    "accumulated_input_tokens INTEGER",
    "accumulated_output_tokens INTEGER",
    "accumulated_cache_read_tokens INTEGER",
    "accumulated_cache_write_tokens INTEGER",
)


def _database(s: Shelf, version: int = 13) -> GooseDatabase:
    """Make a database of a version, with the columns that it keeps figures in."""
    database = GooseDatabase(s.goose / "sessions.db", version)
    there = {row[1] for row in database.db.execute("PRAGMA table_info(sessions)")}
    for column in _COLUMNS[: 4 if version >= 14 else 2]:
        if column.partition(" ")[0] not in there:
            database.db.execute(f"ALTER TABLE sessions ADD COLUMN {column}")
    if version >= 15:
        for column in ("output_tokens", "cache_read_tokens", "cache_write_tokens"):
            database.db.execute(f"ALTER TABLE usage_ledger ADD COLUMN {column} INTEGER")
    return database


def _set(database: GooseDatabase, session: str, **values: object) -> None:
    changes = ", ".join(f"{name} = ?" for name in values)
    database.db.execute(f"UPDATE sessions SET {changes} WHERE id = ?", (*values.values(), session))


def _note(database: GooseDatabase, session: str, second: int, model: str, *tokens: int) -> None:
    database.db.execute(
        "INSERT INTO usage_ledger (session_id, created_timestamp, model, input_tokens,"
        " output_tokens, cache_read_tokens, cache_write_tokens) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (session, second, model, *tokens),
    )


def used(
    sent: int,
    output: int,
    read: int | None = None,
    written: int | None = None,
    day: date = DAY,
    model: str = "gpt",
) -> Usage:
    return Usage(
        day=day,
        model=model,
        input_tokens=sent,
        output_tokens=output,
        cache_read_tokens=read,
        cache_write_tokens=written,
    )


async def test_what_was_added_up_and_what_came_to_it_later(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        database = _database(s)
        with closing(database.db):
            database.session(ONE, accumulated_input_tokens=100, accumulated_output_tokens=10)
            database.row(ONE, "user", text("go"))
            database.session(TWO)
            database.row(TWO, "user", text("nothing was used yet"))
            assert await s.used() == {ONE: [used(100, 10)], TWO: []}
            # The figures may come after the words, in the same second.
            _set(database, ONE, accumulated_input_tokens=130)
            assert (await s.used())[ONE] == [used(130, 10)]
            database.row(ONE, "user", text("the next day"))
            _set(database, ONE, accumulated_output_tokens=25, updated_at="2026-11-21 00:00:01")
            assert (await s.used())[ONE] == [used(130, 10), used(0, 15, day=NEXT_DAY)]


async def test_a_database_written_anew_says_the_same(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        database = _database(s)
        with closing(database.db):
            database.session(ONE, accumulated_input_tokens=100, accumulated_output_tokens=10)
            database.row(ONE, "user", text("go"))
            assert await s.only() == [used(100, 10)]
            database.write_anew(ONE)
            assert await s.only() == [used(100, 10)]
            database.db.execute("VACUUM INTO ?", (str(tmp_path / "copy.db"),))
        for ending in ("-wal", "-shm"):
            (s.goose / f"sessions.db{ending}").unlink(missing_ok=True)
        (tmp_path / "copy.db").rename(s.goose / "sessions.db")
        assert await s.only() == [used(100, 10)]


async def test_what_came_from_a_cache_is_told_apart(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        database = _database(s, 14)
        with closing(database.db):
            database.session(
                ONE,
                accumulated_input_tokens=100,
                accumulated_output_tokens=10,
                accumulated_cache_read_tokens=60,
                accumulated_cache_write_tokens=15,
            )
            database.row(ONE, "user", text("go"))
        assert await s.only() == [used(25, 10, 60, 15)]


async def test_the_ledger_says_when_and_by_which_model(tmp_path: Path) -> None:
    """A session begun before there was one has more added up than it notes."""
    async with shelf(tmp_path) as s:
        database = _database(s, 15)
        with closing(database.db):
            database.session(ONE, accumulated_input_tokens=100, accumulated_output_tokens=10)
            database.row(ONE, "user", text("go"))
            _note(database, ONE, START, "small", 30, 3, 20, 0)
            _note(database, ONE, START + 86_400, "large", 20, 2, 0, 5)
            _note(database, TWO, START, "small", 7, 7, 0, 0)  # of a session that is not there
            expected = [
                used(50, 5),
                used(10, 3, 20, 0, model="small"),
                used(15, 2, 0, 5, day=NEXT_DAY, model="large"),
            ]
            assert await s.only() == expected
            _note(database, ONE, START + 86_401, "large", 1, 1, 0, 0)
            _set(database, ONE, accumulated_input_tokens=101, accumulated_output_tokens=11)
            expected[2] = used(16, 3, 0, 5, day=NEXT_DAY, model="large")
            assert await s.only() == expected


async def test_a_fork_has_figures_of_its_own(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        database = _database(s)
        with closing(database.db):
            for session, figures in ((ONE, (100, 10)), (TWO, (7, 1))):
                database.session(
                    session,
                    accumulated_input_tokens=figures[0],
                    accumulated_output_tokens=figures[1],
                )
                database.row(session, "user", text("go"), message_id="m", created_timestamp=START)
            database.row(TWO, "user", text("own"))
        assert await s.used() == {ONE: [used(100, 10)], TWO: [used(7, 1)]}


async def test_an_older_file_counts_once_with_the_database_that_took_it_over(
    tmp_path: Path,
) -> None:
    async with shelf(tmp_path) as s:
        figures = {"accumulated_input_tokens": 50, "accumulated_output_tokens": 5}
        records = [beginning(**figures), line(1, "user", text("go"))]
        path = write(s.goose / f"{OLD}.jsonl", records)
        assert await s.only() == [used(50, 5, model="")]
        database = _database(s)
        with closing(database.db):
            imported(database, path)
            _set(database, OLD, **figures)
        assert [one.total_tokens for one in await s.only()] == [55]


async def test_what_was_imported_before_is_counted_without_a_message_twice(tmp_path: Path) -> None:
    async with shelf(tmp_path) as s:
        database = _database(s)
        with closing(database.db):
            database.session(ONE, accumulated_input_tokens=100, accumulated_output_tokens=10)
            database.row(ONE, "user", text("go"))
            write(
                s.goose / f"{OLD}.jsonl",
                [beginning(accumulated_input_tokens=5), line(1, "user", text("old"))],
            )
            before = await s.used()
            state = (
                "UPDATE source SET state = json_remove(state, '$.sessions.\"20261120_1\".usage')"
            )
            assert await s.upgraded(state) == before
