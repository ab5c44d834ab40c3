"""What resuming a session of the store takes: the command, what is in its way, what to ask first.

Nothing is started and nothing is written while a plan is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from store import agents
from store.agents import Adapter
from store.errors import NotFound, ResumeError
from store.models import Session, SessionStatus
from store.protocol import Store
from store.reading.files import head_of
from store.resume import places
from store.resume.checks import (
    checked_folder,
    checked_owner,
    find_program,
    is_foreign,
    is_gone,
    owner_name,
)
from store.resume.command import Command
from store.resume.manual import Manual
from store.resume.putback import Restoring, head, restoring
from store.text import printable

_MOST_PARENTS = 16


class Obstacle(StrEnum):
    """What is in the way of a resume until somebody does something about it."""

    PROGRAM = "program"
    FOLDER = "folder"
    GONE = "gone"
    ARCHIVED = "archived"


class Doubt(StrEnum):
    """What a person has to say yes to."""

    LIVE = "live"
    HOME = "home"
    OWNER = "owner"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a session would be resumed.

    `session` is the one that would be: a sub-agent's parent. `command` has the program's absolute
    path when it is found. `obstacles` and `doubts` come with their words, which are printable;
    `notes` are only to be said. `restoring` are the files that would be put back, `unarchive` the
    command that takes the session out of its agent's archive.
    """

    session: Session
    command: Command
    manual: Manual
    home: Path
    obstacles: Mapping[Obstacle, str]
    doubts: Mapping[Doubt, str]
    notes: Sequence[str] = ()
    restoring: Sequence[Restoring] = ()
    unarchive: Command | None = None

    @property
    def folder(self) -> str:
        """The folder that the session belongs to, wherever it is now."""
        return self.session.project_path or self.command.cwd

    def first_obstacle(self) -> str | None:
        """Say the first thing that is in the way."""
        return next(iter(self.obstacles.values()), None)

    @property
    def is_hopeless(self) -> bool:
        """Whether something is in the way that cannot be overcome from here."""
        return Obstacle.PROGRAM in self.obstacles or (
            Obstacle.GONE in self.obstacles and not self.restoring
        )


async def prepare(
    store: Store,
    task_id: str,
    *,
    env: Mapping[str, str],
    fork: bool = False,
    folder: str | None = None,
    at_a_glance: bool = False,
) -> Plan:
    """Plan how the session of a task is resumed, in `folder` or its own.

    At a glance nobody is looked for who has it open, and what the last import said of the session's
    source is believed. Raises ResumeError, with the reason, for what
    must not or cannot be resumed whatever one does.
    """
    session, notes = await _resumable(store, task_id)
    if session.backend not in agents.names():
        raise ResumeError(f"backscroll does not know how to resume a {session.backend} session")
    adapter = agents.load(session.backend)
    await asyncio.to_thread(checked_owner, session.source_path)
    session, lost = await asyncio.to_thread(_at_home, session)
    notes += lost
    command = await asyncio.to_thread(adapter.resume, session, fork=fork, env=env)
    command, moves = await _in_folder(store, command, folder)
    notes += moves
    if command.cwd != session.project_path and adapter.manual.asks_where:
        notes.append(f"{adapter.title} will ask: {adapter.manual.asks_where}")
    command = adapter.placed(command, session)
    obstacles = await asyncio.to_thread(_obstacles, command, adapter, env)
    plan = Plan(session, command, adapter.manual, Path(session.root), obstacles, {}, notes)
    if program := await asyncio.to_thread(find_program, command.argv[0], env):
        plan = replace(plan, command=replace(command, argv=(program, *command.argv[1:])))
    if Obstacle.FOLDER in obstacles:
        return plan
    # Of a session that did not come from a file only its agent can tell.
    believed = session.source_path is None or (at_a_glance and session.source_gone_at is None)
    if not believed:
        plan = await _with_standing(store, plan, adapter, env)
    doubts = await _doubts(store, plan, adapter, env, is_copy=fork or at_a_glance)
    return replace(plan, doubts=doubts)


async def _resumable(store: Store, task_id: str) -> tuple[Session, list[str]]:
    """Give a task's session, or for a sub-agent's the one of a person's that it worked for."""
    session = await _session(store, task_id)
    if session is None:
        raise ResumeError("this task has no session that could be resumed")
    notes: list[str] = []
    for _ in range(_MOST_PARENTS):
        if session.parent_session_id is None and "/" not in session.session_id:
            return session, notes
        notes = ["a sub-agent's conversation cannot be resumed: this is its parent's"]
        parent = await _parent(store, session)
        if parent is None:
            break
        session = parent
    raise ResumeError("a sub-agent's conversation cannot be resumed, and its parent is not here")


async def _session(store: Store, task_id: str) -> Session | None:
    try:
        return await store.get_session(task_id)
    except NotFound:
        return None


async def _parent(store: Store, session: Session) -> Session | None:
    task = await store.get_task(session.task_id)
    if task.parent_task_id is not None:
        return await _session(store, task.parent_task_id)
    parent = session.parent_session_id or session.session_id.partition("/")[0]
    if parent == session.session_id:
        return None
    try:
        return await store.find_session(session.backend, parent, namespace=session.namespace)
    except NotFound:
        return None


def _at_home(session: Session) -> tuple[Session, list[str]]:
    """Give the session as one of the agent's usual home, if the one that it had is gone."""
    if not session.root or Path(session.root).is_dir():
        return session, []
    note = f"the home it came from is gone: {printable(session.root)}"
    return session.model_copy(update={"root": ""}), [note]


async def _in_folder(
    store: Store, command: Command, folder: str | None
) -> tuple[Command, list[str]]:
    """Give the command in the folder that was asked for, or where its own was moved to."""
    if folder is not None:
        return replace(command, cwd=folder), []
    if not await asyncio.to_thread(is_gone, command.cwd):
        return command, []
    now = await asyncio.to_thread(places.moved, command.cwd, await store.places())
    if now == command.cwd:
        return command, []
    note = f"its folder was {printable(command.cwd)}, and is {printable(now)} now"
    return replace(command, cwd=now), [note]


def _obstacles(command: Command, adapter: Adapter, env: Mapping[str, str]) -> dict[Obstacle, str]:
    found: dict[Obstacle, str] = {}
    if find_program(command.argv[0], env) is None:
        found[Obstacle.PROGRAM] = (
            f"the program {command.argv[0]!r} is not installed, or not on PATH;"
            f" it comes with: {adapter.manual.install}"
        )
    try:
        checked_folder(command.cwd)
    except ResumeError as error:
        found[Obstacle.FOLDER] = str(error)
    return found


async def _with_standing(
    store: Store, plan: Plan, adapter: Adapter, env: Mapping[str, str]
) -> Plan:
    """Look whether the agent would find the session, and if not, what would help."""
    session, command = plan.session, plan.command
    try:
        standing = await asyncio.to_thread(adapter.standing, session, command.cwd, env)
    except OSError as error:
        raise ResumeError(f"it cannot be looked for: {printable(str(error))}") from error
    plan = replace(plan, home=standing.home)
    name = adapter.title
    if standing.unarchive:
        words = f"{name} has it in its archive: it has to be taken out first"
        unarchive = replace(command, argv=standing.unarchive)
        return replace(
            plan, obstacles={**plan.obstacles, Obstacle.ARCHIVED: words}, unarchive=unarchive
        )
    try:
        needed = await _missing(store, session, adapter, command.cwd, env)
    except ResumeError as error:
        words = f"{name} does not have it any more, and {error}"
        return replace(plan, obstacles={**plan.obstacles, Obstacle.GONE: words})
    if needed:
        words = _restoring_words(name, needed)
        plan = replace(plan, obstacles={**plan.obstacles, Obstacle.GONE: words}, restoring=needed)
    return plan


async def _missing(
    store: Store,
    session: Session,
    adapter: Adapter,
    folder: str,
    env: Mapping[str, str],
    depth: int = 0,
) -> list[Restoring]:
    """Give the files that have to be put back for a session: its own, and those it goes on from.

    Raises ResumeError when one of them cannot be.
    """
    standing = await asyncio.to_thread(adapter.standing, session, folder, env)
    if standing.is_there or standing.unarchive:
        needed: list[Restoring] = []
        path = standing.transcript
        start = await asyncio.to_thread(head_of, path) if path else b""
    elif standing.transcript is None:
        raise ResumeError(standing.cannot_return)
    else:
        needed = [await restoring(store, session, standing.transcript, standing.home)]
        start = await head(store, needed[0])
    for origin in adapter.origins(start) if depth < _MOST_PARENTS else ():
        before = await _origin(store, session, origin)
        needed += await _missing(store, before, adapter, folder, env, depth + 1)
    return needed


async def _origin(store: Store, session: Session, origin: str) -> Session:
    try:
        return await store.find_session(session.backend, origin, namespace=session.namespace)
    except NotFound:  # its file may be there all the same
        return session.model_copy(update={"session_id": origin, "source_path": None})


def _restoring_words(name: str, needed: Sequence[Restoring]) -> str:
    first = needed[0]
    if first.is_there:
        words = (
            f"{name} would look for it in {printable(str(first.target))}, and it is in"
            f" {printable(first.path)}: it has to be copied there first"
        )
    else:
        words = (
            f"{name} does not have it any more: its file, {first.size:,} bytes, has to be put back"
            f" to {printable(str(first.target))} first"
        )
    if len(needed) > 1:
        words += f", and {len(needed) - 1} that it goes on from"
    if missing := sum(one.missing for one in needed):
        words += f" (the last {missing:,} bytes of it were never kept)"
    return words


async def _doubts(
    store: Store, plan: Plan, adapter: Adapter, env: Mapping[str, str], *, is_copy: bool
) -> dict[Doubt, str]:
    """Find what a person should know before; a copy may be made of what somebody has open."""
    found: dict[Doubt, str] = {}
    session, name = plan.session, adapter.title
    if not is_copy:
        holder = await asyncio.to_thread(adapter.holder, session, plan.command.cwd, env)
        if holder is not None:
            found[Doubt.LIVE] = f"it is open already, in {printable(holder)}"
        elif session.status is SessionStatus.ACTIVE:
            found[Doubt.LIVE] = "it is open already, from another backscroll"
    without = {name: env[name] for name in env if name not in plan.manual.home_variables}
    usual = (*adapter.roots(env), *adapter.roots(without), Path())
    if plan.home not in usual and str(plan.home) not in await store.trusted_homes():
        found[Doubt.HOME] = (
            f"it came from another home of {name}'s, and the settings there would be used, with"
            f" the programs they name: {printable(str(plan.home))}"
        )
    uid = await asyncio.to_thread(lambda: Path(plan.command.cwd).stat().st_uid)
    if is_foreign(uid):
        found[Doubt.OWNER] = (
            f"its folder belongs to {printable(owner_name(uid))}, who may have put there what"
            f" {name} obeys: {printable(plan.command.cwd)}"
        )
    return found
