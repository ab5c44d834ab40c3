"""What the store takes and gives: frozen pydantic models and string enums.

Every time is an aware `datetime` in UTC; one may be given in any zone, as ISO text, or as the
seconds, milli-, micro- or nanoseconds since 1970. Enums compare equal to their plain strings.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from store.enums import Kind as Kind
from store.enums import Origin as Origin
from store.enums import Role as Role
from store.enums import SessionStatus as SessionStatus
from store.enums import TaskGroup as TaskGroup
from store.enums import TaskSort as TaskSort
from store.enums import TaskStatus as TaskStatus
from store.enums import TitleFrom as TitleFrom
from store.query.model import Filter
from store.times import parse_time

LOCAL_TENANT = "local"

T = TypeVar("T")


def _utc(value: object) -> object:
    if isinstance(value, datetime):
        if value.tzinfo is None or value.tzinfo is UTC:
            return value
        return value.astimezone(UTC)
    return parse_time(value) or value


def _not_empty(text: str) -> str:
    if not text:
        raise ValueError("must not be empty")
    return text


AnyTime = datetime | float | str  # as it may be given
Time = Annotated[AwareDatetime, BeforeValidator(_utc)]
Id = Annotated[str, AfterValidator(_not_empty)]
Json = Mapping[str, Any]  # what JSON can hold, nested as deep as it likes

_new, _set = object.__new__, object.__setattr__


def new_id() -> str:
    """Give a fresh random id (UUID4)."""
    return str(uuid.uuid4())


class Model(BaseModel):
    """The base of every model: frozen, and a misspelt field is an error.

    Validators are built when a model is first validated: most of a program's start would otherwise
    go into models that it never uses.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    _every_field: ClassVar[set[str]] = set()

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        cls._every_field = set(cls.model_fields)

    @classmethod
    def trusted(cls, **fields: Any) -> Self:
        """Make a model of all its fields, known to be valid: read from a database, or just made.

        `model_construct` does the same, and looks for defaults and aliases on the way, which is
        half the time of reading a long history. That models of a class share one set of names
        leaves the garbage collector a third less to visit.
        """
        item = _new(cls)
        _set(item, "__dict__", fields)
        _set(item, "__pydantic_fields_set__", cls._every_field)
        _set(item, "__pydantic_extra__", None)
        _set(item, "__pydantic_private__", None)
        return item


class Task(Model):
    """A thing someone wants done.

    Counts, `last_message_at` and `updated_at` are the store's: whatever is given is not kept.
    """

    id: Id = Field(default_factory=new_id)
    title: str = ""
    title_from: TitleFrom = TitleFrom.PERSON
    status: TaskStatus = TaskStatus.OPEN
    origin: Origin = Origin.PERSON
    notes: str = ""
    tags: tuple[str, ...] = ()
    project_path: str | None = None
    parent_task_id: str | None = None
    fork_of: str | None = None
    tenant_id: Id = LOCAL_TENANT
    created_at: Time | None = None
    updated_at: Time | None = None
    archived_at: Time | None = None
    last_message_at: Time | None = None
    message_count: int = 0
    prompt_count: int = 0
    tool_call_count: int = 0


class Session(Model):
    """An agent's conversation on a task: at most one per task.

    `root` is the agent's home that the session belongs to. `namespace` is what the session id is
    unique within: empty for ids that are unique everywhere, the root for agents that only number
    their sessions.
    """

    task_id: Id
    session_id: Id
    backend: Id
    status: SessionStatus = SessionStatus.CREATED
    namespace: str = ""
    root: str = ""
    project_path: str | None = None
    git_branch: str | None = None
    model: str | None = None
    agent_version: str | None = None
    permission_mode: str | None = None
    parent_session_id: str | None = None
    fork_session_id: str | None = None
    source_path: str | None = None
    source_gone_at: Time | None = None
    context: Json = Field(default_factory=dict)
    traits: Json = Field(default_factory=dict)
    tenant_id: Id = LOCAL_TENANT
    user_id: str | None = None
    thread_id: str | None = None
    message_count: int = 0
    created_at: Time
    updated_at: Time
    last_message_at: Time | None = None


class Said(Model):
    """What a message is, stored or not.

    `is_prompt` marks what a person typed; `inherited` what a fork took over from its origin;
    `on_branch` is false for what was rewound. `key` is the record's own name in its source: a
    history takes each key once.
    """

    role: Role
    content: str
    kind: Kind = Kind.TEXT
    tool_name: str | None = None
    tool_call_id: str | None = None
    is_error: bool = False
    model: str | None = None
    is_prompt: bool = False
    on_branch: bool = True
    inherited: bool = False
    key: str | None = None


class NewMessage(Said):
    """A message on its way into a history. Without a timestamp it is stamped when stored."""

    timestamp: Time | None = None


class Message(Said):
    """One entry of a task's history. `seq` counts from 1 within the task and is never reused."""

    seq: int
    timestamp: Time


class Usage(Model):
    """Tokens that a task's session used on one day (in UTC) with one model.

    The four kinds add up: `input_tokens` are what was sent and neither read from a cache nor
    written to one, `output_tokens` include the `reasoning_tokens`. None is what the agent does not
    say. What a fork took over is counted where it was said first, not in the fork.
    """

    day: date
    model: str = ""
    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cache_read_tokens: int | None = Field(default=None, ge=0)
    cache_write_tokens: int | None = Field(default=None, ge=0)
    reasoning_tokens: int | None = Field(default=None, ge=0)

    @property
    def sent_tokens(self) -> int:
        """All that was sent to the model, from a cache or not."""
        return self.input_tokens + (self.cache_read_tokens or 0) + (self.cache_write_tokens or 0)

    @property
    def total_tokens(self) -> int:
        """All that was sent and all that came back."""
        return self.sent_tokens + self.output_tokens


class Summary(Model):
    """A context summary: stands for a task's history up to the message numbered `up_to`."""

    text: str
    up_to: int
    created_at: Time


class NewMemory(Model):
    """Something learnt, on its way into the store. `importance` goes from 0 to 1."""

    text: Id
    importance: float = Field(ge=0, le=1, allow_inf_nan=False)


class Memory(Model):
    """Something learnt, worth more than its session.

    It outlives the task and the session that it came from: their ids, title, agent and folder stay
    readable here.
    """

    id: Id
    text: Id
    importance: float = Field(ge=0, le=1, allow_inf_nan=False)
    task_id: str | None = None
    task_title: str | None = None
    backend: str | None = None
    session_id: str | None = None
    project_path: str | None = None
    tenant_id: Id = LOCAL_TENANT
    created_at: Time
    updated_at: Time


class Extraction(Model):
    """A queued attempt to extract memories from a task: failed `attempts`, the last `error`."""

    id: Id
    task_id: Id
    attempts: int = 0
    error: str | None = None
    created_at: Time
    updated_at: Time


class Place(Model):
    """A folder that was moved: sessions of `old`, and of folders below it, belong to `new` now."""

    old: Id
    new: Id
    said_at: Time


class Repository(Model):
    """By what the repository of a project's folder is known again when the folder is gone.

    `top` is the folder of the working tree, `main` that of the repository's first one, `remote`
    the address that it is fetched from, without names and secrets, `beginning` the first entry of
    its log. All are empty for a folder without a repository.
    """

    folder: Id
    top: str = ""
    main: str = ""
    remote: str = ""
    beginning: str = ""


class Integrity(Model):
    """What a check of the database found: nothing, or every problem in words."""

    problems: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return not self.problems


class Recovery(Model):
    """What was got out of a damaged store: where that is kept, and how many rows of each table."""

    kept: str
    rows: Mapping[str, int]


class TaskFilter(Model):
    """Which tasks, in which order.

    The default is what a person wants to see first: their own conversations, not archived, not
    empty. `everything` adds sub-agents, automated and empty ones, `top_level` leaves out the
    sub-agents that have a parent to hang under. `archived` None adds archived ones, True gives
    only them. `under` keeps the tasks of one folder and the folders below it; `words` must all
    occur in the title, project, branch, model or agent, none of `without` may; with `titles_only`
    in the title. `conditions` are a query's filters of tasks, all of which must hold: `agent`,
    `tag` and `status` name the whole, `project`, `branch` and `model` a part, in any case.
    `active_after` and `active_before` keep those whose last activity is at or after the one and
    before the other.
    """

    tenant_id: Id = LOCAL_TENANT
    everything: bool = False
    archived: bool | None = False
    under: str | None = None
    backend: str | None = None
    status: TaskStatus | None = None
    parent_task_id: str | None = None
    top_level: bool = False
    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    titles_only: bool = False
    conditions: tuple[Filter, ...] = ()
    active_after: Time | None = None
    active_before: Time | None = None
    sort: TaskSort = TaskSort.ACTIVE


class MessageFilter(Model):
    """Which messages of a history: all, unless something is left out.

    `only_prompts` keeps what a person typed; `tools` and `thinking` say whether calls and their
    output, and thoughts, are among the messages.
    """

    only_prompts: bool = False
    tools: bool = True
    thinking: bool = True

    def lets_through(self, message: Said) -> bool:
        """Say whether a message is among those."""
        if self.only_prompts and not message.is_prompt:
            return False
        if not self.tools and message.kind in (Kind.TOOL_CALL, Kind.TOOL_RESULT):
            return False
        return self.thinking or message.kind is not Kind.THINKING


class TaskRow(Model):
    """A task as a list shows it: the task, its session, its last word, its sub-agents' number.

    `last_is_prompt` says that a person typed the last word; `children_at` is when something last
    happened in one of the sub-agents.
    """

    task: Task
    session: Session | None = None
    children: int = 0
    children_at: Time | None = None
    last_role: Role | None = None
    last_kind: Kind | None = None
    last_is_prompt: bool = False

    @property
    def active_at(self) -> datetime:
        """When something last happened: the latest message, else the creation."""
        moment = self.task.last_message_at or self.task.created_at
        return moment or datetime.fromtimestamp(0, UTC)


class Relative(Model):
    """A task of a family, and how deep it hangs: 0 for the one that all others come from.

    Below that it is a fork, or else a sub-agent.
    """

    task_id: Id
    depth: int = 0
    is_fork: bool = False


class Fold(Model):
    """What is folded behind a task: its forks and origins, and how many tasks in all.

    The number counts the sub-agents of each, too.
    """

    task_ids: tuple[str, ...]
    size: int


class Outline(Model):
    """A whole list in order, one task for each family.

    A family is what was forked from one another, as far as it is listed. It stands where the one
    of it is in which something happened last, and that is the one in `task_ids`; `folds` has what
    is behind it. `groups` are the days (`2026-11-20`) or folders that the tasks belong to, each
    with the number of them that follow one another; none when they are not grouped.
    """

    task_ids: list[str]
    folds: Mapping[str, Fold] = Field(default_factory=dict)
    groups: tuple[tuple[str, int], ...] = ()


class Page(Model, Generic[T]):
    """A part of a list. `cursor` asks for what follows; None at the end."""

    items: tuple[T, ...]
    cursor: str | None = None
