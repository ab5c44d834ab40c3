"""Opening an agent in another pane, window or tab."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import ResumeError
from store.resume import Command
from store.resume.windows import TERMINALS, Kind, opening, terminal_of

INNER = ("/bin/sh", "-c", 'cd -- "$1" && shift && exec "$@"', "sh")


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of someone who has every terminal's program."""
    for terminal in TERMINALS:
        program = tmp_path / terminal.program
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
    return {"PATH": str(tmp_path)}


COMMAND = Command(("/bin/claude", "--resume", "ID"), "/a b", {"X": "1 2"})


@pytest.mark.parametrize(
    ("variable", "kind", "words"),
    [
        ("TMUX", Kind.PANE, ["tmux", "split-window", "-h", "--"]),
        ("TMUX", Kind.WINDOW, ["tmux", "new-window", "--"]),
        ("ZELLIJ", Kind.PANE, ["zellij", "run", "--close-on-exit", "--"]),
        ("KITTY_LISTEN_ON", Kind.PANE, ["kitten", "@", "launch", "--type=window"]),
        ("KITTY_LISTEN_ON", Kind.TAB, ["kitten", "@", "launch", "--type=tab"]),
        ("KITTY_LISTEN_ON", Kind.WINDOW, ["kitten", "@", "launch", "--type=os-window"]),
        ("WEZTERM_PANE", Kind.PANE, ["wezterm", "cli", "split-pane", "--right", "--"]),
        ("WEZTERM_PANE", Kind.TAB, ["wezterm", "cli", "spawn", "--"]),
        ("WEZTERM_PANE", Kind.WINDOW, ["wezterm", "cli", "spawn", "--new-window", "--"]),
    ],
)
def test_each_terminal_is_asked_in_its_own_words(
    env: dict[str, str], variable: str, kind: Kind, words: list[str]
) -> None:
    env |= {variable: "set"}
    program = f"{env['PATH']}/{words[0]}"
    inner = (*INNER, "/a b", "/usr/bin/env", f"PATH={env['PATH']}", "X=1 2", *COMMAND.argv)
    assert opening(COMMAND, kind, env) == (program, *words[1:], *inner)


def test_what_the_agent_needs_of_this_environment_goes_along(env: dict[str, str]) -> None:
    env |= {"TMUX": "x", "CODEX_HOME": "/c", "SECRET": "s", "CLAUDE_CONFIG_DIR": "/k"}
    command = Command(("/bin/codex",), "/src", {}, ("CLAUDE_CONFIG_DIR",))
    words = opening(command, Kind.WINDOW, env, ("CODEX_HOME", "CLAUDE_CONFIG_DIR", "UNSET"))
    assert words[-5:] == (
        *("-u", "CLAUDE_CONFIG_DIR"),
        *(f"PATH={env['PATH']}", "CODEX_HOME=/c", "/bin/codex"),
    )
    assert not any("SECRET" in word for word in words)


def test_the_innermost_terminal_counts(env: dict[str, str]) -> None:
    everything = env | {terminal.variable: "set" for terminal in TERMINALS}
    found = terminal_of(everything)
    assert found is not None
    assert found.name == "tmux"
    assert terminal_of(env) is None
    assert terminal_of({"TMUX": "set", "PATH": "/nowhere"}) is None


def test_what_cannot_be_opened_is_refused(env: dict[str, str]) -> None:
    with pytest.raises(ResumeError, match="this terminal cannot"):
        opening(COMMAND, Kind.PANE, env)
    with pytest.raises(ResumeError, match="tmux cannot open a tab from here; it can open: pane"):
        opening(COMMAND, Kind.TAB, env | {"TMUX": "x"})


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a program that runs in tmux."""
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    socket = tmp_path / "socket"
    base = ["tmux", "-S", str(socket), "-f", "/dev/null"]
    subprocess.run([*base, "new-session", "-d", "-x", "80", "-y", "24", "cat"], check=True)
    try:
        yield {"TMUX": f"{socket},1,0", "PATH": os.environ["PATH"], "TERM": "screen"}
    finally:
        subprocess.run([*base, "kill-server"], check=False)


@pytest.mark.parametrize("kind", [Kind.PANE, Kind.WINDOW])
@pytest.mark.parametrize(
    "name",
    [
        "plain",
        "#(touch pwned)",
        "#{pid}",
        "two\nlines",
        "quo'te\"s;",
        "x\\;",
        "$(touch pwned)",
        "%d",
    ],
)
def test_tmux_starts_it_in_the_folder_with_every_word_as_it_is(
    tmux: dict[str, str], tmp_path: Path, kind: Kind, name: str
) -> None:
    folder = tmp_path / "work" / name
    folder.mkdir(parents=True)
    seen = tmp_path / "seen"
    program = tmp_path / "agent"
    program.write_text(
        f'#!/bin/sh\nprintf "%s|" "$PWD" "$HOME_OF" "$@" > "{seen}.part"\n'
        f'mv "{seen}.part" "{seen}"\n'
    )
    program.chmod(0o755)
    given = (str(program), "a b", "#(id)", ";", "\\;", "", "é")
    command = Command(given, str(folder), {"HOME_OF": "$x #"})
    words = opening(command, kind, tmux)
    subprocess.run(words, env=tmux, check=True, capture_output=True, timeout=10)
    deadline = time.monotonic() + 10
    while not seen.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert seen.read_text() == f"{folder}|$x #|a b|#(id)|;|\\;||é|"
    assert not list(tmp_path.rglob("pwned"))
