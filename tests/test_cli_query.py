"""Queries on the command line: what a shell hands over, what is pointed at, what is lit."""

from __future__ import annotations

import io

import pytest

from store.cli.arguments import options_first
from store.cli.light import Light
from store.cli.queries import pointed_at
from store.errors import QueryError
from store.query.parser import parse_query
from tests.test_cli import Person, person

__all__ = ["person"]


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("search retry", "search -- retry"),
        ("search -word retry -agent:codex", "search -- -word retry -agent:codex"),
        ("search a --limit 3 b --json", "search --limit 3 --json -- a b"),
        ("search a --lim 3 b", "search --lim 3 -- a b"),
        ("search a --limit=3 b", "search --limit=3 -- a b"),
        ("search -- --no-verify -x", "search -- --no-verify -x"),
        ("--database x list -a", "--database x list -- -a"),
        ("--database=x list a --database y", "--database=x list --database y -- a"),
        ("list --all", "list --all"),
        ("list -h", "list -h"),
        ("list a --limit", "list --limit -- a"),
        ("show -x", "show -x"),
        ("--help", "--help"),
        ("", ""),
    ],
)
def test_a_dash_excludes_and_options_stand_anywhere(typed: str, understood: str) -> None:
    assert options_first(typed.split()) == understood.split()


@pytest.mark.parametrize(
    ("text", "pointing"),
    [
        ("x agnt:y z", "  x agnt:y z\n    ^^^^^^"),
        ("日本 is:x", "  日本 is:x\n          ^"),
        ("e\u0301 is:x", "  e\u0301 is:x\n       ^"),
        ("a\tis:x", "  a is:x\n       ^"),
        ("\x1b[1m is:x", "  ␛[1m is:x\n          ^"),
        ("tag:", "  tag:\n  ^^^^"),
    ],
)
def test_a_mistake_is_pointed_at(text: str, pointing: str) -> None:
    with pytest.raises(QueryError) as caught:
        parse_query(text)
    assert pointed_at(text, caught.value) == pointing


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_match_is_lit_and_nothing_commands_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line, marks = "a \x1b[2Jb\u202e retry\x07", ((2, 7), (9, 14))
    assert Light(is_on=False).up(line, marks) == "a ␛[2Jb<U+202E> retry␇"
    lit = Light(is_on=True).up(line, marks)
    assert lit == "a \x1b[1;31m␛[2Jb\x1b[0m<U+202E> \x1b[1;31mretry\x1b[0m␇"
    for name, value, is_on in (
        ("NO_COLOR", "", True),
        ("NO_COLOR", "1", False),
        ("TERM", "dumb", False),
    ):
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        monkeypatch.setenv(name, value)
        assert Light.of(Tty()).bold("x") == ("\x1b[1mx\x1b[0m" if is_on else "x"), name
    assert Light.of(io.StringIO()).bold("x") == "x"


def test_a_line_is_cut_to_the_terminal_around_its_match() -> None:
    light = Light(is_on=False, width=40)
    line = light.up("word " * 20 + "retry" + " word" * 20, ((100, 105),), beside=10)
    assert line == "…word retry word word word…"
    assert Light(is_on=False).up("word " * 20, ()) == "word " * 20


def test_a_list_takes_the_grammar(person: Person) -> None:
    person.json("import")
    for query in (["agent:claude", "-codex"], ["-agent:codex", "ls"], ['"run ls"'], ["after:2000"]):
        assert len(person.json("list", *query)) == 1, query
    for query in (["agent:codex"], ["-please"], ["is:fork"], ["before:2000"]):
        assert person.json("list", *query) == [], query
    wrong = person.run("list", "ls", "agnt:codex")
    assert wrong.returncode == 1
    assert wrong.stderr == (
        'backscroll: there is no filter "agnt"; did you mean "agent"? In quotes it is text\n'
        "  ls agnt:codex\n"
        "     ^^^^^^^^^^\n"
    )
    messages = person.run("list", "role:user")
    assert "role: is about messages; a list has tasks" in messages.stderr
