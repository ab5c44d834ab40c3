"""Keeping the files of agents as they are, packed, and giving them back.

A file is kept in pieces of 1 MiB by place, so that one that grew costs its last piece and what is
new. Databases are not kept: theirs are pages, not records that could be put back.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import BinaryIO

from store.batches import recorded
from store.errors import StoreCorrupt
from store.progress import Progress
from store.protocol import Store
from store.reading.databases import MAGIC
from store.reading.files import open_regular
from store.sources import Fingerprint, KnownSource, Original, Piece, Source

PIECE = 1024 * 1024
_BATCH = 1 * 1024 * 1024  # packed bytes in a transaction
_BATCH_FILES = 200
_PIECES = 4  # in one step
_LEVEL = 1  # of two thirds of the time of 3, and nearly its size


async def keep(
    store: Store,
    sources: Sequence[tuple[Source, KnownSource | None]],
    progress: Callable[[Progress], None] | None = None,
) -> int:
    """Keep what is new in the files of sources; give how many bytes that is.

    What is known of a source says whether anything of it is kept. A file that cannot be read any
    more is passed over: the import has said so.
    """
    kept: dict[str, list[Piece]] = {}
    for source, known in sources:
        if known is not None and known.kept is not None:
            path = str(source.path)
            kept[path] = await store.original_pieces(source.backend, path)
    batches = _batches([source for source, _ in sources], kept, progress)
    return sum(await recorded(batches, store.keep_originals))


async def read_original(store: Store, backend: str, path: str) -> AsyncIterator[bytes]:
    """Give a file as it was, piece by piece; nothing when it was not kept.

    Raises StoreCorrupt when a piece is not what was kept.
    """
    import zstandard

    unpacker = zstandard.ZstdDecompressor()
    for known in await store.original_pieces(backend, path):
        piece = await store.original_piece(backend, path, known.number)
        try:
            data = unpacker.decompress(piece.packed, max_output_size=PIECE)
        except zstandard.ZstdError as error:
            raise StoreCorrupt(f"the original of {path} is damaged: {error}") from error
        if len(data) != piece.size or zlib.crc32(data) != piece.checksum:
            raise StoreCorrupt(f"the original of {path} is damaged in piece {piece.number}")
        yield data


def _batches(
    sources: Sequence[Source],
    kept: Mapping[str, Sequence[Piece]],
    progress: Callable[[Progress], None] | None,
) -> Iterator[list[Original]]:
    """Read and pack files, as many at a time as one transaction stores."""
    batch: list[Original] = []
    size = bytes_done = 0
    bytes_all = sum(source.fingerprint.size for source in sources)
    for done, source in enumerate(sources, 1):
        with suppress(OSError):
            for original in _originals(source, kept.get(str(source.path), ())):
                batch.append(original)
                size += sum(len(piece.packed) for piece in original.pieces)
                if size >= _BATCH or len(batch) >= _BATCH_FILES:
                    yield batch
                    batch, size = [], 0
        bytes_done += source.fingerprint.size
        if progress is not None:
            name = source.backend
            progress(Progress(name, done, len(sources), bytes_done, bytes_all, "keeping"))
    if batch:
        yield batch


def _originals(source: Source, kept: Sequence[Piece]) -> Iterator[Original]:
    """Give what is not yet kept of a file, in steps of bounded size; the last says it is whole."""
    import zstandard

    packer = zstandard.ZstdCompressor(level=_LEVEL)
    with open_regular(source.path) as file:
        fingerprint = Fingerprint.of(os.fstat(file.fileno()))
        pieces: list[Piece] = []
        is_anew = not _goes_on(file, fingerprint.size, kept)
        number = 0 if is_anew else _unfinished(kept, fingerprint.size)
        is_database = os.pread(file.fileno(), len(MAGIC), 0) == MAGIC
        while not is_database and (data := _read(file, number * PIECE, fingerprint.size)):
            pieces.append(Piece(number, len(data), zlib.crc32(data), packer.compress(data)))
            number += 1
            if len(pieces) == _PIECES:
                yield Original(source.backend, str(source.path), tuple(pieces), is_anew)
                pieces, is_anew = [], False
    yield Original(source.backend, str(source.path), tuple(pieces), is_anew, whole=fingerprint)


def _goes_on(file: BinaryIO, size: int, kept: Sequence[Piece]) -> bool:
    """Say whether a file begins with what is kept of it.

    Of one that has grown the first piece and the last are looked at, of any other all.
    """
    end = sum(piece.size for piece in kept)
    if end > size:
        return False
    looked_at = kept if end == size else (*kept[:1], *kept[-1:])
    return all(
        zlib.crc32(_read(file, piece.number * PIECE, piece.number * PIECE + piece.size))
        == piece.checksum
        for piece in looked_at
    )


def _unfinished(kept: Sequence[Piece], size: int) -> int:
    """Give the number of the first piece of a file that is not kept, or not full."""
    is_whole = sum(piece.size for piece in kept) == size
    return len(kept) if is_whole or not kept or kept[-1].size == PIECE else len(kept) - 1


def _read(file: BinaryIO, start: int, end: int) -> bytes:
    return os.pread(file.fileno(), min(PIECE, end - start), start) if end > start else b""
