"""What a tool call says: the one argument that tells it apart, and its arguments in full."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

# Arguments that say what a call is about, the most telling first, over all agents' tools.
_TELLING = (
    "command",
    "cmd",
    "file_path",
    "notebook_path",
    "path",
    "pattern",
    "query",
    "url",
    "description",
    "prompt",
    "question",
    "skill",
    "subject",
    "title",
    "name",
)
_LONGEST = 2_000

# A call longer than this is shown as it was written: reading its JSON would cost a frame.
LONGEST_READ = 65_536


def arguments(content: str) -> Mapping[str, Any] | None:
    """Give a call's arguments, None when they are not a JSON object or too long to read."""
    if len(content) > LONGEST_READ or not content.lstrip().startswith("{"):
        return None
    try:
        return cast("dict[str, Any]", json.loads(content))
    except (ValueError, RecursionError):  # damaged, numbers too large, nested too deeply
        return None


def telling(content: str) -> str:
    """Give the argument that says what a call is about, else the arguments as they are."""
    read = arguments(content)
    if read is None:
        return content[:_LONGEST]
    for name in _TELLING:
        if value := read.get(name):
            return _words(value)[:_LONGEST]
    return content[:_LONGEST] if read else ""


def change(content: str) -> tuple[int, int] | None:
    """Count the lines that an edit adds and removes, None for a call that is no edit."""
    read = arguments(content)
    sides = _sides(read) if read else None
    if sides is None:
        return None
    return len(sides[1]), len(sides[0])


def detail(content: str) -> str:
    """Give a call's arguments for reading: a line each, texts as they are, edits as a diff."""
    read = arguments(content)
    if read is None:
        return content
    return "\n".join(_detail(read))


def is_diff(content: str) -> bool:
    """Say whether lines of a call's detail that begin with + and - were added and removed."""
    return "*** Begin Patch" in content[:4_096] or change(content) is not None


def _detail(read: Mapping[str, Any]) -> Iterator[str]:
    sides = _sides(read)
    for name, value in read.items():
        if sides is not None and name in ("old_string", "new_string"):
            continue
        text = value if isinstance(value, str) else _words(value)
        if "\n" in text:
            yield f"{name}:"
            yield text
        else:
            yield f"{name}: {text}"
    if sides is not None:
        yield from (f"- {line}" for line in sides[0])
        yield from (f"+ {line}" for line in sides[1])


def _sides(read: Mapping[str, Any]) -> tuple[list[str], list[str]] | None:
    """Give the lines that an edit takes out and puts in, without those it leaves alike."""
    old, new = read.get("old_string"), read.get("new_string")
    if not isinstance(old, str) or not isinstance(new, str):
        return None
    before, after = old.split("\n"), new.split("\n")
    start = 0
    while start < min(len(before), len(after)) and before[start] == after[start]:
        start += 1
    end = 0
    most = min(len(before), len(after)) - start
    while end < most and before[-1 - end] == after[-1 - end]:
        end += 1
    return before[start : len(before) - end], after[start : len(after) - end]


def _words(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        words = cast("list[str]", value)
        # ["bash", "-lc", "the command"]: the shell around it says nothing.
        return words[2] if len(words) == 3 and words[1] in ("-c", "-lc") else " ".join(words)
    return json.dumps(value, ensure_ascii=False)
