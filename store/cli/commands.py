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


class CommandParser(argparse.ArgumentParser):
    """The parser of one command. With `takes_more` what stands behind `--` becomes `more`, as is.

    argparse itself would take it for the command's own, or refuse it where options stand between.
    """

    takes_more = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse what is before `--`, if what is behind it is another program's."""
        if not self.takes_more or args is None:
            return super().parse_known_args(args, namespace)
        words = list(args)
        end = words.index("--") if "--" in words else len(words)
        found, rest = super().parse_known_args(words[:end], namespace)
        found.more = words[end + 1 :]
        return found, rest


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
        self._shared = CommandParser(add_help=False)
        self._shared.add_argument("--database", default=argparse.SUPPRESS, **target)
        self._added = self.parser.add_subparsers(
            title="commands", metavar="COMMAND", required=True, parser_class=CommandParser
        )

    def add(self, name: str, run: Run, help: str) -> CommandParser:  # noqa: A002
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
