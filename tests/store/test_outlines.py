"""Whole lists as a screen shows them: a family on one line, in groups, unfolded on request."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import NotFound, Outline, Store, TaskFilter, TaskGroup, TaskSort
from store.families import first_origins, nearest_origins
from tests.store.helpers import at, new_task

TOP = TaskFilter(top_level=True)
HOUR = 60
DAY = 24 * HOUR


@pytest.fixture
def new_york() -> Iterator[None]:
    """Let the person be in New York, five hours behind UTC in winter."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "America/New_York"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


async def talk(store: Store, name: str, minutes: float, **fields: object) -> str:
    """Store a task with one message, said so many minutes after noon."""
    await new_task(store, name, id=name, created_at=at(-DAY), **fields)
    await store.save_message(name, "user", "Hi", timestamp=at(minutes))
    return name


async def unfolded(store: Store, name: str, wanted: TaskFilter = TOP) -> list[str]:
    """Give the tree of a family, a line each, indented."""
    return ["  " * each.depth + each.task_id for each in await store.family(name, wanted)]


async def test_a_family_stands_where_its_latest_conversation_is(store: Store) -> None:
    await talk(store, "origin", 0)
    await talk(store, "other", 10)
    await talk(store, "fork", 20, fork_of="origin")
    outline = await store.outline()
    assert outline.task_ids == ["fork", "other"]
    assert outline.folds["fork"].task_ids == ("origin",)
    assert outline.groups == ()

    await store.save_message("origin", "user", "More", timestamp=at(30))
    outline = await store.outline()
    assert outline.task_ids == ["origin", "other"]
    assert outline.folds["origin"].task_ids == ("fork",)
    assert await store.list_task_ids() == ["origin", "fork", "other"], "programs get them all"


async def test_unfolding_shows_forks_of_forks_and_every_sub_agent(store: Store) -> None:
    await talk(store, "origin", 0)
    await talk(store, "fork", 20, fork_of="origin")
    await talk(store, "fork of it", 40, fork_of="fork")
    for child, parent in (("a", "origin"), ("b", "fork"), ("c", "fork"), ("below", "b")):
        await talk(store, child, 5, origin="subagent", parent_task_id=parent)
    await talk(store, "nightly", 5, origin="automated", parent_task_id="fork")
    outline = await store.outline(TOP)
    assert outline.task_ids == ["fork of it"]
    assert outline.folds["fork of it"].size == 5
    tree = ["origin", "  fork", "    fork of it", "    b", "    c", "  a"]
    for member in ("origin", "fork", "fork of it"):
        assert await unfolded(store, member) == tree
    assert await unfolded(store, "b") == ["b", "  below"], "a sub-agent has its own"
    assert await unfolded(store, "a") == ["a"]
    with pytest.raises(NotFound):
        await store.family("nobody")


async def test_a_fork_whose_origin_is_not_listed_stands_alone(store: Store) -> None:
    await talk(store, "origin", 0, project_path="/src/api")
    await talk(store, "fork", 20, fork_of="origin", project_path="/src/api")
    await talk(store, "fork of it", 40, fork_of="fork", project_path="/src/web")
    for wanted, listed, tree in (
        (TaskFilter(words=("fork",)), ["fork of it"], ["fork", "  fork of it"]),
        (TaskFilter(under="/src/web"), ["fork of it"], ["fork of it"]),
        (TaskFilter(words=("it",)), ["fork of it"], ["fork of it"]),
    ):
        assert (await store.outline(wanted)).task_ids == listed
        assert await unfolded(store, "fork of it", wanted) == tree
    await store.archive("fork")
    outline = await store.outline()
    assert outline.task_ids == ["fork of it"]
    assert outline.folds["fork of it"].task_ids == ("origin",), "the nearest that is listed"
    assert await unfolded(store, "fork of it") == ["origin", "  fork of it"]


async def test_forks_that_name_each_other_are_listed_all_the_same(store: Store) -> None:
    await talk(store, "one", 0)
    await talk(store, "two", 1, fork_of="one")
    one = await store.get_task("one")
    await store.save_task(one.model_copy(update={"fork_of": "two"}))
    assert (await store.outline()).task_ids == ["two"]
    assert await unfolded(store, "two") == ["one", "  two"]


@pytest.mark.parametrize("sort", TaskSort)
async def test_a_list_without_forks_is_the_list_of_programs(store: Store, sort: TaskSort) -> None:
    for n in range(9):
        await talk(store, f"t{n * 5 % 7}{n}", n % 4, project_path=f"/p{n % 3}")
    wanted = TaskFilter(sort=sort)
    assert (await store.outline(wanted)).task_ids == await store.list_task_ids(wanted)


async def test_days_are_those_of_where_the_person_is(store: Store, new_york: None) -> None:
    # Noon in UTC is seven in the morning; the day ends at five in the morning of the next in UTC.
    await talk(store, "today", 16 * HOUR)
    await talk(store, "tomorrow", 17 * HOUR)
    await talk(store, "morning", -7 * HOUR)
    await talk(store, "yesterday", -7 * HOUR - 1)
    outline = await store.outline(group=TaskGroup.DAY)
    assert outline.task_ids == ["tomorrow", "today", "morning", "yesterday"]
    assert outline.groups == (("2026-01-15", 1), ("2026-01-14", 2), ("2026-01-13", 1))


async def test_days_of_the_time_that_the_list_is_sorted_by(store: Store) -> None:
    await talk(store, "b", 0)
    await talk(store, "a", 1)
    await talk(store, "c", 3 * DAY)
    by_creation = await store.outline(TaskFilter(sort=TaskSort.CREATED), group="day")
    assert by_creation.groups == (("2026-01-13", 3),)
    by_title = await store.outline(TaskFilter(sort=TaskSort.TITLE), group="day")
    assert by_title.task_ids == ["c", "a", "b"], "the order holds within a day"
    assert [count for _, count in by_title.groups] == [1, 2]


async def test_projects_come_with_the_one_of_the_latest_task_first(store: Store) -> None:
    await talk(store, "a", 0, project_path="/src/api")
    await talk(store, "z", 30, project_path="/src/api")
    await talk(store, "m", 20, project_path="/src/web")
    await talk(store, "none", 10)
    for sort, order in (
        (TaskSort.ACTIVE, ["z", "a", "m", "none"]),
        (TaskSort.TITLE, ["a", "z", "m", "none"]),
    ):
        outline = await store.outline(TaskFilter(sort=sort), group=TaskGroup.PROJECT)
        assert outline.task_ids == order
        assert outline.groups == (("/src/api", 2), ("/src/web", 1), ("", 1))


async def test_a_folded_fork_is_counted_in_no_group(store: Store) -> None:
    await talk(store, "origin", 0, project_path="/src/api")
    await talk(store, "fork", 3 * DAY, project_path="/src/web", fork_of="origin")
    for group in TaskGroup:
        outline = await store.outline(group=group)
        assert outline.task_ids == ["fork"]
        assert [count for _, count in outline.groups] == [1]


async def test_an_empty_list_has_no_groups(store: Store) -> None:
    for group in (None, *TaskGroup):
        assert await store.outline(group=group) == Outline(task_ids=[])


NAMES = "abcdefgh"


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(NAMES)),
    st.sets(st.sampled_from(NAMES)),
)
def test_whatever_forks_say_each_of_a_list_is_in_one_family(
    forks: dict[str, str], listed: set[str]
) -> None:
    near = nearest_origins(forks, listed)
    assert near.keys() <= listed
    assert set(near.values()) <= listed
    first = first_origins(near)
    assert first.keys() == near.keys()
    for fork in near:
        line = [fork]
        while line[-1] in near:
            line.append(near[line[-1]])
            assert len(line) <= len(NAMES), "a circle"
        assert first[fork] == line[-1]
    for fork in listed & forks.keys():
        if fork not in near and not _circles(forks, fork):
            origins = set(_origins(forks, fork))
            assert not listed & origins, "one with a listed origin hangs under it"


def _origins(forks: dict[str, str], fork: str) -> Iterator[str]:
    for _ in range(len(NAMES)):
        if fork not in forks:
            return
        fork = forks[fork]
        yield fork


def _circles(forks: dict[str, str], fork: str) -> bool:
    return len(list(_origins(forks, fork))) == len(NAMES)
