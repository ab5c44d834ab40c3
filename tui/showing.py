"""What of a history a reader wants to see, and how much of it: pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Self, TypeVar

from store.enums import Kind
from tui.render.plan import Fold

if TYPE_CHECKING:
    from store.models import Message, MessageFilter

E = TypeVar("E", bound=StrEnum)


class Thoughts(StrEnum):
    """What is shown of an agent's thinking."""

    FOLDED = "folded"  # as everything else
    FULL = "full"
    HIDDEN = "hidden"


class Extract(StrEnum):
    """Which messages are shown."""

    ALL = "all"
    PROMPTS = "your prompts only"
    TALK = "no tools"


@dataclass(frozen=True, slots=True)
class Showing:
    """How a history is shown."""

    fold: Fold = Fold.SUMMARY
    thoughts: Thoughts = Thoughts.FOLDED
    extract: Extract = Extract.ALL

    @property
    def where(self) -> MessageFilter | None:
        """The messages that are shown; None for all."""
        if self.extract is Extract.ALL and self.thoughts is not Thoughts.HIDDEN:
            return None
        from store.models import MessageFilter

        # Unvalidated: building a validator would cost the first key a frame.
        return MessageFilter.model_construct(
            only_prompts=self.extract is Extract.PROMPTS,
            tools=self.extract is not Extract.TALK,
            thinking=self.thoughts is not Thoughts.HIDDEN,
        )

    def fold_of(self, message: Message) -> Fold:
        """Say how much of a message is shown."""
        is_thought = message.kind is Kind.THINKING
        return Fold.FULL if is_thought and self.thoughts is Thoughts.FULL else self.fold

    def next_fold(self) -> Self:
        """Show more of everything, the least again after the most."""
        return replace(self, fold=_next(self.fold))

    def next_thoughts(self) -> Self:
        """Show thinking in another way."""
        return replace(self, thoughts=_next(self.thoughts))

    def extracting(self, extract: Extract) -> Self:
        """Show only these messages, or all again when it was these already."""
        return replace(self, extract=Extract.ALL if self.extract is extract else extract)

    def in_words(self) -> str:
        """Say what differs from showing everything: empty when nothing does."""
        words = [] if self.fold is Fold.SUMMARY else [f"tools {self.fold}"]
        if self.thoughts is not Thoughts.FOLDED:
            words.append(f"thinking {self.thoughts}")
        if self.extract is not Extract.ALL:
            words.append(self.extract)
        return " · ".join(words)


def _next(value: E) -> E:
    values = list(type(value))
    return values[(values.index(value) + 1) % len(values)]
