"""What resuming a session takes, and every case in which it is refused."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from store import ResumeError, open_store
from store.resume import ready
from store.resume.plan import Doubt, Obstacle
from store.resume.putback import put_back
from tests.store.resuming import CLAUDE_ID, CODEX_FORK, CODEX_ID, Home

PARENT = "7f3c0000-0000-4000-8000-0000000000aa"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    async with open_store(str(tmp_path / "store.db")) as store:
        yield Home(tmp_path / "ann", store)


async def test_what_is_whole_can_be_started_at_once(home: Home) -> None:
    folder = home.folder("src/uploader")
    home.claude(str(folder))
    await home.imported()
    plan = await home.plan()
    assert (plan.obstacles, plan.doubts, list(plan.notes)) == ({}, {}, [])
    program = str(home.path / "bin" / "claude")
    assert plan.command.argv == (program, "--resume", CLAUDE_ID)
    assert (plan.command.cwd, plan.command.env) == (str(folder), {})
    assert (await home.plan(fork=True)).command.argv[-1] == "--fork-session"


async def test_a_program_that_is_not_there_is_named_with_how_to_get_it(home: Home) -> None:
    home.claude(str(home.folder("src")))
    await home.imported()
    (home.path / "bin" / "claude").unlink()
    plan = await home.plan()
    assert "npm install -g @anthropic-ai/claude-code" in plan.obstacles[Obstacle.PROGRAM]
    assert plan.is_hopeless
    with pytest.raises(ResumeError, match="npm install"):
        ready(plan.command, home.env, plan.manual.install)


@pytest.mark.parametrize(
    ("folder", "reason"),
    [
        ("src/uploader", "not an absolute path"),
        ("./src", "not an absolute path"),
        ("~", "not an absolute path"),
        ("~/src", "not an absolute path"),
        ("/no/such/folder", "not there any more"),
        ("/etc/passwd", "not a folder"),
        ("/etc/passwd/below", "not there any more"),
        ("/tmp\0/x", "not an absolute path"),
        ("$(touch pwned)", "not an absolute path"),
        ("/$(touch pwned)", "not there any more"),
        ("/" + "x" * 5000, "cannot be looked at"),
    ],
)
async def test_a_folder_that_nothing_is_started_in(home: Home, folder: str, reason: str) -> None:
    home.claude(folder if "\0" not in folder and len(folder) < 99 else "/odd", cwd=folder)
    await home.imported()
    plan = await home.plan()
    assert reason in plan.obstacles[Obstacle.FOLDER]
    with pytest.raises(ResumeError, match=reason):
        ready(plan.command, home.env)


@pytest.mark.parametrize(
    "name", ["two\nlines", "quo'te\"s", "$(touch pwned)", "`id`", "-x", " ", "a;b", "é ✓", "#(id)"]
)
async def test_a_folder_with_an_odd_name_is_entered_as_it_is(home: Home, name: str) -> None:
    folder = home.folder(f"src/{name}")
    home.claude(str(folder))
    home.program("claude", 'printf "%s|" "$PWD" "$@"')
    await home.imported()
    plan = await home.plan()
    assert not plan.obstacles
    command = ready(plan.command, home.env)
    ran = subprocess.run(command.argv, cwd=command.cwd, capture_output=True, check=True)
    assert ran.stdout.decode() == f"{folder}|--resume|{CLAUDE_ID}|"
    pasted = subprocess.run(
        ["/bin/sh", "-c", plan.command.shell_line()],
        env=home.env,
        cwd=home.path,
        capture_output=True,
        check=True,
    )
    assert pasted.stdout == ran.stdout
    assert not (home.path / "pwned").exists()
    assert not (folder / "pwned").exists()


async def test_a_session_that_names_no_folder(home: Home) -> None:
    session = await home.store.create_session("/x", "claude", session_id=CLAUDE_ID)
    await home.store.update_session(session.task_id, project_path=None)
    assert "which folder" in (await home.plan()).obstacles[Obstacle.FOLDER]


@needs_root
async def test_folders_that_are_not_the_person_s(home: Home) -> None:
    """Root's own can be entered; one that may not be is refused, and a stranger's asked about."""
    script = (
        "import os, sys\n"
        "from store import ResumeError; from store.resume import checked_folder\n"
        "os.setuid(65534)\n"
        "for folder in sys.argv[1:]:\n"
        "    try: print(checked_folder(folder))\n"
        "    except ResumeError as error: print(error)\n"
    )
    with tempfile.TemporaryDirectory() as top:
        Path(top).chmod(0o755)
        private = Path(top, "private")
        (private / "below").mkdir(parents=True, mode=0o700)
        private.chmod(0o700)
        said = subprocess.run(
            [sys.executable, "-c", script, "/", str(private), str(private / "below")],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        assert said[0] == "/"
        assert "may not be entered" in said[1]
        assert "cannot be looked at" in said[2]
        os.chown(private, 65534, 65534)
        home.claude(str(private))
        await home.imported()
        assert "nobody" in (await home.plan()).doubts[Doubt.OWNER]


@needs_root
async def test_what_somebody_else_wrote_is_not_resumed(home: Home) -> None:
    path = home.claude(str(home.folder("src")))
    await home.imported()
    os.chown(path, 65534, 65534)
    with pytest.raises(ResumeError, match="belongs to nobody, not to you"):
        await home.plan()
    os.chown(path, 0, 0)
    assert not (await home.plan()).obstacles


@pytest.mark.parametrize(
    "bad", ["--help", "-rf", "../../etc/passwd", "a b", "x\x1b[2J", "$(id)", f"{CLAUDE_ID}\n", "ö"]
)
@pytest.mark.parametrize("backend", ["claude", "codex", "goose"])
async def test_an_id_that_is_an_option_a_path_or_holds_control_characters(
    home: Home, backend: str, bad: str
) -> None:
    task = await home.store.create_session(str(home.path), backend, session_id=bad)
    with pytest.raises(ResumeError) as refused:
        await home.plan(task.task_id)
    assert "\x1b" not in str(refused.value)


async def test_a_second_meta_record_changes_neither_session_nor_folder(home: Home) -> None:
    folder, other = home.folder("mine"), home.folder("evil")
    path = home.codex(str(folder))
    with path.open("a") as file:
        file.write(home.codex(str(other), CODEX_FORK).read_text())
    (path.parent / f"rollout-2026-11-20T10-00-00-{CODEX_FORK}.jsonl").unlink()
    await home.imported()
    plan = await home.plan(CODEX_ID)
    assert plan.command.argv[1:] == ("resume", CODEX_ID)
    assert plan.command.cwd == str(folder)


async def test_a_rollout_that_is_named_for_another_thread_is_not_put_back(home: Home) -> None:
    path = home.codex(str(home.folder("src")), CODEX_FORK)
    renamed = path.with_name(path.name.replace(CODEX_FORK, CODEX_ID))
    path.rename(renamed)
    await home.imported()
    plan = await home.plan(CODEX_FORK)
    assert "named for another thread" in plan.obstacles[Obstacle.GONE]
    assert plan.is_hopeless


async def test_a_sub_agent_resumes_its_parent(home: Home) -> None:
    folder = str(home.folder("src"))
    parent = home.claude(folder, PARENT)
    below = parent.with_suffix("") / "subagents" / "agent-a1.jsonl"
    below.parent.mkdir(parents=True)
    home.claude(folder, agentId="a1", isSidechain=True).rename(below)
    below.write_text(below.read_text().replace(CLAUDE_ID, PARENT))
    await home.imported()
    plan = await home.plan(f"{PARENT}/agent-a1")
    assert plan.command.argv[-1] == PARENT
    assert any("parent's" in note for note in plan.notes)
    await home.store.delete_task(await home.store.resolve(PARENT))
    with pytest.raises(ResumeError, match="its parent is not here"):
        await home.plan(f"{PARENT}/agent-a1")


async def test_a_task_without_a_session_and_a_stranger_s(home: Home) -> None:
    session = await home.store.create_session("/x", "aider", session_id="x")
    with pytest.raises(ResumeError, match="does not know how to resume a aider"):
        await home.plan(session.task_id)
    await home.store.delete_session(session.task_id)
    with pytest.raises(ResumeError, match="no session"):
        await home.plan(session.task_id)


async def test_a_moved_project_is_found_by_what_was_said_once(home: Home) -> None:
    old = home.folder("src/uploader")
    sub = home.folder("src/uploader/web")
    home.claude(str(old))
    home.claude(str(sub), PARENT)
    await home.imported()
    new = home.path / "code" / "uploader"
    new.parent.mkdir()
    old.rename(new)
    plan = await home.plan()
    assert "not there any more" in plan.obstacles[Obstacle.FOLDER]
    await home.store.set_place(str(old), str(new))
    plan = await home.plan(PARENT)
    assert plan.command.cwd == str(new / "web")
    assert plan.notes == [f"its folder was {sub}, and is {new / 'web'} now"]
    assert not plan.is_hopeless
    # Claude Code looks under the folder's name: the transcript has to be there, too.
    (copy,) = plan.restoring
    assert copy.is_there
    assert "has to be copied there" in plan.obstacles[Obstacle.GONE]
    await put_back(home.store, copy)
    assert not (await home.plan(PARENT)).obstacles
    assert copy.target.read_bytes() == Path(copy.path).read_bytes()


async def test_a_folder_that_is_there_again_is_itself(home: Home) -> None:
    old, new = home.folder("old"), home.folder("new")
    home.codex(str(old))
    await home.imported()
    await home.store.set_place(str(old), str(new))
    assert (await home.plan(CODEX_ID)).command.cwd == str(old)
    old.rmdir()
    assert (await home.plan(CODEX_ID)).command.cwd == str(new)
    new.rmdir()
    plan = await home.plan(CODEX_ID)
    assert plan.command.cwd == str(old)
    assert Obstacle.FOLDER in plan.obstacles


async def test_another_home_is_set_and_asked_about_once(home: Home, tmp_path: Path) -> None:
    other = tmp_path / "sent by mail" / ".claude"
    home.claude(str(home.folder("src")), root=other)
    await home.imported(paths=(other,))
    plan = await home.plan()
    assert plan.command.env == {"CLAUDE_CONFIG_DIR": str(other)}
    assert str(other) in plan.doubts[Doubt.HOME]
    await home.store.trust_home(str(other))
    assert not (await home.plan()).doubts
    told = await home.plan(env=home.env | {"CLAUDE_CONFIG_DIR": str(other)})
    assert (told.command.env, told.doubts) == ({}, {})


async def test_the_usual_home_is_reached_by_leaving_the_variable_away(home: Home) -> None:
    home.claude(str(home.folder("src")))
    await home.imported()
    plan = await home.plan(env=home.env | {"CLAUDE_CONFIG_DIR": "/work/claude"})
    assert (plan.command.env, plan.command.unset) == ({}, ("CLAUDE_CONFIG_DIR",))
    assert "env -u CLAUDE_CONFIG_DIR claude" in plan.command.shell_line()
    environment = plan.command.environment({"CLAUDE_CONFIG_DIR": "/work/claude", "X": "1"})
    assert environment == {"X": "1"}


async def test_sessions_from_a_heap_of_files_go_to_the_usual_home(
    home: Home, tmp_path: Path
) -> None:
    heap = tmp_path / "heap"
    heap.mkdir()
    home.claude(str(home.folder("src"))).rename(heap / f"{CLAUDE_ID}.jsonl")
    await home.imported(paths=(heap,))
    plan = await home.plan()
    assert plan.command.env == {}
    (copy,) = plan.restoring
    assert copy.is_there
    assert copy.home == home.path / ".claude"


async def test_a_home_that_is_gone_is_not_made_anew(home: Home, tmp_path: Path) -> None:
    other = tmp_path / "stick" / ".codex"
    path = home.codex(str(home.folder("src")))
    shutil.copytree(home.path / ".codex", other)
    shutil.rmtree(home.path / ".codex")
    await home.imported(paths=(other,))
    shutil.rmtree(other)
    plan = await home.plan(CODEX_ID)
    assert any("is gone" in note for note in plan.notes)
    assert (plan.command.env, plan.doubts) == ({}, {})
    (back,) = plan.restoring
    assert back.target == path


async def test_what_codex_archived_has_to_be_taken_out_first(home: Home) -> None:
    home.codex(str(home.folder("src")), archived=True)
    await home.imported()
    plan = await home.plan(CODEX_ID)
    assert "archive" in plan.obstacles[Obstacle.ARCHIVED]
    assert plan.unarchive is not None
    assert plan.unarchive.argv == ("codex", "unarchive", CODEX_ID)
    assert not plan.is_hopeless


async def test_a_fork_needs_what_it_goes_on_from(home: Home) -> None:
    folder = str(home.folder("src"))
    origin = home.codex(folder)
    base = {"thread_id": CODEX_ID, "end_ordinal_exclusive": 2}
    fork = home.codex(folder, CODEX_FORK, forked_from_id=CODEX_ID, history_base=base)
    await home.imported()
    assert not (await home.plan(CODEX_FORK)).obstacles
    origin.unlink()
    plan = await home.plan(CODEX_FORK)
    assert [one.target for one in plan.restoring] == [origin]
    fork.unlink()
    plan = await home.plan(CODEX_FORK)
    assert [one.target for one in plan.restoring] == [fork, origin]
    for one in plan.restoring:
        await put_back(home.store, one)
    assert not (await home.plan(CODEX_FORK)).obstacles


async def test_goose_is_asked_whether_it_has_the_session(home: Home) -> None:
    database = home.path / ".local/share/goose/sessions/sessions.db"
    database.parent.mkdir(parents=True)
    with closing(sqlite3.connect(database)) as db:
        db.execute("CREATE TABLE sessions (id TEXT PRIMARY KEY)")
        db.execute("INSERT INTO sessions VALUES ('20261120_1')")
        db.commit()
    for number in (1, 2):
        await home.store.create_session(
            str(home.path),
            "goose",
            session_id=f"20261120_{number}",
            root=str(database.parent),
            source_path=str(database),
        )
    assert not (await home.plan("20261120_1")).obstacles
    plan = await home.plan("20261120_2")
    assert "no copy is kept" in plan.obstacles[Obstacle.GONE]
    assert plan.is_hopeless


@contextmanager
def running(*command: str | Path, cwd: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program from when it has written a line until it is given one."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=cwd) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.communicate(b"\n")


async def test_who_has_it_open_is_said(home: Home) -> None:
    folder = home.folder("src")
    home.claude(str(folder))
    script = home.program("claude", "echo; read line")
    await home.imported()
    with running(script, "--resume", CLAUDE_ID, cwd=home.path) as agent:
        plan = await home.plan()
        assert f"process {agent.pid}" in plan.doubts[Doubt.LIVE]
        assert not (await home.plan(fork=True)).doubts
        assert not (await home.plan(at_a_glance=True)).doubts
    assert not (await home.plan()).doubts


async def test_claude_code_notes_what_it_has_open(home: Home) -> None:
    home.claude(str(home.folder("src")))
    await home.imported()
    notes = home.path / ".claude" / "sessions"
    notes.mkdir()
    stat = Path("/proc/self/stat")
    started = stat.read_text().rpartition(")")[2].split()[19] if stat.exists() else ""
    note = f'{{"pid": {os.getpid()}, "sessionId": "{CLAUDE_ID}", "procStart": "%s"}}'
    (notes / "1.json").write_text(note % started)
    (notes / "2.json").write_text("[torn")
    assert f"process {os.getpid()}" in (await home.plan()).doubts[Doubt.LIVE]
    if started:  # another process that was given the same number
        (notes / "1.json").write_text(note % "12")
        assert not (await home.plan()).doubts
    (notes / "1.json").write_text(note.replace(str(os.getpid()), str(2**22 + 1)) % "")
    assert not (await home.plan()).doubts


async def test_codex_s_server_alone_is_nobody(home: Home) -> None:
    folder = home.folder("src")
    path = home.codex(str(folder))
    script = home.program("codex", f'exec 3<"{path}"; echo; read line')
    await home.imported()
    with running(script, "app-server", cwd=home.path):
        assert not (await home.plan(CODEX_ID)).doubts
        with running(script, cwd=home.path) as agent:
            assert f"process {agent.pid}" in (await home.plan(CODEX_ID)).doubts[Doubt.LIVE]
        script = home.program("codex", "echo; read line")
        with running(script, cwd=folder):
            assert "it seems" in (await home.plan(CODEX_ID)).doubts[Doubt.LIVE]


async def test_a_session_that_another_backscroll_has_open(home: Home) -> None:
    home.claude(str(home.folder("src")))
    await home.imported()
    await home.store.set_session_status(await home.store.resolve(CLAUDE_ID), "active")
    assert "another backscroll" in (await home.plan()).doubts[Doubt.LIVE]


async def test_planning_writes_nothing(home: Home) -> None:
    home.claude("/gone/far").unlink()
    home.claude(str(home.folder("src")))
    home.codex(str(home.folder("src")), archived=True)
    await home.imported()
    next((home.path / ".claude").rglob("*.jsonl")).unlink()

    def seen() -> list[tuple[str, int]]:
        return sorted((str(at), at.stat().st_mtime_ns) for at in home.path.rglob("*"))

    before = seen()
    for name in (CLAUDE_ID, CODEX_ID):
        assert (await home.plan(name)).obstacles
    assert seen() == before
