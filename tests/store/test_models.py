"""Models that the store gives are whole, however they were made."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from store import Store
from tests.store.helpers import new_task


async def test_what_is_read_has_every_field_and_is_valid(store: Store) -> None:
    session = await store.create_session("/src", "claude", title="Fix")
    task_id = session.task_id
    message = await store.save_message(task_id, "user", "hello")
    await store.queue_extraction(await new_task(store))
    given: list[BaseModel] = [
        session,
        message,
        await store.get_task(task_id),
        await store.get_session(task_id),
        await store.get_message(task_id, 1),
        *(await store.get_rows([task_id])),
        await store.list_tasks(),
        await store.list_sessions(),
        await store.save_memory("learnt", importance=0.5, task_id=task_id),
        *(await store.pending_extractions()),
    ]
    for item in given:
        assert set(vars(item)) == set(type(item).model_fields)
        assert type(item).model_validate(dict(item)) == item
        assert item.model_copy() == item
        assert item.model_dump_json()
        with pytest.raises(ValidationError):
            item.cursor = item.id = None  # type: ignore[attr-defined]
