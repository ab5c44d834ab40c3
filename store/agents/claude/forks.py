"""Which session a Claude Code transcript goes on from, and what it copied from there.

A fork (`--fork-session`) is a file that begins with all records of its origin, the same but for
the session id, and does not say so. Before 2.0 going on with a session (`--resume`) wrote such a
file too, with new names and the time of resuming on every record: only the ids of the model's
answers are the same there.

Files that may have copied from each other are a family: those of one folder that begin with the
same record, or that were begun before 2.0 and share an id. Each is read once, for the names and
times of its records. Put in order, the first file that holds a record is the one that it was
written in: at the first record that two files do not share, the earlier one stands in the origin.
"""

from __future__ import annotations

import json
import re
import struct
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from store.agents.claude.facts import UUID, summary_of
from store.reading.files import head_of, open_regular
from store.reading.lines import Lines, Record
from store.reading.values import list_of, object_of, text_of
from store.text import storable
from store.times import parse_time

_HEAD = 65536
_ENVELOPE = frozenset({"uuid"})
_FIRST = b'"parentUuid":null'
_SUMMARY = b'"type":"summary"'
_VERSION = re.compile(rb'"version": ?"(\d+)\.')
_RESTAMPED = "restamped"  # the family of files whose copies have names of their own
_ENTRY = struct.Struct(">QQ")  # a record in a trace: its time, and a number for its name
_SIEVE_BITS = 22
_UNSIGNED = 2**64 - 1
_ID = re.compile(rb'"id": ?"([^"\\]{1,200})"')
_BLOCK = 1 << 20
_OVERLAP = 256  # longer than an id with its name


@dataclass(frozen=True, slots=True)
class Copied:
    """The names of the records that a file copied, as numbers."""

    marks: frozenset[int] = frozenset()

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.marks) and _mark(name) in self.marks


class Fork(NamedTuple):
    """Where a session goes on from, and the records that it copied from there."""

    session_id: str
    copied: Copied


@dataclass(slots=True)
class _File:
    """A transcript: its first record, which family it is of, and what was read of it so far.

    `ids` are numbers for the ids in it; the trace has its records in order of time.
    """

    path: str
    looks: tuple[int, int, int]
    first: str | None
    family: str | None
    ids: array[int] | None = None
    trace: bytes | None = None


@dataclass(slots=True)
class _Family:
    """Files in the order of their beginnings, and for every shared record the first to have it."""

    ranks: dict[str, int]
    files: list[_File]
    authors: dict[int, int]


@dataclass(slots=True)
class _Folder:
    changed: int
    files: dict[str, _File]
    summaries: dict[str, str]
    families: dict[str, _Family] = field(default_factory=dict)


class Forks:
    """Finds origins. Remembers the files of each folder that it looked into."""

    def __init__(self) -> None:
        self._folders: dict[str, _Folder] = {}

    def origin(self, path: Path) -> Fork | None:
        """Tell what a transcript goes on from; None when it begins by itself."""
        if not UUID.fullmatch(path.name.partition(".")[0]):
            return None
        folder = self._folder(path.parent)
        file = folder.files.get(str(path))
        if file is not None and file.first is None and file.looks != _look(path):
            folder.changed = -1  # it has begun since, which the folder does not tell
            folder = self._folder(path.parent)
            file = folder.files.get(str(path))
        if file is None or file.family is None:
            return None
        family = folder.families.get(file.family)
        if family is None:
            members = [one for one in folder.files.values() if one.family == file.family]
            if file.family == _RESTAMPED:
                members = _related(members)
            family = folder.families[file.family] = _family(members)
        return _origin(file, family)

    def summaries(self, folder: Path) -> Mapping[str, str]:
        """Give the titles that the files of a folder have for records, of whichever file."""
        known = self._folders.get(str(folder))
        return known.summaries if known is not None else {}

    def _folder(self, path: Path) -> _Folder:
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            changed = 0
        known = self._folders.get(str(path))
        if known is not None and known.changed == changed:
            return known
        before = known.files if known is not None else {}
        files: dict[str, _File] = {}
        summaries = known.summaries if known is not None else {}
        for name, looks in _transcripts(path):
            file = before.get(name)
            if file is None or file.looks != looks:
                first, family, found = _beginning(head_of(name, _HEAD))
                file = _File(name, looks, first, family)
                summaries |= found
            files[name] = file
        folder = self._folders[str(path)] = _Folder(changed, files, summaries)
        return folder


def _transcripts(folder: Path) -> Iterator[tuple[str, tuple[int, int, int]]]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.suffix == ".jsonl" and UUID.fullmatch(entry.stem):
            looks = _look(entry)
            if looks is not None:
                yield str(entry), looks


def _look(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def _beginning(head: bytes) -> tuple[str | None, str | None, dict[str, str]]:
    """Tell a file's first record and family from its head, and what titles it has for records."""
    first: str | None = None
    summaries: dict[str, str] = {}
    for line in head.split(b"\n"):
        packed = line[:200].replace(b" ", b"")
        if _SUMMARY in packed:
            record = _decoded(line)
            if title := summary_of(record):
                summaries[text_of(record.get("leafUuid"))] = storable(title)
        elif first is None and _FIRST in line.replace(b" ", b""):
            record = _decoded(line)
            if record.get("type") == "user" and record.get("isSidechain") is not True:
                first = text_of(record.get("uuid")) or None
    version = _VERSION.search(head)
    is_old = version is None or int(version[1]) < 2
    return first, (_RESTAMPED if is_old and head else first), summaries


def _decoded(line: bytes) -> Record:
    try:
        return object_of(json.loads(line))
    except (ValueError, RecursionError):
        return {}


def _related(files: list[_File]) -> list[_File]:
    """Give the files that share ids or the first record with another: few of the old ones do."""
    for file in files:
        if file.ids is None:
            file.ids = _ids_in(file.path)
    may_be_shared = _sieve(file.ids or () for file in files)
    holders = Counter(
        number
        for file in files
        for number in file.ids or ()
        if may_be_shared[number >> (64 - _SIEVE_BITS)] > 1
    )
    firsts = Counter(file.first for file in files if file.first is not None)
    return [
        file
        for file in files
        if (file.first is not None and firsts[file.first] > 1)
        or any(holders[number] > 1 for number in file.ids or ())
    ]


def _ids_in(path: str) -> array[int]:
    """Give numbers for all that is named `id` in a file, without decoding its records."""
    found: set[bytes] = set()
    rest = b""
    try:
        with open_regular(path) as file:
            while block := file.read(_BLOCK):
                found.update(_ID.findall(rest + block))
                rest = block[-_OVERLAP:]
    except OSError:
        pass
    return array("Q", (hash(name) & _UNSIGNED for name in found))


def _family(files: list[_File]) -> _Family:
    if len(files) < 2:
        return _Family({}, [], {})
    for file in files:
        if file.trace is None:
            file.trace = _trace(file.path, with_ids=file.family == _RESTAMPED)
    files.sort(key=lambda file: (file.trace or b"", file.path))
    may_be_shared = _sieve(map(_marks, files))
    authors: dict[int, int] = {}
    for rank, file in enumerate(files):
        for mark in _marks(file):
            if may_be_shared[mark >> (64 - _SIEVE_BITS)] > 1:
                authors.setdefault(mark, rank)
    return _Family({file.path: rank for rank, file in enumerate(files)}, files, authors)


def _sieve(files: Iterable[Iterable[int]]) -> bytearray:
    """Count numbers, up to two, by their beginning.

    Nearly all are in one file only: those need not be remembered one by one.
    """
    counts = bytearray(1 << _SIEVE_BITS)
    for numbers in files:
        for number in numbers:
            place = number >> (64 - _SIEVE_BITS)
            if counts[place] < 2:
                counts[place] += 1
    return counts


def _origin(file: _File, family: _Family) -> Fork | None:
    """Take the last begun of those whose records a file copied: it copied the others' too."""
    rank = family.ranks.get(file.path)
    if rank is None:
        return None
    authors = family.authors
    copied = {mark for mark in _marks(file) if authors.get(mark, rank) < rank}
    if not copied or len(copied) * _ENTRY.size == len(file.trace or b""):
        return None
    nearest = family.files[max(authors[mark] for mark in copied)]
    if file.family == _RESTAMPED:
        copied = _restamped(file.path, copied)
    return Fork(Path(nearest.path).stem, Copied(frozenset(copied)))


def _marks(file: _File) -> Iterator[int]:
    return (mark for _, mark in _ENTRY.iter_unpack(file.trace or b""))


def _mark(name: str) -> int:
    digest = blake2b(name.encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _trace(path: str, *, with_ids: bool) -> bytes:
    """Give the time and mark of every record of the conversation in a file, in order of time."""
    times: dict[int, int] = {}
    last = 0
    for record in _records(path):
        time = parse_time(record.get("timestamp"))
        if time is not None and time.timestamp() > 0:
            last = int(time.timestamp() * 1_000_000)
        times.setdefault(_mark(text_of(record["uuid"])), last)
        answer = _answer(record) if with_ids else ""
        if answer:
            times.setdefault(_mark(answer), last)
    entries = sorted(_ENTRY.pack(time, mark) for mark, time in times.items())
    return b"".join(entries)


def _records(path: str) -> Iterator[Record]:
    try:
        with open_regular(path) as file:
            for _, _, record in Lines(file, _ENVELOPE):
                if isinstance(record, dict) and text_of(record.get("uuid")):
                    yield record
    except OSError:
        return


def _answer(record: Record) -> str:
    """Name a part of a model's answer by what a copy keeps: the answer's id, and what it says."""
    message = object_of(record.get("message"))
    name = text_of(message.get("id"))
    if not name or record.get("type") != "assistant" or record.get("isSidechain") is True:
        return ""
    blocks = [object_of(block) for block in list_of(message.get("content"))]
    parts = [text_of(block.get("id")) or text_of(block.get("text")) for block in blocks]
    return "\0".join((name, *parts))


def _restamped(path: str, copied: set[int]) -> set[int]:
    """Give the marks of all records of a file up to the last answer that it copied.

    The results of the calls in that answer are part of it. Where the records kept their names,
    it is those that were copied.
    """
    marks: list[int] = []
    results: dict[int, set[str]] = {}
    calls: set[str] = set()
    end = 0
    for record in _records(path):
        mark = _mark(text_of(record["uuid"]))
        if mark in copied:
            return copied
        marks.append(mark)
        if _mark(_answer(record)) in copied:
            end = len(marks)
            calls |= _ids(record, "id")
        elif used := _ids(record, "tool_use_id"):
            results[mark] = used
    return {*marks[:end], *(mark for mark, used in results.items() if used <= calls)}


def _ids(record: Record, member: str) -> set[str]:
    blocks = list_of(object_of(record.get("message")).get("content"))
    return {name for block in blocks if (name := text_of(object_of(block).get(member)))}
