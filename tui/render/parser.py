"""The Markdown parser: markdown-it, loaded when first needed, and what it is not asked to read.

Importing it takes longer than a frame: `warm` does that away from the screen. Text that would
take it longer than a frame to read is shown as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from tui.render.blocks import MOST_COLUMNS

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

# The addresses that links may name, by their names, as the parser has them.
Definitions = Mapping[str, Mapping[str, str]]

_DEEPEST = 40  # quotes, lists and their items within one another
_MOST_MARKS = 200  # in one paragraph
_MOST_UNCLOSED = 12  # brackets: each has all the rest of it read again
_MOST_DEFINITIONS = 500

_PLAIN = re.compile(r"[\\`*_~\[<&\n]")
_MARKS = re.compile(r"[\[*_~<!`&]")
_WIDE_TABLE = re.compile(rf"^[ >]*\|?(?: *:?-+:? *\|){{{MOST_COLUMNS}}}", re.MULTILINE)
_DEFINITION = re.compile(
    r"^ {0,3}\[([^\]\[\n^][^\]\[\n]{0,200})\]:[ \t]+(<[^<>\n]+>|\S+)"
    r"(?:[ \t]+(?:\"[^\"\n]*\"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*$",
    re.MULTILINE,
)


def warm() -> None:
    """Load the parser; for a thread of its own."""
    _parser(with_tables=True)


def definitions(text: str) -> Definitions:
    """Give the addresses that a text defines (`[name]: address`) by their names."""
    found: dict[str, dict[str, str]] = {}
    if "]:" in text:
        for match in _DEFINITION.finditer(text):
            found.setdefault(_name(match[1]), {"href": match[2].strip("<>"), "title": ""})
            if len(found) == _MOST_DEFINITIONS:
                break
    return found


def is_plain(text: str) -> bool:
    """Say whether there are no marks in a text, and one line."""
    return _PLAIN.search(text) is None


def is_definition(line: str) -> bool:
    """Say whether a line defines an address."""
    return _DEFINITION.match(line) is not None


def read_blocks(text: str) -> list[Token] | None:
    """Give the blocks of a text, None when they are too deep within one another to read."""
    parser = _parser(with_tables=_WIDE_TABLE.search(text) is None)
    tokens: list[Token] = []
    parser.block.parse(text, parser, {}, tokens)
    # The parser leaves out what is deeper than this.
    is_whole = max((token.level for token in tokens), default=0) < _DEEPEST - 2
    return tokens if is_whole else None


def read_inline(text: str, named: Definitions) -> list[Token] | None:
    """Give what a paragraph consists of, None when it has too many marks to read."""
    if (
        text.count("[") - text.count("]") > _MOST_UNCLOSED
        or len(_MARKS.findall(text)) > _MOST_MARKS
    ):
        return None
    parser = _parser(with_tables=True)
    tokens: list[Token] = []
    parser.inline.parse(text, parser, {"references": named}, tokens)
    return tokens


@cache
def _parser(*, with_tables: bool) -> MarkdownIt:
    from markdown_it import MarkdownIt

    class Parser(MarkdownIt):
        """Leaves addresses as they were written: they are shown, and never followed."""

        def validateLink(self, url: str) -> bool:  # noqa: ARG002, N802 - as the parser has it
            return True

        def normalizeLink(self, url: str) -> str:  # noqa: N802
            return url

    parser = Parser("commonmark", {"maxNesting": _DEEPEST}).enable("strikethrough")
    # Definitions are found in the whole text, and shown where they stand.
    parser.disable("reference")
    return parser.enable("table") if with_tables else parser


def _name(label: str) -> str:
    return " ".join(label.split()).upper()
