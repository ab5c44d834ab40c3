"""What of an agent's command line a person may choose before it is started, and choosing it.

A command is its own record of what was chosen: which mode and which model it has is read from its
words, and choosing replaces those words and leaves all others as they are.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from store.errors import ResumeError
from store.resume.command import Command
from store.text import printable

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Mode:
    """A permission mode: its name, what it means, and the words or variables that ask for it.

    `is_dangerous` marks one in which nothing is asked any more.
    """

    name: str
    help: str
    words: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    is_dangerous: bool = False


@dataclass(frozen=True, slots=True)
class Option:
    """An option of an agent's command line; `values` are known ones, `takes_value` others too."""

    word: str
    help: str
    takes_value: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Manual:
    """What is known of an agent's command line.

    `install` is the command that installs the program. `home_variables` say where its sessions
    are. `model_option` is None where a session keeps its model. `asks_where` says what to answer
    where the agent itself asks about a folder that is not the session's own.
    """

    install: str
    home_variables: tuple[str, ...]
    modes: tuple[Mode, ...]
    options: tuple[Option, ...]
    model_option: Option | None = None
    model_option_short: str | None = None
    asks_where: str = ""

    def mode(self, name: str) -> Mode:
        """Give the mode of a name. Raises ResumeError naming those that there are."""
        for mode in self.modes:
            if mode.name == name:
                return mode
        known = ", ".join(mode.name for mode in self.modes)
        raise ResumeError(f"there is no permission mode {printable(name)!r}; there are {known}")


def mode_of(command: Command, manual: Manual) -> Mode | None:
    """Give the mode that a command asks for; None when it leaves that to the agent."""
    found = [
        mode
        for mode in manual.modes
        if (not mode.words or _place(command.argv, mode.words) is not None)
        and mode.env.items() <= command.env.items()
        and (mode.words or mode.env)
    ]
    return max(found, key=lambda mode: len(mode.words), default=None)


def with_mode(command: Command, manual: Manual, mode: Mode | None) -> Command:
    """Give the command with another mode, or with None left to the agent."""
    argv, env = list(command.argv), dict(command.env)
    while (before := mode_of(replace(command, argv=tuple(argv), env=env), manual)) is not None:
        if (place := _place(argv, before.words)) is not None and before.words:
            del argv[place : place + len(before.words)]
        for name in before.env:
            del env[name]
    if mode is not None:
        argv += mode.words
        env |= mode.env
    return replace(command, argv=tuple(argv), env=env)


def model_of(command: Command, manual: Manual) -> str | None:
    """Give the model that a command asks for."""
    place = _model_place(command.argv, manual)
    if place is None:
        return None
    word = command.argv[place]
    return word.partition("=")[2] if "=" in word else command.argv[place + 1]


def with_model(command: Command, manual: Manual, model: str | None) -> Command:
    """Give the command with another model, or with None or nothing left to the agent.

    Raises ResumeError where a session keeps its model.
    """
    if manual.model_option is None:
        if model:
            raise ResumeError(f"{command.argv[0]} goes on with the model that the session has")
        return command
    argv = list(command.argv)
    while (place := _model_place(argv, manual)) is not None:
        del argv[place : place + (1 if "=" in argv[place] else 2)]
    if model:
        if model.startswith("-"):
            raise ResumeError(f"{printable(model)!r} is an option, not a model")
        argv += [manual.model_option.word, model]
    return replace(command, argv=tuple(argv))


def with_arguments(command: Command, arguments: Sequence[str]) -> Command:
    """Give the command with more arguments at its end."""
    return replace(command, argv=(*command.argv, *arguments))


def words_of(line: str) -> tuple[str, ...]:
    """Read the words of a line as a shell would, expanding nothing. Raises ResumeError."""
    try:
        return tuple(shlex.split(line))
    except ValueError as error:
        raise ResumeError(f"the line cannot be read: {str(error).lower()}") from error


def variables_of(line: str) -> dict[str, str]:
    """Read `NAME=value` words. Raises ResumeError for any other."""
    found = {}
    for word in words_of(line):
        name, equals, value = word.partition("=")
        if not equals or not _NAME.fullmatch(name):
            raise ResumeError(f"not NAME=value: {printable(word)}")
        found[name] = value
    return found


def line_of(words: Sequence[str]) -> str:
    """Give words as a line that `words_of` reads back."""
    return shlex.join(words)


def variables_line(env: Mapping[str, str]) -> str:
    """Give variables as a line that `variables_of` reads back."""
    return " ".join(f"{name}={shlex.quote(value)}" for name, value in env.items())


def completions(manual: Manual, argv: Sequence[str], start: str) -> list[tuple[str, str]]:
    """Give what a word that begins with `start`, behind `argv`, may become, each with its help."""
    options = [*manual.options, *([manual.model_option] if manual.model_option else [])]
    if argv:
        for option in options:
            if option.word == argv[-1] and option.takes_value:
                return [(value, option.help) for value in option.values if value.startswith(start)]
    if not start.startswith("-"):
        return []
    return sorted(
        (option.word, option.help)
        for option in options
        if option.word.startswith(start) and option.word not in argv
    )


def _place(argv: Sequence[str], words: Sequence[str]) -> int | None:
    """Give where words stand next to one another in an argument list, behind the program."""
    for place in range(1, len(argv) - len(words) + 1):
        if tuple(argv[place : place + len(words)]) == tuple(words):
            return place
    return None


def _model_place(argv: Sequence[str], manual: Manual) -> int | None:
    if manual.model_option is None:
        return None
    names = {manual.model_option.word, manual.model_option_short} - {None}
    for place, word in enumerate(argv):
        if place and (word.partition("=")[0] == manual.model_option.word and "=" in word):
            return place
        if place and word in names and place + 1 < len(argv):
            return place
    return None


def with_base(command: Command, old: Command, new: Command) -> Command:
    """Give the command with its beginning replaced: that of resuming by that of forking, say.

    One that begins otherwise was written by hand, and is given as it is.
    """
    words = old.argv[1:]
    if command.argv[1 : len(words) + 1] != words:
        return command
    rest = command.argv[len(words) + 1 :]
    return replace(command, argv=(command.argv[0], *new.argv[1:], *rest))
