"""What a search finds is what a plain scan finds: every message is read, and the rule applied.

The rule is `store.words`'s, told here in another way: by words and what stands between them, where
the store goes by characters.
"""

from __future__ import annotations

import json
import re
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import Kind, NewMessage, Role, Task
from store.query.model import Query
from store.query.parser import parse_query
from store.search import Hits
from store.sqlite import engine, index, messages, sessions, tasks
from store.sqlite.search import Wanted, search

START = datetime(2026, 3, 1, tzinfo=UTC)
AGENTS = ("claude", "codex")
KINDS = ((Kind.TEXT, Role.USER), (Kind.TEXT, Role.ASSISTANT), (Kind.THINKING, Role.ASSISTANT))
TOOLS = ((Kind.TOOL_CALL, Role.ASSISTANT), (Kind.TOOL_RESULT, Role.TOOL))

WORDS = (
    *("foo", "Foo", "bar", "BAR", "foobar", "fooBar", "FooBarBaz", "getUserName", "userName"),
    *("HTTPServer", "server", "x9", "42", "utf8Decode", "aBcDeFgHiJk", "naïve", "naive", "CAFÉ"),
    *(
        "cafe\u0301",
        "Straße",
        "日本語",
        "本",
        "日本",
        "ไทย",
        "한국어",
        "йод",
        "иод",
        "ﬁx",
        "Ⅳ",
        "ａｂ",
    ),
)
MARKS = (
    *(" ", " ", " ", " ", "\n", ", ", ". ", "_", "_", "/", ".", ":", "::", "-", " --", " .", " $"),
    *("->", " -> ", "(", ") ", "'", "’", '"', "\\", "…", "🚀", "\u200d", "\0", "", "", "%", "* "),
)


Place = tuple[str, int]


class Said(NamedTuple):
    task: int
    message: NewMessage


class Kept(NamedTuple):
    """A store's contents, and what of them the index has: nothing, the first half, all."""

    said: Sequence[Said]
    indexed: int


texts = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(MARKS)), max_size=7).map(
    lambda pairs: "".join(part for pair in pairs for part in pair)
)


@st.composite
def kept(draw: st.DrawFn) -> Kept:
    said = []
    for number in range(draw(st.integers(0, 12))):
        kind, role = draw(st.sampled_from((*KINDS, *KINDS, *TOOLS)))
        content = draw(texts)
        if kind is Kind.TOOL_CALL and draw(st.booleans()):
            content = json.dumps({"command": content}, ensure_ascii=False)
        tool = draw(st.sampled_from(("Bash", "ReadFile"))) if kind is Kind.TOOL_CALL else None
        at = START + timedelta(hours=draw(st.integers(0, 200)), seconds=number)
        message = NewMessage(role=role, content=content, kind=kind, tool_name=tool, timestamp=at)
        said.append(Said(draw(st.integers(0, 2)), message))
    return Kept(said, draw(st.integers(0, 2)))


@st.composite
def terms(draw: st.DrawFn) -> str:
    """Give a term as it is typed: a word, or a part of a text."""
    pieces = draw(st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(MARKS)), max_size=2))
    text = "".join(part for pair in pieces for part in pair) + draw(st.sampled_from(WORDS))
    mode = draw(st.integers(0, 4))
    if mode == 0:
        text = text[: draw(st.integers(1, 4))]
    if mode == 1:
        text = draw(st.sampled_from(("", "--", ".", "$", "->"))) + text
    if mode == 2:
        text += draw(st.sampled_from((",", ".", "/", "::", "()", "?")))
    if re.search(r'[\s"]', text) or draw(st.integers(0, 3)) == 0:
        text = '"' + text.replace('"', '""') + '"'
    text += draw(st.sampled_from(("", "", "*")))
    return draw(st.sampled_from(("", "", "", "-"))) + text


FILTERS = (
    *("agent:codex", "-agent:codex", "project:one", "role:user", "-role:user", "kind:tool"),
    *("kind:text,thinking", "-kind:text", "in:all", "after:2026-03-04", "before:2026-03-06"),
    *("tag:red", "branch:main", "is:archived", "role:tool", "status:open", "model:opus"),
)
queries = st.tuples(
    st.lists(terms(), max_size=3), st.lists(st.sampled_from(FILTERS), max_size=2)
).map(lambda parts: " ".join((*parts[0], *parts[1])))


@pytest.fixture(scope="module")
def db() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    engine._set_up(connection, name=":memory:", migrating=True, synchronous="normal")
    yield connection
    connection.close()


def fill(db: sqlite3.Connection, kept: Kept) -> None:
    for number in range(3):
        tags = ("red",) if number == 1 else ()
        folder = ("/src/one", "/src/two", None)[number]
        title = ("fooBar naïve", "getUserName 日本語", "")[number]
        task = Task(id=str(number), title=title, tags=tags, project_path=folder, notes="x9 notes")
        tasks.save(db, task)
        if number < len(AGENTS):
            fields = {"git_branch": "main" if number else "fix/foo", "model": "opus-4"}
            sessions.save(db, str(number), f"s{number}", AGENTS[number], fields)
    tasks.set_archived(db, "1", archived=True)
    half = len(kept.said) // 2
    for part in (kept.said[:half], kept.said[half:]):
        for one in part:
            messages.save(db, str(one.task), [one.message])
        if kept.indexed == 2 or (kept.indexed == 1 and part is kept.said[:half]):
            for may_wait in (0, 1):
                index._put_in(db, may_wait, 1000)
    index.follow(db, 0)


# The rule


def fold(text: str) -> str:
    """Take case and accents from a text."""
    plain = []
    for char in unicodedata.normalize("NFC", text):
        bare = "".join(
            one for one in unicodedata.normalize("NFKD", char) if not "\u0300" <= one <= "\u036f"
        )
        if char.isalnum() and len(bare) == 1 and bare < "\u0400":
            char = bare
        elif "\u0300" <= char <= "\u036f":
            continue
        folded = char.casefold()
        plain.append({"’": "'"}.get(char, folded if len(folded) == 1 else char.lower()))
    return "".join(plain)


def is_alone(char: str) -> bool:
    """Say whether a character is a word by itself."""
    unspaced = ("\u0e00", "\u0eff"), ("\u2e80", "\ua4cf"), ("\uac00", "\ud7ff")
    return any(first <= char <= last for first, last in unspaced)


def is_letter(char: str) -> bool:
    is_mark = unicodedata.category(char)[0] == "M" and not "\ufe00" <= char <= "\ufe0f"
    return char.isalnum() or is_mark


def split(text: str) -> tuple[list[str], list[str]]:
    """Give a text's words as they are written, and what stands before, between and behind them."""
    words: list[str] = []
    between = [""]
    going_on = False
    for char in text:
        if not is_letter(char):
            between[-1] += char
            going_on = False
        elif going_on and not is_alone(char):
            words[-1] += char
        else:
            words.append(char)
            between.append("")
            going_on = not is_alone(char)
    return words, between


def names(word: str, has_parts: bool) -> list[list[str]]:
    """Give a word's parts in every way that it may be begun: as a whole first."""
    if not has_parts or not word.isascii() or len(word) > 64:
        return [[word]]
    parts = re.findall(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z0-9]+|[A-Z]", word)
    parts = _joined(parts)
    return [[word]] if len(parts) > 5 else [parts[begin:] for begin in range(len(parts))]


def _joined(parts: list[str]) -> list[str]:
    joined: list[str] = []
    for part in parts:
        if joined and not part[0].isupper():
            joined[-1] += part
        else:
            joined.append(part)
    return joined


LEADING = "$@#%&-_/\\~+=^|."


class Term(NamedTuple):
    words: list[str]
    between: list[str]
    literal: str
    goes_on: bool


def term_of(text: str, goes_on: bool) -> Term:
    words, between = split(fold(text))
    goes_on = goes_on and not between[-1] and bool(words) and not is_alone(words[-1])
    return Term(words, between, fold(text).strip(), goes_on)


def occurs(term: Term, text: str, kind: Kind) -> bool:
    if kind is Kind.TOOL_CALL and text[:1] in "{[" and text:
        text = re.sub(
            r"\\(?:u(....)|(.))",
            lambda escape: (
                chr(int(escape[1], 16)) if escape[1] else escape[2] if escape[2] in '"\\/' else " "
            ).rjust(len(escape[0])),
            text,
        )
    text = unicodedata.normalize("NFC", text)
    text = "".join(char for char in text if not "\u0300" <= char <= "\u036f")
    if not term.words:
        return term.literal in fold(text)
    words, between = split(text)
    has_parts = kind is not Kind.TOOL_RESULT
    return any(_occurs_at(term, words, between, place, has_parts) for place in range(len(words)))


def _occurs_at(
    term: Term, words: list[str], between: list[str], place: int, has_parts: bool
) -> bool:
    last = place + len(term.words) - 1
    if last >= len(words):
        return False
    beside = fold(between[place]), fold(between[last + 1])
    lead = "".join(char for char in term.between[0] if char in LEADING)
    trail = "".join(char for char in term.between[-1] if char in LEADING and char != ".")
    if not _ends_with(beside[0], lead) or not _ends_with(beside[1][::-1], trail[::-1]):
        return False
    gaps = zip(term.between[1:-1], between[place + 1 : last + 1], strict=True)
    if not all(
        _is_gap(typed, fold(there), term.words[number : number + 2])
        for number, (typed, there) in enumerate(gaps)
    ):
        return False
    begun = names(words[place], has_parts)[: 1 if lead else None]
    if place == last:
        return any(_is_part(parts, term.words[0], term.goes_on, bool(trail)) for parts in begun)
    return (
        any(fold("".join(parts)) == term.words[0] for parts in begun)
        and [fold(word) for word in words[place + 1 : last]] == term.words[1:-1]
        and _is_part(names(words[last], has_parts)[0], term.words[-1], term.goes_on, bool(trail))
    )


def _is_gap(typed: str, there: str, beside: list[str]) -> bool:
    if re.search(r"\s", typed):
        return bool(there) or any(is_alone(word[0]) for word in beside)
    return _is_between(there, typed) if typed else not there


def _is_part(parts: list[str], wanted: str, goes_on: bool, is_whole: bool) -> bool:
    whole = fold("".join(parts))
    if goes_on:
        return whole.startswith(wanted)
    if is_whole:
        return whole == wanted
    return any(fold("".join(parts[:end])) == wanted for end in range(1, len(parts) + 1))


def _is_between(there: str, typed: str) -> bool:
    fill = r".{0,3}"
    pattern = fill + "".join(re.escape(char) + fill for char in typed)
    return re.fullmatch(pattern, there, re.DOTALL) is not None


def _ends_with(there: str, typed: str) -> bool:
    if not typed:
        return True
    pattern = r".{0,3}".join(map(re.escape, typed)) + r".{0,3}"
    return re.search(f"{pattern}$", there, re.DOTALL) is not None


# The scan


def scanned(kept: Kept, text: str) -> tuple[list[Place], int]:
    """Give the places of what a query finds, the newest first, and how many are left out."""
    query = parse_query(text)
    found, left_out = [], 0
    numbers = [0, 0, 0]
    for one in kept.said:
        numbers[one.task] += 1
        message = one.message
        is_output = message.kind is Kind.TOOL_RESULT
        if not _passes(query, one):
            continue
        both = [(message.content, message.kind)]
        if message.tool_name:
            both.append((message.tool_name, Kind.TEXT))
        wanted = [term_of(term.text, term.is_prefix) for term in query.wanted]
        unwanted = [term_of(term.text, term.is_prefix) for term in query.excluded]
        if not all(any(occurs(term, *each) for each in both) for term in wanted):
            continue
        if any(occurs(term, *each) for term in unwanted for each in both):
            continue
        if is_output and not query.wants_tool_output:
            left_out += 1
            continue
        assert message.timestamp is not None
        found.append((message.timestamp, str(one.task), numbers[one.task]))
    return [(task, seq) for _, task, seq in sorted(found, reverse=True)], left_out


def _passes(query: Query, one: Said) -> bool:
    message, task = one.message, one.task
    assert message.timestamp is not None
    facts = {
        "agent": (*AGENTS, "")[task],
        "project": ("/src/one", "/src/two", "")[task],
        "branch": ("fix/foo", "main", "")[task],
        "model": ("opus-4", "opus-4", "")[task],
        "role": message.role.value,
        "kind": message.kind.value,
        "tag": "red" if task == 1 else "",
        "status": "open",
        "is": "archived" if task == 1 else "",
    }
    for item in query.conditions:
        fact = facts[item.name.value]
        is_part = item.name.value in ("project", "branch", "model")
        fits = any(value in fact if is_part else value == fact for value in item.values)
        if fits is item.is_excluded:
            return False
    after, before = query.after, query.before
    return (after is None or message.timestamp >= after) and (
        before is None or message.timestamp < before
    )


def places(found: Hits) -> list[Place]:
    return [(hit.task_id, hit.seq) for hit in found.hits]


@given(kept(), queries)
@settings(deadline=None, max_examples=300)
def test_a_search_finds_what_a_scan_finds(db: sqlite3.Connection, kept: Kept, text: str) -> None:
    db.execute("BEGIN")
    try:
        fill(db, kept)
        found = search(db, Wanted(parse_query(text)))
        expected, left_out = scanned(kept, text)
        assert places(found) == expected
        assert (found.total, found.is_capped) == (len(expected), False)
        assert found.more_in_tools == left_out
        assert found.cursor is None
        pages: list[Place] = []
        cursor = None
        for _ in range(len(expected) + 1):
            page = search(db, Wanted(parse_query(text), limit=2, cursor=cursor))
            pages += places(page)
            cursor = page.cursor
            if cursor is None:
                break
        assert pages == expected
        by_relevance = search(db, Wanted(parse_query(f"{text} sort:relevance")))
        assert sorted(places(by_relevance)) == sorted(expected)
    finally:
        db.execute("ROLLBACK")
