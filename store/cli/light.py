"""Bold titles and lit matches, where the output is a terminal that may be coloured."""

from __future__ import annotations

import os
import re
import shutil
from typing import TextIO

from store.query.matching import Match
from store.search import Marks
from store.snippets import cut
from store.text import printable

_BOLD = "\x1b[1m"
_MATCH = "\x1b[1;31m"
_PLAIN = "\x1b[0m"
_BLANK = re.compile(r"\s")


class Light:
    """What puts emphasis on text. `width` is the terminal's, None where lines may be long."""

    def __init__(self, *, is_on: bool, width: int | None = None) -> None:
        self._is_on = is_on
        self._width = width

    @classmethod
    def of(cls, stream: TextIO) -> Light:
        """Give what suits an output. `NO_COLOR` and a dumb terminal turn emphasis off."""
        if not stream.isatty():
            return cls(is_on=False)
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") in (None, "", "dumb")
        return cls(is_on=not plain, width=shutil.get_terminal_size().columns)

    def bold(self, text: str) -> str:
        """Give a printable text in bold."""
        return f"{_BOLD}{text}{_PLAIN}" if self._is_on else text

    def up(self, line: str, marks: Marks, *, beside: int = 0) -> str:
        """Give a line made printable, with its marks lit, to stand `beside` so many cells."""
        if self._width is not None and len(line) > self._width - beside:
            matches = [Match(start, end, 0) for start, end in marks]
            line, marks = cut(line, matches, self._width - beside)
        parts: list[str] = []
        at = 0
        for start, end in marks:
            parts += (_shown(line[at:start]), self._lit(_shown(line[start:end])))
            at = end
        return "".join((*parts, _shown(line[at:])))

    def _lit(self, text: str) -> str:
        return f"{_MATCH}{text}{_PLAIN}" if self._is_on else text


def _shown(text: str) -> str:
    return printable(_BLANK.sub(" ", text), lines=True)
