"""`backscroll search`: messages by what they say, grouped by session."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from store import shapes
from store.ages import age
from store.cli.commands import DONE, Commands, natural, print_json
from store.cli.light import Light
from store.cli.queries import understood
from store.models import Kind, Role
from store.opening import open_store
from store.protocol import Store
from store.query.model import Query
from store.query.relaxing import relaxed
from store.search import Group, Hit, Hits, grouped
from store.text import printable

_PAGE = 200
_LIMIT = 50
_WHO_WIDTH = 10


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("search", _search, "find messages by what they say")
    parser.add_argument(
        "query",
        nargs="+",
        metavar="QUERY",
        help="words, -word, '\"a phrase\"', agent:codex, project:api, after:3d, is:gone, in:all...",
    )
    parser.add_argument(
        "--limit", type=natural, metavar="N", default=_LIMIT, help="at most N messages"
    )


async def _search(options: argparse.Namespace) -> int:
    query = understood(options)
    async with open_store(options.database) as store:
        found = await _hits(store, query, options.limit)
        if found.unindexed:
            print(_not_yet(found), file=sys.stderr)
        if options.json:
            print_json(shapes.hits(found, options.limit))
            return DONE
        if not found.hits and not found.tasks:
            print(await _nothing(store, query, found), file=sys.stderr)
            return DONE
    light = Light.of(sys.stdout)
    for number, group in enumerate(grouped(found.hits, found.tasks)):
        if number:
            print()
        for line in _lines(group, light):
            print(line)
    print(_count(found), file=sys.stderr)
    return DONE


async def _hits(store: Store, query: Query, limit: int) -> Hits:
    """Give the first hits, read page by page."""
    first = await store.search(query, limit=min(_PAGE, limit))
    hits, cursor = list(first.hits), first.cursor
    while cursor is not None and len(hits) < limit:
        page = await store.search(query, limit=min(_PAGE, limit - len(hits)), cursor=cursor)
        hits += page.hits
        cursor = page.cursor
    return first.model_copy(update={"hits": tuple(hits), "cursor": cursor})


async def _nothing(store: Store, query: Query, found: Hits) -> str:
    """Say that there is nothing, and what would find something."""
    words = ["Nothing found."]
    if found.more_in_tools:
        words.append(f"{_in_tools(found)} in tool output; in:all looks there, too.")
    for without in await relaxed(store, query):
        part = printable(without.part)
        words.append(f"{_messages(without.hits)} without {part}.")
    return " ".join(words)


def _lines(group: Group, light: Light) -> Iterator[str]:
    """Give the lines of one session: what it is, then its messages."""
    about, task = group.about, group.task
    is_title = task is not None and task.field == "title"
    facts = (about.agent or "task", Path(about.project_path or "").name, about.task_id[:8])
    title = printable(about.title) or "(no title)"
    title = light.up(about.snippet, about.marks) if is_title else light.bold(title)
    yield "  ".join((title, *(printable(fact) for fact in facts if fact)))
    if task is not None and not is_title:
        yield f"  {task.field}: {light.up(task.snippet, task.marks)}"
    for hit in group.hits:
        head = f"  {age(hit.timestamp):>4}  {_who(hit):<{_WHO_WIDTH}}  "
        yield head + light.up(hit.snippet, hit.marks, beside=len(head))


def _who(hit: Hit) -> str:
    if hit.kind is Kind.TOOL_CALL:
        who = hit.tool_name or "tool"
    elif hit.kind is Kind.TOOL_RESULT:
        who = "output"
    elif hit.kind is not Kind.TEXT:
        who = str(hit.kind)
    else:
        who = {Role.USER: "you", Role.ASSISTANT: hit.agent or "agent"}.get(hit.role, hit.role)
    return printable(who)[:_WHO_WIDTH]


def _count(found: Hits) -> str:
    words = _messages(found)
    if len(found.hits) < found.total:
        words = f"{len(found.hits):,} of {words}; --limit N shows more"
    if found.tasks:
        words += f"; {_plural(len(found.tasks), 'task')} by what they say themselves"
    if found.more_in_tools:
        words += f"; {_in_tools(found)} more in tool output: add in:all"
    return words


def _not_yet(found: Hits) -> str:
    return (
        f"{_plural(found.unindexed, 'message')}, tool output most of all, cannot be found yet: the"
        " index is still being made (`backscroll import` finishes it)"
    )


def _messages(found: Hits) -> str:
    if found.is_capped:
        return f"{found.total:,}+ messages"
    return _plural(found.total, "message")


def _in_tools(found: Hits) -> str:
    return f"{found.more_in_tools:,}{'+' if found.more_is_capped else ''}"


def _plural(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
