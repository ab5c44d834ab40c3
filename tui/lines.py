"""The lines that a list is made of: tasks, headings, and what hangs below unfolded tasks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from store.models import Fold, Relative

Trees: TypeAlias = "Mapping[str, Sequence[Relative]]"


class Outlined(Protocol):
    """A list in order, one task for each family. The store's `Outline` is one."""

    @property
    def task_ids(self) -> list[str]:
        """The tasks in their order."""
        ...

    @property
    def folds(self) -> Mapping[str, Fold]:
        """What is folded behind tasks."""
        ...

    @property
    def groups(self) -> tuple[tuple[str, int], ...]:
        """The groups, each with the number of tasks in it."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Heading:
    """A line above the tasks of one day or folder: its key in the outline, and their number."""

    key: str
    count: int


@dataclass(frozen=True, slots=True)
class Branch:
    """How a task hangs in an unfolded family.

    `head` is the task that it is folded behind. What belongs to a conversation is shown with it,
    but a sub-agent `has_own` to unfold, and so has the beginning of the family.
    """

    rails: str
    head: str
    is_open: bool
    has_own: bool


@dataclass(slots=True)
class Lines:
    """The lines in order: ids and headings. Where the headings are, and how hanging tasks hang."""

    items: list[str | Heading] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    hanging: dict[str, Branch] = field(default_factory=dict)


def arranged(outline: Outlined, trees: Trees) -> Lines:
    """Make the lines, in steps as few as there are headings and unfolded tasks."""
    tops, lines = outline.task_ids, Lines()
    cuts: list[tuple[int, int, Heading | str]] = []
    start = 0
    for key, count in outline.groups:
        cuts.append((start, 0, Heading(key, count)))
        start += count
    if trees:
        cuts += [(index, 1, each) for index, each in enumerate(tops) if each in trees]
        cuts.sort(key=lambda cut: cut[:2])
    done = 0
    for index, _, cut in cuts:
        lines.items += tops[done:index]
        done = index
        if isinstance(cut, Heading):
            lines.headings.append(len(lines.items))
            lines.items.append(cut)
        else:
            below = branches(cut, trees)
            lines.hanging |= below
            lines.items += below
            done += 1
    lines.items += tops[done:]
    return lines


def branches(head: str, trees: Trees) -> dict[str, Branch]:
    """Give the tasks that `head` is unfolded to, in their order, with those unfolded below them."""
    lines = list(_walk(head, trees, 0))
    rails = _rails([depth for _, depth, _ in lines])
    return {
        each.task_id: Branch(
            rails=rail,
            head=home,
            is_open=depth == 0 or (each.task_id in trees and not each.is_fork),
            has_own=depth == 0 or not each.is_fork,
        )
        for (each, depth, home), rail in zip(lines, rails, strict=True)
    }


def _walk(head: str, trees: Trees, depth: int) -> Iterator[tuple[Relative, int, str]]:
    """Give each task of a family with its depth and the head of the family it was unfolded in."""
    for each in islice(trees[head], 1 if depth else 0, None):
        yield each, depth + each.depth, head
        if each.task_id in trees and each.depth and not each.is_fork:
            yield from _walk(each.task_id, trees, depth + each.depth)


def _rails(depths: Sequence[int]) -> list[str]:
    """Give the rails of lines at these depths: which go on below is known from the end."""
    out: list[str] = []
    follows: set[int] = set()  # the depths at which a sibling comes further down
    for depth in reversed(depths):
        above = "".join("│ " if level in follows else "  " for level in range(1, depth))
        out.append(above + ("├ " if depth in follows else "└ ") if depth else "")
        follows = {level for level in follows if level < depth} | {depth}
    return out[::-1]
