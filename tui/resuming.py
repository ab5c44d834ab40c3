"""Going back into the agents that held conversations, and coming back from them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from store.enums import SessionStatus
from store.errors import ResumeError, StoreError
from store.text import printable
from tui.launch import Launcher

# What planning and asking need is loaded when it is used: the first frame does without.
if TYPE_CHECKING:
    from textual.screen import Screen

    from store.models import Session, TaskRow
    from store.protocol import Store
    from store.resume import Command
    from store.resume.plan import Plan
    from tui.importing import Importer
    from tui.screens.resume_sheet import Chosen

_MOST_STEPS = 6  # a folder, an archive, files to put back, and some to spare


@dataclass(frozen=True, slots=True)
class Stage:
    """What resuming needs of the screen that it is asked for on.

    `tell` shows a notice, of words made printable and a severity; `copy` fills the clipboard and
    says so; `ask` shows a sheet and gives its answer.
    """

    tell: Callable[[str, str], None]
    copy: Callable[[str, str], None]
    ask: Callable[[Screen[Any]], Awaitable[Any]]


class Resumer:
    """Resumes sessions, asking whatever has to be asked, and copies the commands that do."""

    def __init__(
        self, store: Store, launcher: Launcher, importer: Importer | None, stage: Stage
    ) -> None:
        self._store = store
        self._launcher = launcher
        self._importer = importer
        self._stage = stage
        self._is_busy = False
        self._is_leaving = False
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    async def end(self) -> None:
        """See that an agent ends that has the terminal, and that the store knows."""
        self._is_leaving = True
        await self._launcher.end()
        await self._is_idle.wait()

    async def idle_commands(self, row: TaskRow) -> frozenset[str]:
        """Give the ids of the commands here that cannot act on a row, as far as a glance tells."""
        from store.resume.plan import prepare

        try:
            plan = await prepare(self._store, row.task.id, env=os.environ, at_a_glance=True)
        except ResumeError:
            return frozenset({"resume", "fork", "choose", "copy"})
        return frozenset({"resume", "fork"} if plan.is_hopeless else ())

    async def copy(self, row: TaskRow) -> bool:
        """Copy the command that resumes a session. No agent is started."""
        from store.resume.plan import prepare

        try:
            plan = await prepare(self._store, row.task.id, env=os.environ, at_a_glance=True)
        except ResumeError as error:
            self._refuse(error)
            return False
        line = plan.command.shell_line()
        self._stage.copy(line, f"Copied: {printable(line)}")
        return False

    async def resume(self, row: TaskRow, *, fork: bool = False) -> bool:
        """Hand the terminal to a session's agent; say whether it had it, and gave it back."""
        if self._is_busy:
            return False  # the key was pressed twice: one agent has the terminal already
        self._is_busy = True
        try:
            plan = await self._cleared(row, fork=fork)
            return plan is not None and await self._start(plan, plan.command, fork=fork)
        except ResumeError as error:
            self._refuse(error)
            return False
        finally:
            self._is_busy = False

    async def choose(self, row: TaskRow) -> bool:
        """Show how a session would be resumed, let it be changed, and do it like that."""
        from store import agents
        from store.resume.windows import Kind

        if self._is_busy:
            return False
        self._is_busy = True
        try:
            chosen, plan = await self._chosen(row)
            if chosen is None:
                return False
            fork = chosen.command.argv[1:] != plan.command.argv[1:]  # at least it may be one
            cleared = await self._cleared(
                row, fork=fork, folder=chosen.command.cwd, agreed=set(plan.doubts.values())
            )
            if cleared is None:
                return False
            command = replace(chosen.command, cwd=cleared.command.cwd)
            command = agents.load(cleared.session.backend).placed(command, cleared.session)
            if chosen.kind is not Kind.HERE:
                await self._open(cleared, command, chosen.kind)
                return False
            return await self._start(cleared, command, fork=fork)
        except ResumeError as error:
            self._refuse(error)
            return False
        finally:
            self._is_busy = False

    async def _chosen(self, row: TaskRow) -> tuple[Chosen | None, Plan]:
        from store.resume.plan import prepare
        from store.resume.windows import Kind, terminal_of
        from tui.screens.resume_sheet import Offer, ResumeSheet

        plan = await prepare(self._store, row.task.id, env=os.environ)
        forked = await prepare(
            self._store, row.task.id, env=os.environ, fork=True, at_a_glance=True
        )
        terminal = terminal_of(os.environ)
        remarks = (*plan.notes, *plan.obstacles.values(), *plan.doubts.values())
        offer = Offer(
            title=printable(row.task.title) or "the session",
            plain=plan.command,
            forked=forked.command,
            manual=plan.manual,
            kinds=(Kind.HERE, *(terminal.kinds if terminal else ())),
            remarks=[f"{words[:1].upper()}{words[1:]}." for words in remarks],
            models=[plan.session.model] if plan.session.model else [],
        )
        return await self._stage.ask(ResumeSheet(offer)), plan

    # What is in the way

    async def _cleared(
        self,
        row: TaskRow,
        *,
        fork: bool,
        folder: str | None = None,
        agreed: set[str] | None = None,
    ) -> Plan | None:
        """Clear away what is in the way, as far as the person says yes to it; None when not.

        `agreed` are words that they have said yes to. Raises ResumeError for what stays.
        """
        from store.resume import places
        from store.resume.plan import Doubt, prepare

        for _ in range(_MOST_STEPS):
            plan = await prepare(self._store, row.task.id, env=os.environ, fork=fork, folder=folder)
            if not plan.obstacles:
                break
            if not await self._overcome(plan):
                return None
        else:
            raise ResumeError(plan.first_obstacle() or "")
        for doubt, words in plan.doubts.items():
            if words not in (agreed or ()) and not await self._agrees(words, "Start it"):
                return None
            if doubt is Doubt.HOME:
                await self._store.trust_home(str(plan.home))
        for note in plan.notes:
            self._tell(f"{note[:1].upper()}{note[1:]}.")
        await places.remember(self._store, [plan.command.cwd])
        await self._remember_move(plan.folder, plan.command.cwd)
        return plan

    async def _overcome(self, plan: Plan) -> bool:
        """Do something about the first thing that is in the way, if the person says yes to it."""
        from store.resume.plan import Obstacle
        from store.resume.putback import put_back
        from store.resume.running import run_quietly

        obstacles = plan.obstacles
        if Obstacle.PROGRAM in obstacles:
            raise ResumeError(obstacles[Obstacle.PROGRAM])
        if Obstacle.FOLDER in obstacles:
            return await self._find_folder(plan, obstacles[Obstacle.FOLDER])
        if plan.unarchive is not None:
            if not await self._agrees(obstacles[Obstacle.ARCHIVED], "Take it out"):
                return False
            await run_quietly(plan.unarchive)
            await self._import(plan.session, str(plan.home))
            return True
        if not plan.restoring:
            raise ResumeError(obstacles[Obstacle.GONE])
        yes = "Copy it" if plan.restoring[0].is_there else "Put it back"
        if not await self._agrees(obstacles[Obstacle.GONE], yes):
            return False
        for one in reversed(plan.restoring):  # what the session goes on from goes first
            await put_back(self._store, one)
            await self._import(plan.session, str(one.target))
        return True

    async def _find_folder(self, plan: Plan, words: str) -> bool:
        from store.resume import places
        from store.resume.checks import is_gone
        from tui.screens.moved import Moved

        gone = plan.command.cwd
        if not await asyncio.to_thread(is_gone, gone):
            raise ResumeError(words)
        known = await places.known(self._store)
        found = await asyncio.to_thread(places.candidates, gone, known)
        new = await self._stage.ask(Moved(gone, found))
        if new is None:
            return False
        await self._store.set_place(*places.project_move(gone, new, known.repositories))
        return True

    async def _remember_move(self, old: str, new: str) -> None:
        """Remember the folder that was chosen for one that is gone."""
        from store.resume import places
        from store.resume.checks import is_gone

        if not await asyncio.to_thread(is_gone, old):
            return
        if places.moved(old, await self._store.places()) != new:
            known = {one.folder: one for one in await self._store.repositories()}
            await self._store.set_place(*places.project_move(old, new, known))

    async def _agrees(self, words: str, yes: str) -> bool:
        from tui.screens.confirm import Confirm

        sentence = f"{words[:1].upper()}{words[1:]}."
        return bool(await self._stage.ask(Confirm("Before it starts", sentence, yes)))

    # There and back

    async def _start(self, plan: Plan, command: Command, *, fork: bool) -> bool:
        from store.resume import ready

        session = plan.session
        found = await asyncio.to_thread(ready, command, os.environ, plan.manual.install)
        self._is_idle.clear()
        try:
            await self._mark(session, SessionStatus.ACTIVE)
            outcome = await self._launcher(found)
            await self._mark(session, SessionStatus.PAUSED)
        finally:
            self._is_idle.set()
        self._is_busy = False  # the terminal is back: who presses the key again is not kept waiting
        if self._is_leaving:
            return False
        if words := outcome.in_words(printable(os.path.basename(found.argv[0]))):  # noqa: PTH119
            self._tell(f"{words}.", "warning")
        if fork:
            await self._import_everything()
        else:
            session = await self._store.get_session(session.task_id)
            await self._import(session, session.source_path)
        return True

    async def _open(self, plan: Plan, command: Command, kind: Any) -> None:
        """Open the agent beside the browser, which goes on."""
        from store.resume import Command, ready
        from store.resume.running import run_quietly
        from store.resume.windows import opening

        found = await asyncio.to_thread(ready, command, os.environ, plan.manual.install)
        opener = opening(found, kind, os.environ, plan.manual.home_variables)
        await run_quietly(Command(opener, found.cwd))
        self._tell(f"It runs in another {kind}.")

    async def _import(self, session: Session, path: str | None) -> None:
        if self._importer is not None and path:
            await self._importer.source(session.backend, path)

    async def _import_everything(self) -> None:
        if self._importer is not None:
            async for _ in self._importer.everything():
                pass

    async def _mark(self, session: Session, status: SessionStatus) -> None:
        """Say of a session that it is live, or not any more. A store that is busy stops nobody."""
        if session.status is SessionStatus.TERMINATED:
            return
        try:
            await self._store.set_session_status(session.task_id, status)
        except StoreError as error:
            self._tell(printable(str(error)), "warning")

    def _refuse(self, error: ResumeError) -> None:
        self._tell(f"Cannot be resumed: {error}.", "warning")

    def _tell(self, words: str, severity: str = "information") -> None:
        self._stage.tell(words, severity)
