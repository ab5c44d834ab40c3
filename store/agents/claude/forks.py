"""Which session a Claude Code transcript was forked from.

A fork (`--fork-session`) is a file that begins with all records of its origin, the same but for
the session id, and does not say so. Files of one folder that begin with the same record are thus
forks of each other, and the origin is the one whose own records are the earlier.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from store.agents.claude.facts import UUID
from store.reading.files import head_of, open_regular
from store.reading.lines import Lines
from store.reading.values import text_of
from store.times import parse_time

_HEAD = 65536
_ENVELOPE = frozenset({"uuid"})
_FIRST = b'"parentUuid":null'
_NEVER = datetime.max.replace(tzinfo=UTC)


class Fork(NamedTuple):
    """Where a fork comes from, and the names of the records that it copied from there."""

    session_id: str
    copied: frozenset[str]


class Forks:
    """Finds origins. Remembers the first record of each file it looked at."""

    def __init__(self) -> None:
        self._firsts: dict[tuple[str, int], str | None] = {}
        self._folders: dict[str, tuple[int, list[str]]] = {}

    def origin(self, path: Path) -> Fork | None:
        """Tell what a transcript was forked from; None when it is no fork, or not any more."""
        if not UUID.fullmatch(path.name.partition(".")[0]):
            return None
        first = self._first(str(path))
        if first is None:
            return None
        others = [
            other
            for other in self._transcripts(path.parent)
            if other != str(path) and self._first(other) == first
        ]
        return _nearest(path, others) if others else None

    def _transcripts(self, folder: Path) -> list[str]:
        try:
            changed = folder.stat().st_mtime_ns
        except OSError:
            return []
        known = self._folders.get(str(folder))
        if known is None or known[0] != changed:
            paths = [
                str(entry)
                for entry in _entries(folder)
                if entry.suffix == ".jsonl" and UUID.fullmatch(entry.stem)
            ]
            known = self._folders[str(folder)] = (changed, paths)
        return known[1]

    def _first(self, path: str) -> str | None:
        try:
            key = (path, Path(path).stat().st_ino)
        except OSError:
            return None
        first = self._firsts.get(key)
        if first is None:
            first = self._firsts[key] = _first_record(path)
        return first


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _first_record(path: str) -> str | None:
    """Give the name of the record that a conversation begins with, if it is near the start."""
    for line in head_of(path, _HEAD).split(b"\n"):
        if _FIRST not in line.replace(b" ", b"") or b'"isSidechain":true' in line:
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict) and record.get("type") == "user" and record.get("uuid"):
            return text_of(record["uuid"]) or None
    return None


def _nearest(path: Path, others: list[str]) -> Fork | None:
    own = _times(str(path))
    best: tuple[int, float, str, frozenset[str]] | None = None
    for other in others:
        its = _times(other)
        copied = own.keys() & its.keys()
        begun = _earliest(own, copied)
        its_begun = _earliest(its, copied)
        if not copied or begun is None or (its_begun is not None and its_begun >= begun):
            continue
        # An origin that was never gone on with has no records of its own: it goes first.
        age = its_begun.timestamp() if its_begun else 0.0
        found = (-len(copied), age, other, frozenset(copied))
        if best is None or found[:3] < best[:3]:
            best = found
    if best is None:
        return None
    return Fork(Path(best[2]).stem, best[3])


def _earliest(times: dict[str, datetime | None], but: set[str]) -> datetime | None:
    own = [moment or _NEVER for name, moment in times.items() if name not in but]
    return min(own, default=None)


def _times(path: str) -> dict[str, datetime | None]:
    """Give the name and time of every record of the conversation in a file."""
    times: dict[str, datetime | None] = {}
    try:
        with open_regular(path) as file:
            for _, _, record in Lines(file, _ENVELOPE):
                name = text_of(record.get("uuid")) if isinstance(record, dict) else ""
                if name and isinstance(record, dict):
                    times[name] = parse_time(record.get("timestamp"))
    except OSError:
        return {}
    return times
