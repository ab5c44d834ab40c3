"""The part of a message that shows why it was found."""

from __future__ import annotations

from collections.abc import Sequence

from store.query.matching import Match, matches, wanted
from store.query.model import Term
from store.search import Marks

WIDTH = 160
LEAST_WIDTH = 16
ELLIPSIS = "…"

# A message may be megabytes long, and a page of results has fifty: what is looked at is bounded.
_NEAR = 32 * 1024  # characters that are looked at closely, shared by the terms
_FAR = 512 * 1024  # characters that are looked at for a word exactly as it was typed
_FIRST_STEP = 2 * 1024


def snippet(text: str, terms: Sequence[Term], width: int = WIDTH) -> tuple[str, Marks]:
    """Give the part of a text around where most of the terms are, and where they are in it.

    At most `width` (from 16) characters on one line: runs of white space are one space, words are
    whole where they fit, `…` stands where something was cut off. Without a match, or when it is
    deeper in a huge text than is looked, it is the beginning, without marks.
    """
    width = max(width, LEAST_WIDTH)
    looked_for = wanted(terms)
    place = _place(text, looked_for, width) if len(text) > 4 * width else 0
    begin, end = max(0, place - 2 * width), place + 4 * width
    line = " ".join(text[begin:end].split())
    return cut(
        line,
        matches(line, looked_for),
        width,
        more_before=begin > 0,
        more_behind=end + width < len(text) or bool(text[end : end + width].strip()),
    )


def cut(
    line: str,
    found: Sequence[Match],
    width: int,
    *,
    more_before: bool = False,
    more_behind: bool = False,
) -> tuple[str, Marks]:
    """Cut a line to `width` characters around its best matches; `more` was cut off already."""
    best = _best(found, width)
    start, stop = (best.start, best.end) if best else (0, 0)
    begin = 0
    if len(line) > width or more_before:
        begin = max(0, min(start - width // 4, len(line) - width + 2))
        if begin > 0 or more_before:
            space = line.find(" ", max(0, begin - 1), start)
            begin = space + 1 if space >= 0 else begin
    left = ELLIPSIS if begin > 0 or more_before else ""
    room = width - len(left)
    end, right = len(line), ""
    if end - begin > room or more_behind:
        limit = min(begin + room - len(ELLIPSIS), len(line))
        is_whole = limit < len(line) and line[limit] == " "
        space = limit if is_whole else line.rfind(" ", max(stop, begin), limit)
        end, right = (space if space > begin else limit), ELLIPSIS
    shift = len(left) - begin
    marks = [
        (max(match.start, begin) + shift, min(match.end, end) + shift)
        for match in found
        if match.start < end and match.end > begin
    ]
    return left + line[begin:end] + right, _merged(marks)


def _best(found: Sequence[Match], width: int) -> Match | None:
    """Give the match behind which most of the terms are, the first of equals."""
    best, most = None, 0
    for number, match in enumerate(found):
        reach = match.start + width * 2 // 3
        terms = len({other.term for other in found[number : number + width] if other.end <= reach})
        if best is None or terms > most:
            best, most = match, terms
    return best


def _merged(marks: Sequence[tuple[int, int]]) -> Marks:
    merged: list[tuple[int, int]] = []
    for start, end in marks:
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _place(text: str, terms: Sequence[Term], width: int) -> int:
    """Give a place in the text near which terms are; 0 when they are not found."""
    if not terms:
        return 0
    near = min(len(text), _NEAR // len(terms))
    begin, step = 0, _FIRST_STEP
    while begin < near:
        overlapping = max(0, begin - width)
        best = _best(matches(text[overlapping : min(begin + step, near)], terms), width)
        if best:
            return overlapping + best.start
        begin, step = begin + step, 2 * step
    return _far(text, near, terms)


def _far(text: str, begin: int, terms: Sequence[Term]) -> int:
    """Look on for the longest word, in the cases that are common, letter by letter."""
    word = max((word for term in terms for word in term.text.split()), key=len, default="")
    if not word:
        return 0
    forms = list(dict.fromkeys((word, word.lower(), word.capitalize(), word.upper())))
    end = begin + _FAR // len(forms)
    places = [text.find(form, begin, end) for form in forms]
    return min((place for place in places if place >= 0), default=0)
