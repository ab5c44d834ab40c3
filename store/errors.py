"""Every error of the store, in one tree.

StoreError
├── NotFound             no task, session or message of that id
├── Conflict             the id already belongs to something else
├── InvalidValue         a value the store cannot hold
├── QueryError           a query that cannot be understood: what is wrong, and where
├── InvalidTransition    the status table does not have that move
├── CycleError           the dependency would close a circle
├── StoreClosed          the store was closed
├── StoreBusy            a lock or a connection was waited for, in vain
├── StoreUnavailable     the file or its folder cannot be opened or written
├── StoreCorrupt         the file is damaged
├── NotAStore            the file is something else's, and was left untouched
├── SchemaTooNew         written by a later backscroll
├── SchemaTooOld         needs migrating, and migrating was not allowed
└── ResumeError          the session cannot be resumed, and why
"""

from __future__ import annotations

from collections.abc import Sequence


class StoreError(Exception):
    """The root of the tree: catch this to catch whatever the store raises."""


class NotFound(StoreError):  # noqa: N818 - the field's word for it
    """Nothing is stored under the id."""

    def __init__(self, what: str, id: str) -> None:  # noqa: A002
        super().__init__(f"no {what} with the id {id!r}")
        self.what = what
        self.id = id


class Conflict(StoreError):  # noqa: N818
    """The write would give one id to two owners."""


class InvalidValue(StoreError):  # noqa: N818
    """The store cannot hold that value."""


class QueryError(StoreError):
    """The query cannot be understood; `start` and `end` are the place in its text.

    `is_unfinished` when it could become right by typing on.
    """

    def __init__(self, message: str, start: int, end: int, *, is_unfinished: bool = False) -> None:
        super().__init__(message)
        self.start = start
        self.end = end
        self.is_unfinished = is_unfinished


class InvalidTransition(StoreError):  # noqa: N818
    """The status table has no such move."""

    def __init__(self, what: str, id: str, old: str, new: str) -> None:  # noqa: A002
        super().__init__(f"{what} {id!r} cannot go from {old!r} to {new!r}")
        self.what = what
        self.id = id
        self.old = old
        self.new = new


class CycleError(StoreError):
    """A dependency that would make a task wait for itself. `cycle` starts and ends alike."""

    def __init__(self, cycle: Sequence[str]) -> None:
        super().__init__("the dependency closes a cycle: " + " -> ".join(cycle))
        self.cycle = tuple(cycle)


class StoreClosed(StoreError):  # noqa: N818
    """The store was closed before the call could be served."""


class StoreBusy(StoreError):  # noqa: N818
    """The call waited as long as a call may, and says for what."""


class StoreUnavailable(StoreError):  # noqa: N818
    """The system would not let the store open, read or write its file."""


class StoreCorrupt(StoreError):  # noqa: N818
    """The file's pages do not hold together."""


class NotAStore(StoreError):  # noqa: N818
    """The file exists and is not a backscroll store."""


class SchemaTooNew(StoreError):  # noqa: N818
    """A later backscroll wrote the file; this one would not understand it."""


class SchemaTooOld(StoreError):  # noqa: N818
    """The file needs a migration that the caller did not allow."""


class ResumeError(StoreError):
    """The session cannot be put back into its agent; the message says why."""
