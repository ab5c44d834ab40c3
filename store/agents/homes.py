"""Starting an agent with the home that a session came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from store.reading.files import home_of
from store.resume import Command


def at_home(command: Command, variable: str, home: Path, env: Mapping[str, str]) -> Command:
    """Give a command whose agent finds its home at `home`, which `variable` can say.

    The usual one, below the person's home, is reached by leaving the variable away: agents keep
    things beside it that they would not find otherwise.
    """
    usual = home_of(env) / f".{Path(command.argv[0]).name}"
    given = env.get(variable)
    if home == (Path(given).expanduser() if given else usual):
        return command
    if home == usual:
        return replace(command, unset=(variable,))
    return replace(command, env={variable: str(home)})
