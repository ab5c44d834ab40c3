"""Where Claude Code looks for a session, and which process has one open."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from store.models import Session
from store.reading.files import head_of, open_regular
from store.reading.values import object_of, text_of
from store.resume.processes import is_running, own_processes

_MOST_LETTERS = 200
_HEAD = 65536
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_FOLDER = re.compile(rb'"(?:cwd|relocatedCwd|worktreePath|originalCwd)":\s?("(?:[^"\\]|\\.)*")')
_MOST_BYTES = 64 * 1024 * 1024
_STEP = 1024 * 1024
_FORK = "--fork-session"
_LONGEST = 8192  # a folder's name and what stands before it


def slug(folder: str) -> str:
    """Give the name of the folder that Claude Code keeps a folder's sessions in.

    Every UTF-16 unit that is no ASCII letter, digit or dash becomes a dash; of a long name the rest
    is replaced by a checksum.
    """
    units = folder.encode("utf-16-le", "surrogatepass")
    codes = [units[at] | units[at + 1] << 8 for at in range(0, len(units), 2)]
    name = "".join(
        chr(code) if code < 128 and (chr(code).isalnum() or code == ord("-")) else "-"
        for code in codes
    )
    return name if len(name) <= _MOST_LETTERS else f"{name[:_MOST_LETTERS]}-{_checksum(codes)}"


def _checksum(codes: list[int]) -> str:
    value = 0
    for code in codes:
        value = (value * 31 + code) & 0xFFFFFFFF
    value = abs(value - (1 << 32) if value >= 1 << 31 else value)
    digits = ""
    while value:
        value, digit = divmod(value, 36)
        digits = _DIGITS[digit] + digits
    return digits or "0"


def transcript(home: Path, folder: str, session_id: str) -> Path:
    """Give the file that Claude Code looks for when it is to resume a session in a folder."""
    return home / "projects" / slug(os.path.realpath(folder)) / f"{session_id}.jsonl"


def is_home(session: Session) -> bool:
    """Tell whether what a session came from lies as in a home of Claude Code's."""
    if session.source_path is None:
        return True
    source = Path(session.source_path)
    return Path(session.root) / "projects" in source.parents


def start_folder(session: Session) -> str | None:
    """Give the folder that Claude Code has to be started in to find a session.

    It is the first one that was worked in, as long as the transcript lies under its name. One that
    was moved, into a worktree say, lies under another that it names somewhere.
    """
    first = session.project_path
    if first is None or session.source_path is None or not is_home(session):
        return first
    name = Path(session.source_path).parent.name
    if name == slug(first):
        return first
    return next((folder for folder in _folders(session.source_path) if slug(folder) == name), first)


def _folders(path: str) -> list[str]:
    """Give the folders that a transcript names, each once; none when it cannot be read."""
    found: dict[str, None] = {}
    before = b""
    try:
        with open_regular(path) as file:
            for _ in range(_MOST_BYTES // _STEP):
                data = file.read(_STEP)
                if not data:
                    break
                for match in _FOLDER.finditer(before + data):
                    found[text_of(json.loads(match[1].decode("utf-8", "replace")))] = None
                before = data[-_LONGEST:]
    except (OSError, ValueError):
        pass
    return [folder for folder in found if folder]


def holder(home: Path, session_id: str) -> str | None:
    """Say which process has a session open; None when none is known to.

    Claude Code notes the sessions that it has open in a file for each process.
    """
    try:
        names = [name for name in os.listdir(home / "sessions") if name.endswith(".json")]
    except OSError:
        names = []
    for name in names:
        try:
            noted = object_of(json.loads(head_of(home / "sessions" / name, _HEAD)))
        except (ValueError, RecursionError):
            continue
        pid = noted.get("pid")
        is_it = noted.get("sessionId") == session_id and isinstance(pid, int) and pid > 0
        if is_it and is_running(int(str(pid)), text_of(noted.get("procStart")) or None):
            return f"process {pid}"
    for process in own_processes():
        if process.runs("claude") and process.names(session_id) and not process.names(_FORK):
            return f"process {process.pid}"
    return None
