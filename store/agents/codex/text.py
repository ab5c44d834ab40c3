"""What a person said to Codex, told apart from what its program put into their messages."""

from __future__ import annotations

import re
from typing import Any

from store.reading.json_text import compact, decode
from store.reading.values import attachment, data_url, list_of, object_of, text_of

# Beginnings of user messages that the program wrote.
_NOISE = (
    "<environment_context>",
    "<user_instructions>",
    "# AGENTS.md instructions",
    "<permissions instructions>",
    "<skills_instructions>",
    "<collaboration_mode>",
    "<turn_aborted>",
    "<subagent_notification>",
    "<INSTRUCTIONS>",
    "<skill>",
    "<user_shell_command>",
    "<apps_instructions>",
    "<plugins_instructions>",
    "Another language model started to solve this problem",
)
_IMAGE_MARKS = ("<image name=", "</image>", "<image>")
_IDE = "# Context from my IDE setup:"
_REQUEST = re.compile(r"^## My request for Codex:[^\S\n]*\n?", re.MULTILINE)
_CWD = re.compile(r"<cwd>(.*?)</cwd>|^Current working directory: (.*)$", re.MULTILINE)
_EXIT = re.compile(r"^(?:Process exited with code|Exit code:?) (-?\d+)", re.MULTILINE)
_EXIT_WITHIN = 500  # characters: what the tool printed comes after the lines about how it ended


def spoken(content: Any, kinds: list[Any]) -> str:
    """Give what a person said in a user message; nothing when all of it is the program's.

    `kinds` names the kind of each item where the version writes it: those of a person are
    `user.*`.
    """
    if isinstance(content, str):
        return _own_words(content)
    parts: list[str] = []
    for index, item in enumerate(list_of(content)):
        kind = kinds[index] if index < len(kinds) else None
        if isinstance(kind, str) and kind != "unknown" and not kind.startswith("user."):
            continue
        words = _own_words(item) if isinstance(item, str) else _shown(object_of(item))
        if words.strip():
            parts.append(words)
    return "\n".join(parts)


def written(content: Any) -> str:
    """Give what an assistant wrote."""
    if isinstance(content, str):
        return content
    return "\n".join(part for item in list_of(content) if (part := _plain(item)).strip())


def folder_in(record: dict[str, Any]) -> str | None:
    """Give the working folder that a record of the old formats names.

    That is what an environment context says, or in the first format, which has none, where
    a command was run.
    """
    folder = object_of(record.get("action")).get("working_directory")
    if isinstance(folder, str) and folder.startswith("/"):
        return folder
    for item in list_of(record.get("content")):
        text = text_of(object_of(item).get("text"))
        if text.startswith("<environment_context>") and (match := _CWD.search(text)):
            return (match[1] or match[2] or "").strip() or None
    return None


def thought(payload: dict[str, Any]) -> str:
    """Give the text of a reasoning item: its summary, else its content where that is readable."""
    for name in ("summary", "content"):
        texts = [_plain(item) for item in list_of(payload.get(name))]
        text = "\n\n".join(text for text in texts if text.strip())
        if text:
            return text
    return ""


def arguments(value: Any) -> str:
    """Give a call's arguments as compact JSON, or as written where they are no JSON."""
    if not isinstance(value, str):
        return compact(value) if value is not None else ""
    if not value.startswith("{"):
        return value
    try:
        return compact(decode(value))
    except ValueError:
        return value


def result(output: Any) -> tuple[str, bool]:
    """Give the text of a tool's output, and whether it failed."""
    failed = False
    if isinstance(output, dict):
        failed = output.get("success") is False
        output = output.get("content", output.get("output"))
    if not isinstance(output, str):
        return written(output), failed
    if output.startswith('{"output"'):
        inner = _unwrapped(output)
        if inner is not None:
            return inner
    match = _EXIT.search(output[:_EXIT_WITHIN])
    return output, failed or (match is not None and match[1].strip("0-") != "")


def _unwrapped(output: str) -> tuple[str, bool] | None:
    """Read an output of the older versions: JSON with the text and `metadata.exit_code`."""
    try:
        held = object_of(decode(output))
    except ValueError:
        return None
    if not isinstance(held.get("output"), str):
        return None
    code = object_of(held.get("metadata")).get("exit_code")
    return held["output"], isinstance(code, int) and code != 0


def _shown(item: dict[str, Any]) -> str:
    if item.get("type") == "input_image":
        return data_url("image", item.get("image_url"))
    if item.get("type") == "input_file":
        return attachment("file", item.get("filename"), item.get("file_data"))
    return _own_words(text_of(item.get("text")))


def _own_words(text: str) -> str:
    start = text.lstrip()
    if start.startswith(_NOISE) or start.startswith(_IMAGE_MARKS):
        return ""
    if start.startswith(_IDE):
        match = _REQUEST.search(start)
        return start[match.end() :].strip() if match else ""
    return text


def _plain(item: Any) -> str:
    if isinstance(item, str):
        return item
    item = object_of(item)
    if item.get("type") in ("input_image", "output_image"):
        return data_url("image", item.get("image_url"))
    return text_of(item.get("text"))
