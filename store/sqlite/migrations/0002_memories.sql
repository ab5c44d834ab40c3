-- A summary stands for the history up to a place, and goes with it.
CREATE TABLE summary (
    id INTEGER PRIMARY KEY,
    task INTEGER NOT NULL REFERENCES task (n) ON DELETE CASCADE,
    up_to INTEGER NOT NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX summary_task ON summary (task, up_to);

-- A memory outlives what it was learnt from: where that was is kept as text, not as a reference.
CREATE TABLE memory (
    id TEXT NOT NULL PRIMARY KEY,
    tenant_id TEXT NOT NULL,
    text TEXT NOT NULL,
    importance REAL NOT NULL CHECK (importance BETWEEN 0 AND 1),
    task_id TEXT,
    task_title TEXT,
    backend TEXT,
    session_id TEXT,
    project_path TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;

CREATE INDEX memory_importance ON memory (importance DESC, created_at DESC);
CREATE INDEX memory_task ON memory (task_id, importance DESC, created_at DESC);

-- `owner` is the process that works on an attempt now.
CREATE TABLE extraction (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    task INTEGER NOT NULL UNIQUE REFERENCES task (n) ON DELETE CASCADE,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    owner TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT;
