"""The history pane: a conversation of any length, drawn line by line, never loaded whole."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.scrollbar import ScrollDown, ScrollTo, ScrollUp

from store import Message
from tui.paging import MOST_SEARCHED, HistoryPages, HistorySource
from tui.render.plan import Fold
from tui.viewport import Viewport
from tui.widgets.history_pane import GROUP, PATIENCE, SCALE, HistoryPane

__all__ = ["Fold", "HistorySource", "HistoryView"]


class HistoryView(HistoryPane, can_focus=True, inherit_bindings=False):
    """A scrolling view of one task's history.

    It begins at the end. The scrollbar counts messages, four steps each, for nobody knows how
    many lines a million messages have.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False, id="history.up"),
        Binding("down,j", "scroll_down", "Down", show=False, id="history.down"),
        Binding("pageup", "page_up", "Page up", show=False, id="history.page_up"),
        Binding("pagedown,space", "page_down", "Page down", show=False, id="history.page_down"),
        Binding("home,g", "scroll_home", "First message", show=False, id="history.home"),
        Binding("end,G", "scroll_end", "Last message", show=False, id="history.end"),
    ]

    @property
    def task_id(self) -> str | None:
        """The task whose history is shown."""
        return self._task_id

    @property
    def fold(self) -> Fold:
        """How much is shown."""
        return self._fold

    @property
    def following(self) -> bool:
        """Whether the view goes along with what is added."""
        return self._following

    @property
    def current(self) -> Message | None:
        """The message that the reader is at: the marked one in view, or the top."""
        view = self._view
        if view is None or not view.is_ready:
            return None
        return view.pages[self._origin(view, 1)]

    @property
    def current_seq(self) -> int | None:
        """The number of that message."""
        return self.current.seq if self.current else None

    def show(
        self, task_id: str, source: HistorySource, message_count: int, agent_name: str = "agent"
    ) -> None:
        """Show a history, from its end. What was shown stays until that is loaded."""
        self._reset()
        self._task_id = task_id
        self._agent_name = agent_name
        self._look = None
        self._view = view = Viewport(
            HistoryPages(source, task_id, message_count), self._styles(), self._fold
        )
        view.resize(*self.scrollable_content_region.size)
        self._go_end(view)
        self.set_timer(PATIENCE, lambda: self._say_loading(view))

    def clear(self) -> None:
        """Show nothing."""
        self._reset()
        self.workers.cancel_group(self, GROUP)
        self._view = None
        self._task_id = None
        self._picture = []
        self._repaint()

    def refresh_count(self, message_count: int) -> None:
        """Take note that the history has so many messages now. The view stays, or follows."""
        view = self._view
        if view is None:
            return
        is_new = not view.pages or message_count < view.pages.count
        view.pages.grow(message_count)
        if is_new or self._following:
            self._go_end(view)
        else:
            view.is_stuck = False
            self._repaint()

    def go_to(self, seq: int) -> None:
        """Show a message at the top and mark it."""
        if (view := self._view) is None:
            return

        async def load() -> int:
            at = view.pages.find(seq)
            return await view.pages.jump_seq(seq) if at is None else at

        self._following = False
        self._jump(view, load, lambda position: self._mark(view, position))

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

    def cycle_fold(self) -> Fold:
        """Show more, or the least again after the most. The message at the top stays there."""
        self._fold = self._fold.next()
        if self._view is not None:
            self._view.refold(self._fold)
            self._repaint()
        return self._fold

    def toggle_follow(self) -> bool:
        """Follow what is added, or stop doing so."""
        self._following = not self._following
        if self._following and self._view is not None:
            self._go_end(self._view)
        self._repaint()
        return self._following

    # Keys and the mouse

    def action_scroll_up(self) -> None:
        """Go up a line."""
        self._move(-1)

    def action_scroll_down(self) -> None:
        """Go down a line."""
        self._move(1)

    def action_page_up(self) -> None:
        """Go up a page, all but a line."""
        self._move(-max(1, self.scrollable_content_region.height - 1))

    def action_page_down(self) -> None:
        """Go down a page, all but a line."""
        self._move(max(1, self.scrollable_content_region.height - 1))

    def action_scroll_home(self) -> None:
        """Go to the first message."""
        if (view := self._view) is not None:
            self._following = False

            async def load() -> int:
                if not view.pages.at_start:
                    await view.pages.jump_start()
                return view.pages.first

            self._jump(view, load, lambda _: view.to_start())

    def action_scroll_end(self) -> None:
        """Go to the last message."""
        if self._view is not None:
            self._go_end(self._view)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Go up some lines."""
        self._wheel(event, -1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Go down some lines."""
        self._wheel(event, 1)

    def on_scroll_to(self, event: ScrollTo) -> None:
        """Go where the scrollbar was dragged to."""
        event.prevent_default().stop()
        if event.y is not None:
            self._go_fraction(event.y / max(1, self.max_scroll_y))

    def on_scroll_up(self, event: ScrollUp) -> None:
        """Go where the scrollbar was clicked, above its thumb."""
        event.prevent_default().stop()
        self._click()

    def on_scroll_down(self, event: ScrollDown) -> None:
        """Go where the scrollbar was clicked, below its thumb."""
        event.prevent_default().stop()
        self._click()

    def _wheel(self, event: events.MouseEvent, way: int) -> None:
        event.prevent_default().stop()
        self._move(way * max(1, round(self.app.scroll_sensitivity_y)))

    def _click(self) -> None:
        track = self.vertical_scrollbar.region
        offset = self.app.mouse_position.y - track.y
        self._go_fraction(offset / max(1, track.height - 1))

    # Moving

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

    def _go_fraction(self, fraction: float) -> None:
        """Go to a place of the scrollbar. Its ends are those of the history."""
        view = self._view
        if view is None or not view.pages:
            return
        if fraction <= 0:
            self.action_scroll_home()
        elif fraction >= 1:
            self._go_end(view)
        else:
            rank = min(view.pages.count - 1, int(fraction * self.max_scroll_y / SCALE))
            self._following = False
            self._jump(view, lambda: view.pages.reach(rank), view.to_message)

    def _seek(self, way: int) -> None:
        view = self._view
        if view is None or not view.is_ready:
            return
        origin = self._origin(view, way)

        async def load() -> int | None:
            prompt = await view.pages.find_prompt(origin, way)
            if prompt is None:
                self.post_message(self.Refused(_no_prompt(view, way)))
                return None
            at = view.pages.find(prompt.seq)
            return await view.pages.jump_seq(prompt.seq) if at is None else at

        self._following = False
        self._jump(view, load, lambda position: self._mark(view, position))

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


def _no_prompt(view: Viewport, way: int) -> str:
    edge = view.pages.at_end if way > 0 else view.pages.at_start
    if edge:
        return "This is the last prompt." if way > 0 else "This is the first prompt."
    where = "next" if way > 0 else "previous"
    return f"No prompt within the {where} {MOST_SEARCHED:,} messages."
