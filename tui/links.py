"""Where a history leads to: its sub-agents by the calls that began them, its forks by their start.

Agents seldom write down which call began which sub-agent. The call is found again: it has the
sub-agent's first prompt among its arguments, or is the nearest one before it that delegates.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from store.enums import Kind, Origin
from store.text import printable
from tui.paging import before_all, place_at
from tui.render.marks import Links
from tui.render.tools import arguments

if TYPE_CHECKING:
    from store.models import Message, TaskRow
    from store.protocol import Store

MOST = 200  # sub-agents and forks of one history that are looked up

# The tools that begin a sub-agent, over all agents, in lower case.
_DELEGATES = frozenset({"task", "agent", "spawn_agent", "delegate", "subagent", "collab_spawn"})
_ENDS = ("__create_task", "__delegate", "subagent")
_NEAR = 100  # messages before a sub-agent's start among which its own is looked for
_SLACK = timedelta(seconds=5)  # some agents write the start of a sub-agent before the call
_PROBE = 200  # characters of a first prompt that tell it apart


async def links_of(store: Store, row: TaskRow) -> Links:
    """Find where the history of a task leads to. Raises StoreError."""
    calls: dict[str, str] = {}
    forks: dict[int, tuple[str, ...]] = {}
    titles: dict[str, str] = {}
    if row.children:
        for child in await _children(store, row.task.id):
            call = await _call_of(store, row.task.id, child, calls)
            if call is not None and call.tool_call_id:
                calls[call.tool_call_id] = child.task.id
                titles[child.task.id] = printable(child.task.title) or "sub-agent"
    for fork_id, seq in (await store.fork_points(row.task.id, limit=MOST)).items():
        forks[seq] = (*forks.get(seq, ()), fork_id)
    for fork in await store.get_rows([task_id for ids in forks.values() for task_id in ids]):
        titles[fork.task.id] = printable(fork.task.title) or "(no title)"
    return Links(calls, forks, titles)


async def _children(store: Store, task_id: str) -> Sequence[TaskRow]:
    from store.models import TaskFilter

    # Unvalidated: the first validation builds the validator, which takes more than a frame.
    wanted = TaskFilter.model_construct(everything=True, archived=None, parent_task_id=task_id)
    page = await store.list_tasks(wanted, limit=MOST)
    rows = [row for row in page.items if row.task.origin is Origin.SUBAGENT]
    return sorted(rows, key=lambda row: row.task.created_at or row.active_at)


async def _call_of(
    store: Store, task_id: str, child: TaskRow, taken: Collection[str]
) -> Message | None:
    """Find the call that began a sub-agent."""
    first = await store.get_history(child.task.id, after=before_all(), limit=4)
    prompt = next((said.content for said in first if said.role == "user"), "").strip()[:_PROBE]
    began = first[0].timestamp if first else child.active_at
    said = await store.get_history(task_id, before=place_at(began + _SLACK), limit=_NEAR)
    free = [call for call in said[::-1] if _delegates(call) and call.tool_call_id not in taken]
    for call in free:
        if prompt and any(prompt in text for text in _texts(call)):
            return call
    return free[0] if free else None


def _delegates(call: Message) -> bool:
    if call.kind is not Kind.TOOL_CALL:
        return False
    name = (call.tool_name or "").lower()
    return name in _DELEGATES or name.endswith(_ENDS)


def _texts(call: Message) -> list[str]:
    read = arguments(call.content)
    if read is None:
        return [call.content]
    return [value.strip() for value in read.values() if isinstance(value, str)]
