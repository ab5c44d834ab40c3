"""Resuming: what must not be started is refused in words."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import ResumeError
from store.resume import Command, checked_folder, checked_id, find_program, ready

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
GOOD = "0199a213-81c0-7800-8aa1-bbab2a035a53"


def _program(folder: Path, name: str = "claude", mode: int = 0o755) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_a_program_is_found_in_the_first_folder_that_has_it(tmp_path: Path) -> None:
    first = _program(tmp_path / "one")
    _program(tmp_path / "two")
    path = f"{tmp_path}/none:{tmp_path}/one:{tmp_path}/two"
    assert find_program("claude", {"PATH": path}) == str(first)
    assert find_program("codex", {"PATH": path}) is None


@pytest.mark.parametrize("entry", ["", ".", "bin", "./bin", "../here/bin", "~/bin"])
def test_a_program_of_the_project_s_own_is_never_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    here = tmp_path / "here"
    for folder in (here, here / "bin", here / "~" / "bin"):
        _program(folder)
    monkeypatch.chdir(here)
    assert find_program("claude", {"PATH": entry}) is None
    real = _program(tmp_path / "real")
    assert find_program("claude", {"PATH": f"{entry}:{real.parent}"}) == str(real)
    assert find_program("claude", {"PATH": f"{real.parent}:{entry}"}) == str(real)


def test_what_cannot_be_run_is_passed_over(tmp_path: Path) -> None:
    _program(tmp_path / "text", mode=0o644)
    (tmp_path / "folder" / "claude").mkdir(parents=True)
    (tmp_path / "dangling").mkdir()
    (tmp_path / "dangling" / "claude").symlink_to(tmp_path / "nowhere")
    linked = tmp_path / "linked" / "claude"
    linked.parent.mkdir()
    linked.symlink_to(_program(tmp_path / "real"))
    path = ":".join(str(tmp_path / name) for name in ("text", "folder", "dangling", "linked"))
    assert find_program("claude", {"PATH": path}) == str(linked)


def test_without_a_path_the_system_s_own_is_searched() -> None:
    assert find_program("sh", {}) in ("/bin/sh", "/usr/bin/sh")
    assert find_program("sh", {"PATH": ""}) is None


def test_an_id_of_the_right_shape_is_itself() -> None:
    assert checked_id(GOOD, UUID, "claude") == GOOD


@pytest.mark.parametrize(
    "bad", ["", "-", "--help", "-" + GOOD, GOOD + "\n", GOOD + " ", "x; rm -rf ~", GOOD[:-1]]
)
def test_an_id_of_another_shape_is_refused(bad: str) -> None:
    with pytest.raises(ResumeError, match="claude session id"):
        checked_id(bad, UUID, "claude")


def test_an_id_that_begins_like_an_option_is_refused_whatever_the_shape() -> None:
    with pytest.raises(ResumeError):
        checked_id("--dangerously", re.compile(r"[\w-]+"), "goose")


def test_a_refusal_does_not_repeat_what_would_act() -> None:
    with pytest.raises(ResumeError) as first:
        checked_id("\x1b[2J", UUID, "claude")
    with pytest.raises(ResumeError) as second:
        checked_folder("/no\x1b[2J/such")
    with pytest.raises(ResumeError) as third:
        checked_folder("rel\u202eative")
    for refused in (first, second, third):
        assert not {"\x1b", "\u202e"} & set(str(refused.value))


def test_a_folder_is_absolute_and_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "file").write_text("")
    assert checked_folder(str(tmp_path)) == str(tmp_path)
    for bad in (None, "", "sub", "./sub", "~", f"{tmp_path}/gone", f"{tmp_path}/file", "/tmp\0x"):
        with pytest.raises(ResumeError):
            checked_folder(bad)


def test_what_is_ready_can_be_started_now(tmp_path: Path) -> None:
    program = _program(tmp_path / "bin")
    command = Command(("claude", "--resume", GOOD), str(tmp_path), {"X": "1"})
    env = {"PATH": str(program.parent)}
    assert ready(command, env) == Command(
        (str(program), "--resume", GOOD), str(tmp_path), {"X": "1"}
    )
    with pytest.raises(ResumeError, match="'claude' is not installed"):
        ready(command, {"PATH": "/nowhere"})
    with pytest.raises(ResumeError, match="not there"):
        ready(Command(command.argv, str(tmp_path / "gone")), env)


_WORD = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


@given(st.lists(_WORD, max_size=3), _WORD, _WORD)
def test_the_shell_line_says_what_the_command_is(words: list[str], cwd: str, value: str) -> None:
    command = Command(("/opt/bin/claude", *words), cwd, {"NAME": value})
    said = shlex.split(command.shell_line())
    assert said == ["cd", cwd, "&&", f"NAME={value}", "claude", *words]
