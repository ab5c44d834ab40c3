"""Queries on a command line, where `-word` is no option and a mistake is pointed at."""

from __future__ import annotations

import argparse
import re
import unicodedata
from collections.abc import Sequence

from store.errors import QueryError
from store.query.model import Query
from store.query.parser import parse_query
from store.text import printable

_COMMANDS = ("list", "search")
_WITH_VALUE = ("--limit", "--database")


def options_first(arguments: Sequence[str]) -> list[str]:
    """Give the arguments of a command that takes a query with the query's words behind `--`.

    Options are `-h` and what begins with two dashes; `-word` excludes a word. What stands behind a
    `--` of one's own are words, whatever they begin with.
    """
    given = list(arguments)
    at = _command(given)
    if at is None or given[at] not in _COMMANDS:
        return given
    options: list[str] = []
    words: list[str] = []
    rest = iter(given[at + 1 :])
    for argument in rest:
        if argument == "--":
            words += rest
        elif argument == "-h" or argument.startswith("--"):
            options.append(argument)
            if any(name.startswith(argument) for name in _WITH_VALUE):
                options += [value for value in (next(rest, None),) if value is not None]
        else:
            words.append(argument)
    return [*given[: at + 1], *options, *(["--", *words] if words else [])]


def _command(arguments: Sequence[str]) -> int | None:
    """Give the place of the command among the arguments."""
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        at += 2 if "--database".startswith(arguments[at]) else 1
    return at if at < len(arguments) else None


def understood(options: argparse.Namespace) -> Query:
    """Give the query of a command. Raises QueryError."""
    return parse_query(typed(options))


def typed(options: argparse.Namespace) -> str:
    """Give the query as it was typed: a shell has taken the arguments apart."""
    return " ".join(getattr(options, "query", ()))


def pointed_at(text: str, error: QueryError) -> str:
    """Give the query's line, and below it a line that points at the mistake."""
    line = re.sub(r"\s", " ", text)
    before, wrong = (
        printable(part, lines=True) for part in (line[: error.start], line[error.start : error.end])
    )
    behind = printable(line[error.end :], lines=True)
    return f"  {before}{wrong}{behind}\n  {' ' * _cells(before)}{'^' * max(1, _cells(wrong))}"


def _cells(text: str) -> int:
    """Give how wide a printable text is in a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )
