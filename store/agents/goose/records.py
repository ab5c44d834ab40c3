"""From a record of Goose, be it a row or a line, to messages.

A record is known by what it holds. The ids that Goose gives do not last: a row's number changes
when its session is compacted, older rows had no id at all until an update of the database gave
them one, and lines of the older files get another when they are imported into the database.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from store.models import Kind, NewMessage, Role
from store.reading.json_text import compact
from store.reading.values import (
    attachment,
    list_of,
    object_of,
    text_of,
    title_of,
    without_attachments,
)

_REQUESTS = frozenset({"toolRequest", "frontendToolRequest"})
_CALLS = _REQUESTS | {"toolResponse"}
_NOTES = frozenset({"systemNotification", "summarizationRequested", "contextLengthExceeded"})
_TAGS = re.compile("[\U000e0000-\U000e007f]")  # what Goose takes out of texts it imports


class Row(NamedTuple):
    """A record: its key, who wrote it, when, its blocks, and whether the person sees it."""

    key: str
    role: str
    time: datetime | None
    blocks: list[Any]
    is_visible: bool


def row_of(role: Any, created: datetime | None, blocks: list[Any], is_visible: bool) -> Row:
    """Make a row whose key says what it holds: the same in a file and in the database."""
    second = int(created.timestamp()) if created is not None else 0
    held = json.dumps([text_of(role), second, [_mark(block) for block in blocks]])
    key = hashlib.blake2b(held.encode(), digest_size=12).hexdigest()
    return Row(key, text_of(role), created, blocks, is_visible)


class Keys:
    """Tells rows apart that hold the same and were written in the same second."""

    def __init__(self, seen: dict[str, int] | None = None) -> None:
        self.seen = Counter(seen)

    def told_apart(self, row: Row, before: int = 0) -> Row:
        """Give a row a key of its own. `before` counts its like that this was not shown."""
        count = self.seen[row.key] or before
        self.seen[row.key] = count + 1
        return row._replace(key=f"{row.key}+{count}") if count else row


class Reader:
    """Turns the rows of one session into messages. `tools` names the calls without results."""

    def __init__(self, tools: dict[str, str], model: str | None) -> None:
        self.tools = tools
        self._model = model
        self._calls: set[str] = set()

    def messages(self, row: Row, *, inherited: bool = False) -> list[NewMessage]:
        """Give the messages of a row: one for all that was said, one for each other block."""
        made: list[NewMessage] = []
        said: list[str] = []
        first = 0
        for index, block in enumerate(row.blocks):
            words = _shown(block)
            if words is not None:
                first = index if not said else first
                said.append(words)
                continue
            fields = self._fields(block, row)
            if fields is not None:
                made.append(_message(row, index, inherited, fields))
        if said:
            made.append(_message(row, first, inherited, self._spoken("\n".join(said), row)))
            made.sort(key=_index)
        return made

    def _spoken(self, words: str, row: Row) -> dict[str, Any]:
        if not row.is_visible:  # what stands in for the history once it was compacted
            return {"role": Role.SYSTEM, "content": words, "kind": Kind.SUMMARY}
        if row.role == "assistant":
            return {"role": Role.ASSISTANT, "content": words, "model": self._model}
        return {"role": Role.USER, "content": words, "is_prompt": True}

    def _fields(self, held: Any, row: Row) -> dict[str, Any] | None:
        block = object_of(held)
        kind = text_of(block.get("type"))
        if kind in ("text", "redactedThinking"):  # nothing that can be read
            return None
        if kind == "thinking":
            words = text_of(block.get("thinking"))
            if not words.strip():
                return None
            return {"role": Role.ASSISTANT, "content": words, "kind": Kind.THINKING}
        if kind in _REQUESTS:
            return self._request(block)
        if kind == "toolResponse":
            return self._response(block)
        if not held or (kind in _NOTES and not row.is_visible):
            return None
        words = text_of(block.get("msg")) if kind in _NOTES else ""
        return {"role": Role.SYSTEM, "content": words if words.strip() else compact(held)}

    def _request(self, block: dict[str, Any]) -> dict[str, Any] | None:
        call = text_of(block.get("id"))
        if call and call in self._calls:
            return None
        held = object_of(block.get("toolCall"))
        value = object_of(held.get("value"))
        name = text_of(value.get("name"))
        if call:
            self._calls.add(call)
            self.tools[call] = name
        error = text_of(held.get("error"))
        return {
            "role": Role.ASSISTANT,
            "content": error or compact(value.get("arguments") or {}),
            "kind": Kind.TOOL_CALL,
            "tool_name": name or None,
            "tool_call_id": call or None,
            "is_error": bool(error),
            "model": self._model,
        }

    def _response(self, block: dict[str, Any]) -> dict[str, Any]:
        call = text_of(block.get("id"))
        held = object_of(block.get("toolResult"))
        value = held.get("value")
        result = object_of(value)
        code = object_of(result.get("structuredContent")).get("exit_code")
        failed = held.get("status") == "error" or result.get("isError") is True
        content = value if isinstance(value, list) else result.get("content")
        return {
            "role": Role.TOOL,
            "content": text_of(held.get("error")) or _joined(content),
            "kind": Kind.TOOL_RESULT,
            "tool_name": self.tools.pop(call, None) or None,
            "tool_call_id": call or None,
            "is_error": failed or (isinstance(code, int) and code != 0),
        }


def heard(made: list[NewMessage]) -> str | None:
    """Give the title that the first prompt among some messages makes."""
    for message in made:
        if message.is_prompt:
            return title_of(without_attachments(message.content))
    return None


def delegated_in(blocks: list[Any]) -> Iterator[str]:
    """Give the sub-agents' sessions that the results among these blocks came from."""
    for block in blocks:
        value = object_of(object_of(object_of(block).get("toolResult")).get("value"))
        session = text_of(object_of(value.get("_meta")).get("subagent_session_id"))
        if session:
            yield session


def _mark(block: Any) -> str:
    """Say what a block is in few words, that are the same after Goose has read and written it."""
    held = object_of(block)
    kind = text_of(held.get("type"))
    call = text_of(held.get("id"))
    if kind in _CALLS and call:
        return f"{kind} {call}"
    words = _shown(block) or text_of(held.get("thinking"))
    if not words:
        return json.dumps(block, sort_keys=True)
    return words if words.isascii() else _TAGS.sub("", unicodedata.normalize("NFC", words))


def _message(row: Row, index: int, inherited: bool, fields: dict[str, Any]) -> NewMessage:
    if inherited:
        fields["inherited"] = True
    return NewMessage(timestamp=row.time, key=f"{row.key}/{index}", **fields)


def _index(message: NewMessage) -> int:
    return int((message.key or "0").rpartition("/")[2])


def _shown(block: Any) -> str | None:
    """Give what a block of text or an image says or stands for; None for the other blocks."""
    if isinstance(block, str):
        return block if block.strip() else None
    held = object_of(block)
    kind = held.get("type")
    if kind == "text":
        words = text_of(held.get("text"))
        return words if words.strip() else None
    if kind == "image":
        return attachment("image", held.get("mimeType"), held.get("data"))
    return None


def _joined(content: Any) -> str:
    parts: list[str] = []
    for block in list_of(content):
        words = _shown(block)
        if words is not None:
            parts.append(words)
        elif object_of(block).get("type") not in ("text", None):
            parts.append(compact(block))
    return "\n".join(parts)
