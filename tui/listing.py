"""The order of the task list, and the rows of it that have been looked at.

The order is a list of ids: 50,000 of them cost some milliseconds, in the store's own thread. Rows
are read for what is on the screen and kept until they are far from it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from store.enums import TaskGroup
from store.errors import NotFound
from tui.lines import Heading, Lines, Outlined, arranged, branches

if TYPE_CHECKING:
    from store.models import Fold, Outline, Page, Relative, TaskFilter, TaskRow

AROUND = 96  # rows read beyond the visible ones, on both sides
NEAR = 40  # rows beyond the visible ones that must be there, or reading begins
MOST_ROWS = 2_000


class TaskSource(Protocol):
    """Where tasks come from. A store is one."""

    async def outline(
        self,
        filter: TaskFilter | None = None,  # noqa: A002
        *,
        group: TaskGroup | None = None,
    ) -> Outline:
        """Give the order of all tasks that the filter lets through, families folded."""
        ...

    async def family(
        self,
        task_id: str,
        filter: TaskFilter | None = None,  # noqa: A002
    ) -> list[Relative]:
        """Give what a task is unfolded to. Raises NotFound."""
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
    """A line of the list with a task: the rails that it hangs on, and what is folded behind it."""

    task_id: str
    rails: str = ""
    folded: int = 0
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """An order that was read: the outline, and what its unfolded tasks are unfolded to."""

    wanted: TaskFilter | None
    outline: Outlined
    trees: Mapping[str, list[Relative]]


@dataclass(frozen=True, slots=True)
class Beginning:
    """The outline of a first page: nothing is known yet of families."""

    task_ids: list[str]
    folds: Mapping[str, Fold] = field(default_factory=dict)
    groups: tuple[tuple[str, int], ...] = ()


class Listing:
    """What the list shows: tasks in order, some with their rows, and headings between them.

    A task is unfolded when it, or another of its family, is among the opened ones.
    """

    def __init__(self, source: TaskSource) -> None:
        self.source = source
        self._rows: dict[str, TaskRow] = {}
        self._fresh: set[str] = set()
        self._opened: set[str] = set()
        self._order = Order(None, Beginning([]), {})
        self._lines = Lines()

    def __len__(self) -> int:
        return len(self._lines.items)

    @property
    def count(self) -> int:
        """How many tasks are listed, folded ones too, without sub-agents."""
        outline = self._order.outline
        behind = sum(len(fold.task_ids) for fold in outline.folds.values())
        return len(outline.task_ids) + behind

    @property
    def is_grouped(self) -> bool:
        """Whether there are headings."""
        return bool(self._lines.headings)

    # Lines

    def line(self, index: int) -> Entry | Heading:
        """Give the line at a place."""
        item = self._lines.items[index]
        return item if isinstance(item, Heading) else self._entry(item)

    def task_id(self, index: int) -> str | None:
        """Give the task at a place; None where there is none, or a heading."""
        if not 0 <= index < len(self):
            return None
        item = self._lines.items[index]
        return None if isinstance(item, Heading) else item

    def row(self, index: int) -> TaskRow | None:
        """Give the row at a place, if it has been read."""
        task_id = self.task_id(index)
        return None if task_id is None else self._rows.get(task_id)

    def heading_of(self, index: int) -> Heading | None:
        """Give the heading that a line stands under."""
        place = bisect_right(self._lines.headings, index) - 1
        item = self._lines.items[self._lines.headings[place]] if place >= 0 else None
        return item if isinstance(item, Heading) else None

    def find(self, task_id: str) -> int | None:
        """Give the place of a task in the list. 50,000 take half a millisecond."""
        try:
            return self._lines.items.index(task_id)
        except ValueError:
            return None

    def nearest(self, index: int, *, upwards: bool = False) -> int:
        """Give the place of a task at or next to a place, whatever lies beyond the ends."""
        index = max(0, min(index, len(self) - 1))
        if self.task_id(index) is None and len(self):  # a heading: a task follows every one
            return index - 1 if upwards and index > 0 else index + 1
        return index

    def _entry(self, task_id: str) -> Entry:
        branch = self._lines.hanging.get(task_id)
        if branch is None:
            return Entry(task_id, folded=self._size(task_id))
        folded = self._size(task_id) if branch.has_own else 0
        return Entry(task_id, branch.rails, folded, branch.is_open)

    def _size(self, task_id: str) -> int:
        fold = self._order.outline.folds.get(task_id)
        if fold is not None:
            return fold.size
        row = self._rows.get(task_id)
        return row.children if row is not None else 0

    # Reading

    async def begin(self, wanted: TaskFilter | None, height: int) -> None:
        """Read only the first rows: enough for a first frame, whatever the length of the list."""
        page = await self.source.list_tasks(wanted, limit=height)
        self._rows = {row.task.id: row for row in page.items}
        self._fresh = set(self._rows)
        self.take(Order(wanted, Beginning(first_of_each(page.items)), {}))

    async def read_order(
        self, wanted: TaskFilter | None, group: TaskGroup | None, selected: str | None
    ) -> Order:
        """Read the order anew, without showing it yet.

        What is selected is not folded away because another of its family went on: it is unfolded.
        """
        outline = await self.source.outline(wanted, group=group)
        front = _fronts(outline.folds)
        if selected in front:
            self._opened.add(selected)
        return Order(wanted, outline, await self._trees(wanted, front))

    async def _trees(
        self, wanted: TaskFilter | None, front: Mapping[str, str]
    ) -> dict[str, list[Relative]]:
        trees = {}
        for task_id in {front.get(task_id, task_id) for task_id in self._opened}:
            try:
                tree = await self.source.family(task_id, wanted)
            except NotFound:
                tree = []
            if len(tree) > 1:
                trees[task_id] = tree
            else:
                self._opened.discard(task_id)  # what was below it is gone
        return trees

    def take(self, order: Order) -> None:
        """Show another order. Known rows are shown until `fill` has read them again."""
        self._order = order
        self._fresh = set()
        self._lines = arranged(self._order.outline, self._order.trees)

    async def fill(self, first: int, end: int) -> None:
        """Read the rows of a range and around it that are missing."""
        wanted = self._ids(first - AROUND, end + AROUND)
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

    def lacks(self, first: int, end: int, *, near: int = NEAR) -> bool:
        """Say whether a row of the range, or near it, was not read since the last load."""
        return any(each not in self._fresh for each in self._ids(first - near, end + near))

    def _ids(self, first: int, end: int) -> list[str]:
        part = self._lines.items[max(0, first) : max(0, end)]
        return [item for item in part if isinstance(item, str)]

    # Folding

    def is_open(self, task_id: str) -> bool:
        """Say whether what belongs to a task is shown: it is unfolded, or part of what is."""
        branch = self._lines.hanging.get(task_id)
        return branch is not None and (branch.is_open or not branch.has_own)

    def head(self, task_id: str) -> str | None:
        """Give the task that this one is folded behind, or would be: None for one that is not."""
        branch = self._lines.hanging.get(task_id)
        if branch is not None:
            return branch.head
        return _fronts(self._order.outline.folds).get(task_id)

    async def read_family(self, task_id: str) -> list[Relative]:
        """Read what a task is unfolded to, without showing it yet. Raises NotFound."""
        return await self.source.family(task_id, self._order.wanted)

    def unfold(self, task_id: str, tree: list[Relative]) -> None:
        """Show the forks and sub-agents of a task."""
        self._opened.add(task_id)
        self._order = replace(self._order, trees={**self._order.trees, task_id: tree})
        self._lines = arranged(self._order.outline, self._order.trees)

    def fold(self, task_id: str) -> None:
        """Hide what a task was unfolded to, and what was unfolded below that."""
        trees = self._order.trees
        below = branches(task_id, trees) if task_id in trees else {}
        self._opened -= {task_id, *below}
        kept = {key: tree for key, tree in trees.items() if key != task_id and key not in below}
        self._order = replace(self._order, trees=kept)
        self._lines = arranged(self._order.outline, self._order.trees)


def _fronts(folds: Mapping[str, Fold]) -> dict[str, str]:
    """Give the task that stands for its family in the list, by those that are behind it."""
    return {task_id: front for front, fold in folds.items() for task_id in fold.task_ids}


def first_of_each(rows: Sequence[TaskRow]) -> list[str]:
    """Give the first task of each family, as far as a page shows who belongs to whom."""
    firsts: list[str] = []
    seen: set[str] = set()
    for row in rows:
        task = row.task
        if task.id not in seen and task.fork_of not in seen:
            firsts.append(task.id)
        seen.update(each for each in (task.id, task.fork_of) if each is not None)
    return firsts
