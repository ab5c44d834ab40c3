"""The history pane: a conversation of any length, drawn line by line, never loaded whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message as Event

from tui.paging import HistoryPages, HistorySource
from tui.render.marks import Links
from tui.render.plan import Fold
from tui.showing import Extract, Showing
from tui.viewport import Viewport
from tui.widgets.history_mouse import HistoryMouse
from tui.widgets.history_pane import GROUP, PATIENCE

if TYPE_CHECKING:
    from store.models import Message
    from tui.render.lit import Finder

__all__ = ["Fold", "HistorySource", "HistoryView"]


class HistoryView(HistoryMouse, can_focus=True, inherit_bindings=False):
    """A scrolling view of one task's history.

    It begins at the end. The scrollbar counts messages, four steps each, for nobody knows how
    many lines a million messages have.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_up", "Up", show=False, id="history.up"),
        Binding("down,j", "scroll_down", "Down", show=False, id="history.down"),
        Binding("pageup", "page_up", "Page up", show=False, id="history.page_up"),
        Binding("pagedown", "page_down", "Page down", show=False, id="history.page_down"),
        Binding("home", "scroll_home", "First message", show=False, id="history.home"),
        Binding("end,G", "scroll_end", "Last message", show=False, id="history.end"),
        Binding("space", "unfold", "Unfold", show=False, id="history.unfold"),
        Binding("enter", "go_in", "Go in", show=False, id="history.go_in"),
    ]

    class Followed(Event, namespace="history_view"):
        """The conversation that a message leads to is to be shown."""

        def __init__(self, task_id: str, seq: int) -> None:
            super().__init__()
            self.task_id = task_id
            self.seq = seq

    _links = Links()

    @property
    def task_id(self) -> str | None:
        """The task whose history is shown."""
        return self._task_id

    @property
    def showing(self) -> Showing:
        """What is shown, and how much of it."""
        return self._showing

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

    @property
    def current_rank(self) -> int:
        """The place of that message among those shown, from 0."""
        view = self._view
        return view.pages.rank(self._origin(view, 1)) if view is not None and view.pages else 0

    @property
    def count(self) -> int:
        """How many messages there are to show."""
        return self._view.pages.count if self._view is not None else 0

    def show(
        self,
        task_id: str,
        source: HistorySource,
        message_count: int,
        agent_name: str = "agent",
        *,
        at: int | None = None,
    ) -> None:
        """Show a history, from its end or `at` a message. The old picture stays until then."""
        self._reset()
        self._task_id = task_id
        self._source = source
        self._total = message_count
        self._agent_name = agent_name
        self._links = Links()
        self._look = None
        view = self._open()
        if at is None:
            self._go_end(view)
        else:
            self.go_to_match(at)
        self.set_timer(PATIENCE, lambda: self._say_loading(view))

    def _open(self) -> Viewport:
        where = self._showing.where
        count = self._total if where is None else 0
        pages = HistoryPages(self._source, self._task_id or "", count, where)
        self._view = view = Viewport(pages, self._styles(), self._showing)
        view.relink(self._links)
        view.resize(*self.scrollable_content_region.size)
        return view

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
        is_new = not view.pages or message_count < self._total
        is_grown = message_count != self._total
        self._total = message_count
        if is_grown or view.pages.where is None:
            view.pages.grow(message_count)
        if is_new or (self._following and is_grown):
            self._go_end(view)
        elif is_grown:
            view.is_stuck = False
            self._repaint()

    def light(self, finder: Finder | None) -> None:
        """Light what is found wherever it comes into view, or nothing."""
        self._finder = finder
        self._repaint()

    def link(self, links: Links) -> None:
        """Mark where this history leads to other ones."""
        self._links = links
        if self._view is not None:
            self._view.relink(links)
            self._repaint()

    # What is shown

    def cycle_fold(self) -> None:
        """Show more, or the least again after the most. The message at the top stays there."""
        self._show_as(self._showing.next_fold())

    def cycle_thoughts(self) -> None:
        """Show thinking as the rest, in full, or not at all."""
        self._show_as(self._showing.next_thoughts())

    def extract(self, extract: Extract) -> None:
        """Show only some of the messages, or all again."""
        self._show_as(self._showing.extracting(extract))

    def toggle_follow(self) -> bool:
        """Follow what is added, or stop doing so."""
        self._following = not self._following
        if self._following and self._view is not None:
            self._go_end(self._view)
        self._repaint()
        return self._following

    def _show_as(self, showing: Showing) -> None:
        is_same_extract = showing.where == self._showing.where
        self._showing = showing
        view, here = self._view, self.current
        if view is None:
            return
        self._selection = None
        if is_same_extract:
            view.reshow(showing)
            self._repaint()
            return
        was_stuck = view.is_stuck
        view = self._open()
        if here is None or was_stuck:
            self._go_end(view)
        else:
            self._go_near(view, here)

    # Keys

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
        if self._view is not None:
            self._go_start(self._view)

    def action_scroll_end(self) -> None:
        """Go to the last message."""
        if self._view is not None:
            self._go_end(self._view)

    def action_unfold(self) -> None:
        """Unfold the message that the reader is at, or fold it."""
        view = self._view
        if view is None or not view.is_ready:
            return
        at = self._origin(view, 1)
        self._selection = None
        if view.toggle(at):
            self._marked = view.pages[at].seq
            self._repaint()
        else:
            self.post_message(self.Refused("This message has nothing to unfold."))

    def action_go_in(self) -> None:
        """Go where the message leads, or unfold it."""
        message = self.current
        task_id = self._links.of(message) if message is not None else None
        if message is None or task_id is None:
            self.action_unfold()
        else:
            self.post_message(self.Followed(task_id, message.seq))
