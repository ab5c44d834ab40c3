"""Where copied text goes: the desktop's clipboard, the multiplexer's, or through the terminal.

A terminal is asked by an escape sequence (OSC 52), which not every terminal obeys; a program that
sets the clipboard is asked first where one is at hand on the machine that the person sits at.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress

from store.resume import find_program

_PATIENCE = 2.0  # seconds: a clipboard's owner may have hung

# The variable that says that such a clipboard is there, and the program that fills it.
_DESKTOPS = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
    ("WSL_DISTRO_NAME", ("clip.exe",)),
)
_TMUX = ("tmux", "load-buffer", "-w", "-")  # -w hands it on to the terminal outside


def programs(env: Mapping[str, str], platform: str) -> list[tuple[str, ...]]:
    """Give the commands that would set the person's clipboard, best first, programs found.

    Over ssh the desktop of this machine is not theirs.
    """
    wanted: list[tuple[str, ...]] = []
    if "SSH_CONNECTION" not in env and "SSH_TTY" not in env:
        if platform == "darwin":
            wanted.append(("pbcopy",))
        wanted += [command for name, command in _DESKTOPS if env.get(name)]
    if env.get("TMUX"):
        wanted.append(_TMUX)
    found = [(find_program(name, env), rest) for name, *rest in wanted]
    return [(program, *rest) for program, rest in found if program is not None]


async def copy(text: str, commands: Sequence[tuple[str, ...]]) -> bool:
    """Copy with the first command that succeeds; say whether one did."""
    for command in commands:
        if await _fed(command, text.encode(errors="replace")):
            return True
    return False


async def _fed(command: tuple[str, ...], data: bytes) -> bool:
    try:
        # xclip stays behind as the clipboard's owner: nothing of ours may be left open in it.
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.communicate(data)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        return False
    return process.returncode == 0


def found() -> list[tuple[str, ...]]:
    """Give the commands of this machine."""
    return programs(os.environ, os.uname().sysname.lower())
