"""Descriptors of databases that this process has open, kept until no store of it is left.

When a process closes any descriptor of a file, POSIX takes all of its locks on that file away, and
SQLite's are among them: another process could then end the log that a store here still writes to.
See https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
"""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field

_Key = tuple[int, int]


@dataclass(slots=True)
class _File:
    stores: int = 0
    descriptors: list[int] = field(default_factory=list)


_files: dict[_Key, _File] = {}
_lock = threading.Lock()


class Held:
    """A descriptor of a database's file. It is closed with those of every other store of it."""

    def __init__(self, descriptor: int) -> None:
        stat = os.fstat(descriptor)
        self._key: _Key | None = (stat.st_dev, stat.st_ino)
        with _lock:
            file = _files.setdefault(self._key, _File())
            file.stores += 1
            file.descriptors.append(descriptor)

    def release(self) -> None:
        """Let go of it. Doing so again does nothing."""
        with _lock:
            key, self._key = self._key, None
            if key is None:
                return
            file = _files[key]
            file.stores -= 1
            if not file.stores:
                del _files[key]
                for descriptor in file.descriptors:
                    os.close(descriptor)
