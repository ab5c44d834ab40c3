"""Files and folders that may not be used: an error in words, and nothing touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import open_store
from tests.store.helpers import new_task, run, said
from tests.store.test_faults_disk import mounting, unshared

__all__ = ["mounting"]  # a fixture

# Everything is loaded before the process becomes nobody, who may not read this folder.
NOBODY = """
    import asyncio, os, sys
    from store import StoreError, StoreUnavailable, open_store
    from store.sqlite import engine

    async def main():
        async with open_store(":memory:") as store:
            await store.list_tasks()
            await asyncio.to_thread(sys.stdout.flush)
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        try:
            async with open_store(sys.argv[1]) as store:
                await store.list_tasks()
        except StoreUnavailable as error:
            print(error)

    asyncio.run(main())
"""

PLACES = (
    "read-only file",
    "unreadable file",
    "somebody else's file",
    "read-only folder",
    "read-only folder with a store",
    "read-only folder with a log",
    "folder that may not be entered",
    "folder that may not be made",
    "a folder",
)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that anybody may pass through; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="backscroll-faults-"))
    folder.chmod(0o755)
    yield folder
    for place in (folder, *folder.rglob("*")):
        if place.is_dir():
            place.chmod(0o755)
    shutil.rmtree(folder)


async def _place(folder: Path, kind: str) -> Path:
    """Make a place that a nobody may not use."""
    path = folder / "b.db"
    file_mode, folder_mode = 0o600, 0o700
    folder.mkdir()
    if kind in ("read-only folder with a log", "read-only log"):
        store = await open_store(path)
        await new_task(store, id="kept")
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{folder.parent / 'left.db'}{end}")
        await store.close()
        for end in ("", "-wal"):
            shutil.move(f"{folder.parent / 'left.db'}{end}", f"{path}{end}")
    elif kind == "a folder":
        path.mkdir()
    elif kind not in ("read-only folder", "folder that may not be made"):
        async with open_store(path) as store:
            await store.save_messages(await new_task(store, id="kept"), [said("kept")] * 50)
    if kind == "read-only file":
        file_mode = 0o400
    elif kind == "unreadable file":
        file_mode = 0o000
    elif kind == "folder that may not be entered":
        folder_mode = 0o000
    elif kind.startswith("read-only folder") or kind == "folder that may not be made":
        folder_mode = 0o500
    for file in folder.iterdir():
        os.chown(file, *((0, 0) if kind == "somebody else's file" else (65534, 65534)))
        if file.is_file():
            file.chmod(
                0o400 if kind == "read-only log" and file.name.endswith("-wal") else file_mode
            )
    os.chown(folder, 65534, 65534)
    folder.chmod(folder_mode)
    return path / "below" / "b.db" if kind == "folder that may not be made" else path


def _seen(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Give all there is to know of a folder and what is in it."""
    return {
        str(file): (
            file.stat().st_mode,
            file.stat().st_mtime_ns,
            file.read_bytes() if file.is_file() else b"",
        )
        for file in (folder, *folder.rglob("*"))
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
@pytest.mark.parametrize("kind", PLACES)
async def test_a_place_that_may_not_be_used_is_refused_in_words(
    open_folder: Path, kind: str
) -> None:
    path = await _place(open_folder / "place", kind)
    before = _seen(open_folder / "place")
    words = run(NOBODY, path)
    assert str(path) in words
    assert words.count("\n") == 1
    assert _seen(open_folder / "place") == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody else")
async def test_a_log_that_may_only_be_read_is_not_lost(open_folder: Path) -> None:
    path = await _place(open_folder / "place", "read-only log")
    words = run(NOBODY, path)
    assert words == "" or str(path) in words
    async with open_store(path) as store:
        assert await store.list_task_ids() == ["kept"]


READ_ONLY = """
    import asyncio, subprocess, sys
    from pathlib import Path
    from store import StoreUnavailable, Task, open_store

    folder = Path(sys.argv[1])

    async def main():
        subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
        async with open_store(folder / "b.db") as store:
            await store.save_task(Task(id="kept"))
        subprocess.run(["mount", "-o", "remount,ro", folder], check=True)
        before = {file.name: file.read_bytes() for file in folder.iterdir()}
        for path in (folder / "b.db", folder / "new.db", folder / "new" / "b.db"):
            try:
                await open_store(path)
            except StoreUnavailable as error:
                assert str(path) in str(error), error
            else:
                raise AssertionError(path)
        assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
        subprocess.run(["mount", "-o", "remount,rw", folder], check=True)
        async with open_store(folder / "b.db") as store:
            assert await store.list_task_ids() == ["kept"]

    asyncio.run(main())
"""


@pytest.mark.usefixtures("mounting")
def test_a_filesystem_mounted_read_only_is_refused_in_words(tmp_path: Path) -> None:
    unshared(READ_ONLY, tmp_path)
