"""The arguments of a command line, before they are parsed."""

from __future__ import annotations

from collections.abc import Sequence

_WITH_QUERY = ("list", "search")
_WITH_VALUE = ("--limit", "--database")


def options_first(arguments: Sequence[str]) -> list[str]:
    """Give the arguments of a command that takes a query with the query's words behind `--`.

    Options are `-h` and what begins with two dashes; `-word` excludes a word. What stands behind a
    `--` of one's own are words, whatever they begin with.
    """
    given = list(arguments)
    at = command_at(given)
    if at is None or given[at] not in _WITH_QUERY:
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


def command_at(arguments: Sequence[str]) -> int | None:
    """Give the place of the command's name among the arguments; None when there is none."""
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        at += 2 if "--database".startswith(arguments[at]) else 1
    return at if at < len(arguments) else None
