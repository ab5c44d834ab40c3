"""The rollouts of the first Codex: one JSON document a session, `{"session": {}, "items": []}`.

The document is written anew after each answer, so that what is read of it may be torn anywhere. It
is taken item by item: the whole of it is never in memory, only its largest item, and an item that
is damaged costs no other.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from store.models import NewMessage
from store.reading.json_text import decode, decode_at
from store.reading.lines import Item, Record, Stream
from store.reading.payloads import Payloads
from store.reading.values import list_of
from store.sources import SkippedRecord

_MAX_KEYS = 2000
_BLOCK = 32 * 1024  # small: each item is looked for in all of the text that is at hand
_MAX_HEADER = 4_000_000  # characters: the person's instructions are in it
_BLANK = " \t\r\n\0\ufeff,"
_ITEMS = re.compile(r'"items"\s*:\s*\[')
_HEADER = re.compile(r'"session"\s*:\s*(?=\{)')
_OBJECT = re.compile(r'\{\s*"')
_LONGEST_MATCH = 64  # characters that may be between the beginning of a match and its end
_ITEM_TYPES = frozenset(
    {
        "message",
        "reasoning",
        "function_call",
        "function_call_output",
        "local_shell_call",
        "local_shell_call_output",
    }
)


class Items:
    """Iterate over (position from 1, bytes read so far, item or why there is none).

    The document's header is given to `learn` before the first item. An item that is cut off, or
    the one that would have followed in a document that does not end, is `pending`.
    """

    def __init__(self, stream: Stream, learn: Callable[[Record], None]) -> None:
        self.pending: int | None = None
        self._learn = learn
        self._text = _Text(stream)

    def __iter__(self) -> Iterator[Item]:
        text = self._text
        number = 0
        head, is_found = text.head(_ITEMS)
        self._learn_header(head)
        if not is_found:
            if len(head) > _MAX_HEADER:
                yield 1, text.bytes_read, SkippedRecord(1, "no list of items")
            elif head.strip(_BLANK) and not _is_whole(head):
                self.pending = 1
            return
        while text.skip_blank():
            if text.character == "]":
                return
            number += 1
            try:
                item = text.value()
            except EOFError:
                break
            except ValueError as error:
                yield number, text.bytes_read, SkippedRecord(number, f"damaged: {error}")
                if not text.skip_to_item():
                    return
                continue
            if isinstance(item, dict):
                yield number, text.bytes_read, item
            else:
                reason = "a bare value, no record"
                yield number, text.bytes_read, SkippedRecord(number, reason)
        else:
            number += 1
        self.pending = number

    def _learn_header(self, head: str) -> None:
        match = _HEADER.search(head)
        if match is None:
            return
        try:
            session, _ = decode_at(head, match.end())
        except ValueError:
            return  # the file's name says which session it is
        self._learn(session)


def _is_whole(document: str) -> bool:
    try:
        decode(document.strip(_BLANK))
    except ValueError:
        return False
    return True


class Marks:
    """Which messages of a document that is written anew are still in it.

    `state` is what an earlier reading left: the keys of the messages that were in the document
    then, and of those that had fallen out of it.
    """

    def __init__(self, state: Mapping[str, JsonValue]) -> None:
        self._before = _keys(state.get("keys"))
        self._off_before = _keys(state.get("off"))
        self._now: dict[str, None] = {}

    def add(self, messages: Iterable[NewMessage]) -> None:
        """Note messages that are in the document."""
        self._now.update((message.key, None) for message in messages if message.key)

    def settle(
        self, state: dict[str, JsonValue], *, is_torn: bool
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Give the messages that fell out of the document, and those that are in it again.

        What the next reading has to know goes into `state`. Nothing falls out of a torn document.
        """
        now = self._before | self._now if is_torn else self._now
        off = [key for key in self._before if key not in now]
        stays_off = [key for key in self._off_before if key not in self._now]
        state["keys"] = list[JsonValue](now)[:_MAX_KEYS]
        state["off"] = list[JsonValue]([*off, *stays_off])[:_MAX_KEYS]
        return tuple(off), tuple(key for key in self._off_before if key in self._now)


def _keys(value: object) -> dict[str, None]:
    return dict.fromkeys(key for key in list_of(value) if isinstance(key, str))


class _Text:
    """The part of a document that is looked at, and the place in it."""

    def __init__(self, stream: Stream) -> None:
        self.bytes_read = 0
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._payloads = Payloads()
        self._tail = [b""]
        self._text = ""
        self._place = 0
        self._is_ended = False

    @property
    def character(self) -> str:
        return self._text[self._place]

    def skip_blank(self) -> bool:
        """Pass over what is between items; tell whether anything follows."""
        while True:
            rest = len(self._text)
            while self._place < rest and self._text[self._place] in _BLANK:
                self._place += 1
            if self._place < rest:
                return True
            if not self._more():
                return False

    def head(self, end: re.Pattern[str]) -> tuple[str, bool]:
        """Take what is before a match, and pass over the match; tell whether there is one."""
        while (match := end.search(self._text)) is None:
            if len(self._text) > _MAX_HEADER or not self._more():
                return self._text, False
        self._place = match.end()
        return self._text[: match.start()], True

    def skip_to_item(self) -> bool:
        """Pass over damage, to the next place where a whole item is or the rest of one may be."""
        self._place += 1
        while True:
            match = _OBJECT.search(self._text, self._place)
            if match is None:
                self._place = max(self._place, len(self._text) - _LONGEST_MATCH)
                if not self._more():
                    return False
                continue
            self._place = match.start()
            try:
                found = self.value()
            except EOFError:
                return True
            except ValueError:
                found = None
            if isinstance(found, dict) and found.get("type") in _ITEM_TYPES:
                self._place = match.start()
                return True
            self._place = match.start() + 1

    def value(self) -> Any:
        """Take the value here. Raises EOFError when it is cut off, ValueError when damaged."""
        while True:
            try:
                value, end = decode_at(self._text, self._place)
            except ValueError as error:
                if not self._may_be_cut_off(error):
                    raise
            else:
                if end < len(self._text) or self._is_ended:
                    self._place = end
                    return value
            if not self._more():
                raise EOFError

    def _may_be_cut_off(self, error: ValueError) -> bool:
        place = getattr(error, "pos", None)
        if place is None:
            return False
        return "Unterminated" in str(error) or place >= len(self._text) - len("-Infinity")

    def _more(self) -> bool:
        """Add to the text as much as is left of it: a long item is gone over few times."""
        parts = [self._text[self._place :]]
        wanted = max(_BLOCK, len(parts[0]))
        self._place = 0
        while wanted > 0 and not self._is_ended:
            block = self._block()
            parts.append(self._decoder.decode(block, not block))
            wanted -= len(parts[-1])
        text = "".join(parts)
        has_more = len(text) > len(parts[0])
        self._text = text
        return has_more

    def _block(self) -> bytes:
        """Read a block, without the middle of what is attached to an item."""
        while block := self._stream.read(_BLOCK):
            self.bytes_read += len(block)
            if self._payloads.leaves_out(self._tail, block):
                continue
            mark = b"".join(self._tail[1:])
            self._tail = [block]
            return mark + block
        self._is_ended = True
        self._payloads.end(self._tail)
        mark = b"".join(self._tail[1:])
        self._tail = [b""]
        return mark
