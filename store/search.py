"""What a search gives: messages, and tasks that are found by what they say themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from store.models import Kind, Model, Role, Time

COUNT_CAP = 1000
"""Hits are counted up to here: "1,000+" is as much as anyone wants to know, and costs no scan."""

Marks = tuple[tuple[int, int], ...]
"""Where terms match in a text: (start, end) in characters, in order, never overlapping."""


class Hit(Model):
    """A message that the query matches.

    `snippet` is a part of its content around the match, with the content's own characters on one
    line (runs of white space are one space): made printable only where it is shown. `marks` are
    places in the snippet; none when the query has no terms.
    """

    task_id: str
    session_id: str | None
    agent: str | None
    project_path: str | None
    title: str
    seq: int
    role: Role
    kind: Kind
    tool_name: str | None
    timestamp: Time
    snippet: str
    marks: Marks = ()


class TaskHit(Model):
    """A task that the query matches in its title, project, branch, notes or tags.

    Given only for tasks of which no message matches. `field` names what matched ("title",
    "project", "branch", "notes", "tags"), `snippet` is a part of it. `first_seq` is the first
    message of the history, None when there is none; `timestamp` is the last activity.
    """

    task_id: str
    session_id: str | None
    agent: str | None
    project_path: str | None
    title: str
    first_seq: int | None
    field: str
    timestamp: Time
    snippet: str
    marks: Marks = ()


class Hits(Model):
    """A page of hits, in the query's order: newest first, or the most relevant first.

    `tasks` come with the first page only. `total` counts all messages that match, up to
    `COUNT_CAP`; `is_capped` when there are more. `more_in_tools` counts, the same way, the tool
    outputs that match and were left out: 0 when the query looks in them (`in:all`). `cursor` asks
    for the next page; None at the end. `is_cut` says that the time it had was up: with more,
    the same search may find or count more. `unindexed` messages could not be looked at yet: an
    import puts the output of tools into the index last.
    """

    hits: tuple[Hit, ...] = ()
    tasks: tuple[TaskHit, ...] = ()
    total: int = 0
    is_capped: bool = False
    more_in_tools: int = 0
    more_is_capped: bool = False
    cursor: str | None = None
    is_cut: bool = False
    unindexed: int = 0


class Group(NamedTuple):
    """The hits of one task: its messages, or `task` when it is found by what it says itself."""

    hits: tuple[Hit, ...]
    task: TaskHit | None

    @property
    def about(self) -> Hit | TaskHit:
        """The hit that tells of the task and its session, as each of the group's does."""
        return self.hits[0] if self.task is None else self.task


def grouped(hits: Sequence[Hit], tasks: Sequence[TaskHit] = ()) -> list[Group]:
    """Give hits by task: tasks in the order of their first hits, hits in the order they had.

    Tasks found by what they say themselves stand where their last activity belongs when the hits
    are newest first; else behind the others.
    """
    by_task: dict[str, list[Hit]] = {}
    for hit in hits:
        by_task.setdefault(hit.task_id, []).append(hit)
    groups = [Group(tuple(found), None) for found in by_task.values()]
    groups += [Group((), task) for task in tasks]
    times = [hit.timestamp for hit in hits]
    if times == sorted(times, reverse=True):
        groups.sort(key=lambda group: group.about.timestamp, reverse=True)
    return groups
