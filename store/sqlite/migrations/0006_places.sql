-- Where the folder of a project is now that it was moved, as a person said.
CREATE TABLE place (
    old TEXT NOT NULL PRIMARY KEY,
    new TEXT NOT NULL,
    said_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- By what the repository of a project's folder is known again, should the folder be moved. `top` is
-- the folder of its working tree, `main` that of its first one; all are empty where there is none.
CREATE TABLE repository (
    folder TEXT NOT NULL PRIMARY KEY,
    top TEXT NOT NULL,
    main TEXT NOT NULL,
    remote TEXT NOT NULL,
    beginning TEXT NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX session_folder ON session (project_path) WHERE project_path IS NOT NULL;

-- Homes of agents that a person said yes to: an agent takes its settings from its home, and starts
-- what they name.
CREATE TABLE trusted_home (
    path TEXT NOT NULL PRIMARY KEY,
    said_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
