"""What stories of the history pane need: a history that is made up, and a person reading it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from textual.app import App, ComposeResult

from store.errors import NotFound
from store.models import Kind, Message, MessageFilter, Role
from tui.render.history import message_lines
from tui.render.look import Look
from tui.render.plan import Fold
from tui.widgets.history import HistoryView

TASK = "task"
MILLION = 1_000_000
START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

HOSTILE = [
    "[/b]",
    "[@click=app.bell]x[/]",
    "[red]not red",
    "\x1b[31mred\x1b[0m \x1b]52;c;aGk=\x07 \x1bP1\x1b\\",
    "\x9b31m C1 \x85 \x00 NUL \x7f",
    "user \u202e }gnp.exe\u2066 bidi \u200b zero \ufeff",
    "a\u0301\u0301\u0301 zalgo " + "e" + "\u0301" * 300,
    "\r\nwindows\r\nlines\rmac\u2028sep\u2029x",
    "👨‍👩‍👧‍👦 family ❤️ 1️⃣ \ud83d lone",
]
WIDE = "日本語のテキストは幅の広い文字を含みます。" * 6 + " mixed with 한국어 text " + "漢" * 130


def message(seq: int, content: str = "hello", **fields: Any) -> Message:
    fields = {"role": Role.ASSISTANT, "kind": Kind.TEXT, **fields}
    return Message(seq=seq, content=content, timestamp=START + timedelta(seconds=seq), **fields)


def call(seq: int, name: str, **arguments: Any) -> Message:
    content = json.dumps(arguments)
    return message(seq, content, kind=Kind.TOOL_CALL, tool_name=name)


def varied(seq: int) -> Message:
    """Give messages of all the shapes; every one says its number."""
    text = f"message {seq}"
    makers: list[Callable[[], Message]] = [
        lambda: message(seq, f"{text}: why? " + "word " * 40, role=Role.USER, is_prompt=True),
        lambda: message(seq, f"{text}\nfirst\n\nlast " * 3, kind=Kind.THINKING),
        lambda: message(seq, f"# {text}\n\n- one **bold**\n- two `code`\n```\nx = 1\n```\nend"),
        lambda: call(seq, "Bash", command=f"echo {text}"),
        lambda: message(seq, "\n".join(f"{text} {i}" for i in range(seq % 30)), role=Role.TOOL,
                        kind=Kind.TOOL_RESULT),
        lambda: call(seq, "Edit", file_path=text, old_string="a\nb\nc", new_string="a\nB\nc\nd"),
        lambda: message(seq, text, kind=Kind.TOOL_RESULT, role=Role.TOOL, is_error=True),
        lambda: message(seq, f"{text} {WIDE}"),
        lambda: message(seq, f"{text} " + HOSTILE[seq % len(HOSTILE)], on_branch=False),
        lambda: message(seq, f"{text} context", role=Role.USER),
        lambda: message(seq, f"{text} summary\nof two lines", role=Role.SYSTEM, kind=Kind.SUMMARY),
        lambda: message(seq, f"{text}\t" + "long" * 200),
        lambda: message(seq, ""),
    ]  # fmt: skip
    return makers[seq % len(makers)]()


class Source:
    """A history that is made up as it is read, with a record of what was."""

    def __init__(self, count: int, make: Callable[[int], Message] = varied) -> None:
        self.count = count
        self.make = make
        self.read: list[int] = []
        self.gate: asyncio.Event | None = None
        self.error: Exception | None = None

    async def get_history(
        self,
        task_id: str,
        *,
        after: Message | None = None,
        before: Message | None = None,
        limit: int | None = None,
        where: MessageFilter | None = None,
    ) -> list[Message]:
        assert task_id == TASK
        assert limit is not None
        await self._wait()
        seqs = range(1, self.count + 1)[::-1]
        if after is not None:
            seqs = range(self._first_after(after), self.count + 1)
        elif before is not None:
            seqs = range(1, min(self.count + 1, self._first_after(before, itself=True)))[::-1]
        found = list(islice(self._shown(seqs, where), limit))
        self.read += [item.seq for item in found]
        return found if after is not None else found[::-1]

    def _first_after(self, place: Message, *, itself: bool = False) -> int:
        if place.seq:
            return place.seq + (not itself)
        if place.timestamp < START:
            return 1
        return -int(-(place.timestamp - START).total_seconds() // 1)

    def _shown(self, seqs: range, where: MessageFilter | None) -> Iterator[Message]:
        made = map(self.make, seqs)
        return made if where is None else filter(where.lets_through, made)

    async def get_message(self, task_id: str, seq: int) -> Message:
        await self._wait()
        if not 1 <= seq <= self.count:
            raise NotFound("message", str(seq))
        self.read.append(seq)
        return self.make(seq)

    async def message_at(
        self, task_id: str, rank: int, *, where: MessageFilter | None = None
    ) -> Message:
        await self._wait()
        for item in islice(self._shown(range(1, self.count + 1), where), rank, rank + 1):
            return item
        raise NotFound("message", str(rank))

    async def count_history(
        self,
        task_id: str,
        *,
        before: Message | None = None,
        where: MessageFilter | None = None,
    ) -> int:
        await self._wait()
        end = self.count + 1 if before is None else self._first_after(before, itself=True)
        seqs = range(1, end)
        return len(seqs) if where is None else sum(1 for _ in self._shown(seqs, where))

    async def _wait(self) -> None:
        await (self.gate.wait() if self.gate else asyncio.sleep(0))
        if self.error is not None:
            raise self.error


class Host(App[None]):
    CSS = "HistoryView { border: none; }"

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Any] = []

    def compose(self) -> ComposeResult:
        yield HistoryView()

    def on_history_view_moved(self, event: HistoryView.Moved) -> None:
        self.seen.append(event)

    def on_history_view_failed(self, event: HistoryView.Failed) -> None:
        self.seen.append(event)

    def on_history_view_refused(self, event: HistoryView.Refused) -> None:
        self.seen.append(event)

    def on_history_view_followed(self, event: HistoryView.Followed) -> None:
        self.seen.append(event)

    def on_history_view_selected(self, event: HistoryView.Selected) -> None:
        self.seen.append(event)


class Reader:
    """What a person at the pane does and sees."""

    def __init__(self, app: Host, pilot: Any, source: Source) -> None:
        self.app, self.pilot, self.source = app, pilot, source
        self.view = app.query_one(HistoryView)

    @property
    def height(self) -> int:
        return self.view.scrollable_content_region.height

    @property
    def width(self) -> int:
        return self.view.scrollable_content_region.width

    def lines(self) -> list[str]:
        return [self.view.render_line(y).text.rstrip() for y in range(self.height)]

    def reference(self, fold: Fold = Fold.SUMMARY) -> list[str]:
        look = Look(agent_name="claude", today=datetime.now().astimezone().date())
        return [
            strip.text.rstrip()
            for seq in range(1, self.source.count + 1)
            for strip in message_lines(self.source.make(seq), self.width, look, fold)
        ]

    async def settle(self) -> None:
        # Loading is a few turns of the loop; what is scheduled after it as well.
        for _ in range(3):
            while not all(worker.is_finished for worker in self.app.workers):  # noqa: ASYNC110
                await asyncio.sleep(0)
            await asyncio.sleep(0)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.settle()

    def events(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.app.seen if isinstance(event, kind)]


@asynccontextmanager
async def reading(
    count: int, make: Callable[[int], Message] = varied, size: tuple[int, int] = (100, 30)
) -> Any:
    app = Host()
    async with app.run_test(size=size) as pilot:
        reader = Reader(app, pilot, Source(count, make))
        reader.view.focus()
        reader.view.show(TASK, reader.source, count, "claude")
        await reader.settle()
        await pilot.pause()
        yield reader


def all_text(lines: list[str]) -> str:
    return "\n".join(lines)
