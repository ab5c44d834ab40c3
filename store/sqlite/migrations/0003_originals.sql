-- The files of agents as they were read, so that one that its agent deleted can be put back. The
-- fingerprint is that of the file of which all is kept; `size` -1 until it is. A file that no
-- longer goes on from what was kept begins another version; the one before it stays.
CREATE TABLE original (
    id INTEGER PRIMARY KEY,
    backend TEXT NOT NULL,
    path BLOB NOT NULL,
    version INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    kept_at INTEGER NOT NULL,
    UNIQUE (backend, path, version)
) STRICT;

-- `size` and `checksum` (CRC-32) are of the bytes in the file, `packed` is these with zstd.
CREATE TABLE piece (
    id INTEGER PRIMARY KEY,
    original INTEGER NOT NULL REFERENCES original (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    packed BLOB NOT NULL,
    UNIQUE (original, number)
) STRICT;

-- To delete a session is to delete what was said in it, wherever it is.
CREATE TRIGGER session_deleted AFTER DELETE ON session WHEN old.source_path IS NOT NULL BEGIN
    DELETE FROM original WHERE backend = old.backend AND path = CAST(old.source_path AS BLOB)
        AND NOT EXISTS (SELECT 1 FROM session
            WHERE backend = old.backend AND source_path = old.source_path);
END;
