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
    hidden: int = 0
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
        count = f"{now.shown:,} of {now.total:,}"
        if now.shown == now.total:
            count = f"{now.shown:,} task{'' if now.shown == 1 else 's'}"
        hidden = f"{now.hidden:,} hidden" if now.hidden else ""
        told = [text for text in (count, hidden, now.importing) if text]
        for scopes, right in (
            (now.scopes, " · ".join(told)),
            ((now.scope,), " · ".join(told)),
            ((now.scope,), told[-1] if now.importing else told[0]),
        ):
            left = self._left(scopes)
            space = self.content_size.width - left.cell_length - len(right)
            if space > 1:
                break
        return Content.assemble(left, " " * max(1, space), (right, "$text-muted"))

    def _left(self, scopes: tuple[str, ...]) -> Content:
        now = self.standing
        parts = [Content.styled("backscroll", "bold $text-primary"), Content("  ")]
        for index, scope in enumerate(scopes):
            if index:
                parts.append(Content.styled(" › ", "$text-muted"))
            chosen = scope == now.scope
            text = f"[{scope}]" if chosen else scope
            parts.append(Content.styled(text, "bold" if chosen else "$text-muted"))
        parts += [Content.styled(f"  {note}", "$text-accent") for note in now.notes]
        return Content.assemble(*parts)


class BottomBar(Widget):
    """The keys of the most used commands, as many as fit."""

    DEFAULT_CSS = """
    BottomBar { height: 1; padding: 0 1; background: $panel; color: $foreground; }
    """

    off: reactive[frozenset[str]] = reactive(frozenset())
    """The ids of commands that cannot act now. They stay, greyed: their keys say why."""

    def render(self) -> RenderResult:
        """Draw each command's key and title; help has the right end, whatever fits."""
        shown = [command for command in COMMANDS if command.in_footer]
        # Dimming halves the contrast of known colours; of the terminal's own, it is all there is.
        off = "dim" if self.app.current_theme.ansi else "$text-disabled"
        help_at_end = _key(next(command for command in shown if command.id == "help"))
        room = self.size.width - help_at_end.cell_length
        parts: list[Content] = []
        for command in shown:
            key = _key(command, off if command.id in self.off else "")
            if command.id != "help" and key.cell_length + 2 <= room:
                room -= key.cell_length + 2
                parts += [key, Content("  ")]
        return Content.assemble(*parts, " " * room, help_at_end)


def _key(command: Command, off: str = "") -> Content:
    title = command.title.lower()
    if off:
        return Content.styled(f"{command.shown_key} {title}", off)
    return Content.assemble((command.shown_key, "bold $text-primary"), (f" {title}", "$text-muted"))
