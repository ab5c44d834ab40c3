"""Codex: rollouts, one file a session, forks stitched to their parents."""
