"""The colours: themes of our own, and every theme's made to be read.

A theme names a dozen colours and Textual derives the rest, some of them too faint on the grounds
that they are drawn on here. They are moved towards black or white until they stand out: by 4.5 to
1, and in the themes of high contrast by 7 to 1 (WCAG 2.2, levels AA and AAA). The themes that use
the terminal's own colours are left alone: nobody knows what those are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from textual.color import BLACK, WHITE, Color
from textual.theme import Theme

DARK, LIGHT = "textual-dark", "backscroll-light"
OF_TERMINAL = ("ansi-dark", "ansi-light")  # made of the terminal's own colours
ENOUGH, HIGH = 4.5, 7.0
OFF = {ENOUGH: 3.0, HIGH: 4.5}
"""How far what cannot act now stands out: less than what can, and still to be read."""
PROMPT = 0.12  # how much of the primary colour is in the ground of a prompt

_OF_ANSI = {
    "pane-border": "ansi_bright_black",
    "match-foreground": "ansi_black",
    "match-background": "ansi_yellow",
}
_STEPS = 40
_TEXTS = ("primary", "secondary", "accent", "success", "warning", "error")

OWN_THEMES = (
    Theme(
        name=LIGHT,
        primary="#0b5cad",
        secondary="#004578",
        accent="#8a3f9d",
        warning="#8a5300",
        error="#b3203f",
        success="#18703a",
        foreground="#1c1c1c",
        background="#ffffff",
        surface="#fafafa",
        panel="#e9ecf0",
        dark=False,
    ),
    Theme(
        name="backscroll-contrast-dark",
        primary="#6cb8ff",
        secondary="#6cb8ff",
        accent="#ff9cf5",
        warning="#ffd75f",
        error="#ff9a9a",
        success="#7dff9b",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#1c1c1c",
        variables={
            "block-cursor-background": "#ffffff",
            "block-cursor-foreground": "#000000",
            "block-cursor-blurred-background": "#3a3a3a",
            "block-cursor-blurred-foreground": "#ffffff",
            "input-selection-background": "#ffffff",
            "input-selection-foreground": "#000000",
            "scrollbar": "#b0b0b0",
            "scrollbar-hover": "#ffffff",
            "scrollbar-active": "#ffffff",
        },
    ),
    Theme(
        name="backscroll-contrast-light",
        primary="#003a80",
        secondary="#003a80",
        accent="#6b006b",
        warning="#6b3a00",
        error="#8f0018",
        success="#00501e",
        foreground="#000000",
        background="#ffffff",
        surface="#ffffff",
        panel="#ededed",
        dark=False,
        variables={
            "block-cursor-background": "#000000",
            "block-cursor-foreground": "#ffffff",
            "block-cursor-blurred-background": "#cfcfcf",
            "block-cursor-blurred-foreground": "#000000",
            "input-selection-background": "#000000",
            "input-selection-foreground": "#ffffff",
            "scrollbar": "#505050",
            "scrollbar-hover": "#000000",
            "scrollbar-active": "#000000",
        },
    ),
)


def contrast(one: Color, other: Color) -> float:
    """Give the contrast ratio of two opaque colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def suggested(colours: str, *, is_plain: bool) -> str:
    """Give the theme for a terminal that nothing was chosen for.

    `colours` is what some terminals say in COLORFGBG: the numbers of their colours, that of the
    ground last, of which 7 and those from 9 on are light. One that `is_plain` has sixteen colours,
    or is to have none: it keeps its own.
    """
    ground = colours.rpartition(";")[2]
    is_light = ground.isdecimal() and int(ground) in (7, *range(9, 16))
    return (OF_TERMINAL if is_plain else (DARK, LIGHT))[is_light]


def legible(variables: Mapping[str, str], theme: Theme) -> dict[str, str]:
    """Give a theme's variables with every colour that text is drawn in made to stand out."""
    if theme.ansi:
        return {**variables, **_OF_ANSI}
    ratio = HIGH if theme.name.startswith("backscroll-contrast") else ENOUGH
    read = {name: _color(variables[name]) for name in ("surface", "panel", "primary")}
    prompt = read["surface"].blend(read["primary"], PROMPT, alpha=1)
    # Textual tints the line that one types in.
    tint = _color(variables["foreground"])
    tinted = [read[name].blend(tint, 0.05, alpha=1) for name in ("surface", "panel")]
    grounds = (read["surface"], read["panel"], prompt, *tinted)
    foreground = _out(_color(variables["foreground"]), grounds, ratio)
    muted = _out(foreground.blend(read["surface"], 0.35, alpha=1), grounds, ratio).hex
    disabled = foreground.blend(read["surface"], 0.6, alpha=1)
    texts = {f"text-{name}": _color(variables[f"text-{name}"]) for name in _TEXTS}
    legible = {
        **variables,
        **{name: _out(color, grounds, ratio).hex for name, color in texts.items()},
        "foreground": foreground.hex,
        "text-muted": muted,
        "text-disabled": _out(disabled, grounds, OFF[ratio]).hex,
        "match-background": variables["warning"],
        "match-foreground": variables["background"],
        "pane-border": _out(read["panel"], [read["surface"]], 3 if ratio == HIGH else 1.5).hex,
    }
    cursors = ("block-cursor", "block-cursor-blurred", "input-selection", "match")
    return legible | {
        name: value
        for cursor in cursors
        for name, value in _cursor(legible, cursor, read["surface"], ratio).items()
    }


def _cursor(
    variables: Mapping[str, str], name: str, surface: Color, ratio: float
) -> dict[str, str]:
    """Give the colours of what is selected, moving its ground rather than its text."""
    given = _color(variables[f"{name}-background"])
    ground = surface.blend(given, given.a, alpha=1)
    text = variables.get(f"{name}-foreground", "auto")
    color = ground.get_contrast_text(1) if text.startswith("auto") else _color(text)
    towards = BLACK if color.brightness > 0.5 else WHITE
    for step in range(_STEPS + 1):
        moved = ground.blend(towards, step / _STEPS, alpha=1)
        if contrast(color, moved) >= ratio:
            break
    return {f"{name}-foreground": color.hex, f"{name}-background": moved.hex}


def _color(text: str) -> Color:
    """Read a colour as a theme writes it: `#rrggbb`, a name, perhaps how much of it there is."""
    color, _space, percent = text.partition(" ")
    read = Color.parse(color)
    return read.with_alpha(float(percent.rstrip("%")) / 100) if percent else read


def _out(color: Color, grounds: Iterable[Color], ratio: float) -> Color:
    """Move a colour towards black or white until it stands out from every ground."""
    grounds = tuple(grounds)
    towards = max((BLACK, WHITE), key=lambda end: min(contrast(end, ground) for ground in grounds))
    for step in range(_STEPS + 1):
        moved = color.blend(towards, step / _STEPS, alpha=1)
        if all(contrast(moved, ground) >= ratio for ground in grounds):
            return moved
    return towards


def _luminance(color: Color) -> float:
    red, green, blue = (_linear(part / 255) for part in color.rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
