"""The top line (where one is, how much there is) and the bottom line (what can be done)."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import RenderResult
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui.commands import COMMANDS, Command


@dataclass(frozen=True, slots=True)
class Standing:
    """What the top line says. Every text has been made printable."""

    scope: str = ""
    scopes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    shown: int = 0
    total: int = 0
    importing: str = ""


class TopBar(Widget):
    """The program's name, the scope among the others, the order, the counts, the import."""

    DEFAULT_CSS = """
    TopBar { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    standing: reactive[Standing] = reactive(Standing())

    def render(self) -> RenderResult:
        """Draw the line: what is left, and what is right of the space between."""
        now = self.standing
        parts = [Content.styled("backscroll", "bold $text-primary"), Content("  ")]
        for index, scope in enumerate(now.scopes):
            if index:
                parts.append(Content.styled(" › ", "$text-muted"))
            chosen = scope == now.scope
            parts.append(
                Content.styled(
                    f"[{scope}]" if chosen else scope, "bold" if chosen else "$text-muted"
                )
            )
        parts += [Content.styled(f"  {note}", "$text-accent") for note in now.notes]
        count = f"{now.shown:,}" if now.shown == now.total else f"{now.shown:,} of {now.total:,}"
        right = " · ".join(text for text in (count, now.importing) if text)
        left = Content.assemble(*parts)
        room = self.size.width - left.cell_length
        if room < len(right) + 2:
            return left
        space = room - len(right)
        return Content.assemble(left, " " * space, (right, "$text-muted"))


class BottomBar(Widget):
    """The keys of the most used commands, as many as fit."""

    DEFAULT_CSS = """
    BottomBar { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    def render(self) -> RenderResult:
        """Draw each command's key and title; help has the right end, whatever fits."""
        shown = [command for command in COMMANDS if command.in_footer]
        help_at_end = _key(next(command for command in shown if command.id == "help"))
        room = self.size.width - help_at_end.cell_length
        parts: list[Content] = []
        for command in shown:
            key = _key(command)
            if command.id != "help" and key.cell_length + 2 <= room:
                room -= key.cell_length + 2
                parts += [key, Content("  ")]
        return Content.assemble(*parts, " " * room, help_at_end)


def _key(command: Command) -> Content:
    title = command.title.lower()
    return Content.assemble((command.shown_key, "bold $text-primary"), (f" {title}", "$text-muted"))
