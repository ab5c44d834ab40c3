"""What the README says is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from store import Store
from tui.commands import COMMANDS, Group, markdown_table
from tui.screens.browse import Browse

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def test_the_key_table_is_the_table_of_commands() -> None:
    between = README.split("<!-- keys: python -m tui.commands -->\n")[1].split("<!-- /keys -->")[0]
    assert between.strip() == markdown_table(), "paste what `python -m tui.commands` prints"


def test_every_bound_command_has_its_action_and_no_key_means_two_things_in_one_place() -> None:
    bound = [command for command in COMMANDS if command.is_bound]
    assert all(hasattr(Browse, f"action_{command.id}") for command in bound)
    everywhere = [key for command in bound for key in command.keys]
    assert len(everywhere) == len(set(everywhere))
    for group in Group:  # a key of a pane is that of the screen nowhere, and of one thing there
        own = [command for command in COMMANDS if not command.is_bound and command.group is group]
        keys = [key for command in own for key in command.keys]
        assert len(keys) == len(set(keys))
        assert not set(keys) & set(everywhere)


def test_the_program_of_ten_lines_runs(tmp_path: Path) -> None:
    program = re.findall(r"```python\n(.*?)```", README, re.DOTALL)[0]
    assert len([line for line in program.splitlines() if line.strip()]) <= 11
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "1 user Why the storm?\n2 assistant There is no backoff.\n"


def test_the_table_of_calls_is_the_protocol() -> None:
    table = README.split("| what | calls |")[1].split("\n\n")[0]
    named = set(re.findall(r"`(\w+)`", table))
    calls = {name for name in vars(Store) if not name.startswith("_")}
    assert named == calls


def test_every_place_it_names_is_there() -> None:
    table = README.split("| where | what |")[1]
    for group in re.findall(r"^\| (`[^|]*`) \|", table, re.MULTILINE):
        folder = ""
        for name in re.findall(r"`([^`]+)`", group):
            path = name if "/" in name else f"{folder}/{name}"
            folder = path.rstrip("/").rpartition("/")[0]
            assert (ROOT / path).exists(), path
    for picture in re.findall(r"\]\((screenshots/[^)]+)\)", README):
        assert (ROOT / picture).exists()
