"""The part of the history pane that loads and draws; what moves it is built on this."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer
from textual.worker import Worker

from tui import clock
from tui.paging import HistorySource
from tui.render.look import STYLES, Look
from tui.selection import Selection
from tui.showing import Showing
from tui.viewport import Viewport

if TYPE_CHECKING:
    from tui.render.lit import Finder

SCALE = 4  # steps of the scrollbar for each message
PATIENCE = 0.2  # seconds before a load that takes long is spoken of
_THROTTLE = 0.05  # seconds between two reports of moving
GROUP = "history-load"

_EMPTY = "No messages yet."
_NONE_LEFT = "Nothing of this history is left to show."
_LOADING = "Loading…"
_BROKEN = "This history could not be read."


class HistoryPane(ScrollView, inherit_bindings=False):
    """Loads what is near a viewport, and draws what is in it.

    One worker at a time loads: a jump takes the place of whatever was being loaded, reading
    ahead waits for its turn. What was drawn stays until there is something else to draw.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"history--{name}" for name in STYLES}
    DEFAULT_CSS = """
    HistoryPane {
        background: $surface;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: scroll;
        scrollbar-size-vertical: 1;
        scrollbar-background: $surface;
        scrollbar-background-hover: $surface;
        scrollbar-background-active: $surface;

        & > .history--text { color: $foreground; }
        & > .history--you { color: $text-primary; background: $primary 12%; text-style: bold; }
        & > .history--prompt { color: $foreground; background: $primary 12%; }
        & > .history--agent { color: $foreground; text-style: bold; }
        & > .history--context { color: $text-muted; }
        & > .history--thinking { color: $text-muted; text-style: italic; }
        & > .history--tool { color: $foreground; text-style: bold; }
        & > .history--argument { color: $text-muted; }
        & > .history--result { color: $text-muted; }
        & > .history--note { color: $text-muted; }
        & > .history--ok { color: $text-success; }
        & > .history--error { color: $text-error; text-style: bold; }
        & > .history--heading { color: $text-primary; text-style: bold; }
        & > .history--code { color: $text-accent; }
        & > .history--block { color: $foreground; background: $foreground 5%; }
        & > .history--keyword { color: $text-primary; text-style: bold; }
        & > .history--string { color: $text-success; }
        & > .history--comment { color: $text-muted; text-style: italic; }
        & > .history--number { color: $text-warning; }
        & > .history--function { color: $text-accent; }
        & > .history--type { color: $text-secondary; }
        & > .history--added { color: $text-success; background: $success 12%; }
        & > .history--removed { color: $text-error; background: $error 12%; }
        & > .history--divider { color: $text-warning; }
        & > .history--mark { color: $text-accent; text-style: bold; }
        & > .history--match {
            color: $background;
            background: $warning;
            text-style: bold;
        }
        & > .history--link { color: $text-accent; text-style: underline; }
        & > .history--selection { background: $primary 50%; text-style: reverse; }

        &:ansi > .history--you { background: ansi_default; text-style: bold; }
        &:ansi > .history--prompt { background: ansi_default; text-style: bold; }
        &:ansi > .history--block { background: ansi_default; }
        &:ansi > .history--added { background: ansi_default; }
        &:ansi > .history--removed { background: ansi_default; }
        &:ansi > .history--context { text-style: dim; }
        &:ansi > .history--thinking { text-style: dim italic; }
        &:ansi > .history--note { text-style: dim; }
        &:ansi > .history--selection { background: ansi_default; }
        &:nocolor > .history--prompt { text-style: bold; }
        &:nocolor:ansi > .history--match { text-style: bold reverse; }
        &:nocolor > .history--heading { text-style: bold underline; }
    }
    """

    class Moved(Message, namespace="history_view"):
        """The view moved, or its history grew. Sent at most every 50 ms.

        `position` is the number of the last message in view, from 1 (0 when there is none),
        `first` that of the first one; `total` counts all.
        """

        def __init__(self, first: int, position: int, total: int, following: bool) -> None:
            super().__init__()
            self.first = first
            self.position = position
            self.total = total
            self.following = following

    class Failed(Message, namespace="history_view"):
        """Messages could not be read."""

        def __init__(self, error: Exception) -> None:
            super().__init__()
            self.error = error

    class Refused(Message, namespace="history_view"):
        """A key had nothing to do, and why."""

        def __init__(self, reason: str) -> None:
            super().__init__()
            self.reason = reason

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - textual's name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._agent_name = ""
        self._showing = Showing()
        self._following = False
        self._view: Viewport | None = None
        self._source: HistorySource
        self._total = 0
        self._task_id: str | None = None
        self._marked: int | None = None
        self._look: Look | None = None
        self._selection: Selection | None = None
        self._finder: Finder | None = None
        self._picture: list[Strip] = []
        self._is_stale = False
        self._is_jumping = False
        self._queued = 0
        self._prompts_wanted = 0
        self._notice = ""
        self._loader: Worker[None] | None = None
        self._reported: tuple[int, int, int, bool] | None = None
        self._report_timer: Timer | None = None

    # Loading

    def _jump(
        self,
        view: Viewport,
        load: Callable[[], Awaitable[int | None]],
        place: Callable[[int], None],
    ) -> None:
        """Load what is to be shown, then show it. The picture stays meanwhile."""
        self._is_jumping = True
        self._notice = ""
        self._start(view, lambda: self._jumped(view, load, place))

    async def _jumped(
        self,
        view: Viewport,
        load: Callable[[], Awaitable[int | None]],
        place: Callable[[int], None],
    ) -> None:
        position = await load()
        if position is not None and view.pages:
            place(position)
            while view.is_short and (way := view.wants()):
                await view.pages.extend(way, view.top.position, view.bottom.position)
                place(view.pages.last if view.is_stuck else position)
        self._is_jumping = False
        if queued := self._queued:
            self._queued = 0
            view.move(queued)
        self._repaint()
        await self._fill(view)

    async def _fill(self, view: Viewport) -> None:
        if not view.pages.is_counted:
            await view.pages.recount()
            self._repaint(feed=False)
        while way := view.wants():
            await view.pages.extend(way, view.top.position, view.bottom.position)
            view.pay()
            self._repaint()

    def _start(self, view: Viewport, work: Callable[[], Awaitable[None]]) -> None:
        """Do work behind the screen in place of what is being done."""

        async def guarded() -> None:
            nonlocal view, work
            try:
                await self._guard(view, work)
            finally:
                del view, work  # the worker stays for a while, and the messages would with it

        # Not a coroutine: one that is replaced before it begins would never be awaited.
        self._loader = self.run_worker(
            guarded,
            group=GROUP,
            exclusive=True,
            exit_on_error=False,
        )

    async def _guard(self, view: Viewport, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception as error:
            if view is self._view:
                self._is_jumping = False
                self._queued = self._prompts_wanted = view.owed = 0
                self._notice = "" if view.pages else _BROKEN
                self._repaint(feed=False)
            self.post_message(self.Failed(error))

    def _feed(self) -> None:
        """Begin to load what is near the view, when something is missing there."""
        view = self._view
        if view is None or not (view.wants() or not view.pages.is_counted):
            return
        if self._loader is None or self._loader.is_finished:
            self._start(view, lambda: self._fill(view))

    def _say_loading(self, view: Viewport) -> None:
        if view is self._view and self._is_jumping and not view.pages:
            self._notice = _LOADING
            self._repaint()

    def _reset(self) -> None:
        self._following = False
        self._marked = None
        self._selection = None
        self._is_jumping = False
        self._queued = self._prompts_wanted = 0
        self._notice = ""

    # Drawing

    def on_resize(self) -> None:
        """Lay out anew what is in view."""
        if self._view is not None:
            self._view.resize(*self.scrollable_content_region.size)
            self._repaint()

    def notify_style_update(self) -> None:
        """Take over the styles of another theme."""
        super().notify_style_update()
        self._look = None
        self._is_stale = True

    def render_line(self, y: int) -> Strip:
        """Give a line of the view."""
        if self._is_stale:
            self._is_stale = False
            self._picture = self._draw()
        if y < len(self._picture):
            return self._picture[y]
        return Strip.blank(self.size.width, self._styles().text)

    def _repaint(self, *, feed: bool = True) -> None:
        self._is_stale = True
        self._place_scrollbar()
        self._report()
        self.refresh()
        if feed:
            self._feed()

    def _draw(self) -> list[Strip]:
        view, look = self._view, self._styles()
        if view is None:
            return []
        if not view.is_ready:
            empty = _EMPTY if view.pages.where is None else _NONE_LEFT
            notice = self._notice or ("" if self._is_jumping or view.pages else empty)
            text = Strip([Segment(f" {notice}", look.note)])
            return [text] if notice else self._picture
        view.restyle(look)
        marked = None if self._marked is None else view.pages.find(self._marked)
        bar = Strip([Segment("▌", look.mark)], 1)
        blank = Strip.blank(view.width, look.text)
        rows = [
            (
                place,
                Strip.join([bar, strip.crop(1)])
                if place.position == marked and strip != blank
                else strip,
            )
            for place, strip in view.rows()
        ]
        if (finder := self._finder) is not None:
            from tui.render.lit import lit

            rows = [(place, lit(strip, finder, look.match)) for place, strip in rows]
        if (chosen := self._selection) is not None:
            return [chosen.lit(place, strip, look.selection) for place, strip in rows]
        return [strip for _, strip in rows]

    def _styles(self) -> Look:
        if self._look is None:
            styles = {name: self.get_component_rich_style(f"history--{name}") for name in STYLES}
            today = clock.now().astimezone().date()
            self._look = Look(agent_name=self._agent_name, today=today, **styles)
        return self._look

    def _place_scrollbar(self) -> None:
        view = self._view
        height = self.scrollable_content_region.height
        if view is None or not view.is_ready or (view.is_at_start and view.is_at_end):
            self.virtual_size = Size(0, height)
            return
        self.virtual_size = Size(0, max(view.pages.count * SCALE, height + 2))
        most = self.max_scroll_y
        if view.is_at_start:
            at = 0.0
        elif view.is_at_end:
            at = float(most)
        else:
            at = (view.pages.rank(view.top.position) + view.progress()) * SCALE
            at = max(1.0, min(at, most - 1.0))
        self.scroll_target_y = self.scroll_y = at

    def _report(self) -> None:
        """Tell the screen where the view is, a little later when that was told just now."""
        state = self._state()
        if state != self._reported and self._report_timer is None:
            self._reported = state
            self.post_message(self.Moved(*state))
            self._report_timer = self.set_timer(_THROTTLE, self._report_again)

    def _report_again(self) -> None:
        self._report_timer = None
        self._report()

    def _state(self) -> tuple[int, int, int, bool]:
        view = self._view
        if view is None or not view.is_ready:
            return 0, 0, 0 if view is None else view.pages.count, self._following
        first, last = view.top.position, view.bottom.position
        pages = view.pages
        return pages.rank(first) + 1, pages.rank(last) + 1, pages.count, self._following
