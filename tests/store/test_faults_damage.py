"""Files whose bytes changed or are missing: right data or an error in words, nothing deleted."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from store import NotAStore, Store, StoreCorrupt, StoreError, open_store
from tests.store.helpers import at, new_task, said, start, texts

PAGE = 4096
TASKS = 12
MESSAGES = 60


async def _stored(path: Path) -> None:
    """Make a store of some two hundred pages, whose contents follow from its numbers."""
    async with open_store(path) as store:
        for n in range(TASKS):
            task_id = await new_task(store, f"Task {n}", id=f"task {n}", notes="note " * 40)
            await store.save_session(task_id, f"session {n}", "claude", context={"n": n})
            await store.tag(task_id, "all", f"tag {n}")
            new = [said(_words(n, m), at(m), key=f"k{m}") for m in range(MESSAGES)]
            await store.save_messages(task_id, new)
            if n:
                await store.add_dependency(task_id, f"task {n - 1}")


def _words(task: int, n: int) -> str:
    return f"message {n} of task {task}: " + "word " * 150


def _reads(store: Store) -> dict[str, Callable[[], Awaitable[object]]]:
    """Give every way of reading, each as what follows from the numbers."""

    async def walk(n: int) -> list[str]:
        return [message.content async for message in store.iter_history(f"task {n}")]

    async def history(n: int) -> list[str]:
        return texts(await store.get_history(f"task {n}"))

    async def pages() -> list[str]:
        page = await store.list_tasks(limit=5)
        rows = list(page.items)
        while page.cursor:
            page = await store.list_tasks(cursor=page.cursor, limit=5)
            rows += page.items
        return sorted(row.task.id for row in rows)

    async def session(n: int) -> object:
        found = await store.get_session(f"task {n}")
        return found.session_id, found.context, found.message_count

    async def task(n: int) -> object:
        found = await store.get_task(f"task {n}")
        return found.title, found.notes, found.message_count, sorted(found.tags)

    async def message(n: int) -> str:
        return (await store.get_message(f"task {n}", 31)).content

    async def dependencies(n: int) -> list[str]:
        return [found.id for found in await store.dependencies(f"task {n}")]

    reads: dict[str, Callable[[], Awaitable[object]]] = {
        "pages": pages,
        "sessions": lambda: store.list_sessions(limit=50),
        "count": store.count_tasks,
        "describe": store.describe,
        "ready": store.ready_tasks,
        "resolve": lambda: store.resolve("session 3"),
        "find": lambda: store.find_session("claude", "session 7"),
    }
    for n in range(TASKS):
        for read in (walk, history, session, task, message, dependencies):
            reads[f"{read.__name__} {n}"] = lambda read=read, n=n: read(n)  # type: ignore[misc]
    return reads


async def _all(path: Path) -> dict[str, object]:
    """Read everything; an error is what a read gives, too."""
    given: dict[str, object] = {}
    try:
        async with open_store(path) as store:
            for name, read in _reads(store).items():
                try:
                    given[name] = await read()
                except Exception as error:  # judged below
                    given[name] = error
    except StoreError as error:
        given["open"] = error
    return given


def _sees(path: Path) -> dict[str, object]:
    """Give what SQLite itself reads, without the store."""
    seen: dict[str, object] = {}
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
        for n in range(TASKS):
            try:
                seen[f"history {n}"] = [
                    content
                    for (content,) in db.execute(
                        "SELECT content FROM message WHERE task = "
                        "(SELECT n FROM task WHERE id = ?) ORDER BY at, seq",
                        (f"task {n}",),
                    )
                ]
            except sqlite3.Error as error:
                seen[f"history {n}"] = error
    return seen


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a store that is never opened itself, only copied."""
    path = tmp_path_factory.mktemp("sound") / "b.db"
    asyncio.run(_stored(path))
    assert path.stat().st_size > 100 * PAGE
    return path


def _right(given: dict[str, object], truth: dict[str, object], name: str) -> bool:
    if name == "describe":
        return True  # counts pages
    return given[name] == truth[name]


def _judge(given: dict[str, object], truth: dict[str, object], seen: dict[str, object]) -> int:
    """See that what was read is right, or an error of the right kind; count the errors."""
    errors = 0
    for name, value in given.items():
        if isinstance(value, Exception):
            assert isinstance(value, StoreCorrupt), f"{name}: {value!r}"
            assert "damaged" in str(value)
            assert str(value).isprintable(), repr(str(value))
            errors += 1
        elif not _right(given, truth, name):
            # Pages have no check sums: what SQLite cannot see, the store cannot either.
            kind, _, n = name.partition(" ")
            unseen = seen.get(f"history {n}")
            assert kind in ("walk", "history", "message"), f"{name} is wrong, without an error"
            assert not isinstance(unseen, sqlite3.Error), f"{name}: SQLite sees {unseen}"
            if kind != "message":
                assert value == unseen, f"{name}: SQLite reads something else"
    return errors


def _overwritten(path: Path, to: Path, start: int, by: bytes) -> Path:
    to.mkdir()
    body = bytearray(path.read_bytes())
    assert start + len(by) <= len(body)
    body[start : start + len(by)] = by
    (to / "b.db").write_bytes(body)
    return to / "b.db"


@pytest.mark.parametrize("damage", ["noise", "zeros", "header of the page"])
async def test_an_overwritten_page(sound: Path, tmp_path: Path, damage: str) -> None:
    chance = random.Random(damage)
    truth = await _all(sound)
    assert not [value for value in truth.values() if isinstance(value, Exception)]
    assert truth["history 3"] == [_words(3, n) for n in range(MESSAGES)]
    pages = sound.stat().st_size // PAGE
    errors = 0
    for number in sorted({1, 2, 3, 4, *chance.sample(range(1, pages), 22)}):
        by = bytes(PAGE) if damage == "zeros" else chance.randbytes(PAGE)
        by = by[:12] if damage == "header of the page" else by
        path = _overwritten(sound, tmp_path / str(number), number * PAGE, by)
        before = path.read_bytes()
        given = await _all(path)
        assert path.read_bytes() == before, "reading changed the file"
        assert [file.name for file in path.parent.iterdir()] == ["b.db"]
        errors += _judge(given, truth, _sees(path))
    assert errors > 20, "damage that nobody saw"


@pytest.mark.parametrize("place", ["magic", "page size", "whole page", "schema", "versions"])
async def test_the_first_page(sound: Path, tmp_path: Path, place: str) -> None:
    start, by = {
        "magic": (0, b"\xa5" * 16),
        "page size": (16, b"\x00\x03"),
        "whole page": (0, b"\xa5" * PAGE),
        "schema": (100, b"\xa5" * (PAGE - 100)),
        "versions": (18, b"\x09\x09"),
    }[place]
    path = _overwritten(sound, tmp_path / "damaged", start, by)
    before = path.read_bytes()
    with pytest.raises((StoreCorrupt, NotAStore), match=r"b\.db"):
        async with open_store(path) as store:
            await store.list_tasks()
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["b.db"]


@pytest.mark.parametrize("left", [50, 100, 512, PAGE, PAGE + 1, 20 * PAGE, 60 * PAGE + 700, -PAGE])
async def test_a_truncated_file(sound: Path, tmp_path: Path, left: int) -> None:
    path = tmp_path / "b.db"
    path.write_bytes(sound.read_bytes()[:left])
    before = path.read_bytes()
    given = await _all(path)
    errors = [value for value in given.values() if isinstance(value, Exception)]
    assert errors
    for error in errors:
        assert isinstance(error, StoreCorrupt | (NotAStore if left < 100 else StoreCorrupt)), error
    truth = await _all(sound)
    for name, value in given.items():
        if not isinstance(value, Exception):
            assert _right(given, truth, name), f"{name} is wrong, without an error"
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("place", "found", "put"),
    [
        ("text", b"message 31 of task 3", b"message 31 \xff\xfe task 3"),
        ("role", b"user", b"uzer"),
        ("kind", b"text", b"tixt"),
        ("context", b'{"n":3}', b'{"n":3]'),
    ],
)
async def test_a_value_that_the_store_never_wrote(
    sound: Path, tmp_path: Path, place: str, found: bytes, put: bytes
) -> None:
    """A flipped bit that SQLite cannot see, and that gives no value of the model."""
    body = sound.read_bytes()
    if place in ("role", "kind"):
        where = body.index(b"usertext", body.index(b"message 31 of task 3") - 60)
        where += 0 if place == "role" else 4
    else:
        where = body.index(found)
    assert body[where : where + len(found)] == found
    path = _overwritten(sound, tmp_path / "damaged", where, put)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA quick_check").fetchall() == [("ok",)]
    given = await _all(path)
    names = ["session 3"] if place == "context" else ["history 3", "walk 3"]
    for name in names:
        assert isinstance(given[name], StoreCorrupt), repr(given[name])
        assert str(given[name]).isprintable(), repr(given[name])
    assert given["history 4"] == [_words(4, n) for n in range(MESSAGES)]


APPEND = """
    import asyncio, sys
    from store import open_store

    async def main():
        store = await open_store(sys.argv[1])
        for n in range(10_000):
            await store.save_message("logged", "user", f"{n} " + "x" * 700)
            print(n, flush=True)

    asyncio.run(main())
"""


async def _logged(path: Path) -> None:
    async with open_store(path) as store:
        await new_task(store, id="logged")


@pytest.fixture(scope="module")
def killed(sound: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """Give what a killed process left: its file, a log beside it, and how much is promised."""
    path = tmp_path_factory.mktemp("killed") / "b.db"
    shutil.copy(sound, path)
    asyncio.run(_logged(path))
    promised = 0
    with start(APPEND, path) as process:
        assert process.stdout is not None
        while promised < 60:
            promised = int(process.stdout.readline()) + 1
        process.send_signal(signal.SIGKILL)
        promised += len(process.stdout.read().splitlines(keepends=True)[:-1])
    assert Path(f"{path}-wal").stat().st_size > 60 * PAGE
    return path, promised


def _log(kind: str, log: bytes) -> bytes:
    chance = random.Random(kind)
    middle = 32 + 30 * (PAGE + 24)
    match kind:
        case "as it was left":
            return log
        case "none":
            return b""
        case "garbage":
            return chance.randbytes(len(log))
        case "short garbage":
            return b"\xa5" * 17
        case "garbage header":
            return chance.randbytes(32) + log[32:]
        case "garbage frame":
            return log[:middle] + chance.randbytes(PAGE + 24) + log[middle + PAGE + 24 :]
        case "one bit":
            return log[: middle + 999] + bytes([log[middle + 999] ^ 4]) + log[middle + 1000 :]
        case "garbage at the end":
            return log + chance.randbytes(3 * PAGE)
        case "cut in a frame":
            return log[: middle + 1000]
        case "cut between frames":
            return log[:middle]
        case "cut in the header":
            return log[:20]
    raise AssertionError(kind)


KEEPS_ALL = ("as it was left", "garbage at the end")
LOGS = (
    *KEEPS_ALL, "none", "garbage", "short garbage", "garbage header", "garbage frame", "one bit",
    "cut in a frame", "cut between frames", "cut in the header",
)  # fmt: skip


@pytest.mark.parametrize("kind", LOGS)
async def test_a_damaged_log(killed: tuple[Path, int], tmp_path: Path, kind: str) -> None:
    left, promised = killed
    path = tmp_path / "b.db"
    shutil.copy(left, path)
    Path(f"{path}-wal").write_bytes(_log(kind, Path(f"{left}-wal").read_bytes()))
    async with open_store(path) as store:
        for n in range(TASKS):
            found = texts(await store.get_history(f"task {n}"))
            assert found == [_words(n, m) for m in range(MESSAGES)], "it was in the file"
        history = await store.get_history("logged")
        assert [message.seq for message in history] == list(range(1, len(history) + 1))
        assert texts(history) == [f"{n} " + "x" * 700 for n in range(len(history))]
        assert (await store.get_task("logged")).message_count == len(history)
        if kind in KEEPS_ALL:
            assert len(history) >= promised
        elif kind in ("garbage frame", "one bit", "cut in a frame", "cut between frames"):
            assert 0 < len(history) < promised
        assert (await store.save_message("logged", "user", "on")).seq == len(history) + 1
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("left", [0, 1, 512, PAGE, 30 * PAGE])
async def test_a_truncated_file_with_a_log_beside_it(
    killed: tuple[Path, int], tmp_path: Path, left: int
) -> None:
    """The log may be all that is left: it is neither deleted nor written over."""
    original, _ = killed
    path = tmp_path / "b.db"
    log = Path(f"{original}-wal").read_bytes()
    path.write_bytes(original.read_bytes()[:left])
    Path(f"{path}-wal").write_bytes(log)
    given: dict[str, Any] = await _all(path)
    errors = [value for value in given.values() if isinstance(value, Exception)]
    assert errors, "it opened as if nothing were missing"
    for error in errors:
        assert isinstance(error, StoreCorrupt | NotAStore), repr(error)
    if left < 100:  # else it says what it is, and SQLite brings the log into it
        assert path.read_bytes() == original.read_bytes()[:left]
        assert Path(f"{path}-wal").read_bytes() == log, "the log was thrown away"
