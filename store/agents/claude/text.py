"""What a person said to Claude Code, told apart from what its program wrote in their name."""

from __future__ import annotations

import re
from typing import NamedTuple

from store.models import Role

# What the program puts before (reminders also behind) the words of a person, in one text.
_CONTEXT = re.compile(
    r"\s*<(ide_opened_file|ide_selection|ide_diagnostics|new-diagnostics|system-reminder"
    r"|user-prompt-submit-hook|local-command-caveat|task-notification|info-msg)>"
    r".*?</\1>\s*",
    re.DOTALL,
)
_NOISE = (
    "<ide_opened_file>",
    "<ide_selection>",
    "<ide_diagnostics>",
    "<new-diagnostics>",
    "<system-reminder>",
    "<user-prompt-submit-hook>",
    "<local-command-caveat>",
    "<task-notification>",
    "Caveat: The messages below",
)
_REMINDER = ("<system-reminder>", "</system-reminder>")
_OUTPUT = re.compile(r"<((?:bash|local-command)-std(?:out|err))>(.*?)(?:</\1>|\Z)", re.DOTALL)
_NAME = re.compile(r"<command-name>(.*?)</command-name>", re.DOTALL)
_MESSAGE = re.compile(r"<command-message>(.*?)</command-message>", re.DOTALL)
_ARGUMENTS = re.compile(r"<command-args>(.*?)</command-args>", re.DOTALL)
_SHELL = re.compile(r"<bash-input>(.*?)(?:</bash-input>|\Z)", re.DOTALL)


class Said(NamedTuple):
    """A text of a user record as a reader wants it."""

    role: Role
    content: str
    is_prompt: bool


def said(text: str) -> Said | None:
    """Tell what a text in a user's name is; None for what only the model was meant to see.

    A prompt comes without the context around it. A slash command and a shell command come as they
    were typed, what they printed as the system's words.
    """
    begin = text.lstrip()[:1]
    if not begin:
        return None
    if begin == "<":
        text = _without_context(text)
        if not text.strip():
            return None
        begin = text.lstrip()[:1]
    if text.endswith(("</system-reminder>", "</system-reminder>\n")):
        text = _without_reminders(text)
        if not text:
            return None
    if begin not in "<[C":
        return Said(Role.USER, text, True)
    return _special(text)


def _special(text: str) -> Said | None:
    start = text.lstrip()
    if start.startswith(("<command-name>", "<command-message>")):
        return Said(Role.USER, _command(start), False)
    if start.startswith("<bash-input>"):
        match = _SHELL.match(start)
        return Said(Role.USER, f"!{match[1] if match else ''}", False)
    if start.startswith(("<bash-std", "<local-command-std")):
        parts = [part for _, part in _OUTPUT.findall(start) if part.strip()]
        return Said(Role.SYSTEM, "\n".join(parts), False) if parts else None
    if start.startswith("[Request interrupted by user"):
        return Said(Role.SYSTEM, start.rstrip(), False)
    if start.startswith(_NOISE):
        return None
    return Said(Role.USER, text, True)


def _command(text: str) -> str:
    name = _NAME.search(text) or _MESSAGE.search(text)
    words = name[1].strip() if name else ""
    if not words.startswith("/"):
        words = f"/{words}"
    arguments = _ARGUMENTS.search(text)
    return f"{words} {arguments[1].strip()}".rstrip() if arguments else words


def _without_context(text: str) -> str:
    position = 0
    while match := _CONTEXT.match(text, position):
        position = match.end()
    return text[position:]


def _without_reminders(text: str) -> str:
    begin, end = _REMINDER
    text = text.rstrip()
    while text.endswith(end):
        start = text.rfind(begin)
        if start < 0:
            break
        text = text[:start].rstrip()
    return text
