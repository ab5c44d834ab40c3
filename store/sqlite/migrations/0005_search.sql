-- The index of the full text. What is in it and what is not yet follows from the triggers below,
-- whatever writes a message or a task; `store.sqlite.index` works off what they note.

-- One row for every message in the index. `place` is its number there, and puts it in time, the
-- newest first: see `store.sqlite.timeline`.
CREATE TABLE search_entry (
    place INTEGER PRIMARY KEY,
    message INTEGER NOT NULL,
    task INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX search_entry_message ON search_entry (message);

-- The words of messages, by place; those of tools' output apart. They are spelled in ASCII, and in
-- single characters, by `store.words`; where in a message a word is, is not kept.
CREATE VIRTUAL TABLE search_prose
    USING fts5 (words, content = '', tokenize = 'ascii', detail = none, columnsize = 0);
CREATE VIRTUAL TABLE search_output
    USING fts5 (words, content = '', tokenize = 'ascii', detail = none, columnsize = 0);

-- What one transaction of an import puts in is written at once, and put together with the rest when
-- sixteen such parts are there: a fourth less work than as it comes.
INSERT INTO search_prose (search_prose, rank) VALUES ('hashsize', 4194304);
INSERT INTO search_prose (search_prose, rank) VALUES ('automerge', 16);
INSERT INTO search_prose (search_prose, rank) VALUES ('crisismerge', 40);
INSERT INTO search_output (search_output, rank) VALUES ('hashsize', 4194304);
INSERT INTO search_output (search_output, rank) VALUES ('automerge', 16);
INSERT INTO search_output (search_output, rank) VALUES ('crisismerge', 40);

-- The words of what tasks say themselves, by the task's `n`.
CREATE VIRTUAL TABLE search_task
    USING fts5 (words, tokenize = 'ascii', detail = none, columnsize = 0);

-- `edition` is that of the spelling; `spill` how far, at most, a place is from its message's time.
-- `loose` counts the messages put in since all parts of the index were last made one, `is_untidy`
-- says that they have to be: words of deleted messages may still be in one of them, too.
CREATE TABLE search_state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    edition INTEGER NOT NULL,
    spill INTEGER NOT NULL,
    loose INTEGER NOT NULL,
    is_untidy INTEGER NOT NULL
) STRICT;

INSERT INTO search_state VALUES (1, 1, 0, 0, 0);

-- Messages that are not in the index yet. The output of tools may wait for the rest.
CREATE TABLE search_todo (
    may_wait INTEGER NOT NULL,
    message INTEGER NOT NULL,
    PRIMARY KEY (may_wait, message)
) STRICT, WITHOUT ROWID;

-- Deleted messages whose words are still in the index; taking them out takes what they said.
CREATE TABLE search_removed (
    place INTEGER PRIMARY KEY,
    role TEXT NOT NULL,
    kind TEXT NOT NULL,
    tool_name TEXT,
    content TEXT NOT NULL
) STRICT;

-- Tasks whose words in the index may not be those that they say now.
CREATE TABLE search_stale (task INTEGER PRIMARY KEY) STRICT;

INSERT INTO search_todo SELECT 0, id FROM message ORDER BY id;
INSERT INTO search_stale SELECT n FROM task;

CREATE TRIGGER search_message_new AFTER INSERT ON message BEGIN
    INSERT INTO search_todo VALUES (new.kind = 'tool_result', new.id);
END;

CREATE TRIGGER search_message_gone AFTER DELETE ON message BEGIN
    DELETE FROM search_todo WHERE may_wait IN (0, 1) AND message = old.id;
    INSERT INTO search_removed SELECT place, old.role, old.kind, old.tool_name, old.content
        FROM search_entry WHERE message = old.id;
    DELETE FROM search_entry WHERE message = old.id;
END;

-- Not "INSERT OR IGNORE": what the statement says that fires a trigger goes before that.
CREATE TRIGGER search_task_new AFTER INSERT ON task BEGIN
    INSERT INTO search_stale SELECT new.n
        WHERE new.n NOT IN (SELECT task FROM search_stale);
END;

CREATE TRIGGER search_task_changed AFTER UPDATE OF title, notes, project_path ON task BEGIN
    INSERT INTO search_stale SELECT new.n
        WHERE new.n NOT IN (SELECT task FROM search_stale);
END;

CREATE TRIGGER search_task_gone AFTER DELETE ON task BEGIN
    INSERT INTO search_stale SELECT old.n
        WHERE old.n NOT IN (SELECT task FROM search_stale);
END;

CREATE TRIGGER search_session_new AFTER INSERT ON session BEGIN
    INSERT INTO search_stale SELECT new.task
        WHERE new.task NOT IN (SELECT task FROM search_stale);
END;

CREATE TRIGGER search_session_changed AFTER UPDATE OF git_branch ON session
WHEN new.git_branch IS NOT old.git_branch BEGIN
    INSERT INTO search_stale SELECT new.task
        WHERE new.task NOT IN (SELECT task FROM search_stale);
END;

CREATE TRIGGER search_session_gone AFTER DELETE ON session BEGIN
    INSERT INTO search_stale SELECT old.task
        WHERE old.task NOT IN (SELECT task FROM search_stale);
END;

CREATE TRIGGER search_tag_new AFTER INSERT ON tag BEGIN
    INSERT INTO search_stale SELECT new.task
        WHERE new.task NOT IN (SELECT task FROM search_stale);
END;

CREATE TRIGGER search_tag_gone AFTER DELETE ON tag BEGIN
    INSERT INTO search_stale SELECT old.task
        WHERE old.task NOT IN (SELECT task FROM search_stale);
END;
