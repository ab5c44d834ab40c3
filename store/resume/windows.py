"""Opening an agent beside the browser: another pane, window or tab of the terminal one is in.

Which terminal that is its environment says; the commands only ask it to open something. They are
pure: nothing here starts anything.

Every word of the agent's command is passed as a word of its own. The folder is entered by a shell
that gets it as an argument: terminals expand what they are given as a folder, tmux even runs it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from store.errors import ResumeError
from store.resume.checks import find_program
from store.resume.command import Command

_TMUX = "TMUX"
_ENTER = 'cd -- "$1" && shift && exec "$@"'


class Kind(StrEnum):
    """What is opened; `HERE` is the terminal itself."""

    HERE = "here"
    PANE = "pane"
    WINDOW = "window"
    TAB = "tab"


@dataclass(frozen=True, slots=True)
class Terminal:
    """A terminal that can be asked to open something, the program that asks, and the words."""

    name: str
    variable: str
    program: str
    asks: Mapping[Kind, tuple[str, ...]]

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What it can open."""
        return tuple(self.asks)


# The innermost comes first: what runs inside another terminal inherits its variables.
TERMINALS = (
    Terminal(
        "tmux",
        _TMUX,
        "tmux",
        {Kind.PANE: ("split-window", "-h", "--"), Kind.WINDOW: ("new-window", "--")},
    ),
    Terminal("zellij", "ZELLIJ", "zellij", {Kind.PANE: ("run", "--close-on-exit", "--")}),
    Terminal(
        "kitty",
        "KITTY_LISTEN_ON",  # without it kitty would answer into the browser's input
        "kitten",
        {
            Kind.PANE: ("@", "launch", "--type=window"),
            Kind.TAB: ("@", "launch", "--type=tab"),
            Kind.WINDOW: ("@", "launch", "--type=os-window"),
        },
    ),
    Terminal(
        "wezterm",
        "WEZTERM_PANE",
        "wezterm",
        {
            Kind.PANE: ("cli", "split-pane", "--right", "--"),
            Kind.TAB: ("cli", "spawn", "--"),
            Kind.WINDOW: ("cli", "spawn", "--new-window", "--"),
        },
    ),
)


def terminal_of(env: Mapping[str, str]) -> Terminal | None:
    """Give the terminal that one is in, if it can be asked to open something."""
    for terminal in TERMINALS:
        if env.get(terminal.variable):
            return terminal if find_program(terminal.program, env) else None
    return None


def opening(
    command: Command, kind: Kind, env: Mapping[str, str], passed_on: Sequence[str] = ()
) -> tuple[str, ...]:
    """Give the command that opens another command in a pane, window or tab.

    What is opened has the terminal's environment, not this one: `passed_on` names variables that
    are passed on, if they are set. Raises ResumeError where that cannot be opened.
    """
    terminal = terminal_of(env)
    if terminal is None:
        raise ResumeError("this terminal cannot be asked to open another pane or window")
    if kind not in terminal.asks:
        known = ", ".join(terminal.asks)
        raise ResumeError(f"{terminal.name} cannot open a {kind} from here; it can open: {known}")
    program = find_program(terminal.program, env) or terminal.program
    words = _inside(command, env, passed_on)
    if terminal.variable == _TMUX:
        words = tuple(map(_not_ending, words))
    return (program, *terminal.asks[kind], *words)


def _not_ending(word: str) -> str:
    """Give a word as tmux has to be given it: one that ends with `;` would end its command."""
    return f"{word[:-1]}\\;" if word.endswith(";") else word


def _inside(command: Command, env: Mapping[str, str], passed_on: Sequence[str]) -> tuple[str, ...]:
    """Give the words that go into the folder and start the command with its variables."""
    kept = {name: env[name] for name in ("PATH", *passed_on) if name in env}
    kept = {name: value for name, value in kept.items() if name not in command.unset}
    taken = [word for name in command.unset for word in ("-u", name)]
    given = [f"{name}={value}" for name, value in (kept | command.env).items()]
    started = ("/usr/bin/env", *taken, *given, *command.argv)
    return ("/bin/sh", "-c", _ENTER, "sh", command.cwd, *started)
