"""Where Codex looks for a thread, and which process has one open."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

from store.agents.codex import files
from store.models import Session
from store.reading.lines import Lines
from store.reading.values import object_of, text_of
from store.resume.processes import Process, own_processes
from store.resume.standing import Standing

_ARCHIVE = "archived_sessions"
_DAY = re.compile(r"rollout-(\d{4})-(\d\d)-(\d\d)T.*")
_PACKED = b"\x28\xb5\x2f\xfd"  # how zstd begins
_DELETED = "its rollout has a name that Codex would not look for"
_NAMED_OTHERWISE = "its file is named for another thread"


def is_home(session: Session) -> bool:
    """Tell whether what a session came from lies as in a home of Codex's."""
    if session.source_path is None:
        return True
    parents = Path(session.source_path).parents
    return any(Path(session.root) / name in parents for name in files.FOLDERS)


def standing(session: Session, home: Path, program: str) -> Standing:
    """Look for a thread's rollout: in its place, elsewhere in the home, in the archive."""
    thread = session.session_id
    found = files.rollout(home, thread)
    if found is not None:
        is_archived = Path(found).parent.name == _ARCHIVE
        return Standing(
            not is_archived,
            home,
            Path(found),
            unarchive=(program, "unarchive", thread) if is_archived else (),
        )
    if session.source_path is None:
        return Standing(False, home, None, f"{thread} is not there")
    name = Path(session.source_path).name
    day = _DAY.fullmatch(name)
    if files.thread_of(name) != thread:
        return Standing(False, home, None, _NAMED_OTHERWISE if day else _DELETED)
    if day is None:
        return Standing(False, home, None, _DELETED)
    return Standing(False, home, home.joinpath("sessions", *day.groups(), name))


def origins(head: bytes) -> tuple[str, ...]:
    """Give the thread that the first record of a rollout says it goes on from."""
    if head.startswith(_PACKED):
        import zstandard  # few rollouts are packed

        head = zstandard.ZstdDecompressor().decompressobj().decompress(head)
    for _, _, record in Lines(BytesIO(head), files.ENVELOPE):
        if isinstance(record, dict) and record.get("type") == "session_meta":
            base = object_of(object_of(record.get("payload")).get("history_base"))
            origin = text_of(base.get("thread_id"))
            return (origin,) if origin else ()
    return ()


def holder(session: Session, folder: str) -> str | None:
    """Say which process has a thread open; None when none is known to.

    Codex's server keeps threads open that nobody looks at any more. Only when a Codex runs in the
    session's folder, too, does that tell something.
    """
    rollout = Path(session.source_path or "")
    own = [process for process in own_processes() if process.runs("codex")]
    servers = [process for process in own if process.names("app-server")]
    others = [process for process in own if not process.names("app-server")]
    for process in others:
        resumed = process.names("resume") and process.names(session.session_id)
        if resumed or process.has_open(rollout):
            return f"process {process.pid}"
    if any(server.has_open(rollout) for server in servers):
        for process in others:
            if process.cwd == folder and not _is_about_another(process):
                return f"process {process.pid}, it seems"
    return None


def _is_about_another(process: Process) -> bool:
    return process.names("resume") or process.names("fork")
