"""How far an import is, and saying it in words."""

from __future__ import annotations

from dataclasses import dataclass

_UNITS = ("bytes", "KB", "MB", "GB", "TB")
_SURE_AFTER = 1.0  # seconds before which nothing is said of the time left


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: counted in sources and in bytes that had to be read.

    `doing` is "importing", "indexing" while what tools printed becomes findable (counted in
    messages, without an agent), or "keeping" while the files themselves are kept.
    """

    agent: str
    sources_done: int
    sources_all: int
    bytes_done: int
    bytes_all: int
    doing: str = "importing"


def in_words(progress: Progress, seconds: float) -> str:
    """Say in one line how far it is, `seconds` after it began."""
    if progress.doing == "indexing":
        return f"indexing: {progress.sources_done:,} of {progress.sources_all:,} messages"
    words = (
        f"{progress.doing} {progress.agent}: {progress.sources_done:,} of"
        f" {progress.sources_all:,} files, {_size(progress.bytes_done)} of"
        f" {_size(progress.bytes_all)}"
    )
    if seconds < _SURE_AFTER or not progress.bytes_done:
        return words
    left = seconds * (progress.bytes_all - progress.bytes_done) / progress.bytes_done
    return f"{words}, {_time(left)} left"


def _size(count: int) -> str:
    size = float(count)
    unit = 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size /= 1000
        unit += 1
    return f"{size:.1f} {_UNITS[unit]}" if unit > 1 and size < 10 else f"{size:.0f} {_UNITS[unit]}"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{max(0, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
