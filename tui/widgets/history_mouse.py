"""The part of the history pane that the mouse has: wheel, scrollbar, marking, choosing text."""

from __future__ import annotations

from textual import events
from textual.message import Message
from textual.scrollbar import ScrollDown, ScrollTo, ScrollUp
from textual.timer import Timer

from tui.render.history import GUTTER, NARROW, NARROW_GUTTER
from tui.selection import Point, Selection
from tui.widgets.history_moves import HistoryMoves

_MOST_LINES = 10_000  # of a selection
_SCROLLS_EVERY = 0.05  # seconds, while the mouse drags beyond an edge


class HistoryMouse(HistoryMoves, inherit_bindings=False):
    """What the mouse does. Dragging chooses text, a click marks a message or folds it."""

    class Selected(Message, namespace="history_view"):
        """Text was chosen with the mouse."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    _pointer = (0, 0)
    _dragging: Timer | None = None

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

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin to choose text."""
        view = self._view
        if event.button != 1 or view is None or not view.is_ready:
            return
        self._pointer = event.get_content_offset_capture(self)
        self._selection = None
        gutter = NARROW_GUTTER if view.width < NARROW else GUTTER
        if (point := self._point()) is not None:
            self._selection = Selection(point, point, gutter)
            self.capture_mouse()
            self._dragging = self.set_interval(_SCROLLS_EVERY, self._drag)
        self._repaint()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Choose up to here."""
        if self._dragging is not None:
            self._pointer = event.get_content_offset_capture(self)
            self._extend()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Hand over what was chosen, or mark the message that was clicked."""
        if self._dragging is None:
            return
        self._pointer = event.get_content_offset_capture(self)
        self._stop_dragging()
        view, chosen = self._view, self._selection
        if view is None or chosen is None:
            return
        if chosen.is_empty:
            self._selection = None
            self._clicked(chosen.origin)
        elif text := chosen.text(
            view.rows_between(chosen.start.place, chosen.end.place, _MOST_LINES)
        ):
            self.post_message(self.Selected(text))
        self._repaint()

    def on_mouse_release(self) -> None:
        """Let go when the mouse was taken away."""
        self._stop_dragging()

    def _stop_dragging(self) -> None:
        if self._dragging is not None:
            self._dragging.stop()
            self._dragging = None
            self.release_mouse()

    def _point(self) -> Point | None:
        view = self._view
        if view is None or not view.is_ready:
            return None
        x, y = self._pointer
        row = max(0, min(y, view.height - 1))
        return Point(view.place_of(row), max(0, min(x, view.width - 1)))

    def _extend(self) -> None:
        point = self._point()
        if self._selection is not None and point is not None:
            origin, gutter = self._selection.origin, self._selection.gutter
            self._selection = Selection(origin, point, gutter)
            self._repaint()

    def _drag(self) -> None:
        """Go on while the mouse is held beyond an edge."""
        view, y = self._view, self._pointer[1]
        if view is not None and not 0 <= y < view.height:
            self._move(1 if y > 0 else -1)
            self._extend()

    def _clicked(self, point: Point) -> None:
        view = self._view
        if view is None or not view.pages.first <= point.place.position <= view.pages.last:
            return
        self._marked = view.pages[point.place.position].seq
        is_sign = point.x < (NARROW_GUTTER if view.width < NARROW else GUTTER)
        if is_sign and not point.place.part and not point.place.line:
            view.toggle(point.place.position)

    def _wheel(self, event: events.MouseEvent, way: int) -> None:
        event.prevent_default().stop()
        self._move(way * max(1, round(self.app.scroll_sensitivity_y)))

    def _click(self) -> None:
        track = self.vertical_scrollbar.region
        offset = self.app.mouse_position.y - track.y
        self._go_fraction(offset / max(1, track.height - 1))
