"""Everything known of one task, each value of which can be copied."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

from store.errors import StoreError
from store.text import printable
from tui import clipboard, clock
from tui.render.sheet import as_text, sheet
from tui.render.wrap import clip
from tui.screens.panes import in_words
from tui.widgets.facts import FactList

if TYPE_CHECKING:
    from store.models import TaskRow
    from tui.facts import Facts


_MOST_SAID = 80  # cells of what was copied


class Details(ModalScreen[None]):
    """A sheet of facts, filled as they come in. What is still looked for stops when it closes."""

    DEFAULT_CSS = """
    Details {
        align: center middle;
        & > FactList {
            width: 104;
            max-width: 96%;
            height: 92%;
            border: round $primary;
            border-title-color: $text-primary;
            border-subtitle-color: $text-muted;
        }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,v", "leave", "Close", show=False),
        Binding("Y", "copy_all", "Copy all", show=False),
    ]

    def __init__(self, row: TaskRow, facts: AsyncIterator[Facts]) -> None:
        super().__init__()
        self._row = row
        self._facts = facts

    def compose(self) -> ComposeResult:
        """Lay out the sheet."""
        facts = FactList()
        facts.border_title = Content(printable(self._row.task.title) or "(no title)")
        facts.border_subtitle = "y copies · Y all · esc closes"
        yield facts

    def on_mount(self) -> None:
        """Begin to gather."""
        self.run_worker(self._gather(), group="gather", exit_on_error=False)

    async def _gather(self) -> None:
        try:
            async for facts in self._facts:
                self.query_one(FactList).show(sheet(self._row, facts, clock.now()))
        except (StoreError, OSError) as error:
            self._tell(in_words(error), "error")
        except Exception as error:  # a mistake of ours, which must not cost the person theirs
            self.log.error(traceback.format_exc())
            self._tell(f"A mistake in backscroll: {in_words(error)}", "error")

    @on(FactList.Chosen)
    async def _copy(self, event: FactList.Chosen) -> None:
        fact = event.fact
        if not fact.raw:
            self._tell(f"{fact.name}: this is not known yet.")
            return
        await self._copied(fact.raw, f"Copied: {clip(printable(fact.raw), _MOST_SAID)}")

    async def action_copy_all(self) -> None:
        """Copy everything, as text."""
        text = as_text(self.query_one(FactList).facts)
        await self._copied(text, f"Copied everything, {len(text.splitlines()):,} lines.")

    async def _copied(self, text: str, words: str) -> None:
        if not await clipboard.copy(text, clipboard.found()):
            self.app.copy_to_clipboard(text)
        self._tell(words)

    def _tell(self, words: str, severity: str = "information") -> None:
        self.notify(words, severity=severity, markup=False)  # type: ignore[arg-type]

    def action_leave(self) -> None:
        """Close the sheet."""
        self.dismiss(None)
