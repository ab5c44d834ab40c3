"""The values that a query's filters could have here: what the tasks of the store have."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import PurePath

from store.models import LOCAL_TENANT
from store.query.model import FilterName
from store.query.parser import CHOICES

# `+` keeps SQLite from going through an index to every row of the table.
_USED: Mapping[FilterName, str] = {
    FilterName.AGENT: """
        SELECT backend FROM session WHERE tenant_id = ? GROUP BY backend ORDER BY count(*) DESC
    """,
    FilterName.PROJECT: """
        SELECT project_path FROM task WHERE +tenant_id = ? AND project_path IS NOT NULL
        GROUP BY project_path ORDER BY max(active_at) DESC
    """,
    FilterName.BRANCH: """
        SELECT git_branch FROM session WHERE +tenant_id = ? AND git_branch IS NOT NULL
        GROUP BY git_branch ORDER BY max(created_at) DESC
    """,
    FilterName.MODEL: """
        SELECT model FROM session WHERE +tenant_id = ? AND model IS NOT NULL
        GROUP BY model ORDER BY max(created_at) DESC
    """,
    FilterName.TAG: """
        SELECT tag.name FROM tag JOIN task ON task.n = tag.task WHERE task.tenant_id = ?
        GROUP BY tag.name ORDER BY count(*) DESC, tag.name
    """,
}


def values(db: sqlite3.Connection, name: FilterName, prefix: str, limit: int) -> list[str]:
    """Give the values that begin with, then those that hold, a text in any case."""
    found = list(CHOICES.get(name, ()))
    if name in _USED:
        found = [value for (value,) in db.execute(_USED[name], (LOCAL_TENANT,))]
    if name is FilterName.PROJECT and "/" not in prefix:
        found = [PurePath(path).name or path for path in found]
    wanted = prefix.casefold()
    folded = {value: value.casefold() for value in found if value}  # each once, in this order
    first = [value for value, text in folded.items() if text.startswith(wanted)]
    then = [value for value, text in folded.items() if text.find(wanted) > 0]
    return [*first, *then][: max(0, limit)]
