"""The embedded engine: SQLite through aiosqlite.

`connection` runs transactions on connection threads, `migrate` keeps the schema, `engine` is the
`Store`; every other file is a repository: plain functions on a connection, inside a transaction
that somebody else began. Nothing outside this package sees SQL.
"""
