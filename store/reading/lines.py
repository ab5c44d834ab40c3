"""Records out of a JSONL stream, whatever state the file is in.

A writer may be in the middle of a line, may have crashed in one, or may have been spliced into by
another. Every line gives its record, or says why there is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from store.reading.json_text import decode, decode_at
from store.reading.payloads import Payloads
from store.sources import SkippedRecord

_BLOCK = 256 * 1024
_BLANK = b" \t\r\n\0\xef\xbb\xbf"  # white space, what a crash leaves, and the bytes of a BOM
_MAX_TRIES = 32  # places on one damaged line where a whole record is looked for

Record = dict[str, Any]
Item = tuple[int, int, Record | SkippedRecord]


class Stream(Protocol):
    """Where bytes come from: a file, or what unpacks one."""

    def read(self, size: int, /) -> bytes | None:
        """Give up to `size` bytes, none at the end."""
        ...


class Lines:
    """Iterate over (line number, offset of its end, record or why there is none).

    `offset` is where the stream stands and `line` the lines before that; with `within` the stream
    stands inside the line of that number, whose record was already taken. `envelope` names the
    members of which a record has at least one: it tells a record spliced into a torn line from
    a part of the torn one.

    A last line without its newline is a record when it is whole. A torn one is not given: its
    number is `pending` after the iteration. Two records on one line come as two items.
    """

    def __init__(
        self,
        stream: Stream,
        envelope: frozenset[str],
        *,
        offset: int = 0,
        line: int = 0,
        within: bool = False,
    ) -> None:
        self.pending: int | None = None
        self._stream = stream
        self._envelope = envelope
        self._offset = offset
        self._line = line - 1 if within else line

    def __iter__(self) -> Iterator[Item]:
        offset = self._offset
        number = self._line
        for raw, size, is_ended in _lines(self._stream):
            offset += size + is_ended
            number += 1
            raw = raw.strip(_BLANK)
            if not raw:
                continue
            try:
                record = decode(raw)
            except ValueError as error:
                if not is_ended:
                    self.pending = number
                    return
                text = str(raw, "utf-8", "replace")
                yield from self._salvaged(text, number, offset, str(error))
                continue
            del raw  # a line may be 100 MB: one form of it at a time
            if isinstance(record, dict):
                yield number, offset, record
            else:
                yield number, offset, SkippedRecord(number, f"a bare {_name(record)}, no record")

    def _salvaged(self, text: str, number: int, offset: int, reason: str) -> Iterator[Item]:
        """Take the whole records of a damaged line, and name the damage if any is lost."""
        records: list[Record] = []
        is_whole = True
        position = 0
        for _ in range(_MAX_TRIES):
            start = text.find('{"', position)
            if start < 0:
                break
            is_whole = is_whole and not text[position:start].strip(" \t\r\0,\ufeff")
            try:
                record, end = decode_at(text, start)
            except ValueError:
                is_whole = False
                position = start + 2
                continue
            is_record = isinstance(record, dict) and not self._envelope.isdisjoint(record)
            if is_record and (is_whole or self._reaches_on(text, end)):
                records.append(record)
            else:
                is_whole = False
            position = end
        is_whole = is_whole and not text[position:].strip(" \t\r\0,\ufeff")
        if not is_whole or not records:
            yield number, offset, SkippedRecord(number, f"damaged: {reason}")
        for record in records:
            yield number, offset, record

    @staticmethod
    def _reaches_on(text: str, end: int) -> bool:
        rest = text[end : end + 8].strip(" \t\r\0,\ufeff")
        return not rest or rest.startswith("{")


def _name(value: object) -> str:
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "value"


def _lines(stream: Stream) -> Iterator[tuple[bytes, int, bool]]:
    """Split a stream at its newlines; give each line, its size, and whether it had a newline.

    A long line comes without the middle of what is attached to it: its size says how long it is.
    """
    parts: list[bytes] = []
    payloads = Payloads()
    size = 0
    while block := stream.read(_BLOCK):
        pieces = block.split(b"\n")
        if len(pieces) == 1:
            size += len(block)
            if not parts or not payloads.leaves_out(parts, block):
                parts.append(block)
            continue
        size += len(pieces[0])
        if parts:
            payloads.end(parts)
            parts.append(pieces[0])
            pieces[0] = b"".join(parts)
            parts.clear()
        rest = pieces.pop()
        pieces.reverse()
        while pieces:  # nothing here holds on to a line that was given: it may be 100 MB
            yield pieces.pop(), size, True
            size = len(pieces[-1]) if pieces else 0
        size = len(rest)
        if rest:
            parts.append(rest)
    if parts:
        payloads.end(parts)
        pieces = [b"".join(parts)]
        parts.clear()
        yield pieces.pop(), size, False
