"""Lists: filtered, sorted, and read page by page without losing or repeating anything."""

from __future__ import annotations

from typing import Any

import pytest

from store import (
    Conflict,
    InvalidValue,
    NotFound,
    Origin,
    QueryError,
    Store,
    TaskFilter,
    TaskRow,
    TaskSort,
)
from store.query.parser import parse_query
from store.query.uses import listed
from tests.store.helpers import at, new_task, said

ALL = TaskFilter(everything=True, archived=None)


async def _pages(store: Store, wanted: TaskFilter, limit: int) -> list[TaskRow]:
    rows: list[TaskRow] = []
    cursor: str | None = None
    while True:
        page = await store.list_tasks(wanted, cursor=cursor, limit=limit)
        assert len(page.items) <= limit
        rows += page.items
        assert len(rows) <= 1000, "a list has an end"
        if (cursor := page.cursor) is None:
            return rows
        assert page.items, "a page that goes on is not empty"


async def _conversation(
    store: Store, name: str, folder: str, messages: int = 1, **fields: object
) -> str:
    session = await store.create_session(
        folder, "claude", task_id=name, session_id=f"s-{name}", title=name, **fields
    )
    await store.save_messages(session.task_id, [said("hi", at(0))] * messages)
    return name


async def _names(store: Store, wanted: TaskFilter) -> set[str]:
    ids = await store.list_task_ids(wanted)
    assert await store.count_tasks(wanted) == len(ids) == len(set(ids))
    return set(ids)


@pytest.mark.parametrize("sort", TaskSort)
async def test_pages_together_are_the_whole_list_in_every_order(
    store: Store, sort: TaskSort
) -> None:
    for n in range(23):
        await new_task(
            store,
            ("same", "Same", "other", "ümlaut", "nul\0inside", "", "日本")[n % 7],
            id=f"t{n}",
            project_path=(None, "/a", "/b")[n % 3],
            created_at=at(n % 4),
        )
        await store.save_messages(f"t{n}", [said("x", at(n % 5))] * (n % 3))
    wanted = ALL.model_copy(update={"sort": sort})
    ids = await store.list_task_ids(wanted)
    assert sorted(ids) == sorted(f"t{n}" for n in range(23))
    for limit in (1, 2, 7, 23, 24):
        assert [row.task.id for row in await _pages(store, wanted, limit)] == ids

    rows = [row.task for row in await _pages(store, wanted, 50)]
    keys: dict[TaskSort, list[Any]] = {
        TaskSort.ACTIVE: [task.last_message_at or task.created_at for task in rows][::-1],
        TaskSort.CREATED: [task.created_at for task in rows][::-1],
        TaskSort.MESSAGES: [-task.message_count for task in rows],
        TaskSort.TITLE: [task.title.lower() for task in rows],
        TaskSort.PROJECT: [task.project_path or "" for task in rows],
    }
    assert keys[sort] == sorted(keys[sort])


async def test_a_task_that_arrives_between_two_pages_repeats_none(store: Store) -> None:
    for n in range(6):
        await new_task(store, id=f"t{n}", created_at=at(n))
    first = await store.list_tasks(limit=3)
    await new_task(store, id="late", created_at=at(99))
    second = await store.list_tasks(cursor=first.cursor, limit=9)
    assert [row.task.id for row in (*first.items, *second.items)] == [
        f"t{n}" for n in range(5, -1, -1)
    ]


async def test_a_cursor_is_good_for_its_own_list_only(store: Store) -> None:
    for n in range(3):
        await new_task(store, str(n))
    page = await store.list_tasks(limit=1)
    with pytest.raises(InvalidValue, match="cursor"):
        await store.list_tasks(TaskFilter(sort=TaskSort.TITLE), cursor=page.cursor)
    for nonsense in ("", "x", "é", "bnVsbA==", "W10="):
        with pytest.raises(InvalidValue, match="cursor"):
            await store.list_tasks(cursor=nonsense)


async def test_a_limit_of_nothing_gives_nothing(store: Store) -> None:
    for n in range(5):
        await new_task(store, str(n))
    assert (await store.list_tasks(limit=0)).items == ()
    assert (await store.list_tasks(limit=-3)).items == ()
    assert (await store.list_sessions(limit=-3)).items == ()


async def test_a_folder_is_itself_and_what_lies_below(store: Store) -> None:
    for folder in (
        "/src/a_b",
        "/src/a_b/in",
        "/src/axb/in",
        "/src/a_bc",
        "/src/A_B/in",
        "/src/%/in",
    ):
        await _conversation(store, folder, folder)
    assert await _names(store, TaskFilter(under="/src/a_b")) == {"/src/a_b", "/src/a_b/in"}
    assert await _names(store, TaskFilter(under="/src/a_b/")) == {"/src/a_b", "/src/a_b/in"}
    assert await _names(store, TaskFilter(under="/src/%")) == {"/src/%/in"}
    assert len(await _names(store, TaskFilter(under="/"))) == 6
    assert await _names(store, TaskFilter(under="/sr")) == set()


async def test_every_word_must_occur_somewhere(store: Store) -> None:
    await _conversation(store, "Fix retry storm", "/src/uploader", git_branch="backoff")
    await _conversation(store, "100%_done \\ really", "/src/site", model="sonnet")
    for words, found in {
        ("retry",): {"Fix retry storm"},
        ("RETRY", "uploader", "backoff", "claude"): {"Fix retry storm"},
        ("retry", "site"): set(),
        ("%_",): {"100%_done \\ really"},
        ("\\",): {"100%_done \\ really"},
        ("_",): {"100%_done \\ really"},
        ("sonnet",): {"100%_done \\ really"},
        ("claude",): {"Fix retry storm", "100%_done \\ really"},
    }.items():
        assert await _names(store, TaskFilter(words=words)) == found, words


async def test_a_word_is_found_in_any_script_as_it_was_typed(store: Store) -> None:
    await _conversation(store, "ÄRGER mit Ölfässern", "/src/x")
    await _conversation(store, "Отчёт", "/src/y")
    for word in ("ÄRGER", "ärger", "Ölfässern", "ölfässern"):
        assert await _names(store, TaskFilter(words=(word,))) == {"ÄRGER mit Ölfässern"}, word
    for word in ("Отчёт", "отчёт"):
        assert await _names(store, TaskFilter(words=(word,))) == {"Отчёт"}, word


async def test_a_list_shows_a_person_their_own_first(store: Store) -> None:
    await _conversation(store, "mine", "/src")
    await _conversation(store, "helper", "/src", origin=Origin.SUBAGENT)
    await _conversation(store, "nightly", "/src", origin=Origin.AUTOMATED)
    await _conversation(store, "empty", "/src", messages=0)
    await new_task(store, id="plan")
    await _conversation(store, "old", "/src")
    await store.archive("old")

    assert await _names(store, TaskFilter()) == {"mine", "plan"}
    assert await _names(store, TaskFilter(archived=True)) == {"old"}
    assert await _names(store, TaskFilter(archived=None)) == {"mine", "plan", "old"}
    assert await _names(store, TaskFilter(everything=True)) == {
        "mine",
        "helper",
        "nightly",
        "empty",
        "plan",
    }
    assert len(await _names(store, ALL)) == 6


async def test_lists_of_one_status_agent_parent_and_tenant(store: Store) -> None:
    await _conversation(store, "parent", "/src")
    await new_task(store, id="child", parent_task_id="parent", tags=("x",))
    await new_task(store, id="theirs", tenant_id="acme")
    await store.set_task_status("child", "done")
    assert await _names(store, TaskFilter(status="done")) == {"child"}  # type: ignore[arg-type]
    assert await _names(store, TaskFilter(backend="claude")) == {"parent"}
    assert await _names(store, TaskFilter(parent_task_id="parent")) == {"child"}
    assert await _names(store, TaskFilter(parent_task_id="nobody")) == set()
    assert await _names(store, TaskFilter(top_level=True)) == {"parent"}
    assert await _names(store, TaskFilter(tenant_id="acme")) == {"theirs"}


async def test_a_row_tells_of_the_session_the_children_and_the_last_word(store: Store) -> None:
    await _conversation(store, "a", "/src", git_branch="main")
    await store.save_message("a", "assistant", "{}", kind="tool_call", timestamp=at(5))
    await store.save_message("a", "user", "from before", timestamp=at(-5))
    await new_task(store, id="b", parent_task_id="a", created_at=at(1))
    a, b = await store.get_rows(["a", "gone", "b"])
    assert a.task == await store.get_task("a")
    assert a.session == await store.get_session("a")
    assert (a.children, a.last_role, a.last_kind) == (1, "assistant", "tool_call")
    assert a.active_at == at(5)
    assert (b.session, b.children, b.last_role, b.active_at) == (None, 0, None, at(1))
    assert [row.task.id for row in await store.get_rows(["b", "a"])] == ["b", "a"]
    assert await store.get_rows([]) == []


async def test_the_start_of_an_id_is_enough_when_it_is_the_only_one(store: Store) -> None:
    await _conversation(store, "abc-1", "/src")
    await _conversation(store, "abd-2", "/src")
    await new_task(store, id="ab")
    assert await store.resolve("abc") == "abc-1"
    assert await store.resolve("s-abd") == "abd-2"
    assert await store.resolve("s-abc-1") == "abc-1"
    assert await store.resolve("ab") == "ab", "a whole id goes before beginnings"
    with pytest.raises(Conflict, match="'s-ab'"):
        await store.resolve("s-ab")
    for nobody in ("x", "ABC", "%", "_", "abc-1x"):
        with pytest.raises(NotFound):
            await store.resolve(nobody)
    with pytest.raises(NotFound):
        await store.resolve("")


def _asked(text: str, **base: Any) -> TaskFilter:
    return listed(TaskFilter(**base), parse_query(text))


async def _people(store: Store) -> None:
    await _conversation(store, "one", "/src/Uploader", git_branch="main", model="sonnet-4.5")
    await _conversation(store, "two", "/src/site", git_branch="fix/Ünit", model="opus-4")
    await store.create_session("/src/site", "codex", task_id="three", session_id="s3", title="3")
    await store.save_message("three", "user", "hi", timestamp=at(10))
    await new_task(store, "plan", id="plan")
    await store.tag("one", "Später", "bug")
    await store.tag("two", "bug")
    await store.set_task_status("two", "done")


async def test_a_list_is_asked_for_in_the_grammar_of_a_search(store: Store) -> None:
    await _people(store)
    for text, found in {
        "": {"one", "two", "three", "plan"},
        "agent:claude": {"one", "two"},
        "agent:CODEX": {"three"},
        "agent:code": set(),
        "agent:codex,claude": {"one", "two", "three"},
        "agent:codex agent:claude project:site": {"two", "three"},
        "-agent:claude": {"three", "plan"},
        "-agent:claude,codex": {"plan"},
        "project:upload": {"one"},
        "-project:SITE": {"one", "plan"},
        "branch:FIX/ü": {"two"},
        "-branch:main": {"two", "three", "plan"},
        "model:sonnet,opus": {"one", "two"},
        "tag:SPÄTER": {"one"},
        "tag:bug": {"one", "two"},
        "tag:bug tag:später": {"one"},
        "-tag:später tag:bug": {"two"},
        "status:done": {"two"},
        "-status:done": {"one", "three", "plan"},
        "one": {"one"},
        "-one": {"two", "three", "plan"},
        "-src": {"plan"},
        '"one /src"': {"one"},
        "on*": {"one"},
        "in:title src": set(),
        "in:title ONE": {"one"},
        "after:2026-01-14T12:05Z": {"three", "plan"},
        "before:2026-01-14T12:10Z": {"one", "two"},
        "before:2026-01-14T12:11Z -agent:claude": {"three"},
    }.items():
        assert await _names(store, _asked(text)) == found, text


async def test_what_a_task_can_be(store: Store) -> None:
    await _people(store)
    await _conversation(store, "helper", "/src", origin=Origin.SUBAGENT)
    await new_task(store, id="hers", origin=Origin.SUBAGENT, parent_task_id="one")
    await new_task(store, id="again", fork_of="one")
    await _conversation(store, "of a stranger", "/src", fork_session_id="unknown")
    await store.archive("two")
    await store.save_message("three", "user", "still here?")
    for text, found in {
        "is:archived": {"two"},
        "-is:archived": {"one", "three", "plan", "again", "of a stranger"},
        "is:fork": {"again", "of a stranger"},
        "is:subagent": {"helper", "hers"},
        "is:subagent,archived": {"helper", "hers", "two"},
        "is:live": {"three"},
        "-is:live": {"one", "plan", "again", "of a stranger"},
        "is:gone": set(),
        "is:fork is:live": set(),
    }.items():
        assert await _names(store, _asked(text, top_level=True)) == found, text
    await store.save_session("one", "s-one", "claude", source_gone_at=at(0))
    assert await _names(store, _asked("is:gone")) == {"one"}


@pytest.mark.parametrize("text", ["role:user", "-kind:tool", "in:all x", "sort:relevance"])
async def test_what_only_a_search_answers_is_no_query_of_a_list(text: str) -> None:
    with pytest.raises(QueryError) as caught:
        _asked(text)
    assert text.startswith(text[caught.value.start : caught.value.end])


async def test_a_list_is_sorted_as_its_query_says(store: Store) -> None:
    await _people(store)
    assert await store.list_task_ids(_asked("sort:title")) == ["three", "one", "plan", "two"]
    assert _asked("sort:newest", sort=TaskSort.TITLE).sort is TaskSort.ACTIVE
    assert _asked("x", sort=TaskSort.TITLE).sort is TaskSort.TITLE


async def test_a_filter_of_messages_is_no_filter_of_tasks(store: Store) -> None:
    role = parse_query("role:user").filters
    with pytest.raises(InvalidValue, match="role: is no filter of tasks"):
        await store.count_tasks(TaskFilter(conditions=role))
