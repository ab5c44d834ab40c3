"""`backscroll`: without a command the browser, with one the store's command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui import collector

if TYPE_CHECKING:
    from argparse import Namespace

    from tui.first_page import FirstPage

_HELP = """usage: backscroll [--database TARGET] [--demo]      open the browser
       backscroll [--database TARGET] COMMAND ...   see `backscroll COMMAND --help`

commands: import, list, search, show, resume, migrate, recover, doctor

--database TARGET  the store: a path, :memory: or a sqlite:/// URL
--demo             open an invented store, in memory; your own is not touched
--version          say which version this is
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the browser or a command, and give the exit status."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if not arguments:
        return _browse(None)  # what is called most has nothing to parse: 6 ms
    options = _browser_options(arguments)
    if options is None:
        from store.cli import main as run_command  # the command line never loads textual

        return run_command(arguments)
    if options.help:
        print(_HELP, end="")  # noqa: T201
        return 0
    if options.version:
        from importlib.metadata import version

        print(f"backscroll {version('backscroll')}")  # noqa: T201
        return 0
    return _browse(options.database, demo=options.demo)


def _browse(database: str | None, *, demo: bool = False) -> int:
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout)):
        print(  # noqa: T201
            "backscroll: the browser needs a terminal; `backscroll list` does not", file=sys.stderr
        )
        return 1
    collector.rest()
    first = None if demo else _first_page(database)
    from tui.browser import browse

    return browse(database, demo=demo, first=first)


def _first_page(database: str | None) -> FirstPage:
    """Begin to read the first rows: SQLite works while the modules of the screen are loaded."""
    from store.opening import first_rows
    from tui.first_page import FirstPage

    lines = os.get_terminal_size(sys.stdout.fileno()).lines
    return FirstPage(lambda: first_rows(database, limit=lines))


def _browser_options(arguments: list[str]) -> Namespace | None:
    """Read the browser's options; None when there is more than these, and so a command."""
    import argparse

    parser = argparse.ArgumentParser(prog="backscroll", add_help=False, exit_on_error=False)
    parser.add_argument("--database", metavar="TARGET")
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--help", "-h", action="store_true")
    parser.add_argument("--version", action="store_true")
    try:
        options, rest = parser.parse_known_args(arguments)
    except argparse.ArgumentError:
        return None
    return None if rest else options


if __name__ == "__main__":
    sys.exit(main())
