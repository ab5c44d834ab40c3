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

__all__ = [
    "Conflict",
    "CycleError",
    "Extraction",
    "Integrity",
    "InvalidTransition",
    "InvalidValue",
    "Kind",
    "Memory",
    "Message",
    "NewMemory",
    "NewMessage",
    "NotAStore",
    "NotFound",
    "Origin",
    "Page",
    "Place",
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
    "TaskRow",
    "TaskSort",
    "TaskStatus",
    "TitleFrom",
    "default_path",
    "open_store",
    "recover",
]
