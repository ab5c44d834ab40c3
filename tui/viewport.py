"""What of a history is in view: a place to begin at, and walking from there line by line.

There is no index of lines. The state is one place, (message, part of it, line of that part);
lines are laid out when they are walked over, and few are kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from textual.strip import Strip

from tui.paging import HistoryPages
from tui.render.history import part_lines
from tui.render.look import Look
from tui.render.marks import NO_LINKS, Links
from tui.render.plan import Fold, Plan, has_folds, plan_among
from tui.showing import Showing

if TYPE_CHECKING:
    from tui.render.lit import Finder

MOST_LINES = 1_000  # laid out lines that are kept: a strip is a dozen objects to collect
_LEAST_PARTS = 8
_DRAWN = dict.fromkeys(map(ord, "─│┼▎"))
MOST_OWED = 100_000


class Place(NamedTuple):
    """A line of a history: a message's position, the part of the message, the line of the part."""

    position: int
    part: int = 0
    line: int = 0


class Viewport:
    """The view on a window of messages. Everything here happens at once; loading is the caller's.

    `top` is the first line in view. A move that meets the edge of what is loaded is `owed`, and
    paid when more is there. `is_stuck` keeps the end in view when sizes change.
    """

    def __init__(self, pages: HistoryPages, look: Look, showing: Showing) -> None:
        self.pages = pages
        self.top = Place(0)
        self.owed = 0
        self.is_stuck = False
        self.width = 0
        self.height = 0
        self._look = look
        self._showing = showing
        self._links = NO_LINKS
        self._own: dict[int, Fold] = {}  # messages that are folded in a way of their own
        self._opened: int | None = None  # the one of them that was unfolded for what is found in it
        self._opened_from: Fold | None = None  # and how it was before
        self._depth: int | None = None
        # By the number of a message and that of the one before, which marks stand between.
        self._plans: dict[tuple[int, int], Plan] = {}
        self._lines: OrderedDict[tuple[int, int, int], list[Strip]] = OrderedDict()
        self._kept = 0

    @property
    def bottom(self) -> Place:
        """The last line in view."""
        return self._walk(self.top, self.height - 1)[0]

    @property
    def is_ready(self) -> bool:
        """Whether there is something to show, and a place to show it in."""
        return bool(self.pages) and self.width > 0 and self.height > 0

    @property
    def is_short(self) -> bool:
        """Whether what is loaded does not fill the view."""
        return self.is_ready and self._walk(self.top, self.height - 1)[1] > 0

    @property
    def is_at_start(self) -> bool:
        """Whether the first line of the history is in view."""
        return self.pages.at_start and self.top <= Place(self.pages.first)

    @property
    def is_at_end(self) -> bool:
        """Whether the last line of the history is in view."""
        if not self.pages.at_end or not self.pages:
            return self.pages.at_end
        bottom, short = self._walk(self.top, self.height - 1)
        return short > 0 or bottom == self._last()

    def wants(self) -> int:
        """Say which way more has to be loaded: -1, 1, or 0."""
        if not self.is_ready:
            return 0
        if self.owed < 0 and not self.pages.at_start:
            return -1
        return self.pages.lacks(self.top.position, self.bottom.position)

    def progress(self) -> float:
        """Say how far into its message the view begins, from 0 to 1."""
        parts = self._plan(self.top.position).parts
        lines = self._at(self.top.position, self.top.part)
        return (self.top.part + self.top.line / len(lines)) / parts

    def rows(self) -> list[tuple[Place, Strip]]:
        """Give the lines in view and where they stand."""
        return self._rows_from(self.top, self.height)

    def place_of(self, row: int) -> Place:
        """Give the line that is in view so many rows down, or the last one."""
        return self._walk(self.top, row)[0]

    def rows_between(self, start: Place, end: Place, most: int) -> list[tuple[Place, Strip]]:
        """Give the loaded lines from one place to another, so many at most."""
        first = max(start, Place(self.pages.first))
        if not self.is_ready or first.position > self.pages.last:
            return []
        return [row for row in self._rows_from(first, most) if row[0] <= end]

    def _rows_from(self, start: Place, count: int) -> list[tuple[Place, Strip]]:
        out: list[tuple[Place, Strip]] = []
        position, part, line = start
        while len(out) < count:
            for at, strip in enumerate(self._at(position, part)[line:], line):
                out.append((Place(position, part, at), strip))
            following = self._after(position, part)
            if following is None:
                break
            (position, part), line = following, 0
        return out[:count]

    # Moving

    def move(self, lines: int) -> None:
        """Move down by so many lines, or up."""
        if not self.pages:
            return
        self._depth = None
        self.is_stuck = False
        self.owed = max(-MOST_OWED, min(MOST_OWED, self.owed + lines))
        self.pay()

    def pay(self) -> None:
        """Move by what is owed, as far as is loaded."""
        if not self.is_ready or not self.owed:
            return
        place, left = self._walk(self.top, self.owed)
        if self.owed < 0:
            self.top, self.owed = place, 0 if self.pages.at_start else left
            return
        short = self._walk(place, self.height - 1)[1]
        place = self._walk(place, -short)[0]
        self.top = max(self.top, place)
        self.owed = 0 if self.pages.at_end else left + short
        self.is_stuck = self.pages.at_end and left + short > 0

    def to_start(self) -> None:
        """Show the first loaded lines."""
        self._put(Place(self.pages.first))

    def to_end(self) -> None:
        """Show the last loaded lines, and stay with them."""
        if self.is_ready:
            self._put(self._walk(self._last(), 1 - self.height)[0])
        self.is_stuck = True

    def to_message(self, position: int) -> None:
        """Show a message, at the top if enough follows it."""
        self._put(Place(position))
        self.settle()

    def to_match(self, position: int, finder: Finder) -> None:
        """Show the first place in a message where something is found, unfolding it if need be.

        The message's beginning is shown with it when both fit. The one that was unfolded for the
        match before is folded again: who passes many leaves no trail.
        """
        message = self.pages[position]
        if self._opened is not None and self._opened != message.seq:
            self._fold_again()
            self._replan()
        place = self._match(position, finder)
        if place is None and has_folds(message) and finder.first(message.content) is not None:
            self._opened = message.seq
            self._opened_from = self._own.get(message.seq)
            self._own[message.seq] = Fold.FULL
            self._replan()
            place = self._match(position, finder)
        self._put(Place(position))
        if place is not None and self._walk(self.top, max(0, self.height - 3))[0] < place:
            self._put(self._walk(place, -(self.height // 3))[0])
        self.settle()

    def _fold_again(self) -> None:
        if self._opened is not None:
            self._own.pop(self._opened, None)
            if self._opened_from is not None:
                self._own[self._opened] = self._opened_from
        self._opened = None

    def _match(self, position: int, finder: Finder) -> Place | None:
        plan = self._plan(position)
        # Only the part that has it is laid out: a message may have thousands.
        first = finder.first(plan.body or "")
        part = bisect_right(plan.cuts, first) - 1 if first is not None else 0
        for line, strip in enumerate(self._at(position, part)):
            if finder.first(strip.text) is not None:
                return Place(position, part, line)
        return None

    def settle(self) -> None:
        """Fill the view to its last line where the history ends sooner."""
        if self.is_ready and (short := self._walk(self.top, self.height - 1)[1]):
            self.top = self._walk(self.top, -short)[0]

    # What the lines depend on

    def resize(self, width: int, height: int) -> None:
        """Lay out anew for another size; the text at the top stays there."""
        if (width, height) == (self.width, self.height):
            return
        if width != self.width and self.is_ready:
            self._depth = self._measure() if self._depth is None else self._depth
        rewrap = width != self.width
        self.width, self.height = width, height
        if rewrap:
            self._forget()
            self._restore()
        self._keep()

    def restyle(self, look: Look) -> None:
        """Draw with other styles from now on."""
        if look != self._look:
            self._look = look
            self._forget()

    def reshow(self, showing: Showing) -> None:
        """Fold otherwise; the message at the top stays there."""
        self._showing = showing
        self._own.clear()
        self._opened = None
        self._replan()
        self._keep()

    def relink(self, links: Links) -> None:
        """Mark where the history leads to other ones."""
        self._links = links
        self._replan()
        self._keep()

    def toggle(self, position: int) -> bool:
        """Unfold a message, or fold it; say whether there was anything to fold.

        What is above it stays where it is, and it does itself when it begins in view.
        """
        message = self.pages[position]
        if not has_folds(message):
            return False
        if message.seq == self._opened:
            self._opened = None  # now it is as somebody wants it
        is_open = self._plan(position).fold is Fold.FULL
        self._own[message.seq] = Fold.SUMMARY if is_open else Fold.FULL
        self.is_stuck = False
        self._replan()
        self.settle()
        return True

    def _replan(self) -> None:
        self._depth = None
        self._plans.clear()
        self._forget()
        if self.is_ready:
            position, part, line = self.top
            part = min(part, self._plan(position).parts - 1)
            self.top = Place(position, part, min(line, len(self._at(position, part)) - 1))

    # Within

    def _put(self, place: Place) -> None:
        self.top = place
        self.owed = 0
        self.is_stuck = False
        self._depth = None

    def _keep(self) -> None:
        if self.is_stuck:
            self.to_end()
        else:
            self.settle()

    def _measure(self) -> int:
        """Count the signs of the part at the top that are above the view: no width changes it."""
        lines = self._at(self.top.position, self.top.part)
        return sum(_signs(strip) for strip in lines[: self.top.line])

    def _restore(self) -> None:
        if not self._depth or not self.is_ready:
            return
        line = above = 0
        lines = self._at(self.top.position, self.top.part)
        while line < len(lines) - 1 and above + _signs(lines[line]) <= self._depth:
            above += _signs(lines[line])
            line += 1
        self.top = self.top._replace(line=line)

    def _walk(self, place: Place, lines: int) -> tuple[Place, int]:
        """Go by so many lines; say where that ends, and how many were left at the edge."""
        if not self.is_ready:
            return place, 0
        return self._down(place, lines) if lines >= 0 else self._up(place, -lines)

    def _down(self, place: Place, left: int) -> tuple[Place, int]:
        position, part, line = place
        while True:
            size = len(self._at(position, part))
            if line + left < size:
                return Place(position, part, line + left), 0
            following = self._after(position, part)
            if following is None:
                return Place(position, part, size - 1), left - (size - 1 - line)
            left -= size - line
            (position, part), line = following, 0

    def _up(self, place: Place, left: int) -> tuple[Place, int]:
        position, part, line = place
        while left > line:
            if part:
                part -= 1
            elif position > self.pages.first:
                position -= 1
                part = self._plan(position).parts - 1
            else:
                return Place(position, part, 0), line - left
            left -= line + 1
            line = len(self._at(position, part)) - 1
        return Place(position, part, line - left), 0

    def _after(self, position: int, part: int) -> tuple[int, int] | None:
        if part + 1 < self._plan(position).parts:
            return position, part + 1
        return (position + 1, 0) if position < self.pages.last else None

    def _last(self) -> Place:
        position = self.pages.last
        part = self._plan(position).parts - 1
        return Place(position, part, len(self._at(position, part)) - 1)

    def _key(self, position: int) -> tuple[int, int]:
        before = self.pages[position - 1].seq if position > self.pages.first else 0
        return self.pages[position].seq, before

    def _plan(self, position: int) -> Plan:
        key = self._key(position)
        plan = self._plans.get(key)
        if plan is None:
            if len(self._plans) > 2 * max(len(self.pages), 64):
                # A plan holds its message: those that left the window are to leave memory.
                self._plans.clear()
            message = self.pages[position]
            before = self.pages[position - 1] if key[1] else None
            fold = self._own.get(message.seq) or self._showing.fold_of(message)
            plan = self._plans[key] = plan_among(message, fold, before, self._links)
        return plan

    def _at(self, position: int, part: int) -> list[Strip]:
        key = (*self._key(position), part)
        lines = self._lines.get(key)
        if lines is not None:
            self._lines.move_to_end(key)
            return lines
        lines = self._lines[key] = part_lines(self._plan(position), part, self.width, self._look)
        self._kept += len(lines)
        while self._kept > MOST_LINES and len(self._lines) > _LEAST_PARTS:
            self._kept -= len(self._lines.popitem(last=False)[1])
        return lines

    def _forget(self) -> None:
        self._lines.clear()
        self._kept = 0


def _signs(strip: Strip) -> int:
    """Count the signs that a line has at any width: borders and bars come and go with it."""
    return len("".join(strip.text.translate(_DRAWN).split()))
