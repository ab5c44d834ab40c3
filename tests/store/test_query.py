"""The query line: what is typed, and what it says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from store import QueryError
from store.query.model import Filter, FilterName, In, Is, Query, Sort, Term
from store.query.parser import CHOICES, MOST_CHARACTERS, MOST_PARTS, parse_query, render

NOW = datetime(2026, 11, 18, 15, 30, tzinfo=timezone(timedelta(hours=2)))  # a Wednesday


def parse(text: str) -> Query:
    return parse_query(text, NOW)


def refused(text: str) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse(text)
    return caught.value


def word(text: str, **marks: bool) -> Term:
    return Term(text, **marks)


def test_words_phrases_and_what_may_not_occur() -> None:
    query = parse('  retry "exact phrase"  -word -"no such" upl* "back o"*  -pre* ')
    assert query.terms == (
        word("retry"),
        word("exact phrase", is_phrase=True),
        word("word", is_excluded=True),
        word("no such", is_phrase=True, is_excluded=True),
        word("upl", is_prefix=True),
        word("back o", is_phrase=True, is_prefix=True),
        word("pre", is_prefix=True, is_excluded=True),
    )
    assert [query.text[term.start : term.end] for term in query.terms] == [
        "retry",
        '"exact phrase"',
        "-word",
        '-"no such"',
        "upl*",
        '"back o"*',
        "-pre*",
    ]
    assert [term.text for term in query.wanted] == ["retry", "exact phrase", "upl", "back o"]
    assert [term.text for term in query.excluded] == ["word", "no such", "pre"]


@pytest.mark.parametrize(
    "text",
    [
        "src/x.py:42",
        "http://localhost:8080/x?y=z",
        "foo::bar",
        "agent::new()",
        "is://x",
        "C:\\x",
        "error:",
        "TypeError:",
        "Agnt:x",
        "agnt:",
        "agnt:/x",
        "localhost:8080",
        "port:8080",
        "type:checking",
        "--no-verify",
        "->",
        "-",
        "-=",
        "*",
        "**kwargs",
        'print("hello")',
        "it's",
        "(x)",
        "[/foo]",
        "^",
        "a,b",
        "NEAR(a",
        "AND",
        "日本語",
        "ümlaut",
        "\0",
        "\ud800",
    ],
)
def test_punctuation_is_text(text: str) -> None:
    assert parse(f"before {text} behind").terms[1:2] == (word(text),)
    assert parse(text).filters == ()


def test_a_quote_within_a_phrase_is_doubled_and_one_within_a_word_is_text() -> None:
    assert parse('"say ""hi"""').terms == (word('say "hi"', is_phrase=True),)
    assert parse('"C:\\" x').terms == (word("C:\\", is_phrase=True), word("x"))
    assert parse('"a"b').terms == (word("a", is_phrase=True), word("b"))
    assert parse('f("a b")').terms == (word('f("a'), word('b")'))
    assert parse('"" -"" " "').terms == ()
    assert parse("-_private -日本").terms == (
        word("_private", is_excluded=True),
        word("日本", is_excluded=True),
    )


def test_somebody_who_types_has_not_closed_the_quote_and_not_ended_the_word() -> None:
    query = parse('retry "back off')
    assert query.terms == (word("retry"), word("back off", is_phrase=True))
    assert query.terms[1].is_open
    assert query.as_typed().terms[1] == word("back off", is_phrase=True, is_prefix=True)
    assert parse("ret upl").as_typed().terms == (word("ret"), word("upl", is_prefix=True))
    for whole in ("upl ", '"back off"', "-upl", "upl agent:codex", 'project:"my a', ""):
        assert parse(whole).as_typed() == parse(whole), whole
    assert parse('project:"my a').filters[0].values == ("my a",)


def test_filters_their_alternatives_and_what_repeats() -> None:
    query = parse(
        'agent:codex,claude -agent:goose project:"my app",web AGENT:amp branch:main role:user'
        " tag:a,b tag:c is:fork is:gone -is:archived -is:live kind:tool status:Done"
    )
    assert query.terms == ()
    assert query.any_of(FilterName.AGENT) == ("codex", "claude", "amp")
    assert query.none_of(FilterName.AGENT) == ("goose",)
    assert query.any_of(FilterName.PROJECT) == ("my app", "web")
    assert query.any_of(FilterName.KIND) == ("tool_call", "tool_result")
    assert query.any_of(FilterName.STATUS) == ("done",)
    assert [
        (item.name, item.values, item.is_excluded)
        for item in query.conditions
        if item.name in ("tag", "is")
    ] == [
        ("tag", ("a", "b"), False),
        ("tag", ("c",), False),
        ("is", ("fork",), False),
        ("is", ("gone",), False),
        ("is", ("archived", "live"), True),
    ]
    assert len(query.conditions) == 12
    first = query.filters[0]
    assert query.text[first.start : first.end] == "agent:codex,claude"
    assert parse("agent:codex, claude") == parse("claude agent:codex")


def test_where_and_in_which_order() -> None:
    assert (parse("x").scope, parse("x").sort) == (None, None)
    assert parse("in:title x").scope is In.TITLE
    assert parse("in:title in:all").scope is In.ALL
    assert parse("sort:relevance").sort is Sort.RELEVANCE
    assert [parse(text).wants_tool_output for text in ("x", "in:title", "-role:tool")] == [
        False
    ] * 3
    for text in ("in:all", "role:tool", "kind:tool", "kind:output", "kind:tool-result"):
        assert parse(text).wants_tool_output, text


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("retry agnt:codex x", "agnt:codex", 'did you mean "agent"?'),
        ("-agnt:codex", "agnt:codex", 'did you mean "agent"?'),
        ("brnach:x", "brnach:x", 'did you mean "branch"?'),
        ("proj:x", "proj:x", 'did you mean "project"?'),
        ("since:3d", "since:3d", 'did you mean "after"?'),
        ("x agent: y", "agent:", "needs a value right behind the colon"),
        ('tag:"" y', 'tag:""', "needs a value"),
        ("role:bob x", "bob", "it can be system, user, assistant, tool"),
        ("status:opne", "opne", 'did you mean "open"?'),
        ("is:fork,gnoe", "gnoe", 'did you mean "gone"?'),
        ("after:tomorrowish x", "tomorrowish", "is no date; dates are like 2026-10-01"),
        ('after:"" x', 'after:""', "such as after:3d"),
        ("after:2026-13", "2026-13", "is no date"),
        ("after:99999y", "99999y", "is no date"),
        ("-after:3d", "-after:3d", "cannot be excluded; before: is its opposite"),
        ("-sort:newest", "-sort:newest", "cannot be excluded"),
        ("after:3d,4d", "after:3d,4d", "takes one value"),
    ],
)
def test_a_wrong_query_says_what_is_wrong_and_where(text: str, place: str, words: str) -> None:
    error = refused(text)
    assert words in str(error)
    assert text[error.start : error.end] == place


def test_what_may_become_right_by_typing_on_is_not_finished() -> None:
    for text in (
        "agent:",
        "x is:",
        "is:arch",
        "role:u",
        "after:2026-1",
        "after:yest",
        "kind:tool-",
    ):
        assert refused(text).is_unfinished, text
    for text in ("is:xyz", "is:arch x", "agent: x", "agnt:c", "-after:3d"):
        assert not refused(text).is_unfinished, text


def test_no_query_is_too_long_to_be_refused() -> None:
    assert len(parse("x " * MOST_PARTS).terms) == MOST_PARTS
    assert "at most 100 words" in str(refused("x " * MOST_PARTS + "y"))
    assert "at most 100 words" in str(refused("agent:" + "x," * MOST_PARTS + "y"))
    assert "at most 10,000 characters" in str(refused('"' + "a" * MOST_CHARACTERS))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-01", "2026-10-01T00:00+02:00"),
        ("2026-10", "2026-10-01T00:00+02:00"),
        ("2026", "2026-01-01T00:00+02:00"),
        ("today", "2026-11-18T00:00+02:00"),
        ("Yesterday", "2026-11-17T00:00+02:00"),
        ("wednesday", "2026-11-18T00:00+02:00"),
        ("thursday", "2026-11-12T00:00+02:00"),
        ("mon", "2026-11-16T00:00+02:00"),
        ("3d", "2026-11-15T15:30+02:00"),
        ("2w", "2026-11-04T15:30+02:00"),
        ("12h", "2026-11-18T03:30+02:00"),
        ("30m", "2026-11-18T15:00+02:00"),
        ("2mo", "2026-09-19T15:30+02:00"),
        ("9:15", "2026-11-18T09:15+02:00"),
        ("2026-10-01T14:30", "2026-10-01T14:30+02:00"),
        ('"2026-10-01 14:30:05"', "2026-10-01T14:30:05+02:00"),
        ("2026-10-01T14:30Z", "2026-10-01T14:30+00:00"),
        ("2026-10-01t14:30-05:00", "2026-10-01T14:30-05:00"),
    ],
)
def test_dates_are_in_the_zone_of_now(text: str, moment: str) -> None:
    after = parse(f"after:{text}").after
    assert after == datetime.fromisoformat(moment)
    assert after.tzinfo is UTC
    assert parse(f"before:{text}").before == after


def test_without_a_zone_a_day_begins_by_the_systems_clock() -> None:
    after = parse_query("after:2026-03-01").after
    assert after == datetime(2026, 3, 1).astimezone()
    naive = parse_query("after:today", datetime(2026, 7, 1, 12)).after
    assert naive == datetime(2026, 7, 1).astimezone()
    recent = parse_query("after:1h").after
    assert recent is not None
    assert abs(datetime.now(UTC) - timedelta(hours=1) - recent) < timedelta(minutes=1)


def test_bounds_given_twice_narrow() -> None:
    query = parse("after:2026 after:2026-10 before:2026-11 before:2026-12")
    assert query.after == parse("after:2026-10").after
    assert query.before == parse("before:2026-11").before


PIECES = st.lists(
    st.one_of(
        st.sampled_from([*'"-*:,\\ \n\u3000_\0\ud800', "::", "//", '""']),
        st.sampled_from([*(f"{name}:" for name in FilterName), *Is, *Sort, "agnt:", "tool-call"]),
        st.sampled_from(
            ["3d", "2026-10-01", "99999y", "yesterday", "9:99", "word", "Wörter", "日本"]
        ),
        st.text(max_size=8),
    ),
    max_size=12,
).map("".join)


@given(PIECES)
@example("after:0001-01-01T00:00+14:00")
@example("after:9999-12-31")
@example('"a"*"b"')
@example('"a"-b')
@example("a***")
@example('agent:a"b,"c,d"')
def test_any_text_is_a_query_or_a_mistake_in_it(text: str) -> None:
    try:
        query = parse(text)
    except QueryError as error:
        assert 0 <= error.start <= error.end <= len(text)
        assert str(error)
        return
    ends = 0
    items: list[Term | Filter] = [*query.terms, *query.filters]
    for item in sorted(items, key=lambda item: item.start):
        assert ends <= item.start < item.end <= len(text), "places in order, none shared"
        ends = item.end
        source = text[item.start : item.end]
        assert source == source.lstrip()
        alone = parse(source)
        assert item in (*alone.terms, *alone.filters), "a part says the same alone"
        if isinstance(item, Term):
            assert item.text
            assert item.text in (source.replace('""', '"') if item.is_phrase else source)
    assert parse(render(query)) == query
    assert parse(query.as_typed().text) == query


VALUES = st.text(min_size=1, max_size=12).filter(lambda text: text.strip())
TERMS = st.builds(Term, VALUES, is_phrase=st.just(True), is_prefix=..., is_excluded=...)
FREE = st.sampled_from([name for name in FilterName if name not in CHOICES and name not in
                        ("after", "before")])  # fmt: skip
FILTERS = st.one_of(
    st.builds(
        Filter, FREE, st.lists(VALUES, min_size=1, max_size=3, unique=True).map(tuple),
        is_excluded=...,
    ),
    st.sampled_from([item for item in CHOICES if item not in ("in", "sort")]).flatmap(
        lambda name: st.builds(
            Filter,
            st.just(name),
            st.sampled_from([v for v in CHOICES[name].values() if len(v) == 1]),
            is_excluded=...,
        )
    ),
)  # fmt: skip


@given(st.lists(TERMS, max_size=4), st.lists(FILTERS, max_size=4))
@example([], [Filter(FilterName.AGENT, (":b", "//c", '"', "a,b"))])
@example([], [Filter(FilterName.AGENT, ("//c",))])
def test_whatever_a_query_says_can_be_written(terms: list[Term], filters: list[Filter]) -> None:
    query = Query("", tuple(terms), tuple(filters))
    assert parse(render(query)) == query
