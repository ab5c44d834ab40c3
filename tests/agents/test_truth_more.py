"""Every count of every Claude Code and Goose sample, and each place where we differ and why."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from store import agents
from store.models import Kind, NewMessage, Origin, Role
from store.times import parse_time
from tests.agents.reading import Kept, Shelf
from tests.agents.test_truth import _FIXTURES, _TRUTH, _truth

pytestmark = pytest.mark.skipif(not _TRUTH.is_file(), reason="the shared samples are not here")

_NO_ID = "no record names a session: the name of the file does"
_WARMUP = "an agent's first prompt is its title, though no person's"
_FOREIGN = "the summary is of a record in another file"

# What we say otherwise than the counts do: (part of the path, what) -> (our value, the reason).
_DEPARTURES: dict[tuple[str, str], tuple[Any, str]] = {
    ("queued_system_messages", "session_id"): ("queued_system_messages", _NO_ID),
    ("tool_call_pending", "session_id"): ("tool_call_pending", _NO_ID),
    ("truncated", "session_id"): ("truncated", _NO_ID),
    ("valid_session", "session_id"): ("valid_session", _NO_ID),
    ("agent-0fc7e73b", "title"): ("Warmup", _WARMUP),
    ("agent-36ada028", "title"): ("Count the files and run ls", _WARMUP),
    ("agent-545115c5", "title"): ("Warmup", _WARMUP),
    ("agent-569c4e03", "title"): ("Warmup", _WARMUP),
    ("agent-f24c3576", "title"): ("Warmup", _WARMUP),
    ("agent-a5f95212ae7269cb6", "title"): (
        "List files in the folder",
        "the file beside a sub-agent's says what it was asked for",
    ),
    ("21c061e2", "title"): ("use a subagent to count", _FOREIGN),
    ("sample_session", "title"): ("Create a hello world function", _FOREIGN),
    ("55555555", "first_user_prompt"): (
        "what is in this picture?\n[image: image/png, 69 bytes]",
        "a picture in a prompt is a line of it",
    ),
}

# What no message or fact of ours says, so that there is nothing to compare.
_NOT_KEPT = {
    "path",
    "bytes",
    "agent",
    "all_session_ids",  # a file is one session; these never differ in the samples
    "cwds",  # the first one is kept: the session is resumed there
    "assistant_messages_distinct_id",  # the service's ids of answers are not kept
    "usage_dedup_by_message_id",  # nor is usage
    "duplicate_uuids",  # a record that is there twice is read once
    "sidechain_lines",  # nor which records were a sub-agent's, save that they hold no prompts
}


def _of(agent: str) -> list[str]:
    return [path for path in _truth() if path.startswith(f"{agent}/")]


def _read(path: str) -> tuple[Kept, Any]:
    shelf = Shelf()
    source = _FIXTURES / path
    (kept,) = shelf.read_all(agents.load(path.partition("/")[0]), source).values()
    return kept, shelf.checkpoints[source]


def _departure(path: str, what: str, otherwise: Any) -> Any:
    for (part, name), (ours, _) in _DEPARTURES.items():
        if part in path and name == what:
            return ours
    return otherwise


def _records(messages: list[NewMessage]) -> dict[str, NewMessage]:
    """Give the first message of each record, by the record's name."""
    first: dict[str, NewMessage] = {}
    for message in messages:
        first.setdefault((message.key or "").partition("/")[0], message)
    return first


def _titles(truth: dict[str, Any]) -> str | None:
    titles = truth["titles"]
    title = titles.get("custom-title") or titles.get("ai-title") or titles.get("summary")
    title = title or truth["first_user_prompt"]
    return f"{title[:199].rstrip()}…" if title and len(title) > 200 else title


@pytest.mark.parametrize("path", _of("claude"))
def test_a_claude_transcript_as_it_was_counted(path: str) -> None:
    truth = _truth()[path]
    kept, checkpoint = _read(path)
    facts = kept.facts
    messages = list(kept.messages.values())
    told = [m for m in messages if m.role is not Role.SYSTEM]
    times = [m.timestamp for m in told if m.timestamp is not None]
    answers = _records([m for m in messages if m.role is Role.ASSISTANT])
    unread = len(checkpoint.skipped) + (checkpoint.pending is not None)
    session_id = truth["session_id"]
    if "agent-" in path:  # a sub-agent's records carry its parent's id
        assert facts.parent_session_id == session_id
        session_id = f"{session_id}/{Path(path).stem}"
    ours = {
        "session_id": facts.session_id,
        "file_lines": checkpoint.records + (checkpoint.pending is not None),
        "bad_json_lines": unread,
        "record_types": checkpoint.records - len(checkpoint.skipped),
        "user_prompts": len(kept.prompts),
        "assistant_lines": len(answers),
        "tool_calls": len({m.tool_call_id for m in kept.calls}),
        "tool_results": len({m.tool_call_id for m in messages if m.kind is Kind.TOOL_RESULT}),
        "first_user_prompt": kept.prompts[0] if kept.prompts else None,
        "cwd": facts.project_path,
        "git_branch": facts.git_branch,
        "models": Counter(m.model or "null" for m in answers.values()),
        "titles": facts.title,
        "first_ts": min(times),
        "last_ts": max(times),
        "file_order_is_time_order": times == sorted(times),
    }
    theirs = {name: value for name, value in truth.items() if name not in _NOT_KEPT} | {
        "session_id": _departure(path, "session_id", session_id),
        "record_types": sum(truth["record_types"].values()),
        "first_user_prompt": _departure(path, "first_user_prompt", truth["first_user_prompt"]),
        "titles": _departure(path, "title", _titles(truth)),
        "first_ts": parse_time(truth["first_ts"]),
        "last_ts": parse_time(truth["last_ts"]),
    }
    assert ours == theirs


def test_the_departures_are_departures() -> None:
    for part, what in _DEPARTURES:
        (path,) = (path for path in _of("claude") if part in path)
        truth = _truth()[path]
        theirs = _titles(truth) if what == "title" else truth[what]
        assert _DEPARTURES[part, what][0] != theirs


def _seconds(moment: datetime | None) -> int:
    assert moment is not None
    return int(moment.timestamp())


@pytest.mark.parametrize("path", [path for path in _of("goose") if path.endswith(".db")])
def test_a_goose_database_as_it_was_counted(path: str) -> None:
    shelf = Shelf()
    sessions = shelf.read_all(agents.load("goose"), _FIXTURES / path)
    truth = _truth()[path]
    assert len(sessions) == truth["sessions"]
    rows = sum(each["rows"] for each in truth["by_session"].values())
    checkpoint = shelf.checkpoints[_FIXTURES / path]
    assert (checkpoint.records, checkpoint.skipped, checkpoint.pending) == (rows, (), None)
    for name, theirs in truth["by_session"].items():
        kept = sessions[name]
        messages = list(kept.messages.values())
        texts = [m for m in messages if m.role is Role.ASSISTANT and m.kind is Kind.TEXT]
        is_subagent = kept.facts.origin is Origin.SUBAGENT
        created = _seconds(parse_time(theirs["created_at"]))
        if kept.facts.fork_session_id is None:  # a fork's messages are older than it is
            created = min(created, theirs["first_created_timestamp"])
        assert _seconds(kept.facts.started_at) == created
        ours = {
            "name": kept.facts.title,
            "session_type": "sub_agent" if is_subagent else "user",
            "cwd": kept.facts.project_path,
            "rows": len(_records(messages)),
            "user_prompts": len(kept.prompts),
            "assistant_rows_with_text": len(texts),
            "tool_calls": len(kept.calls),
            "tool_results": sum(m.kind is Kind.TOOL_RESULT for m in messages),
            "first_user_prompt": kept.prompts[0],
            "first_created_timestamp": _seconds(messages[0].timestamp),
            "last_created_timestamp": _seconds(messages[-1].timestamp),
        }
        assert ours == {k: v for k, v in theirs.items() if k not in ("created_at", "updated_at")}


@pytest.mark.parametrize("path", [path for path in _of("goose") if path.endswith(".jsonl")])
def test_a_file_of_an_older_goose_as_it_was_counted(path: str) -> None:
    truth = _truth()[path]
    kept, checkpoint = _read(path)
    ours = {
        "session_id": kept.facts.session_id,
        "file_lines": checkpoint.records,
        "messages": len(_records(list(kept.messages.values()))),
        "cwd": kept.facts.project_path,
        "name": kept.facts.title,
        "user_prompts": len(kept.prompts),
        "tool_calls": len(kept.calls),
        "first_user_prompt": kept.prompts[0],
    }
    assert ours == {k: v for k, v in truth.items() if k not in _NOT_KEPT}
    assert (checkpoint.skipped, checkpoint.pending) == ((), None)
