"""Goose: all sessions in one SQLite database, `sessions.db`; before that, one JSONL file each.

Goose imports the older files when it makes its database, and leaves them where they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from store.agents.goose import files
from store.agents.goose.legacy import Holdings, SessionFile
from store.agents.goose.manual import MANUAL
from store.agents.goose.rows import Rows
from store.agents.goose.tables import Tables
from store.errors import ResumeError
from store.models import Session
from store.reading.databases import database, fingerprint_of
from store.reading.files import home_of
from store.reading.transcripts import opened
from store.resume import Command, checked_id
from store.resume.processes import own_processes
from store.resume.standing import Standing
from store.sources import Checkpoint, Chunk, Source

_ID = re.compile(r"\d{8}_\d+")
_VARIABLES = MANUAL.home_variables
_NOT_KEPT = "Goose keeps its sessions in a database, and of that no copy is kept"


class Goose:
    """The adapter of Goose."""

    name = "goose"
    title = "Goose"
    program = "goose"
    manual = MANUAL

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
        command = Command(tuple(argv), session.project_path or "")
        root = self._home(session, env)
        if root in self.roots(env):
            return command
        if root == self.roots({name: env[name] for name in env if name not in _VARIABLES})[0]:
            return replace(command, unset=tuple(name for name in _VARIABLES if name in env))
        name = _VARIABLES[0] if root.parts[-2] == "data" else _VARIABLES[1]
        # GOOSE_PATH_ROOT goes before the other: where it is set, it has to make way.
        in_the_way = (_VARIABLES[0],) if name != _VARIABLES[0] and _VARIABLES[0] in env else ()
        return replace(command, env={name: str(root.parent.parent)}, unset=in_the_way)

    def standing(self, session: Session, folder: str, env: Mapping[str, str]) -> Standing:  # noqa: ARG002
        """Ask the database whether it has the session."""
        home = self._home(session, env)
        return Standing(_has(home / files.DATABASE, session.session_id), home, None, _NOT_KEPT)

    def placed(self, command: Command, session: Session) -> Command:  # noqa: ARG002
        """Give the command as it is: the agent works where it is started."""
        return command

    def origins(self, head: bytes) -> tuple[str, ...]:  # noqa: ARG002 - none whatever it says
        """Give nothing: a fork has all that it took over."""
        return ()

    def holder(self, session: Session, folder: str, env: Mapping[str, str]) -> str | None:  # noqa: ARG002
        """Say which process was started with the session: nothing else tells."""
        for process in own_processes():
            named = process.names(session.session_id) and not process.names("--fork")
            if named and process.runs(self.program):
                return f"process {process.pid}"
        return None

    def _home(self, session: Session, env: Mapping[str, str]) -> Path:
        root = Path(session.root)
        is_home = root.parts[-2:] in (("data", "sessions"), ("goose", "sessions"))
        return root if session.root and is_home else self.roots(env)[0]


def _has(path: Path, session_id: str) -> bool:
    if not path.is_file():
        return False
    with database(path) as connection:
        query = "SELECT 1 FROM sessions WHERE id = ?"
        return connection.execute(query, (session_id,)).fetchone() is not None
