"""What the keys do to the list: which tasks, in which order, how many lines each; kept true."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.enums import TaskGroup, TaskSort
from store.text import printable
from tui.scope import Scope, folder_of
from tui.screens.reading import Reading
from tui.settings import Settings

if TYPE_CHECKING:
    from store.models import TaskFilter
    from store.protocol import Store

_SORTS = list(TaskSort)
_GROUPS = [None, *TaskGroup]


class Listing(Reading):
    """The commands of the list pane, and reading it anew when somebody has written."""

    def __init__(self, here: Path, settings: Settings | None) -> None:
        super().__init__()
        self._here = here
        self._settings = settings
        self._scope = Scope.EVERYTHING
        self._lists: TaskFilter | None = None
        self._group: TaskGroup | None = None
        self._seen: tuple[int, int] | None = None
        self._listing = asyncio.Lock()
        self._is_stale = False
        self._is_looking = False

    # Keeping what is shown true

    def _look(self) -> None:
        if not self._is_looking:
            self._work(self._look_again, "look")

    async def _look_again(self) -> None:
        """Show what somebody has written since: this process, an import, another program."""
        if self._store is None:
            return
        self._is_looking = True
        try:
            version = await self._store.version()
            if version != self._seen:
                await self._list()
                self._seen = version
        finally:
            self._is_looking = False

    async def _list(self) -> None:
        """Read and show the list anew; who asks while it is read gets the next reading."""
        self._is_stale = True
        async with self._listing:
            if not self._is_stale or self._store is None:
                return
            self._is_stale = False
            try:
                await self._read_list(self._store)
            except BaseException:
                self._is_stale = True
                raise

    async def _read_list(self, store: Store) -> None:
        tasks = self._tasks
        tasks.empty_text = "Nothing matches." if self._is_narrowed else "No sessions yet."
        await tasks.show(store, self._wanted(), self._group)
        while not self._is_narrowed and not len(tasks) and self._scope.wider is not self._scope:
            self._scope = self._scope.wider
            await tasks.show(store, self._wanted(), self._group)
        shown, wanted = tasks.count, self._wanted()
        self._say(scope=self._scope, scopes=tuple(Scope), notes=self._notes(), shown=shown)
        every_kind = await store.count_tasks(wanted.model_copy(update={"everything": True}))
        anywhere = _lists(everything=wanted.everything, archived=wanted.archived)
        total = await store.count_tasks(anywhere)
        self._say(total=total, hidden=max(0, every_kind - shown))

    @property
    def _filter(self) -> TaskFilter:
        """What is listed. Made when it is asked for: the first frame needs no models."""
        if self._lists is None:
            self._lists = _lists()
        return self._lists

    @property
    def _is_narrowed(self) -> bool:
        """Whether the list is only of what was asked for, so that it may well be empty."""
        return bool(self._filter.archived)

    def _wanted(self) -> TaskFilter:
        folder = folder_of(self._scope, self._here)
        # With every kind shown, sub-agents stay under their parents unless they have none.
        return self._filter.model_copy(update={"under": str(folder) if folder else None})

    def _notes(self) -> tuple[str, ...]:
        wanted = self._filter
        notes = []
        if wanted.sort is not TaskSort.ACTIVE:
            notes.append(f"by {wanted.sort}")
        if wanted.everything:
            notes.append("all kinds")
        if wanted.archived:
            notes.append("archived")
        return tuple(notes)

    def _say(self, **changes: Any) -> None:
        if not self.is_attached or not self._top.is_attached:
            return  # the screen is going
        self._top.standing = replace(self._top.standing, **changes)

    # Commands

    def action_scope(self) -> None:
        """Go to the next scope."""
        wanted = self._scope.next
        self._scope = wanted

        async def widen() -> None:
            await self._list()
            if self._scope is not wanted and wanted is not Scope.EVERYTHING:
                self._tell(f"There is nothing in the scope {wanted}: showing {self._scope}.")

        self._work(widen, "list")

    def action_sort(self) -> None:
        """Go to the next order."""
        after = _SORTS[(_SORTS.index(self._filter.sort) + 1) % len(_SORTS)]
        self._change_filter(sort=after)
        self._remember("list_sort", after)

    def action_hidden(self) -> None:
        """Show every kind of session, or only people's."""
        self._change_filter(everything=not self._filter.everything)

    def action_archived(self) -> None:
        """Show what is archived, or what is not."""
        self._change_filter(archived=not self._filter.archived)

    def _change_filter(self, **changes: Any) -> None:
        self._lists = self._filter.model_copy(update=changes)
        self._work(self._list, "list")

    def action_group(self) -> None:
        """Group by the next thing, or not."""
        self._group = _GROUPS[(_GROUPS.index(self._group) + 1) % len(_GROUPS)]
        self._remember("list_group", self._group or "none")
        self._work(self._list, "list")

    def action_density(self) -> None:
        """Give tasks one line or two."""
        self._tasks.lines_each = 3 - self._tasks.lines_each
        self._remember("list_lines", str(self._tasks.lines_each))

    def _recall(self) -> None:
        """Show the list as it was chosen last. What does not say is as usual."""
        if self._settings is None:
            return
        try:
            chosen = self._settings.all()
        except (OSError, ValueError):
            return  # the app says so
        if (sort := chosen.get("list_sort")) in _SORTS and sort != TaskSort.ACTIVE:
            self._lists = self._filter.model_copy(update={"sort": TaskSort(str(sort))})
        if (group := chosen.get("list_group")) in _GROUPS and group is not None:
            self._group = TaskGroup(str(group))
        if chosen.get("list_lines") == "2":
            self._tasks.lines_each = 2

    def _remember(self, name: str, value: str) -> None:
        if self._settings is None:
            return
        try:
            self._settings.change(name, value)
        except (OSError, ValueError) as error:
            self._tell(f"This is not remembered: {printable(str(error))}", "warning")


def _lists(**also: Any) -> TaskFilter:
    from store.models import TaskFilter

    # Unvalidated: building the validator would cost more than the list.
    return TaskFilter.model_construct(top_level=True, **also)
