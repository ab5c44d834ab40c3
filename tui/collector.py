"""When garbage is collected: not while the browser starts, a little at a time while it is used.

Collecting all of a running Textual app takes two to four frames. What the program is made of is
set aside for good, young objects are visited in small numbers (2 ms at most, where the usual
collector took 33), and everything else is visited while nobody presses a key.
"""

from __future__ import annotations

import gc
from time import monotonic

IDLE = 2.0  # seconds without a key after which nobody waits for a frame

_YOUNG, _MIDDLE = 2_000, 5
_OLD = 1_000  # of the visits to the middle ones: by then somebody has pressed keys for minutes
_DUE = 20


def rest() -> None:
    """Collect nothing: loading makes objects that stay, and visiting them takes 25 ms."""
    gc.disable()


def begin() -> None:
    """After a rest, set everything aside that there is, and collect what comes."""
    if gc.isenabled():
        return  # this program is more than the browser
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    gc.enable()


class Idle:
    """Collects everything when nothing was pressed for a while and there is something to find."""

    def __init__(self) -> None:
        self._touched = monotonic()

    def touch(self) -> None:
        """Take note that somebody is there."""
        self._touched = monotonic()

    def look(self) -> None:
        """Collect, if nobody is there. To be called now and then."""
        if monotonic() - self._touched > IDLE and gc.get_count()[2] >= _DUE:
            gc.collect()
