"""What an import says of itself while it runs."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from store.progress import Progress, in_words
from tests.store.helpers import ROOT


@pytest.mark.parametrize(
    ("done", "seconds", "expected"),
    [
        (0, 5, "importing codex: 480 of 1,000 files, 0 bytes of 422 MB"),
        (105_500_000, 0.5, "importing codex: 480 of 1,000 files, 106 MB of 422 MB"),
        (105_500_000, 4, "importing codex: 480 of 1,000 files, 106 MB of 422 MB, 12 s left"),
        (2_110_000, 4, "importing codex: 480 of 1,000 files, 2.1 MB of 422 MB, 13 min left"),
        (42_200, 4, "importing codex: 480 of 1,000 files, 42 KB of 422 MB, 11 h 7 min left"),
        (422_000_000, 9, "importing codex: 480 of 1,000 files, 422 MB of 422 MB, 0 s left"),
    ],
)
def test_in_words(done: int, seconds: float, expected: str) -> None:
    assert in_words(Progress("codex", 480, 1000, done, 422_000_000), seconds) == expected


def _on_a_terminal(home: Path, *arguments: str) -> tuple[str, str]:
    """Run an import whose errors go to a terminal; give its output, and what the terminal got."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        [sys.executable, "-m", "store", "--database", str(home / "b.db"), "import", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 4096):
            shown += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    output, _ = process.communicate()
    assert process.returncode == 0
    return output, shown.decode()


def test_a_terminal_is_told_how_far_it_is_and_left_clean(tmp_path: Path) -> None:
    folder = tmp_path / ".claude" / "projects" / "-src"
    folder.mkdir(parents=True)
    for number in range(40):
        session = f"6f0d2f4e-36b3-4a39-9a5b-7a5a4a1f0c{number:02}"
        record = {
            "type": "user",
            "sessionId": session,
            "timestamp": "2026-11-01T10:00:00Z",
            "message": {"role": "user", "content": "word " * 100},
        }
        lines = (json.dumps(record | {"uuid": str(n)}) + "\n" for n in range(200))
        (folder / f"{session}.jsonl").write_text("".join(lines))
    output, shown = _on_a_terminal(tmp_path)
    assert re.search(r"importing claude: \d+ of 40 files, .* of 5\.\d MB", shown)
    assert shown.endswith("\r\x1b[K"), "the line stays on the screen"
    assert "8,000 messages added" in output
    output, shown = _on_a_terminal(tmp_path, "--json")
    assert json.loads(output)["files"]["unchanged"] == 40


def test_nothing_is_said_where_nobody_looks(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "store", "--database", str(tmp_path / "b.db"), "import"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
