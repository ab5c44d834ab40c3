"""What the screen's stories need: a seeded store, an app over it, and words for what is seen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from textual.pilot import Pilot

import store
from store import NewMessage, Role, Store
from store.resume import Command
from tui.app import Backscroll
from tui.importing import Finished, Importer, Step
from tui.launch import Outcome
from tui.settings import Settings
from tui.widgets.detail import Detail
from tui.widgets.tasks import TaskList

NOW = datetime.now(UTC)
CLAUDE_ID = "7f3c0000-0000-4000-8000-0000000000e1"


@dataclass
class FakeLauncher:
    """Notes what would have been started, and does what the agent would have done."""

    outcome: Outcome = field(default_factory=lambda: Outcome(status=0))
    seconds: float = 0
    started: list[Command] = field(default_factory=list)

    async def __call__(self, command: Command) -> Outcome:
        self.started.append(command)
        await asyncio.sleep(self.seconds)
        return self.outcome

    async def end(self) -> None:
        """There is no process that would have to end."""


@dataclass
class FakeImporter:
    """Stands for the import of one source, whose cost and process have tests of their own."""

    on_source: list[tuple[str, str]] = field(default_factory=list)
    say: Store | None = None

    async def everything(self, *, watch: bool = False) -> AsyncIterator[Step | Finished]:
        yield Step("claude", 1, 2)
        yield Finished({"skipped": []})

    async def source(self, agent: str, path: str) -> None:
        self.on_source.append((agent, path))
        if self.say is not None:
            await self.say.save_message("bug", "user", "Said in the agent.", is_prompt=True)


def said(*texts: str, at: datetime) -> list[NewMessage]:
    """Give a conversation of prompts and answers in turn, a second apart."""
    return [
        NewMessage(
            role=Role.ASSISTANT if number % 2 else Role.USER,
            content=text,
            is_prompt=number % 2 == 0,
            timestamp=at + timedelta(seconds=number),
        )
        for number, text in enumerate(texts)
    ]


def transcript(home: Path) -> Path:
    """Where Claude Code has the session of `bug`."""
    return home / ".claude" / "projects" / "-uploader" / f"{CLAUDE_ID}.jsonl"


async def seed(s: Store, folder: Path) -> None:
    """Put four tasks and a sub-agent into a store; the first listed is `bug`."""
    (folder / "uploader").mkdir(exist_ok=True)
    transcript(folder).parent.mkdir(parents=True, exist_ok=True)
    transcript(folder).write_text("{}\n")
    await s.create_session(
        str(folder / "uploader"),
        "claude",
        task_id="bug",
        session_id=CLAUDE_ID,
        title="Fix retry storm",
        root=str(folder / ".claude"),
        source_path=str(transcript(folder)),
    )
    talk = said("Why the storm?", "No backoff.", "Mend it.", "Mended.", at=NOW)
    await s.save_messages("bug", talk)
    await s.create_session(
        str(folder / "api"), "codex", task_id="api", title="Cache the index", session_id="not-an-id"
    )
    await s.save_messages("api", said("Cache it.", "Cached.", at=NOW - timedelta(hours=1)))
    await s.create_session("/gone/far", "goose", task_id="docs", title="Write the docs")
    await s.save_messages("docs", said("Write.", "Written.", at=NOW - timedelta(days=1)))
    await s.save_task(store.Task(id="ship", title="Ship 2.0", created_at=NOW - timedelta(days=2)))
    await s.add_dependency("ship", "bug")
    await s.create_session(
        str(folder / "api"), "codex", task_id="helper", title="Count files", origin="subagent"
    )
    await s.save_messages("helper", said("Count.", "Two.", at=NOW - timedelta(hours=1)))
    helper = await s.get_task("helper")
    await s.save_task(helper.model_copy(update={"parent_task_id": "api"}))


@asynccontextmanager
async def browsing(
    s: Store,
    *,
    size: tuple[int, int] = (120, 40),
    launcher: FakeLauncher | None = None,
    importer: Importer | None = None,
    here: Path | None = None,
    settings: Settings | None = None,
    notifications: bool = False,
) -> AsyncIterator[Pilot[None]]:
    """Open the browser on a store and wait until its first rows are there.

    What it notifies of is noted, and only with `notifications` shown.
    """

    async def opened() -> Store:
        return s

    async def made(_store: Store) -> Importer | None:
        return importer

    app = Backscroll(
        opened, made, launcher=launcher or FakeLauncher(), here=here, settings=settings
    )
    async with app.run_test(size=size, notifications=notifications) as pilot:
        await until(pilot, lambda: app.screen.query_one("#tasks", TaskList).selected is not None)
        await settle(pilot)
        yield pilot


async def settle(pilot: Pilot[None]) -> None:
    """Wait for what a key set going: the pause before a history is read, its worker, the frame."""
    await pilot.pause()
    while True:
        while getattr(pilot.app.screen, "is_settling", False):
            await pilot.pause(0.01)
        await pilot.app.workers.wait_for_complete()
        await pilot.pause(0.02)
        is_working = any(not worker.is_finished for worker in pilot.app.workers)
        if not is_working and not getattr(pilot.app.screen, "is_settling", False):
            break
    await pilot.pause(0.04)


async def until(pilot: Pilot[None], happened: object) -> None:
    """Wait for something to become true; fail after five seconds."""
    assert callable(happened)
    for _ in range(500):
        if happened():
            return
        await pilot.pause(0.01)
    raise AssertionError(f"never happened; the screen shows:\n{screen_text(pilot)}")


async def press(pilot: Pilot[None], *keys: str) -> None:
    """Press keys one after the other and wait for what they do."""
    for key in keys:
        await pilot.press(key)
    await settle(pilot)


def screen_text(pilot: Pilot[None]) -> str:
    """Give what the terminal would show, line by line."""
    screen = pilot.app.screen
    strips = screen._compositor.render_strips(screen.size)
    return "\n".join(strip.text for strip in strips)


def detail_text(pilot: Pilot[None]) -> str:
    """Give what the detail pane says."""
    return str(pilot.app.screen.query_one("#detail", Detail).content)


def notices(pilot: Pilot[None]) -> list[str]:
    """Give the notices that were shown."""
    return [notice.message for notice in pilot.app._notifications]
