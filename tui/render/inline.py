"""What stands within a paragraph of Markdown, a heading or a cell: to lines of styled text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.style import Style

from store.text import printable
from tui.render.cells import unpiled
from tui.render.look import Look, on_ground
from tui.render.wrap import Row, Span

if TYPE_CHECKING:
    from markdown_it.token import Token

_LONGEST_DATA = 40  # characters shown of an address that holds what it leads to
_WIDE = frozenset("WF")
_SPACES = re.compile(r"[\n\t]+")

_STRONG = Style(bold=True)
_EMPHASIS = Style(italic=True)
_STRIKE = Style(strike=True)
_UNDERLINE = Style(underline=True)
_NO_STYLE = Style()


@dataclass(frozen=True, slots=True)
class Ink:
    """The styles that a text is written with: those of a look, on the ground of a message."""

    text: Style
    code: Style
    link: Style
    note: Style

    @classmethod
    def of(cls, look: Look, style: Style) -> Ink:
        """Mix the ink for a message whose text has a style."""
        return cls(
            style,
            on_ground(look.code, style),
            on_ground(look.link, style) + _UNDERLINE,
            on_ground(look.note, style),
        )


def shown(text: str) -> str:
    """Give text as it is shown: what the reading of entities has made of it made printable."""
    text = unpiled(printable(text, lines=True))
    return _SPACES.sub(" ", text) if "\n" in text or "\t" in text else text


def inline_rows(
    tokens: Sequence[Token], ink: Ink, style: Style, *, breaks: bool, one_line: bool = False
) -> list[Row]:
    """Give the lines that tokens say, before they are wrapped. One line at least.

    `style` is that of the text. With `breaks` a line ends where one does in the source; with
    `one_line` none ends, and pictures have no lines of their own.
    """
    return _Writer(ink, style, breaks, one_line).write(tokens)


@dataclass
class _Line:
    parts: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    size: int = 0


class _Writer:
    """One run of inline tokens being written."""

    def __init__(self, ink: Ink, style: Style, breaks: bool, one_line: bool) -> None:
        self.ink = ink
        self.base = style
        self.breaks = breaks
        self.one_line = one_line
        self.style = _NO_STYLE  # what is added to the base
        self.stack: list[Style] = []
        self.links: list[tuple[str, str, _Line, int]] = []
        self.lines = [_Line()]
        self.is_full = False  # the line has a picture, and what follows has another

    def write(self, tokens: Sequence[Token]) -> list[Row]:
        for index, token in enumerate(tokens):
            self._token(token, tokens, index)
        lines = [line for line in self.lines if line.size] or self.lines[:1]
        return [Row("".join(line.parts), self.base, line.spans) for line in lines]

    def _token(self, token: Token, tokens: Sequence[Token], index: int) -> None:
        kind = token.type
        if kind in ("text", "text_special"):
            self._add(token.content, self.base + self.style)
        elif kind == "code_inline":
            self._add(token.content, self.ink.code + self.style)
        elif kind == "html_inline":
            self._add(token.content, self.ink.note + self.style)
        elif kind == "softbreak":
            self._soft_break(tokens, index)
        elif kind == "hardbreak":
            self._break()
        elif kind == "image":
            self._image(token)
        elif kind == "link_open":
            self._push(self.ink.link)
            line = self.lines[-1]
            self.links.append((*_address(token.attrs, "href"), line, len(line.parts)))
        elif kind == "link_close":
            self._pop()
            self._end_link()
        elif kind in _ADDS:
            self._push(_ADDS[kind])
        elif token.nesting < 0:
            self._pop()

    @property
    def _size(self) -> int:
        return self.lines[-1].size

    def _push(self, style: Style) -> None:
        self.stack.append(self.style)
        self.style += style

    def _pop(self) -> None:
        self.style = self.stack.pop() if self.stack else _NO_STYLE

    def _add(self, text: str, style: Style) -> None:
        text = shown(text)
        if self.is_full and text.strip():
            self._break()
        if not self._size:
            text = text.lstrip()
        if text:
            self._append(text, style)

    def _append(self, text: str, style: Style) -> None:
        line = self.lines[-1]
        if style != self.base:
            line.spans.append((line.size, line.size + len(text), style))
        line.parts.append(text)
        line.size += len(text)

    def _break(self) -> None:
        self.is_full = False
        if self.one_line:
            self._add(" ", self.base)
        else:
            self.lines.append(_Line())

    def _soft_break(self, tokens: Sequence[Token], index: int) -> None:
        if self.breaks:
            self._break()
            return
        if self.is_full:
            return
        before = self.lines[-1].parts[-1][-1:] if self.lines[-1].parts else ""
        after = tokens[index + 1].content[:1] if index + 1 < len(tokens) else ""
        if before and not (_is_wide(before) and after and _is_wide(after)):
            self._add(" ", self.base + self.style)

    def _image(self, token: Token) -> None:
        words = "".join(shown(child.content) for child in token.children or ())
        address, title = _address(token.attrs, "src")
        about = " ".join(word for word in (words, title and f'"{title}"') if word)
        if self._size and not self.one_line:
            self.lines.append(_Line())
        self._append(f"▣ image: {about}" if about else "▣ image", self.base + self.style)
        self._append(f" ({address})", self.ink.note)
        self.is_full = not self.one_line

    def _end_link(self) -> None:
        if not self.links:
            return
        address, title, line, start = self.links.pop()
        words = "".join(line.parts[start:]) if line is self.lines[-1] else ""
        if address and words not in (address, address.removeprefix("mailto:")):
            self._append(f" ({address})", self.ink.note)
        if title:
            self._append(f' "{title}"', self.ink.note)


_ADDS = {"strong_open": _STRONG, "em_open": _EMPHASIS, "s_open": _STRIKE}


def _address(attributes: Mapping[str, object], name: str) -> tuple[str, str]:
    """Give where a link or a picture leads to, and its title."""
    address = shown(str(attributes.get(name, "")))
    if address.startswith("data:") and len(address) > _LONGEST_DATA:
        address = f"{address[:_LONGEST_DATA]}…"
    return address, shown(str(attributes.get("title", "")))


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in _WIDE
