"""Which files are Goose's: its database, and the files of sessions that it kept before that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from store.agents.goose.tables import NotGoose, Tables
from store.reading.databases import database, fingerprint_of, is_database
from store.reading.files import files_below, head_of
from store.reading.lines import Lines
from store.sources import Fingerprint

DATABASE = "sessions.db"
LEGACY = ".jsonl"
ENVELOPE = frozenset({"role", "content", "created", "working_dir"})
_HEAD = 16384
_ROLES = ("user", "assistant")
_LONG_LINE = re.compile(rb'"role"\s*:\s*"(?:user|assistant)"\s*,\s*"created"\s*:\s*\d')

Found = tuple[Path, Fingerprint]


def found(root: Path) -> Iterator[Found]:
    """Give the databases and files below a root, or the one that `root` is."""
    for name, stat in files_below(root, _is_wanted):
        path = Path(name)
        if path.suffix == LEGACY:
            if _is_in_place(path) or is_legacy(path):
                yield path, Fingerprint.of(stat)
        elif _is_goose(path):
            try:
                yield path, fingerprint_of(path)
            except OSError:
                continue


def is_legacy(path: Path) -> bool:
    """Tell from the first record of a file whether it is a session of Goose's."""
    raw = head_of(path, _HEAD)
    for _, _, record in Lines(BytesIO(raw), ENVELOPE):
        if isinstance(record, dict):
            return is_beginning(record) or is_message(record)
    return b"\n" not in raw and _LONG_LINE.search(raw[:512]) is not None


def is_beginning(record: dict[str, Any]) -> bool:
    """Tell whether a record is what Goose wrote of a session as a whole."""
    return "role" not in record and "working_dir" in record and "type" not in record


def is_message(record: dict[str, Any]) -> bool:
    """Tell whether a record is a message as Goose wrote it."""
    return (
        record.get("role") in _ROLES
        and isinstance(record.get("content"), list)
        and "created" in record
        and "type" not in record
    )


def _is_wanted(name: str) -> bool:
    return name == DATABASE or name.endswith(LEGACY)


def _is_in_place(path: Path) -> bool:
    """Tell whether a file is where only Goose's are, so that it need not be opened."""
    return path.parent.name == "sessions" and path.parent.parent.name == "goose"


def _is_goose(path: Path) -> bool:
    """Tell whether a database is Goose's; one in its place, or that cannot be read now, may be."""
    if path.name == DATABASE and path.parent.name == "sessions":
        return True
    if not is_database(path):
        return False
    try:
        with database(path) as connection:
            Tables(connection)
    except NotGoose:
        return False
    except OSError:
        return True
    return True
