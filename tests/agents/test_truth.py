"""The real samples against the counts that another reader made and people checked."""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import Any

import pytest

from store import agents
from store.models import Origin
from tests.agents.reading import Kept, Shelf, only

_SHARED = Path(
    os.environ.get("BACKSCROLL_SHARED") or Path(__file__).resolve().parents[3] / "shared"
)
_FIXTURES = _SHARED / "fixtures"
_TRUTH = _FIXTURES / "truth.json"

pytestmark = pytest.mark.skipif(not _TRUTH.is_file(), reason="the shared samples are not here")

_FORK = "01a1fb5c-ccd5-73a2-bccf-fa0e99e5e068"
_LAST = {
    "11111111": "fail on purpose",
    "22222222": "forked question: what is it?",
    "66666666": "rewound branch question",
    "646e54dc-e71b-49c1-bd65-ca3e8412ff3e.jsonl": "now two tools please",
    "01a1fb59": "now two tools please",
    "01a1fb5b": "now two tools please",
    "01a1fb4f": "fail on purpose",
}


@functools.cache
def _truth() -> dict[str, dict[str, Any]]:
    if not _TRUTH.is_file():
        return {}
    truth: dict[str, dict[str, Any]] = json.loads(_TRUTH.read_text())["fixtures"]
    return truth


def _of(agent: str) -> list[str]:
    return [path for path in _truth() if path.startswith(f"{agent}/real_")]


@functools.cache
def _goose() -> dict[str, Kept]:
    return Shelf().read_all(agents.load("goose"), _FIXTURES / "goose")


def _without_wrappers(prompt: str | None) -> str | None:
    return prompt.rpartition("</image>\n")[2] if prompt else None


def _words(prompts: list[str]) -> list[str]:
    return ["\n".join(p for p in prompt.split("\n") if "[image:" not in p) for prompt in prompts]


@pytest.mark.parametrize("path", [*_of("claude"), *_of("codex")])
def test_a_transcript_is_counted_as_by_hand(path: str) -> None:
    truth = _truth()[path]
    kept = only(agents.load(path.partition("/")[0]), _FIXTURES / path)
    prompts = _words(kept.prompts)
    if "agent-" in path:
        assert kept.facts.session_id == f"{truth['session_id']}/{Path(path).stem}"
        assert kept.facts.parent_session_id == truth["session_id"]
    else:
        assert kept.facts.session_id == truth["session_id"]
    if truth["cwd"] is not None:
        assert kept.facts.project_path == truth["cwd"]
    assert kept.facts.git_branch == truth["git_branch"]
    results = [m for m in kept.messages.values() if m.kind == "tool_result"]
    if _FORK in path:
        assert len(prompts) == 5
        assert prompts[-2] == truth["first_user_prompt"]
        assert prompts[0] == "please run ls here"
        assert prompts[-1] == "after compact"
        assert len(kept.calls) == 4
        return
    assert len(prompts) == truth["user_prompts"]
    assert len(kept.calls) == truth["tool_calls"]
    assert len(results) == truth["tool_results"]
    assert all(result.tool_name for result in results)
    first = _without_wrappers(truth["first_user_prompt"])
    assert (prompts[0] if prompts else None) == first
    expected = next((text for name, text in _LAST.items() if name in path), None)
    if expected:
        assert prompts[-1] == expected


def test_every_sample_of_the_two_is_found_from_above() -> None:
    for agent in ("claude", "codex"):
        found = {str(s.path.relative_to(_FIXTURES)) for s in agents.load(agent).find(_FIXTURES)}
        assert found >= set(_of(agent))
        assert all(path.startswith(f"{agent}/") for path in found)


def _goose_sessions() -> list[str]:
    return [name for path in _of("goose") for name in _truth()[path]["by_session"]]


@pytest.mark.parametrize("name", _goose_sessions())
def test_a_session_of_goose_is_counted_as_by_hand(name: str) -> None:
    truth = next(_truth()[p]["by_session"][name] for p in _of("goose"))
    kept = _goose()[name]
    assert kept.facts.title == truth["name"]
    assert kept.facts.project_path == truth["cwd"]
    assert len(kept.prompts) == truth["user_prompts"]
    assert kept.prompts[0] == truth["first_user_prompt"]
    assert len(kept.calls) == truth["tool_calls"]
    times = [int(m.timestamp.timestamp()) for m in kept.messages.values() if m.timestamp]
    assert times[0] == truth["first_created_timestamp"]
    assert times[-1] == truth["last_created_timestamp"]


def test_links_between_real_sessions() -> None:
    goose = _goose()
    assert goose["20261120_5"].facts.parent_session_id == "20261120_4"
    assert goose["20261120_5"].facts.origin is Origin.SUBAGENT
    assert goose["20261120_7"].facts.fork_session_id == "20261120_1"
    fork = goose["20261120_7"].messages.values()
    assert next(m.content for m in fork if not m.inherited) == "forked hello"

    claude = Shelf().read_all(agents.load("claude"), _FIXTURES / "claude/real_2.1.197")
    fork_of = claude["22222222-2222-4222-8222-222222222222"]
    assert fork_of.facts.fork_session_id == "11111111-1111-4111-8111-111111111111"
    own = (m.content for m in fork_of.messages.values() if not m.inherited)
    assert next(own) == _LAST["22222222"]
    assert claude["11111111-1111-4111-8111-111111111111"].facts.fork_session_id is None

    codex = Shelf().read_all(agents.load("codex"), _FIXTURES / "codex/real_0.169.0")[_FORK]
    assert codex.facts.fork_session_id == "01a1fb4f-f372-7433-b9f3-7f69b46cb13d"
    assert codex.facts.title == "My codex name"
    assert sum(m.is_prompt for m in codex.messages.values() if not m.inherited) == 2


def test_a_rewound_branch_is_marked_and_nothing_else() -> None:
    root = _FIXTURES / "claude/real_2.1.197"
    for kept in Shelf().read_all(agents.load("claude"), root).values():
        off = [kept.messages[key].content for key in kept.off_branch]
        if kept.facts.session_id.startswith("66666666"):
            assert len(off) == 2
            assert "after compact question" in off
        else:
            assert off == []


def test_samples_are_left_as_they_were() -> None:
    folders = [_FIXTURES / "goose", _FIXTURES / "codex/real_0.169.0"]
    before = [_looks(folder) for folder in folders]
    Shelf().read_all(agents.load("goose"), folders[0])
    Shelf().read_all(agents.load("codex"), folders[1])
    assert [_looks(folder) for folder in folders] == before


def _looks(folder: Path) -> list[tuple[str, int, int]]:
    stats = [(str(path), path.stat()) for path in sorted(folder.rglob("*"))]
    return [(path, stat.st_size, stat.st_mtime_ns) for path, stat in stats]
