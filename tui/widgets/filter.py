"""The line that filter words are typed into."""

from __future__ import annotations

from textual.widgets import Input


class FilterLine(Input):
    """One line above the bottom: what is typed filters the list at once."""

    DEFAULT_CSS = """
    FilterLine {
        height: 1;
        border: none;
        padding: 0 1;
        background: $panel;
        &:focus { border: none; background: $boost; }
    }
    """

    def __init__(self, words: str, *, id: str) -> None:  # noqa: A002
        super().__init__(
            words, id=id, placeholder="words in title, project, branch, model or agent"
        )
