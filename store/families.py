"""Which conversations of a list belong together: forks, and what they were forked from."""

from __future__ import annotations

from collections.abc import Container, Mapping


def nearest_origins(forks: Mapping[str, str], listed: Container[str]) -> dict[str, str]:
    """Give each listed fork the nearest of its origins that is listed, too.

    `forks` names the origin of each fork. A fork whose origins are not listed is left out, and so
    is one of any circle: a list can be drawn whatever the sources say.
    """
    near: dict[str, str] = {}
    for fork in forks:
        if fork not in listed:
            continue
        passed = {fork}
        origin: str | None = forks[fork]
        while origin is not None and origin not in listed and origin not in passed:
            passed.add(origin)
            origin = forks.get(origin)
        if origin is not None and origin not in passed:
            near[fork] = origin
    _cut_circles(near)
    return near


def first_origins(near: Mapping[str, str]) -> dict[str, str]:
    """Give every fork the one that its family begins with. `near` has no circles."""
    first: dict[str, str] = {}
    for fork in near:
        line = [fork]
        while line[-1] in near and line[-1] not in first:
            line.append(near[line[-1]])
        begin = first.get(line[-1], line[-1])
        first.update(dict.fromkeys(line[:-1], begin))
    return first


def _cut_circles(near: dict[str, str]) -> None:
    """Let the least of each circle be no fork, so that it is the same one every time."""
    done: set[str] = set()
    for fork in list(near):
        line: dict[str, None] = {}
        at: str | None = fork
        while at is not None and at not in done and at not in line:
            line[at] = None
            at = near.get(at)
        if at is not None and at in line:
            members = list(line)
            del near[min(members[members.index(at) :])]
        done.update(line)
