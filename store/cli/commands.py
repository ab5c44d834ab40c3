"""What the commands share: how one is added, exit statuses, JSON, numbers."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Coroutine
from typing import Any

DONE, FAILED, SKIPPED = 0, 1, 3
INTERRUPTED = 130

Run = Callable[[argparse.Namespace], Coroutine[Any, Any, int]]
"""A command: from its options to its exit status."""


class Commands:
    """The parser of all commands, to which each is added."""

    def __init__(self) -> None:
        target: dict[str, Any] = {
            "metavar": "TARGET",
            "help": "the store: a path, :memory: or a sqlite:/// URL",
        }
        self.parser = argparse.ArgumentParser(
            prog="backscroll",
            description="Browse, search and resume the sessions of coding agents.",
            epilog="Without a command the browser opens.",
        )
        self.parser.add_argument("--database", **target)
        # Understood behind the command too; its own absence there must not undo what came before.
        self._shared = argparse.ArgumentParser(add_help=False)
        self._shared.add_argument("--database", default=argparse.SUPPRESS, **target)
        self._added = self.parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(self, name: str, run: Run, help: str) -> argparse.ArgumentParser:  # noqa: A002
        """Add a command that takes `--json` and `--database`, and give its parser for the rest."""
        added = self._added.add_parser(name, help=help, description=help, parents=[self._shared])
        added.add_argument("--json", action="store_true", help="print only JSON")
        added.set_defaults(run=run)
        return added


def natural(text: str) -> int:
    """Read a number from 0 on, as argparse wants it read."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return int(text)


def print_json(value: Any) -> None:
    """Print a value as one line of JSON, in which everything beyond ASCII is escaped."""
    print(json.dumps(value))
