"""Which records of a Claude Code transcript were rewound.

Records name their parent, so that a transcript is a tree. It forks without being a branch where
tools were called side by side, and it is one where a person went back and asked something else:
there the abandoned side begins, at the latest, with words of a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

_NEVER = datetime.min.replace(tzinfo=UTC)


class Node(NamedTuple):
    """A record's place in the tree: its parent, and the keys of the messages made from it."""

    parent: str | None
    keys: tuple[str, ...]
    time: datetime | None
    is_talk: bool
    """A user's or assistant's record outside a side-chain."""
    is_asking: bool
    """It holds what a person typed: a prompt or a command."""


Nodes = Mapping[str, Node]


def leaf_of(nodes: Nodes, marked: str | None, tip: str | None) -> str | None:
    """Give the last record of the conversation as it stands.

    `marked` is the record that the program itself named as the last, which may be `tip`, the last
    one before these records; else it is the newest of user and assistant, with what follows it
    without being either.
    """
    is_known = marked is not None and (marked in nodes or marked == tip)
    after = _children(nodes)
    leaf = marked if is_known else _newest(nodes, after)
    if leaf is None:
        return None
    seen = {leaf}
    while True:
        following = [
            name
            for name in after.get(leaf, ())
            if not (nodes[name].is_talk or nodes[name].is_asking or name in seen)
        ]
        if not following:
            return leaf
        leaf = following[-1]
        seen.add(leaf)


def off_branch(nodes: Nodes, leaf: str | None) -> list[str]:
    """Give the names of the records that are not part of the conversation that ends in `leaf`."""
    if leaf is None:
        return []
    after = _children(nodes)
    path = _path(nodes, leaf)
    abandoned: list[str] = []
    for name in path:
        for child in after.get(name, ()):
            if child not in path:
                abandoned += _if_asked(nodes, after, child)
    return abandoned + _other_beginnings(nodes, after, path)


def begins_after(nodes: Nodes, tip: str | None) -> bool:
    """Tell whether everything a person typed in these records leads back to the record `tip`."""
    origins: dict[str, str | None] = {}
    for name, node in nodes.items():
        if node.is_asking and _origin(nodes, name, origins) != tip:
            return False
    return True


def follows(nodes: Nodes, name: str, tip: str | None) -> bool:
    """Tell whether a record's parents lead to `tip`, which was before these records."""
    return tip is not None and _origin(nodes, name, {}) == tip


def _origin(nodes: Nodes, name: str, known: dict[str, str | None]) -> str | None:
    """Follow the parents to the first that is not among these records."""
    trail: list[str] = []
    seen: set[str] = set()
    current: str | None = name
    while current is not None and current in nodes and current not in known:
        if current in seen:
            current = None
            break
        seen.add(current)
        trail.append(current)
        current = nodes[current].parent
    origin = known[current] if current is not None and current in known else current
    known.update(dict.fromkeys(trail, origin))
    return origin


def _newest(nodes: Nodes, after: Mapping[str, list[str]]) -> str | None:
    newest: str | None = None
    latest = _NEVER
    for name, node in nodes.items():
        if node.is_talk and (node.time or latest) >= latest:
            newest, latest = name, node.time or latest
    return newest and _last_said(nodes, after, newest)


def _last_said(nodes: Nodes, after: Mapping[str, list[str]], top: str) -> str:
    """Go on to what was said after the newest, when the clock was set back."""
    last, current = top, top
    seen = {top}
    while following := [name for name in after.get(current, ()) if name not in seen]:
        seen.update(following)
        current = next((name for name in reversed(following) if nodes[name].is_talk), following[-1])
        if nodes[current].is_talk:
            last = current
    return last


def _children(nodes: Nodes) -> dict[str, list[str]]:
    after: dict[str, list[str]] = {}
    for name, node in nodes.items():
        if node.parent is not None:
            after.setdefault(node.parent, []).append(name)
    return after


def _path(nodes: Nodes, leaf: str) -> dict[str, None]:
    path: dict[str, None] = {}
    current: str | None = leaf
    while current is not None and current not in path:
        path[current] = None
        node = nodes.get(current)
        current = node.parent if node else None
    return path


def _if_asked(nodes: Nodes, after: Mapping[str, list[str]], top: str) -> list[str]:
    """Give all records from `top` down, if a person asked anything there."""
    found: list[str] = []
    waiting = [top]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            found.append(name)
            waiting += after.get(name, ())
    return found if any(nodes[name].is_asking for name in found) else []


def _other_beginnings(
    nodes: Nodes, after: Mapping[str, list[str]], path: Iterable[str]
) -> list[str]:
    """Give the records of other first prompts: the person went back to the very start.

    Only where the path leads to a first prompt itself, and where records do name their parents.
    """
    beginnings = [name for name, node in nodes.items() if node.parent is None and node.is_talk]
    on_path = set(path).intersection(beginnings)
    if len(beginnings) < 2 or not on_path or not all(nodes[n].is_asking for n in beginnings):
        return []
    abandoned: list[str] = []
    for name in beginnings:
        if name not in on_path:
            abandoned += _if_asked(nodes, after, name)
    return abandoned
