"""From the text of a query to what it says, and back.

    retry "exact phrase" -word -"phrase" word*      words: all must occur, or none of those with -
    agent:codex,claude -project:"my app" after:3d   filters: any of the values, or none

Everything between blanks is one word, whatever its punctuation: `src/x.py:42`, `--no-verify`,
`foo::bar`, `->`. A quote begins a phrase only where a word or a value could begin; a doubled one
within it is a quote. One that is never closed reaches to the end of the text: somebody is typing.
A `-` excludes when a letter, digit, `_` or quote follows. Names of filters may be in capitals. A
word with a colon is a filter when its name is one, and a mistake when its name is nearly one;
any other is text, and so is everything in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from store.errors import QueryError
from store.models import Kind, Role, TaskStatus
from store.query.dates import FORMS, parse_date
from store.query.model import Filter, FilterName, In, Is, Query, Sort, Term

MOST_PARTS = 100
MOST_CHARACTERS = 10_000
"""More than this is no query that a person wrote."""

_BLANKS = re.compile(r"\s*")
_WORD = re.compile(r"\S+")
_NAME = re.compile(r"([A-Za-z]+):(?!:|//)")
_PHRASE = re.compile(r'"([^"]*(?:""[^"]*)*)("?)')
_VALUE = re.compile(r"[^\s,]*")
_PLAIN_VALUE = re.compile(r'(?!//)[^\s,":][^\s,]*')

_TOOLS = (Kind.TOOL_CALL.value, Kind.TOOL_RESULT.value)
_KINDS = {"call": _TOOLS[:1], "output": _TOOLS[1:], "tool": _TOOLS}

CHOICES: Mapping[FilterName, Mapping[str, tuple[str, ...]]] = {
    FilterName.ROLE: {item.value: (item.value,) for item in Role},
    FilterName.KIND: {item.value: (item.value,) for item in Kind} | _KINDS,
    FilterName.STATUS: {item.value: (item.value,) for item in TaskStatus},
    FilterName.IS: {item.value: (item.value,) for item in Is},
    FilterName.IN: {item.value: (item.value,) for item in In},
    FilterName.SORT: {item.value: (item.value,) for item in Sort},
}
"""The filters that have a fixed choice of values, and what each stands for."""

_DATES = (FilterName.AFTER, FilterName.BEFORE)
_SINGLE = (*_DATES, FilterName.IN, FilterName.SORT)  # one value, which cannot be excluded
_NAMES = [name.value for name in FilterName]
_OTHER_WORDS = {
    "since": FilterName.AFTER,
    "until": FilterName.BEFORE,
    "backend": FilterName.AGENT,
    "repo": FilterName.PROJECT,
    "label": FilterName.TAG,
}
_ALIKE = 0.8  # as difflib measures; `port:8080` and `type:x` stay text
_CHOICES_ALIKE = 0.6
_ABBREVIATION = 4  # letters


def parse_query(text: str, now: datetime | None = None) -> Query:
    """Understand a query. Raises QueryError, and nothing else.

    `now` is what dates without a zone and `3d` are relative to: see `store.query.dates`.
    """
    if len(text) > MOST_CHARACTERS:
        raise QueryError(
            f"a query has at most {MOST_CHARACTERS:,} characters", MOST_CHARACTERS, len(text)
        )
    terms: list[Term] = []
    filters: list[Filter] = []
    at = _skip(text, 0)
    while at < len(text):
        item, end = _item(text, at, now)
        if isinstance(item, Term):
            terms.append(item)
        elif item is not None:
            filters.append(item)
        if len(terms) + len(filters) > MOST_PARTS:
            raise QueryError(f"a query has at most {MOST_PARTS} words and filters", at, len(text))
        at = _skip(text, end)
    return Query(text, tuple(terms), tuple(filters))


def _skip(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def _item(text: str, start: int, now: datetime | None) -> tuple[Term | Filter | None, int]:
    """Read what begins at `start`; give it and where it ends."""
    following = text[start + 1 : start + 2]
    is_excluded = text[start] == "-" and (following.isalnum() or following in ('"', "_"))
    at = start + is_excluded
    if text[at : at + 1] == '"':
        return _phrase(text, start, at)
    named = _NAME.match(text, at)
    if named:
        name = named.group(1).lower()
        if name in _NAMES:
            return _filter(text, start, named.end(), FilterName(name), now)
        _refuse_misspelt(text, at, named)
    word = _WORD.match(text, at)
    assert word is not None, "blanks were skipped"
    raw = word.group()
    is_prefix = len(raw) > 1 and raw.endswith("*")
    if is_prefix:
        raw = raw[:-1]
    term = Term(raw, is_prefix=is_prefix, is_excluded=is_excluded, start=start, end=word.end())
    return term, word.end()


def _phrase(text: str, start: int, at: int) -> tuple[Term | None, int]:
    words, end, is_open = _quoted(text, at)
    is_prefix = text[end : end + 1] == "*"
    end += is_prefix
    if not words.strip():
        return None, end
    term = Term(
        words,
        is_phrase=True,
        is_prefix=is_prefix,
        is_excluded=at > start,
        is_open=is_open,
        start=start,
        end=end,
    )
    return term, end


def _quoted(text: str, at: int) -> tuple[str, int, bool]:
    """Read what is in quotes: the text, where it ends, and whether the end is missing."""
    match = _PHRASE.match(text, at)
    assert match is not None, "there was a quote"
    return match.group(1).replace('""', '"'), match.end(), not match.group(2)


def _refuse_misspelt(text: str, start: int, named: re.Match[str]) -> None:
    """Raise QueryError for what was surely meant to be a filter."""
    name = named.group(1)
    following = text[named.end() : named.end() + 1]
    if not name.islower() or not following.strip(":/\\ \t\r\n"):
        return
    near = _nearest_name(name)
    if near is not None:
        word = _WORD.match(text, start)
        end = word.end() if word else named.end()
        raise QueryError(
            f'there is no filter "{name}"; did you mean "{near}"? In quotes it is text',
            start,
            end,
        )


def _nearest_name(name: str) -> str | None:
    if name in _OTHER_WORDS:
        return _OTHER_WORDS[name]
    if len(name) >= _ABBREVIATION:
        for whole in _NAMES:
            if whole.startswith(name):
                return whole
    return _nearest(name, _NAMES, _ALIKE)


def _nearest(word: str, words: list[str], alike: float) -> str | None:
    from difflib import get_close_matches  # for mistakes only

    return next(iter(get_close_matches(word, words, 1, alike)), None)


def _filter(
    text: str, start: int, at: int, name: FilterName, now: datetime | None
) -> tuple[Filter, int]:
    """Read the values of a filter from `at` on. Raises QueryError."""
    is_excluded = text[start] == "-"
    found: list[tuple[str, int, int]] = []
    while True:
        begin = at
        if text[at : at + 1] == '"':
            value, at, _ = _quoted(text, at)
        else:
            match = _VALUE.match(text, at)
            assert match is not None, "it matches nothing, too"
            value, at = match.group(), match.end()
        if value.strip():
            found.append((value, begin, at))
        if text[at : at + 1] != ",":
            break
        at += 1
    if not found:
        raise QueryError(
            f"{name}: needs a value right behind the colon{_such_as(name)}",
            start,
            at,
            is_unfinished=at == len(text),
        )
    if name in _SINGLE and is_excluded:
        raise QueryError(f"{name}: cannot be excluded{_instead(name)}", start, at)
    if name in _SINGLE and len(found) > 1:
        raise QueryError(f"{name}: takes one value", start, at)
    values: list[str] = []
    for value, begin, end in found:
        values += _values(name, value, begin, end, len(text))
    moment = None
    if name in _DATES:
        [(value, begin, end)] = found
        moment = _date(name, value, begin, end, len(text), now)
    return Filter(name, tuple(dict.fromkeys(values)), is_excluded, moment, start, at), at


def _values(name: FilterName, value: str, start: int, end: int, last: int) -> tuple[str, ...]:
    """Give what a value stands for. Raises QueryError for none of the filter's choices."""
    choices = CHOICES.get(name)
    if choices is None:
        return (value,)
    word = value.lower().replace("-", "_")
    if word in choices:
        return choices[word]
    near = _nearest(word, list(choices), _CHOICES_ALIKE)
    hint = f'did you mean "{near}"?' if near else f"it can be {', '.join(choices)}"
    raise QueryError(
        f'{name}: cannot be "{value}"; {hint}',
        start,
        end,
        is_unfinished=end == last and any(choice.startswith(word) for choice in choices),
    )


def _date(
    name: FilterName, value: str, start: int, end: int, last: int, now: datetime | None
) -> datetime:
    moment = parse_date(value, now)
    if moment is None:
        raise QueryError(
            f'{name}: "{value}" is no date; dates are like {FORMS}',
            start,
            end,
            is_unfinished=end == last,
        )
    return moment


def _such_as(name: FilterName) -> str:
    if name in _DATES:
        return f", such as {name}:3d"
    choices = CHOICES.get(name)
    return f", such as {name}:{next(iter(choices))}" if choices else ""


def _instead(name: FilterName) -> str:
    other = {FilterName.AFTER: FilterName.BEFORE, FilterName.BEFORE: FilterName.AFTER}.get(name)
    return f"; {other}: is its opposite" if other else ""


def render(query: Query) -> str:
    """Give a text that says the same: parsing it gives an equal query, given the same `now`."""
    parts = [_render_term(term) for term in query.terms]
    parts += [_render_filter(item) for item in query.filters]
    return " ".join(parts)


def _render_term(term: Term) -> str:
    words = _in_quotes(term.text) if term.is_phrase else term.text
    return f"{'-' if term.is_excluded else ''}{words}{'*' if term.is_prefix else ''}"


def _render_filter(item: Filter) -> str:
    values = (
        value if _PLAIN_VALUE.fullmatch(value) else _in_quotes(value) for value in item.values
    )
    return f"{'-' if item.is_excluded else ''}{item.name}:{','.join(values)}"


def _in_quotes(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
