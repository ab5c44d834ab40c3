"""`backscroll resume`: back into a conversation, in the terminal that one is in or beside it."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from store import ingest, resume, shapes
from store.cli.commands import DONE, Commands, print_json
from store.errors import ResumeError
from store.models import TaskFilter
from store.opening import open_store
from store.protocol import Store
from store.resume import places, windows
from store.resume.checks import is_gone
from store.resume.manual import with_arguments, with_mode, with_model
from store.resume.plan import Doubt, Obstacle, Plan, prepare
from store.resume.putback import put_back
from store.resume.running import run_quietly
from store.text import printable

_MOST_STEPS = 6  # a folder, an archive, files to put back, and some to spare
_PAGE = 50


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("resume", _resume, "put yourself back into a conversation")
    parser.add_argument(
        "id", nargs="?", metavar="TASK_OR_SESSION_ID", help="or the beginning of one"
    )
    parser.add_argument("--last", action="store_true", help="the conversation of the last words")
    parser.add_argument("--fork", action="store_true", help="continue in a copy")
    parser.add_argument("--mode", metavar="NAME", help="the permission mode to start in")
    parser.add_argument("--model", metavar="NAME", help="the model to go on with")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="where the project is now, remembered if moved"
    )
    parser.add_argument(
        "--in",
        dest="kind",
        type=windows.Kind,
        choices=[kind for kind in windows.Kind if kind is not windows.Kind.HERE],
        help="open it beside this, in tmux, zellij, kitty or wezterm",
    )
    parser.add_argument(
        "--yes", action="store_true", help="say yes to whatever would be asked or refused for now"
    )
    parser.add_argument("--print", action="store_true", help="show the command, start nothing")
    parser.takes_more = True
    parser.epilog = "What stands behind -- are more arguments for the agent."


async def _resume(options: argparse.Namespace) -> int:
    async with open_store(options.database) as store:
        task_id = await _task(store, options)
        if options.print:
            plan = await _plan(store, task_id, options)
        else:
            plan = await _ready(store, task_id, options)
    command = _chosen(plan, options)
    if options.print:
        for words in (*plan.notes, *plan.obstacles.values(), *plan.doubts.values()):
            _note(words)
        if options.json:
            print_json(shapes.command(command))
        else:
            print(printable(command.shell_line()))
        return DONE
    command = resume.ready(command, os.environ, plan.manual.install)
    if options.kind is None:
        _become(command)
    opener = windows.opening(command, options.kind, os.environ, plan.manual.home_variables)
    await run_quietly(resume.Command(opener, command.cwd))
    return DONE


async def _task(store: Store, options: argparse.Namespace) -> str:
    if options.last == (options.id is not None):
        raise ResumeError("say which session, or --last")
    return await (_last(store) if options.last else store.resolve(options.id))


async def _last(store: Store) -> str:
    cursor: str | None = None
    while True:
        page = await store.list_tasks(TaskFilter(top_level=True), cursor=cursor, limit=_PAGE)
        for row in page.items:
            if row.session is not None:
                return row.task.id
        cursor = page.cursor
        if cursor is None:
            raise ResumeError("there is no session yet; `backscroll import` looks for some")


async def _plan(store: Store, task_id: str, options: argparse.Namespace) -> Plan:
    folder = str(options.folder.absolute()) if options.folder is not None else None
    return await prepare(store, task_id, env=os.environ, fork=options.fork, folder=folder)


def _chosen(plan: Plan, options: argparse.Namespace) -> resume.Command:
    """Give the command with what was asked for on the command line."""
    command = plan.command
    if options.mode is not None:
        command = with_mode(command, plan.manual, plan.manual.mode(options.mode))
    if options.model is not None:
        command = with_model(command, plan.manual, options.model)
    return with_arguments(command, options.more)


async def _ready(store: Store, task_id: str, options: argparse.Namespace) -> Plan:
    """Clear away what is in the way, as far as the person says yes to it."""
    for _ in range(_MOST_STEPS):
        plan = await _plan(store, task_id, options)
        if not plan.obstacles:
            break
        await _overcome(store, plan, options)
    else:
        raise ResumeError(plan.first_obstacle() or "")
    for note in plan.notes:
        _note(note)
    for doubt, words in plan.doubts.items():
        _agree(words, options)
        if doubt is Doubt.HOME:
            await store.trust_home(str(plan.home))
    await places.remember(store, [plan.command.cwd])
    if options.folder is not None:
        await _remember_move(store, plan.folder, plan.command.cwd)
    return plan


async def _overcome(store: Store, plan: Plan, options: argparse.Namespace) -> None:
    obstacles = plan.obstacles
    if Obstacle.PROGRAM in obstacles:
        raise ResumeError(obstacles[Obstacle.PROGRAM])
    if Obstacle.FOLDER in obstacles:
        options.folder = await _moved_to(store, plan, obstacles[Obstacle.FOLDER])
    elif Obstacle.ARCHIVED in obstacles and plan.unarchive is not None:
        _agree(obstacles[Obstacle.ARCHIVED], options)
        await run_quietly(plan.unarchive)
        await ingest.run(store, only=[plan.session.backend], paths=[plan.home])
    else:
        if not plan.restoring:
            raise ResumeError(obstacles[Obstacle.GONE])
        _agree(obstacles[Obstacle.GONE], options)
        for one in reversed(plan.restoring):  # what the session goes on from goes first
            await put_back(store, one)
        targets = [one.target for one in plan.restoring]
        await ingest.run(store, only=[plan.session.backend], paths=targets)


async def _moved_to(store: Store, plan: Plan, words: str) -> Path:
    if not await asyncio.to_thread(is_gone, plan.command.cwd):
        raise ResumeError(words)
    known = await places.known(store)
    found = await asyncio.to_thread(places.candidates, plan.command.cwd, known)
    return _pointed_out(found, words)


def _pointed_out(found: Sequence[places.Candidate], words: str) -> Path:
    """Ask where a folder is that is gone; without anybody to ask say where it may be."""
    if not _can_ask():
        likely = f"; it may be {printable(found[0].folder)} now" if found else ""
        raise ResumeError(f"{words}{likely}; --folder DIR says where it is")
    _note(words)
    for number, one in enumerate(found, 1):
        _note(f"{number}  {printable(one.folder)}  ({printable(one.why)})")
    answer = _asked("A number, or the folder where it is now (nothing: leave it): ").strip()
    if answer.isdecimal() and 0 < int(answer) <= len(found):
        return Path(found[int(answer) - 1].folder)
    if not answer:
        raise ResumeError(words)
    return Path(answer).expanduser()


async def _remember_move(store: Store, old: str, new: str) -> None:
    if await asyncio.to_thread(is_gone, old):
        known = {one.folder: one for one in await store.repositories()}
        await store.set_place(*places.project_move(old, new, known))


def _agree(words: str, options: argparse.Namespace) -> None:
    """Raise ResumeError unless the person says yes."""
    if options.yes:
        _note(words)
    elif not _can_ask():
        raise ResumeError(f"{words}; --yes says that it may be")
    elif _asked(f"backscroll: {words}. Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ResumeError("nothing was started")


def _can_ask() -> bool:
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


def _asked(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    return sys.stdin.readline()


def _note(words: str) -> None:
    print(f"backscroll: {words}", file=sys.stderr)


def _become(command: resume.Command) -> NoReturn:
    try:
        os.chdir(command.cwd)
        # Python ignores these, and what is ignored stays so in the program that takes its place.
        for name in ("SIGPIPE", "SIGXFSZ"):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
        os.execve(command.argv[0], command.argv, command.environment(os.environ))  # noqa: S606
    except (OSError, ValueError) as error:
        why = printable(str(error))
        raise ResumeError(f"{command.argv[0]} could not be started: {why}") from error
