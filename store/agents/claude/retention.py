"""When Claude Code deletes a transcript: so many days after it was last written to.

It does so whenever it starts. `cleanupPeriodDays` in the settings of its home says how many days.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, datetime, timedelta
from pathlib import Path

from store.reading.files import head_of
from store.reading.json_text import decode
from store.reading.values import object_of

DEFAULT_DAYS = 30
_SETTINGS = "settings.json"
_OWN_FILES = (_SETTINGS, ".claude.json")
_MOST_SETTINGS = 1024 * 1024
_AS_GOOD_AS_NEVER = 100 * 365  # days: what people write who want to keep everything


def expires_at(source: Path, home: Path, homes: Container[Path]) -> datetime | None:
    """Give the moment from which on a start deletes a transcript; None when none will.

    `homes` are those that Claude Code has as things are. Any other must look like one: it does not
    delete from folders that it never heard of.
    """
    is_own = home in homes or any((home / name).is_file() for name in _OWN_FILES)
    if not is_own or not source.is_relative_to(home / "projects"):
        return None
    days = _days(home)
    if days >= _AS_GOOD_AS_NEVER:
        return None
    try:
        written = datetime.fromtimestamp(source.stat().st_mtime, UTC)
        return written + timedelta(days=days)
    except (OSError, ValueError, OverflowError):
        return None


def _days(home: Path) -> float:
    """Read the setting; one that is not there, or makes no sense, is the default."""
    try:
        settings = decode(head_of(home / _SETTINGS, _MOST_SETTINGS))
    except ValueError:
        return DEFAULT_DAYS
    days = object_of(settings).get("cleanupPeriodDays")
    if isinstance(days, bool) or not isinstance(days, int | float):
        return DEFAULT_DAYS
    return days if days >= 0 else DEFAULT_DAYS
