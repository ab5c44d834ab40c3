"""What is sent to a terminal so that every cell is where it was laid out, however it counts.

A terminal that gives a character other cells than the layout did (see `tui.render.cells`) moves
everything that follows on the line: borders stand askew, and cells that nobody draws keep what
was in them. So what is unsettled is drawn between two marks. The cursor's place is saved, the
cells are blanked, the text is drawn, the place is restored and the cursor sent past the cells.

A picture is drawn so by itself. Text of other scripts would lose letters that way, where a
terminal gives it more cells than it has here: it flows freely up to blanks that are wide enough
to take what it may need more. Where there are none, each cluster keeps to its cells.

Text that is read from the right is sent in the order in which it is spoken. Terminals that
reorder it do so for a whole row, from pane to pane, and borders between two such texts would
change places: a mark that is read from the left goes before and after each of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from tui.render.cells import (
    HELD,
    clusters,
    is_held,
    is_letter,
    is_picture,
    is_settled,
    surely,
    with_selector,
)

_PILED = 4  # characters of a cluster from which on they are piled up rather than written
_SAVE, _RESTORE = "\x1b7", "\x1b8"
_LEFT_TO_RIGHT = "\u200e"

_STYLE = "\x1b\\[[0-9;:]*m|\x1b\\]8;[^\x1b]*\x1b\\\\"
# A part of a line: text and styles, without anything that moves the cursor.
_LINE = re.compile(f"(?:[^\x1b\n]|{_STYLE})+")
_TOKEN = re.compile(f"(?P<style>(?:{_STYLE})+)|{_LEFT_TO_RIGHT}|[^\x1b{_LEFT_TO_RIGHT}]+")

_DRAWN = "\u2500-\u259f"
_FROM_RIGHT = "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\U00010800-\U00010fff\U0001e800-\U0001efff]"
# What is read from the right, up to a border, two blanks, or a blank that was styled by itself.
_PHRASE = re.compile(
    f"{_FROM_RIGHT}(?:(?:(?:{_STYLE})(?! (?:{_STYLE}))|(?! (?:{_STYLE})* )[^\x1b{_DRAWN}])*"
    f"{_FROM_RIGHT})?"
)


class _Kind(Enum):
    STYLE = 1  # changes how the following looks
    BLANK = 2
    PLAIN = 3  # settled
    DRAWN = 4  # a line or a box: part of the picture, and never moved
    PICTURE = 5
    SHAPED = 6  # any other cluster that is unsettled
    MARK = 7  # nothing to be seen


_MERGED = (_Kind.BLANK, _Kind.PLAIN, _Kind.DRAWN)
_AFTER_WORDS = (_Kind.BLANK, _Kind.DRAWN)


class _Atom(NamedTuple):
    text: str
    kind: _Kind
    cells: int = 0
    most: int = 0


class _End(NamedTuple):
    """Where a word ends, and the blanks after it; what may be needed more up to there."""

    at: int
    after: int
    room: int
    need: int


def settled(data: str) -> str:
    """Give text, styles and moves of the cursor with everything unsettled kept to its cells."""
    return _LINE.sub(lambda match: _settled_line(match.group()), data)


@lru_cache(maxsize=1024)
def _settled_line(line: str) -> str:
    if is_settled(line):
        return line
    atoms = _atoms(line)
    ends = _ends(atoms)
    left = sum(atom.cells for atom in atoms)
    out: list[str] = []
    need = at = held = 0  # clusters before `held` keep to their cells
    while at < len(atoms):
        atom = atoms[at]
        end: _End | None = None
        if atom.kind is _Kind.SHAPED and at >= held:
            end = _flow(atoms, at, ends, need)
            held = at if end else next(end.at for end in ends if end.at > at)
        after = end.after if end else at + 1
        left -= sum(atom.cells for atom in atoms[at:after])
        need += sum(atom.most - atom.cells for atom in atoms[at:after])
        if end is not None:
            out.append(_flowing(atoms[at : end.at], atoms[end.at : after]))
        elif atom.kind in (_Kind.PICTURE, _Kind.SHAPED):
            out.append(_pinned(atom, left))
        elif atom.kind is _Kind.MARK:
            out.append(f"{_SAVE}{atom.text}{_RESTORE}")
        else:
            out.append(atom.text)
        at = after
    return "".join(out)


def _ends(atoms: Sequence[_Atom]) -> list[_End]:
    """Find where words end: before blanks, before drawn lines, and with the line."""
    ends: list[_End] = []
    at = need = 0
    for index, atom in enumerate(atoms):
        if index >= at and atom.kind in _AFTER_WORDS:
            at, room = index, 0
            while at < len(atoms) and atoms[at].kind in (_Kind.BLANK, _Kind.STYLE):
                room += atoms[at].cells
                at += 1
            if at < len(atoms) and atoms[at].kind is not _Kind.DRAWN:
                room = max(0, room - 1)  # a blank remains between words
            ends.append(_End(index, at, room, need))
        need += atom.most - atom.cells
    return [*ends, _End(len(atoms), len(atoms), 0, need)]


def _flow(atoms: Sequence[_Atom], start: int, ends: Sequence[_End], need: int) -> _End | None:
    """Say where text may flow to: the first blanks that have room for it.

    `need` is what the text before it may take more than its cells. Drawn lines are never moved.
    """
    for end in ends:
        if end.at > start:
            if end.need - need <= end.room:
                return end if end.need > need else end._replace(after=end.at)
            if end.at < len(atoms) and atoms[end.at].kind is _Kind.DRAWN:
                break
    return None


def _flowing(text: Sequence[_Atom], blanks: Sequence[_Atom]) -> str:
    cells = sum(atom.cells for atom in text)
    room = sum(atom.cells for atom in blanks)
    drawn = "".join(_drawn(atom) for atom in text)
    styles = "".join(atom.text for atom in (*text, *blanks) if atom.kind is _Kind.STYLE)
    behind = "".join(atom.text for atom in blanks)
    blank = f"{_SAVE}{' ' * cells}{behind}{_RESTORE}"
    return f"{blank}{_SAVE}{drawn}{_RESTORE}{_past(cells + room)}{styles}"


def _pinned(atom: _Atom, left: int) -> str:
    """Draw a cluster within its cells. What it takes more is hidden by the cells left after it."""
    is_sure = atom.most - atom.cells <= left
    text = _drawn(atom) if is_sure else surely(atom.text, atom.cells)
    if not atom.cells:
        return f"{_SAVE}{text}{_RESTORE}" if text else ""
    return f"{_SAVE}{' ' * atom.cells}{_RESTORE}{_SAVE}{text}{_RESTORE}{_past(atom.cells)}"


def _past(cells: int) -> str:
    return f"\x1b[{cells}C" if cells else ""


def _drawn(atom: _Atom) -> str:
    """Give an emoji its selector back, whose cell was held for it."""
    is_selected = atom.kind is _Kind.PICTURE and atom.text.endswith(HELD)
    return with_selector(atom.text) if is_selected else atom.text


def _atoms(line: str) -> list[_Atom]:
    atoms: list[_Atom] = []
    for token in _TOKEN.finditer(_PHRASE.sub(_isolated, line)):
        if token["style"]:
            atoms.append(_Atom(token["style"], _Kind.STYLE))
            continue
        for atom in _of_text(token.group()):
            if atoms and atom.kind in _MERGED and atoms[-1].kind is atom.kind:
                before = atoms.pop()
                cells = before.cells + atom.cells
                atoms.append(_Atom(before.text + atom.text, atom.kind, cells, cells))
            else:
                atoms.append(atom)
    return atoms


def _isolated(phrase: re.Match[str]) -> str:
    return f"{_LEFT_TO_RIGHT}{phrase.group()}{_LEFT_TO_RIGHT}"


def _of_text(text: str) -> Iterator[_Atom]:
    spans = clusters(text)
    skipped = False
    for index, (start, end, cells, most) in enumerate(spans):
        cluster = text[start:end]
        following = text[end : spans[index + 1][1]] if end < len(text) else ""
        if skipped:
            skipped = False
        elif following == HELD and is_held(cluster):
            yield _Atom(cluster + following, _Kind.PICTURE, 2, 2)
            skipped = True
        elif is_letter(cluster) and is_letter(following):
            yield _Atom(cluster + following, _Kind.PICTURE, 2 * cells, 2 * most)
            skipped = True
        elif len(cluster) > 1 and _kind(cluster[0]) is _Kind.DRAWN:  # marks stray on to a border
            yield _Atom(cluster[0], _Kind.DRAWN, cells, cells)
            yield _Atom(cluster[1:], _Kind.SHAPED, 0, most - cells)
        elif len(cluster) > _PILED and most == cells:  # which some draw beside each other
            yield _Atom(cluster, _Kind.PICTURE, cells, most)
        else:
            yield _Atom(cluster, _kind(cluster), cells, most)


@lru_cache(maxsize=4096)
def _kind(cluster: str) -> _Kind:
    if cluster == _LEFT_TO_RIGHT:
        return _Kind.MARK
    if cluster == " ":
        return _Kind.BLANK
    if "\u2500" <= cluster <= "\u259f":
        return _Kind.DRAWN
    if is_picture(cluster):
        return _Kind.PICTURE
    return _Kind.PLAIN if is_settled(cluster) else _Kind.SHAPED
