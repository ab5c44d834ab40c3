"""What a search gives, put in order for people: groups, what to leave out, JSON."""

from __future__ import annotations

from typing import Any

import pytest

from store import Hit, Hits, Query, QueryError, TaskHit, shapes
from store.query.parser import parse_query
from store.query.relaxing import relaxed
from store.query.uses import check_search
from store.search import grouped
from tests.store.helpers import at


def hit(task: str, minutes: float, **fields: Any) -> Hit:
    given = {
        "task_id": task,
        "session_id": f"s-{task}",
        "agent": "claude",
        "project_path": "/src",
        "title": task,
        "seq": 1,
        "role": "user",
        "kind": "text",
        "tool_name": None,
        "timestamp": at(minutes),
        "snippet": "said",
    }
    return Hit.model_validate(given | fields)


def task_hit(task: str, minutes: float, field: str = "title") -> TaskHit:
    return TaskHit(
        task_id=task,
        session_id=None,
        agent=None,
        project_path=None,
        title=task,
        first_seq=None,
        field=field,
        timestamp=at(minutes),
        snippet=task,
    )


def shown(hits: list[Hit], tasks: list[TaskHit]) -> list[tuple[str, int]]:
    return [(group.about.task_id, len(group.hits)) for group in grouped(hits, tasks)]


def test_hits_are_grouped_by_session_in_the_order_of_their_first() -> None:
    newest = [hit("b", 9), hit("a", 8), hit("b", 7)]
    assert shown(newest, [task_hit("t", 8.5), task_hit("old", 0)]) == [
        ("b", 2),
        ("t", 0),
        ("a", 1),
        ("old", 0),
    ]
    relevant = [hit("a", 1), hit("b", 9), hit("a", 3)]
    assert shown(relevant, [task_hit("t", 5)]) == [("a", 2), ("b", 1), ("t", 0)]
    assert [one.timestamp for one in grouped(newest)[0].hits] == [at(9), at(7)]
    assert grouped([]) == []


class Shelf:
    """Finds what lacks the parts that hide it, and remembers what it was asked."""

    def __init__(self, *hiding: str) -> None:
        self.hiding = hiding
        self.asked: list[str] = []

    async def search(
        self, query: Query | str, *, limit: int = 1, seconds: float | None = None
    ) -> Hits:
        assert isinstance(query, Query)
        assert seconds is not None, "somebody waits"
        assert seconds < 1
        self.asked.append(query.text)
        return Hits(total=0 if any(part in query.text for part in self.hiding) else 3)


async def test_what_to_leave_out_is_tried_filters_first() -> None:
    shelf = Shelf("agent:codex")
    query = parse_query('retry agent:codex after:2026 -word sort:newest "back off"')
    found = await relaxed(shelf, query)
    assert [(one.part, one.hits.total) for one in found] == [("agent:codex", 3)]
    assert found[0].query == parse_query('retry after:2026 -word sort:newest "back off"')
    assert shelf.asked == [
        'retry after:2026 -word sort:newest "back off"',
        'retry agent:codex -word sort:newest "back off"',
        'retry agent:codex after:2026 sort:newest "back off"',
        'agent:codex after:2026 -word sort:newest "back off"',
        "retry agent:codex after:2026 -word sort:newest",
    ]
    assert await relaxed(Shelf(), parse_query("retry")) == [], "a single word is all there is"
    assert await relaxed(Shelf("x", "y"), parse_query("is:gone x y")) == [], "two at once hide it"


def test_a_search_has_no_order_of_tasks() -> None:
    for text in ("x", "sort:newest", "sort:relevance x", "sort:title sort:newest"):
        if "title" not in text:
            check_search(parse_query(text))
            continue
        with pytest.raises(QueryError, match="sort:newest and sort:relevance") as caught:
            check_search(parse_query(text))
        assert text[caught.value.start : caught.value.end] == "sort:title"


def test_hits_in_json_have_the_members_of_the_contract() -> None:
    found = Hits(
        hits=(hit("a", 1, snippet="a\x1bb", marks=((0, 1),)),),
        tasks=(task_hit("t", 0),),
        total=1000,
        is_capped=True,
        more_in_tools=7,
    )
    shape = shapes.hits(found, 50)
    message, task = shape.pop("hits")
    assert shape == {
        "total": 1001,
        "total_is_capped": True,
        "more_in_tools": 7,
        "more_in_tools_is_capped": False,
    }
    assert message == {
        "task_id": "a",
        "session_id": "s-a",
        "agent": "claude",
        "project_path": "/src",
        "title": "a",
        "seq": 1,
        "role": "user",
        "kind": "text",
        "tool_name": None,
        "field": "message",
        "timestamp": "2026-01-14T12:01:00Z",
        "snippet": "a\x1bb",
        "marks": [[0, 1]],
    }
    assert set(task) == set(message)
    assert (task["field"], task["role"], task["seq"]) == ("title", None, None)
    assert len(shapes.hits(found, 1)["hits"]) == 1
