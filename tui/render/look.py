"""The styles that a history is drawn with, resolved from a theme by whoever draws it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from rich.style import Style


def _plain(**attributes: bool) -> Style:
    return Style(**attributes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Look:
    """One style for each part of a history, each a whole one: colour, background, attributes.

    Without a theme the parts are told apart by weight only. `today` is the day whose times are
    shown without their date; `agent_name` labels the answers.
    """

    agent_name: str = "agent"
    today: date = date.min
    text: Style = field(default_factory=Style)
    you: Style = field(default_factory=lambda: _plain(bold=True))
    prompt: Style = field(default_factory=Style)
    agent: Style = field(default_factory=lambda: _plain(bold=True))
    context: Style = field(default_factory=lambda: _plain(dim=True))
    thinking: Style = field(default_factory=lambda: _plain(dim=True, italic=True))
    tool: Style = field(default_factory=lambda: _plain(bold=True))
    argument: Style = field(default_factory=Style)
    result: Style = field(default_factory=Style)
    note: Style = field(default_factory=lambda: _plain(dim=True))
    ok: Style = field(default_factory=lambda: _plain(dim=True))
    error: Style = field(default_factory=lambda: _plain(bold=True))
    heading: Style = field(default_factory=lambda: _plain(bold=True))
    code: Style = field(default_factory=Style)
    block: Style = field(default_factory=Style)
    keyword: Style = field(default_factory=lambda: _plain(bold=True))
    string: Style = field(default_factory=Style)
    comment: Style = field(default_factory=lambda: _plain(italic=True))
    number: Style = field(default_factory=Style)
    function: Style = field(default_factory=Style)
    type: Style = field(default_factory=Style)
    added: Style = field(default_factory=Style)
    removed: Style = field(default_factory=Style)
    divider: Style = field(default_factory=Style)
    mark: Style = field(default_factory=lambda: _plain(bold=True))
    match: Style = field(default_factory=lambda: _plain(reverse=True))
    link: Style = field(default_factory=lambda: _plain(underline=True))
    selection: Style = field(default_factory=lambda: _plain(reverse=True))


# The fields of a look that are styles, in the order of their declaration.
STYLES = (
    "text",
    "you",
    "prompt",
    "agent",
    "context",
    "thinking",
    "tool",
    "argument",
    "result",
    "note",
    "ok",
    "error",
    "heading",
    "code",
    "block",
    "keyword",
    "string",
    "comment",
    "number",
    "function",
    "type",
    "added",
    "removed",
    "divider",
    "mark",
    "match",
    "link",
    "selection",
)


def on_ground(style: Style, ground: Style) -> Style:
    """Give a style on another's background."""
    return style + Style(bgcolor=ground.bgcolor) if ground.bgcolor else style
