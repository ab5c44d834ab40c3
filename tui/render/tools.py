"""What a tool call says: the one argument that tells it apart, and its arguments in full."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from tui.render.diff import Within

# Arguments that say what a call is about, the most telling first, over all agents' tools.
_TELLING = (
    "command",
    "cmd",
    "file_path",
    "notebook_path",
    "path",
    "pattern",
    "query",
    "url",
    "description",
    "prompt",
    "question",
    "skill",
    "subject",
    "title",
    "name",
)
_LONGEST = 2_000
_DEEPEST = 8  # of values that are written over several lines
_LONG_VALUE = 60  # a longer list is written over several lines

# The arguments of the agents' tools that name a file, hold its text, replace some of it by
# other text, are read by a shell or by people.
_PATHS = ("file_path", "path", "notebook_path", "filename", "file")
_CODE = frozenset(("content", "contents", "file_text", "new_source", "source", "code", "text"))
_REPLACED = (("old_string", "new_string"), ("old_str", "new_str"), ("oldText", "newText"))
_EDITED = frozenset((*(name for pair in _REPLACED for name in pair), "edits"))
_PATCH = "*** Begin Patch"
_FILES = re.compile(r"^\*\*\* (?:Update|Add|Delete) File: (.+)$", re.MULTILINE)
_COMMANDS = frozenset(("command", "cmd", "script"))
_PROSE = frozenset(("plan", "prompt", "message"))

# A call longer than this is shown as it was written: reading its JSON would cost a frame.
LONGEST_READ = 65_536


def arguments(content: str) -> Mapping[str, Any] | None:
    """Give a call's arguments, None when they are not a JSON object or too long to read."""
    if len(content) > LONGEST_READ or not content.lstrip().startswith("{"):
        return None
    try:
        return cast("dict[str, Any]", json.loads(content))
    except (ValueError, RecursionError):  # damaged, numbers too large, nested too deeply
        return None


def telling(content: str) -> str:
    """Give the argument that says what a call is about, else the arguments as they are."""
    read = arguments(content)
    if files := _FILES.findall(_patch(content, read)):
        return ", ".join(files)[:_LONGEST]
    if read is None:
        return content[:_LONGEST]
    for name in _TELLING:
        if value := read.get(name):
            return _words(value)[:_LONGEST]
    return content[:_LONGEST] if read else ""


def change(content: str) -> tuple[int, int] | None:
    """Count the lines that an edit adds and removes, None for a call that is no edit."""
    from tui.render.diff import compare, count

    read = arguments(content)
    if patch := _patch(content, read):
        return count(patch.split("\n"))
    edits = _edits(read) if read else ()
    if not edits:
        return None
    counts = list(map(count, compare(edits)))
    return sum(added for added, _ in counts), sum(removed for _, removed in counts)


class Region(NamedTuple):
    """A stretch of a text that is to be read in one way, up to where the next one begins.

    Plain text, code in a language, or a diff: `within` says where in it the stretch begins.
    """

    start: int
    language: str = ""
    within: Within | None = None

    def further(self, before: str) -> Region:
        """Give the region for what comes after some of its text."""
        if self.within is None or self.within.is_made or not before:
            return self
        return self._replace(within=self.within.after(before))


PLAIN = Region(0)


def read_as(text: str) -> Region:
    """Say how to read a text of which nothing is known: as a diff, if it is one."""
    from tui.render.diff import Within, is_diff

    return Region(0, within=Within()) if is_diff(text) else PLAIN


class Detail(NamedTuple):
    """A text for reading, and what stands where in it."""

    text: str
    regions: tuple[Region, ...] = (PLAIN,)


def detail(content: str) -> Detail:
    """Give a call's arguments for reading: a line each, texts as they are, edits as diffs."""
    read = arguments(content)
    if read is None:
        return Detail(content, (read_as(content),))
    return _Writer(read).write()


class _Writer:
    """Writes the arguments of a call."""

    def __init__(self, read: Mapping[str, Any]) -> None:
        from tui.render.code import language_of_file

        self.read = read
        self.language = language_of_file(_path(read))
        self.parts: list[str] = []
        self.regions = [PLAIN]
        self.size = 0

    def write(self) -> Detail:
        from tui.render.diff import Within, compare

        edits = _edits(self.read)
        for name, value in self.read.items():
            if not edits or name not in _EDITED:
                self._argument(name, value)
        for number, lines in enumerate(compare(edits), 1):
            if len(edits) > 1:
                self._add(f"change {number} of {len(edits)}:", PLAIN)
            within = Within(self.language, is_made=True)
            self._add("\n".join(lines), Region(0, within=within))
        return Detail("\n".join(self.parts), tuple(self.regions))

    def _argument(self, name: str, value: object) -> None:
        language = ""
        if isinstance(value, str):
            text = value
        elif isinstance(value, dict) or len(text := _words(value)) > _LONG_VALUE:
            text, language = _laid_out(value), "json"
        if "\n" not in text:
            self._add(f"{name}: {text}", PLAIN)
            return
        self._add(f"{name}:", PLAIN)
        region = read_as(text)
        if region.within is None:
            region = Region(0, language or self._language(name))
        self._add(text, region)

    def _language(self, name: str) -> str:
        if name in _COMMANDS:
            return "bash"
        if name in _PROSE:
            return "markdown"
        return self.language if name in _CODE else ""

    def _add(self, text: str, region: Region) -> None:
        if region[1:] != self.regions[-1][1:]:
            self.regions.append(region._replace(start=self.size))
        self.parts.append(text)
        self.size += len(text) + 1


def _laid_out(value: object) -> str:
    """Give JSON over several lines, but on one when it is so deep that lines are of no use."""
    indent = 2 if _depth(value, _DEEPEST) < _DEEPEST else None
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _depth(value: object, most: int) -> int:
    """Say how deep a value is within itself, up to a most."""
    inner = value.values() if isinstance(value, dict) else value
    if not most or not isinstance(value, dict | list):
        return 0
    return 1 + max((_depth(one, most - 1) for one in cast("Any", inner)), default=0)


def _patch(content: str, read: Mapping[str, Any] | None) -> str:
    """Give the patch that a call applies, in whatever it is wrapped; "" when it is no patch."""
    if _PATCH not in content:
        return ""
    if read is None:
        return content[:LONGEST_READ] if content.lstrip().startswith(_PATCH) else ""
    texts = (text for value in read.values() for text in _texts(value))
    return next((text for text in texts if _PATCH in text), "")


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [text for text in values if isinstance(text, str)]


def _path(read: Mapping[str, Any]) -> str:
    return next((str(read[name]) for name in _PATHS if isinstance(read.get(name), str)), "")


def _edits(read: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Give what a call replaces by what, in the order of its edits; nothing if it is no edit."""
    several = read.get("edits")
    edits = several if isinstance(several, list) else [read]
    found = []
    for edit in edits:
        for old, new in _REPLACED if isinstance(edit, dict) else ():
            before, after = edit.get(old), edit.get(new)
            if isinstance(before, str) and isinstance(after, str):
                found.append((before, after))
                break
        else:
            return []  # one that is not understood: all are shown as they are
    return found


def _words(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        words = cast("list[str]", value)
        # ["bash", "-lc", "the command"]: the shell around it says nothing.
        return words[2] if len(words) == 3 and words[1] in ("-c", "-lc") else " ".join(words)
    return json.dumps(value, ensure_ascii=False)
