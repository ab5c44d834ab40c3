"""The line that a query is typed into, with what it found or what is wrong with it beside it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input, Static

from store.query.completion import Completion

_LEAST = 2  # characters of a name or value from which on it is completed

Complete = Callable[[str, int], Awaitable[Sequence[Completion]]]


class QueryLine(Horizontal):
    """A sign, the line itself, and words about what it found.

    Up and down go through the queries typed before; down from the newest goes to what was found.
    """

    DEFAULT_CSS = """
    QueryLine {
        height: 1;
        background: $panel;

        & > #query-sign { width: auto; padding: 0 0 0 1; color: $text-primary; }
        & > QueryInput, & > QueryInput:focus {
            width: 1fr;
            min-width: 12;
            height: 1;
            border: none;
            padding: 0 1;
            background: $boost;
        }
        & > #query-words { width: auto; max-width: 60%; padding: 0 1; color: $text-muted; }
        &.-wrong > #query-words { color: $text-error; }
    }
    """

    class Changed(Message):
        """Another query stands there."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Submitted(Message):
        """The query is as it should be: on to what it found."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class SaveWanted(Message):
        """The query is to be saved under a name."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self, sign: str, text: str, complete: Complete, recent: Sequence[str], placeholder: str
    ) -> None:
        super().__init__(id="query")
        self._sign = sign
        self._line = QueryInput(text, complete, recent, placeholder)

    def compose(self) -> ComposeResult:
        """Lay out the line."""
        yield Static(Content(self._sign), id="query-sign")
        yield self._line
        yield Static("", id="query-words")

    @property
    def text(self) -> str:
        """The query."""
        return self._line.value

    @text.setter
    def text(self, text: str) -> None:
        self._line.value = text
        self._line.cursor_position = len(text)

    def focus(self, scroll_visible: bool = True) -> QueryLine:
        """Put the cursor into the line."""
        self._line.focus(scroll_visible)
        return self

    def say(self, words: str, *, is_wrong: bool = False) -> None:
        """Say what was found, or what is wrong."""
        self.set_class(is_wrong, "-wrong")
        if self.is_mounted:
            self.query_one("#query-words", Static).update(Content(words))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Tell of another query."""
        event.stop()
        self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Tell that the query is as it should be."""
        event.stop()
        self.post_message(self.Submitted(event.value))


class QueryInput(Input):
    """The line itself."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "older", "Older query", show=False),
        Binding("down", "newer", "Newer query", show=False),
        Binding("tab", "complete", "Complete", show=False),
        Binding("ctrl+s", "save", "Save the query", show=False),
    ]

    def __init__(
        self, text: str, complete: Complete, recent: Sequence[str], placeholder: str
    ) -> None:
        super().__init__(
            text, placeholder=placeholder, suggester=_Completer(complete), select_on_focus=False
        )
        self._recent = [*recent]
        self._at = len(self._recent)
        self._own = text

    def on_paste(self, event: events.Paste) -> None:
        """Take pasted text as one line."""
        event.text = " ".join(event.text.split())

    def action_older(self) -> None:
        """Show the query typed before this one."""
        if self._at == len(self._recent):
            self._own = self.value
        self._show(self._at - 1)

    def action_newer(self) -> None:
        """Show the query typed after this one; from the newest go to what it found."""
        if self._at == len(self._recent):
            self.post_message(QueryLine.Submitted(self.value))
        else:
            self._show(self._at + 1)

    def _show(self, at: int) -> None:
        if 0 <= at <= len(self._recent):
            self._at = at
            self.value = self._own if at == len(self._recent) else self._recent[at]
            self.cursor_position = len(self.value)

    def action_complete(self) -> None:
        """Take what is suggested."""
        self.cursor_position = len(self.value)
        self.action_cursor_right()

    def action_save(self) -> None:
        """Ask for the query to be saved."""
        self.post_message(QueryLine.SaveWanted(self.value))


class _Completer(Suggester):
    """Suggests how the last word of the line goes on."""

    def __init__(self, complete: Complete) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        for found in await self._complete(value, len(value)):
            typed = value[found.start : found.end]
            goes_on = found.text.casefold().startswith(typed.casefold())
            if found.end == len(value) and goes_on and _is_enough(value, found.start):
                return value[: found.start] + typed + found.text[len(typed) :]
        return None


def _is_enough(value: str, start: int) -> bool:
    return len(value) - start >= _LEAST or value[:start].endswith((":", ","))
