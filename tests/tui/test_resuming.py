"""Resuming from the browser: what is asked first, what can be chosen, what is refused."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, OptionList

from store import open_store
from store.resume.windows import Kind
from tests.store.resuming import CLAUDE_ID, CODEX_ID, Home
from tests.tui.people import (
    FakeImporter,
    FakeLauncher,
    browsing,
    notices,
    press,
    screen_text,
    settle,
    until,
)
from tui.importing import Finished, Step
from tui.screens.browse import Browse
from tui.screens.confirm import Confirm
from tui.screens.moved import Moved
from tui.screens.resume_sheet import ResumeSheet
from tui.widgets.bars import BottomBar
from tui.widgets.pick import Pick
from tui.widgets.tasks import TaskList

S = TypeVar("S", bound=Screen[Any])


class OwnImporter(FakeImporter):
    """Really imports, in this process."""

    def __init__(self, home: Home) -> None:
        super().__init__()
        self._home = home

    async def everything(self, *, watch: bool = False) -> AsyncIterator[Step | Finished]:
        await self._home.imported()
        yield Finished({"skipped": []})

    async def source(self, agent: str, path: str) -> None:
        await super().source(agent, path)
        await self._home.imported(paths=(Path(path),))


@pytest.fixture
async def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Home]:
    async with open_store(tmp_path / "people.db") as store:
        home = Home(tmp_path, store)
        monkeypatch.setenv("PATH", home.env["PATH"])
        yield home


@pytest.fixture
def launcher() -> FakeLauncher:
    return FakeLauncher()


async def poke(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, with a sheet on the screen: work behind it waits for an answer."""
    for key in keys:
        await pilot.press(key)
    await pilot.pause(0.05)


async def sheet(pilot: Pilot[None], kind: type[S], key: str = "") -> S:
    """Wait for a sheet, after pressing a key."""
    if key:
        await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, kind))
    await pilot.pause(0.05)
    found = pilot.app.screen
    assert isinstance(found, kind)
    return found


async def back(pilot: Pilot[None]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, Browse))
    await settle(pilot)


def said(pilot: Pilot[None]) -> str:
    """What the screen says, without its borders and line ends."""
    return " ".join(re.sub("[│╭╮╰╯─]", " ", screen_text(pilot)).split())


def value(pilot: Pilot[None], name: str) -> str:
    return pilot.app.screen.query_one(f"#{name}", Input).value


async def typed(pilot: Pilot[None], name: str, text: str) -> None:
    """Replace what a line of the sheet holds."""
    line = pilot.app.screen.query_one(f"#{name}", Input)
    line.focus()
    await pilot.pause()
    line.value = text
    await pilot.pause(0.05)


# Asked first


async def test_what_was_deleted_is_put_back_after_a_yes(home: Home, launcher: FakeLauncher) -> None:
    path = home.claude(str(home.folder("src")))
    data = path.read_bytes()
    await home.imported()
    path.unlink()
    await home.imported()
    importer = OwnImporter(home)
    async with browsing(home.store, launcher=launcher, importer=importer) as pilot:
        assert "✝" in screen_text(pilot)
        await sheet(pilot, Confirm, "r")
        assert "does not have it any more" in said(pilot)
        await poke(pilot, "n")
        await back(pilot)
        assert (launcher.started, path.exists()) == ([], False)
        await sheet(pilot, Confirm, "r")
        await poke(pilot, "y")
        await until(pilot, lambda: launcher.started)
        await back(pilot)
        assert path.read_bytes() == data
        assert launcher.started[0].argv[1:] == ("--resume", CLAUDE_ID)
        assert "✝" not in screen_text(pilot)


async def test_enter_on_a_question_leaves_things_as_they_are(
    home: Home, launcher: FakeLauncher
) -> None:
    path = home.claude(str(home.folder("src")))
    await home.imported()
    path.unlink()
    async with browsing(home.store, launcher=launcher) as pilot:
        for key in ("enter", "escape"):
            await sheet(pilot, Confirm, "r")
            await poke(pilot, key)
            await back(pilot)
        assert (launcher.started, path.exists()) == ([], False)


async def test_a_moved_project_is_looked_for_and_remembered(
    home: Home, launcher: FakeLauncher
) -> None:
    old = home.folder("src/uploader")
    home.codex(str(old))
    await home.imported()
    (home.path / "src").rename(home.path / "code")
    async with browsing(home.store, launcher=launcher) as pilot:
        await sheet(pilot, Moved, "r")
        assert "is not there any more" in said(pilot)
        assert "if src is code now" in said(pilot)
        await poke(pilot, "escape")
        await back(pilot)
        assert launcher.started == []
        await sheet(pilot, Moved, "r")
        assert isinstance(pilot.app.focused, OptionList)
        await poke(pilot, "enter")
        await until(pilot, lambda: launcher.started)
        await back(pilot)
        assert launcher.started[0].cwd == f"{home.path}/code/uploader"
        assert f"Its folder was {old}, and is" in notices(pilot)[-1]
        await press(pilot, "r")
        assert launcher.started[1] == launcher.started[0]
        (place,) = await home.store.places()
        assert (place.old, place.new) == (str(old), f"{home.path}/code/uploader")


async def test_a_folder_that_nobody_would_guess_is_typed(
    home: Home, launcher: FakeLauncher
) -> None:
    home.codex(str(home.folder("src")))
    await home.imported()
    (home.path / "src").rmdir()
    other = home.folder("far/away")
    async with browsing(home.store, launcher=launcher) as pilot:
        await sheet(pilot, Moved, "r")
        assert "Nothing like it was found." in said(pilot)
        line = pilot.app.screen.query_one(Input)
        line.value = "away"
        await poke(pilot, "enter")
        assert "not an absolute path of a folder" in said(pilot)
        line.value = str(home.path / "fa")
        line.cursor_position = len(line.value)
        await until(pilot, lambda: line._suggestion == str(home.path / "far") + "/")
        await poke(pilot, "right")
        assert line.value == str(home.path / "far") + "/"
        line.value += "away"
        await poke(pilot, "enter")
        await until(pilot, lambda: launcher.started)
        await back(pilot)
        assert launcher.started[0].cwd == str(other)


async def test_what_is_open_elsewhere_is_asked_about_but_may_be_forked(
    home: Home, launcher: FakeLauncher
) -> None:
    home.claude(str(home.folder("src")))
    script = home.program("claude", "read line")
    await home.imported()
    pipe = asyncio.subprocess.PIPE
    agent = await asyncio.create_subprocess_exec(script, "--resume", CLAUDE_ID, stdin=pipe)
    async with browsing(home.store, launcher=launcher) as pilot:
        await sheet(pilot, Confirm, "r")
        assert f"It is open already, in process {agent.pid}." in said(pilot)
        await poke(pilot, "n")
        await back(pilot)
        assert launcher.started == []
        await press(pilot, "f")
        assert launcher.started[0].argv[1:] == ("--resume", CLAUDE_ID, "--fork-session")
    await agent.communicate(b"\n")


async def test_another_home_is_asked_about_once(
    home: Home, launcher: FakeLauncher, tmp_path: Path
) -> None:
    other = tmp_path / "sent" / ".claude"
    home.claude(str(home.folder("src")), root=other)
    await home.imported(paths=(other,))
    async with browsing(home.store, launcher=launcher) as pilot:
        await sheet(pilot, Confirm, "r")
        assert "the settings there would be used" in said(pilot)
        await poke(pilot, "y")
        await until(pilot, lambda: launcher.started)
        await back(pilot)
        assert launcher.started[0].env == {"CLAUDE_CONFIG_DIR": str(other)}
        await press(pilot, "r")
        assert len(launcher.started) == 2


async def test_what_codex_archived_is_taken_out(home: Home, launcher: FakeLauncher) -> None:
    path = home.codex(str(home.folder("src")), archived=True)
    place = home.folder(".codex/sessions/2026/11/20")
    home.program("codex", f'[ "$1" = unarchive ] && mv "{path}" "{place}"')
    await home.imported()
    await home.store.unarchive(await home.store.resolve(CODEX_ID))  # here, not at Codex
    importer = OwnImporter(home)
    async with browsing(home.store, launcher=launcher, importer=importer) as pilot:
        await sheet(pilot, Confirm, "r")
        assert "has it in its archive" in said(pilot)
        await poke(pilot, "y")
        await until(pilot, lambda: launcher.started)
        await back(pilot)
        assert launcher.started[0].argv[1:] == ("resume", CODEX_ID)


async def test_a_sub_agent_leads_to_its_parent(home: Home, launcher: FakeLauncher) -> None:
    folder = str(home.folder("src"))
    parent = home.claude(folder)
    below = parent.with_suffix("") / "subagents" / "agent-a1.jsonl"
    below.parent.mkdir(parents=True)
    shutil.copy(parent, below)
    await home.imported()
    async with browsing(home.store, launcher=launcher) as pilot:
        await press(pilot, "right", "down")
        selected = pilot.app.screen.query_one(TaskList).selected
        assert selected is not None
        assert selected.session is not None
        assert selected.session.session_id == f"{CLAUDE_ID}/agent-a1"
        await press(pilot, "r")
        assert launcher.started[0].argv[1:] == ("--resume", CLAUDE_ID)
        assert "this is its parent's" in notices(pilot)[-1]


# Refused


@pytest.mark.parametrize("why", ["program", "id", "remnant", "kept", "none"])
async def test_a_key_that_cannot_act_is_greyed_and_says_why(
    home: Home, launcher: FakeLauncher, why: str
) -> None:
    path = home.claude(str(home.folder("src")))
    await home.imported(originals=False)
    task_id = await home.store.resolve(CLAUDE_ID)
    if why == "program":
        (home.path / "bin" / "claude").unlink()
    elif why == "id":
        await home.store.save_session(task_id, "--help", "claude")
    elif why == "remnant":
        gone = home.path / ".claude" / "history.jsonl"
        await home.store.update_session(task_id, source_path=str(gone))
    elif why == "kept":
        path.unlink()
        await home.imported(originals=False)
    else:
        await home.store.delete_session(task_id)
        await home.store.save_message(task_id, "user", "x", is_prompt=True)
    reason = {
        "program": "npm install -g @anthropic-ai/claude-code",
        "id": "does not have the shape",
        "remnant": "only its prompts are left",
        "kept": "its file was not kept",
        "none": "no session that could be resumed",
    }[why]
    async with browsing(home.store, launcher=launcher) as pilot:
        bar = pilot.app.screen.query_one(BottomBar)
        never = why in ("id", "remnant", "none")
        off = {"resume", "fork", "choose", "copy"} if never else {"resume", "fork"}
        await until(pilot, lambda: bar.off == off)
        for key in ("r", "f", *("Rc" if never else "")):
            await press(pilot, key)
            assert reason in notices(pilot)[-1]
        if not never:  # the sheet says it, too
            await sheet(pilot, ResumeSheet, "R")
            assert reason.split()[0] in said(pilot)
            await poke(pilot, "enter")
            await back(pilot)
            assert reason in notices(pilot)[-1]
        assert launcher.started == []


async def test_keys_are_not_greyed_for_what_can_be_helped(
    home: Home, launcher: FakeLauncher
) -> None:
    gone = home.claude(str(home.folder("src")))
    home.codex("/no/such/folder")
    await home.imported()
    gone.unlink()
    await home.imported()
    async with browsing(home.store, launcher=launcher) as pilot:
        bar = pilot.app.screen.query_one(BottomBar)
        for _ in range(2):
            await settle(pilot)
            assert bar.off == frozenset()
            await press(pilot, "down")


# Chosen


async def test_the_sheet_shows_the_command_and_starts_what_was_chosen(
    home: Home, launcher: FakeLauncher
) -> None:
    folder = str(home.folder("src"))
    home.claude(folder)
    await home.imported()
    async with browsing(home.store, launcher=launcher) as pilot:
        await sheet(pilot, ResumeSheet, "R")
        assert value(pilot, "command") == f"claude --resume {CLAUDE_ID}"
        assert value(pilot, "cwd") == folder
        assert isinstance(pilot.app.focused, Pick)
        await poke(pilot, "right", "right", "right")
        assert value(pilot, "command") == f"claude --resume {CLAUDE_ID} --permission-mode plan"
        assert "look and plan, change nothing" in said(pilot)
        await poke(pilot, "left", "left", "left")
        assert value(pilot, "command") == f"claude --resume {CLAUDE_ID}"
        await poke(pilot, "left")
        assert "--dangerously-skip-permissions" in value(pilot, "command")
        await poke(pilot, "right")
        await typed(pilot, "model", "opus")
        assert value(pilot, "command") == f"claude --resume {CLAUDE_ID} --model opus"
        pilot.app.screen.query_one("#fork", Pick).focus()
        await poke(pilot, "right")
        forked = f"claude --resume {CLAUDE_ID} --fork-session --model opus"
        assert value(pilot, "command") == forked
        await typed(pilot, "command", f"{forked} --add-dir '/a b'")
        await typed(pilot, "env", "X='1 2' Y=3")
        await poke(pilot, "enter")
        await back(pilot)
        (command,) = launcher.started
        assert command.argv == (
            str(home.path / "bin" / "claude"),
            *("--resume", CLAUDE_ID, "--fork-session", "--model", "opus", "--add-dir", "/a b"),
        )
        assert (command.cwd, command.env) == (folder, {"X": "1 2", "Y": "3"})
        # Nothing of it is remembered.
        await press(pilot, "r")
        assert launcher.started[1].argv[1:] == ("--resume", CLAUDE_ID)
        assert launcher.started[1].env == {}
        await sheet(pilot, ResumeSheet, "R")
        assert value(pilot, "command") == f"claude --resume {CLAUDE_ID}"


async def test_what_is_typed_is_understood_as_chosen(home: Home, launcher: FakeLauncher) -> None:
    home.codex(str(home.folder("src")))
    await home.imported()
    async with browsing(home.store, launcher=launcher) as pilot:
        await sheet(pilot, ResumeSheet, "R")
        line = f"codex fork {CODEX_ID} --sandbox read-only -m o3"
        await typed(pilot, "command", line)
        assert pilot.app.screen.query_one("#mode", Pick).value == "read-only"
        assert pilot.app.screen.query_one("#fork", Pick).value == "yes"
        assert value(pilot, "model") == "o3"
        for wrong in ("codex 'open", ""):
            await typed(pilot, "command", wrong)
            await poke(pilot, "enter")
            assert isinstance(pilot.app.screen, ResumeSheet)
        assert "There is no command." in said(pilot)
        await typed(pilot, "env", "no equals")
        assert "Not NAME=value" in said(pilot)
        await poke(pilot, "enter", "escape")
        await back(pilot)
        assert launcher.started == []


async def test_arguments_are_completed(home: Home) -> None:
    home.claude(str(home.folder("src")))
    await home.imported()
    async with browsing(home.store) as pilot:
        await sheet(pilot, ResumeSheet, "R")
        await typed(pilot, "command", f"claude --resume {CLAUDE_ID} --perm")
        line = pilot.app.screen.query_one("#command", Input)
        line.cursor_position = len(line.value)
        await until(pilot, lambda: line._suggestion.endswith("--permission-mode"))
        assert "--permission-mode the permission mode" in said(pilot)
        await poke(pilot, "right", "space", "p", "l")
        await until(pilot, lambda: line._suggestion.endswith("--permission-mode plan"))


async def test_goose_takes_its_mode_from_the_environment(
    home: Home, launcher: FakeLauncher
) -> None:
    session = await home.store.create_session(
        str(home.folder("src")), "goose", session_id="20261120_1", title="Talk"
    )
    await home.store.save_message(session.task_id, "user", "x", is_prompt=True)
    async with browsing(home.store, launcher=launcher) as pilot:
        await sheet(pilot, ResumeSheet, "R")
        assert not pilot.app.screen.query("#model")
        await poke(pilot, "right")
        assert value(pilot, "env") == "GOOSE_MODE=approve"
        await poke(pilot, "enter")
        await back(pilot)
        assert launcher.started[0].env == {"GOOSE_MODE": "approve"}


async def test_another_folder_is_for_once_unless_the_own_is_gone(
    home: Home, launcher: FakeLauncher
) -> None:
    own, other = home.folder("own"), home.folder("other")
    home.codex(str(own))
    await home.imported()
    async with browsing(home.store, launcher=launcher) as pilot:
        for _ in range(2):
            await sheet(pilot, ResumeSheet, "R")
            await typed(pilot, "cwd", str(other))
            await poke(pilot, "enter")
            await back(pilot)
            assert launcher.started[-1].cwd == str(other)
            assert bool(await home.store.places()) == (not own.exists())
            if own.exists():
                own.rmdir()
        await press(pilot, "r")
        assert launcher.started[-1].cwd == str(other)


async def test_the_sheet_says_what_a_person_should_know(home: Home, launcher: FakeLauncher) -> None:
    path = home.claude(str(home.folder("src")))
    await home.imported()
    path.unlink()
    async with browsing(home.store, launcher=launcher) as pilot:
        await sheet(pilot, ResumeSheet, "R")
        assert "has to be put back" in said(pilot)
        await poke(pilot, "enter")
        await sheet(pilot, Confirm)
        await poke(pilot, "y")
        await until(pilot, lambda: launcher.started)
        await back(pilot)
    assert path.exists()


async def test_a_hostile_folder_does_not_reach_the_terminal_raw(
    home: Home, launcher: FakeLauncher
) -> None:
    evil = home.folder("evil \x1b]0;pwned\x07\u202e[/b]")
    home.codex(str(evil))
    await home.imported()
    async with browsing(home.store, launcher=launcher) as pilot:
        await sheet(pilot, ResumeSheet, "R")
        assert not {"\x1b", "\x07", "\u202e"} & set(screen_text(pilot))
        assert not {"\x1b", "\x07", "\u202e"} & set(value(pilot, "cwd"))
        await poke(pilot, "enter")
        await back(pilot)
        assert launcher.started[0].cwd == str(evil)
        evil.rmdir()
        await sheet(pilot, Moved, "r")
        assert not {"\x1b", "\x07", "\u202e"} & set(screen_text(pilot))
        await poke(pilot, "escape")


async def test_it_opens_beside_where_the_terminal_can(
    home: Home, launcher: FakeLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = str(home.folder("src"))
    home.claude(folder)
    noted = home.path / "noted"
    home.program("tmux", f'printf "%s\\n" "$@" > "{noted}"')
    monkeypatch.setenv("TMUX", "/tmp/socket,1,0")
    await home.imported()
    async with browsing(home.store, launcher=launcher) as pilot:
        await sheet(pilot, ResumeSheet, "R")
        pick = pilot.app.screen.query_one("#kind", Pick)
        assert pick.value == Kind.HERE
        pick.focus()
        await poke(pilot, "right", "right")
        assert pick.value == Kind.WINDOW
        await poke(pilot, "enter")
        await back(pilot)
        assert notices(pilot)[-1] == "It runs in another window."
        assert launcher.started == []
        words = noted.read_text().splitlines()
        assert words[0] == "new-window"
        assert words[-2:] == ["--resume", CLAUDE_ID]
        home.program("tmux", "echo no server >&2; exit 1")
        await sheet(pilot, ResumeSheet, "R")
        pilot.app.screen.query_one("#kind", Pick).focus()
        await poke(pilot, "right", "enter")
        await back(pilot)
        assert "tmux split-window failed: no server" in notices(pilot)[-1]


async def test_after_a_fork_the_copy_is_looked_for(home: Home) -> None:
    home.claude(str(home.folder("src")))
    await home.imported()
    other = CLAUDE_ID.replace("e1", "e2")
    async with browsing(home.store, importer=OwnImporter(home)) as pilot:
        home.claude(str(home.folder("src")), other)  # as the agent does
        await press(pilot, "f")
        assert await home.store.find_session("claude", other)


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (120, 40)])
async def test_the_sheets_fit(home: Home, size: tuple[int, int]) -> None:
    home.claude(str(home.folder("src")))
    await home.imported()
    shutil.rmtree(home.path / "src")
    async with browsing(home.store, size=size) as pilot:
        kinds: tuple[tuple[type[Screen[Any]], str], ...] = ((Moved, "r"), (ResumeSheet, "R"))
        for kind, key in kinds:
            await sheet(pilot, kind, key)
            await poke(pilot, "tab", "tab", "escape")
            await back(pilot)
