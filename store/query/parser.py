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
from store.query.lexer import Part, Piece, name_in, pieces
from store.query.model import Filter, FilterName, In, Is, Query, Sort, Term

MOST_PARTS = 100
MOST_CHARACTERS = 10_000
"""More than this is no query that a person wrote."""

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
    parts = 0
    for piece in pieces(text):
        parts += len(piece.parts)
        if parts > MOST_PARTS:
            raise QueryError(
                f"a query has at most {MOST_PARTS} words and values", piece.start, len(text)
            )
        if piece.name is not None:
            filters.append(_filter(text, piece, piece.name, now))
        elif piece.parts[0].text.strip():
            terms.append(_term(text, piece))
    return Query(text, tuple(terms), tuple(filters))


def _term(text: str, piece: Piece) -> Term:
    [part] = piece.parts
    if not part.is_quoted:
        _refuse_misspelt(text, part)
    return Term(
        part.text,
        is_phrase=part.is_quoted,
        is_prefix=piece.is_prefix,
        is_excluded=piece.is_excluded,
        is_open=part.is_open,
        start=piece.start,
        end=piece.end,
    )


def _refuse_misspelt(text: str, part: Part) -> None:
    """Raise QueryError for what was surely meant to be a filter."""
    named = name_in(text, part.start, part.end)
    if named is None:
        return
    name, value = named
    if not name.islower() or value[:1] in ("", ":", "/", "\\"):
        return
    near = _nearest_name(name)
    if near is not None:
        raise QueryError(
            f'there is no filter "{name}"; did you mean "{near}"? In quotes it is text',
            part.start,
            part.end,
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


def _filter(text: str, piece: Piece, name: FilterName, now: datetime | None) -> Filter:
    """Check the values of a filter. Raises QueryError."""
    given = [part for part in piece.parts if part.text.strip()]
    if not given:
        raise QueryError(
            f"{name}: needs a value right behind the colon{_such_as(name)}",
            piece.start,
            piece.end,
            is_unfinished=piece.end == len(text),
        )
    if name in _SINGLE and piece.is_excluded:
        raise QueryError(f"{name}: cannot be excluded{_instead(name)}", piece.start, piece.end)
    if name in _SINGLE and len(given) > 1:
        raise QueryError(f"{name}: takes one value", piece.start, piece.end)
    values = [value for part in given for value in _values(name, part, len(text))]
    moment = _date(name, given[0], len(text), now) if name in _DATES else None
    unique = tuple(dict.fromkeys(values))
    return Filter(name, unique, piece.is_excluded, moment, piece.start, piece.end)


def _values(name: FilterName, part: Part, last: int) -> tuple[str, ...]:
    """Give what a value stands for. Raises QueryError for none of the filter's choices."""
    choices = CHOICES.get(name)
    if choices is None:
        return (part.text,)
    word = part.text.lower().replace("-", "_")
    if word in choices:
        return choices[word]
    near = _nearest(word, list(choices), _CHOICES_ALIKE)
    hint = f'did you mean "{near}"?' if near else f"it can be {', '.join(choices)}"
    raise QueryError(
        f'{name}: cannot be "{part.text}"; {hint}',
        part.start,
        part.end,
        is_unfinished=part.end == last and any(choice.startswith(word) for choice in choices),
    )


def _date(name: FilterName, part: Part, last: int, now: datetime | None) -> datetime:
    moment = parse_date(part.text, now)
    if moment is None:
        raise QueryError(
            f'{name}: "{part.text}" is no date; dates are like {FORMS}',
            part.start,
            part.end,
            is_unfinished=part.end == last,
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
    values = ",".join(render_value(value) for value in item.values)
    return f"{'-' if item.is_excluded else ''}{item.name}:{values}"


def render_value(value: str) -> str:
    """Give a value as it can stand behind a colon or a comma: in quotes where it needs them."""
    return value if _PLAIN_VALUE.fullmatch(value) else _in_quotes(value)


def _in_quotes(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
