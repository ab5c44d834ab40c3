"""Forks of Codex: those that hold a copy of their origin, and those that only name it."""

from __future__ import annotations

import shutil
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard

from store.models import Origin
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

_NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
_BACK = record("event_msg", {"type": "thread_rolled_back", "num_turns": 2})


def _at(moment: datetime, records: list[dict[str, Any]], *, apart: float) -> list[dict[str, Any]]:
    """Stamp records as they are written one after the other, so many seconds apart."""
    return [
        one | {"timestamp": (moment + timedelta(seconds=apart * n)).isoformat()}
        for n, one in enumerate(records)
    ]


def _turn(
    moment: datetime, prompt: str, answer: str, *, with_id: bool, apart: float = 2
) -> list[dict[str, Any]]:
    """Give the records of a turn, written when it was."""
    milliseconds = int(moment.timestamp() * 1000)
    turn = uuid.UUID(int=(milliseconds << 80) | (7 << 76) | (2 << 62) | len(prompt))
    told = {"turn_id": str(turn)} if with_id else {}
    records = [
        record("event_msg", {"type": "task_started", **told}),
        message("user", prompt),
        record("event_msg", {"type": "user_message", "message": prompt}),
        record("turn_context", {"cwd": "/src", "model": "gpt", **told}),
        item("reasoning", summary=[], encrypted_content="xx"),
        message("assistant", answer),
    ]
    return _at(moment, records, apart=apart)


def _origin(*, with_id: bool) -> list[dict[str, Any]]:
    return [
        *_at(_NOON - timedelta(hours=1), [meta()], apart=0),
        *_turn(_NOON - timedelta(hours=1), "one", "1", with_id=with_id),
        *_turn(_NOON - timedelta(minutes=30), "two", "2", with_id=with_id),
    ]


def _fork(
    origin: list[dict[str, Any]], *own: dict[str, Any], thread: str = FORK, **more: Any
) -> list[dict[str, Any]]:
    """Give a fork's records as the older versions wrote them: stamped when they were copied."""
    first = meta(thread, timestamp=_NOON.isoformat(), **more)
    return [*_at(_NOON, [first, *origin], apart=0.003), *own]


def _heard(kept: Kept) -> list[tuple[str, bool]]:
    return [(m.content, m.inherited) for m in kept.messages.values()]


_WHOLE = [("one", True), ("1", True), ("two", True), ("2", True), ("three", False), ("3", False)]


@pytest.mark.parametrize("with_id", [True, False])
@pytest.mark.parametrize("is_gone", [True, False])
@pytest.mark.parametrize("is_named", [True, False])
def test_what_a_fork_copied_is_not_its_own(
    tmp_path: Path, with_id: bool, is_gone: bool, is_named: bool
) -> None:
    origin = _origin(with_id=with_id)
    named = {"forked_from_id": ID} if is_named else {}
    own = _turn(_NOON + timedelta(seconds=9), "three", "3", with_id=with_id)
    rollout(tmp_path, _fork(origin, *own, **named), FORK)
    if not is_gone:
        rollout(tmp_path, origin)
    kept = Shelf().read_all(CODEX, tmp_path)[FORK]
    assert _heard(kept) == _WHOLE
    assert (kept.facts.session_id, kept.facts.fork_session_id) == (FORK, ID)
    assert kept.facts.title == "three"
    said = next(iter(kept.messages.values())).timestamp
    assert said == _NOON + (timedelta() if is_gone else timedelta(hours=-1)) + (
        timedelta(seconds=0.009) if is_gone else timedelta(seconds=2)
    )


def test_a_prompt_given_with_the_fork_is_its_own(tmp_path: Path) -> None:
    """The first prompt may be written as soon as the copy is: then the turn's id tells."""
    origin = _origin(with_id=True)
    own = _turn(_NOON + timedelta(milliseconds=40), "three", "3", with_id=True, apart=0.01)
    rollout(tmp_path, _fork(origin, *own, forked_from_id=ID), FORK)
    assert _heard(only(CODEX, tmp_path)) == _WHOLE


def test_the_same_prompt_again_after_going_back_is_the_forks(tmp_path: Path) -> None:
    origin = _origin(with_id=False)
    own = _turn(_NOON + timedelta(seconds=9), "two", "2", with_id=False)
    rollout(tmp_path, origin)
    rollout(tmp_path, _fork(origin[:7], *own, forked_from_id=ID), FORK)
    kept = Shelf().read_all(CODEX, tmp_path)[FORK]
    assert _heard(kept) == [("one", True), ("1", True), ("two", False), ("2", False)]


def test_a_copy_is_known_though_versions_write_records_differently(tmp_path: Path) -> None:
    origin = _origin(with_id=False)
    rollout(tmp_path, origin)
    copied = [one for one in origin if one["type"] != "event_msg"]
    for one in copied[1:]:
        one["payload"] = one["payload"] | {"id": None, "phase": "final", "added": {"later": 1}}
    own = _turn(_NOON + timedelta(seconds=9), "three", "3", with_id=False)
    rollout(tmp_path, _fork(copied, *own, forked_from_id=ID), FORK)
    assert _heard(Shelf().read_all(CODEX, tmp_path)[FORK]) == _WHOLE


def test_a_copy_without_the_origins_first_record(tmp_path: Path) -> None:
    origin = _origin(with_id=False)
    rollout(tmp_path, origin)
    own = _turn(_NOON + timedelta(seconds=9), "three", "3", with_id=False)
    rollout(tmp_path, _fork(origin[1:], *own, forked_from_id=ID), FORK)
    assert _heard(Shelf().read_all(CODEX, tmp_path)[FORK]) == _WHOLE


def test_a_fork_of_a_fork_copies_both(tmp_path: Path) -> None:
    origin = _origin(with_id=False)
    fork = _fork(origin, *_turn(_NOON + timedelta(seconds=9), "three", "3", with_id=False))
    own = _turn(_NOON + timedelta(hours=1), "four", "4", with_id=False)
    later = _at(_NOON + timedelta(minutes=50), [meta(LATER), *fork], apart=0.003)
    later[0]["payload"]["timestamp"] = later[0]["timestamp"]
    rollout(tmp_path, [*later, *own], LATER)
    for rest in ([], [(FORK, fork)], [(FORK, fork), (ID, origin)]):
        for thread, records in rest:
            rollout(tmp_path, records, thread)
        kept = Shelf().read_all(CODEX, tmp_path)[LATER]
        heard = [(text, True) for text, _ in _WHOLE]
        assert _heard(kept) == [*heard, ("four", False), ("4", False)]
        assert kept.facts.fork_session_id == FORK


def test_a_fork_in_which_nothing_was_said_yet_goes_on(tmp_path: Path) -> None:
    origin = _origin(with_id=False)
    rollout(tmp_path, origin)
    path = rollout(tmp_path, _fork(origin, forked_from_id=ID), FORK)
    shelf = Shelf()
    kept = shelf.read_all(CODEX, tmp_path)[FORK]
    assert kept.facts.title == "one"
    write(path, _turn(_NOON + timedelta(seconds=9), "three", "3", with_id=False), append=True)
    shelf.read_all(CODEX, tmp_path)
    assert _heard(kept) == _WHOLE
    assert shelf.checkpoints[path].records == 20
    write(path, _turn(_NOON + timedelta(minutes=9), "four", "4", with_id=False), append=True)
    for source in CODEX.find(path):
        shelf.read(CODEX, source)
    assert shelf.messages_given == 2
    assert _heard(kept) == [*_WHOLE, ("four", False), ("4", False)]


def test_a_long_copy_read_in_steps(tmp_path: Path) -> None:
    turns = [_turn(_NOON - timedelta(hours=9), f"p{n}", f"a{n}", with_id=False) for n in range(700)]
    origin = [meta(), *(one for turn in turns for one in turn)]
    rollout(tmp_path, origin)
    own = _turn(_NOON + timedelta(seconds=30), "three", "3", with_id=False)
    path = rollout(tmp_path, _fork(origin, *own, forked_from_id=ID), FORK)
    (source,) = CODEX.find(path)
    source = type(source)(source.backend, tmp_path, source.path, source.fingerprint)
    chunks = list(CODEX.read(source, None))
    assert len(chunks) > 2
    begun_again = list(CODEX.read(source, chunks[1].checkpoint))
    assert begun_again == chunks
    own_ones = [m.content for chunk in chunks for m in chunk.messages if not m.inherited]
    assert own_ones == ["three", "3"]


def test_a_subagent_that_was_given_the_conversation(tmp_path: Path) -> None:
    origin = _origin(with_id=True)
    rollout(tmp_path, origin)
    source = {"subagent": {"thread_spawn": {"parent_thread_id": ID, "depth": 1}}}
    own = _turn(_NOON + timedelta(milliseconds=40), "three", "3", with_id=True, apart=0.01)
    rollout(tmp_path, _fork(origin, *own, forked_from_id=ID, source=source), FORK)
    kept = Shelf().read_all(CODEX, tmp_path)[FORK]
    assert _heard(kept) == _WHOLE
    assert (kept.facts.parent_session_id, kept.facts.fork_session_id) == (ID, None)
    assert (kept.prompts, kept.facts.title) == ([], "three")


def test_a_fork_that_copied_nothing_has_all_of_its_own(tmp_path: Path) -> None:
    own = _turn(_NOON, "three", "3", with_id=False, apart=0.01)
    path = rollout(tmp_path, _fork([], *own, forked_from_id=ID), FORK)
    assert _heard(only(CODEX, path)) == [("three", False), ("3", False)]
    rollout(tmp_path, _origin(with_id=False))
    kept = Shelf().read_all(CODEX, tmp_path)[FORK]
    assert _heard(kept) == [("three", False), ("3", False)]
    assert kept.facts.fork_session_id == ID


def test_a_copied_name_is_not_the_forks(tmp_path: Path) -> None:
    name = record("event_msg", {"type": "thread_name_updated", "thread_name": "Origin"})
    origin = [*_origin(with_id=False), name]
    rollout(tmp_path, _fork(origin, forked_from_id=ID), FORK)
    assert only(CODEX, tmp_path).facts.title == "one"


def test_later_meta_records_do_not_change_whose_rollout_it_is(tmp_path: Path) -> None:
    again = meta(ID, cwd="/elsewhere", git={"branch": "other"})
    rollout(tmp_path, [meta(), message("user", "a"), again, message("user", "b"), meta(LATER)])
    facts = only(CODEX, tmp_path).facts
    assert (facts.session_id, facts.project_path, facts.git_branch) == (ID, "/src", "main")
    rollout(tmp_path, [meta(), again, message("user", "b")])
    kept = only(CODEX, tmp_path)
    assert _heard(kept) == [("b", False)]
    assert kept.facts.fork_session_id is None


@pytest.mark.parametrize("place", ["plain", "packed", "archived", "packed in the archive"])
def test_a_fork_finds_its_origin_wherever_it_is(tmp_path: Path, place: str) -> None:
    path = rollout(
        tmp_path,
        numbered([meta(), message("user", "one"), message("user", "not in the fork")]),
        archived="archive" in place,
    )
    if "packed" in place:
        path.with_name(f"{path.name}.zst").write_bytes(zstandard.compress(path.read_bytes()))
        path.unlink()
    base = {"thread_id": ID, "end_ordinal_exclusive": 2}
    own = [meta(FORK, forked_from_id=ID, history_base=base), message("user", "two")]
    rollout(tmp_path, numbered(own, 2), FORK)
    kept = Shelf().read_all(CODEX, tmp_path)[FORK]
    assert _heard(kept) == [("one", True), ("two", False)]


def test_an_origin_that_moves_while_sessions_are_read(tmp_path: Path) -> None:
    base = {"thread_id": ID, "end_ordinal_exclusive": 2}
    own = [meta(FORK, forked_from_id=ID, history_base=base), message("user", "two")]
    path = rollout(tmp_path, numbered(own, 2), FORK)
    assert _heard(only(CODEX, tmp_path)) == [("two", False)]
    origin = rollout(tmp_path, numbered([meta(), message("user", "one")]))
    assert _heard(Shelf().read_all(CODEX, tmp_path)[FORK]) == [("one", True), ("two", False)]
    sources = [source for source in CODEX.find(tmp_path) if source.path == path]
    shelf = Shelf()
    shelf.read(CODEX, sources[0])
    (tmp_path / "archived_sessions").mkdir()
    shutil.move(origin, tmp_path / "archived_sessions" / origin.name)
    shelf = Shelf()
    shelf.read(CODEX, sources[0])
    assert _heard(shelf.sessions[FORK]) == [("one", True), ("two", False)]


def test_an_origin_that_is_gone_leaves_the_forks_own(tmp_path: Path) -> None:
    base = {"thread_id": ID, "end_ordinal_exclusive": 2}
    own = [meta(FORK, forked_from_id=ID, history_base=base), message("user", "two")]
    rollout(tmp_path, numbered(own, 2), FORK)
    kept = only(CODEX, tmp_path)
    assert _heard(kept) == [("two", False)]
    assert (kept.facts.fork_session_id, kept.facts.origin) == (ID, Origin.PERSON)


def test_turns_of_the_origin_can_be_taken_back_in_the_fork(tmp_path: Path) -> None:
    origin = [meta(), message("user", "one"), message("user", "two"), message("assistant", "2")]
    base = {"thread_id": ID, "end_ordinal_exclusive": 4}
    own = [meta(FORK, forked_from_id=ID, history_base=base), message("user", "three"), _BACK]
    rollout(tmp_path, numbered(origin))
    rollout(tmp_path, numbered([*own, message("user", "four")], 4), FORK)
    kept = Shelf().read_all(CODEX, tmp_path)[FORK]
    on = [m.content for m in kept.messages.values() if m.key not in kept.off_branch]
    assert on == ["one", "four"]


def test_a_rollout_that_moved_or_was_packed_adds_nothing(tmp_path: Path) -> None:
    path = rollout(tmp_path, [meta(), message("user", "one")])
    shelf = Shelf()
    shelf.read_all(CODEX, tmp_path)
    archive = tmp_path / "archived_sessions"
    archive.mkdir()
    moved = Path(shutil.move(path, archive / path.name))
    kept = shelf.read_all(CODEX, tmp_path)[ID]
    assert kept.facts.archived
    moved.with_name(f"{moved.name}.zst").write_bytes(zstandard.compress(moved.read_bytes()))
    moved.unlink()
    assert list(shelf.read_all(CODEX, tmp_path)) == [ID]
    assert list(kept.messages) == ["l2"]
    assert kept.facts.archived


@pytest.mark.parametrize("kind", ["review", "compact", {"other": "guardian"}])
def test_what_codex_starts_by_itself_is_a_subagents(tmp_path: Path, kind: Any) -> None:
    source = {"subagent": kind}
    records = [meta(source=source, parent_thread_id=FORK), message("user", "Review it.")]
    rollout(tmp_path, records)
    kept = only(CODEX, tmp_path)
    assert (kept.facts.origin, kept.facts.parent_session_id) == (Origin.SUBAGENT, FORK)
    assert kept.prompts == []
