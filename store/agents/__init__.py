"""One adapter per agent: where its sessions are, how to read them, how to resume them.

Adding an agent is adding a package here, whose `adapter.py` has a class that satisfies `Adapter`,
and its line in `_ADAPTERS`. An adapter is loaded when it is asked for, not before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from store.errors import NotFound, ResumeError

if TYPE_CHECKING:
    from store.models import Session
    from store.resume import Command
    from store.resume.manual import Manual
    from store.resume.standing import Standing
    from store.sources import Checkpoint, Chunk, Source


class Adapter(Protocol):
    """What an agent's package provides.

    Reading is synchronous and touches nothing: files are opened read-only, regular files only.
    Neither `find` nor `read` raises for what a file holds: that is what `SkippedRecord` is for.
    An `OSError` from `read` means that the source as a whole cannot be read now.
    """

    name: str
    """The backend's name in the store and on the command line."""

    title: str
    """What it is called in a sentence."""

    program: str
    """The agent's command."""

    manual: Manual
    """What of its command line a person may choose."""

    def roots(self, env: Mapping[str, str]) -> list[Path]:
        """Give the folders that the agent keeps its sessions under, whether they exist or not."""
        ...

    def find(self, root: Path) -> Iterator[Source]:
        """Give every source below a root, or the one that `root` itself is; newest work first."""
        ...

    def read(self, source: Source, since: Checkpoint | None) -> Iterator[Chunk]:
        """Read a source from a checkpoint, or from its start, in steps of bounded size."""
        ...

    def resume(self, session: Session, *, fork: bool, env: Mapping[str, str]) -> Command:
        """Say how the agent is put back into the session. Raises ResumeError when it cannot be."""
        ...

    def expires_at(self, session: Session, *, env: Mapping[str, str]) -> datetime | None:
        """Say from when on the agent will delete the session's source.

        None when it never does, or there is nothing to delete. Looks at files, and never raises
        for what they hold.
        """
        ...

    def standing(self, session: Session, folder: str, env: Mapping[str, str]) -> Standing:
        """Look whether the agent, started in `folder`, would find the session. Raises OSError."""
        ...

    def placed(self, command: Command, session: Session) -> Command:
        """Give the command so that the agent works in its folder, be it not the session's own."""
        ...

    def origins(self, head: bytes) -> tuple[str, ...]:
        """Give the sessions whose files have to be there, too, for one that begins like that."""
        ...

    def holder(self, session: Session, folder: str, env: Mapping[str, str]) -> str | None:
        """Say in words which other process has the session open; None when none is known to."""
        ...


_ADAPTERS = {
    "claude": "store.agents.claude.adapter:ClaudeCode",
    "codex": "store.agents.codex.adapter:Codex",
    "goose": "store.agents.goose.adapter:Goose",
}


def names() -> list[str]:
    """Give the names of the agents that have an adapter."""
    return list(_ADAPTERS)


@cache
def load(name: str) -> Adapter:
    """Load the adapter of one agent, and only that. Raises NotFound for an unknown name.

    It stays for as long as the process: what it remembers of files saves looking at them again.
    """
    try:
        module, _, adapter = _ADAPTERS[name].partition(":")
    except KeyError:
        raise NotFound("agent", name) from None
    return cast("Adapter", getattr(import_module(module), adapter)())


def resume_command(session: Session, *, fork: bool, env: Mapping[str, str]) -> Command:
    """Say how a session's own agent is put back into it. Raises ResumeError, with the reason."""
    if session.backend not in _ADAPTERS:
        raise ResumeError(f"backscroll does not know how to resume a {session.backend} session")
    return load(session.backend).resume(session, fork=fork, env=env)


def expires_at(session: Session, *, env: Mapping[str, str]) -> datetime | None:
    """Say from when on a session's own agent will delete its source; None when it will not.

    Looks at files: not for an event loop.
    """
    if session.backend not in _ADAPTERS or not session.source_path:
        return None
    return load(session.backend).expires_at(session, env=env)
