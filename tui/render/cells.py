"""How many cells a character takes, and which characters terminals do not agree about.

A screen is laid out with the widths of `rich`. Terminals count otherwise: one joins an emoji
family into two cells, another draws eight; a vowel sign of Hindi has a cell of its own here and
none there; an emoji of this year is dropped by a terminal of last year. What all of them agree
about is `SETTLED`, and most text is that. For the rest there are

- `simple`, which shows a cluster by the part that every terminal knows, in the same cells;
- `most_cells`, the room that text may need anywhere, for whoever breaks or cuts lines;
- `tui.settle`, which draws what is still unsettled so that what follows stays in its place.

Characters that East Asian fonts draw wide, "ambiguous" ones, are taken to be narrow: the borders
of every pane are made of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from rich.cells import cell_len, split_graphemes
from rich.segment import Segment

# Characters of one cell or two that every terminal of the last ten years counts alike: assigned
# long ago, the same in all of Unicode's width tables from 9.0 to 17.0, joined with nothing.
# Scripts that are shaped, marks, whatever is read from the right, and emoji are not among them.
SETTLED = (
    "\x00-\x7e\xa0-\xac\xae-\u02ff\u0370-\u0377\u037a-\u037f\u0384-\u038a\u038c\u038e-\u03a1"
    "\u03a3-\u0482\u048a-\u052f\u0531-\u0556\u0559-\u055f\u0561-\u0587\u10a0-\u10c5\u10d0-\u10fb"
    "\u1e00-\u1e9b\u1ea0-\u1ef9\u2000-\u2007\u2009\u200a\u2010-\u2027\u202f-\u205e\u2070\u2071\u2074-\u208e"
    "\u20a0-\u20be\u2100-\u2188\u2190-\u2319\u231c-\u23e8\u23ed-\u23ef\u23f1\u23f2\u23f4-\u23fa"
    "\u2400-\u2426\u2440-\u244a\u2460-\u25fc\u25ff-\u2613\u2616-\u262f\u2638-\u2647\u2654-\u267e"
    "\u2680-\u2689\u2690-\u2692\u2694-\u26a0\u26a2-\u26a9\u26ac-\u26bc\u26bf-\u26c3\u26c6-\u26cd"
    "\u26cf-\u26d3\u26d5-\u26e9\u26eb-\u26f1\u26f4\u26f6-\u26f9\u26fb\u26fc\u26fe-\u2704"
    "\u2706-\u2709\u270c-\u2727\u2729-\u274b\u274d\u274f-\u2752\u2756\u2758-\u2794\u2798-\u27af"
    "\u27b1-\u27be\u27c0-\u2b1a\u2b1d-\u2b4f\u2e80-\u2e99\u2e9b-\u2ef3\u2f00-\u2fd5\u2ff0-\u2ffb"
    "\u3000-\u3029\u3030-\u303e\u3041-\u3096\u309b-\u30ff\u3105-\u312d\u3131-\u3163\u3165-\u318e\u3190-\u31ba"
    "\u31c0-\u31e3\u31f0-\u321e\u3220-\u3247\u3250-\u32fe\u3300-\u4db5\u4e00-\u9fcc"
    "\ua000-\ua48c\ua490-\ua4c6\uac00-\ud7a3\uf900-\ufa6d\ufe30-\ufe52\ufe54-\ufe66\uff01-\uff9d"
    "\uffa1-\uffbe\uffe0-\uffe6\uffe8-\uffee\ufffc\ufffd\U0001d400-\U0001d454\U0001d552-\U0001d6a3"
    "\U0001d6a8-\U0001d7c9\U00020000-\U0002a6d6\U0002f800-\U0002fa1d"
)
# What nearly every screen is made of: `SETTLED` takes 3 ms to compile.
_PLAIN = re.compile(
    "[^\x00-\x7e\xa0-\xac\xae-\u02ff\u2010-\u2027\u2190-\u21ff\u2440-\u244a\u2500-\u25fc\u2713\u271d]"
)

# Emoji and other pictures: one cluster is one thing, and nothing beside it changes its shape.
PICTURES = (
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2630-\u2637\u2648-\u2653\u267f"
    "\u268a-\u268f\u2693\u26a1\u26aa\u26ab\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3"
    "\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0"
    "\u27bf\u2b1b\u2b1c\u2b50\u2b55\u4dc0-\u4dff\U0001f000-\U0001faff"
)
_LETTER_A = 0x1F1E6  # of the letters that flags are spelled in, which are pictures only in pairs

# A blank that holds the second cell of a sign with an emoji selector. See `simple`.
HELD = "\u2008"

_CHANGES_CLUSTERS = re.compile(
    "[\u0300-\u036f\u1100-\u11ff\u1dc0-\u1dff\u200d\u20d0-\u20ff\u3099\u309a\ufe0f"
    "\U0001f3fb-\U0001f3ff]"
)
_MOST_MARKS = 6  # on one letter: text that is piled up higher only covers other lines
_MARKS = (
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u0610-\u061a\u064b-\u065f\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u20d0-\u20ff\u3099\u309a\ufe20-\ufe2f]"
)

# The regular expressions below are compiled by whoever first needs them: most never do.
_PICTURE = f"[{PICTURES}]"
_JOINED_PICTURE = f"\u200d[\u2190-\u2bff{PICTURES}][\ufe0f\U0001f3fb-\U0001f3ff]*"
_SKIN_OR_SELECTOR = "[\ufe0f\U0001f3fb-\U0001f3ff]"
_PILED = f"({_MARKS}{{{_MOST_MARKS}}}){_MARKS}+"
_UNSETTLED = f"[^{SETTLED}]"


def is_settled(text: str) -> bool:
    """Say whether every terminal gives a text the same cells."""
    return _PLAIN.search(text) is None or re.search(_UNSETTLED, text) is None


def most_cells(text: str) -> int:
    """Say how many cells a text takes at most, whatever the terminal."""
    if text.isascii():
        return len(text)
    if is_settled(text):
        return cell_len(text)
    return sum(most for _start, _end, _cells, most in clusters(text))


def clusters(text: str) -> list[tuple[int, int, int, int]]:
    """Divide a text: where each cluster begins and ends, its cells here, and its cells at most."""
    spans = split_graphemes(text)[0]
    if is_settled(text):
        return [(start, end, cells, cells) for start, end, cells in spans]
    return [(start, end, cells, _most(text[start:end], cells)) for start, end, cells in spans]


def unpiled(text: str) -> str:
    """Give a text without the marks that nobody can see any more, above or below the others."""
    return text if is_settled(text) else re.sub(_PILED, r"\1", text)


def without_tabs(text: str, size: int) -> str:
    """Give lines of text with blanks up to the next multiple of `size` cells for each tab."""
    if "\t" not in text or text.isascii():
        return text.expandtabs(size)
    return "\n".join(_without_tabs(line, size) for line in text.split("\n"))


def whole(text: str, lo: int, hi: int) -> tuple[str, int, int]:
    """Give the clusters that have one of some cells, from `lo` to before `hi`, and all their cells.

    `hi` is greater than `lo`.
    """
    if text.isascii():
        return text[lo:hi], lo, hi
    chosen: list[str] = []
    at = 0
    for start, end, cells in split_graphemes(text)[0]:
        if at < hi and at + max(1, cells) > lo:
            lo, hi = min(lo, at), max(hi, at + cells)
            chosen.append(text[start:end])
        at += cells
    return "".join(chosen), lo, hi


def simple(text: str) -> str:
    """Give a text of the same cells whose clusters can be cut anywhere and are known everywhere.

    Emoji are shown by their first picture and without a skin colour, an emoji selector by the
    cell that it adds, letters with their marks, and Korean syllables, by one character if there is
    one. Nothing else changes.
    """
    if text.isascii() or _CHANGES_CLUSTERS.search(text) is None:
        return text
    spans = split_graphemes(text)[0]
    return "".join(_simple(text[start:end], cells) for start, end, cells in spans)


def simple_segments(segments: Iterable[Segment]) -> list[Segment]:
    """Give the segments of a line with simple text: they can be cut, and styled in parts."""
    return [
        segment if segment.text.isascii() else Segment(simple(segment.text), *segment[1:])
        for segment in segments
    ]


def is_picture(cluster: str) -> bool:
    """Say whether a cluster is an emoji or the like."""
    return re.match(_PICTURE, cluster) is not None


def is_letter(cluster: str) -> bool:
    """Say whether a cluster spells a flag together with another like it."""
    return len(cluster) == 1 and _LETTER_A <= ord(cluster) < _LETTER_A + 26


def is_held(cluster: str) -> bool:
    """Say whether a blank that follows a sign can be the cell that its emoji selector adds."""
    return cell_len(f"{cluster[0]}\ufe0f") == cell_len(cluster) + 1


def with_selector(text: str) -> str:
    """Give a sign whose cell is held its selector."""
    return f"{text[0]}\ufe0f{text[1:-1]}"


def surely(text: str, cells: int) -> str:
    """Give what of a cluster or flag no terminal draws wider than its cells."""
    if is_letter(text[0]):
        return "".join(chr(ord(char) - _LETTER_A + ord("A")) for char in text)
    kept = "".join(char for char in text if not _is_added(char))
    return kept if kept and _most(kept, cells) <= cells else "?"[:cells]


def _without_tabs(line: str, size: int) -> str:
    *parts, last = line.split("\t")
    cells = [cell_len(part) for part in parts]
    blanks = (" " * (size - count % size) for count in cells)
    return "".join(part + blank for part, blank in zip(parts, blanks, strict=True)) + last


@lru_cache(maxsize=4096)
def _simple(cluster: str, cells: int) -> str:
    shown = re.sub(_SKIN_OR_SELECTOR, "", re.sub(_JOINED_PICTURE, "", cluster))
    if len(shown) > 1:
        shown = unpiled(unicodedata.normalize("NFC", shown))
    left = cells - cell_len(shown)
    return shown + HELD * left if left >= 0 and shown else cluster


@lru_cache(maxsize=4096)
def _most(cluster: str, cells: int) -> int:
    if is_settled(cluster):
        return cells
    cluster = _simple(cluster, cells)
    if HELD in cluster:
        return cells
    return max(cells, sum(map(_most_of, cluster)))


def _most_of(char: str) -> int:
    category = unicodedata.category(char)
    if category in ("Mn", "Me", "Cf"):
        return 0
    if category == "Mc":
        return 1
    if is_letter(char) or re.match(_PICTURE, char):
        return 2
    return 2 if category == "Cn" and ord(char) > 0xFFFF else cell_len(char)


def _is_added(char: str) -> bool:
    return unicodedata.category(char) == "Mc" or char == "\u200d"
