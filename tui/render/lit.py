"""Lighting what a search looked for in lines that have been laid out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from store.query.matching import wanted, whole
from store.query.model import Term
from tui.render.cells import simple_segments

Marks = Sequence[tuple[int, int]]

_MOST = 1_000
_DEEPEST = 2_000_000  # characters of a message that are looked through on the way to a frame


class Finder:
    """Says where the terms of a query are in a text, as whole words."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self._terms = wanted(terms)

    def marks(self, text: str) -> list[tuple[int, int]]:
        """Give the places in a line, in order, not overlapping."""
        out: list[tuple[int, int]] = []
        for start, end in sorted(self._spans(text)):
            if out and start < out[-1][1]:
                out[-1] = (out[-1][0], max(end, out[-1][1]))
            else:
                out.append((start, end))
        return out

    def first(self, text: str) -> int | None:
        """Give where the first term begins in a text of any length."""
        found = (whole(term, text).search(text, 0, _DEEPEST) for term in self._terms)
        return min((match.start() for match in found if match), default=None)

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        for term in self._terms:
            for match, _ in zip(whole(term, text).finditer(text), range(_MOST), strict=False):
                yield match.span()


def lit(strip: Strip, finder: Finder, style: Style) -> Strip:
    """Give a line with what the finder finds in it in a style."""
    if not finder.marks(strip.text):
        return strip
    strip = Strip(simple_segments(strip), strip.cell_length)
    marks = finder.marks(strip.text)
    out: list[Segment] = []
    at = 0
    for segment in strip:
        out += _cut(segment, at, marks, style)
        at += len(segment.text)
    return Strip(out, strip.cell_length)


def _cut(segment: Segment, offset: int, marks: Marks, style: Style) -> list[Segment]:
    text, own = segment.text, segment.style
    out: list[Segment] = []
    at = 0
    for start, end in marks:
        lo, hi = max(start - offset, at), min(end - offset, len(text))
        if lo >= hi:
            continue
        if lo > at:
            out.append(Segment(text[at:lo], own))
        out.append(Segment(text[lo:hi], own + style if own else style))
        at = hi
    if at < len(text):
        out.append(Segment(text[at:], own))
    return out
