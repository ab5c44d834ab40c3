"""Goose: all sessions in one SQLite database, `sessions.db`; before that, one JSONL file each.

Goose imports the older files when it makes its database, and leaves them where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from store.agents.goose import files
from store.agents.goose.legacy import Holdings, SessionFile
from store.agents.goose.rows import Rows
from store.agents.goose.tables import Tables
from store.errors import ResumeError
from store.models import Session
from store.reading.databases import database, fingerprint_of
from store.reading.files import home_of
from store.reading.transcripts import opened
from store.resume import Command, checked_id
from store.sources import Checkpoint, Chunk, Source

_ID = re.compile(r"\d{8}_\d+")


class Goose:
    """The adapter of Goose."""

    name = "goose"
    program = "goose"

    def __init__(self) -> None:
        self._holdings = Holdings()

    def roots(self, env: Mapping[str, str]) -> list[Path]:
        """Give the folder of the database, as the environment says, else under `~/.local`."""
        given = env.get("GOOSE_PATH_ROOT")
        if given:
            return [Path(given).expanduser() / "data" / "sessions"]
        data = env.get("XDG_DATA_HOME")
        is_given = data is not None and Path(data).is_absolute()
        share = Path(data) if data and is_given else home_of(env) / ".local" / "share"
        return [share / "goose" / "sessions"]

    def find(self, root: Path) -> Iterator[Source]:
        """Give the databases and older files below a root, the last changed first."""
        found = sorted(files.found(root), key=lambda one: one[1].mtime_ns, reverse=True)
        for path, fingerprint in found:
            yield Source(self.name, path.parent, path, fingerprint)

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Chunk]:
        """Read the sessions of a database that changed since a checkpoint, or a session's file.

        A file whose session the database beside it holds adds nothing.
        """
        if source.path.suffix == files.LEGACY:
            is_held = self._holdings.hold(source.path)
            with opened(source, since, files.ENVELOPE) as transcript:
                yield from SessionFile(source, transcript, is_held).chunks()
            return
        fingerprint = fingerprint_of(source.path)
        if since is not None and since.fingerprint.inode != fingerprint.inode:
            since = None
        with database(source.path) as connection:
            yield from Rows(source, Tables(connection), fingerprint, since).chunks()

    def expires_at(self, session: Session, *, env: Mapping[str, str]) -> datetime | None:  # noqa: ARG002
        """Goose deletes nothing by itself."""
        return None

    def resume(self, session: Session, *, fork: bool, env: Mapping[str, str]) -> Command:
        """Resume by id in the session's folder: Goose works wherever it is started."""
        if session.parent_session_id is not None:
            raise ResumeError("a sub-agent's conversation cannot be resumed; its parent's can")
        number = checked_id(session.session_id, _ID, "Goose")
        argv = [self.program, "session", "--resume", "--session-id", number]
        if fork:
            argv.append("--fork")
        additions: dict[str, str] = {}
        root = Path(session.root)
        if session.root and root not in self.roots(env):
            if root.parts[-2:] == ("data", "sessions"):
                additions["GOOSE_PATH_ROOT"] = str(root.parent.parent)
            elif root.parts[-2:] == ("goose", "sessions"):
                additions["XDG_DATA_HOME"] = str(root.parent.parent)
        return Command(tuple(argv), session.project_path or "", additions)
