"""`backscroll import`: from agents' files to the store, once or for as long as one likes."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from store import agents, ingest, shapes
from store.cli.commands import DONE, SKIPPED, Commands
from store.errors import InvalidValue
from store.opening import open_store
from store.progress import Progress, in_words
from store.text import printable

CLEAR = "\r\x1b[K"  # what stands on the line of the cursor
_REDRAW_SECONDS = 0.1
_OBJECTS_BETWEEN_COLLECTIONS = 100_000


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("import", _import, "gather sessions into the store")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or folders")
    parser.add_argument(
        "--agent", action="append", default=[], choices=agents.names(), help="only this agent"
    )
    parser.add_argument(
        "--watch", action="store_true", help="go on with what agents write, until interrupted"
    )
    parser.add_argument(
        "--no-originals",
        action="store_false",
        dest="originals",
        help="do not keep the files themselves, from which a deleted one could be put back",
    )
    parser.add_argument("--events", action="store_true", help=argparse.SUPPRESS)


async def _import(options: argparse.Namespace) -> int:
    # Nothing that an import makes by the million has cycles: looking for them took a tenth of it.
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    progress: Callable[[Progress], None] | None = _events if options.events else None
    if progress is None and is_on_terminal():
        progress = shown_progress()
    if options.watch:
        return await _watch(options, progress)
    async with open_store(options.database) as store:
        report = await ingest.run(
            store,
            only=options.agent,
            paths=options.paths,
            originals=options.originals,
            progress=progress,
        )
    _tell_report(options, report)
    return SKIPPED if report.skipped else DONE


async def _watch(options: argparse.Namespace, progress: Callable[[Progress], None] | None) -> int:
    from store.watch import follow  # what it needs is of no use to the other commands

    if options.paths:
        raise InvalidValue("--watch follows the agents' own places; it takes no PATH")

    async with open_store(options.database) as store:
        following = asyncio.ensure_future(
            follow(
                store,
                partial(_tell_report, options),
                only=options.agent,
                originals=options.originals,
                progress=progress,
                notice=lambda words: print(f"backscroll: {printable(words)}", file=sys.stderr),
            )
        )
        _heed_once(following.cancel)
        if options.events:  # for a program that holds the other end, and may die
            parent = asyncio.ensure_future(_end_of_input())
            parent.add_done_callback(lambda _: following.cancel())
        with suppress(asyncio.CancelledError):
            await following
    return DONE


def _heed_once(end: Callable[[], object]) -> None:
    """Call `end` at the first SIGINT or SIGTERM; a second one ends the process.

    asyncio.run's own answer to SIGINT is not heard when it comes just before the loop sleeps.
    """
    loop = asyncio.get_running_loop()
    heeded = (signal.SIGINT, signal.SIGTERM)

    def heed() -> None:
        for number in heeded:
            loop.remove_signal_handler(number)
        end()

    for number in heeded:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as a job behind a script is to
            loop.add_signal_handler(number, heed)


async def _end_of_input() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        pass


def is_on_terminal() -> bool:
    """Say whether a person sees what is told on standard error."""
    return sys.stderr is not None and sys.stderr.isatty()


def _tell_report(options: argparse.Namespace, report: ingest.Report) -> None:
    if is_on_terminal():
        print(CLEAR, end="", file=sys.stderr, flush=True)
    if options.events:
        print(json.dumps({"report": shapes.report(report)}), flush=True)
    elif options.json:
        print(json.dumps(shapes.report(report)), flush=True)
    else:
        _print_report(report)
        sys.stdout.flush()


def _events(progress: Progress) -> None:
    """Tell another program, line by line, how far the import is."""
    event = {
        "doing": progress.doing,
        "agent": progress.agent,
        "done": progress.sources_done,
        "all": progress.sources_all,
        "bytes_done": progress.bytes_done,
        "bytes_all": progress.bytes_all,
    }
    print(json.dumps(event), flush=True)


def shown_progress() -> Callable[[Progress], None]:
    """Give what keeps one line of the terminal true, at most ten times a second."""
    began: dict[str, float] = {}
    shown = 0.0

    def show(progress: Progress) -> None:
        nonlocal shown
        now = time.monotonic()
        since = now - began.setdefault(progress.doing, now)
        if now - shown > _REDRAW_SECONDS:
            shown = now
            print(CLEAR + in_words(progress, since), end="", file=sys.stderr, flush=True)

    return show


def _print_report(report: ingest.Report) -> None:
    print(
        f"{report.sources_seen:,} files: {report.sources_read:,} read,"
        f" {report.sources_unchanged:,} unchanged, {report.sources_failed:,} failed"
    )
    print(
        f"{report.sessions_added:,} sessions added, {report.sessions_updated:,} updated;"
        f" {report.messages_added:,} messages added, in {report.seconds:.1f} s"
    )
    for skip in report.skipped:
        where = f"{skip.path}:{skip.line}" if skip.line else skip.path
        print(f"skipped {printable(where)}: {printable(skip.reason)}")
    for wait in report.pending:
        print(f"waiting for the end of {printable(wait.path)}:{wait.line}")
