"""The files themselves: kept as they are, and given back when their agent deleted them."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from store import Store, StoreCorrupt, ingest, open_store
from store.originals import PIECE, read_original

SESSION = "6f0d2f4e-36b3-4a39-9a5b-7a5a4a1f0c11"


def _record(number: int, text: str) -> bytes:
    return (
        f'{{"type":"user","uuid":"{number}","sessionId":"{SESSION}","cwd":"/src",'
        f'"timestamp":"2026-11-01T10:00:00.{number % 1000:03}Z",'
        f'"message":{{"role":"user","content":"{text}"}}}}\n'
    ).encode()


def _transcript(home: Path, data: bytes) -> Path:
    path = home / ".claude" / "projects" / "-src" / f"{SESSION}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


async def _import(store: Store, home: Path, *, originals: bool = True) -> ingest.Report:
    return await ingest.run(store, env={"HOME": str(home)}, originals=originals)


async def _kept(store: Store, path: Path, backend: str = "claude") -> bytes:
    return b"".join([part async for part in read_original(store, backend, str(path))])


def _noise(size: int, seed: bytes = b"x") -> bytes:
    """Give records that pack badly, so that there are several pieces and batches."""
    lines: list[bytes] = []
    total = number = 0
    while total < size:
        number += 1
        lines.append(_record(number, os.urandom(2000).hex() + seed.decode()))
        total += len(lines[-1])
    return b"".join(lines)


async def test_a_file_comes_back_as_it_was_after_its_agent_deleted_it(
    tmp_path: Path, store: Store
) -> None:
    data = _noise(3 * PIECE) + b'{"torn": '
    path = _transcript(tmp_path, data)
    assert (await _import(store, tmp_path)).bytes_kept == len(data)
    path.unlink()
    assert (await _import(store, tmp_path)).bytes_kept == 0
    assert await _kept(store, path) == data


async def test_what_grew_costs_its_last_piece_and_what_is_new(tmp_path: Path, store: Store) -> None:
    data = _noise(2 * PIECE + 1000)
    path = _transcript(tmp_path, data)
    await _import(store, tmp_path)
    assert (await _import(store, tmp_path)).bytes_kept == 0
    more = _record(9999, "and more")
    path.write_bytes(data + more)
    unfinished = len(data) % PIECE + len(more)
    assert (await _import(store, tmp_path)).bytes_kept == unfinished
    assert await _kept(store, path) == data + more


@pytest.mark.parametrize("how", ["cut short", "changed in the middle", "another file"])
async def test_what_was_kept_stays_when_the_file_is_written_anew(
    tmp_path: Path, database: Path, how: str
) -> None:
    data = _noise(2 * PIECE)
    path = _transcript(tmp_path, data)
    async with open_store(database) as store:
        await _import(store, tmp_path)
        new = {
            "cut short": data[: PIECE + 5],
            "changed in the middle": data[:PIECE] + b" " + data[PIECE + 1 :],
            "another file": _noise(3 * PIECE, b"y"),
        }[how]
        path.write_bytes(new)
        os.utime(path, ns=(1, 1))
        await _import(store, tmp_path)
        assert await _kept(store, path) == new
    with closing(sqlite3.connect(database)) as db:
        sizes = db.execute(
            "SELECT sum(piece.size) FROM original JOIN piece ON original = original.id"
            " GROUP BY version ORDER BY version"
        ).fetchall()
    assert sizes == [(len(data),), (len(new),)]


async def test_a_file_that_moved_is_kept_once(tmp_path: Path, database: Path) -> None:
    path = _transcript(tmp_path, _noise(5000))
    async with open_store(database) as store:
        await _import(store, tmp_path)
        moved = path.parent.with_name("-elsewhere") / path.name
        moved.parent.mkdir()
        path.rename(moved)
        await _import(store, tmp_path)
        assert await _kept(store, moved) == moved.read_bytes()
        assert await _kept(store, path) == b""


async def test_deleting_a_session_deletes_what_was_said_in_it(
    tmp_path: Path, database: Path
) -> None:
    path = _transcript(tmp_path, _record(1, "a secret"))
    async with open_store(database) as store:
        await _import(store, tmp_path)
        [task_id] = await store.list_task_ids()
        await store.delete_task(task_id)
        assert await _kept(store, path) == b""
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("SELECT count(*) FROM piece").fetchone() == (0,)


async def test_nothing_is_kept_of_which_one_says_so(tmp_path: Path, store: Store) -> None:
    path = _transcript(tmp_path, _noise(5000))
    assert (await _import(store, tmp_path, originals=False)).bytes_kept == 0
    assert await _kept(store, path) == b""
    report = await _import(store, tmp_path)
    assert (report.sources_unchanged, report.bytes_kept) == (1, path.stat().st_size)


async def test_a_damaged_piece_is_never_given_for_the_file(tmp_path: Path, database: Path) -> None:
    path = _transcript(tmp_path, _noise(5000))
    async with open_store(database) as store:
        await _import(store, tmp_path)
    with closing(sqlite3.connect(database)) as db, db:
        db.execute("UPDATE piece SET checksum = checksum + 1")
    async with open_store(database) as store:
        with pytest.raises(StoreCorrupt, match="piece 0"):
            await _kept(store, path)


async def test_stopped_in_the_middle_the_rest_is_kept_next_time(
    tmp_path: Path, store: Store
) -> None:
    data = _noise(20 * PIECE)
    path = _transcript(tmp_path, data)
    importing = asyncio.create_task(_import(store, tmp_path))
    while not await store.original_pieces("claude", str(path)):  # noqa: ASYNC110
        await asyncio.sleep(0)
    importing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await importing
    assert 0 < len(await _kept(store, path)) < len(data)
    report = await _import(store, tmp_path)
    assert 0 < report.bytes_kept < len(data), "what was kept already is kept again"
    assert await _kept(store, path) == data
