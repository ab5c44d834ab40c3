"""A large store: `python -m tests.benchmarks.large_store FILE [TASKS] [MESSAGES]` makes one.

TASKS tasks of three messages each, and on top of the list one with MESSAGES messages of the
shapes that real ones have: prompts, answers, tool calls, outputs of up to 50 KB.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import store
from store import Kind, NewMessage, Role

WORDS = (
    *("retry", "backoff", "upload", "cache", "index", "parser", "token", "stream", "queue"),
    *("worker", "schema", "lock", "page"),
)
BATCH = 5_000
LONG = "The long one"


def sentence(dice: random.Random, words: int) -> str:
    return " ".join(dice.choices(WORDS, k=words))


def conversation(count: int, start: datetime) -> Iterator[NewMessage]:
    """Give `count` messages a second apart, in rounds of six."""
    dice = random.Random(7)
    output = "\n".join(f"{n:>5} {sentence(dice, 9)}" for n in range(800))
    for number in range(count):
        at = start + timedelta(seconds=number)
        call = f"call-{number // 6}"
        match number % 6:
            case 0:
                text = f"Prompt {number}: {sentence(dice, 12)}?"
                yield NewMessage(role=Role.USER, content=text, timestamp=at, is_prompt=True)
            case 1:
                text = sentence(dice, 30)
                yield NewMessage(
                    role=Role.ASSISTANT, kind=Kind.THINKING, content=text, timestamp=at
                )
            case 2:
                yield NewMessage(
                    role=Role.ASSISTANT,
                    kind=Kind.TOOL_CALL,
                    content=f'{{"command": "rg -n {sentence(dice, 1)} src/"}}',
                    tool_name="Bash",
                    tool_call_id=call,
                    timestamp=at,
                )
            case 3:
                size = 50_000 if number % 300 == 3 else dice.randrange(20, 2_000)
                yield NewMessage(
                    role=Role.TOOL,
                    kind=Kind.TOOL_RESULT,
                    content=output[:size],
                    tool_name="Bash",
                    tool_call_id=call,
                    timestamp=at,
                )
            case _:
                text = f"## Answer {number}\n\n{sentence(dice, 40)}\n\n- {sentence(dice, 6)}\n"
                yield NewMessage(role=Role.ASSISTANT, content=text, timestamp=at)


async def make(path: str, tasks: int, messages: int) -> None:
    dice = random.Random(1)
    now = datetime.now(UTC)
    async with store.open_store(path) as s:
        for number in range(tasks):
            session = await s.create_session(
                f"/home/ada/src/project-{number % 200}",
                ("claude", "codex", "goose")[number % 3],
                title=f"Task {number}: {sentence(dice, 5)}",
                git_branch=f"work/{number % 1777}" if number % 3 else "main",
                model=f"model-{number % 23}",
            )
            at = now - timedelta(minutes=number + 10)
            await s.save_messages(
                session.task_id,
                [
                    NewMessage(role=Role.USER, content="Do it.", timestamp=at, is_prompt=True),
                    NewMessage(role=Role.ASSISTANT, content="Doing it.", timestamp=at),
                    NewMessage(role=Role.ASSISTANT, content="Done.", timestamp=at),
                ],
            )
        if messages:
            session = await s.create_session("/home/ada/src/long", "claude", title=LONG)
            batch: list[NewMessage] = []
            for message in conversation(messages, now - timedelta(seconds=messages)):
                batch.append(message)
                if len(batch) == BATCH:
                    await s.save_messages(session.task_id, batch)
                    batch = []
            if batch:
                await s.save_messages(session.task_id, batch)


if __name__ == "__main__":
    sizes = [int(size) for size in sys.argv[2:]]
    began = time.monotonic()
    asyncio.run(make(sys.argv[1], *(sizes + [50_000, 100_000][len(sizes) :])))
    print(f"made {sys.argv[1]} in {time.monotonic() - began:.0f} s")
