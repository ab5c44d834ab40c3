"""Times as agents write them, read into aware datetimes in UTC."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# The largest plausible epoch value of each unit, and how many of the unit make a second. Seconds
# pass 1e11 in the year 5138; milliseconds are below it only until 1973.
_UNITS = ((10**11, 1), (10**14, 10**3), (10**17, 10**6), (10**20, 10**9))


def parse_time(value: object) -> datetime | None:
    """Read a time, or give None when there is none in the value.

    Takes ISO 8601 (without a zone it is UTC), RFC 2822, and the time since 1970 in seconds,
    milliseconds, microseconds or nanoseconds, as a number or as text. Which unit is told from
    the size. Zero and negative numbers are what agents write for "not set".
    """
    if isinstance(value, str):
        return _from_text(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_number(value)
    return None


def _from_text(text: str) -> datetime | None:
    if text[4:5] != "-":
        text = text.strip()
        if not text:
            return None
        number = _number(text)
        if number is not None:
            return _from_number(number)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _from_other(text)
    return moment if moment.tzinfo is UTC else _in_utc(moment)


def _in_utc(moment: datetime) -> datetime | None:
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _from_other(text: str) -> datetime | None:
    text = text.strip()
    if text.endswith(" UTC"):
        return _from_text(text.removesuffix(" UTC"))
    if len(text) > 64:  # no date is that long, and the parser below is not made for novels
        return None
    try:
        return _in_utc(datetime.fromisoformat(text))
    except ValueError:
        pass
    from email.utils import parsedate_to_datetime

    try:
        return _in_utc(parsedate_to_datetime(text))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _number(text: str) -> float | None:
    if len(text) > 40 or not text.lstrip("+-")[:1].isdecimal():
        return None
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        return None


def _from_number(value: float) -> datetime | None:
    if not 0 < value < _UNITS[-1][0] or not math.isfinite(value):
        return None
    per_second = next(per for limit, per in _UNITS if value < limit)
    if isinstance(value, int):
        micros = value * 10**6 // per_second
    else:
        micros = round(value * 10**6 / per_second)
    try:
        return _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return None
