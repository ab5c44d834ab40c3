"""Every key, from the table of commands."""

from __future__ import annotations

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.commands import COMMANDS, Group
from tui.render.tasks import LEGEND


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
            yield Static(_table())

    def action_leave(self) -> None:
        """Close the sheet."""
        self.dismiss(None)


def _table() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for group in Group:
        table.add_row("", Text(group, "bold underline"))
        for command in COMMANDS:
            if command.group is group:
                table.add_row(Text(command.shown_keys, "bold"), Text(command.help))
        table.add_row("", "")
    table.add_row(Text("ctrl+p", "bold"), Text("Find any of these commands by name."))
    table.add_row("", "")
    table.add_row("", Text("Marks in the list", "bold underline"))
    for mark, words in LEGEND:
        table.add_row(Text(mark, "bold"), Text(f"{words[0].upper()}{words[1:]}."))
    return table
