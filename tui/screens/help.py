"""Every key, from the table of commands."""

from __future__ import annotations

from functools import cache
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult, RenderResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widget import Widget

from tui.commands import COMMANDS, Group
from tui.render.tasks import LEGEND

_KEYS = max(len(command.shown_keys) for command in COMMANDS)
_LEAST = 20  # cells for what a key does, however narrow the terminal is


class Help(ModalScreen[None]):
    """A sheet with all commands under their headings."""

    DEFAULT_CSS = """
    Help {
        align: center middle;
        & > VerticalScroll {
            width: 92;
            max-width: 96%;
            height: auto;
            max-height: 92%;
            padding: 1 2;
            background: $panel;
            border: round $primary;
            border-title-color: $text-primary;
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "leave", "Close", show=False)
    ]

    def compose(self) -> ComposeResult:
        """Lay out the sheet."""
        with VerticalScroll() as sheet:
            sheet.border_title = "Keys"
            sheet.border_subtitle = "esc closes"
            yield Keys()

    def action_leave(self) -> None:
        """Close the sheet."""
        self.dismiss(None)


class Keys(Widget):
    """The table of the keys, as wide as there is room. A rich table would take four frames."""

    DEFAULT_CSS = "Keys { height: auto; }"

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002
        """Say how many lines it takes."""
        return len(_lines(width))

    def render(self) -> RenderResult:
        """Draw it."""
        return Content("\n").join(_lines(self.content_size.width))


@cache
def _lines(width: int) -> tuple[Content, ...]:
    room = max(_LEAST, width - _KEYS - 2)
    lines: list[Content] = []
    for group in Group:
        lines.append(_heading(group))
        for command in COMMANDS:
            if command.group is group:
                lines += _row(command.shown_keys, command.help, room)
        lines.append(Content())
    lines += _row("ctrl+p", "Find any of these commands by name.", room)
    lines += (Content(), _heading("Marks in the list"))
    for mark, words in LEGEND:
        lines += _row(mark, f"{words[0].upper()}{words[1:]}.", room)
    return tuple(lines)


def _heading(text: str) -> Content:
    return Content.assemble(" " * (_KEYS + 2), (text, "bold underline"))


def _row(keys: str, text: str, room: int) -> list[Content]:
    first, *rest = wrap(text, room)
    row = Content.assemble((keys.rjust(_KEYS), "bold"), f"  {first}")
    return [row, *(Content(" " * (_KEYS + 2) + line) for line in rest)]
