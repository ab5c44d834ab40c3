"""Changes a person makes to tasks, each with its way back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from store.enums import TitleFrom
from store.text import printable

if TYPE_CHECKING:
    from store.models import Task
    from store.protocol import Store


@dataclass(frozen=True, slots=True)
class Change:
    """What was done, in words, and how it is taken back."""

    words: str
    take_back: Callable[[], Awaitable[object]]


class Organiser:
    """Renames and archives tasks, and remembers how to undo it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._done: list[Change] = []

    async def rename(self, task: Task, title: str) -> str:
        """Give a task a title of the person's own. Says what was done."""
        old = await self._store.get_task(task.id)
        await self._store.update_task(task.id, title=title, title_from=TitleFrom.PERSON)
        return self._remember(
            f"Renamed to {printable(title)}",
            lambda: self._store.update_task(task.id, title=old.title, title_from=old.title_from),
        )

    async def archive(self, task: Task) -> str | None:
        """Archive a task that is listed as not archived, or take it back; as it was asked for.

        Says what was done, and None when it had been done already.
        """
        name = printable(task.title) or "the task"
        is_archived = (await self._store.get_task(task.id)).archived_at is not None
        if is_archived != (task.archived_at is not None):
            return None
        if is_archived:
            await self._store.unarchive(task.id)
            return self._remember(f"Took {name} back", lambda: self._store.archive(task.id))
        await self._store.archive(task.id)
        return self._remember(f"Archived {name}", lambda: self._store.unarchive(task.id))

    async def undo(self) -> str | None:
        """Take the last change back and say which; None when there is none.

        What could not be taken back can be tried again.
        """
        if not self._done:
            return None
        change = self._done[-1]
        await change.take_back()
        self._done.remove(change)
        return f"Undone: {change.words}"

    def _remember(self, words: str, take_back: Callable[[], Awaitable[object]]) -> str:
        self._done.append(Change(words, take_back))
        return words
