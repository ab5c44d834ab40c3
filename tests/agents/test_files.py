from __future__ import annotations

import os
from pathlib import Path

import pytest

from store import agents
from store.reading.files import files_below, open_regular
from tests.agents.reading import Shelf, write

_ID = "11111111-1111-4111-8111-111111111111"
_USER = {"type": "user", "uuid": "a", "sessionId": _ID, "message": {"content": "hello"}}


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.jsonl")
    for path in (tmp_path / "fifo.jsonl", tmp_path, Path("/dev/null")):
        with pytest.raises(OSError, match="regular"):
            open_regular(path)


def test_a_walk_ends_and_passes_over_what_is_no_file(tmp_path: Path) -> None:
    folder = tmp_path / "projects" / "-x"
    real = write(folder / f"{_ID}.jsonl", [_USER])
    os.mkfifo(folder / "22222222-2222-4222-8222-222222222222.jsonl")
    (folder / "loop").symlink_to(tmp_path)
    (folder / "self").symlink_to(folder / "self")
    (folder / "0.jsonl").symlink_to(real)
    (folder / "gone.jsonl").symlink_to(tmp_path / "nowhere")
    assert [path for path, _ in files_below(tmp_path, lambda _: True)] == [str(real)]
    sources = list(agents.load("claude").find(tmp_path))
    assert [source.path for source in sources] == [real]


def test_a_link_to_a_transcript_elsewhere_is_followed(tmp_path: Path) -> None:
    real = write(tmp_path / "elsewhere" / f"{_ID}.jsonl", [_USER])
    link = tmp_path / "home" / "projects" / "-x" / real.name
    link.parent.mkdir(parents=True)
    link.symlink_to(real)
    sessions = Shelf().read_all(agents.load("claude"), tmp_path / "home")
    assert list(sessions) == [_ID]


@pytest.mark.parametrize("name", agents.names())
def test_nothing_is_found_where_nothing_is(name: str, tmp_path: Path) -> None:
    adapter = agents.load(name)
    (tmp_path / "notes.jsonl").write_text('{"some":"thing"}\n')
    (tmp_path / "sessions.db").write_text("no database")
    assert list(adapter.find(tmp_path)) == []
    assert list(adapter.find(tmp_path / "missing")) == []


def test_each_agent_finds_its_own_only(tmp_path: Path) -> None:
    write(tmp_path / "a.jsonl", [_USER])
    meta = {"timestamp": "2026-01-01T00:00:00Z", "type": "session_meta", "payload": {"id": "x"}}
    write(tmp_path / "b.jsonl", [meta])
    qwen = {"type": "user", "uuid": "a", "sessionId": "s", "message": {"parts": [{"text": "hi"}]}}
    write(tmp_path / "c.jsonl", [qwen])
    write(tmp_path / "history.jsonl", [{"display": "x", "sessionId": "s"}])
    write(tmp_path / "session_index.jsonl", [{"id": "x", "thread_name": "y"}])
    found = {
        name: [s.path.name for s in agents.load(name).find(tmp_path)] for name in agents.names()
    }
    assert found == {"claude": ["a.jsonl"], "codex": ["b.jsonl"], "goose": []}


def test_the_newest_goes_first(tmp_path: Path) -> None:
    for place, name in enumerate(("2", "3", "1")):
        path = write(tmp_path / "projects/-x" / f"{name * 8}-1111-4111-8111-111111111111.jsonl", [])
        os.utime(path, (100 + place, 100 + place))
    names = [source.path.name[0] for source in agents.load("claude").find(tmp_path)]
    assert names == ["1", "3", "2"]
