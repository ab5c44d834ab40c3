"""Choosing modes, models and arguments: the command is its own record of what was chosen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import ResumeError, agents
from store.resume import Command
from store.resume.manual import (
    Manual,
    completions,
    line_of,
    mode_of,
    model_of,
    variables_line,
    variables_of,
    with_arguments,
    with_mode,
    with_model,
    words_of,
)

CLAUDE, CODEX, GOOSE = (agents.load(name).manual for name in agents.names())
BASE = {
    "claude": Command(("claude", "--resume", "ID"), "/src"),
    "codex": Command(("codex", "resume", "ID"), "/src", {"CODEX_HOME": "/x"}),
    "goose": Command(("goose", "session", "--resume", "--session-id", "ID"), "/src"),
}
_CASES = [(name, mode.name) for name in agents.names() for mode in agents.load(name).manual.modes]


def _of(name: str) -> tuple[Command, Manual]:
    return BASE[name], agents.load(name).manual


@pytest.mark.parametrize(
    ("agent", "mode", "words", "env"),
    [
        ("claude", "plan", ("--permission-mode", "plan"), {}),
        (
            "claude",
            "dangerously-skip-permissions",
            ("--dangerously-skip-permissions",),
            {},
        ),
        ("codex", "workspace-write", ("--sandbox", "workspace-write"), {"CODEX_HOME": "/x"}),
        (
            "codex",
            "bypass",
            ("--dangerously-bypass-approvals-and-sandbox",),
            {"CODEX_HOME": "/x"},
        ),
        ("goose", "auto", (), {"GOOSE_MODE": "auto"}),
    ],
)
def test_a_mode_is_what_the_agent_takes_for_it(
    agent: str, mode: str, words: tuple[str, ...], env: dict[str, str]
) -> None:
    command, manual = _of(agent)
    chosen = with_mode(command, manual, manual.mode(mode))
    assert (chosen.argv, chosen.env) == (command.argv + words, env)


@pytest.mark.parametrize(("agent", "mode"), _CASES)
@pytest.mark.parametrize("before", [0, 1, 2, 3])
def test_one_mode_takes_the_place_of_another(agent: str, mode: str, before: int) -> None:
    command, manual = _of(agent)
    command = with_arguments(command, ["--verbose"])
    first = with_mode(command, manual, manual.modes[before])
    chosen = with_mode(first, manual, manual.mode(mode))
    found = mode_of(chosen, manual)
    assert found is not None
    assert found.name == mode
    assert chosen == with_mode(command, manual, manual.mode(mode))
    assert with_mode(chosen, manual, None) == command
    assert mode_of(command, manual) is None


def test_a_mode_that_there_is_not() -> None:
    with pytest.raises(ResumeError, match="there are default, acceptEdits"):
        CLAUDE.mode("yolo\x1b")


def test_a_model_where_it_can_be_chosen() -> None:
    command = with_model(BASE["claude"], CLAUDE, "opus")
    assert command.argv[-2:] == ("--model", "opus")
    assert model_of(command, CLAUDE) == "opus"
    assert with_model(command, CLAUDE, "haiku").argv[-2:] == ("--model", "haiku")
    assert with_model(command, CLAUDE, None) == BASE["claude"]
    short = with_arguments(BASE["codex"], ["-m", "a", "--model=b", "-m"])
    assert model_of(short, CODEX) == "a"
    assert with_model(short, CODEX, "c").argv == (*BASE["codex"].argv, "-m", "--model", "c")
    with pytest.raises(ResumeError, match="model that the session has"):
        with_model(BASE["goose"], GOOSE, "gpt")
    assert with_model(BASE["goose"], GOOSE, "") == BASE["goose"]
    with pytest.raises(ResumeError, match="an option"):
        with_model(BASE["claude"], CLAUDE, "--dangerously-skip-permissions")


_WORDS = st.lists(st.text(st.characters(exclude_characters="\0"), max_size=8), max_size=5)


@given(_WORDS)
def test_words_make_a_line_and_the_line_the_words(words: list[str]) -> None:
    assert words_of(line_of(words)) == tuple(words)


@given(st.dictionaries(st.from_regex(r"[A-Z_]{1,5}", fullmatch=True), st.text(max_size=8)))
def test_variables_make_a_line_and_the_line_the_variables(env: dict[str, str]) -> None:
    assert variables_of(variables_line(env)) == env


@given(_WORDS, st.sampled_from(_CASES), st.sampled_from(["", "opus", "x y"]))
def test_choosing_changes_no_other_word(
    words: list[str], case: tuple[str, str], model: str
) -> None:
    command, manual = _of(case[0])
    command = with_arguments(command, [word for word in words if not word.startswith("-")])
    chosen = with_mode(command, manual, manual.mode(case[1]))
    if manual.model_option is not None:
        chosen = with_model(chosen, manual, model)
        chosen = with_model(chosen, manual, None)
    assert with_mode(chosen, manual, None) == command


@pytest.mark.parametrize("line", ["'open", 'a "b', "back\\"])
def test_a_line_that_cannot_be_read(line: str) -> None:
    with pytest.raises(ResumeError, match="the line cannot be read"):
        words_of(line)


@pytest.mark.parametrize("line", ["X", "=x", "1A=x", "A-B=x", "A=1 B"])
def test_what_is_no_variable(line: str) -> None:
    with pytest.raises(ResumeError, match="not NAME=value"):
        variables_of(line)


def test_nothing_in_a_line_is_run_or_expanded() -> None:
    assert words_of("--add-dir ~ $HOME `id` $(id) *") == (
        *("--add-dir", "~", "$HOME", "`id`", "$(id)", "*"),
    )


def test_what_an_option_may_become() -> None:
    def of(manual: Manual, argv: list[str], start: str) -> list[str]:
        return [word for word, _ in completions(manual, argv, start)]

    argv = list(BASE["claude"].argv)
    assert of(CLAUDE, argv, "--perm") == ["--permission-mode"]
    assert of(CLAUDE, [*argv, "--permission-mode"], "a") == ["acceptEdits", "auto"]
    assert "--verbose" not in of(CLAUDE, [*argv, "--verbose"], "--")
    assert of(CLAUDE, argv, "x") == []
    assert of(CODEX, list(BASE["codex"].argv), "--mo") == ["--model"]
    assert of(GOOSE, list(BASE["goose"].argv), "--fo") == ["--fork"]


def test_dangerous_modes_are_marked() -> None:
    marked = {
        name: [mode.name for mode in agents.load(name).manual.modes if mode.is_dangerous]
        for name in agents.names()
    }
    assert marked == {
        "claude": ["bypassPermissions", "dangerously-skip-permissions"],
        "codex": ["danger-full-access", "bypass"],
        "goose": ["auto"],
    }
