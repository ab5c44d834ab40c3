"""`backscroll migrate`, `recover` and `doctor`: looking after the store itself."""

from __future__ import annotations

import argparse
import os

from store.cli.commands import DONE, Commands, print_json
from store.opening import open_store, recover
from store.text import printable


def add(commands: Commands) -> None:
    """Add the commands."""
    commands.add("migrate", _migrate, "bring the store to this version's schema")
    commands.add("recover", _recover, "replace a damaged store by what can still be read of it")
    commands.add("doctor", _doctor, "say what backscroll sees: places, counts, versions")


async def _migrate(options: argparse.Namespace) -> int:
    async with open_store(options.database) as store:
        facts = await store.describe()
    if options.json:
        print_json({"path": facts["path"], "schema": facts["schema"]})
    else:
        print(f"{printable(facts['path'])} has schema {facts['schema']}, the newest there is")
    return DONE


async def _recover(options: argparse.Namespace) -> int:
    recovery = await recover(options.database)
    if options.json:
        print_json({"kept": recovery.kept, "rows": dict(recovery.rows)})
        return DONE
    print(f"The damaged store is kept as {printable(recovery.kept)}")
    print("Recovered: " + ", ".join(f"{n:,} of {table}" for table, n in recovery.rows.items()))
    return DONE


async def _doctor(options: argparse.Namespace) -> int:
    from store.doctor import examine  # loads every adapter, which no other command needs

    findings = await examine(options.database, os.environ)
    if options.json:
        print_json(findings)
        return DONE
    for name, number in findings["versions"].items():
        print(f"{name:<12}{number or 'not installed'}")
    print()
    for name, value in findings["database"].items():
        if value is not None:
            print(f"{name:<14}{printable(str(value))}")
    for agent in findings["agents"]:
        print(f"\n{agent['agent']:<8}program: {printable(agent['program'] or 'not found on PATH')}")
        for place in agent["places"]:
            seen = f"{place['sources']:,} files" if place["exists"] else "not there"
            print(f"        {printable(place['path'])}: {seen}")
    return DONE
