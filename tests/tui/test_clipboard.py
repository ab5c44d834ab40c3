"""Copying: with the desktop's own program where there is one, without hanging on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tui import clipboard


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def names(env: dict[str, str], platform: str = "linux") -> list[str]:
    return [Path(command[0]).name for command in clipboard.programs(env, platform)]


def test_the_desktop_comes_first_and_only_where_it_is_the_persons(tmp_path: Path) -> None:
    for name in ("wl-copy", "xclip", "xsel", "pbcopy", "tmux", "clip.exe"):
        program(tmp_path, name, "exit 0")
    path = {"PATH": str(tmp_path)}
    assert names(path) == []
    assert names({**path, "DISPLAY": ":0"}) == ["xclip", "xsel"]
    assert names({**path, "DISPLAY": ":0", "WAYLAND_DISPLAY": "w"}) == ["wl-copy", "xclip", "xsel"]
    assert names({**path, "TMUX": "/tmp/x,1,0", "DISPLAY": ":0"}) == ["xclip", "xsel", "tmux"]
    assert names({**path, "TMUX": "/tmp/x,1,0", "DISPLAY": ":0", "SSH_TTY": "/dev/pts/1"}) == [
        "tmux"
    ]
    assert names(path, "darwin") == ["pbcopy"]
    assert names({**path, "WSL_DISTRO_NAME": "x"}) == ["clip.exe"]
    assert names({"PATH": ".", "DISPLAY": ":0"}) == []


async def test_the_first_program_that_succeeds_gets_the_text(tmp_path: Path) -> None:
    program(tmp_path, "broken", "exit 1")
    program(tmp_path, "works", f"exec cat > {tmp_path}/copied")
    commands = [(str(tmp_path / name),) for name in ("absent", "broken", "works")]
    assert await clipboard.copy("漢 \ud800 text", commands)
    assert (tmp_path / "copied").read_text() == "漢 ? text"
    assert not await clipboard.copy("text", commands[:2])


async def test_a_program_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "hangs", "exec sleep 60")
    monkeypatch.setattr(clipboard, "_PATIENCE", 0.1)
    assert not await clipboard.copy("text", [(str(tmp_path / "hangs"),)])
