"""A person with agents on PATH, a project folder and sessions, for the stories of resuming."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store import Store, ingest
from store.agents.claude.places import slug
from store.resume.plan import Plan, prepare

CLAUDE_ID = "7f3c0000-0000-4000-8000-0000000000e1"
CODEX_ID = "01a1fb4f-f372-7433-b9f3-7f69b46cb13d"
CODEX_FORK = "01a1fb5c-ccd5-73a2-bccf-fa0e99e5e068"


@dataclass
class Home:
    """Someone's home, in which agents leave sessions."""

    path: Path
    store: Store

    def __post_init__(self) -> None:
        for name in ("claude", "codex", "goose"):
            self.program(name)

    @property
    def env(self) -> dict[str, str]:
        return {"HOME": str(self.path), "PATH": f"{self.path / 'bin'}:/usr/bin:/bin"}

    def program(self, name: str, script: str = "") -> Path:
        place = self.path / "bin" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"#!/bin/sh\n{script}\n")
        place.chmod(0o755)
        return place

    def folder(self, name: str) -> Path:
        place = self.path / name
        place.mkdir(parents=True, exist_ok=True)
        return place

    def claude(
        self, folder: str, session_id: str = CLAUDE_ID, *, root: Path | None = None, **more: Any
    ) -> Path:
        """Leave a transcript as Claude Code would that was started in a folder."""
        home = root or self.path / ".claude"
        path = home / "projects" / slug(folder) / f"{session_id}.jsonl"
        said = {
            "type": "user",
            "uuid": "u1",
            "parentUuid": None,
            "sessionId": session_id,
            "cwd": folder,
            "timestamp": "2026-11-20T10:00:00.000Z",
            "message": {"role": "user", "content": "Why the storm? é ✓"},
        }
        return _written(path, [said | more])

    def codex(
        self, folder: str, thread: str = CODEX_ID, *, archived: bool = False, **meta: Any
    ) -> Path:
        """Leave a rollout as Codex would that was started in a folder."""
        home = self.path / ".codex"
        place = home / "archived_sessions" if archived else home / "sessions/2026/11/20"
        stamp = {"timestamp": "2026-11-20T10:00:00.000Z"}
        said = {"type": "message", "role": "user"}
        records = [
            {"type": "session_meta", "payload": {"id": thread, "cwd": folder} | meta},
            {
                "type": "response_item",
                "payload": said | {"content": [{"type": "input_text", "text": "Why?"}]},
            },
        ]
        name = f"rollout-2026-11-20T10-00-00-{thread}.jsonl"
        return _written(place / name, [stamp | record for record in records])

    async def imported(self, *, originals: bool = True, paths: tuple[Path, ...] = ()) -> None:
        await ingest.run(self.store, env=self.env, originals=originals, paths=paths)

    async def plan(self, session_id: str = CLAUDE_ID, **more: Any) -> Plan:
        task_id = await self.store.resolve(session_id)
        return await prepare(self.store, task_id, env=more.pop("env", self.env), **more)


def _written(path: Path, records: list[dict[str, Any]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path
