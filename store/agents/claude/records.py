"""From a record of a Claude Code transcript to messages."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from datetime import datetime
from typing import Any

from store.agents.claude.facts import Facts
from store.agents.claude.text import Said, said
from store.agents.claude.tree import Node
from store.agents.claude.usage import Answers
from store.models import Kind, NewMessage, Role
from store.reading.json_text import compact
from store.reading.lines import Record
from store.reading.values import attachment, list_of, object_of, text_of
from store.times import parse_time

_CHAIN = frozenset({"user", "assistant", "system", "attachment", "progress"})
_CALLS = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
_SYNTHETIC = "<synthetic>"  # the model that the program names for its own words


class Reader:
    """Turns records into messages, in the order of the file.

    `facts` is what is known of the session, kept between reads; `nodes` is the tree of the records
    read by this reader. `inherited` holds the names of the records that a fork copied; where
    its origin is gone by now, `copied_lines` says how many lines those were. Answers are counted
    into `answers`, save the copied ones.
    """

    def __init__(
        self,
        facts: Facts,
        inherited: Container[str] = (),
        *,
        answers: Answers | None = None,
        copied_lines: int = 0,
    ) -> None:
        self.facts = facts
        self.copied_lines = copied_lines
        self._own_after = 0 if inherited else copied_lines
        self._line = 0
        self._answers = answers
        self.nodes: dict[str, Node] = {}
        self.leaf: str | None = None
        """The record that the program marked as the last one, if nothing was said since."""
        self._inherited = inherited
        self.last_line = (0, 0)
        """The line of the last record without a name, and how many were on it before."""
        self._calls = set(facts.tools)

    def messages(self, record: Record, line: int) -> list[NewMessage]:
        """Give the messages of a record; none when it is understood and says nothing."""
        kind = text_of(record.get("type"))
        if kind not in _CHAIN:
            self.facts.learn(kind, record)
            if kind == "last-prompt":
                self.leaf = text_of(record.get("leafUuid")) or self.leaf
            return []
        self._line = line
        name = text_of(record.get("uuid"))
        self.facts.see(record)
        place = _Place(self, record, name or self._name_of(line))
        if place.inherited:
            self.copied_lines = line
        make = _BY_TYPE.get(kind)
        made = list(make(self, record, place)) if make else []
        if made:
            self.facts.begin(place.time)
        if name:
            self._place_in_tree(record, kind, name, place, made)
        return made

    def _name_of(self, line: int) -> str:
        before, count = self.last_line
        self.last_line = (line, count + 1 if before == line else 0)
        return f"l{line}" if before != line else f"l{line}+{count + 1}"

    def _place_in_tree(
        self, record: Record, kind: str, name: str, place: _Place, made: list[NewMessage]
    ) -> None:
        parent = record.get("parentUuid") or record.get("logicalParentUuid")
        is_talk = kind in ("user", "assistant") and not place.is_sidechain
        if is_talk:
            self.leaf = None
        before = self.nodes.get(name)
        keys = tuple([message.key for message in made if message.key])
        asking = [m for m in made if m.role is Role.USER] if is_talk and kind == "user" else ()
        self.nodes[name] = Node(
            parent if isinstance(parent, str) else None,
            before.keys + keys if before else keys,
            place.time,
            is_talk,
            bool(asking),
        )

    def _user(self, record: Record, place: _Place) -> Iterator[NewMessage]:
        content = object_of(record.get("message")).get("content")
        if record.get("isCompactSummary") is True:
            text = content if isinstance(content, str) else _joined(content)
            yield place.message(Role.SYSTEM, text, kind=Kind.SUMMARY)
            return
        if record.get("isMeta") is True:
            return
        if isinstance(content, str):
            words = said(content)
            if words:
                yield place.said(words)
            return
        blocks = list_of(content)
        place.is_split = len(blocks) > 1
        has_result = any(object_of(block).get("type") == "tool_result" for block in blocks)
        yield from self._user_blocks(blocks, place, is_typed=not has_result)

    def _user_blocks(
        self, blocks: list[Any], place: _Place, *, is_typed: bool
    ) -> Iterator[NewMessage]:
        """Give one message for all that a person said or showed, and one for each other block."""
        spoken: list[str] = []
        first = 0
        for index, block in enumerate(blocks):
            kind = text_of(object_of(block).get("type"))
            if kind == "tool_result":
                yield self._result(block, place, index)
                continue
            words = _shown(block)
            if words is None:
                continue
            if not words.is_prompt:
                yield place.said(words, index)
                continue
            first = index if not spoken else first
            spoken.append(words.content)
        if spoken:
            yield place.said(Said(Role.USER, "\n".join(spoken), is_typed), first)

    def _result(self, block: Record, place: _Place, index: int) -> NewMessage:
        call = text_of(block.get("tool_use_id"))
        content = block.get("content")
        return place.message(
            Role.TOOL,
            content if isinstance(content, str) else _joined(content),
            index,
            kind=Kind.TOOL_RESULT,
            tool_name=self.facts.tools.pop(call, None),
            tool_call_id=call or None,
            is_error=block.get("is_error") is True,
        )

    def _assistant(self, record: Record, place: _Place) -> Iterator[NewMessage]:
        message = object_of(record.get("message"))
        model = text_of(message.get("model"))
        if model and model != _SYNTHETIC:
            self.facts.model = place.model = model
        is_copied = place.inherited or (self._own_after and self._line <= self._own_after)
        if self._answers is not None and not is_copied and model != _SYNTHETIC:
            self._answers.count(record, message, model, place.time)
        content = message.get("content")
        is_error = record.get("isApiErrorMessage") is True
        if isinstance(content, str):
            content = [content]
        blocks = list_of(content)
        place.is_split = len(blocks) > 1
        for index, block in enumerate(blocks):
            made = self._assistant_block(block, place, index, is_error)
            if made:
                yield made

    def _assistant_block(
        self, block: Any, place: _Place, index: int, is_error: bool
    ) -> NewMessage | None:
        block = {"type": "text", "text": block} if isinstance(block, str) else object_of(block)
        kind = text_of(block.get("type"))
        if kind == "text":
            text = text_of(block.get("text"))
            if not text.strip():
                return None
            return place.message(Role.ASSISTANT, text, index, is_error=is_error)
        if kind == "thinking":
            text = text_of(block.get("thinking"))
            if not text.strip():
                return None
            return place.message(Role.ASSISTANT, text, index, kind=Kind.THINKING)
        if kind in _CALLS:
            return self._call(block, place, index)
        if kind.endswith("tool_result"):
            return self._result(block, place, index)
        shown = _shown(block)
        return place.message(Role.ASSISTANT, shown.content, index) if shown else None

    def _call(self, block: Record, place: _Place, index: int) -> NewMessage | None:
        call = text_of(block.get("id"))
        if call and call in self._calls:
            return None
        name = text_of(block.get("name")) or None
        if call:
            self._calls.add(call)
            if name:
                self.facts.tools[call] = name
        return place.message(
            Role.ASSISTANT,
            compact(block.get("input", {})),
            index,
            kind=Kind.TOOL_CALL,
            tool_name=name,
            tool_call_id=call or None,
        )

    def _system(self, record: Record, place: _Place) -> Iterator[NewMessage]:
        if record.get("subtype") == "local_command":
            words = said(text_of(record.get("content")))
            if words:
                yield place.said(words._replace(is_prompt=False))

    def _attachment(self, record: Record, place: _Place) -> Iterator[NewMessage]:
        held = object_of(record.get("attachment"))
        if held.get("type") != "queued_command" or held.get("commandMode") == "task-notification":
            return
        prompt = held.get("prompt")
        blocks = [prompt] if isinstance(prompt, str) else list_of(prompt)
        place.is_split = len(blocks) > 1
        yield from self._user_blocks(blocks, place, is_typed=True)


# Not in each reader: one that refers to itself would stay until the garbage is collected.
_BY_TYPE: dict[str, Callable[[Reader, Record, _Place], Iterator[NewMessage]]] = {
    "user": Reader._user,
    "assistant": Reader._assistant,
    "system": Reader._system,
    "attachment": Reader._attachment,
}


class _Place:
    """Where a record is: what its messages have in common."""

    def __init__(self, reader: Reader, record: Record, name: str) -> None:
        facts = reader.facts
        self.name = name
        self.time: datetime | None = facts.stamp(parse_time(record.get("timestamp")))
        self.model: str | None = None
        self.is_split = False
        self.is_sidechain = record.get("isSidechain") is True
        self._record = record
        self._facts = facts
        self.inherited = name in reader._inherited

    def said(self, words: Said, index: int = 0) -> NewMessage:
        is_prompt = words.is_prompt and self._is_typed()
        if words.is_prompt and (is_prompt or self._facts.agent is not None):
            self._facts.hear(words.content)
        return self.message(words.role, words.content, index, is_prompt=is_prompt)

    def _is_typed(self) -> bool:
        is_own = not self.is_sidechain and self._facts.agent is None
        return is_own and _is_human(self._record)

    def message(
        self,
        role: Role,
        content: str,
        index: int = 0,
        *,
        kind: Kind = Kind.TEXT,
        tool_name: str | None = None,
        tool_call_id: str | None = None,
        is_error: bool = False,
        is_prompt: bool = False,
    ) -> NewMessage:
        return NewMessage.trusted(
            role=role,
            content=content,
            kind=kind,
            tool_name=tool_name,
            tool_call_id=tool_call_id,
            is_error=is_error,
            model=self.model,
            is_prompt=is_prompt,
            on_branch=True,
            inherited=self.inherited,
            key=f"{self.name}/{index}" if self.is_split else self.name,
            timestamp=self.time,
        )


def _is_human(record: Record) -> bool:
    if record.get("promptSource") == "system":
        return False
    origin = object_of(record.get("origin")).get("kind")
    return origin in (None, "human")


def _shown(block: Any) -> Said | None:
    """Give what a block of text, an image or a document says or stands for."""
    if isinstance(block, str):
        return said(block)
    block = object_of(block)
    kind = text_of(block.get("type"))
    if kind == "text":
        return said(text_of(block.get("text")))
    if kind in ("image", "document"):
        source = object_of(block.get("source"))
        line = attachment(kind, source.get("media_type"), source.get("data"))
        return Said(Role.USER, line, True)
    return None


def _joined(content: Any) -> str:
    """Give the content of a tool's result: text and lines for what is not text."""
    parts: list[str] = []
    for block in list_of(content):
        if isinstance(block, str):
            parts.append(block)
            continue
        block = object_of(block)
        kind = text_of(block.get("type"))
        if kind in ("image", "document"):
            source = object_of(block.get("source"))
            parts.append(attachment(kind, source.get("media_type"), source.get("data")))
        elif isinstance(block.get("text"), str):
            parts.append(block["text"])
        elif block:
            parts.append(compact(block))
    return "\n".join(parts)
