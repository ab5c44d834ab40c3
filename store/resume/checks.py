"""The rules that a command has to keep, each refusing in words."""

from __future__ import annotations

import os
import pwd
import re
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from store.errors import ResumeError
from store.resume.command import Command
from store.text import printable

_ROOT = 0


def checked_id(session_id: str, shape: re.Pattern[str], agent: str) -> str:
    """Give the id back if it has the agent's shape; it can then never be read as an option."""
    if session_id.startswith("-") or not shape.fullmatch(session_id):
        raise ResumeError(
            f"{printable(session_id)!r} does not have the shape of a {agent} session id"
        )
    return session_id


def checked_folder(path: str | None) -> str:
    """Give a folder back if one can work in it: an absolute path of a folder that can be entered.

    Raises ResumeError saying what is wrong with it.
    """
    if not path:
        raise ResumeError("the session does not say which folder it belongs to")
    shown = printable(path)
    if "\0" in path or not os.path.isabs(path):  # noqa: PTH117 - a Path cannot hold NUL everywhere
        raise ResumeError(f"the session's folder is not an absolute path: {shown}")
    try:
        found = Path(path).stat()
    except (FileNotFoundError, NotADirectoryError):
        raise ResumeError(f"the session's folder is not there any more: {shown}") from None
    except (OSError, ValueError) as error:
        raise ResumeError(f"the session's folder cannot be looked at: {shown}: {error}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise ResumeError(f"the session's folder is not a folder: {shown}")
    if not os.access(path, os.R_OK | os.X_OK):
        raise ResumeError(f"the session's folder may not be entered or read: {shown}")
    return path


def is_gone(path: str | None) -> bool:
    """Tell whether a folder was one and is not there now: it may have been moved."""
    if not path or "\0" in path or not os.path.isabs(path):  # noqa: PTH117
        return False
    try:
        return not stat.S_ISDIR(Path(path).stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except (OSError, ValueError):
        return False


def is_foreign(uid: int) -> bool:
    """Tell whether a file's owner is neither this person nor the system's."""
    return uid not in (os.geteuid(), _ROOT)


def owner_name(uid: int) -> str:
    """Give the name of a user, or the number of one who has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"the user {uid}"


def checked_owner(path: str | None) -> None:
    """Refuse a session whose file somebody else wrote: it says where to start, and what was said.

    A file that is not there has no owner to object to. Raises ResumeError.
    """
    if not path or "\0" in path:
        return
    try:
        uid = Path(path).stat().st_uid
    except OSError:
        return
    if is_foreign(uid):
        raise ResumeError(
            f"its file belongs to {printable(owner_name(uid))}, not to you: {printable(path)}"
        )


def find_program(name: str, env: Mapping[str, str]) -> str | None:
    """Look a program up on PATH as a shell does, but only in absolute folders.

    An empty or relative entry means "wherever you are", which inside a project is an invitation.
    A name that is an absolute path already is itself, if it can be run.
    """
    if "\0" in name or not name:
        return None
    if "/" in name:
        return name if name.startswith("/") and _can_run(Path(name)) else None
    for entry in env.get("PATH", os.defpath).split(os.pathsep):
        folder = Path(entry)
        if folder.is_absolute() and _can_run(folder / name):
            return str(folder / name)
    return None


def _can_run(program: Path) -> bool:
    try:
        return program.is_file() and os.access(program, os.X_OK)
    except OSError:
        return False


def ready(command: Command, env: Mapping[str, str], how_to_get: str = "") -> Command:
    """Give the command as it can be started now: program found, folder there.

    Raises ResumeError naming what is missing, and `how_to_get` the program.
    """
    name = command.argv[0]
    program = find_program(name, env)
    if program is None:
        hint = f"; it comes with: {how_to_get}" if how_to_get else ""
        raise ResumeError(f"the program {printable(name)!r} is not installed, or not on PATH{hint}")
    for word in (*command.argv, *command.env, *command.env.values()):
        if "\0" in word:
            raise ResumeError(f"a NUL cannot be passed to a program: {printable(word)}")
    cwd = checked_folder(command.cwd)
    return replace(command, argv=(program, *command.argv[1:]), cwd=cwd)
