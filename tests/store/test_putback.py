"""What an agent deleted is written back as it was, and nothing that is there is written over."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import sqlite3
import stat
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import BinaryIO

import pytest

from store import ResumeError, open_store
from store.originals import PIECE
from store.resume import putback
from store.resume.plan import Obstacle
from store.resume.putback import Restoring, put_back
from tests.store.resuming import CLAUDE_ID, CODEX_ID, Home


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    async with open_store(str(tmp_path / "store.db")) as store:
        yield Home(tmp_path / "ann", store)


async def gone(home: Home, size: int = 100) -> tuple[Restoring, bytes]:
    """Import a transcript, and let its agent delete it with its folder."""
    path = home.claude(str(home.folder("src")))
    line = json.loads(path.read_text())
    with path.open("a") as file:
        while file.tell() < size:
            line["message"]["content"] = os.urandom(3000).hex()
            line["uuid"] = f"u{file.tell()}"
            file.write(json.dumps(line) + "\n")
        file.write('{"torn": ')
    data = path.read_bytes()
    await home.imported()
    path.unlink()
    path.parent.rmdir()
    plan = await home.plan()
    assert "has to be put back" in plan.obstacles[Obstacle.GONE]
    (one,) = plan.restoring
    assert (one.target, one.size, one.missing, one.is_there) == (path, len(data), 0, False)
    return one, data


def below(home: Home) -> list[Path]:
    return [at for at in (home.path / ".claude").rglob("*") if at.is_file() or at.is_symlink()]


async def test_it_comes_back_byte_for_byte_for_its_owner_alone(home: Home) -> None:
    one, data = await gone(home, 2 * PIECE + 5)
    before = time.time()
    mask = os.umask(0)
    try:
        await put_back(home.store, one)
    finally:
        os.umask(mask)
    assert one.target.read_bytes() == data
    found = one.target.stat()
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert stat.S_IMODE(one.target.parent.stat().st_mode) == 0o700
    # Agents delete what is old: what was put back was touched just now.
    assert found.st_mtime >= before - 2
    assert below(home) == [one.target]
    await home.imported()
    session = await home.store.find_session("claude", CLAUDE_ID)
    assert session.source_gone_at is None
    assert not (await home.plan()).obstacles


@pytest.mark.parametrize("kind", ["file", "empty", "link", "dangling", "folder", "fifo"])
async def test_whatever_is_there_stays(home: Home, tmp_path: Path, kind: str) -> None:
    one, _ = await gone(home)
    one.target.parent.mkdir()
    elsewhere = tmp_path / "elsewhere"
    if kind in ("file", "empty"):
        one.target.write_text("mine" if kind == "file" else "")
    elif kind == "folder":
        one.target.mkdir()
    elif kind == "fifo":
        os.mkfifo(one.target)
    else:
        one.target.symlink_to(elsewhere)
        if kind == "link":
            elsewhere.write_text("mine")
    before = os.lstat(one.target)
    with pytest.raises(ResumeError, match="there is a file already"):
        await put_back(home.store, one)
    after = os.lstat(one.target)
    assert (after.st_ino, after.st_size, after.st_mtime_ns) == (
        before.st_ino,
        before.st_size,
        before.st_mtime_ns,
    )
    assert elsewhere.exists() == (kind == "link")
    assert [at.name for at in one.target.parent.iterdir()] == [one.target.name]


async def test_a_file_that_appears_at_the_last_moment_stays(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, data = await gone(home)
    publish = putback._publish

    def late(folder: int, name: str, target: str) -> None:
        one.target.write_text("the agent's own")
        publish(folder, name, target)

    monkeypatch.setattr(putback, "_publish", late)
    with pytest.raises(ResumeError, match="there is a file already"):
        await put_back(home.store, one)
    assert one.target.read_text() == "the agent's own"
    assert below(home) == [one.target]
    assert data


async def test_links_below_the_home_are_not_followed(home: Home, tmp_path: Path) -> None:
    one, _ = await gone(home)
    outside = tmp_path / "outside"
    outside.mkdir()
    one.target.parent.symlink_to(outside)
    with pytest.raises(ResumeError, match="cannot be written"):
        await put_back(home.store, one)
    assert list(outside.iterdir()) == []


async def test_the_home_itself_may_be_a_link(home: Home, tmp_path: Path) -> None:
    one, data = await gone(home)
    real = tmp_path / "dotfiles"
    (home.path / ".claude").rename(real)
    (home.path / ".claude").symlink_to(real)
    await put_back(home.store, one)
    assert one.target.read_bytes() == data


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give folders away")
async def test_a_folder_of_somebody_else_s_gets_nothing(home: Home) -> None:
    one, _ = await gone(home)
    os.chown(home.path / ".claude" / "projects", 65534, 65534)
    with pytest.raises(ResumeError, match="belongs to somebody else"):
        await put_back(home.store, one)
    assert below(home) == []


async def test_a_full_disk_leaves_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = await gone(home, 3 * PIECE)
    write, calls = putback._write_all, []

    def full(file: BinaryIO, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(file, data)

    monkeypatch.setattr(putback, "_write_all", full)
    with pytest.raises(ResumeError, match="No space left"):
        await put_back(home.store, one)
    assert below(home) == []


async def test_a_filesystem_without_hard_links(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    one, data = await gone(home)

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    await put_back(home.store, one)
    assert one.target.read_bytes() == data
    assert below(home) == [one.target]
    with pytest.raises(ResumeError, match="there is a file already"):
        await put_back(home.store, one)


async def test_a_damaged_piece_is_not_put_back(home: Home, tmp_path: Path) -> None:
    one, _ = await gone(home, 2 * PIECE)
    with closing(sqlite3.connect(tmp_path / "store.db")) as db:
        db.execute("UPDATE piece SET checksum = checksum + 1 WHERE number = 1")
        db.commit()
    with pytest.raises(ResumeError, match="damaged"):
        await put_back(home.store, one)
    assert below(home) == []


async def test_a_part_of_a_file_is_not_put_back(home: Home, tmp_path: Path) -> None:
    one, _ = await gone(home, 2 * PIECE)
    with closing(sqlite3.connect(tmp_path / "store.db")) as db:
        db.execute("DELETE FROM piece WHERE number = 1")
        db.commit()
    with pytest.raises(ResumeError, match=r"only [\d,]+ of [\d,]+ bytes"):
        await put_back(home.store, one)
    assert below(home) == []
    assert "in part only" in (await home.plan()).obstacles[Obstacle.GONE]
    assert (await home.plan()).is_hopeless


async def test_of_two_at_once_one_writes(home: Home) -> None:
    one, data = await gone(home, PIECE)
    results = await asyncio.gather(
        *(put_back(home.store, one) for _ in range(4)), return_exceptions=True
    )
    assert sorted(isinstance(result, ResumeError) for result in results) == [
        False,
        True,
        True,
        True,
    ]
    assert one.target.read_bytes() == data
    assert below(home) == [one.target]


async def test_messages_alone_are_not_a_file(home: Home) -> None:
    path = home.claude(str(home.folder("src")))
    await home.imported(originals=False)
    path.unlink()
    await home.imported(originals=False)
    plan = await home.plan()
    assert "its file was not kept, only its messages" in plan.obstacles[Obstacle.GONE]
    assert plan.is_hopeless
    assert (await home.plan(at_a_glance=True)).is_hopeless


async def test_what_was_never_kept_of_it_is_said(home: Home) -> None:
    path = home.claude(str(home.folder("src")))
    kept = path.read_bytes()
    await home.imported()
    more = kept.replace(b'"u1"', b'"u2"')
    path.write_bytes(kept + more)
    await home.imported(originals=False)
    path.unlink()
    plan = await home.plan()
    assert f"the last {len(more)} bytes of it were never kept" in plan.obstacles[Obstacle.GONE]
    await put_back(home.store, plan.restoring[0])
    assert path.read_bytes() == kept


async def test_the_prompts_that_are_left_of_a_session_are_no_transcript(home: Home) -> None:
    history = home.path / ".claude" / "history.jsonl"
    history.parent.mkdir(parents=True)
    (history.parent / "projects" / "-x").mkdir(parents=True)
    said = {"display": "Why?", "pastedContents": {}, "timestamp": 1_700_000_000_000}
    said |= {"project": str(home.folder("src")), "sessionId": CLAUDE_ID}
    history.write_text(json.dumps(said) + "\n")
    await home.imported()
    with pytest.raises(ResumeError, match="only its prompts are left"):
        await home.plan()
    history.unlink()
    await home.imported()
    with pytest.raises(ResumeError, match="only its prompts are left"):
        await home.plan()


async def test_an_archived_rollout_comes_back_to_where_it_was_before(home: Home) -> None:
    path = home.codex(str(home.folder("src")), archived=True)
    data = path.read_bytes()
    await home.imported()
    path.unlink()
    (one,) = (await home.plan(CODEX_ID)).restoring
    assert one.target == home.path / ".codex" / "sessions" / "2026" / "11" / "20" / path.name
    await put_back(home.store, one)
    assert one.target.read_bytes() == data
    assert not (await home.plan(CODEX_ID)).obstacles
