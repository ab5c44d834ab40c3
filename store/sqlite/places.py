"""Where projects' folders are, were moved to, and by what their repositories are known again."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence

from store.errors import InvalidValue, NotFound
from store.models import Place, Repository
from store.sqlite.values import moment, now
from store.text import storable

_SET = """
    INSERT INTO place (old, new, said_at) VALUES (?, ?, ?)
    ON CONFLICT (old) DO UPDATE SET new = excluded.new, said_at = excluded.said_at
"""
_NOTE = """
    INSERT INTO repository (folder, top, main, remote, beginning, seen_at)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (folder) DO UPDATE SET top = excluded.top, main = excluded.main,
        remote = excluded.remote, beginning = excluded.beginning, seen_at = excluded.seen_at
"""
_FOLDERS = """
    SELECT project_path FROM session WHERE project_path IS NOT NULL
    GROUP BY project_path ORDER BY max(task) DESC
"""


def set_place(db: sqlite3.Connection, old: str, new: str) -> Place:
    """Remember where a folder was moved to. Raises InvalidValue for what is not another folder."""
    for path in (old, new):
        if not os.path.isabs(path) or "\0" in path:  # noqa: PTH117 - a Path cannot hold NUL
            raise InvalidValue(f"not an absolute path: {path!r}")
    old, new = storable(old), storable(new)
    if old == new:
        raise InvalidValue(f"a folder cannot be moved to where it was: {old!r}")
    at = now()
    db.execute(_SET, (old, new, at))
    return Place(old=old, new=new, said_at=moment(at))


def places(db: sqlite3.Connection) -> list[Place]:
    """Give every move that was remembered, the last one first."""
    rows = db.execute("SELECT old, new, said_at FROM place ORDER BY said_at DESC, old")
    return [Place(old=row["old"], new=row["new"], said_at=moment(row["said_at"])) for row in rows]


def forget_place(db: sqlite3.Connection, old: str) -> None:
    """Forget where a folder was moved to. Raises NotFound."""
    if not db.execute("DELETE FROM place WHERE old = ?", (storable(old),)).rowcount:
        raise NotFound("place of the folder", old)


def note_repositories(db: sqlite3.Connection, seen: Sequence[Repository]) -> None:
    """Remember by what the repositories of folders are known again."""
    at = now()
    db.executemany(
        _NOTE,
        [
            (*map(storable, (one.folder, one.top, one.main, one.remote, one.beginning)), at)
            for one in seen
        ],
    )


def repositories(db: sqlite3.Connection) -> list[Repository]:
    """Give what is remembered of repositories, by folder."""
    rows = db.execute("SELECT folder, top, main, remote, beginning FROM repository ORDER BY folder")
    return [Repository.trusted(**dict(row)) for row in rows]


def project_folders(db: sqlite3.Connection) -> list[str]:
    """Give every folder that a session belongs to, those of the newest sessions first."""
    return [row["project_path"] for row in db.execute(_FOLDERS)]


def trust_home(db: sqlite3.Connection, path: str) -> None:
    """Remember that an agent may be started with a home."""
    db.execute(
        "INSERT INTO trusted_home (path, said_at) VALUES (?, ?) ON CONFLICT (path) DO NOTHING",
        (storable(path), now()),
    )


def trusted_homes(db: sqlite3.Connection) -> list[str]:
    """Give the homes that agents may be started with."""
    return [row["path"] for row in db.execute("SELECT path FROM trusted_home ORDER BY path")]
