"""What a word is, to the index and to whoever checks what it found. Pure: nothing is looked up.

A word is a run of letters and digits, in any case, with or without the accents of its letters.
Where a name has humps (`getUserName`, at most five parts) each of its parts is a word, too, and so
are parts that follow each other (`userName`); in the output of tools names are found whole only.
In scripts that put no spaces between words every character is one.

Punctuation is no word, but what was typed must be there: between the parts of `src/x.py:42`, `a_b`
or `foo::bar` stands just that, perhaps with a little other punctuation and never with a letter.
Before a word it counts when it could belong to a name (`.env`, `--force`, `$HOME`), behind it as
well save for the full stop (`c++`, `src/`); else it is a sentence's, and is not looked at. Between
the words of a phrase any punctuation and white space may stand.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from store.models import Kind
from store.query.model import Term

EDITION = 1
"""To be raised when what goes into the index changes: it is then made anew."""

MOST_PARTS = 5
_LONGEST_NAME = 64
_SHORT, _MOST_RUNS = 8, 4096
_MOST_NAMES = 30_000

_LEADING = frozenset("$@#%&-_/\\~+=^|.")
_TRAILING = _LEADING - {"."}
_ALIKE = {**dict.fromkeys("‘’", "'"), **dict.fromkeys("“”„", '"'), **dict.fromkeys("‐‑‒–—−", "-")}
_FILL = r"[\W_]{0,3}?"
_GAP = r"[\W_]{1,40}?"
_ANY_GAP = r"[\W_]{0,40}?"

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_COMBINING = re.compile("[\u0300-\u036f]")
_DECOMPOSED = re.compile("[\u0300-\u036f\u1100-\u11ff\u3099\u309a]")
# Thai, Lao, Burmese, Khmer, ideographs, kana, hangul and what else is there written together.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\ua4cf\uac00-\ud7ff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
_IS_UNSPACED = re.compile(f"[{_UNSPACED}]").match
_NO_MARKS = (range(0x20D0, 0x2100), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_ACCENTED = 0x400  # beyond Latin and Greek a letter with a mark is a letter of its own

# A word with a capital behind its first character, which may make it a name.
_NAME = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9][a-z0-9]*+[A-Z][A-Za-z0-9]*+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WHITE_SPACE = ("\\n", "\\t", "\\r", "\\b", "\\f")
# What tools print most of what is not ASCII; no letters. To take these out first is quick.
_SYMBOLS = ("→", "…", "─", "│", "✓", "•", "’", "—", "├", "└")
_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/])|[bfnrt])')


def is_word(char: str) -> bool:
    """Say whether a character is part of words."""
    return char.isalnum() or (
        char > "\x7f"
        and unicodedata.category(char)[0] == "M"
        and not any(ord(char) in codes for codes in _NO_MARKS)
    )


def _folded(char: str) -> str:
    """Give one character for one, without case and accents: for a letter a letter."""
    if not is_word(char):
        return _ALIKE.get(char, char)
    plain = char
    bare = _COMBINING.sub("", unicodedata.normalize("NFKD", char))
    if len(bare) == 1 and ord(bare) < _ACCENTED and is_word(bare):
        plain = bare
    for folded in (plain.casefold().lower(), plain.lower()):
        if len(folded) == 1:
            return folded
    return plain


class _Folds(dict[int, str]):
    def __missing__(self, code: int) -> str:
        char = self[code] = _folded(chr(code))
        return char


class _Spellings(dict[int, str]):
    """How characters beyond ASCII are written down for the index, which splits at ASCII only."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if _COMBINING.match(char):
            spelling = ""
        elif not is_word(char):
            spelling = " "
        else:
            spelling = f" {_FOLDS[code]} " if _IS_UNSPACED(char) else _FOLDS[code]
        self[code] = spelling
        return spelling


_FOLDS = _Folds()
_SPELLINGS = _Spellings()


class _Runs(dict[str, str]):
    """Runs of characters beyond ASCII, translated: most are a single one, and the same few."""

    def __init__(self, table: dict[int, str]) -> None:
        super().__init__()
        self._table = table

    def __missing__(self, run: str) -> str:
        translated = run.translate(self._table)
        if len(run) <= _SHORT and len(self) < _MOST_RUNS:
            self[run] = translated
        return translated


_FOLDED_RUNS = _Runs(_FOLDS)
_SPELLED_RUNS = _Runs(_SPELLINGS)


def fold(text: str) -> str:
    """Give a text without case and accents, character by character."""
    if text.isascii():
        return text.lower()
    return _BEYOND_ASCII.sub(lambda run: _FOLDED_RUNS[run[0]], text).lower()


def _composed(text: str) -> str:
    """Give a text with no accents that are characters of their own."""
    if text.isascii() or not _DECOMPOSED.search(text):
        return text
    return _COMBINING.sub("", unicodedata.normalize("NFC", text))


# What goes into the index


def spelled(kind: str, tool_name: str | None, content: str) -> str:
    """Give a message's words, with ASCII characters between them, as the index takes them.

    Case is left to the index, which folds that of ASCII.
    """
    if kind == Kind.TOOL_RESULT:
        return content if content.isascii() else _spell(content)
    text = content
    if kind == Kind.TOOL_CALL:
        text = _without_escapes(content)
        if tool_name:
            text = f"{text}\n{tool_name}"
    if text.isascii():
        return text + _parts_of_names(text)
    text = _composed(text)
    return _spell(text) + _parts_of_names(text)


def _spell(text: str) -> str:
    for symbol in _SYMBOLS:
        if symbol in text:
            text = text.replace(symbol, " ")
    if text.isascii():
        return text
    return _BEYOND_ASCII.sub(lambda run: _SPELLED_RUNS[run[0]], _composed(text))


def _without_escapes(content: str) -> str:
    """Give a call's JSON with the escapes of white space undone: the others are no letters."""
    if "\\" not in content or content[:1] not in ("{", "["):
        return content
    if "\\\\" in content or "\\u" in content:
        return _as_read(Kind.TOOL_CALL, content)
    for escape in _WHITE_SPACE:
        content = content.replace(escape, " ")
    return content


def mark_of(role: str, kind: str) -> str:
    """Give a word that every message of a role and kind has in the index, and no text can have."""
    return f"\ue000{role}\ue000{kind.replace('_', '')}"


def _as_read(kind: str, content: str) -> str:
    """Give a content with the escapes of a call's JSON undone, every character in its place."""
    if kind != Kind.TOOL_CALL or "\\" not in content or content[:1] not in ("{", "["):
        return content
    return _ESCAPE.sub(_unescaped, content)


def _unescaped(escape: re.Match[str]) -> str:
    code, char = escape.groups()
    if code is not None:
        char = chr(int(code, 16))
    if char is None or "\ud800" <= char <= "\udfff":
        char = " "
    return char.rjust(len(escape[0]))


def _parts_of_names(text: str) -> str:
    if text.isascii():
        names = set(_NAME.findall(text))
    else:
        names = {name[0] for name in _NAME.finditer(text) if _stands_alone(text, *name.span())}
    return "".join(map(_PARTS.__getitem__, names))


def _stands_alone(text: str, start: int, end: int) -> bool:
    """Say whether a run of ASCII letters is a word, or only a part of one with other letters."""
    beside = (text[start - 1 : start], text[end : end + 1])
    return not any(
        char > "\x7f" and is_word(char) and not _IS_UNSPACED(char) for char in beside if char
    )


def _name_at(text: str, at: int) -> tuple[int, str]:
    """Give the name that goes over a place, and where it begins; none where it is too long."""
    start, least = at, max(0, at - _LONGEST_NAME)
    while start > least and text[start - 1].isascii() and text[start - 1].isalnum():
        start -= 1
    name = _NAME.match(text, start)
    if name is None or not _stands_alone(text, *name.span()):
        return start, ""
    return start, name[0]


@lru_cache(4096)
def _humps(name: str) -> tuple[int, ...]:
    """Give where the second part of a name begins, and those behind it; () for other words."""
    parts = _HUMP.split(name) if len(name) <= _LONGEST_NAME else []
    return tuple(accumulate(map(len, parts[:-1]))) if len(parts) <= MOST_PARTS else ()


class _Parts(dict[str, str]):
    """The parts of names, and every run of them but the whole, each behind a blank."""

    def __missing__(self, name: str) -> str:
        parts = _HUMP.split(name) if len(name) <= _LONGEST_NAME else []
        match len(parts):
            case 2:
                runs = f" {parts[0]} {parts[1]}"
            case 3:
                one, two, three = parts
                runs = f" {one} {two} {three} {one}{two} {two}{three}"
            case count if 3 < count <= MOST_PARTS:
                runs = "".join(
                    [
                        " " + "".join(parts[first:last])
                        for first in range(count)
                        for last in range(first + 1, count + 1)
                        if last - first < count
                    ]
                )
            case _:
                runs = ""
        if len(self) >= _MOST_NAMES:
            self.clear()
        self[name] = runs
        return runs


_PARTS = _Parts()


# What is looked for


class Text:
    """One text of a message, or of a task, in which needles are looked for."""

    __slots__ = ("_has_names", "_plain", "folded")

    def __init__(self, text: str, kind: str = Kind.TEXT) -> None:
        self._has_names = kind != Kind.TOOL_RESULT
        if kind == Kind.TOOL_CALL:
            text = _as_read(kind, text)
        if text.isascii():
            self._plain, self.folded = text, text.lower()
        else:
            self._plain = _composed(text)
            self.folded = fold(self._plain)

    def is_edge(self, at: int) -> bool:
        """Say whether a word may begin or end at a place."""
        folded = self.folded
        if at == 0 or at == len(folded):
            return True
        before, behind = folded[at - 1], folded[at]
        if not (before.isalnum() or is_word(before)) or not (behind.isalnum() or is_word(behind)):
            return True
        if before > "\x7f" or behind > "\x7f":
            return bool(_IS_UNSPACED(before) or _IS_UNSPACED(behind))
        return self._has_names and self._is_hump(at)

    def _is_hump(self, at: int) -> bool:
        if not "A" <= self._plain[at] <= "Z":
            return False
        start, name = _name_at(self._plain, at)
        return at - start in _humps(name)


@dataclass(frozen=True, slots=True)
class Needle:
    """A term of a query, ready to be looked for.

    `words` are those that the index must have, `beginning` that of one more, where the last may go
    on. The index alone decides when `is_decided`; else a message that has the words has to be
    looked at.
    """

    words: tuple[str, ...]
    beginning: str | None
    is_decided: bool
    _literal: str
    _pattern: re.Pattern[str] | None
    _lead: int
    """How many of the characters are punctuation, before which no word needs to begin."""
    _ends_open: bool

    @classmethod
    def of(cls, term: Term) -> Needle:
        """Prepare a term."""
        pieces, between = _split(Text(term.text).folded)
        if not pieces:
            return cls((), None, False, fold(term.text).strip(), None, 1, True)
        lead = "".join(char for char in between[0] if char in _LEADING)
        trail = "".join(char for char in between[-1] if char in _TRAILING)
        goes_on = term.is_prefix and not between[-1] and not _IS_UNSPACED(pieces[-1])
        words, beginning = (pieces[:-1], pieces[-1]) if goes_on else (pieces, None)
        pattern = None
        is_single = len(pieces) == 1 and not lead and not trail
        if not is_single:
            parts = [*(re.escape(char) + _FILL for char in lead), re.escape(pieces[0])]
            for before, gap, behind in zip(pieces, between[1:], pieces[1:], strict=False):
                parts += (_gap(gap, before[-1], behind[0]), re.escape(behind))
            parts += (_FILL + re.escape(char) for char in trail)
            pattern = re.compile("".join(parts))
        return cls(
            tuple(dict.fromkeys(words)),
            beginning,
            is_single,
            pieces[0] if is_single else "",
            pattern,
            len(lead),
            goes_on or bool(trail),
        )

    def is_in(self, text: Text) -> bool:
        """Say whether the term occurs in a text."""
        place = self._next(text, 0)
        while place is not None:
            if self._stands(text, *place):
                return True
            place = self._next(text, place[0] + 1)
        return False

    def count_in(self, text: Text, most: int) -> int:
        """Count where the term occurs in a text, up to `most`."""
        count = 0
        place = self._next(text, 0)
        while place is not None and count < most:
            count += self._stands(text, *place)
            place = self._next(text, place[0] + 1)
        return count

    def _next(self, text: Text, begin: int) -> tuple[int, int] | None:
        """Give where the letters are next."""
        if self._pattern is None:
            at = text.folded.find(self._literal, begin)
            return None if at < 0 else (at, at + len(self._literal))
        match = self._pattern.search(text.folded, begin)
        return None if match is None else match.span()

    def _stands(self, text: Text, start: int, end: int) -> bool:
        """Say whether words begin and end there."""
        return (self._lead > 0 or text.is_edge(start)) and (self._ends_open or text.is_edge(end))


def _split(folded: str) -> tuple[list[str], list[str]]:
    """Give the words of a term, and what stands before, between and behind them."""
    pieces: list[str] = []
    between = [""]
    was_word = False
    for char in folded:
        if not is_word(char):
            between[-1] += char
            was_word = False
            continue
        is_alone = bool(_IS_UNSPACED(char))
        if was_word and not is_alone:
            pieces[-1] += char
        else:
            pieces.append(char)
            between.append("")
        was_word = not is_alone
    return pieces, between


def _gap(typed: str, before: str, behind: str) -> str:
    """Give the pattern of what may stand where `typed` was between two words."""
    if not typed:
        return ""  # between two that are written together
    if not any(char.isspace() for char in typed):
        return _FILL + "".join(re.escape(char) + _FILL for char in typed)
    return _ANY_GAP if _IS_UNSPACED(before) or _IS_UNSPACED(behind) else _GAP


class Needles:
    """All terms of a query: which texts have them."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self.wanted = [Needle.of(term) for term in terms if not term.is_excluded]
        self.excluded = [Needle.of(term) for term in terms if term.is_excluded]
        # Those that an index could not decide come first: the others are there.
        self._order = sorted(self.wanted, key=lambda needle: needle.is_decided)

    def are_in(self, texts: Sequence[Text]) -> bool:
        """Say whether every term wanted occurs in one of the texts, and none excluded."""
        for needle in self._order:
            for text in texts:
                if needle.is_in(text):
                    break
            else:
                return False
        for needle in self.excluded:
            for text in texts:
                if needle.is_in(text):
                    return False
        return True


def texts_of(kind: str, tool_name: str | None, content: str) -> Sequence[Text]:
    """Give the texts of a message: what it says, and of a call the tool's name."""
    if tool_name and kind == Kind.TOOL_CALL:
        return Text(content, kind), Text(tool_name)
    return (Text(content, kind),)
