"""What drawing a part of a message costs: `python -m tests.benchmarks.drawing [WIDTH]`.

Each kind of text once as it is met, cut into parts as the history does it, the dearest part of
it; then text made to be dear. Milliseconds of this thread, the least of several runs: deciding
what is shown of a whole message, laying out one part, and the same words as plain text.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.style import Style

from store.models import Kind, Message, Role
from tui.render.history import part_lines
from tui.render.look import STYLES, Look
from tui.render.markdown import warm
from tui.render.plan import Fold, plan_message

FRAME = 16.0  # milliseconds
SIZE = 65_536
RUNS = 7
LOOK = Look(**{name: Style(color=f"color({n})", bgcolor="black") for n, name in enumerate(STYLES)})  # type: ignore[arg-type]
CODE = Path(sys.modules[part_lines.__module__].__file__ or "").read_text("utf-8")

ORDINARY = {
    "prose": ("The path retries in **three** layers, each `send_chunk` of them. " * 6 + "\n\n")
    * 40,
    "lists": "- item with `code` and **bold** words\n  1. inner one\n  2. another\n" * 200,
    "table": "| a | b | c |\n|---|---|--:|\n" + "| `name` | some **words** of it | 12 |\n" * 300,
    "python": f"```python\n{CODE}\n```",
    "quotes": "> a quote of some words\n> > and one within\n\n" * 300,
}
HOSTILE = {
    "[": "[" * SIZE,
    "![": "![" * SIZE,
    "*": "*" * SIZE,
    "**a": "**a" * SIZE,
    "|": "|" * SIZE,
    "> x 1,000": (">" * 1_000 + "x\n") * 60,
    "- in -": "".join("  " * (i % 200) + "- a\n" for i in range(400)),
    "one line": "word " * SIZE,
    "one word": "x" * SIZE,
    "columns": "|" + "a|" * 39 + "\n|" + "-|" * 39 + "\n" + ("|" + "b|" * 39 + "\n") * 700,
    "short lines": "- a\n" * SIZE,
    "minified": "```js\n" + ("var a=function(b){return b+1};" * 16 + "\n") * 200,
    "quotes in code": "```js\n" + ('\\"' * 200 + "\n") * 200,
    "entities": "&amp;" * SIZE,
    "wide": "漢字" * SIZE,
}


def least(work: Callable[[], object]) -> float:
    """Give the milliseconds of the quickest of several runs."""
    found = []
    for _ in range(RUNS):
        start = time.thread_time()
        work()
        found.append(time.thread_time() - start)
    return min(found) * 1_000


def measure(name: str, message: Message, width: int) -> None:
    plan = plan_message(message, Fold.FULL)
    parts = sorted({0, 1, plan.parts // 2, plan.parts - 1} & set(range(plan.parts)))
    drawn = max(least(lambda part=part: part_lines(plan, part, width, LOOK)) for part in parts)  # type: ignore[misc]
    same = message.model_copy(update={"kind": Kind.THINKING})
    plain = plan_message(same, Fold.FULL)
    bare = max(
        least(lambda part=part: part_lines(plain, part, width, LOOK))  # type: ignore[misc]
        for part in parts
        if part < plain.parts
    )
    planned = least(lambda: plan_message(message, Fold.FULL))
    over = "  over a frame" if max(planned, drawn) > FRAME else ""
    print(f"{name:16} {planned:7.2f} {drawn:7.2f} {bare:7.2f} {plan.parts:6,}{over}")


def main(width: int = 90) -> None:
    start = time.thread_time()
    warm()
    print(f"loading what reads Markdown and code: {(time.thread_time() - start) * 1_000:.0f} ms")
    print(f"{'text':16} {'plan':>7} {'part':>7} {'plain':>7} {'parts':>6}")
    now = datetime.now(UTC)
    for name, text in (ORDINARY | HOSTILE).items():
        content = text[:SIZE]
        measure(name, Message(seq=1, role=Role.ASSISTANT, content=content, timestamp=now), width)
    edit = {"file_path": "a.py", "old_string": CODE, "new_string": CODE.replace("self", "me")}
    write = {"file_path": "a.py", "content": CODE}
    for name, arguments in {"Edit": edit, "Write": write}.items():
        call = Message(
            seq=1,
            role=Role.ASSISTANT,
            kind=Kind.TOOL_CALL,
            content=json.dumps(arguments),
            timestamp=now,
            tool_name=name,
        )
        measure(name, call, width)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
