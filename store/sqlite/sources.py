"""What was imported from where: sessions, messages and checkpoints of sources, kept together."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from store.models import LOCAL_TENANT, NewMessage, Session, SessionStatus, TitleFrom
from store.sources import (
    Checkpoint,
    Chunk,
    Fingerprint,
    KnownSource,
    Recorded,
    SessionFacts,
    SkippedRecord,
    Source,
)
from store.sqlite import dependencies, messages, revisions, sessions, tasks, usage
from store.sqlite.values import (
    from_json,
    from_path,
    micros_or_none,
    moment,
    now,
    text_or_none,
    to_json,
    to_path,
)
from store.text import storable

# Imported tasks get ids that follow from their session, so that an import into an empty store
# gives the same ids again, and links between sessions hold whichever is read first.
_TASK_IDS = uuid.UUID("6b8f2f0e-6d0c-5a52-9b5c-7f4be0c1a9d4")

_REMNANT = "remnant/"  # begins the keys of messages that stand in for a lost source's
_CTIME = "ctime_ns"  # kept in the state of a source

_TITLE_RANK = {TitleFrom.PERSON: 2, TitleFrom.AGENT: 1, TitleFrom.PROMPT: 0}


def task_id_for(backend: str, namespace: str, session_id: str) -> str:
    """Give the id of the task that an imported session gets."""
    return str(uuid.uuid5(_TASK_IDS, "\0".join((backend, namespace, session_id))))


@dataclass(slots=True)
class _Tally:
    added: set[str] = field(default_factory=set)
    updated: set[str] = field(default_factory=set)
    messages: int = 0


def record(db: sqlite3.Connection, chunks: Sequence[Chunk]) -> Recorded:
    """Store chunks: sessions and their tasks, messages, links, and how far each source was read."""
    tally = _Tally()
    for chunk in chunks:
        if chunk.session is not None:
            _record_session(db, chunk, chunk.session, tally)
        _save_checkpoint(db, chunk)
    return Recorded(frozenset(tally.added), frozenset(tally.updated - tally.added), tally.messages)


def _record_session(
    db: sqlite3.Connection, chunk: Chunk, facts: SessionFacts, tally: _Tally
) -> None:
    n = _task_of(db, chunk.source.backend, facts.namespace, facts.session_id)
    fresh = n is None
    if n is None:
        n = _insert(db, chunk, facts)
        changed = True
    elif facts.is_remnant:
        if not _is_of(db, n, chunk.source):
            return
        changed = False
    else:
        _drop_remnants(db, n)
        changed = _update(db, n, chunk, facts)
    said: Sequence[NewMessage] = chunk.messages
    replaced: Sequence[str] = ()
    stored: Collection[str] | None = None
    if facts.is_remnant:
        said = _as_remnants(said)
    elif not chunk.keys_tell_content:
        place = n if _has_history(db, n) else None
        said, replaced, stored = revisions.told_apart(db, place, said)
    appended = len(messages.append(db, n, said, known=stored))
    tally.messages += appended
    counted = bool(chunk.usage) and usage.record(db, n, chunk.usage)
    if changed or appended or counted:
        task_id = db.execute("SELECT id FROM task WHERE n = ?", (n,)).fetchone()["id"]
        (tally.added if fresh else tally.updated).add(task_id)
    messages.mark_branch(db, n, chunk.off_branch, on_branch=False)
    messages.mark_branch(db, n, chunk.on_branch, on_branch=True)
    messages.mark_branch(db, n, replaced, on_branch=False)
    _link(db, n, chunk.source.backend, facts)


def _has_history(db: sqlite3.Connection, n: int) -> bool:
    """Tell whether anything was ever said in a task: it may be older than its session."""
    return bool(db.execute("SELECT last_seq > 0 FROM task WHERE n = ?", (n,)).fetchone()[0])


_INSERT_TASK = """
    INSERT INTO task (id, tenant_id, title, title_from, status, origin, notes, project_path,
                      created_at, updated_at, archived_at)
    VALUES (:id, :tenant_id, :title, :title_from, 'open', :origin, '', :project_path,
            :created_at, :now, :archived_at)
    ON CONFLICT (id) DO NOTHING
"""


def _insert(db: sqlite3.Connection, chunk: Chunk, facts: SessionFacts) -> int:
    backend = chunk.source.backend
    task_id = task_id_for(backend, facts.namespace, facts.session_id)
    created = micros_or_none(facts.started_at)
    if created is None:
        created = chunk.checkpoint.fingerprint.mtime_ns // 1000
    db.execute(
        _INSERT_TASK,
        {
            "id": task_id,
            "tenant_id": LOCAL_TENANT,
            "title": storable(facts.title or ""),
            "title_from": facts.title_from,
            "origin": facts.origin,
            "project_path": text_or_none(facts.project_path),
            "created_at": created,
            "archived_at": now() if facts.archived else None,
            "now": now(),
        },
    )
    n = int(db.execute("SELECT n FROM task WHERE id = ?", (task_id,)).fetchone()["n"])
    sessions.store(
        db,
        n,
        Session(
            task_id=task_id,
            session_id=facts.session_id,
            backend=backend,
            namespace=facts.namespace,
            status=SessionStatus.PAUSED,
            root=storable(str(chunk.source.root)),
            source_path=storable(str(chunk.source.path)),
            source_gone_at=moment(now()) if facts.is_remnant else None,
            project_path=text_or_none(facts.project_path),
            git_branch=text_or_none(facts.git_branch),
            model=text_or_none(facts.model),
            agent_version=text_or_none(facts.agent_version),
            permission_mode=text_or_none(facts.permission_mode),
            parent_session_id=text_or_none(facts.parent_session_id),
            fork_session_id=text_or_none(facts.fork_session_id),
            created_at=moment(created),
            updated_at=moment(now()),
        ),
    )
    return n


# What the source says now replaces what it said before; what it does not say stays.
_UPDATE_SESSION = """
    UPDATE session SET
        root = :root, source_path = :source_path, source_gone_at = NULL,
        project_path = coalesce(project_path, :project_path),
        git_branch = coalesce(:git_branch, git_branch),
        model = coalesce(:model, model),
        agent_version = coalesce(:agent_version, agent_version),
        permission_mode = coalesce(:permission_mode, permission_mode),
        parent_session_id = coalesce(:parent_session_id, parent_session_id),
        fork_session_id = coalesce(:fork_session_id, fork_session_id),
        updated_at = :now
    WHERE task = :task AND (source_gone_at IS NOT NULL OR
        (root, source_path, project_path, git_branch, model, agent_version, permission_mode,
         parent_session_id, fork_session_id)
        IS NOT (:root, :source_path, coalesce(project_path, :project_path),
         coalesce(:git_branch, git_branch), coalesce(:model, model),
         coalesce(:agent_version, agent_version), coalesce(:permission_mode, permission_mode),
         coalesce(:parent_session_id, parent_session_id),
         coalesce(:fork_session_id, fork_session_id)))
"""


# Only when its agent has just moved it: a person may have taken it back here.
_ARCHIVE = """
    UPDATE task SET archived_at = ? WHERE n = ? AND archived_at IS NULL
        AND (SELECT source_path FROM session WHERE task = task.n) IS NOT ?
"""


def _update(db: sqlite3.Connection, n: int, chunk: Chunk, facts: SessionFacts) -> bool:
    changed = 0
    if facts.archived:
        changed += db.execute(_ARCHIVE, (now(), n, storable(str(chunk.source.path)))).rowcount
    changed += db.execute(
        _UPDATE_SESSION,
        {
            "task": n,
            "root": storable(str(chunk.source.root)),
            "source_path": storable(str(chunk.source.path)),
            "project_path": text_or_none(facts.project_path),
            "git_branch": text_or_none(facts.git_branch),
            "model": text_or_none(facts.model),
            "agent_version": text_or_none(facts.agent_version),
            "permission_mode": text_or_none(facts.permission_mode),
            "parent_session_id": text_or_none(facts.parent_session_id),
            "fork_session_id": text_or_none(facts.fork_session_id),
            "now": now(),
        },
    ).rowcount
    task = db.execute("SELECT title, title_from FROM task WHERE n = ?", (n,)).fetchone()
    if facts.title and _TITLE_RANK[TitleFrom(task["title_from"])] <= _TITLE_RANK[facts.title_from]:
        changed += db.execute(
            "UPDATE task SET title = :title, title_from = :title_from, updated_at = :now"
            " WHERE n = :n AND (title, title_from) IS NOT (:title, :title_from)",
            {
                "title": storable(facts.title),
                "title_from": facts.title_from,
                "now": now(),
                "n": n,
            },
        ).rowcount
    changed += db.execute(
        "UPDATE task SET project_path = ? WHERE n = ? AND project_path IS NULL AND ? IS NOT NULL",
        (text_or_none(facts.project_path), n, text_or_none(facts.project_path)),
    ).rowcount
    return changed > 0


def _is_of(db: sqlite3.Connection, n: int, source: Source) -> bool:
    """Tell whether a session came from this source, and is known only as a remnant."""
    row = db.execute(
        "SELECT source_path FROM session WHERE task = ? AND source_gone_at IS NOT NULL", (n,)
    ).fetchone()
    return row is not None and row["source_path"] == storable(str(source.path))


def _as_remnants(said: Sequence[NewMessage]) -> list[NewMessage]:
    return [message.model_copy(update={"key": _REMNANT + (message.key or "")}) for message in said]


_COUNT_AGAIN = """
    UPDATE task SET
        message_count = (SELECT count(*) FROM message WHERE message.task = task.n),
        prompt_count = (SELECT count(*) FROM message WHERE message.task = task.n AND is_prompt),
        last_message_at = (SELECT max(at) FROM message WHERE message.task = task.n)
    WHERE n = ?
"""


def _drop_remnants(db: sqlite3.Connection, n: int) -> None:
    """Make way for the session's own source, which says again what was saved of it."""
    row = db.execute("SELECT source_gone_at FROM session WHERE task = ?", (n,)).fetchone()
    if row["source_gone_at"] is None:
        return
    dropped = db.execute(
        "DELETE FROM message WHERE task = ? AND key >= ? AND key < ?",
        (n, _REMNANT, _REMNANT[:-1] + chr(ord(_REMNANT[-1]) + 1)),
    ).rowcount
    if dropped:
        db.execute(_COUNT_AGAIN, (n,))


def _link(db: sqlite3.Connection, n: int, backend: str, facts: SessionFacts) -> None:
    """Hang a task under its parent and on its origin, from whichever side is stored last."""
    if facts.parent_session_id is not None:
        parent = _task_of(db, backend, facts.namespace, facts.parent_session_id)
        if parent is not None:
            _set_parent(db, n, parent)
    if facts.fork_session_id is not None:
        origin = _task_of(db, backend, facts.namespace, facts.fork_session_id)
        if origin is not None:
            db.execute("UPDATE task SET fork_of = ? WHERE n = ? AND n != ?", (origin, n, origin))
    for row in db.execute(
        "SELECT task FROM session WHERE parent_session_id = ? AND backend = ? AND namespace = ?",
        (facts.session_id, backend, facts.namespace),
    ).fetchall():
        _set_parent(db, row["task"], n)
    db.execute(
        "UPDATE task SET fork_of = ? WHERE n != ? AND fork_of IS NULL AND n IN (SELECT task"
        " FROM session WHERE fork_session_id = ? AND backend = ? AND namespace = ?)",
        (n, n, facts.session_id, backend, facts.namespace),
    )


def _set_parent(db: sqlite3.Connection, child: int, parent: int) -> None:
    """A sub-agent's task hangs under its parent's, which depends on it."""
    if tasks.hangs_below(db, parent, child):
        return  # two files that each name the other as its parent
    db.execute("UPDATE task SET parent = ? WHERE n = ? AND parent IS NULL", (parent, child))
    dependencies.add_unless_circular(db, parent, child)


def _task_of(db: sqlite3.Connection, backend: str, namespace: str, session_id: str) -> int | None:
    row = db.execute(
        "SELECT task FROM session"
        " WHERE tenant_id = ? AND backend = ? AND namespace = ? AND session_id = ?",
        (LOCAL_TENANT, backend, namespace, session_id),
    ).fetchone()
    return None if row is None else int(row["task"])


_SAVE_SOURCE = """
    INSERT INTO source (backend, path, device, inode, size, mtime_ns, position, line, records,
                        skipped, pending, state, finished, gone_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)
    ON CONFLICT (backend, path) DO UPDATE SET
        device = excluded.device, inode = excluded.inode, size = excluded.size,
        mtime_ns = excluded.mtime_ns, position = excluded.position, line = excluded.line,
        records = excluded.records, skipped = excluded.skipped, pending = excluded.pending,
        state = excluded.state, finished = excluded.finished, gone_at = NULL
"""


def _save_checkpoint(db: sqlite3.Connection, chunk: Chunk) -> None:
    checkpoint, fingerprint = chunk.checkpoint, chunk.checkpoint.fingerprint
    db.execute(
        _SAVE_SOURCE,
        (
            chunk.source.backend,
            to_path(str(chunk.source.path)),
            fingerprint.device,
            fingerprint.inode,
            fingerprint.size,
            fingerprint.mtime_ns,
            checkpoint.offset,
            checkpoint.line,
            checkpoint.records,
            to_json([[skipped.line, skipped.reason] for skipped in checkpoint.skipped]),
            checkpoint.pending,
            to_json({**checkpoint.state, _CTIME: fingerprint.ctime_ns}),
            checkpoint.finished,
        ),
    )


_KNOWN = """
    SELECT source.path, device, source.inode, source.size, source.mtime_ns, position, line, records,
        skipped, pending, state, finished, gone_at, kept.inode, kept.size, kept.mtime_ns
    FROM source LEFT JOIN original AS kept ON kept.id = (
        SELECT id FROM original
        WHERE original.backend = source.backend AND original.path = source.path
        ORDER BY version DESC LIMIT 1)
    WHERE source.backend = ?
"""
_SESSIONS = """
    SELECT source_path, count(*) FROM session
    WHERE backend = ? AND source_path {} GROUP BY source_path
"""


def known(
    db: sqlite3.Connection, backend: str, paths: Sequence[str] | None
) -> dict[str, KnownSource]:
    """Give what is remembered of an agent's sources, or of some of them, by path."""
    if paths is not None:
        return {path: source for path in paths for source in _known(db, backend, path)}
    return {source.path: source for source in _known(db, backend, None)}


def _known(db: sqlite3.Connection, backend: str, path: str | None) -> list[KnownSource]:
    rows = db.execute(
        _KNOWN if path is None else f"{_KNOWN} AND source.path = ?",
        (backend,) if path is None else (backend, to_path(path)),
    )
    rows.row_factory = None
    sessions = db.execute(
        _SESSIONS.format("IS NOT NULL" if path is None else "= ?"),
        (backend,) if path is None else (backend, storable(path)),
    )
    sessions.row_factory = None
    sessions_of = dict(sessions.fetchall())
    return [_to_known(backend, row, sessions_of) for row in rows]


def _to_known(backend: str, row: Iterable[Any], sessions_of: Mapping[str, int]) -> KnownSource:
    """Give a row of `_KNOWN`. By place: a look at everything does this for every file there is."""
    raw_path, device, inode, size, mtime_ns, position, line, records, *rest = row
    skipped, pending, raw_state, finished, gone_at, kept_inode, kept_size, kept_mtime = rest
    path = from_path(raw_path)
    state = from_json(raw_state)
    changed = state.pop(_CTIME, 0)
    checkpoint = Checkpoint(
        Fingerprint(device, inode, size, mtime_ns, changed),
        position,
        line,
        records,
        tuple([SkippedRecord(line, why) for line, why in from_json(skipped)]),
        pending,
        state,
        finished == 1,
    )
    kept = None if kept_inode is None else Fingerprint(0, kept_inode, kept_size, kept_mtime)
    sessions = sessions_of.get(path if path.isascii() else storable(path), 0)
    return KnownSource(backend, path, checkpoint, gone_at is not None, sessions, kept)


def mark_gone(db: sqlite3.Connection, backend: str, paths: Sequence[str]) -> int:
    """Mark sources that vanished and the sessions that came from them; nothing is deleted."""
    at, marked = now(), 0
    for path in paths:
        marked += db.execute(
            "UPDATE source SET gone_at = ? WHERE backend = ? AND path = ? AND gone_at IS NULL",
            (at, backend, to_path(path)),
        ).rowcount
        db.execute(
            "UPDATE session SET source_gone_at = ?"
            " WHERE backend = ? AND source_path = ? AND source_gone_at IS NULL",
            (at, backend, storable(path)),
        )
        # Of a file that was moved its new place is kept; nobody asks for the old one any more.
        db.execute(
            "DELETE FROM original WHERE backend = ? AND path = ? AND NOT EXISTS"
            " (SELECT 1 FROM session WHERE session.backend = original.backend AND source_path = ?)",
            (backend, to_path(path), storable(path)),
        )
    return marked
