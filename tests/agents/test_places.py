"""Where an agent looks for a session, and with which home it is started."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from store import agents
from store.agents.claude.places import slug
from store.agents.codex.places import origins
from store.models import Session

ID = "11111111-1111-4111-8111-111111111111"
_NOW = datetime(2026, 11, 20, tzinfo=UTC)


def _session(backend: str, **more: Any) -> Session:
    times = {"created_at": _NOW, "updated_at": _NOW}
    fields = {"task_id": "t", "backend": backend, "session_id": ID, "project_path": "/src"}
    return Session.model_validate(fields | times | more)


@pytest.mark.parametrize(
    ("folder", "name"),
    [  # each seen: what Claude Code 2.1.197 made of them
        ("/tmp/lab/repo", "-tmp-lab-repo"),
        ("/tmp/lab/ünï dir.x_y", "-tmp-lab--n--dir-x-y"),
        ("/tmp/lab/e😀e", "-tmp-lab-e--e"),
        (
            "/tmp/lab-resume/long/" + "a" * 115 + "/" + "b" * 115,
            ("-tmp-lab-resume-long-" + "a" * 115 + "-" + "b" * 115)[:200] + "-88pfoc",
        ),
    ],
)
def test_the_name_of_a_folder_s_folder(folder: str, name: str) -> None:
    assert slug(folder) == name


def _transcript(home: Path, name: str, *folders: str) -> Path:
    path = home / "projects" / name / f"{ID}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps({"type": "user", "cwd": at}) + "\n" for at in folders))
    return path


def _started_in(home: Path, path: Path, first: str) -> str:
    session = _session("claude", root=str(home), source_path=str(path), project_path=first)
    return agents.load("claude").resume(session, fork=False, env={"HOME": "/h"}).cwd


def test_claude_code_starts_where_its_transcript_lies(tmp_path: Path) -> None:
    stays = _transcript(tmp_path / "a", "-src", "/src", "/src/web")
    assert _started_in(tmp_path / "a", stays, "/src") == "/src"
    moved = _transcript(tmp_path / "b", "-src-tree", "/src", "/src/tree", "/src/tree/web")
    assert _started_in(tmp_path / "b", moved, "/src") == "/src/tree"
    unknown = _transcript(tmp_path / "c", "-other", "/src")
    assert _started_in(tmp_path / "c", unknown, "/src") == "/src"
    unknown.unlink()
    assert _started_in(tmp_path / "c", unknown, "/src") == "/src"


def test_a_folder_at_the_border_of_two_reads_is_seen(tmp_path: Path) -> None:
    path = _transcript(tmp_path, "-src-tree", "/src")
    with path.open("a") as file:
        file.write("x" * (1024 * 1024 - path.stat().st_size - 10) + '{"cwd":"/src/tree"}\n')
    assert _started_in(tmp_path, path, "/src") == "/src/tree"


def test_codex_finds_a_thread_wherever_it_is_in_the_home(tmp_path: Path) -> None:
    codex = agents.load("codex")
    elsewhere = tmp_path / "sessions" / "2026" / "01" / "02"
    name = f"rollout-2026-01-02T10-00-00-{ID}.jsonl.zst"
    session = _session("codex", root=str(tmp_path), source_path=str(tmp_path / "sessions" / name))
    gone = codex.standing(session, "/src", {"HOME": "/h"})
    assert (gone.is_there, gone.transcript) == (False, elsewhere / name)
    elsewhere.mkdir(parents=True)
    (elsewhere / name).write_text("")
    assert codex.standing(session, "/src", {"HOME": "/h"}).is_there


def test_what_a_packed_fork_goes_on_from() -> None:
    import zstandard

    base = {"history_base": {"thread_id": "origin"}}
    head = json.dumps({"type": "session_meta", "payload": base}).encode() + b"\n"
    assert origins(head) == ("origin",)
    assert origins(zstandard.compress(head)) == ("origin",)
    assert origins(b'{"type":"session_meta","payload":{}}\n') == ()
    assert origins(b"") == origins(b"not JSON\n") == ()


@pytest.mark.parametrize(
    ("backend", "root", "env", "given", "unset"),
    [
        ("claude", "/h/.claude", {"CLAUDE_CONFIG_DIR": "/w"}, {}, ("CLAUDE_CONFIG_DIR",)),
        ("codex", "/h/.codex", {"CODEX_HOME": "/w"}, {}, ("CODEX_HOME",)),
        ("codex", "/w", {"CODEX_HOME": "/w"}, {}, ()),
        ("codex", "/x", {"CODEX_HOME": "/w"}, {"CODEX_HOME": "/x"}, ()),
        (
            "goose",
            "/h/.local/share/goose/sessions",
            {"GOOSE_PATH_ROOT": "/g", "XDG_DATA_HOME": "/d"},
            {},
            ("GOOSE_PATH_ROOT", "XDG_DATA_HOME"),
        ),
        (
            "goose",
            "/x/goose/sessions",
            {"GOOSE_PATH_ROOT": "/g"},
            {"XDG_DATA_HOME": "/x"},
            ("GOOSE_PATH_ROOT",),
        ),
        ("goose", "/d/goose/sessions", {"XDG_DATA_HOME": "/d"}, {}, ()),
    ],
)
def test_the_agent_finds_the_home_whatever_this_one_s_environment_says(
    backend: str, root: str, env: dict[str, str], given: dict[str, str], unset: tuple[str, ...]
) -> None:
    session_id = "20261120_1" if backend == "goose" else ID
    session = _session(backend, root=root, session_id=session_id)
    env = {"HOME": "/h"} | env
    command = agents.load(backend).resume(session, fork=False, env=env)
    assert (command.env, command.unset) == (given, unset)
    assert agents.load(backend).roots(command.environment(env))[0] == Path(root)
