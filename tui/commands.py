"""Every command once: bindings, footer, palette, help screen and the README's table come from it.

A command's `id` is also the name of the action that carries it out (`action_<id>` on the browse
screen) and the id of its binding, so that keys can be mapped anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from textual.binding import Binding


class Group(StrEnum):
    """The headings that commands are shown under."""

    MOVE = "Move"
    FIND = "Find"
    LIST = "List"
    READ = "Read"
    RESUME = "Resume"
    ORGANISE = "Organise"
    GENERAL = "General"


@dataclass(frozen=True, slots=True)
class Command:
    """One thing a person can do: its keys, a title of few words, and a sentence of help.

    `keys` are Textual's names, the first one is shown. `in_footer` puts it in the bottom line.
    Commands without `is_bound` are carried out by the focused pane itself and only described here.
    """

    id: str
    keys: tuple[str, ...]
    title: str
    help: str
    group: Group
    in_footer: bool = False
    is_bound: bool = True

    @property
    def shown_key(self) -> str:
        """The key as a person reads it."""
        return _SHOWN.get(self.keys[0], self.keys[0])

    @property
    def shown_keys(self) -> str:
        """Every key as a person reads them."""
        return " ".join(_SHOWN.get(key, key) for key in self.keys)


_SHOWN = {
    "slash": "/",
    "question_mark": "?",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "pageup": "pgup",
    "pagedown": "pgdn",
    "escape": "esc",
    "backspace": "bksp",
}

COMMANDS: tuple[Command, ...] = (
    Command(
        "move",
        ("up", "down", "k", "j"),
        "Line up, down",
        "Move by a line in the list or the history.",
        Group.MOVE,
        is_bound=False,
    ),
    Command(
        "page",
        ("pageup", "pagedown"),
        "Page up, down",
        "Move by a page.",
        Group.MOVE,
        is_bound=False,
    ),
    Command(
        "ends",
        ("home", "end"),
        "First, last",
        "Go to the first or the last task or message.",
        Group.MOVE,
        is_bound=False,
    ),
    Command(
        "read",
        ("enter",),
        "Read",
        "Go into the history of the selected task. This never starts an agent.",
        Group.MOVE,
        in_footer=True,
        is_bound=False,
    ),
    Command("back", ("escape",), "Back", "Leave the history, then what was found.", Group.MOVE),
    Command("next_pane", ("tab",), "Next pane", "Go to the next pane.", Group.MOVE),
    Command(
        "search",
        ("slash",),
        "Search",
        "Look for words in every message, or, while reading, in this conversation.",
        Group.FIND,
        in_footer=True,
    ),
    Command("next_hit", ("n",), "Next hit", "Go to the next hit.", Group.FIND),
    Command("previous_hit", ("N",), "Previous hit", "Go to the hit before.", Group.FIND),
    Command(
        "scope",
        ("s",),
        "Scope",
        "Show the tasks of this folder, of this repository, or everything.",
        Group.LIST,
        in_footer=True,
    ),
    Command(
        "sort",
        ("o",),
        "Order",
        "Order by last activity, creation, number of messages, title or project.",
        Group.LIST,
    ),
    Command(
        "fold",
        ("space", "left", "right"),
        "Fold",
        "Unfold the sub-agents and forks of the selected task, or fold them up again.",
        Group.LIST,
        is_bound=False,
    ),
    Command(
        "group",
        ("b",),
        "Groups",
        "Group the list by day, by project, or not at all.",
        Group.LIST,
    ),
    Command(
        "hidden",
        ("a",),
        "All kinds",
        "Also list automated and empty sessions and stray sub-agents, or hide them again.",
        Group.LIST,
    ),
    Command(
        "archived",
        ("A",),
        "Archived",
        "List the archived tasks, or the others again.",
        Group.LIST,
    ),
    Command("density", ("z",), "Density", "Give each task one line or two.", Group.LIST),
    Command(
        "previous_prompt",
        ("K",),
        "Previous prompt",
        "Go to the prompt before.",
        Group.READ,
    ),
    Command("next_prompt", ("J",), "Next prompt", "Go to the prompt after.", Group.READ),
    Command(
        "previous_message",
        ("left_square_bracket",),
        "Previous message",
        "Go to the message before.",
        Group.READ,
    ),
    Command(
        "next_message",
        ("right_square_bracket",),
        "Next message",
        "Go to the message after.",
        Group.READ,
    ),
    Command(
        "go_to",
        ("g",),
        "Go to",
        "Go to a message by its number, or to a time: 120, 50 %, 14:30, yesterday, 2026-11-18.",
        Group.READ,
    ),
    Command(
        "unfold",
        ("space",),
        "Unfold one",
        "In the history: show the marked message in full, or fold it again.",
        Group.READ,
        is_bound=False,
    ),
    Command(
        "go_in",
        ("enter",),
        "Go in",
        "In the history: go to the sub-agent or fork that begins at the marked message.",
        Group.READ,
        is_bound=False,
    ),
    Command(
        "come_back",
        ("backspace",),
        "Come back",
        "Return to where one went into a sub-agent or fork, or to the parent.",
        Group.READ,
    ),
    Command(
        "details",
        ("v",),
        "Details",
        "Show everything known of the task; there, y copies a value and Y all of it.",
        Group.READ,
    ),
    Command(
        "copy_message",
        ("y",),
        "Copy message",
        "Copy the marked message, or the one at the top, as it was written.",
        Group.READ,
    ),
    Command(
        "copy_path",
        ("Y",),
        "Copy path",
        "Copy the path of the file that the session came from.",
        Group.READ,
    ),
    Command(
        "tools",
        ("t",),
        "Tools",
        "Show tool calls and output as a line, in short, or in full.",
        Group.READ,
        in_footer=True,
    ),
    Command(
        "thoughts",
        ("T",),
        "Thinking",
        "Show thinking as the rest, in full, or not at all.",
        Group.READ,
    ),
    Command(
        "prompts_only",
        ("p",),
        "Prompts only",
        "Show only what you typed, or everything again.",
        Group.READ,
    ),
    Command(
        "hide_tools",
        ("h",),
        "Hide tools",
        "Leave out tool calls and their output, or show them again.",
        Group.READ,
    ),
    Command(
        "follow",
        ("F",),
        "Follow",
        "Stay at the end while messages arrive; scrolling up lets go.",
        Group.READ,
    ),
    Command(
        "resume",
        ("r",),
        "Resume",
        "Go back into the agent that held this conversation; leaving it comes back here.",
        Group.RESUME,
        in_footer=True,
    ),
    Command(
        "fork",
        ("f",),
        "Fork",
        "Go on in a copy of the conversation; the session itself stays as it is.",
        Group.RESUME,
        in_footer=True,
    ),
    Command(
        "choose",
        ("R",),
        "Resume as",
        "Show the command first, with folder, permission mode, model and more to choose.",
        Group.RESUME,
    ),
    Command(
        "copy",
        ("c",),
        "Copy command",
        "Copy the command that resumes the session.",
        Group.RESUME,
        in_footer=True,
    ),
    Command(
        "rename",
        ("e",),
        "Rename",
        "Give the task a title of your own; imports leave it alone.",
        Group.ORGANISE,
        in_footer=True,
    ),
    Command(
        "archive",
        ("x",),
        "Archive",
        "Put the task away, or take an archived one back. Nothing is deleted.",
        Group.ORGANISE,
        in_footer=True,
    ),
    Command("undo", ("u",), "Undo", "Take back the last change.", Group.ORGANISE),
    Command(
        "import_now", ("i",), "Import", "Look for new sessions and messages now.", Group.GENERAL
    ),
    Command(
        "redraw",
        ("ctrl+l",),
        "Redraw",
        "Draw the whole screen anew, when something else has written on it.",
        Group.GENERAL,
        is_bound=False,
    ),
    Command(
        "help",
        ("question_mark",),
        "Help",
        "Show every key.",
        Group.GENERAL,
        in_footer=True,
    ),
    Command("quit", ("q",), "Quit", "Leave backscroll.", Group.GENERAL, in_footer=True),
)


def bindings() -> list[Binding]:
    """Give the bindings of every command that the screen carries out."""
    return [
        Binding(
            ",".join(command.keys),
            command.id,
            command.title,
            show=command.in_footer,
            tooltip=command.help,
            id=command.id,
        )
        for command in COMMANDS
        if command.is_bound
    ]


def markdown_table() -> str:
    """Give the keys as the README shows them."""
    lines = ["| key | what it does |", "| --- | --- |"]
    for command in COMMANDS:
        keys = " ".join(f"`{key}`" for key in command.shown_keys.split(" "))
        lines.append(f"| {keys} | {command.help} |")
    lines.append("| `ctrl+p` | Find any of these commands by name. |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown_table())  # noqa: T201
