"""The one rule of the dependency graph: no task waits, through whatever chain, for itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

Node = TypeVar("Node")


def path_between(
    start: Node, goal: Node, dependencies: Callable[[Node], Iterable[Node]]
) -> list[Node] | None:
    """Give a chain of dependencies from `start` to `goal`, both included, or None.

    Letting `goal` depend on `start` closes a cycle exactly when there is such a chain.
    """
    came_from: dict[Node, Node] = {start: start}
    waiting = [start]
    while waiting:
        node = waiting.pop()
        if node == goal:
            return _walk_back(node, came_from)
        for dependency in dependencies(node):
            if dependency not in came_from:
                came_from[dependency] = node
                waiting.append(dependency)
    return None


def _walk_back(node: Node, came_from: dict[Node, Node]) -> list[Node]:
    chain = [node]
    while came_from[node] != node:
        node = came_from[node]
        chain.append(node)
    return chain[::-1]
