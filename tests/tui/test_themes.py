"""Colours: everything can be read in every theme, and told apart where there is none."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.style import Style
from textual.color import Color
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES, Theme

import store
from store import Kind, Role, Store
from store.demo import fill
from tests.screenshots import WHEN, at
from tests.tui.people import browsing, press, settle
from tests.tui.terminal import Terminal, backscroll, surroundings
from tui.themes import (
    DARK,
    ENOUGH,
    HIGH,
    LIGHT,
    OF_TERMINAL,
    OFF,
    OWN_THEMES,
    PROMPT,
    contrast,
    legible,
    suggested,
)

THEMES = {theme.name: theme for theme in (*BUILTIN_THEMES.values(), *OWN_THEMES)}
CONTRAST = ("backscroll-contrast-dark", "backscroll-contrast-light")

# What is looked at: the keys that lead there, and what of the screen belongs to it.
VIEWS = {
    "browse": ("", ()),
    "reading": ("", ("enter", "K", "K", "t", "t")),
    "rewound": ("", ("escape", "down", "enter", "T")),
    "search": ("", ("escape", "slash", *"retry")),
    "a hit": ("", ("enter", "enter")),
    "query": ("", ("escape", "escape", "slash")),
    "completion": ("", tuple("agent:c")),
    "help": ("VerticalScroll", ("escape", "escape", "question_mark")),
    "rename": ("Vertical", ("escape", "e")),
    "palette": ("#--container", ("escape", "ctrl+p")),
    "notice": ("", ("escape", "y", "c")),
}


def pieces(pilot: Pilot[None], within: str) -> Iterator[tuple[str, Style]]:
    """Give every text on the screen, or in a widget of it, with its style."""
    screen = pilot.app.screen
    box = screen.query_one(within).region if within else screen.region
    strips = screen._compositor.render_strips(screen.size)
    for strip in strips[box.y : box.bottom]:
        for text, style, _control in strip.crop(box.x, box.right):
            if style is not None:
                yield text, style


def says_something(text: str) -> bool:
    """Leave out blanks, borders, and the picture of a magnifying glass in the palette."""
    return any(not char.isspace() and not "\u2500" <= char <= "\u259f" for char in text) and (
        "🔎" not in text
    )


def color_of(style: Style) -> Color | None:
    return Color.from_rich_color(style.color) if style.color is not None else None


def ratio(style: Style) -> float:
    assert style.color is not None
    assert style.bgcolor is not None
    colors = [Color.from_rich_color(color) for color in (style.color, style.bgcolor)]
    return contrast(colors[0], colors[1])


@pytest.mark.parametrize(
    ("theme", "least"),
    [(DARK, ENOUGH), (LIGHT, ENOUGH), *((name, HIGH) for name in CONTRAST)],
)
async def test_every_text_stands_out(
    theme: str, least: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))  # without its agent, a session's keys are greyed
    with at(WHEN):
        async with store.open_store(":memory:") as s:
            await fill(s, WHEN)
            async with browsing(s, here=Path("/home/ada"), notifications=True) as pilot:
                pilot.app.theme = theme
                await settle(pilot)
                off = Color.parse(pilot.app.theme_variables["text-disabled"])
                greyed = [text for text, style in pieces(pilot, "") if color_of(style) == off]
                assert greyed == ["r resume", "f fork"]
                faint = []
                for name, (within, keys) in VIEWS.items():
                    await press(pilot, *keys)
                    for text, style in pieces(pilot, within):
                        needed = OFF[least] if text in greyed else least
                        if says_something(text) and ratio(style) < needed:
                            faint.append((name, text, style, round(ratio(style), 2)))
                assert faint == []
                assert pilot.app.screen.query("Toast"), "the last view had a notice"


@pytest.mark.parametrize("theme", THEMES.values(), ids=THEMES.keys())
def test_the_colours_of_text_stand_out_in_every_theme(theme: Theme) -> None:
    given = theme.to_color_system().generate() | theme.variables
    variables = legible(given, theme)
    if theme.ansi:
        assert variables.items() >= given.items()
        return
    colors = {name: Color.parse(variables[name]) for name in ("surface", "panel", "primary")}
    prompt = colors["surface"].blend(colors["primary"], PROMPT, alpha=1)
    least = HIGH if theme.name in CONTRAST else ENOUGH
    names = ("primary", "secondary", "accent", "success", "warning", "error", "muted", "disabled")
    for name in ("foreground", *(f"text-{name}" for name in names)):
        needed = OFF[least] if name == "text-disabled" else least
        for ground in (colors["surface"], colors["panel"], prompt):
            assert contrast(Color.parse(variables[name]), ground) >= needed, name
    for name in ("block-cursor", "block-cursor-blurred", "input-selection", "match"):
        text, ground = (
            Color.parse(variables[f"{name}-{of}"]) for of in ("foreground", "background")
        )
        assert contrast(text, ground) >= least, name


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(Color.parse("#fff"), Color.parse("#000")) == 21
    assert round(contrast(Color.parse("#777"), Color.parse("#fff")), 2) == 4.48


@pytest.mark.parametrize("theme", OF_TERMINAL)
async def test_nothing_vanishes_in_the_terminals_own_colours(seeded: Store, theme: str) -> None:
    async with browsing(seeded) as pilot:
        pilot.app.theme = theme
        await settle(pilot)
        for within, keys in (("", ()), ("", ("enter", "t", "t")), ("", ("escape", "slash", "x"))):
            await press(pilot, *keys)
            for text, style in pieces(pilot, within):
                if says_something(text) and style.color is not None:
                    assert style.color.is_default or style.color != style.bgcolor, text


@pytest.mark.parametrize(
    ("colours", "is_plain", "theme"),
    [
        ("", False, DARK),
        ("15;0", False, DARK),
        ("0;15", False, LIGHT),
        ("0;default;7", False, LIGHT),
        ("default;default", False, DARK),
        ("12;8", False, DARK),
        ("0;15", True, "ansi-light"),
        ("", True, "ansi-dark"),
    ],
)
def test_the_first_theme_is_that_of_the_terminal(colours: str, is_plain: bool, theme: str) -> None:
    assert suggested(colours, is_plain=is_plain) == theme


# Without colour


@pytest.fixture
async def mixed(seeded: Store) -> Store:
    """The first task has a call that failed, and an edit."""
    edit = json.dumps({"file_path": "a.py", "old_string": "one\ntwo", "new_string": "one\nthree"})
    call = {"kind": Kind.TOOL_CALL, "tool_name": "Edit"}
    await seeded.save_message("bug", Role.ASSISTANT, edit, **call)
    await seeded.save_message("bug", "tool", "no such file", kind="tool_result", is_error=True)
    await seeded.save_message("bug", "assistant", "It *failed*.")
    return seeded


@pytest.mark.parametrize("theme", [*OF_TERMINAL, DARK, LIGHT])
async def test_everything_is_told_apart_without_colour(
    mixed: Store, monkeypatch: pytest.MonkeyPatch, theme: str
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with browsing(mixed) as pilot:
        assert pilot.app.theme == "ansi-dark", "the terminal keeps its own two colours"
        pilot.app.theme = theme
        await settle(pilot)

        def look(of: str, within: str = "#tasks") -> Style:
            found = [style for text, style in pieces(pilot, within) if of in text]
            return replace_ground(found[0])

        assert all(is_grey(style) for _text, style in pieces(pilot, ""))
        assert look("Fix retry storm") != look("Cache the index"), "what is selected"
        focused = look("Fix retry storm")
        assert any("━" in text for text, _style in pieces(pilot, "")), "the pane with the focus"
        await press(pilot, "enter", "t", "t")
        assert look("Fix retry storm") not in (focused, look("Cache the index")), "not focused"
        shown = list(pieces(pilot, ""))
        assert look("Mend it.", "#history") != look("Mended.", "#history"), "a prompt and an answer"
        words = [text.strip() for text, _style in shown]
        assert "error" in words
        assert {"-", "two"} <= set(words)
        assert {"+", "three"} <= set(words)
        assert all(is_grey(style) for _text, style in shown)
        await press(pilot, "escape", "slash", *"backoff", "enter")
        found = [style for text, style in pieces(pilot, "#history") if text == "backoff"]
        around = [style for text, style in pieces(pilot, "#history") if text.startswith("No")]
        assert found
        assert found[0] != around[0], "what was searched for"


def replace_ground(style: Style) -> Style:
    """Give what is left of a style where backgrounds are not seen."""
    return Style(bold=style.bold, underline=style.underline, reverse=style.reverse, dim=style.dim)


def is_grey(style: Style) -> bool:
    return all(
        color is None or color.is_default or len(set(color.get_truecolor())) == 1
        for color in (style.color, style.bgcolor)
    )


# In a terminal


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


def test_a_chosen_theme_is_there_the_next_day(home: Path) -> None:
    command = backscroll("--database", str(home / "x.db"))
    settings = home / ".config" / "backscroll" / "settings.json"
    with Terminal(command, env=surroundings(home), cwd=home) as terminal:
        terminal.shows("No sessions yet")
        terminal.type("\x10")
        terminal.shows("Search for commands")
        terminal.type("theme")
        terminal.shows("Change the colours")
        terminal.type("\x1b[B\r")
        terminal.shows("Search for themes")
        terminal.type("contrast-light")
        terminal.shows("backscroll-contrast-light")
        terminal.quiet()
        terminal.type("\r")
        terminal.quiet()
        terminal.type("q")
        assert terminal.ends() == 0
    assert json.loads(settings.read_text())["theme"] == "backscroll-contrast-light"
    with Terminal(command, env=surroundings(home), cwd=home) as terminal:
        terminal.shows("No sessions yet")
        assert b"48;2;255;255;255m" in terminal.sent
    settings.write_text('{"theme": "of-yesterday"}')
    with Terminal(command, env=surroundings(home), cwd=home) as terminal:
        terminal.shows("There is no theme of-yesterday any more")


COLOURS = re.compile(rb"\x1b\[(?:[0-9;]*;)?(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;[0-9;]*)?m")


def test_no_colour_reaches_a_terminal_that_is_to_have_none(home: Path) -> None:
    env = surroundings(home, NO_COLOR="1")
    with Terminal(backscroll("--demo"), env=env, cwd=home) as terminal:
        terminal.shows("Fix retry storm in uploader", "86 messages")
        terminal.type("\rtt")
        terminal.shows("tools full")
        terminal.type("?")
        terminal.shows("esc closes")
        assert COLOURS.findall(terminal.sent) == []
        assert b"\x1b[1;7" in terminal.sent or b";7" in terminal.sent


@pytest.mark.parametrize("kind", ["xterm", "vt100", "linux", "screen", "xterm-16color", "nonsense"])
def test_a_terminal_of_sixteen_colours_keeps_its_own(home: Path, kind: str) -> None:
    env = surroundings(home, TERM=kind)
    del env["COLORTERM"]
    with Terminal(backscroll("--demo"), env=env, cwd=home, columns=80, lines=24) as terminal:
        terminal.shows("Fix retry storm in uploader")
        terminal.type("\r")
        terminal.shows("86 messages")
        assert b"38;2;" not in terminal.sent
        assert b"38;5;" not in terminal.sent
        terminal.type("q")
        assert terminal.ends() == 0


def test_a_terminal_of_256_colours_gets_no_others(home: Path) -> None:
    env = surroundings(home, TERM="xterm-256color")
    del env["COLORTERM"]
    with Terminal(backscroll("--demo"), env=env, cwd=home) as terminal:
        terminal.shows("Fix retry storm in uploader")
        assert b"38;5;" in terminal.sent
        assert b"38;2;" not in terminal.sent


def test_a_terminal_that_nothing_can_be_drawn_on_is_told_so(home: Path) -> None:
    with Terminal(backscroll(), env=surroundings(home, TERM="dumb"), cwd=home) as terminal:
        terminal.shows("nothing can be drawn on this terminal (TERM=dumb)")
        assert terminal.ends() == 1
