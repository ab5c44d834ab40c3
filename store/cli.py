"""The command line: `backscroll import`, `list`, `show`, `resume`, `migrate`, `recover`,
`doctor`.

The same as `python -m store ...`; textual is never imported. Exit status: 0 done, 1 an error in
words on standard error, 2 wrong usage, 3 an import that had to skip something.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from store import agents, ingest, resume, shapes
from store.ages import age
from store.errors import InvalidValue, NotFound, ResumeError, StoreError
from store.models import Kind, Message, Role, Session, TaskFilter, TaskRow
from store.opening import open_store, recover
from store.progress import Progress, in_words
from store.protocol import Store
from store.text import printable

DONE, FAILED, SKIPPED = 0, 1, 3
INTERRUPTED = 130

_CLEAR = "\r\x1b[K"  # what stands on the line of the cursor
_REDRAW_SECONDS = 0.1
_PAGE = 500
_OBJECTS_BETWEEN_COLLECTIONS = 100_000
_LIST_LIMIT = 50


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status."""
    options = parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    run: Callable[[argparse.Namespace], Coroutine[Any, Any, int]] = options.run
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
    target: dict[str, Any] = {
        "metavar": "TARGET",
        "help": "the store: a path, :memory: or a sqlite:/// URL",
    }
    top = argparse.ArgumentParser(
        prog="backscroll",
        description="Browse, search and resume the sessions of coding agents.",
        epilog="Without a command the browser opens.",
    )
    top.add_argument("--database", **target)
    # Understood behind the command too; its own absence there must not undo what came before.
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--database", default=argparse.SUPPRESS, **target)
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def command(
        name: str,
        run: Callable[[argparse.Namespace], Coroutine[Any, Any, int]],
        help: str,  # noqa: A002
    ) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help, parents=[shared])
        added.add_argument("--json", action="store_true", help="print only JSON")
        added.set_defaults(run=run)
        return added

    imports = command("import", _import, "gather sessions into the store")
    imports.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or folders")
    imports.add_argument(
        "--agent", action="append", default=[], choices=agents.names(), help="only this agent"
    )
    imports.add_argument(
        "--watch", action="store_true", help="go on with what agents write, until interrupted"
    )
    imports.add_argument(
        "--no-originals",
        action="store_false",
        dest="originals",
        help="do not keep the files themselves, from which a deleted one could be put back",
    )
    imports.add_argument("--events", action="store_true", help=argparse.SUPPRESS)

    lists = command("list", _list, "list tasks, the latest first")
    lists.add_argument("query", nargs="*", metavar="QUERY", help="words that must all occur")
    lists.add_argument(
        "--all", action="store_true", help="sub-agents, automated, empty and archived too"
    )
    lists.add_argument("--limit", type=_natural, metavar="N", help="at most N tasks")

    shows = command("show", _show, "show a conversation")
    shows.add_argument("id", metavar="TASK_OR_SESSION_ID", help="or the beginning of one")

    resumes = command("resume", _resume, "put yourself back into a conversation")
    resumes.add_argument("id", metavar="TASK_OR_SESSION_ID", help="or the beginning of one")
    resumes.add_argument("--fork", action="store_true", help="continue in a copy")
    resumes.add_argument("--print", action="store_true", help="show the command, start nothing")

    command("migrate", _migrate, "bring the store to this version's schema")
    command("recover", _recover, "replace a damaged store by what can still be read of it")
    command("doctor", _doctor, "say what backscroll sees: places, counts, versions")
    return top


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return int(text)


async def _import(options: argparse.Namespace) -> int:
    # Nothing that an import makes by the million has cycles: looking for them took a tenth of it.
    gc.freeze()
    gc.set_threshold(_OBJECTS_BETWEEN_COLLECTIONS)
    progress: Callable[[Progress], None] | None = _events if options.events else None
    if progress is None and _is_on_terminal():
        progress = _shown_progress()
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
        if options.events:  # for a program that holds the other end, and may die
            parent = asyncio.ensure_future(_end_of_input())
            parent.add_done_callback(lambda _: following.cancel())
        with suppress(asyncio.CancelledError):
            await following
    return DONE


async def _end_of_input() -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while await reader.read(4096):
        pass


def _is_on_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


def _tell_report(options: argparse.Namespace, report: ingest.Report) -> None:
    if _is_on_terminal():
        print(_CLEAR, end="", file=sys.stderr, flush=True)
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


def _shown_progress() -> Callable[[Progress], None]:
    """Give what keeps one line of the terminal true, at most ten times a second."""
    began: dict[str, float] = {}
    shown = 0.0

    def show(progress: Progress) -> None:
        nonlocal shown
        now = time.monotonic()
        since = now - began.setdefault(progress.doing, now)
        if now - shown > _REDRAW_SECONDS:
            shown = now
            print(_CLEAR + in_words(progress, since), end="", file=sys.stderr, flush=True)

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


async def _list(options: argparse.Namespace) -> int:
    words = tuple(word for text in options.query for word in text.split())
    wanted = TaskFilter(
        words=words, everything=options.all, archived=None if options.all else False
    )
    limit = options.limit
    if limit is None and not options.json:
        limit = _LIST_LIMIT
    async with open_store(options.database) as store:
        rows = await _rows(store, wanted, limit)
        total = await store.count_tasks(wanted)
    if options.json:
        _print_json([shapes.row(row) for row in rows])
        return DONE
    for row in rows:
        print(_line(row))
    if len(rows) < total:
        print(f"{len(rows):,} of {total:,}; --limit N shows more", file=sys.stderr)
    return DONE


async def _rows(store: Store, wanted: TaskFilter, limit: int | None) -> list[TaskRow]:
    rows: list[TaskRow] = []
    cursor: str | None = None
    while limit is None or len(rows) < limit:
        size = _PAGE if limit is None else min(_PAGE, limit - len(rows))
        page = await store.list_tasks(wanted, cursor=cursor, limit=size)
        rows += page.items
        cursor = page.cursor
        if cursor is None:
            break
    return rows


def _line(row: TaskRow) -> str:
    session = row.session
    project = Path((session and session.project_path) or row.task.project_path or "").name
    return "  ".join(
        (
            printable(row.task.id)[:8].ljust(8),
            age(row.active_at).rjust(4),
            printable(session.backend if session else "task").ljust(6),
            f"{row.task.message_count:>6,}",
            printable(project)[:20].ljust(20),
            printable(row.task.title) or "(no title)",
        )
    )


async def _show(options: argparse.Namespace) -> int:
    async with open_store(options.database) as store:
        task_id = await store.resolve(options.id)
        task = await store.get_task(task_id)
        session = await _session(store, task_id)
        if options.json:
            history = await store.get_history(task_id)
            _print_json(shapes.conversation(task, session, history))
            return DONE
        print(printable(task.title) or "(no title)")
        if session is not None:
            facts = (session.backend, session.session_id, session.project_path, session.git_branch)
            print("  ".join(printable(fact) for fact in facts if fact))
        async for message in store.iter_history(task_id):
            print(_paragraph(message, session.backend if session else "assistant"))
    return DONE


def _paragraph(message: Message, agent: str) -> str:
    who = {Role.USER: "you", Role.ASSISTANT: agent}.get(message.role, str(message.role))
    if message.kind not in (Kind.TEXT, Kind.TOOL_RESULT):
        who += f", {message.kind.replace('_', ' ')}"
    if message.tool_name:
        who += f" {message.tool_name}"
    when = message.timestamp.astimezone().strftime("%Y-%m-%d %H:%M")
    return f"\n{printable(who)}  {when}\n{printable(message.content, lines=True)}"


async def _session(store: Store, task_id: str) -> Session | None:
    try:
        return await store.get_session(task_id)
    except NotFound:
        return None


async def _resume(options: argparse.Namespace) -> int:
    async with open_store(options.database) as store:
        session = await store.get_session(await store.resolve(options.id))
    command = agents.resume_command(session, fork=options.fork, env=os.environ)
    if not options.print:
        _become(resume.ready(command, os.environ))
    program = resume.find_program(command.argv[0], os.environ) or command.argv[0]
    command = replace(command, argv=(program, *command.argv[1:]))
    if options.json:
        _print_json(shapes.command(command))
    else:
        print(printable(command.shell_line()))
    return DONE


def _become(command: resume.Command) -> NoReturn:
    try:
        os.chdir(command.cwd)
        os.execve(command.argv[0], command.argv, command.environment(os.environ))  # noqa: S606
    except OSError as error:
        raise ResumeError(f"{command.argv[0]} could not be started: {error.strerror}") from error


async def _migrate(options: argparse.Namespace) -> int:
    async with open_store(options.database) as store:
        facts = await store.describe()
    if options.json:
        _print_json({"path": facts["path"], "schema": facts["schema"]})
    else:
        print(f"{printable(facts['path'])} has schema {facts['schema']}, the newest there is")
    return DONE


async def _recover(options: argparse.Namespace) -> int:
    recovery = await recover(options.database)
    if options.json:
        _print_json({"kept": recovery.kept, "rows": dict(recovery.rows)})
        return DONE
    print(f"The damaged store is kept as {printable(recovery.kept)}")
    print("Recovered: " + ", ".join(f"{n:,} of {table}" for table, n in recovery.rows.items()))
    return DONE


async def _doctor(options: argparse.Namespace) -> int:
    from store.doctor import examine  # loads every adapter, which no other command needs

    findings = await examine(options.database, os.environ)
    if options.json:
        _print_json(findings)
        return DONE
    for name, number in findings["versions"].items():
        print(f"{name:<12}{number or 'not installed'}")
    print()
    for name, value in findings["database"].items():
        if value is not None:
            print(f"{name:<14}{printable(str(value))}")
    for agent in findings["agents"]:
        print(f"\n{agent['agent']:<8}program: {printable(agent['program'] or 'not found on PATH')}")
        for place in agent["places"]:
            seen = f"{place['sources']:,} files" if place["exists"] else "not there"
            print(f"        {printable(place['path'])}: {seen}")
    return DONE


def _print_json(value: Any) -> None:
    print(json.dumps(value))
