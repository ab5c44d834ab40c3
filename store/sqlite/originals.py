"""The files of agents as they were: packed pieces, each under its place in its file."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from store.errors import NotFound
from store.sources import Original, Piece
from store.sqlite.values import now, to_path

_KEPT_VERSIONS = 2
_NOT_WHOLE = -1

_CURRENT = """
    SELECT id, version FROM original WHERE backend = ? AND path = ? ORDER BY version DESC LIMIT 1
"""
_BEGIN = """
    INSERT INTO original (backend, path, version, inode, size, mtime_ns, kept_at)
    VALUES (?, ?, ?, 0, ?, 0, ?)
"""
_PUT = """
    INSERT INTO piece (original, number, size, checksum, packed) VALUES (?, ?, ?, ?, ?)
    ON CONFLICT (original, number) DO UPDATE SET
        size = excluded.size, checksum = excluded.checksum, packed = excluded.packed
"""
_WHOLE = "UPDATE original SET inode = ?, size = ?, mtime_ns = ?, kept_at = ? WHERE id = ?"


def keep(db: sqlite3.Connection, originals: Sequence[Original]) -> int:
    """Store pieces of files; give the size of what they hold, in bytes."""
    for one in originals:
        key = (one.backend, to_path(one.path))
        current = db.execute(_CURRENT, key).fetchone()
        if current is None or one.is_anew:
            version = 1 if current is None else current["version"] + 1
            place = db.execute(_BEGIN, (*key, version, _NOT_WHOLE, now())).lastrowid
            db.execute(
                "DELETE FROM original WHERE backend = ? AND path = ? AND version <= ?",
                (*key, version - _KEPT_VERSIONS),
            )
        else:
            place = current["id"]
        db.executemany(
            _PUT,
            [(place, each.number, each.size, each.checksum, each.packed) for each in one.pieces],
        )
        whole = one.whole
        size = _NOT_WHOLE if whole is None else whole.size
        inode, mtime_ns = (0, 0) if whole is None else (whole.inode, whole.mtime_ns)
        db.execute(_WHOLE, (inode, size, mtime_ns, now(), place))
    return sum(piece.size for one in originals for piece in one.pieces)


def pieces(db: sqlite3.Connection, backend: str, path: str) -> list[Piece]:
    """Give the pieces of a file's newest version, without their bytes; none when none is kept."""
    rows = db.execute(
        f"SELECT number, size, checksum FROM ({_CURRENT}) AS current"  # noqa: S608 - a constant
        " JOIN piece ON piece.original = current.id ORDER BY number",
        (backend, to_path(path)),
    )
    return [Piece(row["number"], row["size"], row["checksum"]) for row in rows]


def piece(db: sqlite3.Connection, backend: str, path: str, number: int) -> Piece:
    """Give one piece of a file's newest version. Raises NotFound."""
    row = db.execute(
        f"SELECT number, size, checksum, packed FROM ({_CURRENT}) AS current"  # noqa: S608
        " JOIN piece ON piece.original = current.id WHERE number = ?",
        (backend, to_path(path), number),
    ).fetchone()
    if row is None:
        raise NotFound("piece of the original", f"{path}, number {number}")
    return Piece(row["number"], row["size"], row["checksum"], row["packed"])
