"""The part of the history pane that moves: by lines, messages and prompts, to ends and places."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tui.paging import place_at
from tui.viewport import Viewport
from tui.widgets.history_pane import SCALE, HistoryPane

if TYPE_CHECKING:
    from store.models import Message


class HistoryMoves(HistoryPane, inherit_bindings=False):
    """Moves the view. What is not loaded yet is loaded first; the picture stays meanwhile."""

    def go_to(self, seq: int) -> None:
        """Show a message at the top and mark it."""
        if (view := self._view) is None:
            return

        async def load() -> int:
            at = view.pages.find(seq)
            return await view.pages.jump_seq(seq) if at is None else at

        self._following = False
        self._jump(view, load, lambda position: self._mark(view, position))

    def go_to_rank(self, rank: int) -> None:
        """Show the message at a place of what is shown, from 0; the last where there are fewer."""
        if (view := self._view) is None or not view.pages:
            return
        self._following = False
        wanted = max(0, min(rank, view.pages.count - 1))
        self._jump(
            view, lambda: view.pages.reach(wanted), lambda position: self._mark(view, position)
        )

    def go_to_time(self, moment: datetime) -> None:
        """Show the first message of a time or after it; the last where there is none."""
        if (view := self._view) is None or not view.pages:
            return
        self._following = False
        self._jump(
            view,
            lambda: view.pages.jump_near(place_at(moment)),
            lambda position: self._mark(view, position),
        )

    def next_prompt(self) -> None:
        """Go to the next message that a person typed."""
        self._seek(1)

    def previous_prompt(self) -> None:
        """Go to the message that a person typed before."""
        self._seek(-1)

    def next_message(self) -> None:
        """Go to the next message."""
        self._step(1)

    def previous_message(self) -> None:
        """Go to the message before."""
        self._step(-1)

    def _move(self, lines: int) -> None:
        view = self._view
        if view is None:
            return
        if lines < 0:
            self._following = False
        if self._is_jumping:
            self._queued += lines
            return
        view.move(lines)
        self._repaint()

    def _go_start(self, view: Viewport) -> None:
        async def load() -> int:
            if not view.pages.at_start:
                await view.pages.jump_start()
            return view.pages.first

        self._following = False
        self._jump(view, load, lambda _: view.to_start())

    def _go_end(self, view: Viewport) -> None:
        async def load() -> int:
            pages = view.pages
            if self._following and pages and view.is_stuck:
                while not pages.at_end:
                    await pages.extend(1, view.top.position, pages.last)
            if not pages.at_end or not pages:
                await pages.jump_end()
            return pages.last

        self._jump(view, load, lambda _: view.to_end())

    def _go_near(self, view: Viewport, message: Message) -> None:
        """Show what is at a message's place, whether that is among what is shown or not."""
        self._jump(view, lambda: view.pages.jump_near(message), view.to_message)

    def _go_fraction(self, fraction: float) -> None:
        """Go to a place of the scrollbar. Its ends are those of the history."""
        view = self._view
        if view is None or not view.pages:
            return
        if fraction <= 0:
            self._go_start(view)
        elif fraction >= 1:
            self._go_end(view)
        else:
            rank = min(view.pages.count - 1, int(fraction * self.max_scroll_y / SCALE))
            self._following = False
            self._jump(view, lambda: view.pages.reach(rank), view.to_message)

    def _seek(self, way: int) -> None:
        """Go to the next prompt that way. Keys that come faster than prompts are found add up."""
        view = self._view
        if view is None or not view.is_ready:
            return
        self._prompts_wanted += way
        steps = self._prompts_wanted
        if not steps:
            return
        origin = self._origin(view, 1 if steps > 0 else -1)

        async def load() -> int | None:
            prompt = await view.pages.find_prompt(origin, steps)
            if prompt is None:
                edge = "last" if steps > 0 else "first"
                self.post_message(self.Refused(f"This is the {edge} prompt."))
                self._prompts_wanted = 0
                return None
            at = view.pages.find(prompt.seq)
            return await view.pages.jump_seq(prompt.seq) if at is None else at

        def arrive(position: int) -> None:
            self._prompts_wanted = 0
            self._mark(view, position)

        self._following = False
        self._jump(view, load, arrive)

    def _step(self, way: int) -> None:
        view = self._view
        if view is None or not view.is_ready:
            return
        wanted = self._origin(view, way) + way
        self._following = False
        pages = view.pages
        if pages.first <= wanted <= pages.last:  # at once: the next key counts from there
            self._mark(view, wanted)
            self._repaint()
            return

        async def load() -> int | None:
            if wanted < pages.first and not pages.at_start:
                await pages.extend(-1, view.top.position, view.bottom.position)
            elif wanted > pages.last and not pages.at_end:
                await pages.extend(1, view.top.position, view.bottom.position)
            if pages.first <= wanted <= pages.last:
                return wanted
            edge = "last" if way > 0 else "first"
            self.post_message(self.Refused(f"This is the {edge} message."))
            return None

        self._jump(view, load, lambda position: self._mark(view, position))

    def _origin(self, view: Viewport, way: int) -> int:
        """Say which message a search begins at: the marked one in view, else the edge of it."""
        top, bottom = view.top, view.bottom
        if self._marked is not None:
            at = view.pages.find(self._marked)
            if at is not None and top.position <= at <= bottom.position:
                return at
        if way > 0:
            return top.position
        return bottom.position + 1 if view.is_at_end else top.position + (top.line > 1)

    def _mark(self, view: Viewport, position: int) -> None:
        self._marked = view.pages[position].seq
        view.to_message(position)
