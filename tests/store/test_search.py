"""A person looks for what was said: a word, a name, a command, an error from months ago."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from store import (
    Hits,
    InvalidValue,
    Kind,
    NewMessage,
    NotFound,
    QueryError,
    Role,
    Store,
    Task,
    TaskFilter,
    open_store,
)
from store.sqlite.engine import SqliteStore
from tests.store.helpers import at, new_task, said


async def conversation(store: Store, *messages: NewMessage, **fields: object) -> str:
    """Store a session of an agent's; give its task."""
    session = await store.create_session("/src/uploader", "claude", **fields)
    await store.save_messages(session.task_id, messages)
    return session.task_id


def answer(text: str, when: object = None, kind: Kind = Kind.TEXT) -> NewMessage:
    return said(text, when, role=Role.ASSISTANT, kind=kind)


def call(tool: str, arguments: str) -> NewMessage:
    return said(
        arguments, at(2), role=Role.ASSISTANT, kind=Kind.TOOL_CALL, tool_name=tool, tool_call_id="c"
    )


def output(text: str, when: object = None) -> NewMessage:
    return said(text, when, role=Role.TOOL, kind=Kind.TOOL_RESULT, tool_call_id="c")


def found(hits: Hits) -> list[tuple[str, int]]:
    return [(hit.task_id, hit.seq) for hit in hits.hits]


async def seqs(store: Store, query: str) -> list[int]:
    """Give the numbers of what is found in the one history of a store."""
    return [hit.seq for hit in (await store.search(query)).hits]


async def test_a_hit_tells_where_it_is_and_why(store: Store) -> None:
    task = await conversation(
        store,
        said("Why the storm?", at(0)),
        answer("The retry loop\n  has no backoff.", at(1)),
        title="Fix retries",
        session_id="s-1",
    )
    hits = await store.search("BACKOFF")
    [hit] = hits.hits
    assert (hit.task_id, hit.seq, hit.session_id, hit.agent) == (task, 2, "s-1", "claude")
    assert (hit.title, hit.project_path) == ("Fix retries", "/src/uploader")
    assert (hit.role, hit.kind, hit.timestamp) == (Role.ASSISTANT, Kind.TEXT, at(1))
    assert hit.snippet == "The retry loop has no backoff."
    assert [hit.snippet[start:end] for start, end in hit.marks] == ["backoff"]
    assert (hits.total, hits.is_capped, hits.cursor, hits.unindexed) == (1, False, None, 0)


async def test_the_newest_come_first_in_whatever_order_they_were_stored(store: Store) -> None:
    for task, minutes in (("b", 5), ("a", 9), ("c", 1)):
        await new_task(store, id=task)
        await store.save_messages(
            task, [said("storm", at(minutes)), said("storm", at(minutes + 3))]
        )
    hits = await store.search("storm")
    assert found(hits) == [("a", 2), ("a", 1), ("b", 2), ("b", 1), ("c", 2), ("c", 1)]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("foo_bar", "call foo_bar() now"),
        ("foo", "call foo_bar() now"),
        ("bar", "call foo_bar() now"),
        ("fooBar", "class FooBar:"),
        ("foobar", "x = fooBar(1)"),
        ("bar", "x = fooBar(1)"),
        ("username", "getUserName()"),
        ("src/x.py:42", 'File "src/x.py:42", in main'),
        ("x.py", "src/x.py:42"),
        ("--no-verify", "git commit --no-verify -m x"),
        (".env", "cp .env.example .env"),
        ("foo::bar", "use foo::bar;"),
        ("c++", "in C++, say"),
        ("naive", "a naïve way"),
        ("naïve", "a naive way"),
        ("CAFÉ", "cafe\u0301 au lait"),
        ("don't", "I don’t know"),
        ("日本", "これは日本語の文です"),
        ("的文", "中文的文字"),
        ("ภาษา", "นี่คือภาษาไทย"),
        ("검색", "전문검색을 한다"),
        ("->", "def f() -> None"),
        ("🚀", "done 🚀"),
        ('"retry storm"', "a retry,\nstorm after storm"),
        ("upl*", "the uploader"),
        ("TypeError:", "raise TypeError: x"),
        ("'NoneType'", "'NoneType' object is not subscriptable"),
    ],
)
async def test_words_as_a_programmer_types_them(store: Store, query: str, text: str) -> None:
    await conversation(store, answer(text))
    assert await seqs(store, query) == [1]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("foo_bar", "foo bar"),
        ("x.py:42", "x.py 42"),
        ("--force", "by force"),
        (".env", "the env"),
        ("upload", "the uploader"),
        ("serna", "getUserName"),
        ('"storm retry"', "a retry storm"),
        ("-storm retry", "a retry storm"),
        ("語日", "日本語"),
    ],
)
async def test_what_is_not_meant_is_not_found(store: Store, query: str, text: str) -> None:
    await conversation(store, answer(text))
    assert await seqs(store, query) == []


@pytest.mark.parametrize(
    "query",
    [
        "AND",
        "a OR",
        "NEAR(",
        '"',
        "*",
        "(",
        "a^2",
        "{x}",
        "-",
        '"" "" x',
        "\0",
        "\ud800",
        "%_",
        "\\",
    ],
)
async def test_no_query_reaches_the_index_as_it_is(store: Store, query: str) -> None:
    await conversation(store, answer("and so on"))
    assert isinstance(await store.search(query), Hits)


async def test_everything_that_was_said_is_found(store: Store) -> None:
    await conversation(
        store,
        said("the prompt", at(0)),
        answer("the answer", at(1)),
        answer("the thought", at(1), Kind.THINKING),
        call("WebFetch", '{"command":"rg -n\\nneedle src/","path":"/etc/hosts"}'),
        said("the summary", at(3), role=Role.SYSTEM, kind=Kind.SUMMARY),
    )
    for seq, words in enumerate(("prompt", "answer", "thought", "webfetch", "summary"), 1):
        assert await seqs(store, words) == [seq]
    assert await seqs(store, "needle /etc/hosts") == [4]


async def test_tool_output_is_counted_and_found_on_demand(store: Store) -> None:
    await conversation(store, said("the error", at(0)), output("error: no such file", at(1)))
    hits = await store.search("error")
    assert [hit.seq for hit in hits.hits] == [1]
    assert (hits.total, hits.more_in_tools) == (1, 1)
    for query in ("error in:all", "error role:tool,user", "error kind:text,output"):
        hits = await store.search(query)
        assert [hit.seq for hit in hits.hits] == [2, 1]
        assert (hits.total, hits.more_in_tools) == (2, 0)
    assert (await store.search("error role:user")).more_in_tools == 0


async def test_filters_with_and_without_words(store: Store) -> None:
    one = await conversation(store, said("storm", at(0)), answer("storm", at(1)), model="opus-4")
    other = await store.create_session("/src/api", "codex", git_branch="fix/it")
    await store.save_message(other.task_id, "user", "storm", timestamp=at(9))
    await store.tag(other.task_id, "red")
    await store.archive(other.task_id)
    both = [(other.task_id, 1), (one, 2), (one, 1)]
    expected = {
        "agent:codex": both[:1],
        "-agent:codex": both[1:],
        "project:api": both[:1],
        "branch:fix": both[:1],
        "model:opus": both[1:],
        "tag:red": both[:1],
        "is:archived": both[:1],
        "-is:archived": both[1:],
        "role:user": [both[0], both[2]],
        "kind:thinking": [],
        f"after:{at(1):%Y-%m-%dT%H:%MZ}": both[:2],
        f"before:{at(1):%Y-%m-%dT%H:%MZ}": both[2:],
    }
    for text, hits in expected.items():
        assert found(await store.search(text)) == hits, text
        assert found(await store.search(f"{text} storm")) == hits, text
        assert found(await store.search(f"{text} calm")) == []
    assert found(await store.search("")) == both
    assert found(await store.search("storm", filter=TaskFilter())) == both[1:]
    assert found(await store.search("storm", task_id=one)) == both[1:]


async def test_a_message_that_a_fork_copied_is_found_once(store: Store) -> None:
    first = await conversation(store, said("storm", at(0)), answer("calm storm", at(1)))
    fork = await new_task(store, fork_of=first)
    copied = [
        said("storm", at(60), inherited=True),
        said("calm storm", at(61), role=Role.ASSISTANT, inherited=True),
    ]
    own = said("storm again", at(99), inherited=True)  # which its origin never said
    await store.save_messages(fork, [*copied, own])
    hits = await store.search("storm")
    assert sorted(found(hits)) == sorted([(fork, 3), (first, 1), (first, 2)])
    assert hits.total == 3
    in_fork = await store.search("storm", task_id=fork)
    assert len(in_fork.hits) == 3, "in its own history it is there to be read"
    await store.delete_task(first)
    assert len((await store.search("storm")).hits) == 3, "the copy is all there is"


async def test_forks_of_what_is_gone_give_one_hit(store: Store) -> None:
    for number in range(3):
        session = await store.create_session("/src", "codex", fork_session_id="gone")
        texts = [said("storm", at(0), inherited=True), said(f"own {number}", at(number))]
        await store.save_messages(session.task_id, texts)
    assert (await store.search("storm")).total == 1


async def test_page_by_page(store: Store) -> None:
    task = await conversation(store, *(said(f"storm {n:03}", at(n // 7)) for n in range(230)))
    for query in ("storm", '"storm"', "", "storm sort:relevance"):
        seen: list[int] = []
        cursor = None
        while True:
            page = await store.search(query, limit=50, cursor=cursor)
            assert (page.total, page.is_capped) == (230, False)
            seen += [hit.seq for hit in page.hits]
            if page.cursor is None:
                break
            cursor = page.cursor
        assert seen == list(range(230, 0, -1)), query
    cursor = (await store.search("storm", limit=1)).cursor
    with pytest.raises(InvalidValue, match="another query"):
        await store.search("calm", cursor=cursor)
    with pytest.raises(InvalidValue, match="another query"):
        await store.search("storm", task_id=task, cursor=cursor)
    with pytest.raises(InvalidValue):
        await store.search("storm", cursor="x")
    with pytest.raises(NotFound):
        await store.search("storm", task_id="nobody")
    with pytest.raises(QueryError):
        await store.search("storm sort:title")


async def test_counts_end_at_a_thousand(store: Store) -> None:
    await conversation(store, *(said("storm") for _ in range(1001)))
    hits = await store.search("storm", limit=3)
    assert (len(hits.hits), hits.total, hits.is_capped) == (3, 1000, True)
    assert (await store.search("storm", limit=2000)).total == 1000
    assert len((await store.search("storm", limit=2000)).hits) == 1001


async def test_a_search_that_may_take_no_time_goes_on_where_it_was(store: Store) -> None:
    texts = [said("foo bar", at(n)) for n in range(300)]
    texts[7] = said("foo_bar", at(7))
    await conversation(store, *texts)
    pages = 0
    cursor = None
    seen: list[int] = []
    while pages == 0 or cursor is not None:
        page = await store.search("foo_bar", seconds=0, cursor=cursor)
        assert page.is_capped is (page.cursor is not None) or pages
        assert page.is_cut is (page.cursor is not None) or not pages
        seen += [hit.seq for hit in page.hits]
        cursor = page.cursor
        pages += 1
    assert seen == [8]
    assert pages > 3
    first, whole = await store.search("foo_bar", seconds=0), await store.search("foo_bar")
    assert (first.is_cut, first.is_capped) == (True, True)
    assert (whole.is_cut, whole.is_capped, whole.total) == (False, False, 1)


async def test_who_has_time_gets_a_full_page_and_counts_for_a_while(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await conversation(store, *(said("foo bar", at(n)) for n in range(300)))
    monkeypatch.setattr("store.sqlite.search._UNHURRIED", 0)
    page = await store.search("foo", limit=200)
    assert (len(page.hits), page.is_capped, page.is_cut) == (200, True, True)
    assert 200 < page.total < 300
    assert page.cursor is not None
    rest = await store.search("foo", limit=200, cursor=page.cursor)
    assert (len(rest.hits), rest.cursor) == (100, None)


async def test_a_cancelled_search_ends_and_the_next_goes_on(store: Store) -> None:
    await conversation(store, *(said("foo bar", at(n)) for n in range(500)))
    searching = asyncio.create_task(store.search("foo_bar"))
    await asyncio.sleep(0)
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching
    assert (await store.search("foo")).total == 500


async def test_who_types_over_a_search_has_the_next_one_answered(database: Path) -> None:
    began = threading.Event()

    def endless(db: sqlite3.Connection) -> None:
        numbers = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
        beside = db.execute(numbers)
        next(beside)
        for _ in db.execute(numbers):
            began.set()
        raise AssertionError(beside)

    async with open_store(database) as store:
        assert isinstance(store, SqliteStore)
        await conversation(store, said("foo", at(0)))
        for _ in range(30):
            began.clear()
            reading = asyncio.create_task(store._read(endless))
            await asyncio.to_thread(began.wait)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            assert (await store.search("foo")).total == 1


async def test_tasks_are_found_by_what_they_say_themselves(store: Store) -> None:
    talked = await conversation(store, said("a retry storm", at(0)), title="Retry storm")
    silent = await conversation(store, said("hello", at(1)), title="Another retryStorm")
    notes = await store.save_task(Task(title="Notes", notes="a storm\nof retry", tags=("weather",)))
    hits = await store.search("retry storm")
    assert found(hits) == [(talked, 1)]
    assert {(hit.task_id, hit.field) for hit in hits.tasks} == {
        (silent, "title"),
        (notes.id, "notes"),
    }
    [title] = [hit for hit in hits.tasks if hit.task_id == silent]
    assert (title.first_seq, title.agent, title.timestamp) == (1, "claude", at(1))
    assert [title.snippet[start:end] for start, end in title.marks] == ["retry", "Storm"]
    in_titles = await store.search("retry in:title")
    assert {hit.task_id for hit in in_titles.tasks} == {talked, silent}
    assert (in_titles.hits, in_titles.total) == ((), 0)
    for query, field in (("weath*", "tags"), ("uploader", "project"), ("notes", "title")):
        assert {hit.field for hit in (await store.search(query)).tasks} == {field}
    assert (await store.search("retry role:user")).tasks == ()
    assert (await store.search("-retry")).tasks == ()


async def test_what_a_task_says_is_found_as_it_is_now(store: Store) -> None:
    task = await conversation(store, title="before", git_branch="main")

    async def fields(query: str) -> list[str]:
        return [hit.field for hit in (await store.search(query)).tasks]

    await store.update_task(task, title="behind")
    await store.tag(task, "one", "two")
    await store.update_session(task, git_branch="topic")
    assert (await fields("before"), await fields("behind")) == ([], ["title"])
    assert (await fields("one two"), await fields("topic")) == (["tags"], ["branch"])
    await store.untag(task, "one")
    assert (await fields("one"), await fields("two")) == ([], ["tags"])
    await store.delete_session(task)
    assert await fields("topic") == []
    await store.delete_task(task)
    assert await fields("behind") == []


async def test_the_most_relevant_first(store: Store) -> None:
    await conversation(
        store,
        answer("a storm, " + "and much else that is said of other things " * 30, at(0)),
        said("storm upon storm", at(1)),
        answer("nothing but a storm, which is all", at(2)),
        call("Bash", '{"command":"storm"}'),
    )
    assert await seqs(store, "storm sort:relevance") == [2, 3, 4, 1]


async def test_what_the_source_lost_is_found(store: Store) -> None:
    task = await conversation(store, said("storm"), source_path="/gone.jsonl")
    await store.mark_gone("claude", ["/gone.jsonl"])
    assert found(await store.search("storm is:gone")) == [(task, 1)]


async def test_histories_that_are_rewound_are_found(store: Store) -> None:
    await conversation(store, said("storm", on_branch=False))
    assert await seqs(store, "storm") == [1]


async def test_everything_at_one_moment(store: Store) -> None:
    """Records without a time take their session's: thousands then have the same."""
    texts: Sequence[NewMessage] = [said(f"storm {n}", at(0)) for n in range(3000)]
    task = await conversation(store, *texts[:2990])
    for text in texts[2990:]:
        await store.save_messages(task, [text])
    other = await conversation(store, said("storm", at(1)), said("storm", at(-1)))
    hits = await store.search("storm", limit=3002)
    order = found(hits)
    assert sorted(order) == sorted([(task, n + 1) for n in range(3000)] + [(other, 1), (other, 2)])
    before = await store.search(f"before:{at(0):%Y-%m-%dT%H:%MZ} storm")
    assert found(before) == [(other, 2)]
    after = await store.search(f"after:{at(1):%Y-%m-%dT%H:%MZ} storm")
    assert found(after) == [(other, 1)]
