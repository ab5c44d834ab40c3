"""The sheet that shows how an agent would be started, and lets all of it be changed before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Button, Input, Label, Static

from store.errors import ResumeError
from store.resume import Command
from store.resume.manual import (
    Manual,
    completions,
    line_of,
    mode_of,
    model_of,
    variables_line,
    variables_of,
    with_base,
    with_mode,
    with_model,
    words_of,
)
from store.resume.windows import Kind
from store.text import printable
from tui.suggesting import Folders, Words
from tui.widgets.pick import Choice, Pick

_AS_CONFIGURED = "as configured"
_NO, _YES = "no", "yes"
_MOST_HINTS = 6


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be started, and where it is to open."""

    command: Command
    kind: Kind = Kind.HERE


@dataclass(frozen=True, slots=True)
class Offer:
    """What the sheet shows: the commands that resume and that fork, and what can be chosen.

    `remarks` are what a person should know, printable; `models` are names to complete.
    """

    title: str
    plain: Command
    forked: Command
    manual: Manual
    kinds: Sequence[Kind] = (Kind.HERE,)
    remarks: Sequence[str] = ()
    models: Sequence[str] = ()


class ResumeSheet(ModalScreen[Chosen | None]):
    """Shows an offer and gives what was chosen, or None. Nothing that is chosen is remembered.

    The command line is what counts: choosing a mode or a model changes its words.
    """

    DEFAULT_CSS = """
    ResumeSheet {
        align: center middle;
        & > Vertical {
            width: 100;
            max-width: 98%;
            height: auto;
            max-height: 96%;
            padding: 1 2;
            background: $panel;
            border: round $primary;
            border-title-color: $text-primary;
            border-subtitle-color: $text-muted;
        }
        & .line { height: 1; }
        & Label { width: 13; color: $text-muted; }
        & Input { width: 1fr; background: $panel; &:focus { background: $boost; } }
        & Pick { width: 1fr; }
        & #hint { color: $text-muted; padding-left: 13; height: 1; }
        & #remarks { color: $text-warning; height: auto; max-height: 6; margin-top: 1; }
        & #wrong { color: $text-error; height: auto; }
        & #buttons { height: 1; margin-top: 1; }
        & Button { margin-right: 2; }
    }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Leave", show=False),
        Binding("enter", "start", "Start", show=False),
        Binding("down", "app.focus_next", "Next", show=False),
        Binding("up", "app.focus_previous", "Previous", show=False),
    ]
    AUTO_FOCUS = "#mode"

    def __init__(self, offer: Offer) -> None:
        super().__init__()
        self._offer = offer
        self._command = _short(offer.plain)
        self._wrong: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        """Lay out one line for each thing that can be chosen."""
        offer, manual, command = self._offer, self._offer.manual, self._command
        with Vertical() as sheet:
            sheet.border_title = Content(f"Resume {offer.title}")
            sheet.border_subtitle = "enter starts · tab goes on · ←→ chooses · esc leaves"
            yield from self._line("Command", _input("command", Words(self._completed)))
            yield Static(id="hint")
            yield from self._line("Mode", Pick(_modes(manual), id="mode"))
            if manual.model_option is not None:
                models = Words(lambda value: _first(value, self._models()))
                yield from self._line("Model", _input("model", models, hint=_AS_CONFIGURED))
            yield from self._line(
                "In a copy",
                Pick((Choice(_NO, "go on with the session"), Choice(_YES, "fork it")), id="fork"),
            )
            yield from self._line("Opens", Pick(_places(offer.kinds), id="kind"))
            yield from self._line("Folder", _input("cwd", Folders(), printable(command.cwd)))
            hint = "NAME=value, added to this one's"
            yield from self._line("Environment", _input("env", hint=hint))
            if offer.remarks or command.unset:
                with VerticalScroll(id="remarks"):
                    yield Static(Content("\n").join(map(Content, self._remarks())))
            yield Static(id="wrong")
            with Horizontal(id="buttons"):
                yield Button("Start (enter)", id="start", variant="primary", compact=True)
                yield Button("Leave (esc)", id="leave", compact=True)

    def _line(self, name: str, widget: Input | Pick) -> ComposeResult:
        with Horizontal(classes="line"):
            yield Label(name)
            yield widget

    def _remarks(self) -> list[str]:
        without = ", ".join(self._command.unset)
        return [*self._offer.remarks, *([f"Without the variable {without}."] if without else [])]

    def on_mount(self) -> None:
        """Show the command."""
        self._show()

    # From what is chosen to the command, and back

    def _show(self, *, but: str = "") -> None:
        """Show the command as it is now everywhere, but where it is being typed."""
        command, manual = self._command, self._offer.manual
        shown = {
            "command": printable(line_of(command.argv)),
            "env": printable(variables_line(command.env)),
            "model": model_of(command, manual) or "",
        }
        for name, value in shown.items():
            for line in self.query(f"#{name}").results(Input):
                if name != but and line.value != value:
                    with self.prevent(Input.Changed):
                        line.value = value
        mode = mode_of(command, manual)
        self.query_one("#mode", Pick).choose(mode.name if mode else _AS_CONFIGURED)
        forked = self._offer.forked.argv[1:]
        is_fork = command.argv[1 : len(forked) + 1] == forked
        self.query_one("#fork", Pick).choose(_YES if is_fork else _NO)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        name = event.input.id or ""
        if not event.input.has_focus:
            return  # it shows what was chosen elsewhere
        try:
            self._command = self._with(name, event.value)
            self._wrong.pop(name, None)
        except ResumeError as error:
            self._wrong[name] = f"{str(error)[:1].upper()}{str(error)[1:]}."
        self.query_one("#wrong", Static).update(Content(" ".join(self._wrong.values())))
        self._show(but=name)
        self._hint(event.value if name == "command" else "")

    def _with(self, name: str, value: str) -> Command:
        command = self._command
        if name == "command":
            words = words_of(value)
            if not words:
                raise ResumeError("there is no command")
            return replace(command, argv=words)
        if name == "env":
            return replace(command, env=variables_of(value))
        if name == "model":
            return with_model(command, self._offer.manual, value.strip())
        if name == "cwd":
            cwd = str(Path(value.strip()).expanduser()) if value.strip() else ""
            shown = printable(self._offer.plain.cwd)  # its own name may hold what is not shown
            return replace(command, cwd=self._offer.plain.cwd if value == shown else cwd)
        return command

    @on(Pick.Changed, "#mode")
    def _mode_chosen(self, event: Pick.Changed) -> None:
        manual, name = self._offer.manual, event.pick.value
        mode = None if name == _AS_CONFIGURED else manual.mode(name)
        self._command = with_mode(self._command, manual, mode)
        self._show()

    @on(Pick.Changed, "#fork")
    def _fork_chosen(self, event: Pick.Changed) -> None:
        plain, forked = self._offer.plain, self._offer.forked
        old, new = (plain, forked) if event.pick.value == _YES else (forked, plain)
        self._command = with_base(self._command, old, new)
        self._show()

    # Completing

    def _completed(self, value: str) -> str | None:
        found = self._completions(value)
        start = value.rpartition(" ")[2]
        return value.removesuffix(start) + found[0][0] if found else None

    def _completions(self, value: str) -> list[tuple[str, str]]:
        before, _, start = value.rpartition(" ")
        try:
            argv = words_of(before)
        except ResumeError:
            return []  # within quotes
        return completions(self._offer.manual, argv, start) if argv else []

    def _hint(self, value: str) -> None:
        found = self._completions(value)[:_MOST_HINTS]
        parts = [Content(word) for word, _ in found]
        if len(found) == 1:
            parts.append(Content(f"  {found[0][1]}"))
        self.query_one("#hint", Static).update(Content("  ").join(parts))

    def _models(self) -> Sequence[str]:
        option = self._offer.manual.model_option
        return (*(option.values if option else ()), *self._offer.models)

    # Ending

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Start, or leave."""
        if event.button.id == "start":
            self.action_start()
        else:
            self.action_leave()

    def on_input_submitted(self) -> None:
        """Start."""
        self.action_start()

    def action_start(self) -> None:
        """Give what was chosen, unless something in it cannot be read."""
        if not self._wrong:
            kind = Kind(self.query_one("#kind", Pick).value)
            self.dismiss(Chosen(_long(self._command, self._offer.plain), kind))

    def action_leave(self) -> None:
        """Give nothing."""
        self.dismiss(None)


def _input(name: str, suggester: Suggester | None = None, text: str = "", hint: str = "") -> Input:
    return Input(text, hint, suggester=suggester, id=name, compact=True, select_on_focus=False)


def _modes(manual: Manual) -> list[Choice]:
    asked = [Choice(mode.name, mode.help, mode.is_dangerous) for mode in manual.modes]
    return [Choice(_AS_CONFIGURED, "the agent's own settings decide"), *asked]


_PLACES = {
    Kind.HERE: "leaving it comes back",
    Kind.PANE: "beside this one",
    Kind.WINDOW: "in a window of its own",
    Kind.TAB: "in a tab of its own",
}


def _places(kinds: Sequence[Kind]) -> list[Choice]:
    return [Choice(kind, _PLACES[kind]) for kind in kinds]


def _first(value: str, words: Sequence[str]) -> str | None:
    return next((word for word in words if word.startswith(value)), None)


def _short(command: Command) -> Command:
    """Give the command with its program's name, as people write it."""
    return replace(command, argv=(Path(command.argv[0]).name, *command.argv[1:]))


def _long(command: Command, found: Command) -> Command:
    """Give the command with its program where it was found, if it is still that one."""
    if command.argv[0] != Path(found.argv[0]).name:
        return command
    return replace(command, argv=(found.argv[0], *command.argv[1:]))
