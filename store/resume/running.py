"""Running what has to be run before an agent is: its own commands, without a terminal."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping

from store.errors import ResumeError
from store.resume.checks import ready
from store.resume.command import Command
from store.text import printable

_PATIENCE = 60.0  # seconds: an agent's first start takes ten


async def run_quietly(command: Command, env: Mapping[str, str] = os.environ) -> None:
    """Run a command to its end, with nothing to read. Raises ResumeError with its last words."""
    found = ready(command, env)
    shown = " ".join(command.argv[:2])
    try:
        process = await asyncio.create_subprocess_exec(
            *found.argv,
            cwd=found.cwd,
            env=found.environment(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        raise ResumeError(f"{shown} could not be started: {printable(str(error))}") from error
    try:
        async with asyncio.timeout(_PATIENCE):
            said, _ = await process.communicate()
    except TimeoutError:
        raise ResumeError(f"{shown} did not end within {_PATIENCE:.0f} seconds") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        lines = said.decode("utf-8", "replace").strip().splitlines()
        last = printable(lines[-1]) if lines else f"exit status {process.returncode}"
        raise ResumeError(f"{shown} failed: {last}")
