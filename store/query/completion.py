"""What could be typed next: names of filters, and their values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from store.query.dates import WEEKDAYS, WORDS
from store.query.lexer import Part, Piece, pieces
from store.query.model import FilterName
from store.query.parser import CHOICES, render_value

MOST = 50

HELP: Mapping[FilterName, str] = {
    FilterName.AGENT: "the agent that held the conversation",
    FilterName.PROJECT: "a part of the folder",
    FilterName.BRANCH: "a part of the git branch",
    FilterName.MODEL: "a part of the model's name",
    FilterName.ROLE: "who speaks in the message",
    FilterName.KIND: "what the message holds",
    FilterName.TAG: "a tag of the task",
    FilterName.STATUS: "where the task stands",
    FilterName.IS: "what the task is",
    FilterName.AFTER: "at or after a date",
    FilterName.BEFORE: "before a date",
    FilterName.IN: "where words are looked for",
    FilterName.SORT: "the order",
}

_DATES = (FilterName.AFTER, FilterName.BEFORE)
_UNITS = ("h", "d", "w", "mo")
_REST_OF_NAME = re.compile("[A-Za-z]*:?")
_REST_OF_VALUE = re.compile(r"[^\s,]*")


@dataclass(frozen=True, slots=True)
class Completion:
    """A text to stand in place of what is from `start` to `end` in the query.

    A name of a filter ends with its colon; `help` says what it is for.
    """

    text: str
    start: int
    end: int
    help: str = ""


class Values(Protocol):
    """Who knows the values that a store has: `filter_values` of a store."""

    async def filter_values(
        self, name: FilterName | str, prefix: str = "", *, limit: int = MOST
    ) -> list[str]:
        """Give values that begin with, or hold, a text; the best first."""
        ...


def wanted_values(text: str, cursor: int) -> tuple[FilterName, str] | None:
    """Give which filter's values of the store `complete` needs, and how they begin.

    None when it needs none: at a word, in a phrase, at a filter with a fixed choice.
    """
    piece = _at_cursor(text, cursor)
    if piece is None or piece.name is None or piece.name in CHOICES or piece.name in _DATES:
        return None
    return piece.name, piece.parts[-1].text


def complete(text: str, cursor: int, values: Sequence[str] = ()) -> list[Completion]:
    """Give what could be meant at the cursor, the likeliest first.

    `values` are what the store has for `wanted_values`. Behind a blank every filter is named; in
    a phrase, or where nothing fits or could be added, there is nothing.
    """
    piece = _at_cursor(text, cursor)
    if piece is None:
        part = Part("", cursor, cursor)
        return list(_names(text, part, cursor))
    part = piece.parts[-1]
    if piece.name is not None:
        found = _values(piece, part, values)
        end = cursor if part.is_quoted else _end(_REST_OF_VALUE, text, cursor)
        texts = [render_value(value) for value in found]
        return [
            Completion(value, part.start, end)
            for value in dict.fromkeys(texts)
            if value != text[part.start : end]
        ][:MOST]
    if part.is_quoted or piece.is_prefix:
        return []
    return list(_names(text, part, cursor))


async def completions(store: Values, text: str, cursor: int) -> list[Completion]:
    """Give what could be meant at the cursor, with the values that a store has."""
    wanted = wanted_values(text, cursor)
    values = await store.filter_values(*wanted) if wanted else ()
    return complete(text, cursor, values)


def _at_cursor(text: str, cursor: int) -> Piece | None:
    """Give the piece that the cursor touches from behind, as if the text ended there."""
    before = list(pieces(text[:cursor]))
    return before[-1] if before and before[-1].end == cursor else None


def _end(rest: re.Pattern[str], text: str, cursor: int) -> int:
    match = rest.match(text, cursor)
    return match.end() if match else cursor


def _names(text: str, part: Part, cursor: int) -> Iterator[Completion]:
    begin = part.text.lower()
    end = _end(_REST_OF_NAME, text, cursor) if begin else cursor
    for name in FilterName:
        if name.startswith(begin) and f"{name}:" != text[part.start : end]:
            yield Completion(f"{name}:", part.start, end, HELP[name])


def _values(piece: Piece, part: Part, values: Sequence[str]) -> Iterator[str]:
    """Give the values of a filter that fit its last part and are not among the others."""
    given = {other.text.casefold() for other in piece.parts[:-1]}
    if piece.name is not None and piece.name in CHOICES:
        begin = part.text.lower().replace("-", "_")
        fitting: Sequence[str] = [it for it in CHOICES[piece.name] if it.startswith(begin)]
    elif piece.name in _DATES:
        fitting = _dates(part.text.lower())
    else:
        fitting = values
    return (value for value in fitting if value.casefold() not in given)


def _dates(begin: str) -> list[str]:
    if begin.isdecimal():
        return [begin + unit for unit in _UNITS] if len(begin) < len("2026") else []
    return [word for word in (*WORDS, *WEEKDAYS) if word.startswith(begin)]
