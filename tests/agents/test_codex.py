"""Codex's rollouts: items and events, forks, names, the older formats."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import zstandard

from store import open_store
from store.ingest import run
from store.models import Kind, Origin, Role, TitleFrom
from tests.agents.codex_records import (
    CODEX,
    FORK,
    ID,
    LATER,
    item,
    message,
    meta,
    numbered,
    record,
    rollout,
)
from tests.agents.reading import Kept, Shelf, only, write


def _read(home: Path, *records: Any) -> Kept:
    rollout(home, list(records))
    return only(CODEX, home)


def test_text_comes_from_items_and_not_again_from_events(tmp_path: Path) -> None:
    kept = _read(
        tmp_path,
        meta(),
        message("developer", "rules"),
        message("user", "# AGENTS.md instructions for /src", "<environment_context></a>"),
        message("user", "hello é"),
        record("event_msg", {"type": "user_message", "message": "hello é"}),
        record(
            "turn_context",
            {"model": "gpt", "approval_policy": "never", "sandbox_policy": {"type": "read-only"}},
        ),
        item("reasoning", summary=[{"type": "summary_text", "text": "Hm."}], content=None),
        item("reasoning", summary=[], encrypted_content="xx"),
        message("assistant", "Hi."),
        record("event_msg", {"type": "agent_message", "message": "Hi."}),
        record("compacted", {"message": "So far.", "replacement_history": [{"type": "message"}]}),
    )
    assert [(m.key, m.role, m.kind, m.content) for m in kept.messages.values()] == [
        ("l4", Role.USER, Kind.TEXT, "hello é"),
        ("l7", Role.ASSISTANT, Kind.THINKING, "Hm."),
        ("l9", Role.ASSISTANT, Kind.TEXT, "Hi."),
        ("l11", Role.SYSTEM, Kind.SUMMARY, "So far."),
    ]
    assert kept.prompts == ["hello é"]
    facts = kept.facts
    assert (facts.session_id, facts.project_path, facts.git_branch) == (ID, "/src", "main")
    assert (facts.model, facts.permission_mode) == ("gpt", "never/read-only")
    assert (facts.title, facts.title_from) == ("hello é", TitleFrom.PROMPT)


@pytest.mark.parametrize(
    ("call", "output", "name", "arguments", "content", "failed"),
    [
        ({"type": "function_call", "name": "exec", "arguments": '{"cmd": "ls é"}'},
         "Wall time: 1\nProcess exited with code 3\nOutput:\nx", "exec", '{"cmd":"ls é"}',
         "Wall time: 1\nProcess exited with code 3\nOutput:\nx", True),
        ({"type": "function_call", "name": "exec", "arguments": {"cmd": 1}},
         "Process exited with code 0\nOutput:\nProcess exited with code", "exec", '{"cmd":1}',
         "Process exited with code 0\nOutput:\nProcess exited with code", False),
        ({"type": "custom_tool_call", "name": "apply_patch", "input": "*** Begin"},
         '{"output":"done","metadata":{"exit_code":1}}', "apply_patch", "*** Begin", "done", True),
        ({"type": "local_shell_call", "action": {"command": ["ls"]}},
         {"content": "no", "success": False}, "local_shell", '{"command":["ls"]}', "no", True),
        ({"type": "function_call", "name": "look", "arguments": "not json"},
         [{"type": "input_text", "text": "a"}, {"type": "input_image", "image_url": "http://x"}],
         "look", "not json", "a\n[image: http://x]", False),
    ],
)  # fmt: skip
def test_calls_and_their_outputs(
    tmp_path: Path,
    call: dict[str, Any],
    output: Any,
    name: str,
    arguments: str,
    content: str,
    failed: bool,
) -> None:
    kept = _read(
        tmp_path,
        meta(),
        record("response_item", call | {"call_id": "c1"}),
        record("response_item", call | {"call_id": "c1"}),
        item("function_call_output", call_id="c1", output=output),
    )
    made, result = kept.messages.values()
    assert (made.kind, made.tool_name, made.content) == (Kind.TOOL_CALL, name, arguments)
    assert (result.kind, result.tool_name, result.content) == (Kind.TOOL_RESULT, name, content)
    assert result.is_error is failed


def test_what_the_program_put_into_a_prompt_is_taken_out(tmp_path: Path) -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,QUJD"}
    parts = ['<image name=[Image #1] path="a.png">', "</image>", "what is it?"]
    shown = message("user", *parts)
    shown["payload"]["content"].insert(1, image)
    kinds = {"content_item_kinds": ["environments.environment_context", "user.text"]}
    ide = (
        "# Context from my IDE setup:\n\n## Open tabs:\n- a.py\n\n## My request for Codex:\nfix it"
    )
    kept = _read(
        tmp_path,
        meta(),
        shown,
        message("user", ide),
        message("user", "odd context", "own", internal_chat_message_metadata_passthrough=kinds),
        message("user", "<turn_aborted>\nx</turn_aborted>"),
    )
    assert kept.prompts == ["[image: image/png, 3 bytes]\nwhat is it?", "fix it", "own"]


def test_a_fork_shows_what_it_was_forked_from(tmp_path: Path) -> None:
    first = [meta(), message("user", "one"), message("assistant", "1"), message("user", "late")]
    base = {"thread_id": ID, "end_ordinal_exclusive": 3, "end_byte_offset": 1}
    second = [meta(FORK, forked_from_id=ID, history_base=base), message("user", "two")]
    base = {"thread_id": FORK, "end_ordinal_exclusive": 5}
    third = [meta(LATER, forked_from_id=FORK, history_base=base), message("user", "three")]
    rollout(tmp_path, numbered(first), archived=True)
    rollout(tmp_path, numbered(second, 3), FORK)
    path = rollout(tmp_path, numbered(third, 5), LATER)
    shelf = Shelf()
    sessions = shelf.read_all(CODEX, tmp_path)
    fork, later = sessions[FORK], sessions[LATER]
    assert [(m.key, m.content, m.inherited) for m in later.messages.values()] == [
        ("o1", "one", True),
        ("o2", "1", True),
        ("o4", "two", True),
        ("o6", "three", False),
    ]
    assert (later.facts.fork_session_id, fork.facts.fork_session_id) == (FORK, ID)
    assert fork.contents() == ["one", "1", "two"]
    assert later.facts.title == "three"
    assert sessions[ID].facts.archived
    write(path, numbered([message("user", "four")], 7), append=True)
    shelf.read_all(CODEX, tmp_path)
    assert later.prompts == ["one", "two", "three", "four"]
    assert shelf.checkpoints[path].records == 3


def test_a_fork_whose_origin_is_gone_or_itself(tmp_path: Path) -> None:
    for thread in (ID, FORK):
        base = {"thread_id": thread, "end_ordinal_exclusive": 9}
        rollout(tmp_path, numbered([meta(FORK, history_base=base), message("user", "x")]), FORK)
        kept = only(CODEX, tmp_path)
        assert [m.content for m in kept.messages.values() if not m.inherited] in ([], ["x"])
        assert kept.prompts == ["x"]


def test_turns_taken_back_are_off_the_branch(tmp_path: Path) -> None:
    back = record("event_msg", {"type": "thread_rolled_back", "num_turns": 1})
    records = [meta(), message("user", "a"), message("user", "b"), message("assistant", "B")]
    kept = _read(tmp_path / "whole", *records, back, message("user", "c"))
    assert kept.off_branch == {"l3", "l4"}
    shelf = Shelf()
    path = rollout(tmp_path / "parts", records)
    shelf.read_all(CODEX, tmp_path / "parts")
    write(path, [back, message("user", "c")], append=True)
    parts = shelf.read_all(CODEX, tmp_path / "parts")[ID]
    assert (parts.off_branch, parts.messages) == (kept.off_branch, kept.messages)


def _state(home: Path, number: int, name: str) -> None:
    with contextlib.closing(sqlite3.connect(home / f"state_{number}.sqlite")) as database:
        database.execute("CREATE TABLE IF NOT EXISTS threads (id TEXT PRIMARY KEY, name TEXT)")
        database.execute("INSERT OR REPLACE INTO threads VALUES (?, ?)", (ID, name))
        database.commit()


def _named(name: str) -> dict[str, str]:
    return {"id": ID, "thread_name": name, "updated_at": "2020-01-01T00:00:00Z"}


def test_names_given_by_the_person(tmp_path: Path) -> None:
    rollout(tmp_path, [meta(), message("user", "hello")])
    write(tmp_path / "session_index.jsonl", [_named("Old"), _named("New"), "torn"])
    assert only(CODEX, tmp_path).facts.title == "New"
    _state(tmp_path, 10, "From the database")
    _state(tmp_path, 4, "Older")
    facts = only(CODEX, tmp_path).facts
    assert (facts.title, facts.title_from) == ("From the database", TitleFrom.AGENT)


async def test_a_rename_is_noticed_though_no_rollout_changed(tmp_path: Path) -> None:
    rollout(tmp_path, [meta(), message("user", "hello")])
    rollout(tmp_path, [meta(FORK), message("user", "other")], FORK)
    index = tmp_path / "session_index.jsonl"
    env = {"CODEX_HOME": str(tmp_path)}
    async with open_store(":memory:") as store:

        async def seen() -> tuple[int, int, int, int, set[str]]:
            report = await run(store, only=["codex"], env=env)
            assert report.records_all == report.records_imported == 4
            assert report.sources_seen == 2
            titles = {row.task.title for row in (await store.list_tasks()).items}
            read, unchanged = report.sources_read, report.sources_unchanged
            return read, unchanged, report.messages_added, report.sessions_updated, titles

        assert await seen() == (2, 0, 2, 0, {"hello", "other"})
        assert await seen() == (0, 2, 0, 0, {"hello", "other"})
        write(index, [_named("One"), {"id": LATER, "thread_name": "Of no rollout"}])
        assert await seen() == (1, 1, 0, 1, {"One", "other"})
        write(index, [_named("Two")], append=True)
        assert await seen() == (1, 1, 0, 1, {"Two", "other"})
        assert await seen() == (0, 2, 0, 0, {"Two", "other"})
        _state(tmp_path, 5, "Three")
        assert await seen() == (1, 1, 0, 1, {"Three", "other"})
        _state(tmp_path, 5, "Four")
        assert await seen() == (1, 1, 0, 1, {"Four", "other"})
        assert await seen() == (0, 2, 0, 0, {"Four", "other"})


def test_a_subagent_belongs_to_its_parent(tmp_path: Path) -> None:
    source = {"subagent": {"thread_spawn": {"parent_thread_id": FORK, "depth": 1}}}
    kept = _read(tmp_path, meta(source=source), message("user", "count"), meta(FORK))
    assert kept.facts.origin is Origin.SUBAGENT
    assert (kept.facts.session_id, kept.facts.parent_session_id) == (ID, FORK)
    assert kept.prompts == []
    assert kept.facts.title == "count"
    assert _read(tmp_path, meta(source="exec")).facts.origin is Origin.PERSON


def test_the_flat_format(tmp_path: Path) -> None:
    content = [{"type": "input_text", "text": "<environment_context>\n<cwd>/old</cwd></e>"}]
    kept = _read(
        tmp_path,
        {"id": ID, "timestamp": "2025-08-01T00:00:00Z", "instructions": None, "git": {}},
        {"record_type": "state"},
        {"type": "message", "id": None, "role": "user", "content": content},
        {"type": "message", "id": None, "role": "user", "content": "hi"},
        {"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c"},
    )
    assert kept.contents() == ["hi", "{}"]
    assert kept.facts.project_path == "/old"
    assert {m.timestamp for m in kept.messages.values()} == {kept.facts.started_at}


def test_a_packed_rollout_reads_like_the_plain_one(tmp_path: Path) -> None:
    records = [meta(), message("user", "one"), message("assistant", "1")]
    path = rollout(tmp_path, records)
    plain = only(CODEX, tmp_path)
    packed = path.with_name(f"{path.name}.zst")
    packed.write_bytes(zstandard.compress(path.read_bytes()))
    assert [source.path for source in CODEX.find(tmp_path)] == [path]
    path.unlink()
    shelf = Shelf()
    assert shelf.read_all(CODEX, tmp_path)[ID].messages == plain.messages
    more = json.dumps(message("user", "two")).encode() + b"\n"
    with packed.open("ab") as file:
        file.write(zstandard.compress(more))
    shelf.read_all(CODEX, tmp_path)
    assert shelf.messages_given == 1
    assert shelf.sessions[ID].prompts == ["one", "two"]
    packed.write_bytes(packed.read_bytes()[:-5])
    assert only(CODEX, tmp_path).prompts == ["one"]
    packed.write_bytes(b"not packed at all")
    (source,) = CODEX.find(tmp_path)
    with pytest.raises(OSError, match="unpacked"):
        list(CODEX.read(source, None))


def test_a_transcript_in_utf16(tmp_path: Path) -> None:
    path = rollout(tmp_path, [])
    text = "".join(f"{json.dumps(r, ensure_ascii=False)}\r\n" for r in
                   (meta(), message("user", "Gurmukhi ਅ ਊ, 日本")))  # fmt: skip
    path.write_bytes(text.encode("utf-16"))
    shelf = Shelf()
    assert shelf.read_all(CODEX, tmp_path)[ID].prompts == ["Gurmukhi ਅ ਊ, 日本"]
    with path.open("ab") as file:
        file.write((json.dumps(message("user", "more")) + "\r\n").encode("utf-16-le"))
    assert shelf.read_all(CODEX, tmp_path)[ID].prompts[1:] == ["more"]
    assert shelf.messages_given == 1


@pytest.mark.parametrize("odd", [None, 5, True, "x", [], {}, [[]], [None], {"type": []}])
def test_no_field_has_to_be_what_it_should_be(tmp_path: Path, odd: Any) -> None:
    first = meta()
    records = [meta(**{field: odd}) for field in (*first["payload"], "history_base", "source")]
    kinds: tuple[str, ...] = ("message", "reasoning", "function_call", "custom_tool_call")
    fields = ("role", "content", "summary", "name", "arguments", "input", "action", "call_id")
    kinds += ("function_call_output", "web_search_call")
    records += [item(kind, **dict.fromkeys(fields, odd), output=odd) for kind in kinds]
    records.append(message("user", "text", internal_chat_message_metadata_passthrough=odd))
    for kind in ("turn_context", "compacted", "event_msg", "session_meta", "response_item"):
        records.append(record(kind, {"type": odd, "model": odd, "sandbox_policy": odd}))
        records.append({"type": kind, "payload": odd, "timestamp": odd, "ordinal": odd})
    kept = _read(tmp_path, first, *records, message("user", "fine"))
    assert kept.prompts[-1] == "fine"
    assert kept.facts.session_id == ID


def test_bad_lines_and_a_torn_end(tmp_path: Path) -> None:
    path = rollout(tmp_path, [meta(), "nonsense", '"text"', message("user", "one")])
    shelf = Shelf()
    with path.open("a") as file:
        file.write('{"timestamp":"2026')
    shelf.read_all(CODEX, tmp_path)
    checkpoint = shelf.checkpoints[path]
    assert [skip.line for skip in checkpoint.skipped] == [2, 3]
    assert (checkpoint.records, checkpoint.pending) == (4, 5)
    os.truncate(path, path.stat().st_size - len('{"timestamp":"2026'))
    write(path, [message("user", "two")], append=True)
    shelf.read_all(CODEX, tmp_path)
    assert shelf.sessions[ID].prompts == ["one", "two"]
    assert shelf.messages_given == 1


async def test_what_codex_archives_later_is_put_away_once(tmp_path: Path) -> None:
    """A person who takes it back here keeps it, whatever is said in it next."""
    records = numbered([meta(), message("user", "hello")])
    path = rollout(tmp_path, records)
    env = {"CODEX_HOME": str(tmp_path)}
    async with open_store(":memory:") as store:
        await run(store, only=["codex"], env=env)
        [task_id] = await store.list_task_ids()
        path.unlink()
        rollout(tmp_path, records, archived=True)
        await run(store, only=["codex"], env=env)
        assert (await store.get_task(task_id)).archived_at is not None
        await store.unarchive(task_id)
        more = [*records, *numbered([message("assistant", "hi")], len(records))]
        rollout(tmp_path, more, archived=True)
        report = await run(store, only=["codex"], env=env)
        assert (report.messages_added, (await store.get_task(task_id)).archived_at) == (1, None)
