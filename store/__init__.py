"""A durable, async store for the conversations of coding agents.

    async with store.open_store() as s:
        page = await s.list_tasks()

Importing this package loads nothing: the models, the engine, an agent's adapter are each loaded
when they are first used. The models bring pydantic, and a program need not wait for it to begin.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
        Fold,
        Integrity,
        Kind,
        Memory,
        Message,
        MessageFilter,
        NewMemory,
        NewMessage,
        Origin,
        Outline,
        Page,
        Place,
        Recovery,
        Relative,
        Repository,
        Role,
        Session,
        SessionStatus,
        Summary,
        Task,
        TaskFilter,
        TaskGroup,
        TaskRow,
        TaskSort,
        TaskStatus,
        TitleFrom,
        Usage,
    )
    from store.opening import default_path, open_store, recover
    from store.protocol import Store
    from store.query.model import Query
    from store.search import Hit, Hits, TaskHit

__all__ = [
    "Conflict",
    "CycleError",
    "Extraction",
    "Fold",
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
    "Outline",
    "Page",
    "Place",
    "Query",
    "QueryError",
    "Recovery",
    "Relative",
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
    "TaskGroup",
    "TaskHit",
    "TaskRow",
    "TaskSort",
    "TaskStatus",
    "TitleFrom",
    "Usage",
    "default_path",
    "open_store",
    "recover",
]

# Where the names are, the light modules first.
_MODULES = (
    "store.errors",
    "store.enums",
    "store.opening",
    "store.protocol",
    "store.query.model",
    "store.models",
    "store.search",
)


if not TYPE_CHECKING:  # which would take any name for one that is there

    def __getattr__(name: str) -> Any:
        if name in __all__:
            for module in map(import_module, _MODULES):
                if hasattr(module, name):
                    value = globals()[name] = getattr(module, name)
                    return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
