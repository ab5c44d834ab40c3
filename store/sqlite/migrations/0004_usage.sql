-- What the session of a task used, as its source says: one row for each day (YYYY-MM-DD, in UTC) and
-- model. NULL is what its agent does not say.
CREATE TABLE usage (
    task INTEGER NOT NULL REFERENCES task (n) ON DELETE CASCADE,
    day TEXT NOT NULL,
    model TEXT NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER,
    cache_write_tokens INTEGER,
    reasoning_tokens INTEGER,
    PRIMARY KEY (task, day, model)
) STRICT, WITHOUT ROWID;

-- What was imported before has no usage yet: its sources are read once more. `uncounted` is how far
-- they were read; what is said up to there is stored already and not given again. The documents of
-- the first Codex say nothing of it.
UPDATE source SET finished = 0, state = json_set(state, '$.uncounted', position)
    WHERE json_valid(state) AND CAST(path AS TEXT) NOT LIKE '%.json';
