"""What a fork of the older versions copied: the beginning of its rollout, from its origin's.

Those versions wrote the origin's records into the fork's rollout, meta record and all, with the
time of the copying. What is written there twice is told apart by the origin's own rollout. When
that is gone the fork's has to do: copies are written at once, and a turn whose id is older than the
fork was the origin's.
"""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from store.reading.json_text import compact
from store.reading.lines import Record
from store.reading.values import object_of, text_of
from store.times import parse_time

_AT_ONCE = timedelta(seconds=1)
_AHEAD = 64  # records of the origin that a version may have left out in a row
_TELLING = ("type", "role", "call_id", "name", "arguments", "input", "action", "output", "message")
_ITEMS = frozenset({"response_item", "compacted"})

Mark = tuple[str, ...]


class Copy:
    """Follows a fork's records until the first that is its own.

    `origin` gives the records of the origin, nothing when its rollout is gone. `began` is when the
    fork was made, `written` when its first line was. `is_marked` says that the origin's meta record
    was seen: without that and without the origin nothing tells of a copy.
    """

    def __init__(
        self,
        origin: Iterator[Record],
        began: datetime | None,
        written: datetime | None,
        *,
        is_marked: bool,
    ) -> None:
        self._origin = origin
        self._ahead: deque[tuple[Mark, Any]] = deque()
        self._began = began
        self._written = self._last = written
        self._is_marked = is_marked
        self._look_ahead()
        self._is_alone = not self._ahead

    def original(self, record: Record) -> Record | None:
        """Give a copied record with the time it had; None for the fork's first own one."""
        if self._is_late(record) or self._is_of_own_turn(record):
            return None
        mark = _mark_of(record)
        if mark is None:
            self._is_marked = self._is_marked or record.get("type") == "session_meta"
            return record
        if self._is_alone:
            return record if self._is_marked else None
        for place, (other, time) in enumerate(self._ahead):
            if other == mark:
                for _ in range(place + 1):
                    self._ahead.popleft()
                self._look_ahead()
                return record | {"timestamp": time} if time is not None else record
        return None

    def _look_ahead(self) -> None:
        for record in self._origin:
            mark = _mark_of(record)
            if mark is not None:
                self._ahead.append((mark, record.get("timestamp")))
                if len(self._ahead) >= _AHEAD:
                    return

    def _is_late(self, record: Record) -> bool:
        """Tell whether a record was written later than right after the one before."""
        time = parse_time(record.get("timestamp"))
        if time is None or self._written is None or time < self._written:
            return False
        last = max(self._last or time, self._written)
        self._last = time
        return time - last >= _AT_ONCE

    def _is_of_own_turn(self, record: Record) -> bool:
        made = _made(text_of(object_of(record.get("payload")).get("turn_id")))
        return made is not None and self._began is not None and made >= self._began


def _mark_of(record: Record) -> Mark | None:
    """Give what tells a record from others and is the same in its copy; None for noise.

    What versions added to records or left out of them since is not in it.
    """
    kind, payload = text_of(record.get("type")), object_of(record.get("payload"))
    turn = text_of(payload.get("turn_id"))
    if turn and kind not in _ITEMS:
        return "turn", turn
    if kind not in _ITEMS:
        return None
    telling = [payload.get(name) for name in _TELLING]
    return kind, compact([*telling, _texts(payload.get("content")), _texts(payload.get("summary"))])


def _texts(content: object) -> object:
    if not isinstance(content, list):
        return content
    return [item.get("text", item) if isinstance(item, dict) else item for item in content]


def _made(turn: str) -> datetime | None:
    """Give when a turn's id was made, which ids of this kind say."""
    try:
        number = uuid.UUID(turn)
    except ValueError:
        return None
    if number.version != 7:
        return None
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=number.int >> 80)
