"""`backscroll list`: tasks, the latest first."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from store import shapes
from store.ages import age
from store.cli.commands import DONE, Commands, natural, print_json
from store.cli.queries import understood
from store.models import TaskFilter, TaskRow
from store.opening import open_store
from store.protocol import Store
from store.query.uses import listed
from store.text import printable

_PAGE = 500
_LIMIT = 50


def add(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add("list", _list, "list tasks, the latest first")
    parser.add_argument(
        "query",
        nargs="*",
        metavar="QUERY",
        help="words that must all occur, agent:codex, project:api, after:3d, is:fork...",
    )
    parser.add_argument(
        "--all", action="store_true", help="sub-agents, automated, empty and archived too"
    )
    parser.add_argument("--limit", type=natural, metavar="N", help="at most N tasks")


async def _list(options: argparse.Namespace) -> int:
    base = TaskFilter(everything=options.all, archived=None if options.all else False)
    wanted = listed(base, understood(options))
    limit = options.limit
    if limit is None and not options.json:
        limit = _LIMIT
    async with open_store(options.database) as store:
        rows = await _rows(store, wanted, limit)
        total = await store.count_tasks(wanted)
    if options.json:
        print_json([shapes.row(row) for row in rows])
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
