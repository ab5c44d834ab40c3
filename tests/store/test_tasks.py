"""Tasks: saving, finding, moving, putting away, deleting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from itertools import product

import pytest

from store import (
    Conflict,
    InvalidTransition,
    InvalidValue,
    NotFound,
    Origin,
    SessionStatus,
    Store,
    Task,
    TaskFilter,
    TaskStatus,
    TitleFrom,
)
from tests.store.helpers import at, new_task, said, texts

NO_TASK = "no-such-task"


async def test_ada_writes_a_task_down_and_finds_it_as_she_left_it(store: Store) -> None:
    saved = await store.save_task(
        Task(title="Fix", notes="soon", tags=("b", "a"), project_path="/src/x", created_at=at(0))
    )
    assert await store.get_task(saved.id) == saved
    assert (saved.title, saved.notes, saved.project_path) == ("Fix", "soon", "/src/x")
    assert saved.tags == ("a", "b")
    assert saved.created_at == at(0)
    assert saved.status is TaskStatus.OPEN
    assert len(saved.id) == 36


async def test_saving_again_replaces_what_she_wrote_and_keeps_what_happened(store: Store) -> None:
    task = Task(id="t", title="Fix", tags=("old",), created_at=at(0), origin=Origin.AUTOMATED)
    await store.save_task(task)
    await store.set_task_status("t", "running")
    await store.save_messages("t", [said("hello", is_prompt=True)])

    again = await store.save_task(
        Task(id="t", title="Fix it", tags=("new",), status=TaskStatus.DONE, created_at=at(9))
    )
    assert (again.title, again.tags) == ("Fix it", ("new",))
    assert again.status is TaskStatus.RUNNING
    assert again.created_at == at(0)
    assert again.origin is Origin.AUTOMATED
    assert (again.message_count, again.prompt_count) == (1, 1)
    assert texts(await store.get_history("t")) == ["hello"]


async def test_counts_given_with_a_task_are_not_believed(store: Store) -> None:
    saved = await store.save_task(Task(message_count=9, prompt_count=9, last_message_at=at(0)))
    assert (saved.message_count, saved.prompt_count, saved.last_message_at) == (0, 0, None)


async def test_reading_does_not_touch_a_task(store: Store) -> None:
    task_id = await new_task(store)
    before = await store.get_task(task_id)
    await store.get_history(task_id)
    await store.list_tasks()
    assert await store.get_task(task_id) == before


async def test_a_rename_changes_the_title_and_nothing_else(store: Store) -> None:
    task_id = await new_task(store, "Fix", title_from="prompt", notes="n", tags=("t",))
    before = await store.get_task(task_id)
    after = await store.update_task(task_id, title="Mend", title_from=TitleFrom.PERSON)
    assert (after.title, after.title_from) == ("Mend", TitleFrom.PERSON)
    ignored = {"title", "title_from", "updated_at"}
    assert after.model_dump(exclude=ignored) == before.model_dump(exclude=ignored)


async def test_what_cannot_be_changed_is_refused_in_the_stores_words(store: Store) -> None:
    task_id = await new_task(store)
    with pytest.raises(InvalidValue, match="status"):
        await store.update_task(task_id, status="done")
    with pytest.raises(InvalidValue, match="title"):
        await store.update_task(task_id, title=None)
    with pytest.raises(InvalidValue, match="title_from"):
        await store.update_task(task_id, title_from="nobody")


async def test_tags_are_a_set(store: Store) -> None:
    task_id = await new_task(store)
    await store.tag(task_id, "b", "a", "b")
    assert (await store.tag(task_id, "a", "ü")).tags == ("a", "b", "ü")
    assert (await store.untag(task_id, "a", "never there")).tags == ("b", "ü")
    with pytest.raises(InvalidValue):
        await store.tag(task_id, "")
    assert (await store.get_task(task_id)).tags == ("b", "ü")


async def test_archiving_twice_keeps_the_first_time(store: Store) -> None:
    task_id = await new_task(store)
    first = await store.archive(task_id)
    assert first.archived_at is not None
    assert (await store.archive(task_id)).archived_at == first.archived_at
    assert (await store.unarchive(task_id)).archived_at is None
    assert (await store.unarchive(task_id)).archived_at is None


TASK_MOVES = {
    ("open", "running"),
    ("running", "open"),
    *product(("open", "running"), ("done", "failed", "cancelled")),
    *product(("done", "failed", "cancelled"), ("open",)),
}
SESSION_MOVES = {
    ("created", "active"),
    ("active", "paused"),
    ("paused", "active"),
    *product(("created", "active", "paused"), ("terminated",)),
}


@pytest.mark.parametrize(("old", "new"), list(product(TaskStatus, TaskStatus)))
async def test_a_task_moves_only_as_the_table_allows(
    store: Store, old: TaskStatus, new: TaskStatus
) -> None:
    task_id = await new_task(store, status=old)
    if old == new or (old, new) in TASK_MOVES:
        assert (await store.set_task_status(task_id, new.value)).status is new
        return
    with pytest.raises(InvalidTransition, match=f"{old}.*{new}") as refused:
        await store.set_task_status(task_id, new)
    assert (refused.value.id, refused.value.old, refused.value.new) == (task_id, old, new)
    assert (await store.get_task(task_id)).status is old


@pytest.mark.parametrize(("old", "new"), list(product(SessionStatus, SessionStatus)))
async def test_a_session_moves_only_as_the_table_allows(
    store: Store, old: SessionStatus, new: SessionStatus
) -> None:
    task_id = (await store.create_session("/src", "claude", status=old)).task_id
    if old == new or (old, new) in SESSION_MOVES:
        assert (await store.set_session_status(task_id, new.value)).status is new
        return
    with pytest.raises(InvalidTransition, match=f"{old}.*{new}"):
        await store.set_session_status(task_id, new)
    session = await store.get_session(task_id)
    with pytest.raises(InvalidTransition, match=f"{old}.*{new}"):
        await store.save_session(task_id, session.session_id, "claude", status=new)
    assert (await store.get_session(task_id)).status is old


async def test_a_word_that_is_no_status_is_refused(store: Store) -> None:
    session = await store.create_session("/src", "claude")
    with pytest.raises(InvalidValue):
        await store.set_task_status(session.task_id, "nearly done")
    with pytest.raises(InvalidValue):
        await store.set_session_status(session.task_id, "asleep")
    with pytest.raises(InvalidValue):
        await store.list_sessions(status="asleep")
    with pytest.raises(InvalidValue):
        await store.save_session(session.task_id, session.session_id, "claude", status="asleep")


CALLS_WITH_AN_ID: dict[str, Callable[[Store], Awaitable[object]]] = {
    "get_task": lambda s: s.get_task(NO_TASK),
    "update_task": lambda s: s.update_task(NO_TASK, title="x"),
    "delete_task": lambda s: s.delete_task(NO_TASK),
    "set_task_status": lambda s: s.set_task_status(NO_TASK, "done"),
    "archive": lambda s: s.archive(NO_TASK),
    "unarchive": lambda s: s.unarchive(NO_TASK),
    "tag": lambda s: s.tag(NO_TASK, "x"),
    "untag": lambda s: s.untag(NO_TASK, "x"),
    "resolve": lambda s: s.resolve(NO_TASK),
    "add_dependency": lambda s: s.add_dependency(NO_TASK, "known"),
    "add_dependency on": lambda s: s.add_dependency("known", NO_TASK),
    "remove_dependency": lambda s: s.remove_dependency(NO_TASK, "known"),
    "remove_dependency on": lambda s: s.remove_dependency("known", NO_TASK),
    "dependencies": lambda s: s.dependencies(NO_TASK),
    "dependents": lambda s: s.dependents(NO_TASK),
    "forks": lambda s: s.forks(NO_TASK),
    "get_usage": lambda s: s.get_usage(NO_TASK),
    "count_messages": lambda s: s.count_messages(NO_TASK),
    "save_session": lambda s: s.save_session(NO_TASK, "id", "claude"),
    "get_session": lambda s: s.get_session(NO_TASK),
    "find_session": lambda s: s.find_session("claude", NO_TASK),
    "update_session": lambda s: s.update_session(NO_TASK, model="x"),
    "set_session_status": lambda s: s.set_session_status(NO_TASK, "active"),
    "delete_session": lambda s: s.delete_session(NO_TASK),
    "save_message": lambda s: s.save_message(NO_TASK, "user", "hello"),
    "save_messages": lambda s: s.save_messages(NO_TASK, []),
    "get_history": lambda s: s.get_history(NO_TASK),
    "iter_history": lambda s: anext(s.iter_history(NO_TASK)),
    "get_message": lambda s: s.get_message(NO_TASK, 1),
    "parent": lambda s: s.save_task(Task(parent_task_id=NO_TASK)),
    "fork": lambda s: s.save_task(Task(fork_of=NO_TASK)),
}


@pytest.mark.parametrize("call", CALLS_WITH_AN_ID)
async def test_an_id_that_nobody_knows_is_named_in_the_refusal(store: Store, call: str) -> None:
    await new_task(store, id="known")
    before = await store.list_task_ids()
    with pytest.raises(NotFound, match=NO_TASK) as refused:
        await CALLS_WITH_AN_ID[call](store)
    assert refused.value.id == NO_TASK
    assert await store.list_task_ids() == before


async def test_a_place_that_a_history_does_not_have_is_named(store: Store) -> None:
    task_id = await new_task(store)
    with pytest.raises(NotFound, match="'7'"):
        await store.get_message(task_id, 7)


async def test_a_task_without_a_session_says_so(store: Store) -> None:
    task_id = await new_task(store)
    for call in (
        store.get_session(task_id),
        store.update_session(task_id, model="x"),
        store.set_session_status(task_id, "active"),
        store.delete_session(task_id),
    ):
        with pytest.raises(NotFound, match=f"session of the task.*{task_id}"):
            await call


async def test_a_deleted_task_takes_its_own_along_and_frees_the_others(store: Store) -> None:
    session = await store.create_session("/src", "claude", session_id="s")
    gone = session.task_id
    await store.save_message(gone, "user", "hello")
    await store.tag(gone, "x")
    child = await new_task(store, "child", parent_task_id=gone, fork_of=gone)
    waiting = await new_task(store, "waiting")
    await store.add_dependency(waiting, gone)
    await store.add_dependency(gone, child)

    await store.delete_task(gone)

    for lost in (store.get_task(gone), store.get_history(gone), store.find_session("claude", "s")):
        with pytest.raises(NotFound):
            await lost
    orphan = await store.get_task(child)
    assert (orphan.parent_task_id, orphan.fork_of) == (None, None)
    assert await store.dependencies(waiting) == []
    assert {task.id for task in await store.ready_tasks()} == {child, waiting}
    facts = await store.describe()
    assert (facts["tasks"], facts["sessions"], facts["messages"]) == (2, 0, 0)
    await store.save_session(waiting, "s", "claude")  # the id is free again


async def test_a_task_of_another_tenant_is_not_overwritten(store: Store) -> None:
    await new_task(store, "theirs", id="t", tenant_id="acme")
    with pytest.raises(Conflict, match="tenant"):
        await new_task(store, "mine", id="t")
    assert (await store.get_task("t")).title == "theirs"


async def test_a_task_is_not_its_own_ancestor(store: Store) -> None:
    parent = await new_task(store, id="parent")
    await new_task(store, id="child", parent_task_id=parent)
    for ancestor in ("parent", "child"):
        with pytest.raises((Conflict, InvalidValue)):
            await new_task(store, id="parent", parent_task_id=ancestor)


BROKEN = "bad\udce9name"  # what a file name that is not UTF-8 looks like to Python

CALLS_WITH_BROKEN_TEXT: dict[str, Callable[[Store], Awaitable[object]]] = {
    "create_session": lambda s: s.create_session("/src", "claude", title=BROKEN, model=BROKEN),
    "create_session in a folder": lambda s: s.create_session(f"/src/{BROKEN}", "claude"),
    "save_task": lambda s: s.save_task(Task(id=BROKEN, title=BROKEN, notes=BROKEN)),
    "save_task in a folder": lambda s: s.save_task(Task(project_path=BROKEN)),
    "update_task": lambda s: s.update_task("t", title=BROKEN, notes=BROKEN),
    "update_task in a folder": lambda s: s.update_task("t", project_path=BROKEN),
    "tag": lambda s: s.tag("t", BROKEN),
    "untag": lambda s: s.untag("t", BROKEN),
    "save_message": lambda s: s.save_message("t", "user", BROKEN),
    "save_message key": lambda s: s.save_message("t", "user", "", key=BROKEN),
    "save_message tool": lambda s: s.save_message("t", "tool", "", tool_name=BROKEN),
    "save_message call": lambda s: s.save_message("t", "tool", "", tool_call_id=BROKEN),
    "save_message model": lambda s: s.save_message("t", "assistant", "", model=BROKEN),
    "save_session": lambda s: s.save_session("t", BROKEN, BROKEN),
    "list_tasks": lambda s: s.list_tasks(TaskFilter(words=(BROKEN,), under=BROKEN)),
    "list_sessions": lambda s: s.list_sessions(project_path=BROKEN),
}


@pytest.mark.parametrize("call", CALLS_WITH_BROKEN_TEXT)
async def test_text_that_utf_8_cannot_hold_is_taken(store: Store, call: str) -> None:
    await new_task(store, id="t")
    await CALLS_WITH_BROKEN_TEXT[call](store)
    await store.list_tasks(TaskFilter(everything=True))
    await store.get_history("t")


async def test_an_id_that_utf_8_cannot_hold_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        await store.resolve(BROKEN)
    with pytest.raises(NotFound):
        await store.get_task(BROKEN)
    with pytest.raises(NotFound):
        await store.find_session("claude", BROKEN)
    with pytest.raises(NotFound):
        await store.archive(BROKEN)


async def test_a_number_past_64_bits_is_never_a_raw_error(store: Store) -> None:
    task_id = await new_task(store)
    with pytest.raises(NotFound):
        await store.get_message(task_id, 2**70)
