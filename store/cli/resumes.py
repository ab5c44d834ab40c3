"""`backscroll resume`: back into a conversation, in the terminal that one is in."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from typing import NoReturn

from store import agents, resume, shapes
from store.cli.commands import DONE, Commands, print_json
from store.errors import ResumeError
from store.opening import open_store
from store.text import printable


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("resume", _resume, "put yourself back into a conversation")
    parser.add_argument("id", metavar="TASK_OR_SESSION_ID", help="or the beginning of one")
    parser.add_argument("--fork", action="store_true", help="continue in a copy")
    parser.add_argument("--print", action="store_true", help="show the command, start nothing")


async def _resume(options: argparse.Namespace) -> int:
    async with open_store(options.database) as store:
        session = await store.get_session(await store.resolve(options.id))
    command = agents.resume_command(session, fork=options.fork, env=os.environ)
    if not options.print:
        _become(resume.ready(command, os.environ))
    program = resume.find_program(command.argv[0], os.environ) or command.argv[0]
    command = replace(command, argv=(program, *command.argv[1:]))
    if options.json:
        print_json(shapes.command(command))
    else:
        print(printable(command.shell_line()))
    return DONE


def _become(command: resume.Command) -> NoReturn:
    try:
        os.chdir(command.cwd)
        os.execve(command.argv[0], command.argv, command.environment(os.environ))  # noqa: S606
    except OSError as error:
        raise ResumeError(f"{command.argv[0]} could not be started: {error.strerror}") from error
