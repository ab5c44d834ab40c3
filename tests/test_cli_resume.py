"""`backscroll resume`, as a person or a script runs it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.store.resuming import CLAUDE_ID, CODEX_FORK, CODEX_ID, Home
from tests.test_cli import ROOT as TOP
from tests.test_cli import Person
from tests.tui.terminal import Terminal, backscroll, surroundings

ROOT = str(TOP)
SAYS = 'echo "$(basename "$0") IN $PWD: $*"; echo "${CLAUDE_CONFIG_DIR-unset}"'


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path / "ann")


@pytest.fixture
def home(person: Person) -> Home:
    """The person's home; the store is the command line's."""
    home = Home(person.home, None)  # type: ignore[arg-type]
    for name in ("claude", "codex", "goose"):
        home.program(name, SAYS)
    return home


def test_the_last_one_is_resumed(person: Person, home: Home) -> None:
    home.claude(str(home.folder("old")))
    home.codex(str(home.folder("new")))
    person.json("import")
    path = home.claude(str(home.folder("old")))
    path.write_text(path.read_text().replace("T10:", "T11:"))
    person.json("import")
    ran = person.run("resume", "--last")
    assert ran.stdout.startswith(f"claude IN {home.path}/old: --resume {CLAUDE_ID}\n")
    assert ran.returncode == 0
    arguments = person.run("resume", "--last", "--", "--verbose", "two words").stdout
    assert arguments.startswith(f"claude IN {home.path}/old: --resume {CLAUDE_ID} --verbose two")


def test_there_is_no_last_one(person: Person) -> None:
    assert "no session yet" in person.run("resume", "--last").stderr
    neither = person.run("resume")
    assert (neither.returncode, neither.stdout) == (1, "")
    assert "say which session, or --last" in neither.stderr


def test_fork_mode_model_and_more_are_in_the_command(person: Person, home: Home) -> None:
    folder = str(home.folder("src"))
    home.claude(folder)
    home.codex(folder)
    person.json("import")
    chosen = ("--fork", "--mode", "plan", "--model", "opus", "--print", "--", "--verbose", "x y")
    shown = person.run("resume", CLAUDE_ID, "--json", *chosen)
    assert json.loads(shown.stdout) == {
        "argv": [
            str(home.path / "bin" / "claude"),
            *("--resume", CLAUDE_ID, "--fork-session", "--permission-mode", "plan"),
            *("--model", "opus", "--verbose", "x y"),
        ],
        "cwd": folder,
        "env": {},
    }
    codex = person.json("resume", CODEX_ID, "--print", "--mode", "workspace-write")
    assert codex["argv"][1:] == ["resume", CODEX_ID, "--sandbox", "workspace-write"]
    wrong = person.run("resume", CLAUDE_ID, "--mode", "yolo")
    assert "there are default, acceptEdits" in wrong.stderr
    assert wrong.stdout == ""


@pytest.mark.parametrize("what", ["program", "folder", "gone", "kept", "archived", "home"])
def test_nothing_is_started_and_the_reason_is_shown(
    person: Person, home: Home, tmp_path: Path, what: str
) -> None:
    folder = home.folder("src")
    path = home.codex(str(folder), archived=what == "archived")
    person.json("import", *(["--no-originals"] if what == "gone" else []))
    reason = {
        "program": "'codex' is not installed, or not on PATH; it comes with: npm install",
        "folder": "is not there any more",
        "gone": "was not kept, only its messages",
        "kept": "has to be put back",
        "archived": "has to be taken out first; --yes says that it may be",
        "home": "the settings there would be used",
    }[what]
    if what == "program":
        (home.path / "bin" / "codex").unlink()
    elif what == "folder":
        folder.rmdir()
    elif what in ("gone", "kept"):
        path.unlink()
    elif what == "home":
        (home.path / ".codex").rename(tmp_path / ".codex")
        person.json("import", str(tmp_path / ".codex"))
    ran = person.run("resume", CODEX_ID)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert reason in ran.stderr
    assert "Traceback" not in ran.stderr
    printed = person.run("resume", CODEX_ID, "--print")
    assert printed.returncode == 0
    assert reason.partition("; --yes")[0] in printed.stderr


FOLDERS = {
    "relative": ("src", "not an absolute path"),
    "a dot": (".", "not an absolute path"),
    "somebody's home": ("~", "not an absolute path"),
    "below it": ("~/src", "not an absolute path"),
    "a command": ("$(touch started)", "not an absolute path"),
    "a command in a path": ("/$(touch started)/x", "not there any more"),
    "with NUL": ("/tmp\0/x", "not an absolute path"),
    "with lines": ("/no\nsuch\nfolder", "not there any more"),
    "with quotes": ("/no'such\"folder", "not there any more"),
    "a file": ("/etc/passwd", "not a folder"),
    "gone": ("/no/such/folder", "not there any more"),
    "with control characters": ("/no\x1b]0;x\x07such", "not there any more"),
}


@pytest.mark.parametrize("case", FOLDERS)
@pytest.mark.parametrize("answer", ["--yes", "--fork"])
def test_a_folder_that_nothing_is_started_in(
    person: Person, home: Home, case: str, answer: str
) -> None:
    folder, reason = FOLDERS[case]
    started = home.path / "started"
    home.program("claude", f'touch "{started}"')
    home.claude("/odd", cwd=folder)
    person.json("import")
    ran = person.run("resume", CLAUDE_ID, answer)
    assert (ran.returncode, ran.stdout) == (1, "")
    assert reason in ran.stderr
    assert not {"\x1b", "\x07", "\0"} & set(ran.stderr)
    assert not started.exists()


@pytest.mark.parametrize(
    "bad",
    ["--help", "-p", "../../../etc/passwd", "/etc/passwd", "a b", "x\x1b[2J", "$(id)", "a\nb"],
)
def test_an_id_that_nothing_is_started_with(person: Person, home: Home, bad: str) -> None:
    started = home.path / "started"
    home.program("claude", f'touch "{started}"')
    path = home.claude(str(home.folder("src")), sessionId=bad)
    path.rename(path.with_name("odd.jsonl"))
    person.json("import")
    (row,) = person.json("list")
    assert row["session_id"] == bad
    ran = person.run("resume", row["task_id"], "--yes")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "does not have the shape" in ran.stderr or "its parent is not here" in ran.stderr
    assert "\x1b" not in ran.stderr
    assert not started.exists()


@pytest.mark.parametrize("entry", [".", "", "./bin", "src"])
def test_a_program_planted_in_the_folder_is_not_started(
    person: Person, home: Home, entry: str
) -> None:
    folder = home.folder("src")
    started = home.path / "started"
    (home.path / "bin" / "claude").unlink()
    for place in (folder, folder / "bin", folder / "src", home.path):
        place.mkdir(exist_ok=True)
        (place / "claude").write_text(f'#!/bin/sh\ntouch "{started}"\n')
        (place / "claude").chmod(0o755)
    home.claude(str(folder))
    person.json("import")
    for where in (folder, home.path):
        ran = subprocess.run(
            [sys.executable, "-m", "store", "resume", CLAUDE_ID, "--yes"],
            env={"HOME": str(home.path), "PATH": f"{entry}:/usr/bin:{entry}", "PYTHONPATH": ROOT},
            cwd=where,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 1
        assert "the program 'claude' is not installed" in ran.stderr
    assert not started.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_somebody_else_wrote_starts_nothing(person: Person, home: Home) -> None:
    path = home.claude(str(home.folder("src")))
    person.json("import")
    os.chown(path, 65534, 65534)
    ran = person.run("resume", CLAUDE_ID, "--yes")
    assert (ran.returncode, ran.stdout) == (1, "")
    assert "its file belongs to nobody, not to you" in ran.stderr


def test_a_second_meta_record_starts_no_other_session(person: Person, home: Home) -> None:
    path = home.codex(str(home.folder("mine")))
    other = home.codex(str(home.folder("evil")), CODEX_FORK)
    path.write_text(path.read_text() + other.read_text())
    other.unlink()
    person.json("import")
    (row,) = person.json("list")
    ran = person.run("resume", row["task_id"])
    assert ran.stdout.startswith(f"codex IN {home.path}/mine: resume {CODEX_ID}\n")


def test_yes_puts_back_what_was_deleted_and_resumes(person: Person, home: Home) -> None:
    path = home.claude(str(home.folder("src")))
    data = path.read_bytes()
    person.json("import")
    path.unlink()
    ran = person.run("resume", CLAUDE_ID, "--yes")
    assert ran.stdout.startswith(f"claude IN {home.path}/src: --resume {CLAUDE_ID}")
    assert path.read_bytes() == data
    (row,) = person.json("list")
    assert row["source_gone"] is False


def test_yes_takes_it_out_of_the_archive(person: Person, home: Home) -> None:
    path = home.codex(str(home.folder("src")), archived=True)
    place = home.path / ".codex" / "sessions" / "2026" / "11" / "20"
    place.mkdir(parents=True)
    home.program("codex", f'[ "$1" = unarchive ] && mv "{path}" "{place}"\n{SAYS}')
    person.json("import")
    ran = person.run("resume", CODEX_ID, "--yes")
    assert ran.stdout.startswith(f"codex IN {home.path}/src: resume {CODEX_ID}")
    shutil.move(place / path.name, path)
    home.program("codex", "echo no such thread >&2; exit 3")
    failed = person.run("resume", CODEX_ID, "--yes")
    assert "codex unarchive failed: no such thread" in failed.stderr
    assert failed.returncode == 1


def test_a_moved_folder_is_named_once(person: Person, home: Home) -> None:
    folder = home.folder("src/uploader")
    home.codex(str(folder))
    person.json("import")
    new = home.path / "code" / "uploader"
    new.parent.mkdir()
    folder.rename(new)
    home.folder("code/other")
    said = person.run("resume", CODEX_ID)
    assert "--folder DIR says where it is" in said.stderr
    first = person.run("resume", CODEX_ID, "--folder", "code/uploader")
    assert first.stdout.startswith(f"codex IN {new}: resume")
    again = person.run("resume", CODEX_ID)
    assert again.stdout == first.stdout
    assert f"its folder was {folder}, and is {new} now" in again.stderr
    assert person.json("resume", CODEX_ID, "--print")["cwd"] == str(new)


def test_another_folder_for_once(person: Person, home: Home) -> None:
    home.codex(str(home.folder("src")))
    other = home.folder("other")
    person.json("import")
    ran = person.run("resume", CODEX_ID, "--folder", str(other))
    assert ran.stdout.startswith(f"codex IN {other}: resume")
    assert person.run("resume", CODEX_ID).stdout.startswith(f"codex IN {home.path}/src: resume")
    assert "not there" in person.run("resume", CODEX_ID, "--folder", "nowhere").stderr


def test_the_usual_home_is_reached_by_unsetting(person: Person, home: Home) -> None:
    home.claude(str(home.folder("src")))
    person.json("import")
    shown = person.json("resume", CLAUDE_ID, "--print")
    assert "unset" not in shown
    elsewhere = surroundings(home.path, CLAUDE_CONFIG_DIR="/elsewhere")
    with Terminal(
        backscroll("resume", CLAUDE_ID), env=elsewhere, cwd=home.path, columns=200
    ) as terminal:
        terminal.shows(f"--resume {CLAUDE_ID}", "unset")


def test_on_a_terminal_it_asks(person: Person, home: Home) -> None:
    path = home.claude(str(home.folder("src/uploader")))
    person.json("import")
    path.unlink()
    environment = surroundings(home.path)

    def asked(*answers: str, then: str) -> str:
        with Terminal(
            backscroll("resume", CLAUDE_ID), env=environment, cwd=home.path, columns=300
        ) as terminal:
            for answer in answers:
                terminal.shows("? [y/N]" if answer in "yn" else "nothing: leave it")
                terminal.type(answer + "\r")
            return terminal.shows(then)

    asked("n", then="nothing was started")
    assert not path.exists()
    asked("y", then=f"--resume {CLAUDE_ID}")
    assert path.exists()
    (home.path / "src").rename(home.path / "code")
    home.codex(str(home.folder("code/other")))
    person.json("import")
    said = asked("1", "y", then=f"claude IN {home.path}/code/uploader")
    assert "if src is code now" in said


def test_nothing_that_was_ignored_is_ignored_in_the_agent(person: Person, home: Home) -> None:
    home.claude(str(home.folder("src")))
    home.program("claude", "grep SigIgn /proc/self/status")
    person.json("import")
    if not Path("/proc/self/status").exists():
        pytest.skip("no /proc here")
    assert int(person.run("resume", CLAUDE_ID).stdout.split()[1], 16) & 0x1000 == 0


def test_it_opens_beside_in_tmux(person: Person, home: Home, tmp_path: Path) -> None:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    seen = tmp_path / "seen"
    home.program("claude", f'echo "$PWD $*" > "{seen}.part"; mv "{seen}.part" "{seen}"')
    home.claude(str(home.folder("src")))
    person.json("import")
    outside = person.run("resume", CLAUDE_ID, "--in", "pane")
    assert "this terminal cannot be asked" in outside.stderr
    program = " ".join(backscroll("resume", CLAUDE_ID, "--in", "window"))
    socket = str(tmp_path / "socket")
    tmux = ["tmux", "-S", socket, "-f", "/dev/null"]
    environment = surroundings(home.path, PATH=f"{home.path / 'bin'}:{os.environ['PATH']}")
    with Terminal([*tmux, "new-session", "sh"], env=environment, cwd=home.path) as terminal:
        terminal.shows("#")
        terminal.type(f"{program}; echo STATUS $?\r")
        terminal.shows("STATUS 0")
        deadline = time.monotonic() + 10
        while not seen.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        terminal.type("exit\r")
        terminal.ends()
    assert seen.read_text() == f"{home.path}/src --resume {CLAUDE_ID}\n"


def test_json_members_are_the_contract(person: Person, home: Home) -> None:
    home.claude("/gone")
    person.json("import")
    shown: dict[str, Any] = person.json("resume", CLAUDE_ID, "--print")
    assert set(shown) == {"argv", "cwd", "env"}
