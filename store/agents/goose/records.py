"""From a message row of Goose to messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from store.models import Kind, NewMessage, Role
from store.reading.json_text import compact
from store.reading.values import attachment, list_of, object_of, text_of

_REQUESTS = frozenset({"toolRequest", "frontendToolRequest"})


class Row(NamedTuple):
    """A message row: its key, who wrote it, when, its blocks, and whether the person sees it."""

    key: str
    role: str
    time: datetime | None
    blocks: list[Any]
    is_visible: bool


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
            fields = self._fields(object_of(block), row)
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

    def _fields(self, block: dict[str, Any], row: Row) -> dict[str, Any] | None:
        kind = text_of(block.get("type"))
        if kind == "thinking":
            words = text_of(block.get("thinking"))
            if not words.strip():
                return None
            return {"role": Role.ASSISTANT, "content": words, "kind": Kind.THINKING}
        if kind in _REQUESTS:
            return self._request(block)
        if kind == "toolResponse":
            return self._response(block)
        if kind == "systemNotification" and row.is_visible:
            words = text_of(block.get("msg"))
            return {"role": Role.SYSTEM, "content": words} if words.strip() else None
        return None

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


def delegated_in(blocks: list[Any]) -> Iterator[str]:
    """Give the sub-agents' sessions that the results among these blocks came from."""
    for block in blocks:
        value = object_of(object_of(object_of(block).get("toolResult")).get("value"))
        session = text_of(object_of(value.get("_meta")).get("subagent_session_id"))
        if session:
            yield session


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
