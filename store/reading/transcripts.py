"""Opening a transcript: plain, compressed or in UTF-16, from its start or where it was left."""

from __future__ import annotations

import codecs
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from store.reading.files import open_regular
from store.reading.lines import Lines, Stream
from store.sources import Checkpoint, Fingerprint, Source

_BLOCK = 256 * 1024
_ANCHOR = 256
_ANCHOR_KEY = "anchor"


@dataclass(slots=True)
class Transcript:
    """An open transcript. Offsets count the bytes of its text, unpacked if it is packed.

    `since` is the checkpoint to go on from: None when the file has to be read from its start,
    because it never was, or is not the one any more that was read.
    """

    file: BinaryIO
    fingerprint: Fingerprint
    since: Checkpoint | None
    is_plain: bool
    envelope: frozenset[str]
    path: str

    def lines(self) -> Lines:
        """Give the records from `since`, or from the start."""
        stream = self.stream()
        if self.since is None or not self.since.offset:
            return Lines(stream, self.envelope)
        before = self.since.offset - 1
        if self.is_plain:
            self.file.seek(before)
        else:
            _pass_over(stream, before)
        within = stream.read(1) not in (b"\n", b"")
        return Lines(
            stream,
            self.envelope,
            offset=self.since.offset,
            line=self.since.line,
            within=within,
        )

    def start_over(self) -> None:
        """Read from the start instead."""
        self.since = None

    def anchor(self, offset: int) -> str:
        """Sum up the bytes before an offset: what tells later that it is still the same file."""
        if not self.is_plain or not offset:
            return ""
        length = min(_ANCHOR, offset)
        return f"{zlib.crc32(os.pread(self.file.fileno(), length, offset - length)):08x}"

    def stream(self) -> Stream:
        """Give the bytes of the text, from the start."""
        self.file.seek(0)
        if self.path.endswith(".zst"):
            return _Unpacked(self.file)
        if self.is_plain:
            return self.file
        return _FromUtf16(self.file)


@contextmanager
def opened(
    source: Source, since: Checkpoint | None, envelope: frozenset[str]
) -> Iterator[Transcript]:
    """Open a source's file. Raises OSError when it cannot be read or is not a regular file."""
    with open_regular(source.path) as file:
        path = str(source.path)
        is_wide = os.pread(file.fileno(), 2, 0) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        transcript = Transcript(
            file=file,
            fingerprint=Fingerprint.of(os.fstat(file.fileno())),
            since=None,
            is_plain=not is_wide and not path.endswith(".zst"),
            envelope=envelope,
            path=path,
        )
        if since is not None and _is_same(transcript, since):
            transcript.since = since
        yield transcript


def with_anchor(transcript: Transcript, checkpoint: Checkpoint) -> None:
    """Note in a checkpoint's state what its file looks like just before its offset."""
    checkpoint.state[_ANCHOR_KEY] = transcript.anchor(checkpoint.offset)


def _is_same(transcript: Transcript, since: Checkpoint) -> bool:
    """Tell whether a file is the one that was read, and has at most grown."""
    before, now = since.fingerprint, transcript.fingerprint
    if before.inode != now.inode or now.size < before.size:
        return False
    if before.size == now.size and before.ctime_ns != now.ctime_ns:
        return False  # written over
    return since.state.get(_ANCHOR_KEY, "") in ("", transcript.anchor(since.offset))


def _pass_over(stream: Stream, size: int) -> None:
    while size > 0:
        block = stream.read(min(size, _BLOCK))
        if not block:
            return
        size -= len(block)


class _Unpacked:
    """The text of a file packed with zstd; a frame that is not finished ends it."""

    def __init__(self, file: BinaryIO) -> None:
        import zstandard

        self._error = zstandard.ZstdError
        self._stream = zstandard.ZstdDecompressor().stream_reader(
            file, read_across_frames=True, closefd=False
        )
        self._is_begun = False

    def read(self, size: int, /) -> bytes:
        try:
            block: bytes = self._stream.read(size)
        except self._error as error:
            if not self._is_begun:
                raise OSError(f"cannot be unpacked: {error}") from error
            return b""
        self._is_begun = True
        return block


class _FromUtf16:
    """The text of a file in UTF-16, as UTF-8."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-16")("replace")
        self._ready = b""

    def read(self, size: int, /) -> bytes:
        while not self._ready:
            block = self._file.read(_BLOCK)
            if not block:
                return b""
            self._ready = self._decoder.decode(block).encode("utf-8", "replace")
        taken, self._ready = self._ready[:size], self._ready[size:]
        return taken
