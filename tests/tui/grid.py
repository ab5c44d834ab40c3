"""Terminals that count cells in their own ways: small models of those that people use."""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping

_TOKEN = re.compile(
    "\x1b\\[(?P<arguments>[<=>?0-9;:$]*)(?P<final>[@-~])"
    "|\x1b\\](?:[^\x07\x1b]|\x1b[^\\\\])*(?:\x07|\x1b\\\\)|\x1b(?P<escape>[^\\[\\]])|(?P<control>[\x00-\x1f])|(?P<char>[^\x00-\x1f])"
)


class Counting(ABC):
    """How a terminal counts: what joins the cell before, and how many cells a cluster has."""

    @abstractmethod
    def joins(self, cluster: str, char: str) -> bool:
        """Say whether a character goes into the cell of the cluster before it."""

    @abstractmethod
    def cells(self, cluster: str) -> int:
        """Count the cells of a cluster; nothing is drawn of one that has none."""


def _is_wide(char: str) -> bool:
    is_assigned = unicodedata.category(char) != "Cn"  # of others Python 3.11 says that they are
    return is_assigned and unicodedata.east_asian_width(char) in "WF"


def _is_picture(char: str) -> bool:
    return 0x1F000 <= ord(char) <= 0x1FAFF


class PerCharacter(Counting):
    """As the C library counts: every character by itself, marks in none, unknown ones dropped."""

    def joins(self, cluster: str, char: str) -> bool:
        is_jamo = "\u1160" <= char <= "\u11ff"
        return is_jamo or unicodedata.category(char) in ("Mn", "Me", "Cf")

    def cells(self, cluster: str) -> int:
        if unicodedata.category(cluster[0]) == "Cn":
            return 0
        return 2 if _is_wide(cluster[0]) else 1


class Clusters(PerCharacter):
    """As terminals with mode 2027 count: one cluster is one thing, of two cells at most."""

    def joins(self, cluster: str, char: str) -> bool:
        if super().joins(cluster, char) or unicodedata.category(char) == "Mc":
            return True
        if _is_flag_letter(char):
            return len(cluster) == 1 and _is_flag_letter(cluster)
        is_conjunct = unicodedata.combining(cluster[-1]) == 9 and char.isalpha()
        return (
            cluster[-1] == "\u200d" or is_conjunct or char in "\u0e33\u0eb3\uff9e\uff9f🏻🏼🏽🏾🏿"
        )

    def cells(self, cluster: str) -> int:
        if "\ufe0f" in cluster or _is_flag_letter(cluster[0]):
            return 2
        return 2 if _is_wide(cluster[0]) or _is_picture(cluster[0]) else 1


class BeforeEmoji(PerCharacter):
    """As terminals counted before there were emoji: none of them is wide, all are drawn."""

    def cells(self, cluster: str) -> int:
        is_emoji = "\u231a" <= cluster[0] <= "\u2bff" or _is_picture(cluster[0])
        return 2 if _is_wide(cluster[0]) and not is_emoji else 1


class WithoutMarks(Counting):
    """As a console counts that draws marks, joiners and selectors in cells of their own."""

    def joins(self, cluster: str, char: str) -> bool:
        return False

    def cells(self, cluster: str) -> int:
        return 2 if _is_wide(cluster) else 1


class Widest(PerCharacter):
    """As the terminals of tomorrow may count: everything that can be wide is."""

    def cells(self, cluster: str) -> int:
        char = cluster[0]
        may_be_wide = _is_picture(char) or (unicodedata.category(char) == "Cn" and char > "\uffff")
        return 2 if "\ufe0f" in cluster or may_be_wide or _is_wide(char) else 1


COUNTINGS: Mapping[str, Counting] = {
    "per character": PerCharacter(),
    "clusters": Clusters(),
    "before emoji": BeforeEmoji(),
    "without marks": WithoutMarks(),
    "widest": Widest(),
}


def _is_flag_letter(char: str) -> bool:
    return 0x1F1E6 <= ord(char[0]) <= 0x1F1FF


class Grid:
    """The cells of a terminal that is fed with what a program writes.

    A wide character's second cell holds the empty text. Whoever overwrites one half of a wide
    character blanks the other. The cursor stays in the last column: nothing wraps.
    """

    def __init__(self, counting: Counting, columns: int, lines: int) -> None:
        self.counting = counting
        self.columns = columns
        self.lines = lines
        self.cells = [[" "] * columns for _ in range(lines)]
        self._x = self._y = 0
        self._saved = (0, 0)
        self._cluster: tuple[int, str] | None = None  # where, as long as nothing moved the cursor

    def feed(self, data: str) -> None:
        """Take what was written."""
        for token in _TOKEN.finditer(data):
            if char := token["char"]:
                self._put(char)
            elif token["final"] != "m":
                self._cluster = None
                self._obey(token)

    def resize(self, columns: int, lines: int) -> None:
        """Take another size, and keep what fits."""
        old, kept = self.cells, min(columns, self.columns)
        self.cells = [[" "] * columns for _ in range(lines)]
        for row, before in zip(self.cells, old, strict=False):
            row[:kept] = before[:kept]
        self.columns, self.lines = columns, lines

    def rows(self) -> list[str]:
        """Give the screen, a string for each row."""
        return ["".join(row) for row in self.cells]

    def _obey(self, token: re.Match[str]) -> None:
        numbers = [int(n) if n.isdigit() else 0 for n in (token["arguments"] or "").split(";")]
        if token["final"] == "H":
            row, column = (*numbers, 1)[:2]
            self._x, self._y = max(column, 1) - 1, max(row, 1) - 1
        elif token["final"] == "C":
            self._x = min(self.columns - 1, self._x + max(1, numbers[0]))
        elif token["escape"] == "7":
            self._saved = (self._x, self._y)
        elif token["escape"] == "8":
            self._x, self._y = self._saved
        elif token["control"] == "\n":
            self._y += 1
        elif token["control"] == "\r":
            self._x = 0

    def _put(self, char: str) -> None:
        if not 0 <= self._y < self.lines:
            return
        if self._cluster is not None and self.counting.joins(self._cluster[1], char):
            at, cluster = self._cluster[0], self._cluster[1] + char
        elif self.counting.joins(" ", char):
            if self._x:  # a mark without a letter goes into the cell before
                self.cells[self._y][self._x - 1] += char
            return
        else:
            at, cluster = self._x, char
        cells = self.counting.cells(cluster)
        if cells:
            self._write(at, cluster, cells)
            self._x = max(self._x, min(self.columns - 1, at + cells))
            self._cluster = (at, cluster)

    def _write(self, at: int, cluster: str, cells: int) -> None:
        row = self.cells[self._y]
        if at + cells > self.columns:
            at = self.columns - cells
        for x in range(at, at + cells):
            self._blank(row, x)
        row[at] = cluster
        row[at + 1 : at + cells] = [""] * (cells - 1)

    def _blank(self, row: list[str], x: int) -> None:
        """Blank a cell and, where it is half of a wide character, the other half."""
        if row[x] == "" and x:
            row[x - 1] = " "
        if x + 1 < self.columns and row[x + 1] == "":
            row[x + 1] = " "
        row[x] = " "
