"""Claude Code's sessions that go on from others: forks, and what was resumed before 2.0."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from store.agents.claude import forks
from store.agents.claude.adapter import ClaudeCode
from store.agents.claude.forks import Forks
from store.reading.files import open_regular
from tests.agents.claude_records import CLAUDE, assistant, call, home, result, text, user
from tests.agents.reading import Kept, Shelf, write


def _id(number: int) -> str:
    return f"{number:08d}-0000-4000-8000-000000000000"


def _at(record: dict[str, Any], minute: int) -> dict[str, Any]:
    return record | {"timestamp": f"2026-11-20T{9 + minute // 60:02d}:{minute % 60:02d}:00.000Z"}


def _talk(names: str, after: str | None, minute: int) -> list[dict[str, Any]]:
    """Give prompts and answers by turns, one a minute, each named by a letter."""
    records = []
    for number, name in enumerate(names):
        make = assistant if name in "bdfhjln" else user
        content: Any = text(f"say {name}") if make is assistant else f"say {name}"
        records.append(_at(make(name, after, content, version="2.1.0"), minute + number))
        after = name
    return records


def _inherited(kept: Kept) -> list[str]:
    return [m.content for m in kept.messages.values() if m.inherited]


def _links(sessions: dict[str, Kept]) -> dict[str, str | None]:
    return {name: kept.facts.fork_session_id for name, kept in sessions.items()}


def test_a_fork_of_a_fork_goes_on_from_the_nearer_one(tmp_path: Path) -> None:
    first, second = _talk("abcd", None, 0), _talk("ef", "d", 10)
    home(tmp_path, [*first, *_talk("g", "d", 40)], _id(1))
    home(tmp_path, [*first, *second, *_talk("i", "f", 30)], _id(2))
    home(tmp_path, [*first, *second, *_talk("k", "f", 50)], _id(3))
    home(tmp_path, [*first, *second, *_talk("m", "f", 60)], _id(4))
    # The second forked the first one and went on before it: nothing says which is the fork.
    assert _links(Shelf().read_all(CLAUDE, tmp_path)) == {
        _id(1): _id(2),
        _id(2): None,
        _id(3): _id(2),
        _id(4): _id(2),
    }


def test_a_fork_taken_before_others_is_of_the_one_it_copied(tmp_path: Path) -> None:
    first = _talk("abcdef", None, 0)
    home(tmp_path, first, _id(1))
    home(tmp_path, [*first[:4], *_talk("g", "d", 10)], _id(2))
    home(tmp_path, [*first[:4], *_talk("g", "d", 10), *_talk("i", "g", 20)], _id(3))
    home(tmp_path, [*first[:2], *_talk("k", "b", 30)], _id(4))
    sessions = Shelf().read_all(CLAUDE, tmp_path)
    assert _links(sessions) == {_id(1): None, _id(2): _id(1), _id(3): _id(2), _id(4): _id(1)}
    assert _inherited(sessions[_id(3)]) == [f"say {name}" for name in "abcdg"]
    assert _inherited(sessions[_id(4)]) == ["say a", "say b"]


def test_a_fork_of_a_rewound_session_copied_only_what_stood(tmp_path: Path) -> None:
    rewound = [*_talk("ab", None, 0), *_talk("cd", "b", 2), *_talk("ef", "b", 4)]
    stood = [*rewound[:2], *rewound[4:]]
    home(tmp_path, [*rewound, *_talk("g", "f", 10)], _id(1))
    home(tmp_path, [*stood, *_talk("i", "f", 20)], _id(2))
    home(tmp_path, [*stood, *_talk("k", "f", 30)], _id(3))
    sessions = Shelf().read_all(CLAUDE, tmp_path)
    assert _links(sessions) == {_id(1): None, _id(2): _id(1), _id(3): _id(1)}
    for number in (2, 3):
        assert _inherited(sessions[_id(number)]) == [f"say {name}" for name in "abef"]


def test_two_that_only_copied_are_of_nobody(tmp_path: Path) -> None:
    first = _talk("abcd", None, 0)
    home(tmp_path, first, _id(1))
    home(tmp_path, first, _id(2))
    assert set(_links(Shelf().read_all(CLAUDE, tmp_path)).values()) == {None}


def test_each_file_of_a_large_family_is_looked_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _talk("abcd", None, 0)

    def fork(number: int) -> None:
        own = user(f"own{number}", "d", "on", version="2.1.0")
        home(tmp_path, [*first, _at(own, 10 + number)], _id(number))

    opened: list[str] = []
    compared: list[int] = []

    def noted(path: str | Path) -> BinaryIO:
        opened.append(str(path))
        return open_regular(path)

    def sieve(files: Iterable[Iterable[int]]) -> bytearray:
        compared.append(len(opened))
        return really_sieve(files)

    really_sieve = forks._sieve
    monkeypatch.setattr(forks, "open_regular", noted)
    monkeypatch.setattr(forks, "_sieve", sieve)
    for number in range(30):
        fork(number)
    adapter = ClaudeCode()
    links = _links(Shelf().read_all(adapter, tmp_path))
    assert links.pop(_id(0)) is None
    assert set(links.values()) == {_id(0)}
    assert len(opened) == len(set(opened)) == 30
    assert compared == [30]

    fork(30)
    assert _links(Shelf().read_all(adapter, tmp_path))[_id(30)] == _id(0)
    assert len(opened) == 31
    assert compared == [30, 31]


class Resumed:
    """Sessions as Claude Code 1.0 wrote them: going on with one makes a copy with other names."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def write(self, number: int, minute: int, *turns: tuple[str, list[Any]], kept: int = 0) -> None:
        """Write a session whose first `kept` turns are a copy, all of the time of resuming."""
        records: list[dict[str, Any]] = []
        parent: str | None = None
        for turn, (said, answers) in enumerate(turns):
            time = minute if turn < kept else minute + 1 + turn
            made: list[Any] = [(user, said, {})]
            made += [
                (user, answer, {}) if isinstance(answer, list) else (assistant, answer, {})
                for answer in answers
            ]
            for place, (make, content, more) in enumerate(made):
                self._count += 1
                name = f"r{self._count}"
                record = make(name, parent, content, version="1.0.60", **more)
                if make is assistant:
                    record["message"]["id"] = f"msg_{said}_{0 if place < 3 else 1}"
                records.append(_at(record, time))
                parent = name
        home(self._folder, records, _id(number))


_TURN = [call("t1", command="ls"), [result("t1", "a.txt")], text("one file")]


def test_a_session_resumed_before_2_0_goes_on_from_the_one_before(tmp_path: Path) -> None:
    one, two, three = ("one", _TURN), ("two", [text("2")]), ("three", [text("3")])
    resumed = Resumed(tmp_path)
    resumed.write(7, 0, one)
    resumed.write(5, 20, one, two, kept=1)
    resumed.write(6, 40, one, two, three, kept=2)
    resumed.write(4, 60, one, ("aside", [text("4")]), kept=1)
    resumed.write(3, 80, ("another", [text("5")]))
    sessions = Shelf().read_all(CLAUDE, tmp_path)
    assert _links(sessions) == {
        _id(7): None,
        _id(5): _id(7),
        _id(6): _id(5),
        _id(4): _id(7),
        _id(3): None,
    }
    assert sessions[_id(6)].prompts == ["one", "two", "three"]
    assert [m.content for m in sessions[_id(6)].messages.values() if not m.inherited] == [
        "three",
        "3",
    ]
    assert _inherited(sessions[_id(7)]) == []
    assert len(sessions[_id(6)].calls) == 1


def test_what_a_copied_call_gave_is_copied_too(tmp_path: Path) -> None:
    resumed = Resumed(tmp_path)
    resumed.write(1, 0, ("one", [call("t1"), [result("t1", "a")]]))
    resumed.write(2, 20, ("one", [call("t1"), [result("t1", "a")]]), ("two", []), kept=1)
    sessions = Shelf().read_all(CLAUDE, tmp_path)
    assert sessions[_id(2)].facts.fork_session_id == _id(1)
    assert [m.content for m in sessions[_id(2)].messages.values() if not m.inherited] == ["two"]


def test_resuming_what_was_compacted_copies_only_its_end(tmp_path: Path) -> None:
    resumed = Resumed(tmp_path)
    resumed.write(1, 0, ("one", [text("1")]), ("story", [text("2")]), ("two", [text("3")]))
    resumed.write(2, 20, ("story", [text("2")]), ("two", [text("3")]), ("on", [text("4")]), kept=2)
    sessions = Shelf().read_all(CLAUDE, tmp_path)
    assert sessions[_id(2)].facts.fork_session_id == _id(1)
    assert _inherited(sessions[_id(2)]) == ["story", "2", "two", "3"]


def test_the_same_id_with_other_words_is_no_copy(tmp_path: Path) -> None:
    resumed = Resumed(tmp_path)
    resumed.write(1, 0, ("hi", [text("one")]))
    resumed.write(2, 20, ("hi", [text("another")]), ("on", [text("2")]))
    assert set(_links(Shelf().read_all(CLAUDE, tmp_path)).values()) == {None}


def test_a_summary_names_the_session_that_it_is_of(tmp_path: Path) -> None:
    def summary(leaf: str, words: str) -> dict[str, str]:
        return {"type": "summary", "summary": words, "leafUuid": leaf}

    old = {"version": "1.0.60"}
    home(tmp_path, [user("a", None, "first prompt", **old)], _id(1))
    home(tmp_path, [user("b", None, "second prompt", **old)], _id(2))
    others = [summary("a", "Mends the lamp"), summary("b", "Invalid API key · Please run /login")]
    home(tmp_path, [*others, user("c", None, "third prompt", **old)], _id(3))
    sessions = Shelf().read_all(CLAUDE, tmp_path)
    assert [sessions[_id(n)].facts.title for n in (1, 2, 3)] == [
        "Mends the lamp",
        "second prompt",
        "third prompt",
    ]


def test_an_id_is_found_wherever_a_block_of_a_file_ends(tmp_path: Path) -> None:
    resumed = Resumed(tmp_path)
    resumed.write(2, 20, ("one", [text("1")]), ("two", [text("2")]), kept=1)
    for size in range(550, 850, 9):
        padding = {"type": "mode", "mode": "x" * ((1 << 20) - size)}
        resumed.write(1, 0, ("one", [text("1")]))
        path = tmp_path / "projects" / "-home-ann-src" / f"{_id(1)}.jsonl"
        path.write_text(json.dumps(padding) + "\n" + path.read_text())
        assert Forks().origin(path.with_name(f"{_id(2)}.jsonl")) is not None


@pytest.mark.parametrize("seen", ["the answer", "nothing said"])
def test_a_fork_that_is_seen_before_what_it_copied(tmp_path: Path, seen: str) -> None:
    """Claude Code 2.1 may write the answer first, and then all that it goes on from."""
    talk = _talk("abcd", None, 0)
    home(tmp_path, talk, _id(1))
    side = [{"type": "mode", "mode": "normal", "sessionId": _id(2)}]
    answer = _talk("f", "e", 11)
    first, later = (answer, []) if seen == "the answer" else ([], answer)
    shelf = Shelf()
    path = home(tmp_path, [*side, *first], _id(2))
    shelf.read_all(CLAUDE, tmp_path)
    folder = path.parent.stat().st_mtime_ns
    write(path, [*talk, *_talk("e", "d", 10), *later], append=True)
    assert path.parent.stat().st_mtime_ns == folder  # which the growing of a file leaves alone
    sessions = shelf.read_all(CLAUDE, tmp_path)
    assert _links(sessions) == {_id(1): None, _id(2): _id(1)}
    assert sorted(_inherited(sessions[_id(2)])) == ["say a", "say b", "say c", "say d"]
