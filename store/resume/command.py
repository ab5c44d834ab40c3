"""How an agent is started: always an argument list, never a shell line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Command:
    """How an agent is started. `argv[0]` is the program's name, or its absolute path when found.

    `env` holds additions only, `unset` the names of variables that must not be there.
    """

    argv: tuple[str, ...]
    cwd: str
    env: dict[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()

    def environment(self, env: Mapping[str, str]) -> dict[str, str]:
        """Give the environment to start it in, made of the one there is."""
        return {name: env[name] for name in env if name not in self.unset} | self.env

    def shell_line(self) -> str:
        """Give the command as a person would paste it into a POSIX shell."""
        words = [f"{name}={shlex.quote(value)}" for name, value in self.env.items()]
        if self.unset:
            words = ["env", *(word for name in self.unset for word in ("-u", name)), *words]
        program = Path(self.argv[0]).name
        words += [shlex.quote(word) for word in (program, *self.argv[1:])]
        return f"cd {shlex.quote(self.cwd)} && {' '.join(words)}"
