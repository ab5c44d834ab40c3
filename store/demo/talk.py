"""A few words for writing conversations down: who says what, and how long it took."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from inspect import cleandoc

from pydantic import JsonValue

from store.models import Kind, NewMessage, Role

_READING = 45.0  # a person reads an answer before asking on


class Talk:
    """A conversation being written. Every word moves its clock on; `messages` sets it."""

    def __init__(self, name: str, model: str | None = None) -> None:
        self._name = name
        self._model = model
        self._clock = 0.0
        self._on_branch = True
        self._said: list[tuple[float, NewMessage]] = []

    def you(self, text: str, *, after: float = _READING) -> None:
        """A person asks."""
        self._say(after, Role.USER, cleandoc(text), is_prompt=True)

    def told(self, text: str) -> None:
        """Another agent, or a machine, asks."""
        self._say(1, Role.USER, cleandoc(text))

    def says(self, text: str) -> None:
        """The agent answers."""
        self._say(6, Role.ASSISTANT, cleandoc(text), model=self._model)

    def thinks(self, text: str) -> None:
        """The agent thinks aloud."""
        self._say(9, Role.ASSISTANT, cleandoc(text), kind=Kind.THINKING, model=self._model)

    def sums_up(self, text: str) -> None:
        """What went before is replaced, for the agent, by a summary."""
        self._say(20, Role.USER, cleandoc(text), kind=Kind.SUMMARY)

    def calls(
        self,
        tool: str,
        result: str,
        *,
        failed: bool = False,
        seconds: float = 2,
        **arguments: JsonValue,
    ) -> None:
        """The agent uses a tool, and this came of it."""
        call = f"{self._name}-{len(self._said) + 1:03}"
        words = json.dumps(arguments, ensure_ascii=False)
        kinds = {"tool_name": tool, "tool_call_id": call}
        self._say(3, Role.ASSISTANT, words, kind=Kind.TOOL_CALL, model=self._model, **kinds)
        self._say(
            seconds, Role.TOOL, cleandoc(result), kind=Kind.TOOL_RESULT, is_error=failed, **kinds
        )

    @contextmanager
    def rewound(self) -> Iterator[None]:
        """What is said inside was taken back afterwards."""
        self._on_branch = False
        yield
        self._on_branch = True

    def take_over(self, other: Sequence[NewMessage]) -> None:
        """Begin, as a fork does, with a copy of another conversation."""
        first = other[0].timestamp
        for message in other:
            if message.timestamp is None or first is None:
                continue
            self._clock = (message.timestamp - first).total_seconds()
            copy = message.model_copy(update={"inherited": True, "timestamp": None})
            self._said.append((self._clock, copy))

    def wait(self, seconds: float) -> None:
        """Nothing is said for a while."""
        self._clock += seconds

    def messages(self, end: datetime) -> list[NewMessage]:
        """Give the conversation such that its last word was said at `end`."""
        return [
            message.model_copy(update={"timestamp": end - timedelta(seconds=self._clock - at)})
            for at, message in self._said
        ]

    def _say(self, pause: float, role: Role, content: str, **fields: object) -> None:
        self._clock += pause
        given = {"role": role, "content": content, "on_branch": self._on_branch} | fields
        message = NewMessage.model_validate(given)
        self._said.append((self._clock, message))
