"""From a session to the command that resumes it: argument list, folder, environment.

Nothing here starts anything. `plan` refuses, in words, whatever must not be started: an id that
could be read as an option, a folder that is not there, a program that only the project's own
folder offers.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from store.errors import ResumeError
from store.text import printable


@dataclass(frozen=True, slots=True)
class Command:
    """How an agent is started. `argv[0]` is the program's name, or its absolute path when found.

    `env` holds additions only.
    """

    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str] = field(default_factory=dict)

    def shell_line(self) -> str:
        """Give the command as a person would paste it into a POSIX shell."""
        words = [f"{name}={shlex.quote(value)}" for name, value in self.env.items()]
        program = Path(self.argv[0]).name
        words += [shlex.quote(word) for word in (program, *self.argv[1:])]
        return f"cd {shlex.quote(self.cwd)} && {' '.join(words)}"


def checked_id(session_id: str, shape: re.Pattern[str], agent: str) -> str:
    """Give the id back if it has the agent's shape; it can then never be read as an option."""
    if session_id.startswith("-") or not shape.fullmatch(session_id):
        raise ResumeError(
            f"{printable(session_id)!r} does not have the shape of a {agent} session id"
        )
    return session_id


def checked_folder(path: str | None) -> str:
    """Give the session's folder back if it is an absolute path of a folder that exists."""
    if not path:
        raise ResumeError("the session does not say which folder it belongs to")
    shown = printable(path)
    if "\0" in path or not os.path.isabs(path):  # noqa: PTH117 - a Path cannot hold NUL everywhere
        raise ResumeError(f"the session's folder is not an absolute path: {shown}")
    if not Path(path).is_dir():
        raise ResumeError(f"the session's folder is not there any more: {shown}")
    return path


def find_program(name: str, env: Mapping[str, str]) -> str | None:
    """Look a program up on PATH as a shell does, but only in absolute folders.

    An empty or relative entry means "wherever you are", which inside a project is an invitation.
    """
    for entry in env.get("PATH", os.defpath).split(os.pathsep):
        folder = Path(entry)
        if not folder.is_absolute():
            continue
        program = folder / name
        if program.is_file() and os.access(program, os.X_OK):
            return str(program)
    return None


def ready(command: Command, env: Mapping[str, str]) -> Command:
    """Give the command as it can be started now: program found, folder there.

    Raises ResumeError naming what is missing.
    """
    name = command.argv[0]
    program = find_program(name, env)
    if program is None:
        raise ResumeError(f"the program {name!r} is not installed, or not on PATH")
    cwd = checked_folder(command.cwd)
    return Command((program, *command.argv[1:]), cwd, command.env)
