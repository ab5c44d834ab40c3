"""A sheet that asks for one line of text."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Label


class Ask(ModalScreen[str | None]):
    """Asks for a text; gives None when the person thought better of it."""

    DEFAULT_CSS = """
    Ask {
        align: center middle;
        & > Vertical {
            width: 70;
            max-width: 90%;
            height: auto;
            padding: 1 2;
            background: $panel;
            border: round $primary;
        }
        & Label { color: $text-muted; margin-bottom: 1; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(self, question: str, text: str) -> None:
        super().__init__()
        self._question = question
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay out the question and the line."""
        with Vertical():
            yield Label(Content(self._question))
            yield Input(self._text, select_on_focus=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the text back."""
        self.dismiss(event.value.strip() or None)

    def action_leave(self) -> None:
        """Give nothing back."""
        self.dismiss(None)
