"""Records out of a JSONL stream, whatever state the file is in.

A writer may be in the middle of a line, may have crashed in one, or may have been spliced into by
another. Every line gives its record, or says why there is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Protocol

from store.reading.json_text import decode, decode_at
from store.reading.payloads import Payloads
from store.sources import SkippedRecord

_BLOCK = 256 * 1024
_BLANK = b" \t\r\n\0\xef\xbb\xbf"  # white space, what a crash leaves, and the bytes of a BOM
_MAX_TRIES = 32  # places on one damaged line where a whole record is looked for in vain
_MAX_LINE = 16 * 1024 * 1024  # of what is kept of it, and of its text in memory

# What makes every character of a text take four bytes of memory, or two.
_WIDEST = re.compile(rb"[\xf0-\xf7]|\\u[dD][89a-bA-B]")
_WIDE = re.compile(rb"[\xc4-\xef]|\\u(?!00)")

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

    A last line without its newline is a record when it is whole. One that is not is not given:
    its number is `pending` after the iteration. Two records on one line come as two items. A line
    that would take too much memory is passed over and named.
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
            if raw == b"":
                continue
            try:
                record = _record(raw, size)
            except _NoRecordError as error:
                found: list[Record | SkippedRecord] = [SkippedRecord(number, str(error))]
            except ValueError as error:
                text = str(raw or b"", "utf-8", "replace")
                found = self._salvaged(text, number, f"damaged: {error}")
            else:
                del raw  # a line may be long: one form of it at a time
                yield number, offset, record
                continue
            if not is_ended and any(isinstance(item, SkippedRecord) for item in found):
                self.pending = number
                return
            for item in found:
                yield number, offset, item

    def _salvaged(self, text: str, number: int, reason: str) -> list[Record | SkippedRecord]:
        """Take the whole records of a damaged line, and name the damage if any is lost."""
        records: list[Record | SkippedRecord] = []
        is_whole = True
        position = 0
        tries = 0
        while tries < _MAX_TRIES:
            start = text.find('{"', position)
            if start < 0:
                break
            is_whole = is_whole and not text[position:start].strip(" \t\r\0,\ufeff")
            try:
                record, end = decode_at(text, start)
            except ValueError:
                is_whole = False
                position = start + 2
                tries += 1
                continue
            if isinstance(record, dict) and (is_whole or self._is_spliced(record, text, end)):
                records.append(record)
            else:
                is_whole = False
            position = end
        is_whole = is_whole and not text[position:].strip(" \t\r\0,\ufeff")
        if not is_whole or not records:
            records.insert(0, SkippedRecord(number, reason))
        return records

    def _is_spliced(self, record: Record, text: str, end: int) -> bool:
        """Tell whether what was found in a torn record is one of its own, not a part of it."""
        rest = text[end : end + 8].strip(" \t\r\0,\ufeff")
        return not self._envelope.isdisjoint(record) and (not rest or rest.startswith("{"))


class _NoRecordError(Exception):
    """Why there is no record to be had from a line."""


def _record(raw: bytes | None, size: int) -> Record:
    """Decode a line. Raises ValueError when it is damaged."""
    if raw is None:
        raise _NoRecordError(f"too long: {size} bytes")
    record = decode(raw)
    if not isinstance(record, dict):
        raise _NoRecordError(f"a bare {_name(record)}, no record")
    return record


def _name(value: object) -> str:
    if isinstance(value, str):
        return "text"
    return "list" if isinstance(value, list) else "value"


def _lines(stream: Stream) -> Iterator[tuple[bytes | None, int, bool]]:
    """Split a stream at its newlines; give each line, its size, and whether it had a newline.

    A long line comes without the middle of what is attached to it. One that is too long all the
    same is None.
    """
    long = _LongLine()
    while block := stream.read(_BLOCK):
        pieces = block.split(b"\n")
        rest = pieces.pop()
        pieces.reverse()
        if pieces and long.size:
            yield long.end(pieces.pop(), is_ended=True)
        while pieces:
            piece = pieces.pop()
            yield _bounded(piece), len(piece), True
        if rest:
            long.add(rest)
    if long.size:
        yield long.end(b"", is_ended=False)


class _LongLine:
    """A line that is read block by block."""

    def __init__(self) -> None:
        self.size = 0
        self._parts: list[bytes] = []
        self._kept = 0
        self._payloads = Payloads()

    def add(self, block: bytes) -> None:
        self.size += len(block)
        if self._kept > _MAX_LINE:
            return
        if self._parts and self._payloads.leaves_out(self._parts, block):
            return
        self._parts.append(block)
        self._kept += len(block)
        if self._kept > _MAX_LINE:
            self._parts.clear()

    def end(self, last: bytes, *, is_ended: bool) -> tuple[bytes | None, int, bool]:
        parts, size = self._parts, self.size + len(last)
        is_too_long = self._kept > _MAX_LINE
        self._payloads.end(parts)
        parts.append(last)
        raw = b"" if is_too_long else b"".join(parts)
        parts.clear()
        self.size = self._kept = 0
        return None if is_too_long else _bounded(raw), size, is_ended


def _bounded(raw: bytes) -> bytes | None:
    """Give a line without the blanks around it; None when its text would take too much memory."""
    raw = raw.strip(_BLANK)
    if len(raw) > _MAX_LINE // 4:
        width = 4 if _WIDEST.search(raw) else 2 if _WIDE.search(raw) else 1
        if len(raw) * width > _MAX_LINE:
            return None
    return raw
