"""How long ago something was, in the fewest letters."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = (
    (60, 1, "s"),
    (3600, 60, "m"),
    (86_400, 3600, "h"),
    (60 * 86_400, 86_400, "d"),
    (2 * 365 * 86_400, 30 * 86_400, "mo"),
)
_YEAR = 365 * 86_400


def age(moment: datetime, now: datetime | None = None) -> str:
    """Give the time since `moment` in its largest unit: 5s, 2m, 3h, 45d, 7mo, 3y; 0s if ahead."""
    seconds = max(0, int(((now or datetime.now(UTC)) - moment).total_seconds()))
    for limit, unit, letter in _UNITS:
        if seconds < limit:
            return f"{seconds // unit}{letter}"
    return f"{seconds // _YEAR}y"
