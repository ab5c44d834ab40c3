"""The detail pane: the selected task and its session in a few lines."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from store.text import printable
from tui import clock
from tui.render.detail import Surroundings, detail

if TYPE_CHECKING:
    from store.models import TaskRow


class Detail(Static):
    """What is known of the selected task. Its title is the pane's."""

    DEFAULT_CSS = """
    Detail {
        height: auto;
        max-height: 8;
        padding: 0 1;
        background: $surface;
        color: $foreground;
    }
    """

    def show(self, row: TaskRow | None, around: Surroundings | None = None) -> None:
        """Show a task, or with None that there is none."""
        if row is None:
            self.border_title = None
            self.update(Content.styled("No task is selected.", "$text-muted"))
            return
        # A string would be read as markup, whatever is escaped in it.
        self.border_title = Content(printable(row.task.title) or "(no title)")
        home = str(Path.home())
        self.update(detail(row, around or Surroundings(), home, clock.now()))
