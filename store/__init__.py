"""A durable, async store for the conversations of coding agents.

    async with store.open_store() as s:
        page = await s.list_tasks()

Importing this package loads no engine and no agent's adapter: each is loaded when it is used.
"""

from __future__ import annotations

from store.errors import (
    Conflict,
    CycleError,
    InvalidTransition,
    InvalidValue,
    NotAStore,
    NotFound,
    QueryError,
    ResumeError,
    SchemaTooNew,
    SchemaTooOld,
    StoreBusy,
    StoreClosed,
    StoreCorrupt,
    StoreError,
    StoreUnavailable,
)
from store.models import (
    Extraction,
    Integrity,
    Kind,
    Memory,
    Message,
    MessageFilter,
    NewMemory,
    NewMessage,
    Origin,
    Page,
    Place,
    Recovery,
    Repository,
    Role,
    Session,
    SessionStatus,
    Summary,
    Task,
    TaskFilter,
    TaskRow,
    TaskSort,
    TaskStatus,
    TitleFrom,
)
from store.opening import default_path, open_store, recover
from store.protocol import Store
from store.query.model import Query
from store.search import Hit, Hits, TaskHit

__all__ = [
    "Conflict",
    "CycleError",
    "Extraction",
    "Hit",
    "Hits",
    "Integrity",
    "InvalidTransition",
    "InvalidValue",
    "Kind",
    "Memory",
    "Message",
    "MessageFilter",
    "NewMemory",
    "NewMessage",
    "NotAStore",
    "NotFound",
    "Origin",
    "Page",
    "Place",
    "Query",
    "QueryError",
    "Recovery",
    "Repository",
    "ResumeError",
    "Role",
    "SchemaTooNew",
    "SchemaTooOld",
    "Session",
    "SessionStatus",
    "Store",
    "StoreBusy",
    "StoreClosed",
    "StoreCorrupt",
    "StoreError",
    "StoreUnavailable",
    "Summary",
    "Task",
    "TaskFilter",
    "TaskHit",
    "TaskRow",
    "TaskSort",
    "TaskStatus",
    "TitleFrom",
    "default_path",
    "open_store",
    "recover",
]
