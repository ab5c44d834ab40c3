"""Where in a history a person means to go: a message's number, a share of it, a time."""

from __future__ import annotations

import re
from datetime import datetime

from store.query.dates import FORMS, parse_date

EXPECTED = f"a number, 50 %, +10 or -10, or a time ({FORMS})"

_NUMBER = re.compile(r"([+-]?)(\d[\d,]*)")
_SHARE = re.compile(r"(\d{1,3})\s*%")
_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d)?")


def parse_place(
    text: str, *, here: int, count: int, near: datetime, now: datetime
) -> int | datetime | None:
    """Give the place that a text means: a rank from 0, or a time; None for no place.

    `here` is the rank of the message that one is at and `near` its time: `+10` counts from there,
    and `14:30` is of its day.
    """
    text = text.strip()
    if (number := _NUMBER.fullmatch(text)) is not None:
        value = int(number[2].replace(",", ""))
        if number[1]:
            return max(0, here + (value if number[1] == "+" else -value))
        return max(0, value - 1)
    if (share := _SHARE.fullmatch(text)) is not None:
        return int(min(100, int(share[1])) / 100 * max(0, count - 1))
    if _CLOCK.fullmatch(text):
        return parse_date(text, near.astimezone())
    return parse_date(text, now.astimezone())
