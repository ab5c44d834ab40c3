"""What the demo's conversations would have used, by their length."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from store.models import NewMessage, Role, Usage

_LETTERS = 4  # of a token, about
_BEFORE = 14_000  # tokens that an agent says before anybody has said a word


def usage_of(messages: Iterable[NewMessage], model: str) -> tuple[Usage, ...]:
    """Give what it took to answer: all that was said before is read from a cache each time."""
    days: dict[date, list[int]] = {}
    held, new = _BEFORE, 0
    for message in messages:
        length = len(message.content) // _LETTERS
        if message.role is Role.ASSISTANT and not message.inherited and message.timestamp:
            day = days.setdefault(message.timestamp.date(), [0, 0, 0, 0])
            for place, figure in enumerate((12, length, held, new)):
                day[place] += figure
            held, new = held + new, length
        else:
            new += length
    return tuple(
        Usage(
            day=day,
            model=model,
            input_tokens=sent,
            output_tokens=output,
            cache_read_tokens=read,
            cache_write_tokens=written,
        )
        for day, (sent, output, read, written) in days.items()
    )
