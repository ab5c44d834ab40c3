"""What several stories need: programs run as processes of their own, and a few short words."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from store import Message, NewMessage, Role, Store

ROOT = Path(__file__).parents[2]
NOON = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    """Give a moment so many minutes after noon."""
    return NOON + timedelta(minutes=minutes)


def said(text: str, when: object = None, **fields: object) -> NewMessage:
    """Give a message of a person's."""
    return NewMessage.model_validate(
        {"role": Role.USER, "content": text, "timestamp": when} | fields
    )


def texts(messages: Sequence[Message]) -> list[str]:
    return [message.content for message in messages]


async def new_task(store: Store, title: str = "", **fields: object) -> str:
    """Store a task and give its id."""
    from store import Task

    return (await store.save_task(Task.model_validate({"title": title} | fields))).id


def start(program: str, *arguments: object, warnings: str = "error") -> subprocess.Popen[str]:
    """Start a Python program as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-W", warnings, "-c", textwrap.dedent(program), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )


def run(program: str, *arguments: object, warnings: str = "error") -> str:
    """Run a Python program to its end, which must be a good one; give what it printed."""
    with start(program, *arguments, warnings=warnings) as process:
        try:
            out, err = process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert process.returncode == 0, err
    return out
