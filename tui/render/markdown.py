"""Light Markdown, a line at a time: enough to read an answer by, cheap enough for any answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.style import Style

from tui.render.look import Look, on_ground
from tui.render.wrap import Row, Span

# Inline marks are looked for in lines of a length that people write; none of the patterns can
# read a character twice more than a few times over.
_LONGEST = 2_000
_INLINE = re.compile(r"`([^`]+)`|\*\*([^*\s](?:[^*]*[^*\s])?)\*\*")
_FENCE = re.compile(r" {0,3}(?:```|~~~)")
_FENCES = re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE)
_HEADING = re.compile(r"(#{1,6}) +(.*)")
_ITEM = re.compile(r"( *)(?:[-*+]|(\d{1,4}[.)])) +")
_RULE = re.compile(r" {0,3}(?:-{3,}|\*{3,}|_{3,})\s*$")

_BOLD = Style(bold=True)
_ITALIC = Style(italic=True)


def open_fence(text: str) -> bool:
    """Say whether a text ends inside a fenced block."""
    return len(_FENCES.findall(text)) % 2 == 1


def markdown_rows(
    lines: Sequence[str], look: Look, style: Style, *, fenced: bool = False
) -> Iterator[Row]:
    """Give each line as it is shown. `fenced` says that the first is inside a fenced block."""
    code = on_ground(look.code, style)
    note = on_ground(look.note, style)
    for line in lines:
        if _FENCE.match(line):
            fenced = not fenced
            yield Row(line, note)
        elif fenced:
            yield Row(line, code)
        else:
            yield _row(line, look, style, code)


def _row(line: str, look: Look, style: Style, code: Style) -> Row:
    if (heading := _HEADING.match(line)) is not None:
        return _inline(heading[2], on_ground(look.heading, style), code)
    if _RULE.match(line):
        return Row("─" * 24, on_ground(look.note, style))
    if (item := _ITEM.match(line)) is not None:
        indent = item[1]
        sign = (item[2] or "•") + " "
        row = _inline(indent + sign + line[item.end() :], style, code)
        return Row(row.text, row.style, row.spans, min(len(indent) + len(sign), 24))
    if line.startswith(">"):
        return _inline("▎" + line[1:], style + _ITALIC, code)
    return _inline(line, style, code)


def _inline(line: str, style: Style, code: Style) -> Row:
    if len(line) > _LONGEST or ("`" not in line and "**" not in line):
        return Row(line, style)
    text: list[str] = []
    spans: list[Span] = []
    at = size = 0
    for match in _INLINE.finditer(line):
        before = line[at : match.start()]
        inner = match[1] or match[2]
        text += (before, inner)
        size += len(before)
        spans.append((size, size + len(inner), code if match[1] else style + _BOLD))
        size += len(inner)
        at = match.end()
    text.append(line[at:])
    return Row("".join(text), style, spans)
