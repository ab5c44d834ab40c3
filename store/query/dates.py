"""Dates as people write them behind `after:` and `before:`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta

WORDS = ("today", "yesterday")
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
FORMS = "2026-10-01, 2026-10, 14:30, 3d, 2w, 12h, today, yesterday, monday"

_DAY = 86_400
_UNITS = {  # those in which a list shows how long ago something was
    "s": 1,
    "m": 60,
    "h": 3600,
    "d": _DAY,
    "w": 7 * _DAY,
    "mo": 30 * _DAY,
    "y": 365 * _DAY,
}
_AGO = re.compile(f"([0-9]{{1,6}})({'|'.join(_UNITS)})")
_YEAR = re.compile("[0-9]{4}")
_MONTH = re.compile("[0-9]{4}-[0-9]{2}")
_CLOCK = re.compile("[0-9]{1,2}:[0-9]{2}(:[0-9]{2})?")


def parse_date(text: str, now: datetime | None = None) -> datetime | None:
    """Give the moment that a text means, in UTC, or None when it means none.

    A year, month or day means its beginning, `monday` the beginning of the latest Monday, which
    may be today; `3d` is three times 24 hours before now, `14:30` is today. Anything without a
    zone is in the zone of `now`; where that is None or has none, in the system's zone, by its
    rules for that day.
    """
    try:
        moment = _moment(text.strip().lower(), now or datetime.now().astimezone(), now)
        return None if moment is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _moment(text: str, present: datetime, now: datetime | None) -> datetime | None:
    ago = _AGO.fullmatch(text)
    if ago:
        seconds = int(ago.group(1)) * _UNITS[ago.group(2)]
        return present.astimezone(UTC) - timedelta(seconds=seconds)
    today = datetime.combine(present.date(), time())
    if text in WORDS:
        naive = today - timedelta(days=WORDS.index(text))
    elif len(text) >= len("mon") and any(day.startswith(text) for day in WEEKDAYS):
        wanted = next(n for n, day in enumerate(WEEKDAYS) if day.startswith(text))
        naive = today - timedelta(days=(today.weekday() - wanted) % len(WEEKDAYS))
    elif _CLOCK.fullmatch(text):
        naive = datetime.combine(today, time.fromisoformat(text.rjust(len("14:30"), "0")))
    elif _YEAR.fullmatch(text):
        naive = datetime(int(text), 1, 1)
    elif _MONTH.fullmatch(text):
        naive = datetime.fromisoformat(text + "-01")
    else:
        naive = datetime.fromisoformat(text.upper())
    if naive.tzinfo is not None:
        return naive
    zone = None if now is None else now.tzinfo
    return naive.astimezone() if zone is None else naive.replace(tzinfo=zone)
