"""The commands that put a person back into a session."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from store import agents
from store.errors import ResumeError
from store.models import Session

_ID = "11111111-1111-4111-8111-111111111111"
_NOW = datetime(2026, 11, 20, tzinfo=UTC)
_GOOSE = ("goose", "session", "--resume", "--session-id")
_ENV = {"HOME": "/home/ann"}


def _session(backend: str, session_id: str = _ID, **more: Any) -> Session:
    times = {"created_at": _NOW, "updated_at": _NOW}
    fields = {"task_id": "t", "backend": backend, "session_id": session_id, "project_path": "/src"}
    return Session.model_validate(fields | times | more)


@pytest.mark.parametrize(
    ("backend", "session_id", "fork", "argv"),
    [
        ("claude", _ID, False, ["claude", "--resume", _ID]),
        ("claude", _ID, True, ["claude", "--resume", _ID, "--fork-session"]),
        ("codex", _ID, False, ["codex", "resume", _ID]),
        ("codex", _ID, True, ["codex", "fork", _ID]),
        ("goose", "20261120_1", False, [*_GOOSE, "20261120_1"]),
        ("goose", "20261120_1", True, [*_GOOSE, "20261120_1", "--fork"]),
    ],
)
def test_the_command(backend: str, session_id: str, fork: bool, argv: list[str]) -> None:
    adapter = agents.load(backend)
    root = str(adapter.roots(_ENV)[0])
    command = adapter.resume(_session(backend, session_id, root=root), fork=fork, env=_ENV)
    assert (list(command.argv), command.cwd, command.env) == (argv, "/src", {})


@pytest.mark.parametrize(
    ("backend", "root", "env"),
    [
        ("claude", "/mnt/claude", {"CLAUDE_CONFIG_DIR": "/mnt/claude"}),
        ("claude", "/home/ann/.config/claude", {"CLAUDE_CONFIG_DIR": "/home/ann/.config/claude"}),
        ("codex", "/mnt/codex", {"CODEX_HOME": "/mnt/codex"}),
        ("goose", "/mnt/g/data/sessions", {"GOOSE_PATH_ROOT": "/mnt/g"}),
        ("goose", "/mnt/x/goose/sessions", {"XDG_DATA_HOME": "/mnt/x"}),
        ("goose", "/mnt/elsewhere", {}),
    ],
)
def test_a_session_from_another_home_says_so(backend: str, root: str, env: dict[str, str]) -> None:
    session_id = "20261120_1" if backend == "goose" else _ID
    session = _session(backend, session_id, root=root)
    assert agents.load(backend).resume(session, fork=False, env=_ENV).env == env


@pytest.mark.parametrize("backend", agents.names())
@pytest.mark.parametrize("bad", ["--help", "-x", "a b", "$(x)", f"{_ID}\n", f"{_ID}/x", "2026_x"])
def test_an_id_of_another_shape_is_refused(backend: str, bad: str) -> None:
    with pytest.raises(ResumeError):
        agents.load(backend).resume(_session(backend, bad), fork=False, env=_ENV)


@pytest.mark.parametrize("backend", agents.names())
def test_a_subagent_is_not_resumed(backend: str) -> None:
    session = _session(backend, f"{_ID}/agent-1", parent_session_id=_ID)
    with pytest.raises(ResumeError, match="parent's can"):
        agents.load(backend).resume(session, fork=False, env=_ENV)


def test_the_places_agents_keep_their_sessions_in() -> None:
    def roots(name: str, **env: str) -> list[str]:
        return [str(root) for root in agents.load(name).roots(_ENV | env)]

    assert roots("claude") == ["/home/ann/.claude", "/home/ann/.config/claude"]
    assert roots("claude", CLAUDE_CONFIG_DIR="/c")[0] == "/c"
    assert roots("codex") == ["/home/ann/.codex"]
    assert roots("codex", CODEX_HOME="/x") == ["/x"]
    assert roots("goose") == ["/home/ann/.local/share/goose/sessions"]
    assert roots("goose", XDG_DATA_HOME="/d") == ["/d/goose/sessions"]
    assert roots("goose", GOOSE_PATH_ROOT="/g", XDG_DATA_HOME="/d") == ["/g/data/sessions"]


def test_without_a_home_the_system_is_asked() -> None:
    assert agents.load("codex").roots({}) == [Path.home() / ".codex"]
