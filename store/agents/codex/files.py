"""Which files are Codex's rollouts, which home they belong to, and what threads are called."""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from store.agents.codex.facts import UUID
from store.reading.databases import columns, database
from store.reading.files import Found, files_below, folder_names, head_of, is_folder, open_regular
from store.reading.json_text import decode
from store.reading.lines import Lines, Record
from store.reading.values import text_of, title_of
from store.sources import Fingerprint

ENVELOPE = frozenset({"payload", "record_type", "timestamp", "ordinal"})
_LATEST = 2**63 - 1  # in nanoseconds since 1970: the year 2262
FOLDERS = ("sessions", "archived_sessions")
_ROLLOUT = re.compile(rf"rollout-.*?({UUID.pattern})\.json(?:l(?:\.zst)?)?")
_WHOLE = re.compile(rb'\s*\{\s*"session"\s*:\s*\{')
_YEAR = re.compile(r"\d{4}")
_STATE = re.compile(r"state_(\d+)\.sqlite")
_FLAT_TYPES = frozenset({"message", "reasoning", "function_call", "function_call_output"})
_TYPES = frozenset(
    {"session_meta", "response_item", "event_msg", "turn_context", "compacted", "world_state"}
)


def rollouts(root: Path) -> Iterator[Found]:
    """Give the rollouts of a home, of any folder, or the one that `root` is."""
    found: dict[str, Found] = {}
    for top in _tops(root):
        for one in files_below(top, _is_wanted):
            if _is_in_place(one[0]) or is_rollout(one[0]):
                found[one[0]] = one
    for path, one in found.items():
        if path.removesuffix(".zst") == path or path.removesuffix(".zst") not in found:
            yield one


def home(path: str, root: Path) -> Path:
    """Give the home of a rollout: the folder with `sessions/` in it, else the given folder."""
    parts = Path(path).parts
    for place in range(len(parts) - 2, 0, -1):
        if parts[place] in FOLDERS:
            return Path(*parts[:place])
    return root.parent if str(root) == path else root


def thread_of(name: str) -> str | None:
    """Give the thread that a rollout's name names."""
    match = _ROLLOUT.fullmatch(name)
    return match[1] if match else None


def rollout(home: Path, thread: str) -> str | None:
    """Give the path of a thread's rollout as it is now; one that is not archived goes first."""

    def is_wanted(name: str) -> bool:
        return thread_of(name) == thread and not is_whole(name)

    found = (path for folder in FOLDERS for path, _ in files_below(home / folder, is_wanted))
    return next(found, None)


def is_whole(path: str) -> bool:
    """Tell from the name of a rollout whether it is one document, as the first Codex wrote."""
    return path.endswith(".json")


def is_rollout(path: str) -> bool:
    """Tell from the beginning of a file whether Codex wrote it."""
    if is_whole(path):
        return _WHOLE.match(head_of(path, 4096).removeprefix(b"\xef\xbb\xbf")) is not None
    if path.endswith(".zst"):
        return _ROLLOUT.fullmatch(path.rpartition("/")[2]) is not None
    for line in head_of(path).split(b"\n", 8)[:8]:
        line = line.strip(b" \t\r\0\xef\xbb\xbf")
        if not line:
            continue
        try:
            return _is_record(decode(str(line, "utf-8", "replace")))
        except ValueError:
            # A first record of more than the head: its text starts with what tells.
            if b'"session_meta"' in line[:512]:
                return True
    return False


def _is_record(record: object) -> bool:
    if not isinstance(record, dict):
        return False
    if isinstance(record.get("payload"), dict):
        return record.get("type") in _TYPES
    if "record_type" in record:
        return True
    is_meta = "type" not in record and {"id", "timestamp", "instructions"} <= record.keys()
    is_item = record.get("type") in _FLAT_TYPES and "role" in record and "sessionId" not in record
    return is_meta or (is_item and "message" not in record and "id" in record)


def _tops(root: Path) -> list[Path]:
    """Give the folders to search: of a home only those that rollouts are in."""
    tops = [root / name for name in FOLDERS]
    for top in tops:
        if is_folder(top) and (
            any(_YEAR.fullmatch(name) for name in folder_names(top)) or _has_rollouts(top)
        ):
            return tops
    return [root]


def _has_rollouts(folder: Path) -> bool:
    try:
        return any(name.startswith("rollout-") for name in os.listdir(folder))
    except OSError:
        return False


def _is_wanted(name: str) -> bool:
    return name.endswith(".jsonl") or (
        name.startswith("rollout-") and name.endswith((".jsonl.zst", ".json"))
    )


def _is_in_place(path: str) -> bool:
    """Tell whether a file is where only rollouts are, so that it need not be opened."""
    parts = path.split("/")
    if not _ROLLOUT.fullmatch(parts[-1]):
        return False
    if is_whole(path):
        return parts[-2:-1] == ["sessions"]
    return parts[-2:-1] == ["archived_sessions"] or parts[-5:-4] == ["sessions"]


def with_name(found: Fingerprint, path: str, names: Mapping[str, str]) -> Fingerprint:
    """Give a rollout's fingerprint with what its thread is called, if it was given a name.

    Names are kept in other files; when one changes the thread has to be looked at again, though its
    rollout is as it was. The name moves the time by less than a millisecond.
    """
    match = _ROLLOUT.fullmatch(path.rpartition("/")[2]) if names else None
    name = names.get(match[1]) if match else None
    if name is None:
        return found
    moved = found.mtime_ns + 1 + zlib.crc32(name.encode("utf-8", "replace")) % 999_983
    return replace(found, mtime_ns=min(moved, _LATEST))


@dataclass(slots=True)
class _Known:
    """What was read of a home, and how its files looked then."""

    looks: tuple[object, ...] = ()
    names: dict[str, str] = field(default_factory=dict)


class Threads:
    """What the threads of a home are called, and where their rollouts are."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._paths: dict[str, dict[str, str]] = {}

    def names(self, home: Path) -> Mapping[str, str]:
        """Give the names that were given to threads, by thread."""
        return self._of(home).names

    def rollout(self, home: Path, thread: str) -> str | None:
        """Give the path of a thread's rollout, wherever in the home it is."""
        paths = self._paths.get(str(home))
        if paths is None or (thread in paths and not Path(paths[thread]).is_file()):
            paths = self._paths[str(home)] = {
                match[1]: path
                for path, _ in rollouts(home)
                if (match := _ROLLOUT.fullmatch(path.rpartition("/")[2]))
            }
        return paths.get(thread)

    def forget_places(self) -> None:
        """Look for rollouts anew: there may be others now."""
        self._paths.clear()

    def _of(self, home: Path) -> _Known:
        index, state = home / "session_index.jsonl", _newest_state(home)
        looks = (_look(index), state, _look(state), _look(state and Path(f"{state}-wal")))
        known = self._known.get(str(home))
        if known is None or known.looks != looks:
            known = self._known[str(home)] = _Known(looks)
            _read_index(index, known)
            if state is not None:
                _read_state(state, known)
        return known


def _look(path: Path | None) -> tuple[int, int, int] | None:
    try:
        found = path.stat() if path else None
    except OSError:
        return None
    return (found.st_ino, found.st_size, found.st_mtime_ns) if found else None


def _newest_state(home: Path) -> Path | None:
    """Give the state database of the newest schema: the number in its name counts those."""
    try:
        matches = [match for name in os.listdir(home) if (match := _STATE.fullmatch(name))]
    except OSError:
        return None
    if not matches:
        return None
    return home / max(matches, key=lambda match: int(match[1])).string


def _read_index(path: Path, known: _Known) -> None:
    """Read the names that `/rename` notes; the last line of a thread is the one that counts."""
    try:
        with open_regular(path) as file:
            for _, _, record in Lines(file, frozenset({"thread_name"})):
                if isinstance(record, dict):
                    _note(record, known)
    except OSError:
        return


def _note(record: Record, known: _Known) -> None:
    thread = text_of(record.get("id"))
    name = title_of(text_of(record.get("thread_name")))
    if thread and name:
        known.names[thread] = name


def _read_state(path: Path, known: _Known) -> None:
    """Read the names in the state database, which newer versions keep them in."""
    try:
        with database(path) as connection:
            if {"id", "name"} <= columns(connection, "threads"):
                query = "SELECT id, name FROM threads WHERE name IS NOT NULL AND name <> ''"
                for thread, name in connection.execute(query):
                    title = title_of(text_of(name))
                    if title:
                        known.names[text_of(thread)] = title
    except OSError:
        return
