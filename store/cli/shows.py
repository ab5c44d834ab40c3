"""`backscroll show`: one conversation."""

from __future__ import annotations

import argparse

from store import shapes
from store.cli.commands import DONE, Commands, print_json
from store.errors import NotFound
from store.models import Kind, Message, Role, Session
from store.opening import open_store
from store.protocol import Store
from store.text import printable


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("show", _show, "show a conversation")
    parser.add_argument("id", metavar="TASK_OR_SESSION_ID", help="or the beginning of one")


async def _show(options: argparse.Namespace) -> int:
    async with open_store(options.database) as store:
        task_id = await store.resolve(options.id)
        task = await store.get_task(task_id)
        session = await _session(store, task_id)
        if options.json:
            history = await store.get_history(task_id)
            print_json(shapes.conversation(task, session, history))
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
