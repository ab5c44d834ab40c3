"""All of Codex's samples against the counts of another reader, field by field.

Where this reader counts differently it is written down here, with the reason. Not compared are the
counts of events and the usage, which this reader does not take: each text is in an item too.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from store.models import Kind, Role
from store.times import parse_time
from tests.agents.codex_records import CODEX
from tests.agents.reading import Shelf
from tests.agents.test_truth import _FIXTURES, _TRUTH, _truth

pytestmark = pytest.mark.skipif(not _TRUTH.is_file(), reason="the shared samples are not here")

_COUNTS = (
    "session_id",
    "cwd",
    "git_branch",
    "model",
    "forked_from_id",
    "file_lines",
    "bad_json_lines",
    "user_prompts",
    "first_user_prompt",
    "assistant_messages",
    "tool_calls",
    "tool_results",
    "reasoning_items",
    "first_ts",
    "last_ts",
)

# What the other reader says, what this one does, and why.
_UNTYPED = "items of the Responses API may leave out that they are messages; these have a role"
_DEPARTURES: dict[str, dict[str, tuple[Any, Any, str]]] = {
    name: {"user_prompts": (0, 1, _UNTYPED), "first_user_prompt": (None, prompt, _UNTYPED)}
    for name, prompt in {
        "fc_args_1.jsonl": "inspect files",
        "fc_args_2.jsonl": "apply patch",
        "fc_stdin.jsonl": "send input",
        "function_calls.jsonl": "Run the tests",
        "standard_session.jsonl": "Add rate limiting",
    }.items()
}
_DEPARTURES["standard_session.jsonl"]["assistant_messages"] = (0, 1, _UNTYPED)
_DEPARTURES["rollout-2026-11-20T23-45-17-6a7d4bd0-4188-4761-9f23-47f3fc9536c0.jsonl"] = {
    "cwd": (None, "/home/dev/src/workspace-26/repos/demo", "the first message's context names it"),
}
_DEPARTURES["rollout-2026-11-20T23-35-50-01a1fb50-fb3b-77e2-91cd-b367b68a5f7f.jsonl"] = {
    "first_user_prompt": (
        "\n".join(
            (
                '<image name=[Image #1] path="/home/dev/src/workspace-26/pic.png">',
                "",
                "</image>",
                "what is in this picture?",
            )
        ),
        "[image: image/png, 75 bytes]\nwhat is in this picture?",
        "a line with its type and size stands for a picture, in place of the program's marks",
    ),
}
_DEPARTURES["rollout-2026-11-20T23-48-45-01a1fb5c-ccd5-73a2-bccf-fa0e99e5e068.jsonl"] = {
    "assistant_messages": (3, 2, "what a compaction wrote is its summary, and not said besides"),
}


def _counted(path: Path) -> dict[str, Any]:
    """Count what a sample itself holds: not what it inherits."""
    (source,) = CODEX.find(path)
    shelf = Shelf()
    checkpoint = shelf.read(CODEX, source)
    (kept,) = shelf.sessions.values()
    own = [m for m in kept.messages.values() if not m.inherited]
    prompts = [m.content for m in own if m.is_prompt]
    assert checkpoint.pending is None
    return {
        "session_id": kept.facts.session_id,
        "cwd": kept.facts.project_path,
        "git_branch": kept.facts.git_branch,
        "model": kept.facts.model,
        "forked_from_id": kept.facts.fork_session_id,
        "file_lines": checkpoint.records,
        "bad_json_lines": len(checkpoint.skipped),
        "user_prompts": len(prompts),
        "first_user_prompt": prompts[0] if prompts else None,
        "assistant_messages": sum(m.role is Role.ASSISTANT and m.kind is Kind.TEXT for m in own),
        "tool_calls": sum(m.kind is Kind.TOOL_CALL for m in own),
        "tool_results": sum(m.kind is Kind.TOOL_RESULT for m in own),
        "reasoning_items": sum(m.kind is Kind.THINKING for m in own),
        "first_ts": kept.facts.started_at,
        "last_ts": parse_time(checkpoint.state.get("last")),
    }


@pytest.mark.parametrize("path", [path for path in _truth() if path.startswith("codex/")])
def test_a_sample_is_counted_as_by_another_reader(path: str) -> None:
    truth = {name: _truth()[path][name] for name in _COUNTS}
    counted = _counted(_FIXTURES / path)
    for name, (theirs, ours, reason) in _DEPARTURES.get(Path(path).name, {}).items():
        assert (truth[name], counted[name]) == (theirs, ours), reason
        truth[name] = ours
    truth["last_ts"] = parse_time(truth["last_ts"])
    # A session starts with the time that its first record names: the line is written later.
    written = parse_time(truth["first_ts"])
    assert written is not None
    assert timedelta() <= written - counted["first_ts"] < timedelta(seconds=5)
    truth["first_ts"] = counted["first_ts"]
    assert counted == truth


def test_a_packed_sample_is_counted_as_the_plain_one() -> None:
    (packed,) = (_FIXTURES / "codex/built_zst").rglob("*.zst")
    (plain,) = (_FIXTURES / "codex/real_0.130.0").rglob("*.jsonl")
    assert _counted(packed) == _counted(plain)


def test_every_departure_is_of_a_sample() -> None:
    assert set(_DEPARTURES) <= {Path(path).name for path in _truth()}
