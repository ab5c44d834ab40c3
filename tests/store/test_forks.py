"""Where forks leave the history that they began in."""

from __future__ import annotations

import pytest

from store import NotFound, Store, Task
from tests.store.helpers import at, said


async def _fork(store: Store, task_id: str, origin: str, *messages: object) -> None:
    await store.save_task(Task(id=task_id, fork_of=origin))
    await store.save_messages(task_id, list(messages))  # type: ignore[arg-type]


async def _origin(store: Store) -> None:
    await store.save_task(Task(id="origin"))
    words = ["why", "because", "again", "because"]
    await store.save_messages(
        "origin", [said(text, at(n), key=f"k{n}") for n, text in enumerate(words)]
    )


async def test_a_fork_leaves_at_the_last_message_that_it_took_over(store: Store) -> None:
    await _origin(store)
    taken = [
        said("why", at(0), key="k0", inherited=True),
        said("because", at(1), key="k1", inherited=True),
    ]
    await _fork(store, "fork", "origin", *taken, said("other", at(9), key="k9"))
    assert await store.fork_points("origin") == {"fork": 2}
    assert await store.fork_points("fork") == {}


async def test_copies_under_other_names_are_found_by_their_time_or_place(store: Store) -> None:
    await _origin(store)
    same_time = [
        said("why", at(0), key="a", inherited=True),
        said("because", at(1), key="b", inherited=True),
    ]
    await _fork(store, "same time", "origin", *same_time)
    stamped_anew = [
        said(text, at(50), inherited=True) for text in ("why", "because", "again", "because")
    ]
    await _fork(store, "stamped anew", "origin", *stamped_anew)
    assert await store.fork_points("origin") == {"same time": 2, "stamped anew": 4}


async def test_a_fork_that_took_nothing_over_or_something_else_has_no_place(store: Store) -> None:
    await _origin(store)
    await _fork(store, "empty", "origin")
    await _fork(store, "own", "origin", said("other", at(5)))
    await _fork(store, "odd", "origin", said("never said", at(0), inherited=True))
    assert await store.fork_points("origin") == {}
    assert await store.fork_points("origin", limit=1) == {}
    with pytest.raises(NotFound, match="nowhere"):
        await store.fork_points("nowhere")
