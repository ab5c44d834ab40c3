"""`backscroll search`, run as a person or a script runs it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from store import Kind, Role, open_store
from store.sqlite.index import FEW
from tests.agents import claude_records as claude
from tests.store.helpers import at, new_task, said
from tests.test_cli import ROOT, Person
from tests.tui.terminal import Terminal, surroundings

HIT = {"task_id", "session_id", "agent", "title", "seq", "role", "timestamp", "snippet"}


@pytest.fixture
def person(tmp_path: Path) -> Person:
    person = Person(tmp_path / "home")
    claude.home(
        person.home / ".claude",
        [
            claude.user("a", None, "why does the uploader hammer the API? \x1b[31m"),
            claude.assistant("b", "a", claude.call("t1", command="rg -n backoff src/")),
            claude.user("c", "b", [claude.result("t1", "src/upload.py:42: no backoff here")]),
            claude.assistant("d", "c", claude.text("There is no backoff in retry_loop().")),
        ],
    )
    person.json("import")
    if "no index" in person.run("search", "x").stderr:
        pytest.skip("this store has no index yet")
    return person


def test_json_has_the_members_of_the_contract(person: Person) -> None:
    found = person.json("search", "backoff")
    assert found["total"] == 2
    assert found["more_in_tools"] == 1
    assert [(hit["seq"], hit["role"], hit["kind"]) for hit in found["hits"]] == [
        (4, "assistant", "text"),
        (2, "assistant", "tool_call"),
    ]
    for hit in found["hits"]:
        assert set(hit) >= HIT
        assert (hit["agent"], hit["session_id"]) == ("claude", claude.ID)
        assert [hit["snippet"][start:end] for start, end in hit["marks"]] == ["backoff"]
        shown = person.json("show", hit["task_id"])
        assert "backoff" in shown["messages"][hit["seq"] - 1]["text"]
    assert person.json("search", "hammer")["hits"][0]["snippet"].endswith("\x1b[31m")


def test_filters_narrow_and_a_limit_is_a_limit(person: Person) -> None:
    def seqs(*query: str) -> list[int]:
        return [hit["seq"] for hit in person.json("search", *query)["hits"]]

    assert seqs("backoff", "in:all") == [4, 3, 2]
    assert seqs("backoff", "role:tool") == [3]
    assert seqs("backoff", "-kind:call") == [4]
    assert seqs("backoff", "-retry_loop") == [2]
    assert seqs("backoff", "agent:codex") == []
    assert seqs('"backoff in"') == [4]
    assert seqs("back*", "before:2000") == []
    assert seqs("role:user") == [1]
    assert seqs("backoff", "--limit", "1") == [4]
    assert seqs("--limit", "0", "backoff") == []
    assert seqs("upload.py:42", "in:all") == [3]


def test_people_read_hits_by_session(person: Person) -> None:
    printed = person.run("search", "backoff")
    assert printed.returncode == 0
    head, *lines = printed.stdout.splitlines()
    assert head.startswith("why does the uploader hammer the API? ␛[31m  claude  src  ")
    assert [line.split()[1] for line in lines] == ["claude", "Bash"]
    assert lines[0].endswith("There is no backoff in retry_loop().")
    assert printed.stderr == "2 messages; 1 more in tool output: add in:all\n"
    assert "\x1b" not in person.run("search", "hammer").stdout


def test_nothing_found_says_what_to_leave_out(person: Person) -> None:
    nothing = person.run("search", "backoff", "agent:codex", "-nowhere")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert nothing.stderr == "Nothing found. 2 messages without agent:codex.\n"
    tools = person.run("search", '"no backoff here"')
    assert tools.stderr.startswith("Nothing found. 1 in tool output; in:all looks there, too.")
    assert person.run("search", "nowhere").stderr == "Nothing found.\n"


def test_a_wrong_query_is_pointed_at(person: Person) -> None:
    wrong = person.run("search", "backoff", "is:gnoe")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.splitlines() == [
        'backscroll: is: cannot be "gnoe"; did you mean "gone"?',
        "  backoff is:gnoe",
        "             ^^^^",
    ]
    assert "messages cannot be sorted by title" in person.run("search", "sort:title").stderr


def test_on_a_terminal_matches_are_lit(person: Person) -> None:
    argv = [sys.executable, "-m", "store", "search", "backoff"]
    for more, lit in (({}, True), ({"NO_COLOR": "1"}, False)):
        environment = surroundings(person.home, **more)
        with Terminal(argv, env=environment, cwd=ROOT, columns=60, lines=12) as terminal:
            screen = terminal.shows("2 messages")
            assert terminal.ends() == 0
        assert "no backoff in retry_loop()." in screen
        assert (b"\x1b[1;31mbackoff\x1b[0m" in terminal.sent) is lit
        assert b"\x1b[31m" not in terminal.sent.replace(b"\x1b[1;31m", b"")


async def test_what_cannot_be_found_yet_is_told(person: Person) -> None:
    outputs = [said("hail", at(n), role=Role.TOOL, kind=Kind.TOOL_RESULT) for n in range(6 * FEW)]
    async with open_store(person.home / ".local/share/backscroll/backscroll.db") as s:
        await s.save_messages(await new_task(s), outputs)
        await s.rebuild_index()
    searched = person.run("search", "hail")
    assert "cannot be found yet" in searched.stderr
    person.run("import")
    searched = person.run("search", "hail", "in:all")
    assert "cannot be found yet" not in searched.stderr
    assert "1,000+ messages" in searched.stderr
