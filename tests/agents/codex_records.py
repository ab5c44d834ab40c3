"""Records as Codex writes them, and rollouts of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from store import agents
from tests.agents.reading import write

ID = "01a1fb4f-f372-7433-b9f3-7f69b46cb13d"
FORK = "01a1fb5c-ccd5-73a2-bccf-fa0e99e5e068"
LATER = "01a1fb5d-ccd5-73a2-bccf-fa0e99e5e068"
CODEX = agents.load("codex")


def record(kind: str, payload: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"timestamp": "2026-11-20T10:00:00.000Z", "type": kind, "payload": payload} | more


def meta(thread: str = ID, **more: Any) -> dict[str, Any]:
    payload = {"id": thread, "timestamp": "2026-11-20T09:59:59Z", "cwd": "/src", "source": "cli"}
    return record("session_meta", payload | {"git": {"branch": "main"}} | more)


def message(role: str, *texts: str, **more: Any) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    content = [{"type": kind, "text": text} for text in texts]
    return record("response_item", {"type": "message", "role": role, "content": content} | more)


def item(kind: str, **payload: Any) -> dict[str, Any]:
    return record("response_item", {"type": kind} | payload)


def numbered(records: list[dict[str, Any]], start: int = 0) -> list[dict[str, Any]]:
    return [one | {"ordinal": n} for n, one in enumerate(records, start)]


def rollout(home: Path, records: list[Any], thread: str = ID, *, archived: bool = False) -> Path:
    folder = home / "archived_sessions" if archived else home / "sessions" / "2026" / "11" / "20"
    return write(folder / f"rollout-2026-11-20T10-00-00-{thread}.jsonl", records)
