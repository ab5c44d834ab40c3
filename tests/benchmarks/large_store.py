"""A large store: `python -m tests.benchmarks.large_store FILE [TASKS] [MESSAGES ...]` makes one.

TASKS tasks of three messages each, and on top of the list one task for each number of MESSAGES,
with as many messages of the shapes that real ones have: prompts, answers, tool calls, outputs of
up to 50 KB. `--line MEGABYTES` puts one line of that length into each of them, some way before the
end, and adds a short history that ends with one.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import store
from store import Kind, NewMessage, Role, Store

WORDS = (
    *("retry", "backoff", "upload", "cache", "index", "parser", "token", "stream", "queue"),
    *("worker", "schema", "lock", "page"),
)
BATCH = 5_000
LONG = "The long one"
WIDE = "The wide one"
WIDE_AT = 200  # messages before the end, where the long line stands
FEW = 40


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


def last_answer(count: int) -> str:
    """Give the heading of the last answer of `conversation(count)`."""
    return f"Answer {max(n for n in range(count - 6, count) if n % 6 > 3)}"


def with_line(messages: Iterator[NewMessage], at: int, size: int) -> Iterator[NewMessage]:
    """Give messages, the one at a place with `size` characters in one line."""
    for number, message in enumerate(messages):
        if number == at and size:
            text = "x" * 70 + " " + sentence(random.Random(3), 1_000)
            content = (text * (size // len(text) + 1))[:size]
            yield message.model_copy(update={"content": content})
        else:
            yield message


def title(count: int) -> str:
    """Give the title of the task with so many messages."""
    return f"{LONG} of {count:,}"


async def make(path: str | Path, tasks: int, histories: Sequence[int], *, line: int = 0) -> None:
    """Fill a store; `line` is the length of the long line, in characters."""
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
        end = now
        for count in histories:
            messages = conversation(count, end - timedelta(seconds=count))
            await long_one(s, title(count), with_line(messages, count - WIDE_AT, line))
            end -= timedelta(minutes=1)
        if line:
            messages = conversation(FEW, end - timedelta(seconds=FEW))
            await long_one(s, WIDE, with_line(messages, FEW - 1, line))


async def long_one(s: Store, name: str, messages: Iterator[NewMessage]) -> None:
    session = await s.create_session("/home/ada/src/long", "claude", title=name)
    batch: list[NewMessage] = []
    for message in messages:
        batch.append(message)
        if len(batch) == BATCH:
            await s.save_messages(session.task_id, batch)
            batch = []
    if batch:
        await s.save_messages(session.task_id, batch)


async def ensure(path: Path, tasks: int, histories: Sequence[int], *, line: int = 0) -> None:
    """Make the store if it is not there. What is there is whole: it gets its name at the end."""
    if path.exists():
        return
    part = path.with_suffix(".part")
    for rest in part.parent.glob(f"{part.name}*"):
        rest.unlink()
    await make(part, tasks, histories, line=line)
    part.rename(path)
    for rest in part.parent.glob(f"{part.name}*"):
        rest.unlink()


if __name__ == "__main__":
    given = sys.argv[1:]
    size = 0
    if "--line" in given:
        at = given.index("--line")
        size = int(float(given[at + 1]) * 1e6)
        del given[at : at + 2]
    sizes = [int(each) for each in given[1:]]
    began = time.monotonic()
    asyncio.run(make(given[0], (sizes or [50_000])[0], sizes[1:] or [100_000], line=size))
    print(f"made {given[0]} in {time.monotonic() - began:.0f} s")
