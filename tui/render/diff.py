"""Diffs: what an edit changes, line by line, and how a diff looks.

A sign in the gutter says what was added and removed, with colour or without. Where the theme
gives those lines a ground of their own, their code has its own colours on it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style

from tui.render.code import Roles, colour, hang_of, language_of_file, spans_of
from tui.render.look import Look, on_ground
from tui.render.wrap import Row

AROUND = 3  # lines shown before and after a change
_MOST_COMPARED = 20_000  # lines before times lines after, over the edits of a call

_BEGINS = re.compile(
    r"^(?:diff --git |\*\*\* Begin Patch|@@ -\d+(?:,\d+)? \+\d|--- \S.*\n\+\+\+ \S)", re.MULTILINE
)
_FILE = re.compile(r"(?:\+\+\+ |\*\*\* (?:Update|Add|Delete) File: |diff --git .* )(?:b/)?(.+)")
_HEAD = re.compile(r"diff --git |index [0-9a-f]+\.\.|\*\*\* |(?:new|deleted) file mode |rename ")
_BOLD = Style(bold=True)


def is_diff(text: str) -> bool:
    """Say whether a text is a diff, or leads to one soon."""
    return _BEGINS.search(text, 0, 4_096) is not None


def compare(edits: Iterable[tuple[str, str]]) -> Iterator[list[str]]:
    """Give what each edit changes as a diff: lines after a `+`, a `-` or a space.

    What is alike far from any change is left out, and counted.
    """
    left = _MOST_COMPARED
    for before, after in edits:
        old, new = before.split("\n"), after.split("\n")
        start, end = _alike(old, new)
        changed = old[start : len(old) - end], new[start : len(new) - end]
        left -= len(changed[0]) * len(changed[1])
        yield [
            *_around([f" {line}" for line in old[:start]], first=True),
            *(_compared(*changed) if left >= 0 else _replaced(*changed)),
            *_around([f" {line}" for line in old[len(old) - end :]], last=True),
        ]


def _compared(old: list[str], new: list[str]) -> Iterator[str]:
    from difflib import SequenceMatcher

    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from _around([f" {line}" for line in old[i:j]])
        else:
            yield from _replaced(old[i:j], new[k:m])


def _replaced(old: list[str], new: list[str]) -> Iterator[str]:
    yield from (f"-{line}" for line in old)
    yield from (f"+{line}" for line in new)


def count(lines: Sequence[str]) -> tuple[int, int]:
    """Count the lines that a diff adds and removes."""
    return sum(line[:1] == "+" for line in lines), sum(line[:1] == "-" for line in lines)


@dataclass(frozen=True, slots=True)
class Within:
    """Where in a diff a text begins: in a file of some language; among changed lines or before.

    `is_made` says that there are changed lines only, as `compare` gives them, and no heads.
    """

    language: str = ""
    in_hunk: bool = False
    is_made: bool = False

    @classmethod
    def after(cls, text: str) -> Within:
        """Say where the rest of a diff begins."""
        hunk = max(text.rfind("\n@@"), text.rfind("\n*** "), 0 if text[:2] == "@@" else -1)
        head = text.rfind("\n+++ ")
        file = max(head, text.rfind("\n*** Update File: "), text.rfind("\n*** Add File: ")) + 1
        match = _FILE.match(text, file)  # to the end of its line
        in_hunk = hunk > text.rfind("\ndiff --git ")
        return cls(language_of_file(match[1]) if match else "", in_hunk)


def diff_rows(lines: Sequence[str], look: Look, style: Style, within: Within) -> list[Row]:
    """Give the lines of a diff as they are shown."""
    return list(_Reader(look, style, within).rows(lines))


def _alike(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """Count the lines that two texts have in common at their start and at their end."""
    most = min(len(old), len(new))
    start = end = 0
    while start < most and old[start] == new[start]:
        start += 1
    while end < most - start and old[-1 - end] == new[-1 - end]:
        end += 1
    return start, end


def _around(lines: list[str], *, first: bool = False, last: bool = False) -> list[str]:
    """Give the lines between two changes, or what is near to one."""
    head, tail = 0 if first else AROUND, 0 if last else AROUND
    left = len(lines) - head - tail
    if left < 2:
        return lines
    return [*lines[:head], f"⋮ {left:,} lines alike", *lines[len(lines) - tail :]]


def _is_head(line: str, following: str, before: Sequence[str]) -> bool:
    """Say whether a line is about a file, not of it."""
    if line.startswith("--- "):
        return following.startswith("+++ ")
    if line.startswith("+++ "):
        return "".join(before).startswith("--- ")
    return _HEAD.match(line) is not None


class _Reader:
    """Reads a diff, hunk by hunk."""

    def __init__(self, look: Look, style: Style, within: Within) -> None:
        self.look = look
        self.style = style
        self.language = within.language
        self.in_hunk = within.in_hunk or within.is_made
        self.is_made = within.is_made
        self.hunk: list[str] = []

    def rows(self, lines: Sequence[str]) -> Iterator[Row]:
        note = on_ground(self.look.note, self.style)
        for number, line in enumerate(lines):
            following = lines[number + 1] if number + 1 < len(lines) else ""
            if not self.is_made and _is_head(line, following, lines[number - 1 : number]):
                yield from self._flush()
                self._enter(line)
                yield Row(line, self.style + _BOLD, hang=2)
            elif line.startswith("@@") and not self.is_made:
                yield from self._flush()
                self.in_hunk = True
                yield Row(line, note, hang=2)
            elif self.in_hunk and (line[:1] in ("+", "-", " ") or not line):
                self.hunk.append(line)
            else:
                yield from self._flush()
                yield Row(line, note if self.in_hunk else self.style, hang=2)
        yield from self._flush()

    def _enter(self, head: str) -> None:
        """Remember the file that a head is about."""
        if (file := _FILE.match(head)) is not None:
            self.language = language_of_file(file[1])
        self.in_hunk = head.startswith("*** ") and not head.startswith("*** End")

    def _flush(self) -> Iterator[Row]:
        """Give the lines of a hunk; its code is read as it was before and as it was after."""
        signs = [line[:1] or " " for line in self.hunk]
        texts = [line[1:] for line in self.hunk]
        self.hunk = []
        colours: list[Roles] = [[] for _ in texts]
        if self.language:
            for side in ("-", "+ ") if "+" in signs else ("- ",):
                at = [number for number, sign in enumerate(signs) if sign in side]
                found = colour([texts[number] for number in at], self.language)
                for number, roles in zip(at, found, strict=True):
                    colours[number] = roles
        for sign, text, roles in zip(signs, texts, colours, strict=True):
            yield self._row(sign, text, roles)

    def _row(self, sign: str, text: str, roles: Roles) -> Row:
        mark = {"+": self.look.added, "-": self.look.removed}.get(sign, self.style)
        lead, follow = [Segment(f"{sign} ", mark)], [Segment("  ", mark)]
        if sign == " ":
            spans = spans_of(roles, self.look, self.style)
            return Row(text, self.style, spans, hang_of(text), lead, follow)
        if mark.bgcolor is None or mark.bgcolor == self.style.bgcolor:
            # Its colour alone says what it is: no other may hide that.
            return Row(text, mark, (), hang_of(text), lead, follow)
        ground = on_ground(self.look.text, mark)
        spans = spans_of(roles, self.look, ground)
        return Row(text, ground, spans, hang_of(text), lead, follow, ground)
