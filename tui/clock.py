"""What time it is: asked in one place, so that a picture can be taken at any time."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """Give the present, in UTC."""
    return datetime.now(UTC)
