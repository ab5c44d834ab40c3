"""Codex's rollouts: items and events, forks, names, the older formats."""

from __future__ import annotations

import json
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
import zstandard

from store import agents
from store.models import Kind, Origin, Role, TitleFrom
from tests.agents.reading import Kept, Shelf, only, write

_ID = "01a1fb4f-f372-7433-b9f3-7f69b46cb13d"
_FORK = "01a1fb5c-ccd5-73a2-bccf-fa0e99e5e068"
_LATER = "01a1fb5d-ccd5-73a2-bccf-fa0e99e5e068"
_CODEX = agents.load("codex")


def _record(kind: str, payload: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"timestamp": "2026-11-20T10:00:00.000Z", "type": kind, "payload": payload} | more


def _meta(thread: str = _ID, **more: Any) -> dict[str, Any]:
    payload = {"id": thread, "timestamp": "2026-11-20T09:59:59Z", "cwd": "/src", "source": "cli"}
    return _record("session_meta", payload | {"git": {"branch": "main"}} | more)


def _message(role: str, *texts: str, **more: Any) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    content = [{"type": kind, "text": text} for text in texts]
    return _record("response_item", {"type": "message", "role": role, "content": content} | more)


def _item(kind: str, **payload: Any) -> dict[str, Any]:
    return _record("response_item", {"type": kind} | payload)


def _numbered(records: list[dict[str, Any]], start: int = 0) -> list[dict[str, Any]]:
    return [record | {"ordinal": n} for n, record in enumerate(records, start)]


def _rollout(home: Path, records: list[Any], thread: str = _ID, *, archived: bool = False) -> Path:
    folder = home / "archived_sessions" if archived else home / "sessions" / "2026" / "11" / "20"
    return write(folder / f"rollout-2026-11-20T10-00-00-{thread}.jsonl", records)


def _read(home: Path, *records: Any) -> Kept:
    _rollout(home, list(records))
    return only(_CODEX, home)


def test_text_comes_from_items_and_not_again_from_events(tmp_path: Path) -> None:
    kept = _read(
        tmp_path,
        _meta(),
        _message("developer", "rules"),
        _message("user", "# AGENTS.md instructions for /src", "<environment_context></a>"),
        _message("user", "hello é"),
        _record("event_msg", {"type": "user_message", "message": "hello é"}),
        _record(
            "turn_context",
            {"model": "gpt", "approval_policy": "never", "sandbox_policy": {"type": "read-only"}},
        ),
        _item("reasoning", summary=[{"type": "summary_text", "text": "Hm."}], content=None),
        _item("reasoning", summary=[], encrypted_content="xx"),
        _message("assistant", "Hi."),
        _record("event_msg", {"type": "agent_message", "message": "Hi."}),
        _record("compacted", {"message": "So far.", "replacement_history": [{"type": "message"}]}),
    )
    assert [(m.key, m.role, m.kind, m.content) for m in kept.messages.values()] == [
        ("l4", Role.USER, Kind.TEXT, "hello é"),
        ("l7", Role.ASSISTANT, Kind.THINKING, "Hm."),
        ("l9", Role.ASSISTANT, Kind.TEXT, "Hi."),
        ("l11", Role.SYSTEM, Kind.SUMMARY, "So far."),
    ]
    assert kept.prompts == ["hello é"]
    facts = kept.facts
    assert (facts.session_id, facts.project_path, facts.git_branch) == (_ID, "/src", "main")
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
        _meta(),
        _record("response_item", call | {"call_id": "c1"}),
        _record("response_item", call | {"call_id": "c1"}),
        _item("function_call_output", call_id="c1", output=output),
    )
    made, result = kept.messages.values()
    assert (made.kind, made.tool_name, made.content) == (Kind.TOOL_CALL, name, arguments)
    assert (result.kind, result.tool_name, result.content) == (Kind.TOOL_RESULT, name, content)
    assert result.is_error is failed


def test_what_the_program_put_into_a_prompt_is_taken_out(tmp_path: Path) -> None:
    image = {"type": "input_image", "image_url": "data:image/png;base64,QUJD"}
    parts = ['<image name=[Image #1] path="a.png">', "</image>", "what is it?"]
    shown = _message("user", *parts)
    shown["payload"]["content"].insert(1, image)
    kinds = {"content_item_kinds": ["environments.environment_context", "user.text"]}
    ide = (
        "# Context from my IDE setup:\n\n## Open tabs:\n- a.py\n\n## My request for Codex:\nfix it"
    )
    kept = _read(
        tmp_path,
        _meta(),
        shown,
        _message("user", ide),
        _message("user", "odd context", "own", internal_chat_message_metadata_passthrough=kinds),
        _message("user", "<turn_aborted>\nx</turn_aborted>"),
    )
    assert kept.prompts == ["[image: image/png, 3 bytes]\nwhat is it?", "fix it", "own"]


def test_a_fork_shows_what_it_was_forked_from(tmp_path: Path) -> None:
    first = [_meta(), _message("user", "one"), _message("assistant", "1"), _message("user", "late")]
    base = {"thread_id": _ID, "end_ordinal_exclusive": 3, "end_byte_offset": 1}
    second = [_meta(_FORK, forked_from_id=_ID, history_base=base), _message("user", "two")]
    base = {"thread_id": _FORK, "end_ordinal_exclusive": 5}
    third = [_meta(_LATER, forked_from_id=_FORK, history_base=base), _message("user", "three")]
    _rollout(tmp_path, _numbered(first), archived=True)
    _rollout(tmp_path, _numbered(second, 3), _FORK)
    path = _rollout(tmp_path, _numbered(third, 5), _LATER)
    shelf = Shelf()
    sessions = shelf.read_all(_CODEX, tmp_path)
    fork, later = sessions[_FORK], sessions[_LATER]
    assert [(m.key, m.content, m.inherited) for m in later.messages.values()] == [
        ("o1", "one", True),
        ("o2", "1", True),
        ("o4", "two", True),
        ("o6", "three", False),
    ]
    assert (later.facts.fork_session_id, fork.facts.fork_session_id) == (_FORK, _ID)
    assert fork.contents() == ["one", "1", "two"]
    assert later.facts.title == "three"
    assert sessions[_ID].facts.archived
    write(path, _numbered([_message("user", "four")], 7), append=True)
    shelf.read_all(_CODEX, tmp_path)
    assert later.prompts == ["one", "two", "three", "four"]
    assert shelf.checkpoints[path].records == 3


def test_a_fork_whose_origin_is_gone_or_itself(tmp_path: Path) -> None:
    for thread in (_ID, _FORK):
        base = {"thread_id": thread, "end_ordinal_exclusive": 9}
        _rollout(
            tmp_path, _numbered([_meta(_FORK, history_base=base), _message("user", "x")]), _FORK
        )
        kept = only(_CODEX, tmp_path)
        assert [m.content for m in kept.messages.values() if not m.inherited] in ([], ["x"])
        assert kept.prompts == ["x"]


def test_turns_taken_back_are_off_the_branch(tmp_path: Path) -> None:
    back = _record("event_msg", {"type": "thread_rolled_back", "num_turns": 1})
    records = [_meta(), _message("user", "a"), _message("user", "b"), _message("assistant", "B")]
    kept = _read(tmp_path / "whole", *records, back, _message("user", "c"))
    assert kept.off_branch == {"l3", "l4"}
    shelf = Shelf()
    path = _rollout(tmp_path / "parts", records)
    shelf.read_all(_CODEX, tmp_path / "parts")
    write(path, [back, _message("user", "c")], append=True)
    parts = shelf.read_all(_CODEX, tmp_path / "parts")[_ID]
    assert (parts.off_branch, parts.messages) == (kept.off_branch, kept.messages)


def test_names_given_by_the_person(tmp_path: Path) -> None:
    path = _rollout(tmp_path, [_meta(), _message("user", "hello")])
    shelf = Shelf()
    (source,) = _CODEX.find(tmp_path)
    shelf.read(_CODEX, source)
    index = [{"id": _ID, "thread_name": name, "updated_at": "2099-01-01T00:00:00Z"}
             for name in ("Old", "New")]  # fmt: skip
    write(tmp_path / "session_index.jsonl", index)
    (renamed,) = _CODEX.find(tmp_path)
    assert renamed.fingerprint != source.fingerprint
    checkpoint = shelf.read(_CODEX, renamed)
    assert checkpoint.fingerprint == renamed.fingerprint
    assert shelf.messages_given == 0
    assert shelf.sessions[_ID].facts.title == "New"
    for number, name in ((4, "Older"), (10, "From the database")):
        with sqlite3.connect(tmp_path / f"state_{number}.sqlite") as database:
            database.execute("CREATE TABLE threads (id TEXT, name TEXT)")
            database.execute("INSERT INTO threads VALUES (?, ?)", (_ID, name))
        database.close()
    facts = only(_CODEX, tmp_path).facts
    assert (facts.title, facts.title_from) == ("From the database", TitleFrom.AGENT)
    assert path.is_file()


def test_a_subagent_belongs_to_its_parent(tmp_path: Path) -> None:
    source = {"subagent": {"thread_spawn": {"parent_thread_id": _FORK, "depth": 1}}}
    kept = _read(tmp_path, _meta(source=source), _message("user", "count"), _meta(_FORK))
    assert kept.facts.origin is Origin.SUBAGENT
    assert (kept.facts.session_id, kept.facts.parent_session_id) == (_ID, _FORK)
    assert kept.prompts == []
    assert kept.facts.title == "count"
    assert _read(tmp_path, _meta(source="exec")).facts.origin is Origin.PERSON


def test_the_flat_format(tmp_path: Path) -> None:
    content = [{"type": "input_text", "text": "<environment_context>\n<cwd>/old</cwd></e>"}]
    kept = _read(
        tmp_path,
        {"id": _ID, "timestamp": "2025-08-01T00:00:00Z", "instructions": None, "git": {}},
        {"record_type": "state"},
        {"type": "message", "id": None, "role": "user", "content": content},
        {"type": "message", "id": None, "role": "user", "content": "hi"},
        {"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "c"},
    )
    assert kept.contents() == ["hi", "{}"]
    assert kept.facts.project_path == "/old"
    assert {m.timestamp for m in kept.messages.values()} == {kept.facts.started_at}


def test_a_packed_rollout_reads_like_the_plain_one(tmp_path: Path) -> None:
    records = [_meta(), _message("user", "one"), _message("assistant", "1")]
    path = _rollout(tmp_path, records)
    plain = only(_CODEX, tmp_path)
    packed = path.with_name(f"{path.name}.zst")
    packed.write_bytes(zstandard.compress(path.read_bytes()))
    assert [source.path for source in _CODEX.find(tmp_path)] == [path]
    path.unlink()
    shelf = Shelf()
    assert shelf.read_all(_CODEX, tmp_path)[_ID].messages == plain.messages
    more = json.dumps(_message("user", "two")).encode() + b"\n"
    with packed.open("ab") as file:
        file.write(zstandard.compress(more))
    shelf.read_all(_CODEX, tmp_path)
    assert shelf.messages_given == 1
    assert shelf.sessions[_ID].prompts == ["one", "two"]
    packed.write_bytes(packed.read_bytes()[:-5])
    assert only(_CODEX, tmp_path).prompts == ["one"]
    packed.write_bytes(b"not packed at all")
    (source,) = _CODEX.find(tmp_path)
    with pytest.raises(OSError, match="unpacked"):
        list(_CODEX.read(source, None))


def test_a_transcript_in_utf16(tmp_path: Path) -> None:
    path = _rollout(tmp_path, [])
    text = "".join(f"{json.dumps(r, ensure_ascii=False)}\r\n" for r in
                   (_meta(), _message("user", "Gurmukhi ਅ ਊ, 日本")))  # fmt: skip
    path.write_bytes(text.encode("utf-16"))
    shelf = Shelf()
    assert shelf.read_all(_CODEX, tmp_path)[_ID].prompts == ["Gurmukhi ਅ ਊ, 日本"]
    with path.open("ab") as file:
        file.write((json.dumps(_message("user", "more")) + "\r\n").encode("utf-16-le"))
    assert shelf.read_all(_CODEX, tmp_path)[_ID].prompts[1:] == ["more"]
    assert shelf.messages_given == 1


@pytest.mark.parametrize("odd", [None, 5, True, "x", [], {}, [[]], [None], {"type": []}])
def test_no_field_has_to_be_what_it_should_be(tmp_path: Path, odd: Any) -> None:
    meta = _meta()
    records = [_meta(**{field: odd}) for field in (*meta["payload"], "history_base", "source")]
    kinds: tuple[str, ...] = ("message", "reasoning", "function_call", "custom_tool_call")
    fields = ("role", "content", "summary", "name", "arguments", "input", "action", "call_id")
    kinds += ("function_call_output", "web_search_call")
    records += [_item(kind, **dict.fromkeys(fields, odd), output=odd) for kind in kinds]
    records.append(_message("user", "text", internal_chat_message_metadata_passthrough=odd))
    for kind in ("turn_context", "compacted", "event_msg", "session_meta", "response_item"):
        records.append(_record(kind, {"type": odd, "model": odd, "sandbox_policy": odd}))
        records.append({"type": kind, "payload": odd, "timestamp": odd, "ordinal": odd})
    kept = _read(tmp_path, meta, *records, _message("user", "fine"))
    assert kept.prompts[-1] == "fine"
    assert kept.facts.session_id == _ID


def test_bad_lines_and_a_torn_end(tmp_path: Path) -> None:
    path = _rollout(tmp_path, [_meta(), "nonsense", '"text"', _message("user", "one")])
    shelf = Shelf()
    with path.open("a") as file:
        file.write('{"timestamp":"2026')
    shelf.read_all(_CODEX, tmp_path)
    checkpoint = shelf.checkpoints[path]
    assert [skip.line for skip in checkpoint.skipped] == [2, 3]
    assert (checkpoint.records, checkpoint.pending) == (4, 5)
    os.truncate(path, path.stat().st_size - len('{"timestamp":"2026'))
    write(path, [_message("user", "two")], append=True)
    shelf.read_all(_CODEX, tmp_path)
    assert shelf.sessions[_ID].prompts == ["one", "two"]
    assert shelf.messages_given == 1
