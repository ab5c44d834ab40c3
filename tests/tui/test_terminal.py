"""What only a real terminal shows: the bytes that reach it, and handing it to an agent."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.tui.terminal import Terminal, backscroll, surroundings

HOSTILE = {
    "a title set": "\x1b]0;pwned\x07",
    "a colour": "\x1b[38;5;199m",
    "a C1 sequence": "\x9b38;5;198m",
    "markup": "[/b][@click=app.bell]x[/][bold red]",
    "bidirectional": "\u202eesrever\u2066",
    "invisible": "\u200bzero\ufeff\U000e0041",
    "a screen wiped": "\x1b[2J\x1b[3J\x1bc",
}
EVIL = " ".join(HOSTILE.values())
FORBIDDEN = [
    b"\x1b]0;pwned",
    b"\x07",
    b"\x1b[38;5;199m",
    b"\x1b[2J",
    "\x9b".encode(),
    "\u202e".encode(),
    "\u2066".encode(),
    "\u200b".encode(),
    "\ufeff".encode(),
    "\U000e0041".encode(),
    b"\x1b[3J",
    b"\x1bc",
]


def record(home: Path, folder: Path, *, title: str, text: str, tool: str) -> Path:
    """Write a Claude Code transcript as the agent would, into a person's home.

    It is of a session of its own: another test's agent that is left over has not got it open.
    """
    session = str(uuid4())
    path = home / ".claude" / "projects" / "-demo" / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    common = {"sessionId": session, "cwd": str(folder), "gitBranch": "main", "version": "2.1.197"}
    call = {"type": "tool_use", "id": "toolu_1", "name": tool, "input": {"command": text}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": text}
    answers = [call, {"type": "text", "text": text}]
    lines: list[dict[str, object]] = [
        {"type": "custom-title", "customTitle": title, "sessionId": session},
        {"type": "user", "message": {"role": "user", "content": text}},
        {"type": "assistant", "message": {"id": "m1", "role": "assistant", "content": answers[:1]}},
        {"type": "user", "message": {"role": "user", "content": [result]}},
        {"type": "assistant", "message": {"id": "m2", "role": "assistant", "content": answers[1:]}},
    ]
    parent = None
    for number, line in enumerate(lines):
        if "message" in line:
            uuid = f"00000000-0000-4000-8000-{number:012}"
            line |= {
                "uuid": uuid,
                "parentUuid": parent,
                "timestamp": f"2026-11-20T10:00:0{number}Z",
            }
            line |= common
            parent = uuid
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    return home


def agent(home: Path, script: str) -> None:
    """Put a program called `claude` on the person's PATH."""
    program = home / "bin" / "claude"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.parametrize(("columns", "lines"), [(120, 40), (80, 24)])
def test_nothing_in_a_session_commands_the_terminal(
    home: Path, tmp_path: Path, columns: int, lines: int
) -> None:
    folder = tmp_path / f"evil {EVIL.replace('/', '|')}"
    folder.mkdir()
    record(home, folder, title=f"Title {EVIL}", text=f"Text {EVIL}", tool=f"Tool {EVIL}")
    with Terminal(
        backscroll(), env=surroundings(home), cwd=tmp_path, columns=columns, lines=lines
    ) as terminal:
        terminal.shows("Title ␛]0;")
        terminal.type("\r")  # read it
        terminal.shows("Text ␛]0;pwned␇", "Tool ␛]0;")
        for key in ("t", "t", "t", "\x1b", "z", "c", "r"):
            terminal.type(key)
            terminal.shows("backscroll")
        terminal.type("q")
        assert terminal.ends() == 0
        start = terminal.sent.find(b"Title")
        seen = terminal.sent[start:]
        # Copying sends the command to the clipboard, encoded, in a sequence of the browser's own.
        seen = b"".join(part for part in seen.split(b"\x1b]52;c;") if part)
        found = [code for code in FORBIDDEN if code in seen.replace(b"\x07", b"", 1)]
        assert not found
        assert "[/b]" in terminal.sent.decode(errors="replace")


def test_an_agent_gets_the_terminal_and_gives_it_back(home: Path, tmp_path: Path) -> None:
    path = record(home, tmp_path, title="Talk", text="Hello there", tool="Bash")
    said = {
        "type": "user",
        "uuid": "00000000-0000-4000-8000-000000000099",
        "parentUuid": "00000000-0000-4000-8000-000000000004",
        "timestamp": "2026-11-20T10:01:00Z",
        "sessionId": path.stem,
        "message": {"role": "user", "content": "SAID INSIDE"},
    }
    (home / "line.json").write_text(json.dumps(said))
    agent(
        home,
        f'echo "AGENT $* IN $PWD"; read -r word; echo "HEARD $word"; cat "{home}/line.json"'
        f' >> "{path}"; echo >> "{path}"; sleep 0.2',
    )
    with Terminal(backscroll(), env=surroundings(home), cwd=home) as terminal:
        terminal.shows("Talk", "Hello there")
        terminal.type("r")
        terminal.sends(f"AGENT --resume {path.stem} IN {tmp_path}".encode())
        terminal.type("word\r")
        terminal.shows("SAID INSIDE", "5 messages", "Talk")
        terminal.type("q")
        assert terminal.ends() == 0


def test_ctrl_c_is_the_agents_and_its_status_is_told(home: Path, tmp_path: Path) -> None:
    record(home, tmp_path, title="Talk", text="Hello there", tool="Bash")
    agent(home, "trap 'exit 130' INT; echo READY; while :; do sleep 0.1; done")
    with Terminal(backscroll(), env=surroundings(home), cwd=home) as terminal:
        terminal.shows("Hello there")
        terminal.type("r")
        terminal.shows("READY")
        terminal.type("\x03")
        terminal.shows("claude ended with exit status 130", "Talk")
        terminal.type("q")
        assert terminal.ends() == 0


def test_a_program_that_cannot_run_comes_back_with_words(home: Path, tmp_path: Path) -> None:
    record(home, tmp_path, title="Talk", text="Hello there", tool="Bash")
    program = home / "bin" / "claude"
    program.write_text("#!/no/such/interpreter\n")
    program.chmod(0o755)
    with Terminal(backscroll(), env=surroundings(home), cwd=home) as terminal:
        terminal.shows("Hello there")
        terminal.type("r")
        terminal.shows("claude could not be started", "Talk")
        program.unlink()
        terminal.type("r")
        terminal.shows("Cannot be resumed: the program")
        terminal.type("q")
        assert terminal.ends() == 0


def test_a_program_planted_in_the_folder_is_not_run(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    record(home, folder, title="Talk", text="Hello there", tool="Bash")
    agent(home, "echo PLANTED; sleep 5")
    shutil.move(home / "bin" / "claude", folder / "claude")
    environment = surroundings(home, PATH=f".::{home / 'bin'}:/usr/bin:/bin")
    with Terminal(backscroll(), env=environment, cwd=folder) as terminal:
        terminal.shows("Hello there")
        terminal.type("r")
        terminal.shows("Cannot be resumed: the program")
        assert b"PLANTED" not in terminal.sent


def test_the_demo_leaves_nothing_behind(home: Path) -> None:
    before = sorted(home.rglob("*"))
    with Terminal(backscroll("--demo"), env=surroundings(home), cwd=home) as terminal:
        terminal.shows("Fix retry storm in uploader", "Audit log")
        terminal.type("x")
        terminal.shows("Archived Fix retry storm")
        terminal.type("q")
        assert terminal.ends() == 0
    assert sorted(home.rglob("*")) == before


def test_without_a_terminal_it_says_so(home: Path) -> None:
    ran = subprocess.run(
        backscroll(),
        env=surroundings(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stderr == "backscroll: the browser needs a terminal; `backscroll list` does not\n"


def test_a_store_in_the_folder_one_stands_in_is_not_run(home: Path, tmp_path: Path) -> None:
    evil = tmp_path / "evil"
    evil.mkdir()
    (evil / "store.py").write_text(f"open({str(home / 'PWNED')!r}, 'w')\n")
    record(home, tmp_path, title="Talk", text="Hello there", tool="Bash")
    program = [str(Path(sys.executable).parent / "backscroll")]
    if not Path(program[0]).exists():
        pytest.skip("backscroll is not installed here")
    environment = surroundings(home)
    del environment["PYTHONPATH"]
    with Terminal(program, env=environment, cwd=evil) as terminal:
        terminal.shows("Hello there")
        terminal.type("q")
        assert terminal.ends() == 0
    assert not (home / "PWNED").exists()


def test_what_an_agent_says_meanwhile_is_there_without_a_key(home: Path, tmp_path: Path) -> None:
    path = record(home, tmp_path, title="Talk", text="Hello there", tool="Bash")
    line = path.read_text().splitlines()[-1]
    with Terminal(backscroll(), env=surroundings(home), cwd=home) as terminal:
        terminal.shows("Hello there")
        with path.open("a") as file:
            for number in range(3):
                said = json.loads(line) | {"uuid": f"later {number}"}
                said["message"] = {"role": "user", "content": f"Said meanwhile, {number}"}
                file.write(json.dumps(said) + "\n")
                file.flush()
                terminal.shows(f"Said meanwhile, {number}")
        terminal.type("q")
        assert terminal.ends() == 0


def test_quitting_while_it_imports(home: Path, tmp_path: Path) -> None:
    path = record(home, tmp_path, title="Talk", text="Hello there", tool="Bash")
    line = path.read_text().splitlines()[-1]
    with path.open("a") as file:
        for _ in range(60_000):
            file.write(line + "\n")
    with Terminal(backscroll(), env=surroundings(home), cwd=home) as terminal:
        terminal.shows("importing")
        terminal.type("q")
        assert terminal.ends() == 0
    assert b"Traceback" not in terminal.sent


def test_a_killed_agent_leaves_no_ruins(home: Path, tmp_path: Path) -> None:
    record(home, tmp_path, title="Talk", text="Hello there", tool="Bash")
    agent(home, "stty raw -echo; printf '\\033[?1049h\\033[?25l'; kill -40 $$")
    with Terminal(backscroll(), env=surroundings(home), cwd=home) as terminal:
        before = terminal.modes()
        terminal.shows("Hello there")
        terminal.type("r")
        terminal.shows("claude was ended by signal 40", "Talk")
        terminal.type("q")
        assert terminal.ends() == 0
        assert terminal.modes() == before


def test_a_polite_end_from_outside_leaves_the_terminal_as_it_was(home: Path) -> None:
    with Terminal(backscroll("--demo"), env=surroundings(home), cwd=home) as terminal:
        before = terminal.modes()
        terminal.shows("Fix retry storm in uploader")
        terminal.process.terminate()
        assert terminal.ends() == 0
        assert terminal.modes() == before
        assert terminal.sent.rstrip().rfind(b"\x1b[?1049l") > terminal.sent.rfind(b"\x1b[?1049h")
