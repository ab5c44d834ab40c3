"""What the first Codex wrote: a JSON document per session, written anew after each answer."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from store import open_store
from store.agents import resume_command
from store.errors import ResumeError
from store.ingest import run
from store.models import Kind, Role
from tests.agents.codex_records import CODEX, ID
from tests.agents.reading import Shelf, only

_SHELL = {"type": "exec", "command": ["ls"], "working_directory": "/src", "env": {}}
_ITEMS: list[dict[str, Any]] = [
    {"role": "user", "type": "message", "content": [{"type": "input_text", "text": "list é"}]},
    {"id": "rs_1", "type": "reasoning", "summary": [], "duration_ms": 3753},
    {"id": "rs_2", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}]},
    {"type": "function_call", "name": "shell", "arguments": '{"command":["ls"]}', "call_id": "a"},
    {"type": "function_call_output", "call_id": "a",
     "output": '{"output":"x","metadata":{"exit_code":2,"duration_seconds":0}}'},
    {"id": "lsh_1", "type": "local_shell_call", "action": _SHELL, "call_id": "b"},
    {"type": "local_shell_call_output", "call_id": "b", "output": '{"output":"a.py"}'},
    {"id": "m", "role": "assistant", "type": "message",
     "content": [{"type": "output_text", "text": 'One file: {"type": "message"}'}]},
]  # fmt: skip


def _text(items: list[Any], *, indent: int | None = 2) -> str:
    session = {"timestamp": "2025-04-19T07:47:53.257Z", "id": ID, "instructions": '"items": ['}
    return json.dumps({"session": session, "items": items}, indent=indent, ensure_ascii=False)


def _write(home: Path, text: str) -> Path:
    path = home / "sessions" / f"rollout-2025-04-19-{ID}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("indent", [2, None])
def test_a_conversation_of_the_first_codex(tmp_path: Path, indent: int | None) -> None:
    path = _write(tmp_path, _text(_ITEMS, indent=indent))
    shelf = Shelf()
    kept = shelf.read_all(CODEX, tmp_path)[ID]
    assert [
        (m.role, m.kind, m.content, m.tool_name, m.is_error) for m in kept.messages.values()
    ] == [
        (Role.USER, Kind.TEXT, "list é", None, False),
        (Role.ASSISTANT, Kind.THINKING, "Hm.", None, False),
        (Role.ASSISTANT, Kind.TOOL_CALL, '{"command":["ls"]}', "shell", False),
        (Role.TOOL, Kind.TOOL_RESULT, "x", "shell", True),
        (Role.ASSISTANT, Kind.TOOL_CALL, json.dumps(_SHELL, separators=(",", ":")),
         "local_shell", False),
        (Role.TOOL, Kind.TOOL_RESULT, "a.py", "local_shell", False),
        (Role.ASSISTANT, Kind.TEXT, 'One file: {"type": "message"}', None, False),
    ]  # fmt: skip
    assert (kept.facts.title, kept.facts.project_path) == ("list é", "/src")
    stamps = {str(m.timestamp) for m in kept.messages.values()}
    assert stamps == {"2025-04-19 07:47:53.257000+00:00"}
    checkpoint = shelf.checkpoints[path]
    assert (checkpoint.records, checkpoint.skipped, checkpoint.pending) == (8, (), None)


def test_a_document_that_grew_adds_what_is_new(tmp_path: Path) -> None:
    path = _write(tmp_path, _text(_ITEMS[:3]))
    shelf = Shelf()
    shelf.read_all(CODEX, tmp_path)
    _write(tmp_path, _text(_ITEMS))
    kept = shelf.read_all(CODEX, tmp_path)[ID]
    assert list(kept.messages) == list(only(CODEX, tmp_path).messages)
    assert len(kept.messages) == 7
    assert shelf.checkpoints[path].records == 8
    assert kept.off_branch == set()


def test_what_was_compacted_away_is_off_the_branch_and_comes_back(tmp_path: Path) -> None:
    _write(tmp_path, _text(_ITEMS))
    shelf = Shelf()
    shelf.read_all(CODEX, tmp_path)
    said = {"role": "assistant", "type": "message", "content": [{"text": "In short."}]}
    _write(tmp_path, _text([*_ITEMS[:2], said]))
    kept = shelf.read_all(CODEX, tmp_path)[ID]
    on = [m.content for m in kept.messages.values() if m.key not in kept.off_branch]
    assert on == ["list é", "In short."]
    assert len(kept.messages) == 8
    _write(tmp_path, _text([*_ITEMS[:2], said])[:-40])
    shelf.read_all(CODEX, tmp_path)
    assert len(kept.off_branch) == 6
    _write(tmp_path, _text(_ITEMS))
    shelf.read_all(CODEX, tmp_path)
    assert [kept.messages[key].content for key in kept.off_branch] == ["In short."]


def test_every_cut_of_a_document_gives_the_items_before_it(tmp_path: Path) -> None:
    text = _text(_ITEMS)
    ends = [len(_text(_ITEMS[:count])) - len("\n  ]\n}") for count in range(1, 9)]
    for cut in range(0, len(text) - len("]\n}"), 7):
        path = _write(tmp_path, text[:cut])
        (source,) = CODEX.find(tmp_path)
        shelf = Shelf()
        checkpoint = shelf.read(CODEX, source)
        assert checkpoint.skipped == ()
        if cut:
            assert checkpoint.records == sum(cut >= end for end in ends)
            assert checkpoint.pending == checkpoint.records + 1
        path.unlink()


@pytest.mark.parametrize(
    ("whole", "damaged", "lost"),
    [
        ('"name": "shell"', '"name": shell', '{"command":["ls"]}'),
        ('"name": "shell"', '"name": "shell', '{"command":["ls"]}'),
        ('"call_id": "a"\n    },', '"call_id": "a"\n    ', '{"command":["ls"]}'),
        ('"role": "user"', '"role": user', "list é"),
        ('"type": "input_text",', '"type": \x00\x00', "list é"),
        ('"text": "list é"', '"text": "list \\é"', "list é"),
        ('"instructions": "', '"instructions": "\\x', None),
    ],
)
def test_damage_costs_the_item_it_is_in(
    tmp_path: Path, whole: str, damaged: str, lost: str | None
) -> None:
    text = _text(_ITEMS)
    all_of_it = only(CODEX, _write(tmp_path, text)).contents()
    assert whole in text
    path = _write(tmp_path, text.replace(whole, damaged, 1))
    shelf = Shelf()
    kept = shelf.read_all(CODEX, tmp_path)[ID]
    checkpoint = shelf.checkpoints[path]
    assert kept.contents() == [content for content in all_of_it if content != lost]
    assert len(checkpoint.skipped) == (lost is not None)
    assert all(skip.reason.startswith("damaged") for skip in checkpoint.skipped)
    assert (checkpoint.records, checkpoint.pending) == (len(_ITEMS), None)


def test_what_is_no_item_is_reported(tmp_path: Path) -> None:
    path = _write(tmp_path, _text([_ITEMS[0], 5, "text", None, [], {}, _ITEMS[7]]))
    shelf = Shelf()
    kept = shelf.read_all(CODEX, tmp_path)[ID]
    checkpoint = shelf.checkpoints[path]
    assert [skip.line for skip in checkpoint.skipped] == [2, 3, 4, 5]
    assert checkpoint.records == 7
    assert len(kept.messages) == 2


def test_a_value_between_two_blocks_is_one(tmp_path: Path) -> None:
    text = _text([_ITEMS[7], 123456])
    padding = " " * (32 * 1024 - text.index("123456") - 3)
    path = _write(tmp_path, text.replace("123456", f"{padding}123456"))
    shelf = Shelf()
    shelf.read_all(CODEX, tmp_path)
    checkpoint = shelf.checkpoints[path]
    assert ([skip.line for skip in checkpoint.skipped], checkpoint.records) == ([2], 2)


def test_only_documents_of_codex_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "elsewhere" / f"rollout-2025-04-19-{ID}.json"
    path.parent.mkdir()
    path.write_text('{"session": "of something else"}')
    (tmp_path / "elsewhere" / "package.json").write_text(_text(_ITEMS))
    assert list(CODEX.find(tmp_path)) == []
    path.write_text(_text(_ITEMS))
    assert [source.path for source in CODEX.find(path)] == [path]
    path.write_text('{"session": {"id": "x"}}')
    assert Shelf().read(CODEX, next(CODEX.find(path))).pending is None


def test_a_large_document_is_read_in_little_memory(tmp_path: Path) -> None:
    picture = {"type": "input_image", "image_url": "data:image/png;base64," + "QUJD" * 4_000_000}
    items = [{"role": "user", "type": "message", "content": [picture]}]
    items += [
        {"type": "function_call_output", "call_id": f"c{n}", "output": f"{n} " * 5000}
        for n in range(600)
    ]
    path = _write(tmp_path, _text(items))
    assert path.stat().st_size > 25_000_000
    del items, picture
    tracemalloc.start()
    source = next(CODEX.find(tmp_path))
    messages = [
        (message.key, len(message.content), message.content[:12])
        for chunk in CODEX.read(source, None)
        for message in chunk.messages
    ]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(messages) == 601
    assert messages[0][2] == "[image: imag"
    assert messages[-1][2] == "599 599 599 "
    assert peak < 12_000_000


async def test_it_is_imported_and_found_but_not_resumed(tmp_path: Path) -> None:
    path = _write(tmp_path, _text(_ITEMS))
    env = {"CODEX_HOME": str(tmp_path)}
    async with open_store(":memory:") as store:
        report = await run(store, only=["codex"], env=env)
        assert (report.records_all, report.sessions_added, report.messages_added) == (8, 1, 7)
        again = await run(store, only=["codex"], env=env)
        assert (again.sources_unchanged, again.messages_added, again.records_all) == (1, 0, 8)
        session = await store.find_session("codex", ID)
    assert session is not None
    assert session.source_path == str(path)
    with pytest.raises(ResumeError, match="first versions"):
        resume_command(session, fork=False, env=env)
