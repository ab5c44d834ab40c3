"""Where forks leave the history that they began in."""

from __future__ import annotations

import sqlite3

from store.sqlite import tasks

_FORKS = "SELECT n, id FROM task WHERE fork_of = ? ORDER BY created_at, n LIMIT ?"

_LAST_TAKEN = """
    SELECT key, at, role, content FROM message WHERE task = ? AND inherited = 1
    ORDER BY at DESC, seq DESC LIMIT 1
"""

_SAME_KEY = "SELECT seq FROM message WHERE task = ? AND key = ?"

_SAME_WORDS = "SELECT seq FROM message WHERE task = ? AND at = ? AND role = ? AND content = ?"

# Some agents stamp what they copy anew: then it is the message that as many have come before.
_SAME_PLACE = """
    SELECT seq FROM message WHERE id = (
        SELECT id FROM message WHERE task = :origin ORDER BY at, seq
        LIMIT 1 OFFSET (SELECT count(*) - 1 FROM message WHERE task = :fork AND inherited = 1)
    ) AND role = :role AND content = :content
"""


def points(db: sqlite3.Connection, task_id: str, limit: int) -> dict[str, int]:
    """Give the forks of a task, each with the number of the last message that it took over.

    A fork whose last message is not found again is left out. Raises NotFound.
    """
    origin = tasks.place(db, task_id)
    found: dict[str, int] = {}
    for fork, fork_id in db.execute(_FORKS, (origin, limit)).fetchall():
        seq = _point(db, origin, fork)
        if seq is not None:
            found[fork_id] = seq
    return found


def _point(db: sqlite3.Connection, origin: int, fork: int) -> int | None:
    last = db.execute(_LAST_TAKEN, (fork,)).fetchone()
    if last is None:
        return None
    key, at, role, content = last
    place = {"origin": origin, "fork": fork, "role": role, "content": content}
    row = (
        db.execute(_SAME_KEY, (origin, key)).fetchone()
        or db.execute(_SAME_WORDS, (origin, at, role, content)).fetchone()
        or db.execute(_SAME_PLACE, place).fetchone()
    )
    return int(row[0]) if row is not None else None
