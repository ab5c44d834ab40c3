"""The terminal while an agent has it and afterwards: real processes, and the bytes they send."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import sys
import time
from contextlib import closing, suppress
from pathlib import Path
from uuid import uuid4

import pytest

from tests.tui.terminal import Terminal, backscroll, surroundings
from tests.tui.test_terminal import agent, record

SHELL = ["/bin/bash", "--norc", "--noprofile", "-i"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    (home / "bin").mkdir(parents=True)
    return home


@pytest.fixture
def talk(home: Path, tmp_path: Path) -> Path:
    """A session to go back to."""
    return record(home, tmp_path, title="Talk", text="Hello there", tool="Bash")


def browser(home: Path) -> Terminal:
    return Terminal(backscroll(), env=surroundings(home), cwd=home)


def back(terminal: Terminal, *texts: str, after: bytes) -> bytes:
    """Wait until the browser is on the screen again; give the bytes behind the agent's last."""
    terminal.sends(b"\x1b[?1049h", after=after)
    terminal.shows("Hello there", "Talk", *texts)
    return terminal.sends(b"\x1b[?1049h", after=after)


def left(terminal: Terminal) -> None:
    terminal.type("q")
    assert terminal.ends() == 0


def left_for_the_shell(terminal: Terminal) -> None:
    terminal.type("q")
    terminal.sends(b"SHELL>", after=b"\x1b[?1049l")
    terminal.type("echo STATUS $?\r")
    terminal.sends(b"STATUS 0")
    terminal.type("exit\r")
    assert terminal.ends() == 0


def alive(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    with suppress(OSError):
        return stat.read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def ends(pid: int, within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not alive(pid)


def noted_pid(path: Path, within: float = 10.0) -> int:
    deadline = time.monotonic() + within
    while not (path.exists() and path.read_text().strip()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return int(path.read_text())


def test_nothing_is_written_over_the_agent(home: Path, talk: Path) -> None:
    """Messages arrive, are imported and listed, clocks tick: none of it reaches the terminal."""
    agent(home, "printf BEGUN; while [ ! -e done ]; do sleep 0.05; done; printf ENDED")
    line = json.loads(talk.read_text().splitlines()[-1])
    with browser(home) as terminal:
        terminal.shows("Hello there")
        terminal.type("x")  # notices, whose time runs out meanwhile
        terminal.shows("Archived")
        terminal.type("u")
        terminal.shows("Undone", "Hello there")
        terminal.type("r")
        terminal.sends(b"BEGUN")
        for number in range(12):
            said = line | {"uuid": f"later {number}"}
            said["message"] = {"role": "user", "content": f"Said inside, {number}"}
            with talk.open("a") as file:
                file.write(json.dumps(said) + "\n")
            if number == 6:
                record_another(talk)
            terminal.type("jk/?")  # the agent's, who does not read it
            time.sleep(0.5)
        (talk.parents[4] / "done").touch()
        terminal.sends(b"ENDED")
        between = terminal.sent.partition(b"BEGUN")[2].partition(b"ENDED")[0]
        assert between.replace(b"jk/?", b"") == b""  # which the terminal itself echoes
        back(terminal, "Said inside, 11", after=b"ENDED")
        left(terminal)


def record_another(talk: Path) -> None:
    another = str(uuid4())
    talk.with_stem(another).write_text(talk.read_text().replace(talk.stem, another))


def test_the_terminal_is_handed_over_and_taken_back(home: Path, talk: Path) -> None:
    agent(home, "printf BEGUN; stty -a > modes; printf '\\033]0;mine\\007'; printf ENDED")
    with browser(home) as terminal:
        before = terminal.modes()
        terminal.shows("Hello there")
        terminal.type("r")
        terminal.sends(b"ENDED")
        handed = terminal.sent.partition(b"BEGUN")[0]
        for mode in (b"?1049", b"?1000", b"?1003", b"?1006", b"?2004", b"?1004"):
            assert handed.rfind(mode + b"l") > handed.rfind(mode + b"h"), mode
        assert handed.rfind(b"?25h") > handed.rfind(b"?25l")
        assert len(re.findall(rb"\x1b\[>\d+u", handed)) == handed.count(b"\x1b[<u")
        assert b"\x1b[22;0t" in handed
        taken = back(terminal, after=b"ENDED")
        assert taken.startswith(b"\x1b[?2026l")
        assert taken.index(b"\x1b[23;0t") < taken.index(b"\x1b[?1049h")
        for mode in (b"?1049", b"?1000", b"?2004"):
            assert taken.rfind(mode + b"h") > taken.rfind(mode + b"l"), mode
        assert " echo " in (talk.parents[4] / "modes").read_text().replace("\n", " ")
        left(terminal)
        assert terminal.modes() == before


def test_an_agent_that_leaves_a_mess_and_one_that_is_killed(home: Path, talk: Path) -> None:
    mess = "stty raw -echo; printf '\\033[?1049h\\033[?1003h\\033[>1u\\033[?25l\\033[5;9r'"
    agent(home, f"{mess}; printf ENDED; [ -e kill ] && kill -KILL $$; exit 0")
    with browser(home) as terminal:
        before = terminal.modes()
        for words in ("Talk", "claude was ended by SIGKILL"):
            terminal.shows("Hello there")
            terminal.sent = b""
            terminal.type("r")
            terminal.sends(b"ENDED")
            taken = back(terminal, words, after=b"ENDED").partition(b"\x1b[?1049h")[0]
            for reset in (b"\x1b[?1003l", b"\x1b[?25h", b"\x1b[?1049l"):
                assert reset in taken
            was_killed = words != "Talk"
            assert (b"\x1b[<u" in taken) == (b"\x1b[r" in taken) == was_killed
            (talk.parents[4] / "kill").touch()
        left(terminal)
        assert terminal.modes() == before


@pytest.mark.parametrize("how", ["typed", "by itself alone"])
def test_an_agent_that_is_stopped_gives_way_to_the_shell(home: Path, talk: Path, how: str) -> None:
    alone = "kill -STOP $$;" if how != "typed" else "while [ ! -e on ]; do sleep 1; done;"
    agent(home, f"echo BEGUN; {alone} echo AGAIN; read -r word; echo HEARD $word")
    environment = surroundings(home, PS1="SHELL> ")
    with Terminal(SHELL, env=environment, cwd=home) as terminal:
        terminal.shows("SHELL>")
        terminal.type(" ".join(backscroll()) + "\r")
        terminal.shows("Hello there")
        terminal.type("r")
        terminal.shows("BEGUN")
        if how == "typed":
            terminal.type("\x1a")
        terminal.shows("Stopped", "SHELL>")
        (talk.parents[4] / "on").touch()
        terminal.type("echo I am the $((1 + 1))nd\r")
        terminal.shows("I am the 2nd")
        terminal.type("fg\r")
        terminal.shows("AGAIN")
        terminal.type("word\r")
        terminal.sends(b"HEARD word")
        back(terminal, after=b"HEARD word")
        left_for_the_shell(terminal)


def test_a_stopped_agent_is_not_brought_back_behind(home: Path, talk: Path) -> None:
    """`bg` gives the job no terminal: it waits for `fg`."""
    # No loop of a shell's: one that is stopped while it starts a program never stops itself.
    waits = (
        "import os, time; print('BEGUN', flush=True)\n"
        "while not os.path.exists('on'): time.sleep(0.05)\n"
        "print('HEARD', input(), flush=True)\n"
    )
    agent(home, f"exec {shlex.quote(sys.executable)} -c {shlex.quote(waits)}")
    with Terminal(SHELL, env=surroundings(home, PS1="SHELL> "), cwd=home) as terminal:
        terminal.shows("SHELL>")
        terminal.type(" ".join(backscroll()) + "\r")
        terminal.shows("Hello there")
        terminal.type("r")
        terminal.shows("BEGUN")
        terminal.type("\x1a")
        terminal.shows("Stopped")
        terminal.type("bg\r")
        (talk.parents[4] / "on").touch()
        time.sleep(0.5)
        terminal.type("echo still $((1 + 1))\r")
        terminal.shows("still 2")
        terminal.type("fg\r")
        time.sleep(0.3)
        terminal.type("word\r")
        terminal.sends(b"HEARD word")
        back(terminal, after=b"HEARD word")
        left_for_the_shell(terminal)


def test_where_there_is_no_shell_a_stop_is_nothing(home: Path, talk: Path) -> None:
    agent(home, "echo BEGUN; kill -STOP $$; read -r word; echo HEARD $word")
    with browser(home) as terminal:
        terminal.shows("Hello there")
        terminal.type("r")
        terminal.shows("BEGUN")
        terminal.type("\x1a")
        terminal.type("word\r")
        terminal.sends(b"HEARD word")
        back(terminal, after=b"HEARD word")
        left(terminal)


def test_a_size_that_changed_meanwhile(home: Path, talk: Path) -> None:
    agent(home, "echo BEGUN; read -r word; stty size; printf ENDED")
    with browser(home) as terminal:
        terminal.shows("Hello there")
        terminal.type("r")
        terminal.shows("BEGUN")
        terminal.resize(80, 24)
        terminal.type("go\r")
        terminal.sends(b"\x1b[?1049h", after=b"ENDED")
        assert b"24 80" in terminal.sent
        terminal.waits(lambda: "? help" in terminal.screen.display[23])
        terminal.waits(lambda: "Hello there" not in terminal.text)  # one pane at a time
        terminal.resize(120, 40)
        terminal.shows("Hello there")
        left(terminal)


def test_a_terminal_that_is_closed_ends_both(home: Path, talk: Path) -> None:
    agent(home, "echo $$ > pid; echo BEGUN; while :; do sleep 0.1; done")
    with browser(home) as terminal:
        terminal.shows("Hello there")
        terminal.type("r")
        terminal.shows("BEGUN")
        pid = noted_pid(talk.parents[4] / "pid")
        terminal.close()
        terminal.ends(within=15)
        assert terminal.process.poll() is not None
        assert ends(pid)
    assert status_of(home) == "paused"


def test_one_that_does_not_mind_is_ended_after_a_while(home: Path, talk: Path) -> None:
    agent(home, "trap '' HUP; echo $$ > pid; echo BEGUN; while :; do sleep 0.1; done")
    with browser(home) as terminal:
        before = terminal.modes()
        terminal.shows("Hello there")
        terminal.type("r")
        terminal.shows("BEGUN")
        pid = noted_pid(talk.parents[4] / "pid")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.ends(within=15) == 0
        assert ends(pid)
        assert terminal.modes() == before
        assert terminal.sent.rfind(b"\x1b[?1049l") > terminal.sent.rfind(b"\x1b[?1049h")
    assert status_of(home) == "paused"


def status_of(home: Path) -> str:
    path = home / ".local" / "share" / "backscroll" / "backscroll.db"
    with closing(sqlite3.connect(path)) as db:
        (status,) = db.execute("SELECT status FROM session").fetchone()
    return str(status)


def test_ctrl_c_and_ctrl_backslash_are_the_agents_alone(home: Path, talk: Path) -> None:
    agent(
        home,
        "trap 'echo INTERRUPTED' INT; trap 'echo QUIT; exit 0' QUIT; echo BEGUN; "
        "while :; do sleep 0.05; done",
    )
    with browser(home) as terminal:
        terminal.shows("Hello there")
        terminal.type("r")
        terminal.shows("BEGUN")
        for _ in range(3):
            terminal.type("\x03")
            time.sleep(0.2)
        terminal.sends(b"INTERRUPTED")
        terminal.type("\x1c")
        terminal.sends(b"QUIT")
        back(terminal, after=b"QUIT")
        left(terminal)


def test_an_agent_that_needs_the_terminal_at_once_has_it(home: Path, talk: Path) -> None:
    """The first thing that it does is what a job in the background is stopped for."""
    agent(home, "stty -echo; read -r word; stty echo; echo HEARD $word")
    with browser(home) as terminal:
        for number in range(5):
            terminal.shows("Hello there")
            terminal.type("r")
            time.sleep(0.5)
            terminal.type(f"{number}\r")
            heard = f"HEARD {number}".encode()
            terminal.sends(heard)
            back(terminal, after=heard)
        left(terminal)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
def test_in_tmux(home: Path, talk: Path, tmp_path: Path) -> None:
    agent(home, "printf '\\033[?1049hAGENT'; read -r word; printf '\\033[?1049l'; exit 3")
    socket = str(tmp_path / "socket")
    environment = surroundings(home, PATH=f"{home / 'bin'}:{os.environ['PATH']}")
    argv = ["tmux", "-S", socket, "-f", "/dev/null", "new-session", " ".join(backscroll())]
    with Terminal(argv, env=environment, cwd=home) as terminal:
        terminal.shows("Hello there")
        terminal.type("r")
        terminal.shows("AGENT")
        assert "Hello there" not in terminal.text
        terminal.type("word\r")
        terminal.shows("claude ended with exit status 3", "Hello there")
        terminal.type("q")
        assert terminal.ends() == 0
