"""Records that were written anew in their place: what they say now is added, the old one stays."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Collection, Sequence

from store.models import NewMessage
from store.sqlite.values import to_json
from store.text import storable

_KNOWN = """
    SELECT key, content FROM message WHERE task = ? AND key IN (SELECT value FROM json_each(?))
"""


def told_apart(
    db: sqlite3.Connection, n: int | None, messages: Sequence[NewMessage]
) -> tuple[Sequence[NewMessage], list[str], Collection[str] | None]:
    """Give messages that say something else than the stored ones of the same key keys of their own.

    Also give the keys of those that they replace, and which of their keys the history has; None
    when that has to be asked. Read again, they are found under the same keys. Without `n` the
    history is empty.
    """
    keys = [storable(message.key) for message in messages if message.key is not None]
    if not keys:
        return messages, [], ()
    before: dict[str, str] = {}
    if n is not None:
        before = dict(db.execute(_KNOWN, (n, to_json(keys))).fetchall())
    known = frozenset(before)
    if not before and len(set(keys)) == len(keys):
        return messages, [], known
    told: list[NewMessage] = []
    replaced: list[str] = []
    for message in messages:
        key = message.key
        if key is not None:
            content = storable(message.content)
            if before.setdefault(storable(key), content) != content:
                replaced.append(storable(key))
                own = f"{key}~{zlib.crc32(content.encode()):08x}"
                message = message.model_copy(update={"key": own})
        told.append(message)
    return told, replaced, None if replaced else known
