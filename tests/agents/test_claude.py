"""Claude Code's transcripts: words and noise, titles, sub-agents, forks, odd records."""

from __future__ import annotations

import dataclasses
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from store.models import Kind, Origin, Role, TitleFrom
from store.sources import Checkpoint
from tests.agents.claude_records import (
    CLAUDE,
    ID,
    OTHER,
    assistant,
    call,
    home,
    parallel,
    read,
    record,
    result,
    text,
    user,
)
from tests.agents.reading import Shelf, only, write

_FIX = "\n<command-name>/fix</command-name>\n"


def test_one_message_for_each_thing_said(tmp_path: Path) -> None:
    kept = read(
        tmp_path,
        user("a", None, "list them"),
        assistant("b", "a", {"type": "thinking", "thinking": ""}, text("Looking.")),
        assistant("c", "b", call("t1", command="ls é")),
        user("d", "c", [result("t1", [text("one"), text("two")], is_error=True)]),
        assistant("e", "d", {"type": "thinking", "thinking": "Hm."}),
    )
    assert [(m.key, m.role, m.kind) for m in kept.messages.values()] == [
        ("a", Role.USER, Kind.TEXT),
        ("b/1", Role.ASSISTANT, Kind.TEXT),
        ("c", Role.ASSISTANT, Kind.TOOL_CALL),
        ("d", Role.TOOL, Kind.TOOL_RESULT),
        ("e", Role.ASSISTANT, Kind.THINKING),
    ]
    called, returned = kept.messages["c"], kept.messages["d"]
    assert called.content == '{"command":"ls é"}'
    assert (called.tool_name, called.tool_call_id, called.model) == ("Bash", "t1", "sonnet")
    assert (returned.content, returned.tool_name, returned.is_error) == ("one\ntwo", "Bash", True)
    assert kept.prompts == ["list them"]
    assert kept.facts.project_path == "/home/ann/src"
    assert (kept.facts.git_branch, kept.facts.model) == ("main", "sonnet")


@pytest.mark.parametrize(
    ("said", "role", "content", "is_prompt"),
    [
        ("plain", "user", "plain", True),
        ("<div> is what I want", "user", "<div> is what I want", True),
        ("<ide_selection>x = 1</ide_selection>\nwhy?", "user", "why?", True),
        ("<ide_opened_file>a.py</ide_opened_file>", None, None, None),
        ("<system-reminder>do not</system-reminder>", None, None, None),
        ("go\n<system-reminder>x</system-reminder>", "user", "go", True),
        ("Caveat: The messages below were made", None, None, None),
        ("<task-notification>\n<status>done</status></task-notification>", None, None, None),
        ("<bash-input>ls</bash-input>", "user", "!ls", False),
        ("<bash-stdout>a</bash-stdout><bash-stderr></bash-stderr>", "system", "a", False),
        ("<bash-stdout></bash-stdout><bash-stderr></bash-stderr>", None, None, None),
        ("<local-command-stdout>ok</local-command-stdout>", "system", "ok", False),
        (
            f"<command-message>fix</command-message>{_FIX}<command-args>it now</command-args>",
            "user",
            "/fix it now",
            False,
        ),
        (
            "[Request interrupted by user for tool use]",
            "system",
            "[Request interrupted by user for tool use]",
            False,
        ),
    ],
)
@pytest.mark.parametrize("is_list", [False, True])
def test_a_persons_words_are_told_from_the_programs(
    tmp_path: Path,
    said: str,
    role: str | None,
    content: str | None,
    is_prompt: bool | None,
    is_list: bool,
) -> None:
    kept = read(tmp_path, user("a", None, [text(said)] if is_list else said))
    found = [(m.role, m.content, m.is_prompt) for m in kept.messages.values()]
    assert found == ([] if role is None else [(role, content, is_prompt)])


def test_meta_records_and_summaries(tmp_path: Path) -> None:
    kept = read(
        tmp_path,
        user("a", None, "injected", isMeta=True),
        user("b", "a", "What happened before.", isCompactSummary=True),
    )
    (message,) = kept.messages.values()
    assert (message.role, message.kind) == (Role.SYSTEM, Kind.SUMMARY)
    assert kept.facts.title is None


def test_pictures_and_queued_prompts(tmp_path: Path) -> None:
    picture = {"type": "image", "source": {"media_type": "image/png", "data": "QUJDRA=="}}
    queued = {"type": "queued_command", "prompt": "and this", "commandMode": "prompt"}
    notice = queued | {"commandMode": "task-notification"}
    kept = read(
        tmp_path,
        user("a", None, [picture, text("what is it?")]),
        record("attachment", "b", "a", attachment=queued),
        record("attachment", "c", "b", attachment=notice),
    )
    assert kept.prompts == ["[image: image/png, 4 bytes]\nwhat is it?", "and this"]
    assert kept.facts.title == "what is it?"


def test_titles_by_rank(tmp_path: Path) -> None:
    records: list[Any] = [
        {"type": "summary", "summary": "of another session", "leafUuid": "zz"},
        user("a", None, "<ide_selection>x</ide_selection>first\n  prompt " + "x" * 300),
    ]
    facts = read(tmp_path, *records).facts
    assert facts.title is not None
    assert facts.title.startswith("first prompt x")
    assert len(facts.title) <= 200
    assert facts.title_from is TitleFrom.PROMPT
    for title in (
        {"type": "summary", "summary": "from a summary", "leafUuid": "a"},
        {"type": "ai-title", "aiTitle": "from the agent"},
        {"type": "custom-title", "customTitle": "from the person"},
        {"type": "custom-title", "customTitle": "renamed\nagain"},
    ):
        records.append(title)
        facts = read(tmp_path, *records).facts
        wanted = next(title[k] for k in ("summary", "aiTitle", "customTitle") if k in title)
        assert facts.title == " ".join(wanted.split())
        assert facts.title_from is TitleFrom.AGENT
    records.append({"type": "ai-title", "aiTitle": "from the agent, later"})
    assert read(tmp_path, *records).facts.title == "renamed again"


def test_subagents_of_both_layouts(tmp_path: Path) -> None:
    folder = tmp_path / "projects" / "-home-ann-src"
    lines = [user("a", None, "count", isSidechain=True), assistant("b", "a", text("3"))]
    new = folder / ID / "subagents" / "agent-77.jsonl"
    write(new, lines)
    new.with_name("agent-77.meta.json").write_text('{"description": "Count files"}')
    write(folder / ID / "subagents" / "workflows" / "w" / "agent-78.jsonl", lines)
    write(folder / ID / "subagents" / "workflows" / "w" / "journal.jsonl", [{"type": "started"}])
    write(folder / "agent-79.jsonl", lines)
    write(folder / "agent-80.jsonl", [user("a", None, "Warmup", isSidechain=True)])
    sessions = Shelf().read_all(CLAUDE, tmp_path)
    assert set(sessions) == {f"{ID}/agent-{number}" for number in (77, 78, 79, 80)}
    assert all(kept.facts.parent_session_id == ID for kept in sessions.values())
    assert all(kept.prompts == [] for kept in sessions.values())
    assert sessions[f"{ID}/agent-77"].facts.title == "Count files"
    assert sessions[f"{ID}/agent-79"].facts.title == "count"
    assert sessions[f"{ID}/agent-77"].facts.origin is Origin.SUBAGENT
    assert sessions[f"{ID}/agent-80"].facts.origin is Origin.AUTOMATED


def test_an_inline_sidechain_stays_without_prompts(tmp_path: Path) -> None:
    kept = read(
        tmp_path,
        user("a", None, "go"),
        user("b", None, "do a part", isSidechain=True),
        assistant("c", "b", call("t1"), isSidechain=True),
        assistant("d", "a", text("done")),
    )
    assert kept.prompts == ["go"]
    assert len(kept.calls) == 1
    assert len(kept.messages) == 4
    assert kept.off_branch == set()


def test_times_come_from_the_record_before_never_from_now(tmp_path: Path) -> None:
    path = home(
        tmp_path,
        [
            user("a", None, "one", timestamp="no time"),
            user("b", "a", "two", timestamp=1795217682),
            user("c", "b", "three", timestamp=None),
        ],
    )
    times = {m.timestamp for m in only(CLAUDE, tmp_path).messages.values()}
    assert times == {datetime.fromtimestamp(1795217682, UTC)}
    write(path, [user("a", None, "one", timestamp=None)])
    os.utime(path, (1000, 1000))
    (message,) = only(CLAUDE, tmp_path).messages.values()
    assert message.timestamp == datetime.fromtimestamp(1000, UTC)


@pytest.mark.parametrize("odd", [None, 5, True, "x", [], {}, [[]], [None], {"type": []}, 1e400])
def test_no_field_has_to_be_what_it_should_be(tmp_path: Path, odd: Any) -> None:
    good = user("a", None, "fine")
    block = {"type": "tool_use", "id": odd, "name": odd, "input": odd}
    result = {"type": "tool_result", "tool_use_id": odd, "content": odd, "is_error": odd}
    image = {"type": "image", "source": odd}
    records = [good | {field: odd, "uuid": f"u{n}"} for n, field in enumerate(good)]
    records += [good | {"uuid": odd}, assistant("b", "a", block), user("c", "b", [result, image])]
    records += [
        record(kind, f"k{kind}", "a", message=odd, content=odd, attachment=odd)
        for kind in ("user", "assistant", "system", "attachment")
    ]
    kinds = ("summary", "custom-title", "ai-title", "last-prompt", "permission-mode")
    fields = ("summary", "leafUuid", "customTitle", "aiTitle", "permissionMode", "sessionId")
    records += [{"type": kind} | dict.fromkeys(fields, odd) for kind in kinds]
    kept = read(tmp_path, good, *records)
    assert kept.prompts[0] == "fine"
    assert kept.facts.session_id == ID


def test_a_fork_knows_its_origin_and_what_it_copied(tmp_path: Path) -> None:
    shared = [user("a", None, "one"), assistant("b", "a", text("1"))]
    copied = [record | {"sessionId": OTHER} for record in shared]
    later = {"timestamp": "2026-11-20T12:00:00Z"}
    home(tmp_path, [*shared, user("c", "b", "on", timestamp="2026-11-20T11:00:00Z")])
    home(tmp_path, [*copied, user("d", "b", "forked") | later], OTHER)
    sessions = Shelf().read_all(CLAUDE, tmp_path)
    assert sessions[ID].facts.fork_session_id is None
    assert sessions[OTHER].facts.fork_session_id == ID
    inherited = {m.key for m in sessions[OTHER].messages.values() if m.inherited}
    assert inherited == {"a", "b"}
    assert not any(m.inherited for m in sessions[ID].messages.values())


def test_the_name_of_the_file_is_the_session(tmp_path: Path) -> None:
    record = user("a", None, "hi")
    del record["sessionId"]
    write(tmp_path / "loose" / "talk.jsonl", [record])
    (source,) = CLAUDE.find(tmp_path / "loose" / "talk.jsonl")
    assert source.root == tmp_path / "loose"
    assert only(CLAUDE, tmp_path).facts.session_id == "talk"
    write(tmp_path / "loose" / "talk.jsonl", [user("a", None, "hi")])
    assert only(CLAUDE, tmp_path).facts.session_id == ID


def test_an_empty_file_still_leaves_a_checkpoint(tmp_path: Path) -> None:
    home(tmp_path, [])
    (source,) = CLAUDE.find(tmp_path)
    (chunk,) = CLAUDE.read(source, None)
    assert chunk.checkpoint == Checkpoint(
        source.fingerprint, state=chunk.checkpoint.state, finished=True
    )
    assert chunk.session is not None
    assert chunk.session.session_id == ID


def test_a_checkpoint_of_another_file_is_not_gone_on_from(tmp_path: Path) -> None:
    home(tmp_path, parallel())
    (source,) = CLAUDE.find(tmp_path)
    last = list(CLAUDE.read(source, None))[-1].checkpoint
    other = dataclasses.replace(last.fingerprint, inode=last.fingerprint.inode + 1)
    again = list(CLAUDE.read(source, dataclasses.replace(last, fingerprint=other)))
    assert sum(len(chunk.messages) for chunk in again) == 6
