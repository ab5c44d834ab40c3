"""Where the terms of a query are in a text: for marking what an index has found.

An index decides which messages match; this only shows where. Case and the accents of Latin, Greek
and Cyrillic letters make no difference, nor does what stands between the words of a phrase. Words
are found whole, also within `snake_case` and `camelCase`; parts of words only where there is
nothing better, and in scripts that put no spaces between words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from store.query.model import Term

_MOST_TERMS = 16  # more are not worth marking
_MOST_MATCHES = 1000

_RUN = re.compile(r"[^\W_]+")
_BETWEEN = r"[\W_]{1,40}"  # what may stand between the words of a phrase
_ACCENTS = "[\u0300-\u036f]*"
_FOLDED = (range(0xAA, 0x250), range(0x370, 0x530), range(0x1E00, 0x2000))
# Ideographs, kana, hangul and their like: any place is the beginning of a word.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff]")

# Behind the first character of a word, and behind its last.
_BEGINS = r"(?:(?<![^\W_].)|(?<=[a-z\d][A-Z])|(?<=[A-Za-z]\d)|(?<=\d[A-Za-z]))"
_ENDS = r"(?:(?![^\W_])|(?<=[a-z\d])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z]))"


class Match(NamedTuple):
    """A place of a term in a text; `term` is its number among those looked for."""

    start: int
    end: int
    term: int


def matches(text: str, terms: Sequence[Term]) -> list[Match]:
    """Give where terms are, in order; places of different terms may overlap.

    Excluded terms have no places. Of a term that is nowhere as whole words the parts of words are
    given.
    """
    found: list[Match] = []
    for number, term in enumerate(wanted(terms)):
        found += _of(text, term, number)
    return sorted(found)


def wanted(terms: Sequence[Term]) -> tuple[Term, ...]:
    """Give the terms that are looked for: not the excluded ones, and not too many."""
    return tuple(term for term in terms if not term.is_excluded)[:_MOST_TERMS]


def _of(text: str, term: Term, number: int) -> Iterator[Match]:
    for pattern in _patterns(term, _ACCENTS if not text.isascii() else ""):
        found = False
        for match, _ in zip(pattern.finditer(text), range(_MOST_MATCHES), strict=False):
            found = True
            yield Match(match.start(), match.end(), number)
        if found:
            return


@lru_cache(maxsize=256)
def _patterns(term: Term, accents: str) -> tuple[re.Pattern[str], ...]:
    """Give what finds a term: as whole words first, then anywhere. Neither matches nothing.

    `accents` is what may follow each letter, empty where a text cannot have any.
    """
    runs = _RUN.findall(term.text)
    if not runs:
        return (re.compile(re.escape(term.text)),)
    loose = [_letters(run, accents) for run in runs]
    whole = [
        _letter(run[0]) + _BEGINS + accents + _letters(run[1:], accents)
        if _has_spaces(run[0])
        else _letters(run, accents)
        for run in runs
    ]
    ends = "" if term.is_prefix or not _has_spaces(runs[-1][-1]) else _ENDS
    return (
        re.compile(_BETWEEN.join(whole) + ends, re.DOTALL),
        re.compile(_BETWEEN.join(loose)),
    )


def _letters(run: str, accents: str) -> str:
    return "".join(_letter(char) + (accents if char.isalpha() else "") for char in run)


def _has_spaces(char: str) -> bool:
    return not _UNSPACED.match(char)


@cache
def _letter(char: str) -> str:
    """Give a pattern of a character in either case, with and without accents."""
    kin = {char, char.lower(), char.upper(), *_kin().get(base(char), ())}
    letters = sorted(one for one in kin if len(one) == 1)
    return f"[{''.join(map(re.escape, letters))}]" if len(letters) > 1 else re.escape(char)


def base(char: str) -> str:
    """Give a letter in lower case and without its accents."""
    decomposed = unicodedata.normalize("NFD", char)
    plain = len(decomposed) > 1 and all(map(unicodedata.combining, decomposed[1:]))
    folded = (decomposed[0] if plain else char).casefold()
    return folded if len(folded) == 1 else char


@cache
def _kin() -> dict[str, list[str]]:
    """Give the letters of each base."""
    kin: dict[str, list[str]] = {}
    for code in (code for codes in _FOLDED for code in codes):
        char = chr(code)
        if (plain := base(char)) != char:
            kin.setdefault(plain, [plain, plain.upper()]).append(char)
    return kin
