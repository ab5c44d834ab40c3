"""Sessions: one for each task, found by the agent's own id."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import Conflict, InvalidValue, NotFound, Session, SessionStatus, Store, open_store
from tests.store.helpers import at, new_task, run, said, texts


async def test_beginning_a_session_makes_its_task(store: Store) -> None:
    session = await store.create_session("/src/x", "claude", title="Fix", model="m", user_id="ada")
    assert uuid.UUID(session.session_id).version == 4
    assert uuid.UUID(session.task_id).version == 4
    assert session.status is SessionStatus.CREATED
    task = await store.get_task(session.task_id)
    assert (task.title, task.project_path) == ("Fix", "/src/x")
    assert await store.get_session(session.task_id) == session
    assert await store.find_session("claude", session.session_id) == session


async def test_saving_for_the_same_task_replaces_the_session_and_keeps_the_past(
    store: Store,
) -> None:
    first = await store.create_session(
        "/src/x", "claude", session_id="one", model="old", user_id="ada", created_at=at(0)
    )
    task_id = first.task_id
    await store.save_message(task_id, "user", "hello")

    second = await store.save_session(task_id, "two", "codex", model="new", created_at=at(9))

    assert (second.session_id, second.backend, second.model) == ("two", "codex", "new")
    assert second.created_at == at(0)
    assert (second.user_id, second.project_path) == ("ada", "/src/x")
    assert second.message_count == 1
    assert texts(await store.get_history(task_id)) == ["hello"]
    assert len((await store.list_sessions()).items) == 1
    with pytest.raises(NotFound, match="one"):
        await store.find_session("claude", "one")


async def test_a_session_belongs_to_one_task(store: Store) -> None:
    owner = await store.create_session("/src", "claude", session_id="s")
    thief = await new_task(store, "thief")
    with pytest.raises(Conflict, match=owner.task_id):
        await store.save_session(thief, "s", "claude")
    with pytest.raises(Conflict, match=owner.task_id):
        await store.create_session("/src", "claude", session_id="s")
    assert len(await store.list_task_ids()) == 1, "a refused session leaves no task behind"
    assert (await store.find_session("claude", "s")).task_id == owner.task_id
    # The same words are another session for another agent, root or tenant.
    await store.save_session(thief, "s", "codex")
    await store.create_session("/src", "claude", session_id="s", namespace="/root")
    await store.create_session("/src", "claude", session_id="s", tenant_id="acme")


async def test_a_session_is_of_its_tasks_tenant(store: Store) -> None:
    task_id = await new_task(store, tenant_id="acme")
    assert (await store.save_session(task_id, "s", "claude")).tenant_id == "acme"
    with pytest.raises(Conflict, match="tenant"):
        await store.save_session(task_id, "s", "claude", tenant_id="other")
    with pytest.raises(InvalidValue, match="tenant_id"):
        await store.update_session(task_id, tenant_id="other")
    page = await store.list_sessions(tenant_id="acme")
    assert [session.task_id for session in page.items] == [task_id]
    assert (await store.list_sessions(tenant_id="local")).items == ()


async def test_a_second_task_of_the_same_id_is_refused(store: Store) -> None:
    await new_task(store, "mine", id="t")
    with pytest.raises(Conflict, match="'t'"):
        await store.create_session("/src", "claude", task_id="t")
    assert (await store.get_task("t")).title == "mine"


async def test_a_misspelt_field_is_refused_and_nothing_is_kept(store: Store) -> None:
    with pytest.raises(InvalidValue, match="modle"):
        await store.create_session("/src", "claude", modle="x")
    with pytest.raises(InvalidValue, match="message_count"):
        await store.create_session("/src", "claude", message_count=3)
    with pytest.raises(InvalidValue, match="backend"):
        await store.create_session("/src", "")
    with pytest.raises(InvalidValue, match="origin"):
        await store.create_session("/src", "claude", origin="the sky")
    assert await store.count_tasks() == 0


async def test_changing_a_session_changes_what_is_given(store: Store) -> None:
    session = await store.create_session("/src", "claude", model="old", git_branch="main")
    changed = await store.update_session(session.task_id, model="new", source_gone_at=at(1))
    assert (changed.model, changed.git_branch) == ("new", "main")
    assert changed.source_gone_at == at(1)
    for field in ("session_id", "backend", "status", "message_count", "created_at"):
        with pytest.raises(InvalidValue, match=field):
            await store.update_session(session.task_id, **{field: None})


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=40)
@given(st.dictionaries(st.text(), _JSON, max_size=4))
async def test_context_and_traits_come_back_as_given(given_json: dict[str, Any]) -> None:
    async with open_store(":memory:") as store:
        session = await store.create_session(
            "/src", "claude", context=given_json, traits={"t": given_json}
        )
        session = await store.save_session(session.task_id, session.session_id, "claude")
        assert session.context == given_json
        assert session.traits == {"t": given_json}


async def test_context_nests_as_deep_as_anybody_would(store: Store) -> None:
    deep: dict[str, Any] = {}
    for _ in range(150):
        deep = {"in": [deep]}
    session = await store.create_session("/src", "claude", context=deep)
    assert (await store.get_session(session.task_id)).context == deep


async def test_deleting_a_session_keeps_the_task_and_its_numbers(store: Store) -> None:
    session = await store.create_session("/src", "claude", session_id="s", title="Fix")
    task_id = session.task_id
    await store.save_messages(task_id, [said("one", is_prompt=True), said("two", key="k")])

    await store.delete_session(task_id)

    task = await store.get_task(task_id)
    assert (task.title, task.message_count, task.prompt_count) == ("Fix", 0, 0)
    assert task.last_message_at is None
    assert await store.get_history(task_id) == []
    with pytest.raises(NotFound):
        await store.find_session("claude", "s")
    assert (await store.save_message(task_id, "user", "three")).seq == 3
    assert [m.seq for m in await store.save_messages(task_id, [said("two", key="k")])] == [4]


async def test_sessions_are_listed_newest_first_page_by_page(store: Store) -> None:
    for n in range(7):
        await store.create_session(
            f"/src/{n % 2}", "claude", session_id=str(n), created_at=at(n // 2), user_id=f"u{n % 3}"
        )
    everything = (await store.list_sessions()).items
    assert [s.created_at for s in everything] == sorted(
        (s.created_at for s in everything), reverse=True
    )
    paged: list[Session] = []
    cursor = None
    while True:
        page = await store.list_sessions(cursor=cursor, limit=2)
        paged += page.items
        if (cursor := page.cursor) is None:
            break
    assert paged == list(everything)
    assert {s.session_id for s in (await store.list_sessions(project_path="/src/1")).items} == {
        "1",
        "3",
        "5",
    }
    assert {s.session_id for s in (await store.list_sessions(user_id="u0")).items} == {
        "0",
        "3",
        "6",
    }
    assert (await store.list_sessions(status="active")).items == ()
    with pytest.raises(InvalidValue):
        await store.list_sessions(cursor="not a cursor")


LEAVE_ACTIVE = """
    import asyncio, sys
    from store import open_store

    async def main():
        async with open_store(sys.argv[1]) as store:
            await store.create_session("/src", "claude", task_id="left", status="active")

    asyncio.run(main())
"""


async def test_a_session_left_active_by_a_dead_process_is_paused(database: Path) -> None:
    run(LEAVE_ACTIVE, database)
    async with open_store(database) as store:
        mine = await store.create_session("/src", "claude", status="active")
        assert (await store.get_session("left")).status is SessionStatus.PAUSED
        async with open_store(database) as other:
            assert (await other.get_session(mine.task_id)).status is SessionStatus.ACTIVE


TOUCH = """
    import asyncio, sys
    from store import open_store

    async def main():
        async with open_store(sys.argv[1]) as store:
            await store.update_session(sys.argv[2], model="changed by a visitor")

    asyncio.run(main())
"""


async def test_an_active_session_stays_its_process_s_when_another_touches_it(
    database: Path,
) -> None:
    async with open_store(database) as store:
        mine = await store.create_session("/src", "claude", status="active")
        run(TOUCH, database, mine.task_id)
        async with open_store(database) as other:
            session = await other.get_session(mine.task_id)
        assert session.model == "changed by a visitor"
        assert session.status is SessionStatus.ACTIVE
