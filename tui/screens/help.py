"""Every key, from the table of commands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.commands import COMMANDS, Group


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
            yield Static(Content("\n").join(_lines()))

    def action_leave(self) -> None:
        """Close the sheet."""
        self.dismiss(None)


def _lines() -> Iterator[Content]:
    width = max(len(command.shown_keys) for command in COMMANDS) + 2
    for group in Group:
        yield Content.styled(group, "bold $text-primary")
        for command in COMMANDS:
            if command.group is group:
                yield Content.assemble(
                    (command.shown_keys.rjust(width), "bold"),
                    "  ",
                    (command.help, "$text-muted"),
                )
        yield Content("")
    yield Content.assemble(
        ("ctrl+p".rjust(width), "bold"), "  ", ("Find any command by name.", "$text-muted")
    )
