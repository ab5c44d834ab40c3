-- Times are microseconds since 1970 in UTC. Rows refer to one another by the integer `n` of a
-- task; the text ids are for people and programs. `id` of a task is unique across tenants.

CREATE TABLE migration (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at INTEGER NOT NULL
) STRICT;

CREATE TABLE task (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tenant_id TEXT NOT NULL,
    title TEXT NOT NULL,
    title_from TEXT NOT NULL,
    status TEXT NOT NULL,
    origin TEXT NOT NULL,
    notes TEXT NOT NULL,
    project_path TEXT,
    parent INTEGER REFERENCES task (n) ON DELETE SET NULL,
    fork_of INTEGER REFERENCES task (n) ON DELETE SET NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    archived_at INTEGER,
    last_message_at INTEGER,
    message_count INTEGER NOT NULL DEFAULT 0,
    prompt_count INTEGER NOT NULL DEFAULT 0,
    tool_call_count INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0,
    active_at INTEGER AS (coalesce(last_message_at, created_at)) VIRTUAL
) STRICT;

CREATE INDEX task_active ON task (tenant_id, active_at DESC, n DESC);
CREATE INDEX task_parent ON task (parent) WHERE parent IS NOT NULL;
CREATE INDEX task_fork_of ON task (fork_of) WHERE fork_of IS NOT NULL;

CREATE TABLE dependency (
    task INTEGER NOT NULL REFERENCES task (n) ON DELETE CASCADE,
    on_task INTEGER NOT NULL REFERENCES task (n) ON DELETE CASCADE,
    PRIMARY KEY (task, on_task)
) STRICT, WITHOUT ROWID;

CREATE INDEX dependency_on ON dependency (on_task);

CREATE TABLE tag (
    task INTEGER NOT NULL REFERENCES task (n) ON DELETE CASCADE,
    name TEXT NOT NULL,
    PRIMARY KEY (task, name)
) STRICT, WITHOUT ROWID;

-- `namespace` is what the session id is unique within: empty for ids that are unique everywhere.
-- `owner` names the process that made the session active, so that a dead one's can be paused.
CREATE TABLE session (
    task INTEGER PRIMARY KEY REFERENCES task (n) ON DELETE CASCADE,
    tenant_id TEXT NOT NULL,
    backend TEXT NOT NULL,
    namespace TEXT NOT NULL,
    session_id TEXT NOT NULL,
    status TEXT NOT NULL,
    owner TEXT,
    root TEXT NOT NULL,
    project_path TEXT,
    git_branch TEXT,
    model TEXT,
    agent_version TEXT,
    permission_mode TEXT,
    parent_session_id TEXT,
    fork_session_id TEXT,
    source_path TEXT,
    source_gone_at INTEGER,
    context TEXT NOT NULL,
    traits TEXT NOT NULL,
    user_id TEXT,
    thread_id TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (tenant_id, backend, namespace, session_id)
) STRICT;

CREATE INDEX session_created ON session (created_at DESC, task DESC);
CREATE INDEX session_parent ON session (parent_session_id) WHERE parent_session_id IS NOT NULL;
CREATE INDEX session_fork ON session (fork_session_id) WHERE fork_session_id IS NOT NULL;
CREATE INDEX session_source ON session (source_path) WHERE source_path IS NOT NULL;
CREATE INDEX session_live ON session (status) WHERE status = 'active';

CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    task INTEGER NOT NULL REFERENCES task (n) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    at INTEGER NOT NULL,
    role TEXT NOT NULL,
    kind TEXT NOT NULL,
    tool_name TEXT,
    tool_call_id TEXT,
    is_error INTEGER NOT NULL,
    model TEXT,
    is_prompt INTEGER NOT NULL,
    on_branch INTEGER NOT NULL,
    inherited INTEGER NOT NULL,
    key TEXT,
    content TEXT NOT NULL
) STRICT;

CREATE UNIQUE INDEX message_seq ON message (task, seq);
CREATE INDEX message_order ON message (task, at, seq);
CREATE UNIQUE INDEX message_key ON message (task, key) WHERE key IS NOT NULL;

-- How far each file or database of an agent was read. `path` is the bytes the system knows it by.
CREATE TABLE source (
    backend TEXT NOT NULL,
    path BLOB NOT NULL,
    device INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    position INTEGER NOT NULL,
    line INTEGER NOT NULL,
    records INTEGER NOT NULL,
    skipped TEXT NOT NULL,
    pending INTEGER,
    state TEXT NOT NULL,
    finished INTEGER NOT NULL,
    gone_at INTEGER,
    PRIMARY KEY (backend, path)
) STRICT, WITHOUT ROWID;
