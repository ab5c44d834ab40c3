"""One of a few things, on one line: left and right go through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import RenderResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the things: what stands for it, and what it means. Both have been made printable."""

    value: str
    help: str = ""
    is_dangerous: bool = False


class Pick(Widget, can_focus=True):
    """Shows the chosen one between arrows."""

    DEFAULT_CSS = """
    Pick {
        height: 1;
        &:focus { background: $boost; text-style: bold; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "step(1)", "Next", show=False),
        Binding("left", "step(-1)", "Previous", show=False),
    ]

    place: reactive[int] = reactive(0)

    class Changed(Message):
        """Another one was chosen, by the person."""

        def __init__(self, pick: Pick) -> None:
            super().__init__()
            self.pick = pick

        @property
        def control(self) -> Pick:
            """The line that it was chosen on."""
            return self.pick

    def __init__(self, choices: Sequence[Choice], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._choices = choices

    @property
    def value(self) -> str:
        """The chosen one."""
        return self._choices[self.place].value

    def choose(self, value: str) -> None:
        """Show one as chosen, without saying so."""
        self.place = next((n for n, one in enumerate(self._choices) if one.value == value), 0)

    def render(self) -> RenderResult:
        """Draw the chosen one and what it means."""
        chosen = self._choices[self.place]
        style = "$text-warning" if chosen.is_dangerous else ""
        arrows = ("‹ ", " ›") if len(self._choices) > 1 else ("", "")
        return Content.assemble(
            (arrows[0], "$text-primary"),
            (chosen.value, style),
            (arrows[1], "$text-primary"),
            (f"  {chosen.help}" if chosen.help else "", style or "$text-muted"),
        )

    def action_step(self, step: int) -> None:
        """Go to the one after or before, going round."""
        if len(self._choices) > 1:
            self.place = (self.place + step) % len(self._choices)
            self.post_message(self.Changed(self))

    def on_click(self) -> None:
        """Go to the next one."""
        self.action_step(1)
