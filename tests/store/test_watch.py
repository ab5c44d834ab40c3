"""Following what agents write, with a real process that watches real folders."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from store import open_store
from tests.store.helpers import ROOT

ONE = "6f0d2f4e-36b3-4a39-9a5b-7a5a4a1f0c11"
TWO = "6f0d2f4e-36b3-4a39-9a5b-7a5a4a1f0c12"
PATIENCE = 20.0


def _heed() -> None:
    """Heed SIGINT, even if whoever runs the tests was started not to."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Watcher:
    """`import --watch` of a home, and what the store holds."""

    def __init__(self, home: Path, *arguments: str, **more: Any) -> None:
        self.database = home / "b.db"
        command = ("import", "--watch", *arguments)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "store", "--database", str(self.database), *command],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=_heed,
            **more,
        )
        self.next_report()

    def next_report(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        told: dict[str, dict[str, Any]] = json.loads(line)
        return told.get("report", told)

    def holds(self, query: str, expected: object) -> None:
        """Wait until the store answers a query as expected."""
        end = time.monotonic() + PATIENCE
        with closing(sqlite3.connect(self.database)) as db:
            while (answer := db.execute(query).fetchone()[0]) != expected:
                assert time.monotonic() < end, f"{query} gives {answer}, not {expected}"
                time.sleep(0.01)

    def ends(self) -> int:
        """Wait for the end of the process, which must not have complained."""
        _, errors = self.process.communicate(timeout=PATIENCE)
        assert errors == ""
        return self.process.returncode


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Callable[..., Watcher]]:
    watchers: list[Watcher] = []

    def start(*arguments: str, **more: Any) -> Watcher:
        watchers.append(Watcher(tmp_path, *(arguments or ("--json",)), **more))
        return watchers[-1]

    yield start
    for watcher in watchers:
        watcher.process.kill()
        watcher.process.communicate()


def say(home: Path, text: str, session: str = ONE, folder: str = "-src") -> Path:
    """Append a prompt to a transcript, as Claude Code does."""
    path = home / ".claude" / "projects" / folder / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {
        "type": "user",
        "uuid": text,
        "sessionId": session,
        "cwd": "/src",
        "timestamp": "2026-11-01T10:00:00Z",
        "message": {"role": "user", "content": text},
    }
    with path.open("a") as file:
        file.write(json.dumps(record) + "\n")
    return path


MESSAGES = "SELECT count(*) FROM message"


def test_what_an_agent_writes_is_there_at_once(
    tmp_path: Path, watching: Callable[..., Watcher]
) -> None:
    say(tmp_path, "before")
    watcher = watching()
    watcher.holds(MESSAGES, 1)
    for number in range(5):
        say(tmp_path, f"said {number}")
        watcher.holds(MESSAGES, number + 2)
    report = watcher.next_report()
    assert (report["files"]["seen"], report["sessions"]["updated"]) == (1, 1)


def test_a_new_session_in_a_new_folder_and_what_is_said_in_it_next(
    tmp_path: Path, watching: Callable[..., Watcher]
) -> None:
    say(tmp_path, "before")
    watcher = watching()
    say(tmp_path, "elsewhere", TWO, "-new")
    watcher.holds("SELECT count(*) FROM session", 2)
    say(tmp_path, "and more", TWO, "-new")
    watcher.holds(MESSAGES, 3)


def test_a_torn_line_waits_for_its_other_half(
    tmp_path: Path, watching: Callable[..., Watcher]
) -> None:
    path = say(tmp_path, "before")
    whole = path.read_text().replace("before", "torn")
    watcher = watching()
    with path.open("a") as file:
        file.write(whole[:40])
        file.flush()
        assert watcher.next_report()["records"]["pending"] == 1
        file.write(whole[40:])
    watcher.holds("SELECT content FROM message ORDER BY seq DESC LIMIT 1", "torn")


def test_what_an_agent_deletes_stays_and_is_marked(
    tmp_path: Path, watching: Callable[..., Watcher]
) -> None:
    path = say(tmp_path, "before")
    watcher = watching()
    path.unlink()
    watcher.holds("SELECT count(*) FROM session WHERE source_gone_at IS NOT NULL", 1)
    watcher.holds(MESSAGES, 1)


def test_a_database_that_is_written_to(tmp_path: Path, watching: Callable[..., Watcher]) -> None:
    folder = tmp_path / ".local" / "share" / "goose" / "sessions"
    folder.mkdir(parents=True)
    with closing(sqlite3.connect(folder / "sessions.db", isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("CREATE TABLE sessions (id TEXT PRIMARY KEY, name, working_dir, updated_at)")
        db.execute(
            "CREATE TABLE messages (id INTEGER PRIMARY KEY, message_id, session_id, role,"
            " content_json, created_timestamp)"
        )
        db.execute("INSERT INTO sessions VALUES ('20261120_1', 'Talk', '/src', '2026')")
        watcher = watching()
        for number in range(3):
            content = json.dumps([{"type": "text", "text": f"said {number}"}])
            db.execute(
                "INSERT INTO messages VALUES (NULL, ?, '20261120_1', 'user', ?, 1795217682)",
                (f"m{number}", content),
            )
            watcher.holds(MESSAGES, number + 1)


def test_a_look_now_and_then_finds_what_is_not_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With no folder watched, as where the system refuses to."""
    from store import watch
    from store.ingest import Report

    monkeypatch.setattr(watch, "MOST_FOLDERS", 0)
    monkeypatch.setattr(watch, "SWEEP_SECONDS", 0.1)

    async def story() -> list[Report]:
        reports: list[Report] = []
        async with open_store(tmp_path / "b.db") as store:
            following = asyncio.create_task(
                watch.follow(store, reports.append, env={"HOME": str(tmp_path)})
            )
            for number in range(3):
                say(tmp_path, f"said {number}")
                end = time.monotonic() + PATIENCE
                while sum(report.messages_added for report in reports) < number + 1:
                    assert time.monotonic() < end
                    await asyncio.sleep(0.01)
            following.cancel()
            with pytest.raises(asyncio.CancelledError):
                await following
        return reports

    reports = asyncio.run(story())
    assert [report.messages_added for report in reports if report.messages_added] == [1, 1, 1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_it_is_told_to(
    tmp_path: Path, watching: Callable[..., Watcher], number: signal.Signals
) -> None:
    say(tmp_path, "before")
    watcher = watching()
    watcher.process.send_signal(number)
    assert watcher.ends() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="needs the threads of another process")
def test_it_hears_a_signal_that_does_not_wake_it(
    tmp_path: Path, watching: Callable[..., Watcher]
) -> None:
    say(tmp_path, "before")
    watcher = watching()
    watcher.holds(MESSAGES, 1)
    time.sleep(0.5)  # now it waits
    pid = watcher.process.pid
    others = {int(task.name) for task in Path(f"/proc/{pid}/task").iterdir()} - {pid}
    ctypes.CDLL(None).tgkill(pid, min(others), signal.SIGINT)
    assert watcher.ends() == 0


def test_it_does_not_outlive_the_program_that_listens(
    tmp_path: Path, watching: Callable[..., Watcher]
) -> None:
    say(tmp_path, "before")
    watcher = watching("--events", stdin=subprocess.PIPE)
    assert watcher.process.stdin is not None
    watcher.process.stdin.close()
    watcher.process.stdin = None
    assert watcher.ends() == 0
