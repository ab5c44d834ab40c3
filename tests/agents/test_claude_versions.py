"""What single versions of Claude Code write besides a plain conversation."""

from __future__ import annotations

from pathlib import Path

from store import TaskFilter, ingest, open_store
from tests.agents.claude_records import CLAUDE, ID, assistant, call, home, read, record, text, user
from tests.agents.reading import Shelf, write
from tests.store.helpers import texts


def test_a_session_that_was_moved_stays_where_it_began(tmp_path: Path) -> None:
    kept = read(
        tmp_path,
        user("a", None, "one"),
        {"type": "relocated", "relocatedCwd": "/home/ann/new", "sessionId": ID},
        user("b", "a", "two", cwd="/home/ann/new"),
    )
    assert kept.facts.project_path == "/home/ann/src"
    assert kept.prompts == ["one", "two"]
    assert len(kept.messages) == 2


def test_progress_stands_between_a_call_and_what_follows(tmp_path: Path) -> None:
    kept = read(
        tmp_path,
        user("a", None, "go"),
        assistant("b", "a", call("t1")),
        user("x", "b", "wrong way"),
        record("progress", "c", "b", data={"type": "hook_progress"}, toolUseID="t1"),
        record("system", "d", "c", subtype="turn_duration", durationMs=5),
        user("e", "d", "on"),
        assistant("f", "e", text("done")),
    )
    assert kept.off_branch == {"x"}
    assert list(kept.messages) == ["a", "b", "x", "e", "f"]


def test_a_compaction_that_comes_later_keeps_what_came_before(tmp_path: Path) -> None:
    path = home(tmp_path, [user("a", None, "one"), assistant("b", "a", text("1"))])
    shelf = Shelf()
    shelf.read_all(CLAUDE, tmp_path)
    boundary = record("system", "c", None, subtype="compact_boundary", logicalParentUuid="b")
    story = user("d", "c", "The story so far.", isCompactSummary=True)
    write(path, [boundary, story, user("e", "d", "two")], append=True)
    kept = shelf.read_all(CLAUDE, tmp_path)[ID]
    assert shelf.messages_given == 2  # the file was gone on with, not begun again
    assert kept.off_branch == set()
    assert kept.prompts == ["one", "two"]


async def test_answers_written_before_their_prompt_are_read_after_it(tmp_path: Path) -> None:
    def at(second: int) -> dict[str, str]:
        return {"timestamp": f"2026-11-20T10:00:{second:02d}.000Z"}

    home(
        tmp_path,
        [
            assistant("b", "a", text("1"), **at(2)),
            assistant("c", "b", call("t1"), **at(3)),
            user("a", None, "one", **at(1)),
            user("d", "c", "two", **at(4)),
        ],
    )
    async with open_store(":memory:") as store:
        await ingest.run(store, only=["claude"], paths=[tmp_path])
        session = await store.find_session("claude", ID)
        history = await store.get_history(session.task_id)
    assert texts(history) == ["one", "1", "{}", "two"]
    assert all(message.on_branch for message in history)


async def test_a_warmup_is_not_listed_and_a_part_of_the_work_hangs_below_it(tmp_path: Path) -> None:
    path = home(tmp_path, [user("a", None, "go")])
    write(path.with_name("agent-0000000a.jsonl"), [user("b", None, "Warmup", isSidechain=True)])
    part = path.with_suffix("") / "subagents" / "workflows" / "w" / "agent-5.jsonl"
    write(part, [user("c", None, "do a part", isSidechain=True)])
    write(part.with_name("journal.jsonl"), [{"type": "started", "agentId": "5", "sessionId": ID}])
    async with open_store(":memory:") as store:
        await ingest.run(store, only=["claude"], paths=[tmp_path])
        shown = await store.list_tasks(TaskFilter())
        everything = await store.list_tasks(TaskFilter(everything=True))
    assert [row.task.title for row in shown.items] == ["go"]
    (main,) = shown.items
    assert sorted(row.task.title for row in everything.items) == ["Warmup", "do a part", "go"]
    below = {row.task.title: row.task.parent_task_id for row in everything.items}
    assert below["do a part"] == main.task.id
