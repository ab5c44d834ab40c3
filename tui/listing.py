"""The order of the task list, and the rows of it that have been looked at.

The order is a list of ids: 50,000 of them cost some milliseconds, in the store's own thread. Rows
are read for what is on the screen and kept until they are far from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from store.models import Origin, Page, TaskFilter, TaskRow

AROUND = 64  # rows read beyond the visible ones, on both sides
MOST_ROWS = 2_000
MOST_CHILDREN = 500


class TaskSource(Protocol):
    """Where tasks come from. A store is one."""

    async def list_task_ids(self, filter: TaskFilter | None = None) -> list[str]:  # noqa: A002
        """Give the ids of all tasks that the filter lets through, in order."""
        ...

    async def get_rows(self, task_ids: Sequence[str]) -> list[TaskRow]:
        """Give the rows of these tasks, without those that are gone."""
        ...

    async def list_tasks(
        self,
        filter: TaskFilter | None = None,  # noqa: A002
        *,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[TaskRow]:
        """Give a page of tasks."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list: a task, how deep it hangs, and whether its siblings end with it."""

    task_id: str
    depth: int = 0
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """The ids of a list, and of what hangs below the open ones."""

    tops: list[str]
    children: dict[str, list[str]]


class Listing:
    """What the list shows: ids in order, some with their rows."""

    def __init__(self, source: TaskSource) -> None:
        self.source = source
        self._rows: dict[str, TaskRow] = {}
        self._fresh: set[str] = set()
        self._open: set[str] = set()
        self._tops: list[str] = []
        self._children: dict[str, list[str]] = {}
        self._hanging: dict[str, Entry] = {}
        self._ids: list[str] = []

    def __len__(self) -> int:
        return len(self._ids)

    def entry(self, index: int) -> Entry:
        """Give the line at a place."""
        task_id = self._ids[index]
        return self._hanging.get(task_id) or Entry(task_id)

    def row(self, index: int) -> TaskRow | None:
        """Give the row at a place, if it has been read."""
        return self._rows.get(self._ids[index])

    def is_open(self, task_id: str) -> bool:
        """Say whether a task's sub-agents are shown below it."""
        return task_id in self._open

    def find(self, task_id: str) -> int | None:
        """Give the place of a task in the list."""
        try:
            return self._ids.index(task_id)
        except ValueError:
            return None

    async def begin(self, wanted: TaskFilter, height: int) -> None:
        """Read only the first rows: enough for a first frame, whatever the length of the list."""
        page = await self.source.list_tasks(wanted, limit=height)
        self._rows = {row.task.id: row for row in page.items}
        self._fresh = set(self._rows)
        self._tops = self._ids = list(self._rows)

    async def read_order(self, wanted: TaskFilter) -> Order:
        """Read the order anew, without showing it yet."""
        tops = await self.source.list_task_ids(wanted)
        return Order(
            tops, {task_id: await self._child_ids(task_id) for task_id in tuple(self._open)}
        )

    def take(self, order: Order) -> None:
        """Show another order. Known rows are shown until `fill` has read them again."""
        self._tops = order.tops
        self._children |= order.children
        self._fresh = set()
        self._arrange()

    async def fill(self, first: int, end: int) -> None:
        """Read the rows of a range and around it that are missing."""
        wanted = self._ids[max(0, first - AROUND) : end + AROUND]
        missing = [task_id for task_id in wanted if task_id not in self._fresh]
        if not missing:
            return
        if len(self._rows) + len(missing) > MOST_ROWS:
            near = set(wanted)
            self._rows = {key: row for key, row in self._rows.items() if key in near}
            self._fresh = self._fresh & near
        fresh = self._fresh
        for row in await self.source.get_rows(missing):
            self._rows[row.task.id] = row
        fresh.update(missing)  # of the order they were read for, which may not be shown any more

    def lacks(self, first: int, end: int) -> bool:
        """Say whether a row of the range has not been read, or not since the last load."""
        return any(task_id not in self._fresh for task_id in self._ids[first:end])

    async def toggle(self, task_id: str) -> None:
        """Show a task's sub-agents below it, or hide them."""
        if task_id in self._open:
            self._open.discard(task_id)
        else:
            self._open.add(task_id)
            self._children[task_id] = await self._child_ids(task_id)
        self._arrange()

    async def _child_ids(self, task_id: str) -> list[str]:
        wanted = TaskFilter(everything=True, archived=None, parent_task_id=task_id)
        page = await self.source.list_tasks(wanted, limit=MOST_CHILDREN)
        rows = [row for row in page.items if row.task.origin is not Origin.AUTOMATED]
        self._rows |= {row.task.id: row for row in rows}
        rows.sort(key=lambda row: row.task.created_at or row.active_at)
        return [row.task.id for row in rows]

    def _arrange(self) -> None:
        self._hanging = {}
        if not self._open:
            self._ids = self._tops
            return
        self._ids = []
        shown: set[str] = set()
        for task_id in self._tops:
            self._add(Entry(task_id), shown)

    def _add(self, entry: Entry, shown: set[str]) -> None:
        if entry.task_id in shown:
            return
        shown.add(entry.task_id)
        self._ids.append(entry.task_id)
        if entry.depth:
            self._hanging[entry.task_id] = entry
        if entry.task_id in self._open:
            below = self._children.get(entry.task_id, [])
            for child in below:
                self._add(Entry(child, entry.depth + 1, child == below[-1]), shown)
