"""Resuming with the real Claude Code, Codex and Goose, in tmux, by key.

They run where a lab is installed (see `tests.real.lab`) and are skipped elsewhere.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.real.lab import FIRST, Lab
from tests.tui.terminal import Terminal

AGENTS = ("claude", "codex", "goose")
# What stands on the screen of each when it waits for a prompt.
READY = {"claude": "for shortcuts", "codex": "Ask Codex", "goose": "Enter to send"}
LISTED = "tasks"


def listed(terminal: Terminal) -> None:
    terminal.shows("backscroll", FIRST, within=30)


def goes(terminal: Terminal, agent: str, key: str = "r") -> None:
    if key:
        terminal.type(key)
    terminal.shows(READY[agent], within=40)


def says(lab: Lab, terminal: Terminal, words: str) -> str:
    """Say something, and wait for the answer; give what was sent to the model."""
    for letter in words:  # what comes at once is taken for pasted, and its end for a new line
        terminal.type(letter)
        time.sleep(0.02)
    for _ in range(5):
        time.sleep(1)
        terminal.type("\r")
        with suppress(AssertionError):
            terminal.shows(f"Plain answer to: {words}", within=8)
            break
    return lab.proxy.last_with(words)


def leaves(terminal: Terminal, agent: str) -> None:
    ends_agent(terminal, agent, lambda: "Tasks" in terminal.text)
    terminal.shows("backscroll", "Tasks", "History", within=30)


def ends_agent(terminal: Terminal, agent: str, happened: Callable[[], bool]) -> None:
    """Leave an agent as a person does: until it has ended."""
    if agent == "goose":
        time.sleep(1)
        terminal.type("/exit")
        time.sleep(0.3)
        terminal.type("\r")
        return
    for _ in range(8):
        terminal.type("\x03")
        with suppress(AssertionError):
            terminal.waits(happened, within=0.7)
            return


def quits(terminal: Terminal) -> None:
    terminal.type("q")
    assert terminal.ends(within=20) == 0


@pytest.mark.parametrize("agent", AGENTS)
def test_resuming_from_another_folder_and_coming_back(lab: Lab, agent: str) -> None:
    lab.record(agent)
    (before,) = lab.rows()
    with lab.browser() as terminal:
        listed(terminal)
        goes(terminal, agent)
        sent = says(lab, terminal, "and what was it")
        assert "heliotrope" in sent  # the agent knows the conversation
        leaves(terminal, agent)
        terminal.shows("and what was it", within=20)  # what was said is there
        quits(terminal)
    (after,) = lab.rows()
    assert after["session_id"] == before["session_id"]
    assert after["project_path"] == str(lab.repo)
    assert after["message_count"] >= before["message_count"] + 2
    assert folders_worked_in(lab, agent) == {str(lab.repo)}


def folders_worked_in(lab: Lab, agent: str) -> set[str]:
    if agent == "goose":
        path = lab.home / ".local/share/goose/sessions/sessions.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            return {row[0] for row in db.execute("SELECT working_dir FROM sessions")}
    (session_id,) = {row["session_id"] for row in lab.rows()}
    found: set[str] = set()
    for line in lab.file_of(session_id).read_text().splitlines():
        record = json.loads(line)
        at = record.get("cwd") or (
            record["payload"].get("cwd") if record["type"] == "turn_context" else None
        )
        if at is not None:
            found.add(str(at))
    return found


@pytest.mark.parametrize("agent", AGENTS)
def test_a_fork_leaves_the_session_as_it_is(lab: Lab, agent: str) -> None:
    session_id = lab.record(agent)
    data = lab.file_of(session_id).read_bytes() if agent != "goose" else b""
    with lab.browser() as terminal:
        listed(terminal)
        goes(terminal, agent, "f")
        assert "heliotrope" in says(lab, terminal, "in another way")
        leaves(terminal, agent)
        quits(terminal)
    rows = {row["session_id"]: row for row in lab.rows()}
    assert len(rows) == 2
    (fork,) = set(rows) - {session_id}
    assert rows[fork]["fork_of"] == rows[session_id]["task_id"]
    assert rows[fork]["message_count"] > rows[session_id]["message_count"]
    if data:
        assert lab.file_of(session_id).read_bytes() == data


@pytest.mark.parametrize(
    ("agent", "steps", "words"),
    [
        ("claude", 3, "--permission-mode plan"),
        ("codex", 1, "--sandbox read-only"),
        ("goose", 3, "GOOSE_MODE=chat"),
    ],
)
def test_a_permission_mode_chosen_on_the_sheet(
    lab: Lab, agent: str, steps: int, words: str
) -> None:
    session_id = lab.record(agent)
    with lab.browser() as terminal:
        listed(terminal)
        terminal.type("R")
        terminal.shows("Command", "Mode", within=20)
        for _ in range(steps):
            terminal.type("\x1b[C")
            time.sleep(0.2)
        terminal.shows(words)
        terminal.type("\r")
        terminal.shows("plan mode on" if agent == "claude" else READY[agent], within=40)
        says(lab, terminal, "in this mode")
        leaves(terminal, agent)
        quits(terminal)
    if agent == "codex":
        contexts = [
            json.loads(line)["payload"]
            for line in lab.file_of(session_id).read_text().splitlines()
            if '"turn_context"' in line
        ]
        assert contexts[-1]["sandbox_policy"]["type"] == "read-only"
    if agent == "goose":
        path = lab.home / ".local/share/goose/sessions/sessions.db"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
            assert db.execute("SELECT goose_mode FROM sessions").fetchall() == [("chat",)]


@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_what_the_agent_deleted_is_brought_back(lab: Lab, agent: str) -> None:
    session_id = lab.record(agent)
    path = lab.file_of(session_id)
    data = path.read_bytes()
    if agent == "codex":
        lab.run("codex", "delete", "--force", session_id)
    else:
        path.unlink()
    assert not path.exists()
    lab.backscroll("import")
    (row,) = lab.rows()
    assert row["source_gone"] is True
    with lab.browser() as terminal:
        listed(terminal)
        terminal.type("r")
        terminal.shows("does not have it any more", within=20)
        assert not path.exists()
        terminal.type("y")
        goes(terminal, agent, "")
        assert path.read_bytes().startswith(data)
        sent = says(lab, terminal, "is it all there")
        assert "heliotrope" in sent
        assert f"Plain answer to: {FIRST}" in sent
        leaves(terminal, agent)
        terminal.shows("is it all there", within=20)
        quits(terminal)
    (row,) = lab.rows()
    assert row["source_gone"] is False


@pytest.mark.parametrize("agent", AGENTS)
def test_a_project_that_was_moved(lab: Lab, agent: str) -> None:
    lab.record(agent)
    lab.moved.parent.mkdir()
    lab.repo.rename(lab.moved)
    (lab.moved.parent / "other").mkdir()
    # Another session tells of the place; its folder is beside the moved one.
    lab.run("claude", "-p", "elsewhere", cwd=lab.moved.parent / "other")
    lab.backscroll("import")
    with lab.browser() as terminal:
        terminal.shows("backscroll", "elsewhere", within=30)
        terminal.type("j")
        terminal.shows(f"{lab.repo} ")
        terminal.type("r")
        terminal.shows("Where is this project now?", str(lab.moved), within=20)
        terminal.type("\r")
        if agent == "claude":
            terminal.shows("has to be copied there first", within=20)
            terminal.type("y")
        if agent == "goose":
            terminal.shows("Do you want to switch back", within=20)  # its own question
            terminal.type("n")
        goes(terminal, agent, "")
        time.sleep(1)
        sent = says(lab, terminal, "after the move")
        assert "heliotrope" in sent
        assert str(lab.moved) in (terminal.text if agent == "goose" else sent)
        leaves(terminal, agent)
        quits(terminal)


def test_what_codex_archived_is_taken_out(lab: Lab) -> None:
    session_id = lab.record("codex")
    lab.run("codex", "archive", session_id)
    lab.backscroll("import")
    with lab.browser() as terminal:
        terminal.shows("backscroll", within=30)
        terminal.type("A")
        listed(terminal)
        terminal.type("r")
        terminal.shows("has it in its archive", within=20)
        terminal.type("y")
        goes(terminal, "codex", "")
        assert "heliotrope" in says(lab, terminal, "out of the archive")
        leaves(terminal, "codex")
        quits(terminal)
    assert lab.file_of(session_id).parent.name != "archived_sessions"


@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_one_that_is_open_elsewhere_is_asked_about(lab: Lab, agent: str) -> None:
    session_id = lab.record(agent)
    with lab.browser() as terminal:
        listed(terminal)
        terminal.type("R")
        terminal.shows("Opens", within=20)
        for _ in range(3):
            terminal.type("\t")
        terminal.type("\x1b[C\x1b[C")  # pane, window
        terminal.shows("in a window of its own")
        terminal.type("\r")
        goes(terminal, agent, "")  # tmux goes to the new window
        says(lab, terminal, "from the other window")
        terminal.type("\x02p")  # back to the browser's
        terminal.shows("backscroll", "from the other window", within=20)
        terminal.type("r")
        terminal.shows("It is open already", within=20)
        terminal.type("n")
        terminal.waits(lambda: "It is open already" not in terminal.text)
        terminal.type("\x02n")
        terminal.shows(READY[agent])
        leaves(terminal, agent)
        quits(terminal)
    assert [row["session_id"] for row in lab.rows()] == [session_id]


@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_ctrl_z_in_the_agent(lab: Lab, agent: str) -> None:
    lab.record(agent)
    with lab.browser(shell=True) as terminal:
        terminal.shows("SHELL>")
        terminal.type("python -m tui\r")
        listed(terminal)
        goes(terminal, agent)
        terminal.type("\x1a")
        terminal.shows("Stopped", within=20)
        terminal.type("clear; echo the shell is $((1 + 1))nd\r")
        terminal.shows("the shell is 2nd")
        terminal.type("fg\r")
        time.sleep(1)
        assert "heliotrope" in says(lab, terminal, "after a pause")
        leaves(terminal, agent)
        terminal.type("q")
        terminal.shows("SHELL>", within=20)
        terminal.type("echo status $?\r")
        terminal.shows("status 0")
        terminal.type("exit\r")
        terminal.ends()


@pytest.mark.parametrize("agent", AGENTS)
def test_the_command_line_does_the_same(lab: Lab, agent: str) -> None:
    session_id = lab.record(agent)
    path = lab.file_of(session_id) if agent != "goose" else Path()
    if agent != "goose":
        path.unlink()
        lab.backscroll("import")
    with lab.browser("resume", "--last", "--yes") as terminal:
        goes(terminal, agent, "")
        assert "heliotrope" in says(lab, terminal, "without the browser")
        ends_agent(terminal, agent, lambda: terminal.process.poll() is not None)
        assert terminal.ends(within=20) == 0
