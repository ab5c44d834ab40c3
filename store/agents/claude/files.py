"""Which files are Claude Code's transcripts and histories, and which home they belong to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from store.agents.claude import history
from store.agents.claude.facts import UUID
from store.reading.files import Found, files_below, folder_names, head_of, is_folder
from store.reading.lines import Lines, Record
from store.reading.values import object_of

_HEAD = 65536
_AGENT = re.compile(r"agent-[^/]+\.jsonl")
_NOT_TRANSCRIPTS = frozenset({"session_index.jsonl", "journal.jsonl"})
ENVELOPE = frozenset({"uuid", "sessionId", "parentUuid", "leafUuid", "messageId"})

# Records that only Claude Code writes; the others are told by their message.
_OWN_TYPES = frozenset(
    {"queue-operation", "file-history-snapshot", "custom-title", "ai-title", "agent-name"}
    | {"last-prompt", "permission-mode", "mode", "worktree-state", "pr-link"}
)


def sources(root: Path) -> Iterator[Found]:
    """Give the transcripts and histories of a home, of any folder, or the one that `root` is."""
    top = _top(root)
    if top != root:
        yield from _below(root / history.NAME)
    yield from _below(top)


def _below(top: Path) -> Iterator[Found]:
    for path, found in files_below(top, _is_wanted):
        if path.rpartition("/")[2] == history.NAME:
            if is_history(path):
                yield path, found
        elif _is_in_place(path) or is_transcript(path):
            yield path, found


def is_history(path: str) -> bool:
    """Tell from its first record whether a file of a history's name is Claude Code's."""
    for _, _, record in Lines(BytesIO(head_of(path, _HEAD)), history.ENVELOPE):
        if isinstance(record, dict):
            return history.is_history(record)
    return False


def home(path: str, root: Path) -> Path:
    """Give the home of a source: the folder with `projects/` in it, else the given folder."""
    parts = Path(path).parts
    if parts[-1] == history.NAME:
        return Path(path).parent
    for place in range(len(parts) - 3, 0, -1):
        if parts[place] == "projects":
            return Path(*parts[:place])
    return root.parent if str(root) == path else root


def is_transcript(path: str) -> bool:
    """Tell from the first records of a file whether Claude Code wrote it."""
    raw = head_of(path, _HEAD)
    is_own = False
    for _, _, record in Lines(BytesIO(raw), ENVELOPE):
        if isinstance(record, dict):
            verdict = _verdict(record)
            if verdict is not None:
                return verdict
            is_own = is_own or (record.get("type") in _OWN_TYPES and "sessionId" in record)
    return is_own or _is_cut_short(raw)


def _verdict(record: Record) -> bool | None:
    kind = record.get("type")
    if kind in ("user", "assistant"):
        message = object_of(record.get("message"))
        return "content" in message and "parts" not in message
    if kind == "summary":
        return "leafUuid" in record
    if not isinstance(kind, str) or "payload" in record:
        return False
    return None


def _is_cut_short(raw: bytes) -> bool:
    """Tell whether the head is one long record, and how it begins is Claude Code's way."""
    start = raw[:4096]
    return (
        len(raw) == _HEAD
        and b"\n" not in raw
        and b'"sessionId"' in start
        and b'"message"' in start
        and b'"parts"' not in start
    )


def _top(root: Path) -> Path:
    """Give the folder to search: of a home only `projects/`, whose folders are named for paths.

    The name of a path's folder begins with a dash, for its first slash; the `projects` of a person
    have no such folders.
    """
    projects = root / "projects"
    if is_folder(projects) and any(name.startswith("-") for name in folder_names(projects)):
        return projects
    return root


def _is_wanted(name: str) -> bool:
    return name.endswith(".jsonl") and name not in _NOT_TRANSCRIPTS


def _is_in_place(path: str) -> bool:
    """Tell whether a file is where only transcripts are, so that it need not be opened."""
    parts = path.split("/")
    name = parts[-1]
    if len(parts) < 3 or not parts[-2]:
        return False
    is_agent = _AGENT.fullmatch(name) is not None
    if parts[-3] == "projects":
        return is_agent or UUID.fullmatch(name[:-6]) is not None
    return is_agent and "subagents" in parts
