"""The embedded engine: SQLite through aiosqlite.

`engine` is the `Store`. `connection` runs transactions on connection threads, `grouping` lets those
that wait share one, `checkpoints` brings the log home. `file`, `migrate`, `copy`, `integrity` and
`recovery` look after the database as a whole. Every other file is a repository: plain functions on
a connection, inside a transaction that somebody else began. Nothing outside sees SQL.
"""
