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
from collections.abc import Sequence

from store.cli import imports, lists, resumes, shows, upkeep
from store.cli.commands import DONE, FAILED, INTERRUPTED, Commands, Run
from store.errors import StoreError
from store.text import printable


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status."""
    options = parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    run: Run = options.run
    try:
        status = asyncio.run(run(options))
        if sys.stdout is not None:  # it may have been closed before the start
            sys.stdout.flush()
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


def parser() -> argparse.ArgumentParser:
    """Build the parser of every command."""
    commands = Commands()
    for command in (imports, lists, shows, resumes, upkeep):
        command.add(commands)
    return commands.parser
