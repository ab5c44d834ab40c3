"""Finding and opening the files of agents: regular ones only, without ever writing or waiting."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

# Without O_NOATIME reading would leave a trace on the agent's file; the system allows it to the
# file's owner only. O_NONBLOCK: opening a FIFO must not wait for someone to write into it.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_QUIET = getattr(os, "O_NOATIME", 0)

_PRUNED = frozenset({".git", "node_modules", "__pycache__", ".venv"})

Found = tuple[str, os.stat_result]


_passed_over: ContextVar[dict[str, str] | None] = ContextVar("passed_over", default=None)


@contextlib.contextmanager
def passed_over() -> Iterator[dict[str, str]]:
    """Collect what is looked for meanwhile and may not be read: why, by path."""
    paths: dict[str, str] = {}
    token = _passed_over.set(paths)
    try:
        yield paths
    finally:
        _passed_over.reset(token)


def _pass_over(path: str, error: OSError | str) -> None:
    paths = _passed_over.get()
    if paths is None or isinstance(error, FileNotFoundError | NotADirectoryError):
        return
    paths[path] = error if isinstance(error, str) else error.strerror or str(error)


def open_regular(path: str | Path) -> BinaryIO:
    """Open a regular file for reading, unbuffered. Raises OSError for anything else."""
    if not stat.S_ISREG(os.stat(path).st_mode):  # noqa: PTH116 - a str costs less than a Path
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    try:
        handle = os.open(path, _FLAGS | _QUIET)
    except PermissionError:
        handle = os.open(path, _FLAGS)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return os.fdopen(handle, "rb", buffering=0)
    except BaseException:
        os.close(handle)
        raise


def head_of(path: str | Path, size: int = 65536) -> bytes:
    """Give the first bytes of a regular file; nothing when it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read(size) or b""
    except PermissionError as error:
        _pass_over(str(path), error)
        return b""
    except OSError:
        return b""


def files_below(top: str | Path, wanted: Callable[[str], bool]) -> Iterator[Found]:
    """Give the regular files below a folder, or the one that `top` itself is, whose name is wanted.

    Links are followed, but no file or folder is visited twice, so that loops end; the real path
    of a file goes before links to it. What cannot be read is passed over.
    """
    found = _regular(os.fspath(top))
    if found is not None:
        yield os.fspath(top), found
        return
    folders = [os.fspath(top)]
    seen_folders: set[tuple[int, int]] = set()
    seen_files: set[tuple[int, int]] = set()
    links: list[str] = []
    while folders:
        folder = folders.pop()
        if not _is_new_folder(folder, seen_folders):
            continue
        for path, is_link in _look_into(folder, folders, wanted):
            if is_link:
                links.append(path)
            elif (found := _regular(path)) is not None:
                seen_files.add((found.st_dev, found.st_ino))
                yield path, found
    for link in links:
        found = _regular(link)
        if found is not None and (found.st_dev, found.st_ino) not in seen_files:
            seen_files.add((found.st_dev, found.st_ino))
            yield link, found


def folders_below(top: str | Path) -> Iterator[str]:
    """Give the folders below a folder, each once, without those that cannot be read."""
    folders = [os.fspath(top)]
    seen: set[tuple[int, int]] = set()
    while folders:
        folder = folders.pop()
        if not _is_new_folder(folder, seen):
            continue
        if folder != os.fspath(top):
            yield folder
        folders += [entry.path for entry in _entries(folder) if _is_folder(entry)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir() and entry.name not in _PRUNED
    except OSError:
        return False


def _look_into(
    folder: str, folders: list[str], wanted: Callable[[str], bool]
) -> Iterator[tuple[str, bool]]:
    """Give a folder's wanted files, and whether each is a link; add its folders to `folders`."""
    for entry in _entries(folder):
        try:
            if entry.is_dir():
                if entry.name not in _PRUNED:
                    folders.append(entry.path)
            elif wanted(entry.name):
                yield entry.path, entry.is_symlink()
        except OSError as error:
            if wanted(entry.name):
                _pass_over(entry.path, error)


def _regular(path: str) -> os.stat_result | None:
    try:
        found = os.stat(path)  # noqa: PTH116
    except OSError as error:
        _pass_over(path, error)
        return None
    except ValueError:
        return None
    if stat.S_ISREG(found.st_mode):
        return found
    if not stat.S_ISDIR(found.st_mode):
        _pass_over(path, "not a regular file")
    return None


def is_folder(path: Path) -> bool:
    """Tell whether the path is a folder; no when it cannot be looked at."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def folder_names(folder: Path) -> Iterator[str]:
    """Give the names of the folders in a folder; none when it cannot be read."""
    for entry in _entries(str(folder)):
        with contextlib.suppress(OSError):
            if entry.is_dir():
                yield entry.name


def home_of(env: Mapping[str, str]) -> Path:
    """Give the person's home folder as the environment says, else as the system says."""
    home = env.get("HOME")
    return Path(home) if home else Path.home()


def _is_new_folder(folder: str, seen: set[tuple[int, int]]) -> bool:
    try:
        found = os.stat(folder)  # noqa: PTH116
    except OSError as error:
        _pass_over(folder, error)
        return False
    name = (found.st_dev, found.st_ino)
    if name in seen:
        return False
    seen.add(name)
    return True


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        _pass_over(folder, error)
        return []
    except ValueError:
        return []
