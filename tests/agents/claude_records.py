"""Claude Code's records, made as a test wants them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from store import agents
from tests.agents.reading import Kept, only, write

ID = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
CLAUDE = agents.load("claude")


def record(kind: str, name: str, parent: str | None, **more: Any) -> dict[str, Any]:
    second = sum(name.encode()) % 60
    return {
        "type": kind,
        "uuid": name,
        "parentUuid": parent,
        "sessionId": ID,
        "timestamp": f"2026-11-20T10:00:{second:02d}.000Z",
        "cwd": "/home/ann/src",
        "gitBranch": "main",
    } | more


def user(name: str, parent: str | None, content: Any, **more: Any) -> dict[str, Any]:
    return record("user", name, parent, message={"role": "user", "content": content}, **more)


def assistant(name: str, parent: str | None, *blocks: Any, **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "model": "sonnet", "content": list(blocks)}
    return record("assistant", name, parent, message=message, **more)


def text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def call(call: str, name: str = "Bash", **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call, "name": name, "input": arguments}


def result(call: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call, "content": content} | more


def home(tmp_path: Path, records: list[Any], name: str = ID) -> Path:
    return write(tmp_path / "projects" / "-home-ann-src" / f"{name}.jsonl", records)


def read(tmp_path: Path, *records: Any) -> Kept:
    home(tmp_path, list(records))
    return only(CLAUDE, tmp_path)


def parallel() -> list[Any]:
    return [
        user("a", None, "two at once"),
        assistant("b", "a", call("t1")),
        assistant("c", "b", call("t2")),
        user("d", "b", [result("t1", "one")]),
        user("e", "c", [result("t2", "two")]),
        assistant("f", "e", text("both")),
    ]
