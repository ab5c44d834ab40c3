"""Importing behind the screen: in a process of its own, so that no frame waits for a parser."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from store.errors import StoreError


@dataclass(frozen=True, slots=True)
class Step:
    """How far the import is."""

    agent: str
    done: int
    all: int


@dataclass(frozen=True, slots=True)
class Finished:
    """What the import did, as `backscroll import --json` says it."""

    report: Mapping[str, Any]

    @property
    def skipped(self) -> int:
        """How many records or files could not be read."""
        return len(self.report["skipped"])


class Importer(Protocol):
    """Brings what agents wrote into the store that is on the screen."""

    def everything(self, *, watch: bool = False) -> AsyncIterator[Step | Finished]:
        """Import every agent's sessions, telling how far it is. Raises StoreError.

        With `watch` go on with what agents write, telling of each import that found something.
        """
        ...

    async def source(self, agent: str, path: str) -> None:
        """Import one file of an agent. Raises StoreError."""
        ...


class ProcessImporter:
    """Runs `python -m store import` and reads what it tells, line by line."""

    def __init__(self, database: str) -> None:
        self._database = database

    async def everything(self, *, watch: bool = False) -> AsyncIterator[Step | Finished]:
        """Import every agent's sessions."""
        async for event in self._run(*(["--watch"] if watch else [])):
            yield event

    async def source(self, agent: str, path: str) -> None:
        """Import one file."""
        async for _ in self._run("--agent", agent, "--", path):
            pass

    async def _run(self, *arguments: str) -> AsyncIterator[Step | Finished]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            # -P: a `store` in the folder one stands in is not ours to run.
            *("-P", "-m", "store", "--database", self._database, "import", "--events", *arguments),
            stdin=asyncio.subprocess.PIPE,  # held open: its end tells the process that ours ended
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # Ctrl+C in an agent that has the terminal must not end the import.
            start_new_session=True,
            limit=1 << 26,  # the report is one line, and names what was skipped
        )
        assert process.stdout is not None
        assert process.stderr is not None
        finished = False
        errors = asyncio.create_task(process.stderr.read())
        try:
            async for line in process.stdout:
                event = _event(line)
                finished = isinstance(event, Finished)
                yield event
            await process.wait()
            if not finished:
                said = (await errors).decode(errors="replace").strip().splitlines()
                raise StoreError(said[-1] if said else "the import ended without a word")
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.terminate()
                await process.wait()
            await errors


def _event(line: bytes) -> Step | Finished:
    try:
        event = json.loads(line)
        if "report" in event:
            return Finished(event["report"])
        return Step(event["agent"], event["done"], event["all"])
    except (ValueError, LookupError, TypeError) as error:
        raise StoreError(f"the import said what cannot be understood: {error}") from error
