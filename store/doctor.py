"""What backscroll sees of the machine: places, programs, versions, the database."""

from __future__ import annotations

import asyncio
import os
import platform
import sqlite3
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from os import PathLike
from typing import Any

from store import agents
from store.errors import StoreError
from store.opening import VARIABLE, database_path, default_path, open_store
from store.resume import find_program

_PACKAGES = ("backscroll", "aiosqlite", "pydantic", "textual")


async def examine(
    target: str | PathLike[str] | None, env: Mapping[str, str], *, check: bool = False
) -> dict[str, Any]:
    """Look at everything and say what was seen; what is wrong is a finding, not an error.

    With `check` all of the database is read, and its `problems` are told.
    """
    return {
        "versions": _versions(),
        "database": await _database(target, check=check),
        "agents": [_agent(name, env) for name in agents.names()],
    }


def _versions() -> dict[str, str | None]:
    found: dict[str, str | None] = {
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


async def _database(target: str | PathLike[str] | None, *, check: bool) -> dict[str, Any]:
    try:
        path = database_path(target or os.environ.get(VARIABLE) or default_path())
        if path is not None and not await asyncio.to_thread(path.exists):
            return {"path": str(path), "error": "there is no store yet; an import makes one"}
        async with open_store(target, migrate=False) as store:
            facts = await store.describe() | {"error": None}
            if check:
                facts["problems"] = list((await store.integrity()).problems)
            return facts
    except StoreError as error:
        return {"error": str(error)}


def _agent(name: str, env: Mapping[str, str]) -> dict[str, Any]:
    adapter = agents.load(name)
    places = []
    for root in adapter.roots(env):
        sources = list(adapter.find(root))
        places.append(
            {
                "path": str(root),
                "exists": root.exists(),
                "sources": len(sources),
                "bytes": sum(source.fingerprint.size for source in sources),
            }
        )
    return {"agent": name, "program": find_program(adapter.program, env), "places": places}
