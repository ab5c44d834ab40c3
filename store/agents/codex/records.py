"""From a record of a Codex rollout to messages.

Every text is in the file twice, as a `response_item` and as an event. The items are in all
versions, so that they are what is taken; of the events only those count that say what no item
does.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from datetime import datetime

from store.agents.codex import text
from store.agents.codex.facts import Facts
from store.agents.codex.usage import Meter
from store.models import Kind, NewMessage, Role
from store.reading.json_text import compact
from store.reading.lines import Record
from store.reading.values import list_of, object_of, text_of, title_of, without_attachments
from store.times import parse_time

_CALLS = {
    "function_call": ("name", "arguments"),
    "custom_tool_call": ("name", "input"),
    "local_shell_call": ("", "action"),
    "web_search_call": ("", "action"),
    "tool_search_call": ("", "arguments"),
    "image_generation_call": ("", "revised_prompt"),
}
_OUTPUTS = frozenset(
    {
        "function_call_output",
        "custom_tool_call_output",
        "local_shell_call_output",
        "tool_search_output",
    }
)
_BASE = 0  # the turn of what comes before the first prompt


class Reader:
    """Turns records into messages, in the order of the file.

    `facts` is what is known of the session, kept between reads. `turns` are the keys of each turn
    read, from one prompt to the next; `rolled_back` those of the turns that were taken back: both
    go on from those of the reader `of` the fork that this one reads the origin of. `wants_all` says
    that a roll back reaches to turns before them. `by_content` has keys tell what a record holds,
    for a file whose records do not stay in their places. What was used is counted by the `meter`,
    which a reader of the origin shares, too: that is where the fork's counts go on from.
    """

    def __init__(
        self,
        facts: Facts,
        *,
        of: Reader | None = None,
        by_content: bool = False,
        meter: Meter | None = None,
    ) -> None:
        self.facts = facts
        self.meter: Meter | None = of.meter if of else meter
        self.turns: list[list[str]] = of.turns if of else [[]]
        self.rolled_back: list[str] = of.rolled_back if of else []
        self.wants_all = False
        self._is_of_fork = of is not None
        self._by_content = by_content
        self.last_line = (0, 0)
        """The line of the last record without an ordinal, and how many were on it before."""
        self._calls = set(facts.tools)

    @property
    def inherited(self) -> bool:
        """Whether what is read was said in another session."""
        return self._is_of_fork or self.facts.is_copy

    def messages(self, record: Record, line: int) -> list[NewMessage]:
        """Give the messages of a record; none when it is understood and says nothing."""
        place = _Place(self, record, line)
        kind = record.get("type")
        payload = record.get("payload")
        if not isinstance(payload, dict):
            return self._flat(record, place)
        made: list[NewMessage] = []
        if kind == "response_item":
            made = list(self._item(payload, record, place))
        elif kind == "event_msg":
            self._event(payload, place)
        elif kind == "session_meta":
            self.facts.begin(payload)
        elif kind == "turn_context":
            self.facts.turn(payload)
        elif kind == "compacted":
            words = text_of(payload.get("message")) or "The context was compacted."
            made = [place.message(Role.SYSTEM, words, kind=Kind.SUMMARY)]
        return self._noted(made)

    def _flat(self, record: Record, place: _Place) -> list[NewMessage]:
        """Read a record of the format before 0.34: items without an envelope, a first line."""
        if "type" in record:
            if self.facts.cwd is None:
                self.facts.cwd = text.folder_in(record)
            return self._noted(list(self._item(record, record, place)))
        if "record_type" not in record and ("instructions" in record or "git" in record):
            self.facts.begin(record)
        return []

    def _noted(self, made: list[NewMessage]) -> list[NewMessage]:
        for message in made:
            if message.is_prompt:
                self.turns.append([])
            if message.key:
                self.turns[-1].append(message.key)
        return made

    def _event(self, payload: Record, place: _Place) -> None:
        kind = payload.get("type")
        if kind == "token_count":
            if self.meter is not None:
                self.meter.take(payload, self.facts, place.time, is_origins=self._is_of_fork)
        elif kind == "thread_name_updated" and not self.inherited:
            self.facts.name = title_of(text_of(payload.get("thread_name"))) or self.facts.name
        elif kind == "thread_rolled_back":
            count = payload.get("num_turns")
            for _ in range(count if isinstance(count, int) else 0):
                if len(self.turns) - 1 == _BASE:
                    self.wants_all = True
                    return
                self.rolled_back += self.turns.pop()

    def _item(self, payload: Record, record: Record, place: _Place) -> Iterator[NewMessage]:
        kind = text_of(payload.get("type")) or ("message" if "role" in payload else "")
        if kind == "message":
            yield from self._message(payload, record, place)
        elif kind == "reasoning":
            words = text.thought(payload)
            if words:
                yield place.message(Role.ASSISTANT, words, kind=Kind.THINKING)
        elif kind in _CALLS:
            yield from self._call(kind, payload, place)
        elif kind in _OUTPUTS:
            yield self._output(payload, place)

    def _message(self, payload: Record, record: Record, place: _Place) -> Iterator[NewMessage]:
        role = payload.get("role")
        if role == "user":
            passed = object_of(payload.get("internal_chat_message_metadata_passthrough"))
            kinds = list_of(passed.get("content_item_kinds"))
            words = text.spoken(payload.get("content"), kinds)
            if words.strip():
                is_prompt = not self.facts.is_subagent
                self.facts.hear(without_attachments(words))
                yield place.message(Role.USER, words, is_prompt=is_prompt)
        elif role == "assistant":
            # What a compaction had the model write comes again as the `compacted` record.
            if object_of(record.get("metadata")).get("compaction_output") is True:
                return
            words = text.written(payload.get("content"))
            if words.strip():
                yield place.message(Role.ASSISTANT, words, model=self.facts.model)

    def _call(self, kind: str, payload: Record, place: _Place) -> Iterator[NewMessage]:
        call = text_of(payload.get("call_id")) or text_of(payload.get("id"))
        if call in self._calls:
            return
        name_in, arguments_in = _CALLS[kind]
        name = text_of(payload.get(name_in)) or kind.removesuffix("_call")
        if call:
            self._calls.add(call)
            self.facts.tools[call] = name
        yield place.message(
            Role.ASSISTANT,
            text.arguments(payload.get(arguments_in)),
            kind=Kind.TOOL_CALL,
            tool_name=name,
            tool_call_id=call or None,
            model=self.facts.model,
        )

    def _output(self, payload: Record, place: _Place) -> NewMessage:
        call = text_of(payload.get("call_id"))
        content, failed = text.result(payload.get("output", payload.get("tools")))
        return place.message(
            Role.TOOL,
            content,
            kind=Kind.TOOL_RESULT,
            tool_name=self.facts.tools.pop(call, None),
            tool_call_id=call or None,
            is_error=failed,
        )

    def key_of(self, record: Record, line: int) -> str:
        """Give the key of a record: its ordinal, which a fork goes on counting, else its line."""
        if self._by_content:
            return f"i{line}-{zlib.crc32(compact(record).encode()):08x}"
        ordinal = record.get("ordinal")
        if isinstance(ordinal, int) and not isinstance(ordinal, bool):
            return f"o{ordinal}"
        before, count = self.last_line
        count = count + 1 if before == line else 0
        self.last_line = (line, count)
        return f"l{line}+{count}" if count else f"l{line}"


class _Place:
    """Where a record is: what its messages have in common."""

    def __init__(self, reader: Reader, record: Record, line: int) -> None:
        self.key = reader.key_of(record, line)
        self.time: datetime | None = reader.facts.stamp(parse_time(record.get("timestamp")))
        self._inherited = reader.inherited

    def message(
        self,
        role: Role,
        content: str,
        *,
        kind: Kind = Kind.TEXT,
        tool_name: str | None = None,
        tool_call_id: str | None = None,
        is_error: bool = False,
        model: str | None = None,
        is_prompt: bool = False,
    ) -> NewMessage:
        return NewMessage.trusted(
            role=role,
            content=content,
            kind=kind,
            tool_name=tool_name,
            tool_call_id=tool_call_id,
            is_error=is_error,
            model=model,
            is_prompt=is_prompt,
            on_branch=True,
            inherited=self._inherited,
            key=self.key,
            timestamp=self.time,
        )
