"""Imports that are killed, that meet each other, and that meet what is no transcript."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import zstandard

import store
from store import ingest
from store.agents import load
from tests.agents import claude_records as claude
from tests.agents.pieces import place_of
from tests.agents.reading import write
from tests.store.helpers import ROOT, start

KILLS = 24

_IMPORT = """
    import asyncio, json, os, sys
    from store import ingest, open_store

    async def main(home, database):
        async with open_store(database) as store:
            print("begun", flush=True)
            report = await ingest.run(store, env={"HOME": home})
            skipped = [[os.path.basename(s.path), s.reason] for s in report.skipped]
            print(json.dumps([report.records_all, sorted(skipped)]), flush=True)

    async def warm(home):
        async with open_store(":memory:") as store:  # all modules are loaded after that
            await ingest.run(store, env={"HOME": home})

    if "as nobody" in sys.argv and os.getuid() == 0:
        asyncio.run(warm(sys.argv[1]))
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    asyncio.run(main(*sys.argv[1:3]))
"""
_WATCH = """
    import asyncio, sys
    from store import open_store

    async def main(database):
        async with open_store(database) as store:
            print("begun", flush=True)
            waiting = asyncio.to_thread(sys.stdin.read)
            ending = asyncio.create_task(waiting)
            rounds = 0
            while not ending.done():
                for row in (await store.list_tasks()).items:
                    history = await store.get_history(row.task.id, limit=50)
                    assert len(history) <= 50
                    keys = [message.key for message in history]
                    assert len(set(keys)) == len(keys)
                rounds += 1
            print(rounds, flush=True)

    asyncio.run(main(sys.argv[1]))
"""


def _fill(home: Path, sessions: int = 6, records: int = 400) -> int:
    """Write transcripts of both agents, some of them damaged; give how many records they hold."""
    count = 0
    for session in range(sessions):
        name = f"{session:08d}-1111-4111-8111-111111111111"
        said = [claude.user("a0", None, "go")]
        said += [
            claude.assistant(f"a{n}", f"a{n - 1}", claude.text(f"answer {n} " * 40))
            for n in range(1, records)
        ]
        for n, answer in enumerate(said[1:]):  # two records an answer
            used = {"input_tokens": 3, "output_tokens": n}
            answer["message"] |= {"id": f"msg_{n // 2}", "usage": used}
        rewound = [claude.user("r", "a5", "another way"), '{"torn":']
        claude.home(home / ".claude", [*said, *rewound], name)
        meta = {"type": "session_meta", "payload": {"id": name, "cwd": "/src"}}
        items: list[Any] = [meta]
        for n in range(records):
            content = [{"type": "output_text", "text": f"answer {n} " * 40}]
            payload = {"type": "message", "role": "assistant", "content": content}
            stamp = f"2026-11-20T10:{n // 60:02d}:{n % 60:02d}Z"
            items.append({"timestamp": stamp, "type": "response_item", "payload": payload})
            if n % 10 == 9:
                total = {"input_tokens": 100 * n, "output_tokens": n}
                told = {"type": "token_count", "info": {"total_token_usage": total}}
                items.append({"timestamp": stamp, "type": "event_msg", "payload": told})
        folder = home / ".codex/sessions/2026/11/20"
        folder.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(item) + "\n" for item in items)
        (folder / f"rollout-2026-11-20T10-00-00-{name}.jsonl").write_text(lines)
        count += len(said) + len(rewound) + len(items)
    return count


async def _contents(database: Path) -> dict[str, Any]:
    """Give all that an import stored, but the times at which it did."""
    contents: dict[str, Any] = {}
    async with store.open_store(database) as opened:
        assert (await opened.integrity()).problems == ()
        for row in (await opened.list_tasks(limit=1000)).items:
            assert row.session is not None
            session = row.session.model_dump(exclude={"updated_at"})
            task = row.task.model_dump(exclude={"updated_at"})
            history = await opened.get_history(row.task.id)
            used = await opened.get_usage(row.task.id)
            assert used
            contents[row.task.id] = (task, session, used, [m.model_dump() for m in history])
        for agent in ("claude", "codex"):
            contents[agent] = await opened.known_sources(agent)
    return contents


async def test_killed_anywhere_and_run_again_is_as_one_clean_run(tmp_path: Path) -> None:
    home = tmp_path / "home"
    count = _fill(home)
    clean = tmp_path / "clean.db"
    with start(_IMPORT, home, clean) as process:
        assert process.stdout is not None
        process.stdout.readline()
        began = time.monotonic()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    all_there = json.loads(out)
    assert (all_there[0], len(all_there[1])) == (count, 6)
    took = time.monotonic() - began
    expected = await _contents(clean)
    assert len(expected) == 12 + 2
    killed = 0
    for moment in range(KILLS):
        database = tmp_path / "killed.db"
        with start(_IMPORT, home, database) as process:
            assert process.stdout is not None
            process.stdout.readline()
            await asyncio.sleep(took * moment / KILLS)
            process.send_signal(signal.SIGKILL)
        if process.returncode == -signal.SIGKILL:
            killed += 1
        else:
            took *= 0.8  # the machine has more time for it than it had the first time
        with start(_IMPORT, home, database) as process:
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert json.loads(out.splitlines()[1]) == all_there
        assert await _contents(database) == expected
        for path in tmp_path.glob("killed.db*"):
            path.unlink()
    assert killed > KILLS / 3


async def test_two_importers_and_a_reader_at_once_all_finish(tmp_path: Path) -> None:
    home = tmp_path / "home"
    _fill(home, sessions=4)
    clean, database = tmp_path / "clean.db", tmp_path / "shared.db"
    with start(_IMPORT, home, clean) as process:
        process.communicate(timeout=60)
    with start(_WATCH, database) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "begun\n"
        importers = [start(_IMPORT, home, database) for _ in range(2)]
        for importer in importers:
            _, err = importer.communicate(timeout=60)
            assert importer.returncode == 0, err
        out, err = reader.communicate("", timeout=60)
    assert reader.returncode == 0, err
    assert int(out) > 0
    expected = await _contents(clean)
    shared = await _contents(database)
    for task, (_, _, used, history) in (
        (k, v) for k, v in expected.items() if isinstance(v, tuple)
    ):
        assert shared[task][2] == used
        assert [(m["key"], m["seq"], m["on_branch"]) for m in shared[task][3]] == [
            (m["key"], m["seq"], m["on_branch"]) for m in history
        ]
    assert shared.keys() == expected.keys()


async def _imported(home: Path, database: Path | str = ":memory:") -> ingest.Report:
    async with store.open_store(database) as opened:
        return await ingest.run(opened, env={"HOME": str(home)})


async def test_what_is_no_file_is_named_and_never_waited_for(tmp_path: Path) -> None:
    path = claude.home(tmp_path / ".claude", [claude.user("a", None, "hello")])
    folder = path.parent
    odd = {name: folder / f"{name}.jsonl" for name in ("fifo", "socket", "device", "round")}
    os.mkfifo(odd["fifo"])
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(folder)  # the address of a socket is short
        try:
            listener.bind("socket.jsonl")
        finally:
            os.chdir(here)
    odd["device"].symlink_to("/dev/zero")
    odd["round"].symlink_to(odd["round"])
    (folder / "up").symlink_to(tmp_path)
    (folder / "nowhere.jsonl").symlink_to(tmp_path / "nowhere")
    report = await _imported(tmp_path)
    assert (report.sources_read, report.messages_added) == (1, 1)
    assert {skip.path for skip in report.skipped} == {str(path) for path in odd.values()}
    assert all(skip.line == 0 and skip.reason for skip in report.skipped)


def test_odd_names_are_found_and_told_as_valid_json(tmp_path: Path) -> None:
    records = [claude.user("a", None, "hello"), "{torn"]
    names = [b"-new\nline", b"-esc\x1b[31m", b"-not \xff utf-8", "-漢\u202e".encode()]
    for number, name in enumerate(names):
        folder = tmp_path / ".claude" / "projects" / os.fsdecode(name)
        write(folder / f"{number:08d}-1111-4111-8111-111111111111.jsonl", records)
    environment = {"HOME": str(tmp_path), "PATH": "", "PYTHONPATH": str(ROOT)}
    for again in range(2):
        ran = subprocess.run(
            [sys.executable, "-m", "store", "import", "--json"],
            env=environment,
            capture_output=True,
            check=False,
        )
        assert ran.returncode == 3, ran.stderr
        report = json.loads(ran.stdout)
        assert report["records"] == {"all": 8, "imported": 4, "skipped": 4, "pending": 0}
        assert report["messages"] == {"added": 0 if again else 4}
        paths = [skip["path"] for skip in report["skipped"]]
        assert sorted(path.split("/")[-2] for path in paths) == sorted(
            ["-new\nline", "-esc\x1b[31m", "-not \\xff utf-8", "-漢\u202e"]
        )
        assert all(path.encode() for path in paths)
    words = subprocess.run(
        [sys.executable, "-m", "store", "import"], env=environment, capture_output=True, check=False
    )
    assert b"\x1b" not in words.stdout


def _import_as_nobody(home: Path, database: Path) -> Any:
    with start(_IMPORT, home, database, "as nobody") as process:
        out, err = process.communicate(timeout=60)
    if "ModuleNotFoundError" in err:
        pytest.skip("another user may not read this program")
    assert process.returncode == 0, err
    return json.loads(out.splitlines()[1])


async def test_what_may_not_be_read_is_named_and_not_taken_for_gone(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:  # others may not look into pytest's folders
        place = Path(name)
        place.chmod(0o777)
        home, database = place / "home", place / "data" / "store.db"
        database.parent.mkdir()
        database.parent.chmod(0o777)
        for number in range(3):
            path = claude.home(
                home / ".claude",
                [claude.user("a", None, "hello")],
                f"{number:08d}-1111-4111-8111-111111111111",
            )
            folder = path.parent.with_name(f"-{number}")
            folder.mkdir()
            path.rename(folder / path.name)
        assert _import_as_nobody(home, database) == [3, []]
        shut = home / ".claude" / "projects" / "-1"
        file = next((home / ".claude" / "projects" / "-2").iterdir())
        shut.chmod(0)
        file.chmod(0)
        os.utime(file)
        reason = "Permission denied"
        assert _import_as_nobody(home, database) == [2, [["-1", reason], [file.name, reason]]]
        shut.chmod(0o755)
        async with store.open_store(database) as opened:
            rows = (await opened.list_tasks()).items
        assert [row.session.source_gone_at for row in rows if row.session] == [None] * 3


_STRACE = shutil.which("strace")
_CALL = re.compile(r"(?:\d+ +)?(\w+)\((.*)")
_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")
_CHANGING = {
    *("creat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "mkdir"),
    *("mkdirat", "link", "linkat", "symlink", "symlinkat", "chmod", "fchmodat", "chown", "lchown"),
    *("fchownat", "utime", "utimes", "utimensat", "truncate", "setxattr", "mknod", "mknodat"),
}


@pytest.mark.skipif(_STRACE is None, reason="strace is not here")
def test_the_agents_folders_are_only_ever_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    _fill(home, sessions=1, records=20)
    path = place_of(load("codex"), home / ".codex")
    packed = path.with_name(path.name + ".zst")
    packed.write_bytes(zstandard.compress(b'{"type":"session_meta","payload":{"id":"x"}}\n'))
    place = home / ".local/share/goose/sessions"
    place.mkdir(parents=True)
    with closing(sqlite3.connect(place / "sessions.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE sessions (id TEXT, description TEXT, working_dir TEXT)")
        columns = "id INTEGER PRIMARY KEY, session_id TEXT, role TEXT, content_json TEXT"
        database.execute(f"CREATE TABLE messages ({columns}, created_timestamp INTEGER)")
    log = tmp_path / "calls"
    assert _STRACE is not None
    trace = [_STRACE, "-f", "-qq", "-y", "-e", "trace=%file,%desc", "-s", "0", "-o", str(log)]
    ran = subprocess.run(
        [*trace, sys.executable, "-m", "store", "--database", str(tmp_path / "s.db"), "import"],
        env={"HOME": str(home), "PATH": "", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if "ptrace" in ran.stderr:
        pytest.skip("nothing may be traced here")
    assert ran.returncode == 3, ran.stderr
    opened = 0
    for line in log.read_text(errors="replace").splitlines():
        call = _CALL.match(line)
        if call is None or str(home) not in line:
            continue
        assert call[1] not in _CHANGING, line
        assert not call[1].startswith(("write", "pwrite", "ftruncate", "fchmod", "futimes")), line
        if call[1] in ("open", "openat", "openat2"):
            assert _WRITES.search(line) is None, line
            opened += ".jsonl" in line and "O_RDONLY" in line
    assert opened >= 3
