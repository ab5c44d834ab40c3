"""The store as its callers see it: models and cursors, never SQL.

Every call is async, keeps to one transaction, and waits at most `WAIT_SECONDS` for a lock or a
connection before it raises `StoreBusy`. Every call raises `StoreError`s only, and `StoreClosed`
after `close`. Cancelling a call leaves its write either whole or not there at all.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Protocol, Self

from store.enums import Kind, Role, SessionStatus, TaskGroup, TaskStatus

if TYPE_CHECKING:
    from store.models import (
        AnyTime,
        Extraction,
        Integrity,
        Memory,
        Message,
        MessageFilter,
        NewMemory,
        NewMessage,
        Outline,
        Page,
        Place,
        Relative,
        Repository,
        Session,
        Summary,
        Task,
        TaskFilter,
        TaskRow,
        Usage,
    )
    from store.query.model import FilterName, Query
    from store.search import Hits
    from store.sources import Chunk, KnownSource, Original, Piece, Recorded

WAIT_SECONDS = 5.0
PAGE_SIZE = 50


class Store(Protocol):
    """A durable collection of tasks, their sessions and their histories."""

    async def __aenter__(self) -> Self: ...
    async def __aexit__(self, *exc_info: object) -> None: ...

    async def close(self) -> None:
        """Finish what was begun and let go of the database. Closing again does nothing."""
        ...

    # Tasks

    async def save_task(self, task: Task) -> Task:
        """Store a task, or replace the person's fields of the one that has its id.

        An existing task keeps its status, `created_at`, origin and counts. Raises NotFound when
        `parent_task_id` or `fork_of` is unknown.
        """
        ...

    async def update_task(self, task_id: str, **changes: Any) -> Task:
        """Change `title`, `title_from`, `notes` or `project_path` of a task."""
        ...

    async def get_task(self, task_id: str) -> Task:
        """Give a task. Raises NotFound."""
        ...

    async def delete_task(self, task_id: str) -> None:
        """Delete a task with its session, history and dependencies. Raises NotFound."""
        ...

    async def list_tasks(
        self, filter: TaskFilter | None = None, *, cursor: str | None = None, limit: int = PAGE_SIZE
    ) -> Page[TaskRow]:
        """Give a page of tasks; `cursor` is that of the page before. Raises InvalidValue for one
        that is not.
        """
        ...

    async def list_task_ids(self, filter: TaskFilter | None = None) -> list[str]:
        """Give the ids of all the tasks that `list_tasks` would page through, in its order."""
        ...

    async def outline(
        self, filter: TaskFilter | None = None, *, group: TaskGroup | str | None = None
    ) -> Outline:
        """Give the ids of a whole list as a screen shows it: families folded, perhaps in groups.

        Days come latest first, by the time that the list is sorted by (creation or last activity);
        folders by their latest task. Within a group the filter's order holds. A filter with
        `top_level` leaves the sub-agents to `family`.
        """
        ...

    async def family(self, task_id: str, filter: TaskFilter | None = None) -> list[Relative]:
        """Give what a task is unfolded to: the origin of its family first, then in the order of a
        tree, earlier ones first, the forks that the filter lets through and every sub-agent.

        A sub-agent begins its own. Raises NotFound.
        """
        ...

    async def get_rows(self, task_ids: Sequence[str]) -> list[TaskRow]:
        """Give the rows of these tasks, in this order; ids that are gone are left out."""
        ...

    async def count_tasks(self, filter: TaskFilter | None = None) -> int:
        """Count the tasks that `list_tasks` would page through."""
        ...

    async def set_task_status(self, task_id: str, status: TaskStatus | str) -> Task:
        """Move a task. Raises InvalidTransition for a move that the table does not have."""
        ...

    async def archive(self, task_id: str) -> Task:
        """Put a task away: it is kept whole and no longer listed."""
        ...

    async def unarchive(self, task_id: str) -> Task:
        """Take a task back into the list."""
        ...

    async def tag(self, task_id: str, *tags: str) -> Task:
        """Add tags to a task."""
        ...

    async def untag(self, task_id: str, *tags: str) -> Task:
        """Take tags from a task."""
        ...

    async def resolve(self, name: str) -> str:
        """Give the task id that a person means by a task id, a session id, or the start of one.

        Raises NotFound, or Conflict when several begin like that.
        """
        ...

    # Dependencies

    async def add_dependency(self, task_id: str, on: str) -> None:
        """Let a task wait for another. Raises CycleError, showing the circle it would close."""
        ...

    async def remove_dependency(self, task_id: str, on: str) -> None:
        """Let a task no longer wait for another. Raises NotFound when it did not."""
        ...

    async def dependencies(self, task_id: str) -> list[Task]:
        """Give the tasks that this one waits for."""
        ...

    async def dependents(self, task_id: str) -> list[Task]:
        """Give the tasks that wait for this one."""
        ...

    async def forks(self, task_id: str) -> list[Task]:
        """Give the tasks that were forked from this one, oldest first. Raises NotFound."""
        ...

    async def ready_tasks(self) -> list[Task]:
        """Give the open tasks whose dependencies are all done, oldest first."""
        ...

    async def fork_points(self, task_id: str, *, limit: int = PAGE_SIZE) -> dict[str, int]:
        """Give the ids of a task's forks, each with the number of the last message of this task
        that it took over. Raises NotFound.
        """
        ...

    # Sessions

    async def create_session(self, project_path: str, backend: str, **fields: Any) -> Session:
        """Begin a session, and the task that it is for. Ids are UUID4 when not given."""
        ...

    async def save_session(
        self, task_id: str, session_id: str, backend: str, **fields: Any
    ) -> Session:
        """Store the session of a task, or replace what is given of the one it has.

        Raises NotFound for an unknown task, Conflict when the session is another task's.
        """
        ...

    async def get_session(self, task_id: str) -> Session:
        """Give the session of a task. Raises NotFound."""
        ...

    async def find_session(
        self, backend: str, session_id: str, *, namespace: str | None = None
    ) -> Session:
        """Give the session of that id; the latest when several namespaces have one.

        Raises NotFound.
        """
        ...

    async def list_sessions(
        self,
        *,
        status: SessionStatus | str | None = None,
        tenant_id: str | None = None,
        user_id: str | None = None,
        project_path: str | None = None,
        cursor: str | None = None,
        limit: int = PAGE_SIZE,
    ) -> Page[Session]:
        """Give a page of sessions, newest first."""
        ...

    async def update_session(self, task_id: str, **changes: Any) -> Session:
        """Change fields of a session other than its ids and status."""
        ...

    async def set_session_status(self, task_id: str, status: SessionStatus | str) -> Session:
        """Move a session. Raises InvalidTransition for a move that the table does not have."""
        ...

    async def delete_session(self, task_id: str) -> None:
        """Delete a task's session, history and usage; the task stays. Raises NotFound."""
        ...

    # Messages

    async def save_message(
        self,
        task_id: str,
        role: Role | str,
        content: str,
        *,
        kind: Kind | str = Kind.TEXT,
        timestamp: AnyTime | None = None,
        **fields: Any,
    ) -> Message:
        """Append a message to a task's history.

        Without a timestamp it is stamped now, and never earlier than the latest of the history.
        A timestamp is an aware datetime, ISO text (UTC unless it names a zone), or the seconds,
        milli-, micro- or nanoseconds since 1970.
        """
        ...

    async def save_messages(self, task_id: str, messages: Sequence[NewMessage]) -> list[Message]:
        """Append messages, all or none. One whose `key` the history has already is left out."""
        ...

    async def get_history(
        self,
        task_id: str,
        *,
        after: Message | None = None,
        before: Message | None = None,
        limit: int | None = None,
        where: MessageFilter | None = None,
    ) -> list[Message]:
        """Give messages in chronological order: all; with `limit` the latest; with `after` or
        `before` those next to that message; with `where` only those it lets through. [] when
        there are none. Raises NotFound for an unknown task.
        """
        ...

    def iter_history(self, task_id: str) -> AsyncIterator[Message]:
        """Give a whole history message by message, read page by page."""
        ...

    async def get_message(self, task_id: str, seq: int) -> Message:
        """Give one message by its place. Raises NotFound."""
        ...

    async def message_at(
        self, task_id: str, rank: int, *, where: MessageFilter | None = None
    ) -> Message:
        """Give the message at a place of a history, counted from 0. Raises NotFound."""
        ...

    async def count_history(
        self,
        task_id: str,
        *,
        before: Message | None = None,
        where: MessageFilter | None = None,
    ) -> int:
        """Count the messages of a history, or those that come before one."""
        ...

    # Search

    async def search(
        self,
        query: Query | str,
        *,
        filter: TaskFilter | None = None,
        task_id: str | None = None,
        limit: int = PAGE_SIZE,
        cursor: str | None = None,
        seconds: float | None = None,
    ) -> Hits:
        """Give the messages in which all of the query's words occur, newest first or most relevant
        first, and the tasks that are found by what they say themselves.

        Looked through are the tasks that `filter` lets through, which is every one of the store
        when it is None (sub-agents, automated and archived ones, too); with `task_id` only that
        task's history. The query's own filters narrow this further; its after and before are
        about the messages' times. Without words it gives all that passes. Tool output is looked
        in, and given, only when the query asks for it (`Query.wants_tool_output`), else counted.
        What a fork or a replay copied is found once. What a word is, `store.words` says.

        A page has `limit` hits unless it is the last. With `seconds` it ends when the time is up,
        with what was found and counted so far and the cursor to look further (`Hits.is_cut`): what
        is asked for while somebody types is then answered at once, whatever it is. Counting beyond
        the page takes some seconds at most; a count that is not finished is capped. Cancelled, a
        search stops where it is. By relevance the newest hits are ordered, as many as are counted.

        Raises QueryError for text that is no query, or asks for an order of tasks; InvalidValue
        for a cursor of another query; NotFound for an unknown task.
        """
        ...

    async def filter_values(
        self, name: FilterName | str, prefix: str = "", *, limit: int = PAGE_SIZE
    ) -> list[str]:
        """Give what could stand behind `name:` in a query and begins with `prefix`, in any case,
        then what holds it elsewhere; the latest used first.

        Projects are names of folders, or whole paths when the prefix has a slash. For dates there
        is nothing. Raises InvalidValue when no filter has that name.
        """
        ...

    async def count_messages(self, task_id: str) -> dict[tuple[Role, Kind], int]:
        """Count a history's messages by role and kind; those that it has none of are left out.

        Reads the whole history's rows: 0.7 s for a million. Raises NotFound.
        """
        ...

    # Usage

    async def get_usage(self, task_id: str) -> list[Usage]:
        """Give the tokens that a task's session used, by day and model. Raises NotFound.

        [] when its agent does not say. They go with the session.
        """
        ...

    # Summaries

    async def save_summary(self, task_id: str, text: str, *, up_to: int) -> Summary:
        """Store a summary of a history up to one of its messages. Raises NotFound for either."""
        ...

    async def get_summaries(self, task_id: str) -> list[Summary]:
        """Give a task's summaries, those of the least first. Raises NotFound."""
        ...

    # Memories

    async def save_memory(
        self, text: str, *, importance: float, task_id: str | None = None, **fields: Any
    ) -> Memory:
        """Store something learnt, from a task or from nowhere.

        Where it came from is copied into it. `importance` is 0 to 1. Raises NotFound for an unknown
        task and InvalidValue for an importance beyond its limits.
        """
        ...

    async def get_memory(self, memory_id: str) -> Memory:
        """Give a memory. Raises NotFound."""
        ...

    async def list_memories(
        self, task_id: str | None = None, *, limit: int | None = None
    ) -> list[Memory]:
        """Give memories, the most important first, then the newest; those of one task, or all.

        The task need not exist any more.
        """
        ...

    async def update_memory(self, memory_id: str, **changes: Any) -> Memory:
        """Change `text` or `importance` of a memory. Raises NotFound or InvalidValue."""
        ...

    async def delete_memory(self, memory_id: str) -> None:
        """Delete a memory. Raises NotFound."""
        ...

    # Extractions

    async def queue_extraction(self, task_id: str) -> Extraction:
        """Queue an attempt to extract memories from a task; a queued one is given back as it is.

        One that has failed three times begins anew. Raises NotFound.
        """
        ...

    async def pending_extractions(self, *, limit: int = 1) -> list[Extraction]:
        """Take up to `limit` extractions that failed fewer than three times, oldest first.

        What one call has taken no other gets, until it fails, or the process that took it ends.
        """
        ...

    async def fail_extraction(self, extraction_id: str, error: str) -> Extraction:
        """Count a failed attempt, with its error; another may be made at once. Raises NotFound."""
        ...

    async def finish_extraction(
        self, extraction_id: str, memories: Sequence[NewMemory]
    ) -> list[Memory]:
        """Store what was extracted and take the extraction from the queue. Raises NotFound."""
        ...

    # Import

    async def record(self, chunks: Sequence[Chunk]) -> Recorded:
        """Store what was read from sources, with the checkpoints, in one transaction."""
        ...

    async def index_more(self) -> int:
        """Do a part of what an import or a deletion left for later in the index of the full text.

        Gives how many messages still wait, 0 when there is nothing more to do. Each part is one
        short transaction. An open store does this by itself, in the background, and then makes the
        index small and quick, if much is new in it.
        """
        ...

    async def rebuild_index(self) -> None:
        """Empty the index of the full text; `index_more` fills it again, part by part."""
        ...

    async def known_sources(
        self, backend: str, paths: Sequence[str] | None = None
    ) -> dict[str, KnownSource]:
        """Give what is remembered of an agent's sources, or of those at some paths, by path."""
        ...

    async def mark_gone(self, backend: str, paths: Sequence[str]) -> int:
        """Mark sources that are no longer on disk, and their sessions. Gives how many are new."""
        ...

    async def keep_originals(self, originals: Sequence[Original]) -> int:
        """Keep pieces of sources' files, in one transaction. Gives the size of what they hold."""
        ...

    async def original_pieces(self, backend: str, path: str) -> list[Piece]:
        """Give what is kept of a source's file, without the bytes; none when nothing is.

        `store.originals.read_original` gives the file itself.
        """
        ...

    async def original_piece(self, backend: str, path: str, number: int) -> Piece:
        """Give one piece of a source's file. Raises NotFound."""
        ...

    # Places

    async def set_place(self, old: str, new: str) -> Place:
        """Remember that a folder was moved: what was in `old` and below is in `new` and below.

        Raises InvalidValue for paths that are not absolute, or the same.
        """
        ...

    async def places(self) -> list[Place]:
        """Give the moves that are remembered, the last one first."""
        ...

    async def forget_place(self, old: str) -> None:
        """Forget where a folder was moved to. Raises NotFound."""
        ...

    async def project_folders(self) -> list[str]:
        """Give the folders that sessions belong to, those of the newest first."""
        ...

    async def note_repositories(self, repositories: Sequence[Repository]) -> None:
        """Remember by what the repositories of projects' folders are known again."""
        ...

    async def repositories(self) -> list[Repository]:
        """Give what is remembered of repositories, by folder."""
        ...

    async def trust_home(self, path: str) -> None:
        """Remember that agents may be started with this home, and the settings in it."""
        ...

    async def trusted_homes(self) -> list[str]:
        """Give the homes that a person trusts beside the agents' usual ones."""
        ...

    # The database itself

    async def version(self) -> tuple[int, int]:
        """Give a value that changes whenever anything was written, here or by another process."""
        ...

    async def backup(self, path: str | PathLike[str]) -> None:
        """Write a copy of the whole store, as of one moment, to a file that does not exist yet.

        Writing goes on meanwhile. Raises Conflict when there is a file, StoreUnavailable when the
        copy cannot be written; half a copy is never left.
        """
        ...

    async def integrity(self) -> Integrity:
        """Check the file's pages, every reference, every count and every numbering, and the index
        of the full text: that it has every message, and of a sample every word.
        """
        ...

    async def describe(self) -> dict[str, Any]:
        """Say what the database is: path, schema, engine, journal mode, counts, size."""
        ...
