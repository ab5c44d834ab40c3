"""The first rows of the list, read in a thread while the screen's modules are still being loaded.

They are in the first frame: 70 ms before the store is there, which needs its models and an engine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from threading import Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from store.errors import NotFound

if TYPE_CHECKING:
    from store.enums import TaskGroup
    from store.models import Outline, Page, Relative, TaskFilter, TaskRow


class FirstPage:
    """A source of tasks that has a page of them and nothing else, whatever it is asked for."""

    def __init__(self, read: Callable[[], Sequence[TaskRow]]) -> None:
        self._rows: Sequence[TaskRow] = ()
        self._thread = Thread(target=self._take, args=(read,), name="first page", daemon=True)
        self._thread.start()

    def _take(self, read: Callable[[], Sequence[TaskRow]]) -> None:
        self._rows = read()

    async def list_tasks(
        self,
        filter: TaskFilter | None = None,  # noqa: A002, ARG002 - as a store has it
        *,
        cursor: str | None = None,  # noqa: ARG002
        limit: int = 50,  # noqa: ARG002
    ) -> Page[TaskRow]:
        """Give the rows, at once when they have been read."""
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)
        return cast("Page[TaskRow]", SimpleNamespace(items=tuple(self._rows), cursor=None))

    async def outline(
        self,
        filter: TaskFilter | None = None,  # noqa: A002, ARG002
        *,
        group: TaskGroup | None = None,  # noqa: ARG002
    ) -> Outline:
        """Give the rows' order."""
        from tui.listing import first_of_each  # who asks this has it; who reads rows need not wait

        task_ids = first_of_each(self._rows)
        return cast("Outline", SimpleNamespace(task_ids=task_ids, folds={}, groups=()))

    async def family(
        self,
        task_id: str,
        filter: TaskFilter | None = None,  # noqa: A002, ARG002
    ) -> list[Relative]:
        """Raise NotFound: nothing is known of families yet."""
        raise NotFound("task", task_id)

    async def get_rows(self, task_ids: Sequence[str]) -> list[TaskRow]:
        """Give those of the rows."""
        wanted = set(task_ids)
        return [row for row in self._rows if row.task.id in wanted]

    def forget(self) -> None:
        """Have no rows any more: there is no store that they could be of."""
        self._rows = ()
