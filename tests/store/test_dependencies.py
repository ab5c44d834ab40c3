"""Dependencies: who waits for whom, and never for themselves."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import CycleError, NotFound, Store, open_store
from tests.store.helpers import at, new_task


async def _tasks(store: Store, names: str) -> None:
    for n, name in enumerate(names):
        await new_task(store, name, id=name, created_at=at(n))


async def _ids(store: Store, name: str) -> list[str]:
    return [task.id for task in await store.dependencies(name)]


async def test_ship_waits_for_its_parts(store: Store) -> None:
    await _tasks(store, "abc")
    await store.add_dependency("c", "b")
    await store.add_dependency("c", "a")
    await store.add_dependency("c", "a")
    assert await _ids(store, "c") == ["a", "b"]
    assert [task.id for task in await store.dependents("a")] == ["c"]
    await store.remove_dependency("c", "a")
    assert await _ids(store, "c") == ["b"]
    with pytest.raises(NotFound, match="'a'"):
        await store.remove_dependency("c", "a")


async def test_what_is_ready_is_open_and_waits_for_nothing_undone(store: Store) -> None:
    await _tasks(store, "abcd")
    await store.add_dependency("c", "a")
    await store.add_dependency("c", "b")

    async def ready() -> list[str]:
        return [task.id for task in await store.ready_tasks()]

    assert await ready() == ["a", "b", "d"]
    await store.set_task_status("a", "done")
    await store.set_task_status("b", "failed")
    await store.archive("d")
    assert await ready() == []
    await store.set_task_status("b", "open")
    await store.set_task_status("b", "done")
    assert await ready() == ["c"]


async def test_a_task_does_not_wait_for_itself(store: Store) -> None:
    await _tasks(store, "a")
    with pytest.raises(CycleError, match="a -> a") as refused:
        await store.add_dependency("a", "a")
    assert refused.value.cycle == ("a", "a")
    assert await _ids(store, "a") == []


async def test_a_circle_is_refused_and_shown(store: Store) -> None:
    await _tasks(store, "abcd")
    await store.add_dependency("a", "b")
    await store.add_dependency("b", "c")
    await store.add_dependency("b", "d")
    with pytest.raises(CycleError, match="c -> a -> b -> c") as refused:
        await store.add_dependency("c", "a")
    assert refused.value.cycle == ("c", "a", "b", "c")
    assert await _ids(store, "c") == []


def _reaches(edges: set[tuple[int, int]], start: int, goal: int) -> bool:
    reached = {start}
    for _ in edges:
        reached |= {on for task, on in edges if task in reached}
    return goal in reached


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4), st.integers(0, 4)), max_size=25))
async def test_the_graph_is_what_a_simple_one_would_be(moves: list[tuple[bool, int, int]]) -> None:
    edges: set[tuple[int, int]] = set()
    async with open_store(":memory:") as store:
        await _tasks(store, "01234")
        for add, task, on in moves:
            if not add:
                if (task, on) in edges:
                    await store.remove_dependency(str(task), str(on))
                    edges.remove((task, on))
            elif _reaches(edges, on, task):
                with pytest.raises(CycleError) as refused:
                    await store.add_dependency(str(task), str(on))
                cycle = [int(name) for name in refused.value.cycle]
                assert cycle[0] == cycle[-1] == task
                assert cycle[1] == on
                assert set(pairwise(cycle[1:])) <= edges
            else:
                await store.add_dependency(str(task), str(on))
                edges.add((task, on))
        for n in range(5):
            assert await _ids(store, str(n)) == sorted(str(on) for task, on in edges if task == n)
            dependents = {task.id for task in await store.dependents(str(n))}
            assert dependents == {str(task) for task, on in edges if on == n}
