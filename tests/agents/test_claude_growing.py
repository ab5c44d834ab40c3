"""Claude Code's transcripts as they grow: branches, torn ends, files written anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.agents.claude_records import (
    CLAUDE,
    ID,
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
from tests.agents.reading import Shelf, write


def test_calls_side_by_side_are_no_branch(tmp_path: Path) -> None:
    kept = read(tmp_path, *parallel(), user("g", "f", "more"), assistant("h", "g", text("k")))
    assert kept.off_branch == set()


def test_what_was_rewound_is_off_the_branch(tmp_path: Path) -> None:
    kept = read(
        tmp_path,
        *parallel(),
        user("g", "f", "wrong way"),
        assistant("h", "g", text("gone"), call("t3")),
        user("i", "f", "right way"),
        assistant("j", "i", text("here")),
    )
    assert kept.off_branch == {"g", "h/0", "h/1"}
    assert kept.prompts == ["two at once", "wrong way", "right way"]


def test_a_rewind_to_the_start(tmp_path: Path) -> None:
    kept = read(
        tmp_path,
        user("a", None, "wrong way"),
        assistant("b", "a", text("gone")),
        user("c", None, "right way"),
        assistant("d", "c", text("here")),
    )
    assert kept.off_branch == {"a", "b"}


def test_a_rewind_without_a_new_prompt_and_back_again(tmp_path: Path) -> None:
    path = home(tmp_path, parallel())
    shelf = Shelf()
    shelf.read_all(CLAUDE, tmp_path)
    more = [user("g", "f", "wrong way"), assistant("h", "g", text("gone"))]
    write(path, [*more, {"type": "last-prompt", "leafUuid": "f"}], append=True)
    assert shelf.read_all(CLAUDE, tmp_path)[ID].off_branch == {"g", "h"}
    write(path, [user("i", "h", "was not so wrong"), assistant("z", "i", text("ok"))], append=True)
    assert shelf.read_all(CLAUDE, tmp_path)[ID].off_branch == set()


@pytest.mark.parametrize("cut", [2, 3, 4])
def test_a_clock_set_back_rewinds_nothing(tmp_path: Path, cut: int) -> None:
    def at(second: int) -> dict[str, str]:
        return {"timestamp": f"2026-11-20T10:00:{second:02}.000Z"}

    records = [
        user("a", None, "one", **at(50)),
        assistant("b", "a", text("1"), **at(51)),
        user("c", "b", "two", **at(10)),
        assistant("d", "c", text("2"), **at(11)),
        user("e", "d", "three", **at(12)),
    ]
    path = home(tmp_path, records[:cut])
    shelf = Shelf()
    shelf.read_all(CLAUDE, tmp_path)
    for one in records[cut:]:
        write(path, [one], append=True)
        kept = shelf.read_all(CLAUDE, tmp_path)[ID]
        assert shelf.messages_given == 1, "the rest is not read again"
    assert kept.off_branch == set()
    assert read(tmp_path / "whole", *records).off_branch == set()


def test_compaction_does_not_cut_the_history_off(tmp_path: Path) -> None:
    boundary = record("system", "c", None, subtype="compact_boundary", logicalParentUuid="b")
    kept = read(
        tmp_path,
        user("a", None, "one"),
        assistant("b", "a", text("1")),
        boundary,
        user("d", "c", "The story so far.", isCompactSummary=True),
        user("e", "d", "two"),
        assistant("f", "e", text("2")),
    )
    assert kept.off_branch == set()
    assert len(kept.messages) == 5


@pytest.mark.parametrize("cut", range(1, 12))
def test_reading_in_parts_gives_what_reading_at_once_gives(tmp_path: Path, cut: int) -> None:
    records = [
        *parallel(),
        user("g", "f", "wrong way"),
        assistant("h", "g", text("gone"), call("t3")),
        user("i", "f", "right way"),
        assistant("j", "i", call("t4", "Read")),
        {"type": "custom-title", "customTitle": "A title", "sessionId": ID},
        user("k", "j", [result("t4", "text")]),
    ]
    whole = read(tmp_path / "whole", *records)
    parts = tmp_path / "parts"
    shelf = Shelf()
    path = home(parts, records[:cut])
    shelf.read_all(CLAUDE, parts)
    write(path, records[cut:], append=True)
    kept = shelf.read_all(CLAUDE, parts)[ID]
    assert kept.messages == whole.messages
    assert kept.off_branch == whole.off_branch == {"g", "h/0", "h/1"}
    assert kept.facts == whole.facts
    (checkpoint,) = shelf.checkpoints.values()
    assert (checkpoint.records, checkpoint.line) == (len(records), len(records))


def test_only_what_was_appended_is_read(tmp_path: Path) -> None:
    path = home(tmp_path, parallel())
    shelf = Shelf()
    shelf.read_all(CLAUDE, tmp_path)
    (source,) = CLAUDE.find(tmp_path)
    assert shelf.checkpoints[path].fingerprint == source.fingerprint
    shelf.read(CLAUDE, source)
    assert shelf.messages_given == 0
    write(path, [user("g", "f", "more")], append=True)
    shelf.read_all(CLAUDE, tmp_path)
    assert shelf.messages_given == 1
    assert shelf.checkpoints[path].offset == path.stat().st_size


def test_a_torn_last_line_is_waited_for(tmp_path: Path) -> None:
    path = home(tmp_path, [user("a", None, "one")])
    line = json.dumps(user("b", "a", "two é")).encode()
    shelf = Shelf()
    for size in range(1, len(line), 40):
        path.write_bytes(json.dumps(user("a", None, "one")).encode() + b"\n" + line[:size])
        shelf.read_all(CLAUDE, tmp_path)
        checkpoint = shelf.checkpoints[path]
        assert (checkpoint.pending, checkpoint.records, checkpoint.line) == (2, 1, 1)
    with path.open("ab") as file:
        file.write(line[size:])
    assert shelf.read_all(CLAUDE, tmp_path)[ID].prompts == ["one", "two é"]
    with path.open("ab") as file:
        file.write(b"\n" + json.dumps("no record").encode() + b"\n")
    shelf.read_all(CLAUDE, tmp_path)
    checkpoint = shelf.checkpoints[path]
    assert (checkpoint.pending, checkpoint.records, checkpoint.line) == (None, 3, 3)
    assert [skip.line for skip in checkpoint.skipped] == [3]


def test_a_rewritten_file_is_read_from_its_start(tmp_path: Path) -> None:
    path = home(tmp_path, [user("a", None, "one"), user("b", "a", "two")])
    shelf = Shelf()
    shelf.read_all(CLAUDE, tmp_path)
    inode = path.stat().st_ino
    longer = [user("c", None, "another story, and a longer one"), user("d", "c", "x" * 2000)]
    with path.open("r+") as file:
        file.truncate()
        file.write("".join(json.dumps(record) + "\n" for record in longer))
    assert path.stat().st_ino == inode
    shelf.read_all(CLAUDE, tmp_path)
    assert shelf.messages_given == 2
    assert shelf.checkpoints[path].records == 2


def test_a_large_file_comes_in_chunks_and_can_be_gone_on_with(tmp_path: Path) -> None:
    records = [user("u0", None, "go")]
    records += [assistant(f"u{n}", f"u{n - 1}", text(f"part {n}")) for n in range(1, 1800)]
    home(tmp_path, records)
    (source,) = CLAUDE.find(tmp_path)
    chunks = list(CLAUDE.read(source, None))
    assert len(chunks) == 4
    assert max(len(chunk.messages) for chunk in chunks) <= 500
    assert [chunk.checkpoint.finished for chunk in chunks] == [False, False, False, True]
    after = list(CLAUDE.read(source, chunks[1].checkpoint))
    keys = {m.key for chunk in [*chunks[:2], *after] for m in chunk.messages}
    assert len(keys) == 1800
    assert after[-1].checkpoint == chunks[-1].checkpoint
