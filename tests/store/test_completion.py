"""What could be typed next in the query line."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import InvalidValue, QueryError, Store
from store.query.completion import complete, completions, wanted_values
from store.query.model import FilterName
from store.query.parser import parse_query
from tests.store.helpers import at, new_task, said


def offered(line: str, values: Sequence[str] = ()) -> list[str]:
    """Give the lines that completing at `|` could make, with the cursor where it would stand."""
    text, cursor = line.replace("|", ""), line.index("|")
    return [
        text[: item.start] + item.text + "|" + text[item.end :]
        for item in complete(text, cursor, values)
    ]


def test_the_name_of_a_filter() -> None:
    assert offered("ag|") == ["agent:|"]
    assert offered("retry -AG| foo") == ["retry -agent:| foo"]
    assert offered("b|") == ["branch:|", "before:|"]
    assert offered("i|") == ["is:|", "in:|"]
    assert offered("a|gent:codex") == ["after:|codex"]
    assert offered("agent|:codex") == []
    assert offered("agent|") == ["agent:|"]
    assert len(offered("retry |")) == len(offered("|")) == len(FilterName)
    assert all(item.help for item in complete("", 0))
    assert len({item.help for item in complete("", 0)}) == len(FilterName)
    for nothing in ("xyz|", '"ag|', '"ag"|', "ag*|", "foo::ag|", "retry|", "x.is|", "-|"):
        assert offered(nothing) == [], nothing


def test_a_value_of_a_fixed_choice() -> None:
    assert offered("is:|") == [
        f"is:{it}|" for it in ["archived", "gone", "fork", "subagent", "live"]
    ]
    assert offered("x is:f| y") == ["x is:fork| y"]
    assert offered("is:gone,f|") == ["is:gone,fork|"]
    assert offered("is:gone,g|") == []
    assert offered("kind:tool-|") == ["kind:tool_call|", "kind:tool_result|"]
    assert offered("kind:tool|_call x") == [
        "kind:tool_result| x",
        "kind:tool| x",
    ]
    assert offered("role:user|") == []
    assert offered("sort:re|") == ["sort:relevance|"]
    assert offered("-status:D|") == ["-status:done|"]


def test_a_date() -> None:
    assert offered("after:y|") == ["after:yesterday|"]
    assert offered("before:3|") == [f"before:3{unit}|" for unit in ("h", "d", "w", "mo")]
    assert offered("after:2026|") == []
    assert "after:monday|" in offered("after:|")


def test_a_value_that_the_store_has() -> None:
    assert wanted_values("x agent:co", 10) == (FilterName.AGENT, "co")
    assert wanted_values("x agent:codex,cl y", 16) == (FilterName.AGENT, "cl")
    assert wanted_values('project:"my a', 13) == (FilterName.PROJECT, "my a")
    for line in ("x|", "is:|", "after:|", '"x|', "agent:codex |", "|"):
        assert wanted_values(line.replace("|", ""), line.index("|")) is None, line
    assert offered("agent:co| x", ["codex", "copilot"]) == ["agent:codex| x", "agent:copilot| x"]
    assert offered('project:"my a|', ["my app", "my, own"]) == [
        'project:"my app"|',
        'project:"my, own"|',
    ]
    assert offered("project:my|", ["my app"]) == ['project:"my app"|']
    assert offered("tag:a,b,|", ["a", "B", "c"]) == ["tag:a,b,c|"]


@given(
    st.text(st.sampled_from('ag:"is,- \nü*'), max_size=20),
    st.integers(0, 20),
    st.lists(st.text(min_size=1).filter(lambda text: text.strip()), max_size=3),
)
def test_every_completion_can_be_typed(text: str, place: int, values: list[str]) -> None:
    cursor = min(place, len(text))
    for item in complete(text, cursor, values):
        assert 0 <= item.start <= cursor <= item.end <= len(text)
        typed = text[: item.start] + item.text + " "
        assert typed != text
        try:
            parse_query(typed)
        except QueryError as error:
            assert item.text.endswith(":") or error.start < item.start


@pytest.fixture
async def used(store: Store) -> Store:
    for n, (folder, branch, agent) in enumerate(
        [
            ("/src/Old", "main", "claude"),
            ("/src/new", "fix/Main", "claude"),
            ("/x/new", "", "codex"),
        ]
    ):
        session = await store.create_session(
            folder, agent, task_id=f"t{n}", git_branch=branch or None, model=f"m-{n}",
            created_at=at(n),
        )  # fmt: skip
        await store.save_messages(session.task_id, [said("hi", at(n))])
    await new_task(store, id="plan", project_path=None)
    await store.tag("t0", "bug", "Später")
    await store.tag("t1", "bug")
    await new_task(store, id="theirs", tenant_id="acme", project_path="/src/secret")
    return store


async def test_a_store_knows_the_values_that_its_tasks_have(used: Store) -> None:
    assert await used.filter_values("agent") == ["claude", "codex"]
    assert await used.filter_values("project") == ["new", "Old"]
    assert await used.filter_values("project", "o") == ["Old"]
    assert await used.filter_values("project", "/SRC") == ["/src/new", "/src/Old"]
    assert await used.filter_values("branch", "main") == ["main", "fix/Main"]
    assert await used.filter_values("model", limit=2) == ["m-2", "m-1"]
    assert await used.filter_values("tag") == ["bug", "Später"]
    assert await used.filter_values("tag", "SP") == ["Später"]
    assert await used.filter_values("is", "f") == ["fork"]
    assert await used.filter_values("after") == []
    with pytest.raises(InvalidValue):
        await used.filter_values("nothing")
    assert [item.text for item in await completions(used, "x agent:co", 10)] == ["codex"]
    assert [item.text for item in await completions(used, "ag", 2)] == ["agent:"]
