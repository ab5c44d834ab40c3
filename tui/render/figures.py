"""Numbers as people read them: tokens, sizes, spans and moments. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

_SIZES = ("B", "kB", "MB", "GB", "TB")
_TOKENS = ("", " k", " M", " G", " T")
_SPANS = ((86_400, "d"), (3600, "h"), (60, "min"))


def short(count: int) -> str:
    """Give a count in a few letters: 873, 3.3 k, 31 k, 1.2 M."""
    return _scaled(count, _TOKENS)


def size(count: int) -> str:
    """Give a number of bytes: 873 B, 3.3 kB, 31 kB."""
    return _scaled(count, tuple(f" {unit}" for unit in _SIZES))


def _scaled(count: int, units: tuple[str, ...]) -> str:
    value = float(count)
    unit = 0
    # 999,500 would be written as 1000 k.
    while value >= 999.5 and unit < len(units) - 1:
        value /= 1000
        unit += 1
    digits = 1 if unit and value < 9.95 else 0
    return f"{value:,.{digits}f}{units[unit]}"


def span(time: timedelta) -> str:
    """Give a span in its two largest units: 2 d 3 h, 5 h 12 min, 12 min, 40 s."""
    seconds = max(0, int(time.total_seconds()))
    parts: list[str] = []
    for length, unit in _SPANS:
        count, rest = divmod(seconds, length)
        if count or parts:
            parts.append(f"{count:,} {unit}" if count else "")
            seconds = rest
        if len(parts) == 2:
            break
    return " ".join(part for part in parts if part) or f"{seconds} s"


def in_days(time: timedelta) -> str:
    """Give a time to come in its largest unit: 3 d, 5 h, 12 min."""
    seconds = max(0, int(time.total_seconds()))
    for length, unit in _SPANS:
        if seconds >= length:
            return f"{seconds // length:,} {unit}"
    return "a moment"


def moment(time: datetime) -> str:
    """Give a time where the person is: Tue 20 Nov 2026 09:14:05."""
    return time.astimezone().strftime("%a %d %b %Y %H:%M:%S")
