"""What a history looks like: its text beside the gutter, and the style of its words."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

from rich.style import Style

from tests.tui.histories import message
from tui.render.history import GUTTER, NARROW, NARROW_GUTTER, message_lines
from tui.render.look import STYLES, Look
from tui.render.plan import Fold

# Every style can be told from every other, and all but the grounds stand on the same ground.
COLOURS: dict[str, Any] = {
    name: Style(color=f"color({number})", bgcolor="color(0)")
    for number, name in enumerate(STYLES, 16)
}
GROUNDS: dict[str, Any] = {
    name: Style(color="color(7)", bgcolor=f"color({number})")
    for number, name in enumerate(("prompt", "block", "added", "removed"), 1)
}
LOOK = replace(Look(agent_name="claude"), **(COLOURS | GROUNDS))


def shown(text: str, width: int = 90, **fields: Any) -> str:
    """Give what stands beside the gutter."""
    strips = message_lines(message(1, text, **fields), width, LOOK, Fold.FULL)
    gutter = GUTTER if width >= NARROW else NARROW_GUTTER
    return "\n".join(strip.text[gutter:].rstrip() for strip in strips[1:])


def styles(text: str, words: str, width: int = 90, **fields: Any) -> Style:
    """Give the style of the first segment that says some words."""
    for strip in message_lines(message(1, text, **fields), width, LOOK, Fold.FULL):
        for segment in strip:
            if words in segment.text:
                assert segment.style is not None
                return segment.style
    raise AssertionError(f"nothing says {words!r}")


def colour_of(text: str, words: str) -> str:
    """Give the name of the style that words are written in."""
    colour = styles(text, words).color
    return next(name for name, style in COLOURS.items() if style.color == colour)


def is_control(char: str) -> bool:
    """Say whether a character acts on a terminal, or hides."""
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in "\u202e\u2066\u200b"
