"""Writing a transcript back where its agent looks for it, as it was, from what the store kept.

The one place where anything is written into an agent's home, only when a person says so, and only
as a file that was not there.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from store.errors import ResumeError, StoreError
from store.models import Session
from store.originals import read_original
from store.protocol import Store
from store.reading.files import head_of, open_regular
from store.resume.checks import is_foreign
from store.text import printable

_STEP = 1024 * 1024
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Restoring:
    """A file that can be written, and from what.

    `path` is where it was, `target` where its agent would look for it, below `home`. `is_there`
    says that the file is still at `path`, and only not where it is looked for; otherwise the store
    has it. `size` is in bytes; so is `missing`, what was written to it after it was kept.
    """

    backend: str
    path: str
    target: Path
    home: Path
    size: int
    missing: int = 0
    is_there: bool = False


async def restoring(store: Store, session: Session, target: Path, home: Path) -> Restoring:
    """Say how a session's file can be written to `target`. Raises ResumeError when it cannot be."""
    path = session.source_path
    if path is None:
        raise ResumeError("it did not come from a file, so there is none to put back")
    there = await asyncio.to_thread(_size_of, path)
    if there is not None:
        return Restoring(session.backend, path, target, home, there, is_there=True)
    known = (await store.known_sources(session.backend, [path])).get(path)
    if known is None or known.kept is None:
        raise ResumeError(
            "its file was not kept, only its messages; what was imported without the files"
            " cannot be put back"
        )
    pieces = await store.original_pieces(session.backend, path)
    size = sum(piece.size for piece in pieces)
    if not size or size != known.kept.size:
        raise ResumeError("its file was kept in part only, and a part is not put back")
    missing = max(0, known.checkpoint.fingerprint.size - size)
    return Restoring(session.backend, path, target, home, size, missing)


async def head(store: Store, one: Restoring) -> bytes:
    """Give the beginning of a file that can be written, up to a megabyte of it."""
    if one.is_there:
        return await asyncio.to_thread(head_of, one.path, _STEP)
    async for data in read_original(store, one.backend, one.path):
        return data
    return b""


async def put_back(store: Store, one: Restoring) -> None:
    """Write a file. Raises ResumeError when there is one already, or it cannot be written whole.

    It appears whole or not at all. No link below the agent's home is followed.
    """
    try:
        folder = await asyncio.to_thread(_open_folder, one.home, one.target.parent)
    except OSError as error:
        raise _failed(one, error) from error
    name = f".{one.target.name}.{secrets.token_hex(6)}"
    try:
        await _write(store, one, folder, name)
        await asyncio.to_thread(_publish, folder, name, one.target.name)
    except FileExistsError as error:
        raise ResumeError(f"there is a file already: {printable(str(one.target))}") from error
    except OSError as error:
        raise _failed(one, error) from error
    finally:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        os.close(folder)


async def _write(store: Store, one: Restoring, folder: int, name: str) -> None:
    _refuse_existing(folder, one.target.name)
    handle = os.open(name, _NEW, 0o600, dir_fd=folder)
    written = 0
    with os.fdopen(handle, "wb", buffering=0) as file:
        async for data in _content(store, one):
            written += await asyncio.to_thread(_write_all, file, data)
        if not one.is_there and written != one.size:
            raise ResumeError(f"only {written:,} of {one.size:,} bytes of it are kept")
        await asyncio.to_thread(os.fsync, file.fileno())


async def _content(store: Store, one: Restoring) -> AsyncIterator[bytes]:
    if not one.is_there:
        try:
            async for data in read_original(store, one.backend, one.path):
                yield data
        except StoreError as error:
            raise ResumeError(str(error)) from error
        return
    with await asyncio.to_thread(open_regular, one.path) as file:
        while data := await asyncio.to_thread(file.read, _STEP):
            yield data


def _write_all(file: BinaryIO, data: bytes) -> int:
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]
    return len(data)


def _publish(folder: int, name: str, target: str) -> None:
    """Give a written file its name, unless that is taken."""
    try:
        os.link(name, target, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise
    except OSError:  # a filesystem without hard links: its own name, taken for nobody else
        handle = os.open(target, _NEW, 0o600, dir_fd=folder)
        os.close(handle)
        os.rename(name, target, src_dir_fd=folder, dst_dir_fd=folder)
    os.fsync(folder)


def _refuse_existing(folder: int, name: str) -> None:
    with suppress(FileNotFoundError):
        os.stat(name, dir_fd=folder, follow_symlinks=False)
        raise FileExistsError(name)


def _open_folder(home: Path, folder: Path) -> int:
    """Open a folder below an agent's home, making what is missing, private to the person.

    The home may be a link, and is opened as what it is; nothing below it may be. Raises OSError.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _check_owner(handle, home)
        place = home
        for name in folder.relative_to(home).parts:
            place = place / name
            with suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=handle)
            inner = os.open(name, _FOLDER, dir_fd=handle)
            os.close(handle)
            handle = inner
            _check_owner(handle, place)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _check_owner(handle: int, place: Path) -> None:
    found = os.fstat(handle)
    if is_foreign(found.st_uid):
        raise PermissionError(1, "the folder belongs to somebody else", str(place))


def _size_of(path: str) -> int | None:
    """Give the size of a regular file; None when there is none."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_size if stat.S_ISREG(found.st_mode) else None


def _failed(one: Restoring, error: OSError) -> ResumeError:
    why = error.strerror or str(error)
    return ResumeError(f"{printable(str(one.target))} cannot be written: {printable(why)}")
