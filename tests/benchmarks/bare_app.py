"""The floor of every screen benchmark: a Textual app that shows one line and does nothing else."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class Bare(App[None]):
    def compose(self) -> ComposeResult:
        yield Static("The long one")


if __name__ == "__main__":
    Bare().run()
