"""A sheet that asks where a project's folder is, now that it is not where it was."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from store.resume.places import Candidate
from store.text import printable
from tui.suggesting import Folders


class Moved(ModalScreen[str | None]):
    """Offers the likely places of a folder, and a line for another; gives one, or None.

    What is given is an absolute path of a folder that is there.
    """

    DEFAULT_CSS = """
    Moved {
        align: center middle;
        & > Vertical {
            width: 96;
            max-width: 96%;
            height: auto;
            max-height: 96%;
            padding: 1 2;
            background: $panel;
            border: round $primary;
            border-title-color: $text-primary;
            border-subtitle-color: $text-muted;
        }
        & OptionList {
            height: auto;
            max-height: 10;
            margin: 1 0;
            padding: 0;
            background: $panel;
            &, &:focus { border: none; }
        }
        & Input { background: $boost; }
        & #why { color: $text-warning; height: auto; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave", show=False)]

    def __init__(self, folder: str, candidates: Sequence[Candidate]) -> None:
        super().__init__()
        self._folder = folder
        self._candidates = candidates

    def compose(self) -> ComposeResult:
        """Lay out the folder that is gone, where it may be, and the line."""
        with Vertical() as sheet:
            sheet.border_title = "Where is this project now?"
            sheet.border_subtitle = "enter takes it, and it is remembered · esc leaves"
            gone = Content(f"{printable(self._folder)} is not there any more.")
            if self._candidates:
                yield Static(gone)
                yield OptionList(*map(_option, self._candidates))
            else:
                yield Static(gone + Content(" Nothing like it was found."))
            yield Input(placeholder="another folder", suggester=Folders(), compact=True)
            yield Static(id="why")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take a place that was offered."""
        self.dismiss(self._candidates[event.option_index].folder)

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        path = Path(event.value.strip()).expanduser()
        if not event.value.strip():
            return
        if path.is_absolute() and path.is_dir():
            self.dismiss(os.path.normpath(path))
        else:
            self.query_one("#why", Static).update("That is not an absolute path of a folder.")

    def action_leave(self) -> None:
        """Give nothing."""
        self.dismiss(None)


def _option(candidate: Candidate) -> Option:
    why = Content.styled(f"  {printable(candidate.why)}", "$text-muted")
    return Option(Content(printable(candidate.folder)) + why)
