"""How a session stands at its agent: what an adapter finds out without writing anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Standing:
    """How a session stands at its agent now, were the agent started in a certain folder.

    `home` is the agent's home that is meant, `transcript` the file that the agent would look for
    in it; None for sessions that are not files, with `cannot_return` saying why what is not there
    cannot be put back. `unarchive` is the command that takes the session out of the agent's
    archive, where it is in one.
    """

    is_there: bool
    home: Path
    transcript: Path | None = None
    cannot_return: str = ""
    unarchive: tuple[str, ...] = ()
