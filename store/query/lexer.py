"""From the text of a query to its pieces: words, phrases, and filters with their values.

Nothing is refused here: a line that is still being typed has pieces, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from store.query.model import FilterName

_BLANKS = re.compile(r"\s*")
_WORD = re.compile(r"\S+")
_NAME = re.compile(r"([A-Za-z]+):(?!:|//)")
_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)("?)')
_VALUE = re.compile(r"[^\s,]*")

_NAMES = frozenset(name.value for name in FilterName)


@dataclass(frozen=True, slots=True)
class Part:
    """A text of a piece, without its quotes; `start` and `end` are the place with them.

    An open one misses the quote at its end.
    """

    text: str
    start: int
    end: int
    is_quoted: bool = False
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Piece:
    """Something between blanks: a filter when it has a name, else one word or phrase.

    A filter has a part for each value, empty ones included; anything else has one. `start` and
    `end` include the `-` before it and the `*` behind a phrase.
    """

    name: FilterName | None
    parts: tuple[Part, ...]
    is_excluded: bool
    is_prefix: bool
    start: int
    end: int


def pieces(text: str) -> Iterator[Piece]:
    """Give the pieces of a query in order."""
    at = _skip(text, 0)
    while at < len(text):
        piece = _piece(text, at)
        yield piece
        at = _skip(text, piece.end)


def name_in(text: str, start: int, end: int) -> tuple[str, str] | None:
    """Give what would be the name of a filter in a piece of text, and what follows its colon."""
    named = _NAME.match(text, start, end)
    return None if named is None else (named.group(1), text[named.end() : end])


def _skip(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    assert match is not None, "it matches nothing, too"
    return match.end()


def _piece(text: str, start: int) -> Piece:
    following = text[start + 1 : start + 2]
    is_excluded = text[start] == "-" and (following.isalnum() or following in ('"', "_"))
    at = start + is_excluded
    if text.startswith('"', at):
        part = _quoted(text, at)
        is_prefix = text.startswith("*", part.end)
        return Piece(None, (part,), is_excluded, is_prefix, start, part.end + is_prefix)
    named = _NAME.match(text, at)
    if named and named.group(1).lower() in _NAMES:
        values = tuple(_values(text, named.end()))
        name = FilterName(named.group(1).lower())
        return Piece(name, values, is_excluded, False, start, values[-1].end)
    word = _WORD.match(text, at)
    assert word is not None, "blanks were skipped"
    raw, end = word.group(), word.end()
    is_prefix = len(raw) > 1 and raw.endswith("*")
    part = Part(raw[:-1] if is_prefix else raw, at, end)
    return Piece(None, (part,), is_excluded, is_prefix, start, end)


def _quoted(text: str, at: int) -> Part:
    match = _QUOTED.match(text, at)
    assert match is not None, "there was a quote"
    words = match.group(1).replace('""', '"')
    return Part(words, at, match.end(), is_quoted=True, is_open=not match.group(2))


def _values(text: str, at: int) -> Iterator[Part]:
    """Read values with commas between them; one behind the last comma may be empty."""
    while True:
        if text.startswith('"', at):
            part = _quoted(text, at)
        else:
            match = _VALUE.match(text, at)
            assert match is not None, "it matches nothing, too"
            part = Part(match.group(), at, match.end())
        yield part
        if not text.startswith(",", part.end):
            return
        at = part.end + 1
