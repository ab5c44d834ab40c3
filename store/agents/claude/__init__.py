"""Claude Code: transcripts as trees of records, one file a session."""
