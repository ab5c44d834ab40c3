"""The command line, run as a person or a script runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.agents import claude_records as claude

ROOT = Path(__file__).parents[1]
SHARED = Path(os.environ.get("BACKSCROLL_SHARED") or ROOT.parent / "shared")
FIXTURES = SHARED / "fixtures"

ROW = {
    *("task_id", "title", "status", "agent", "session_id", "project_path", "git_branch", "model"),
    *("message_count", "prompt_count", "tool_call_count", "created_at", "last_message_at"),
    *("source_gone", "parent_task_id", "fork_of", "tags"),
}
MESSAGE = {"seq", "role", "kind", "text", "timestamp", "tool_name", "tool_call_id", "on_branch"}


class Person:
    """Someone with a home, a store in it, and a command line."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir()

    def run(self, *arguments: str, module: str = "store") -> subprocess.CompletedProcess[str]:
        environment = {
            "HOME": str(self.home),
            "PATH": f"{self.home / 'bin'}:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
        }
        return subprocess.run(
            [sys.executable, "-m", module, *arguments],
            env=environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            check=False,
        )

    def json(self, *arguments: str, status: int = 0) -> Any:
        ran = self.run(*arguments, "--json")
        assert ran.returncode == status, ran.stderr
        assert ran.stdout.isascii()
        return json.loads(ran.stdout)


@pytest.fixture
def person(tmp_path: Path) -> Person:
    person = Person(tmp_path / "home")
    claude.home(
        person.home / ".claude",
        [
            claude.user("a", None, "please run ls, é ✓"),
            claude.assistant("b", "a", claude.call("t1", command="ls")),
            claude.user("c", "b", [claude.result("t1", "README.md\x1b[31m")]),
            claude.assistant("d", "c", claude.text("There is one file.")),
        ],
    )
    return person


def test_importing_twice_adds_nothing(person: Person) -> None:
    first = person.json("import")
    assert first["files"] == {"seen": 1, "read": 1, "unchanged": 0, "failed": 0}
    assert first["sessions"] == {"added": 1, "updated": 0, "unchanged": 0}
    assert first["messages"] == {"added": 4}
    assert first["records"] == {"all": 4, "imported": 4, "skipped": 0, "pending": 0}
    listed = person.json("list", "--all")
    second = person.json("import")
    assert second["files"] == {"seen": 1, "read": 0, "unchanged": 1, "failed": 0}
    assert second["sessions"] == {"added": 0, "updated": 0, "unchanged": 1}
    assert second["messages"] == {"added": 0}
    assert second["records"] == first["records"]
    assert person.json("list", "--all") == listed


def test_an_appended_session_is_updated(person: Person) -> None:
    person.json("import")
    path = next((person.home / ".claude").rglob("*.jsonl"))
    with path.open("a") as file:
        file.write(json.dumps(claude.user("e", "d", "and now?")) + "\n")
    report = person.json("import")
    assert report["sessions"] == {"added": 0, "updated": 1, "unchanged": 0}
    assert report["messages"] == {"added": 1}
    (row,) = person.json("list")
    assert (row["message_count"], row["prompt_count"], row["tool_call_count"]) == (5, 2, 1)


def test_what_was_skipped_is_named_and_the_exit_status_says_so(person: Person) -> None:
    path = next((person.home / ".claude").rglob("*.jsonl"))
    with path.open("a") as file:
        file.write('{"half": \n{"type": "user"')
    report = person.json("import", status=3)
    assert report["records"] == {"all": 6, "imported": 4, "skipped": 1, "pending": 1}
    (skipped,) = report["skipped"]
    assert (skipped["path"], skipped["line"]) == (str(path), 5)
    assert report["pending"] == [{"path": str(path), "line": 6}]
    words = person.run("import")
    assert words.returncode == 3
    assert f"skipped {path}:5" in words.stdout


def test_history_outlives_its_source(person: Person) -> None:
    person.json("import")
    next((person.home / ".claude").rglob("*.jsonl")).unlink()
    person.json("import")
    (row,) = person.json("list")
    assert row["source_gone"] is True
    assert len(person.json("show", row["task_id"])["messages"]) == 4


def test_list_has_the_members_of_the_contract(person: Person) -> None:
    person.json("import")
    (row,) = person.json("list")
    assert set(row) >= ROW
    assert row["agent"] == "claude"
    assert row["session_id"] == claude.ID
    assert row["title"] == "please run ls, é ✓"
    assert row["last_message_at"].endswith("Z")
    assert person.json("list", "nothing-like-it") == []
    assert len(person.json("list", "please", "CLAUDE")) == 1
    assert person.json("list", "--limit", "0") == []


def test_show_gives_text_as_stored_but_prints_it_safely(person: Person) -> None:
    person.json("import")
    shown = person.json("show", claude.ID[:6])
    assert set(shown) == {"task", "session", "messages"}
    assert all(set(message) >= MESSAGE for message in shown["messages"])
    assert [message["seq"] for message in shown["messages"]] == [1, 2, 3, 4]
    assert shown["messages"][2]["text"] == "README.md\x1b[31m"
    printed = person.run("show", claude.ID)
    assert "\x1b" not in printed.stdout
    assert "README.md␛[31m" in printed.stdout


def test_resume_print_gives_the_command(person: Person) -> None:
    person.json("import")
    command = person.json("resume", claude.ID, "--print")
    assert command == {
        "argv": ["claude", "--resume", claude.ID],
        "cwd": "/home/ann/src",
        "env": {},
    }
    program = person.home / "bin" / "claude"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    fork = person.json("resume", claude.ID, "--print", "--fork")
    assert fork["argv"] == [str(program), "--resume", claude.ID, "--fork-session"]
    words = person.run("resume", claude.ID, "--print")
    assert words.stdout == f"cd /home/ann/src && claude --resume {claude.ID}\n"


def test_resume_runs_the_agent_in_the_sessions_folder(person: Person, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    records = [claude.user("a", None, "hello", cwd=str(work), sessionId=claude.OTHER)]
    claude.home(person.home / ".claude", records, claude.OTHER)
    program = person.home / "bin" / "claude"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$PWD $*"\nexit 7\n')
    program.chmod(0o755)
    person.json("import")
    ran = person.run("resume", claude.OTHER)
    assert (ran.stdout, ran.returncode) == (f"{work} --resume {claude.OTHER}\n", 7)


def test_errors_are_words_and_a_status(person: Person) -> None:
    unknown = person.run("show", "nothing")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr == "backscroll: no task or session with the id 'nothing'\n"
    missing = person.run("import", "/no/such/place")
    assert missing.stderr == "backscroll: there is nothing at /no/such/place\n"
    (person.home / "other.db").write_text("something else")
    foreign = person.run("--database", "other.db", "list")
    assert foreign.returncode == 1
    assert "is not a SQLite database; it was left untouched" in foreign.stderr
    assert (person.home / "other.db").read_text() == "something else"
    assert person.run("lst").returncode == 2
    assert person.run("import", "--agent", "nobody").returncode == 2
    folder = person.run("resume", "x", "--print")
    assert folder.returncode == 1


def test_the_database_can_be_named_before_and_behind_the_command(person: Person) -> None:
    person.json("--database", "mine.db", "import")
    assert len(person.json("list", "--database", "mine.db")) == 1
    assert len(person.json("--database", "mine.db", "list")) == 1
    assert not (person.home / ".local").exists()


def test_an_import_of_nothing_is_a_success(tmp_path: Path) -> None:
    nobody = Person(tmp_path / "nobody")
    assert nobody.json("import")["files"]["seen"] == 0
    assert nobody.json("list") == []


def test_doctor_says_what_it_sees_whatever_it_is(person: Person) -> None:
    person.json("import")
    findings = person.json("doctor")
    assert findings["database"]["sessions"] == 1
    assert findings["database"]["journal_mode"] == "wal"
    assert {agent["agent"] for agent in findings["agents"]} == {"claude", "codex", "goose"}
    places = {place["path"]: place for agent in findings["agents"] for place in agent["places"]}
    assert places[str(person.home / ".claude")]["sources"] == 1
    assert findings["versions"]["sqlite"]
    (person.home / "other.db").write_text("something else")
    broken = person.json("doctor", "--database", "other.db")
    assert "is not a SQLite database" in broken["database"]["error"]
    assert "claude" in person.run("doctor").stdout


def test_a_reader_that_closes_the_pipe_is_no_error(person: Person) -> None:
    person.json("import")
    script = f"{sys.executable} -m store list --json | true"
    ran = subprocess.run(
        ["/bin/sh", "-c", script],
        env={"HOME": str(person.home), "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr == ""


@pytest.mark.parametrize("module", ["store", "tui"])
def test_the_command_line_never_loads_the_screen(person: Person, module: str) -> None:
    program = (
        f"import sys, runpy; sys.argv = ['backscroll', 'list', '--json']\n"
        f"try: runpy.run_module('{module}', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code\n"
        "bad = {name.partition('.')[0] for name in sys.modules} & {'textual', 'rich'}\n"
        "assert not bad, bad"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={"HOME": str(person.home), "PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="the shared samples are not here")
def test_list_agrees_with_the_hand_checked_counts(person: Person) -> None:
    truth = json.loads((FIXTURES / "truth.json").read_text())["fixtures"]
    folders = ("claude/real_2*", "codex/real_0.98*", "codex/real_0.1*", "goose/real_*")
    paths = [str(path) for pattern in folders for path in sorted(FIXTURES.glob(pattern))]
    assert person.json("import", *paths)["records"]["skipped"] == 0
    rows = person.json("list", "--all")
    found = {
        (row["agent"], row["session_id"]): (
            row["project_path"],
            row["prompt_count"],
            row["tool_call_count"],
        )
        for row in rows
    }
    checked = 0
    for path, counts in truth.items():
        agent, folder, *_ = path.split("/")
        if not folder.startswith("real_") or not any(Path(p).name == folder for p in paths):
            continue
        sessions = counts.get("by_session") or {_session_id(path, counts): counts}
        for session_id, count in sessions.items():
            expected = (count["cwd"], count["user_prompts"], count["tool_calls"])
            if session_id == "01a1fb5c-ccd5-73a2-bccf-fa0e99e5e068":
                # The fork's whole conversation: its own 2 prompts, and the 3 and 4 it took over.
                expected = (count["cwd"], 5, 4)
            assert found.pop((agent, session_id)) == expected, session_id
            checked += 1
    assert found == {}
    assert checked == 27
    assert person.json("import", *paths)["messages"] == {"added": 0}
    assert person.json("list", "--all") == rows


def _session_id(path: str, counts: dict[str, Any]) -> str:
    name = Path(path).stem
    session_id: str = counts["session_id"]
    return f"{session_id}/{name}" if name.startswith("agent-") else session_id
