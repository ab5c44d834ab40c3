"""The command line: one command a file.

The same as `python -m store ...`; textual is never imported. Exit status: 0 done, 1 an error in
words on standard error, 2 wrong usage, 3 an import that had to skip something.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from store.cli.arguments import command_at, options_first
from store.cli.commands import DONE, FAILED, INTERRUPTED, Commands, Run
from store.errors import QueryError, StoreError
from store.text import printable

_FILES: Mapping[str, str] = {
    "import": "imports",
    "list": "lists",
    "show": "shows",
    "search": "searches",
    "resume": "resumes",
    "migrate": "upkeep",
    "recover": "upkeep",
    "doctor": "upkeep",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    at = command_at(arguments)
    commands = parser(None if at is None else arguments[at])
    options = commands.parse_args(options_first(arguments))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    run: Run = options.run
    try:
        status = asyncio.run(run(options))
        if sys.stdout is not None:  # it may have been closed before the start
            sys.stdout.flush()
    except QueryError as error:
        from store.cli.queries import pointed_at, typed  # for mistakes only

        print(f"backscroll: {printable(str(error))}", file=sys.stderr)
        print(pointed_at(typed(options), error), file=sys.stderr)
        return FAILED
    except StoreError as error:
        print(f"backscroll: {printable(str(error))}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        # Whoever read the output has seen enough. Nothing more may be flushed into the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OSError as error:
        print(f"backscroll: {printable(str(error))}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED
    return status


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """Build the parser of every command, or of one: what the others need is not loaded then."""
    commands = Commands()
    wanted = _FILES.get(only or "")
    for file in [wanted] if wanted else dict.fromkeys(_FILES.values()):
        import_module(f"store.cli.{file}").add(commands)
    return commands.parser
