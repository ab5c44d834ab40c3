"""Transcripts that change between imports, into a real store."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import zstandard

import store
from store import Message, Store, Task, TaskFilter, TaskRow, ingest, open_store
from store.agents import load
from store.sqlite.sources import task_id_for
from tests.agents import claude_records as claude
from tests.agents.pieces import ID, place_of

LINES = 6


def _claude(name: str, parent: str | None, text: str) -> dict[str, Any]:
    return claude.user(name, parent, text)


def _codex(text: str) -> dict[str, Any]:
    content = [{"type": "input_text", "text": text}]
    payload = {"type": "message", "role": "user", "content": content}
    return {"timestamp": "2026-11-20T10:00:01Z", "type": "response_item", "payload": payload}


@dataclass
class Disk:
    """One agent's home with one transcript, and a store."""

    agent: str
    home: Path
    store: Store

    @property
    def path(self) -> Path:
        folder = ".claude" if self.agent == "claude" else ".codex"
        return place_of(load(self.agent), self.home / folder)

    def records(self, *texts: str, begin: int = 0) -> bytes:
        """Give records as bytes, the session's first before the very first text."""
        made: list[dict[str, Any]] = []
        for number, text in enumerate(texts, begin):
            if self.agent == "codex":
                made.append(_codex(text))
            else:
                made.append(_claude(f"u{number}", f"u{number - 1}" if number else None, text))
        if self.agent == "codex" and not begin:
            made.insert(0, {"type": "session_meta", "payload": {"id": ID, "cwd": "/src"}})
        return b"".join(json.dumps(record).encode() + b"\n" for record in made)

    async def run(self) -> ingest.Report:
        report = await ingest.run(self.store, env={"HOME": str(self.home)})
        assert report.records_all == (
            report.records_imported + report.records_skipped + len(report.pending)
        )
        return report

    async def row(self) -> TaskRow:
        (row,) = (await self.store.list_tasks(TaskFilter(archived=None))).items
        return row

    async def history(self) -> list[Message]:
        return await self.store.get_history((await self.row()).task.id)

    async def texts(self) -> list[str]:
        return [message.content for message in await self.history()]

    async def nothing_new(self) -> None:
        """Import again, which must find everything as it was."""
        before = await self.history()
        report = await self.run()
        assert (report.messages_added, report.sources_read) == (0, 0)
        assert await self.history() == before


@pytest.fixture(params=["claude", "codex"])
async def disk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Disk]:
    async with store.open_store(tmp_path / "store.db") as opened:
        disk = Disk(request.param, tmp_path / "home", opened)
        disk.path.write_bytes(disk.records(*(f"said {n}" for n in range(LINES))))
        assert (await disk.run()).messages_added == LINES
        await disk.nothing_new()
        yield disk


_SAID = [f"said {n}" for n in range(LINES)]


async def test_what_is_appended_is_added(disk: Disk) -> None:
    before = await disk.history()
    with disk.path.open("ab") as file:
        file.write(disk.records("more", begin=LINES))
    assert (await disk.run()).messages_added == 1
    assert (await disk.history())[:LINES] == before
    assert await disk.texts() == [*_SAID, "more"]
    await disk.nothing_new()


async def test_torn_then_completed(disk: Disk) -> None:
    line = disk.records("more", begin=LINES)
    with disk.path.open("ab", buffering=0) as file:
        file.write(line[:30])
        report = await disk.run()
        assert (report.messages_added, len(report.pending), report.skipped) == (0, 1, [])
        file.write(line[30:])
    report = await disk.run()
    assert (report.messages_added, report.pending, report.skipped) == (1, [], [])
    assert await disk.texts() == [*_SAID, "more"]
    await disk.nothing_new()


async def test_added_to_a_line_that_was_whole_without_its_end(disk: Disk) -> None:
    nameless = disk.records("last", "more", begin=LINES).replace(b'"uuid"', b'"no"')
    last, more = nameless.splitlines()
    with disk.path.open("ab", buffering=0) as file:
        file.write(last)
        assert (await disk.run()).messages_added == 1
        file.write(more + b"\n")
    assert (await disk.run()).messages_added == 1
    assert await disk.texts() == [*_SAID, "last", "more"]
    assert all(message.on_branch for message in await disk.history())
    await disk.nothing_new()


async def test_truncated_and_gone_on_with(disk: Disk) -> None:
    lines = disk.path.read_bytes().splitlines(keepends=True)
    kept = b"".join(lines[:-2])
    os.truncate(disk.path, len(kept))
    report = await disk.run()
    assert (report.messages_added, report.records_all) == (0, len(lines) - 2)
    with disk.path.open("ab") as file:
        file.write(disk.records("another end", begin=LINES - 2))
    assert (await disk.run()).messages_added == 1
    texts = await disk.texts()
    assert sorted(texts) == sorted([*_SAID, "another end"])
    await disk.nothing_new()


async def test_emptied(disk: Disk) -> None:
    os.truncate(disk.path, 0)
    report = await disk.run()
    assert (report.messages_added, report.records_all) == (0, 0)
    assert await disk.texts() == _SAID
    await disk.nothing_new()


async def test_rewritten_at_the_same_size_and_time(disk: Disk) -> None:
    before = disk.path.stat()
    with disk.path.open("r+b") as file:
        raw = file.read().replace(b"said 2", b"SAID 2")
        file.seek(0)
        file.write(raw)
    os.utime(disk.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = disk.path.stat()
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (
        *(before.st_ino, before.st_size, before.st_mtime_ns),
    )
    assert (await disk.run()).messages_added == 1
    history = await disk.history()
    assert {m.content: m.on_branch for m in history} == {
        **dict.fromkeys(_SAID, True),
        "said 2": False,
        "SAID 2": True,
    }
    await disk.nothing_new()


@pytest.mark.parametrize("seconds", [-86400, 0, 5])
async def test_replaced_by_another_file(disk: Disk, seconds: int) -> None:
    """As an editor saves it, or a backup brings it back with an older time than before."""
    raw = disk.records("other 0", "other 1", "other 2 which is longer" * 100)
    before = disk.path.stat()
    other = disk.path.with_name("other")
    other.write_bytes(raw)
    other.rename(disk.path)
    moment = before.st_mtime_ns + seconds * 10**9
    os.utime(disk.path, ns=(moment, moment))
    assert disk.path.stat().st_ino != before.st_ino
    assert (await disk.run()).messages_added == 3
    texts = await disk.texts()
    assert set(texts) > {"other 0", "other 1", "said 0", "said 5"}
    await disk.nothing_new()


async def test_touched_or_restored_as_it_was(disk: Disk) -> None:
    before = await disk.history()
    os.utime(disk.path, (1, 1))
    assert (await disk.run()).messages_added == 0
    raw = disk.path.read_bytes()
    disk.path.unlink()
    disk.path.write_bytes(raw)
    assert (await disk.run()).messages_added == 0
    assert await disk.history() == before
    await disk.nothing_new()


async def test_a_time_that_no_column_holds(disk: Disk) -> None:
    far = 15_000_000_000  # seconds: the year 2445, whose nanoseconds need more than 63 bits
    os.utime(disk.path, (far, far))
    if disk.agent == "codex":
        line = {"id": ID, "thread_name": "Late", "updated_at": "9999-12-31T00:00:00Z"}
        (disk.home / ".codex" / "session_index.jsonl").write_text(json.dumps(line))
    report = await disk.run()
    assert (report.messages_added, report.skipped) == (0, [])
    assert (await disk.row()).task.title == ("Late" if disk.agent == "codex" else "said 0")
    await disk.nothing_new()


async def test_moved(disk: Disk) -> None:
    before = await disk.history()
    if disk.agent == "claude":
        place = disk.path.parent.with_name("-elsewhere") / disk.path.name
    else:
        place = disk.path.parent.with_name("21") / disk.path.name
    place.parent.mkdir()
    disk.path.rename(place)
    report = await disk.run()
    assert (report.messages_added, report.sources_read) == (0, 1)
    row = await disk.row()
    assert row.session is not None
    assert (row.session.source_gone_at, row.session.source_path) == (None, str(place))
    assert await disk.history() == before
    await disk.nothing_new()


async def test_archived_and_compressed(disk: Disk) -> None:
    if disk.agent == "claude":
        pytest.skip("Claude Code has no archive")
    before = await disk.history()
    archive = disk.home / ".codex" / "archived_sessions"
    archive.mkdir()
    archived = archive / disk.path.name
    disk.path.rename(archived)
    assert (await disk.run()).messages_added == 0
    packed = archive / f"{archived.name}.zst"
    packed.write_bytes(zstandard.compress(archived.read_bytes()))
    assert (await disk.run()).messages_added == 0
    archived.unlink()
    assert (await disk.run()).messages_added == 0
    row = await disk.row()
    assert row.session is not None
    assert (row.session.source_gone_at, row.session.source_path) == (None, str(packed))
    assert await disk.history() == before
    await disk.nothing_new()


async def test_deleted_and_back_again(disk: Disk, tmp_path: Path) -> None:
    before = await disk.history()
    aside = tmp_path / "aside"
    disk.path.rename(aside)
    shutil.rmtree(disk.path.parents[2])
    report = await disk.run()
    assert (report.sources_seen, report.skipped) == (0, [])
    row = await disk.row()
    assert row.session is not None
    assert row.session.source_gone_at is not None
    assert await disk.history() == before
    disk.path.parent.mkdir(parents=True, exist_ok=True)
    aside.rename(disk.path)
    assert (await disk.run()).messages_added == 0
    row = await disk.row()
    assert row.session is not None
    assert row.session.source_gone_at is None
    assert await disk.history() == before
    await disk.nothing_new()


async def test_a_session_that_comes_to_a_task_with_a_history(tmp_path: Path) -> None:
    """Its task was there first, with a message under the name of one of the session's."""
    folder = tmp_path / ".claude" / "projects" / "-src"
    folder.mkdir(parents=True)
    record = {
        "type": "user",
        "uuid": "u1",
        "sessionId": ID,
        "timestamp": "2026-11-01T10:00:00Z",
        "message": {"role": "user", "content": "hi"},
    }
    (folder / f"{ID}.jsonl").write_text(json.dumps(record) + "\n")
    async with open_store(tmp_path / "b.db") as store:
        await store.save_task(Task(id=task_id_for("claude", "", ID)))
        await store.save_message(task_id_for("claude", "", ID), "user", "hi", key="u1")
        report = await ingest.run(store, env={"HOME": str(tmp_path)})
        assert (report.messages_added, report.skipped) == (0, [])
        assert (await store.find_session("claude", ID)).message_count == 1
