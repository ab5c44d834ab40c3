"""Where the folder of a project is now that it is not where it was.

A move that a person once told is followed; every other place is only offered.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from store.models import Place, Repository
from store.protocol import Store
from store.resume.checks import is_gone
from store.resume.repositories import address, is_same, repository_of, worktrees

_MOST_CANDIDATES = 8
_MOST_FOLDERS = 2000  # looked at
_MOST_CHILDREN = 500
_MOST_SECONDS = 1.5
_MOST_MOVES = 8
_AT_ONCE = 200  # repositories remembered in one transaction


@dataclass(frozen=True, slots=True)
class Candidate:
    """A folder that may be the one that was moved, and why."""

    folder: str
    why: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of folders: sessions' ones, moves, repositories by folder."""

    folders: Sequence[str] = ()
    places: Sequence[Place] = ()
    repositories: Mapping[str, Repository] = field(default_factory=dict)


async def known(store: Store) -> Known:
    """Ask the store for what it knows of folders."""
    return Known(
        await store.project_folders(),
        await store.places(),
        {one.folder: one for one in await store.repositories()},
    )


async def remember(store: Store, folders: Iterable[str] | None = None) -> None:
    """Remember by what the repositories of folders are known again.

    Without `folders` those of all sessions that were not looked at yet.
    """
    if folders is None:
        seen = {one.folder for one in await store.repositories()}
        folders = [folder for folder in await store.project_folders() if folder not in seen]
    found = await asyncio.to_thread(_looked_at, list(folders))
    for start in range(0, len(found), _AT_ONCE):
        await store.note_repositories(found[start : start + _AT_ONCE])


def _looked_at(folders: Sequence[str]) -> list[Repository]:
    real = (folder for folder in folders if Path(folder).is_absolute() and "\0" not in folder)
    seen = (repository_of(folder) for folder in islice(real, _MOST_FOLDERS))
    return [one for one in seen if one is not None]


def moved(folder: str, places: Sequence[Place]) -> str:
    """Give where a folder is now, by the moves that were told; itself when none leads anywhere.

    A folder that is there was not moved. Of several moves the one of the nearest folder counts.
    """
    at = folder
    for _ in range(_MOST_MOVES):
        if not is_gone(at):
            return at
        move = max(
            (place for place in places if _below(at, place.old) is not None),
            key=lambda place: len(place.old),
            default=None,
        )
        if move is None:
            break
        at = _joined(move.new, _below(at, move.old) or "")
    return folder


def project_move(old: str, new: str, repositories: Mapping[str, Repository]) -> tuple[str, str]:
    """Give the move of a whole project that the move of one of its folders tells of.

    When both end alike below the top of the old repository, that was moved as a whole.
    """
    seen = repositories.get(old)
    top = seen.top if seen is not None else ""
    below = _below(old, top) if top else None
    if below and (new == below or new.endswith(f"/{below}")):
        return top, new[: -len(below)].rstrip("/") or "/"
    return old, new


def candidates(folder: str, known: Known, remote: str = "") -> list[Candidate]:
    """Look for where a folder that is gone may be now, the likeliest first.

    `remote` is the address of its repository, where something else tells that. Only names are
    looked at, and git's own files; it takes no longer than a second or two.
    """
    search = _Search(folder, known, remote)
    found: dict[str, Candidate] = {}
    for look in search.looks():
        for one in look():
            place = os.path.realpath(one.folder)
            if place not in found and place != folder:
                found[place] = one
            if len(found) >= _MOST_CANDIDATES:
                return list(found.values())
    return list(found.values())


class _Search:
    """One search, with what it may still look at."""

    def __init__(self, folder: str, known: Known, remote: str) -> None:
        self._folder = folder
        self._known = known
        seen = known.repositories.get(folder) or Repository(folder=folder)
        remote = seen.remote or (address(remote) if remote else "")
        self._lost = seen.model_copy(update={"remote": remote})
        self._sub = (_below(folder, seen.top) or "") if seen.top else ""
        self._name = Path(seen.top or folder).name
        self._ancestor, self._missing, self._tail = _broken_at(folder)
        self._left = _MOST_FOLDERS
        self._deadline = time.monotonic() + _MOST_SECONDS

    def looks(self) -> Sequence[Callable[[], Iterator[Candidate]]]:
        """Give the ways to look, those that are surest first."""
        return (
            self._as_others_moved,
            self._same_repository,
            self._renamed_parent,
            self._same_name,
            self._nearest,
        )

    def _as_others_moved(self) -> Iterator[Candidate]:
        for place in self._known.places:
            old, new = Path(place.old).parent, Path(place.new).parent
            below = _below(self._folder, str(old))
            if below and self._is_folder(new / below):
                yield Candidate(str(new / below), f"as {Path(place.old).name} was moved")

    def _same_repository(self) -> Iterator[Candidate]:
        lost = self._lost
        if lost.main and lost.main != lost.top:
            for tree in (lost.main, *worktrees(lost.main)):
                if self._is_folder(Path(tree)):
                    yield self._within(tree, "the repository that it was a worktree of")
        if not (lost.remote or lost.beginning):
            return
        for top in self._repositories():
            seen = repository_of(top)
            if seen is not None and is_same(lost, seen):
                named = f", {seen.remote}" if seen.remote else ""
                yield self._within(seen.top, f"the same repository{named}")

    def _repositories(self) -> Iterator[str]:
        """Give folders in which a repository may be: sessions' ones, and those beside them."""
        folders = [at for at in self._known.folders if self._is_folder(Path(at))]
        yield from folders
        beside = [str(self._ancestor)] if self._ancestor.parent != self._ancestor else []
        beside += [str(Path(at).parent) for at in folders]
        for parent in dict.fromkeys(beside):
            for child in self._children(Path(parent)):
                if (child / ".git").exists():
                    yield str(child)

    def _renamed_parent(self) -> Iterator[Candidate]:
        if not self._tail:
            return
        for child in self._children(self._ancestor):
            if self._is_folder(child / self._tail):
                yield Candidate(str(child / self._tail), f"if {self._missing} is {child.name} now")

    def _same_name(self) -> Iterator[Candidate]:
        why = "a folder of the same name"
        parents: dict[Path, None] = {}
        for at in self._known.folders:
            place = Path(at)
            if place.name == self._name and self._is_folder(place):
                yield self._within(at, why)
            parents[place.parent] = None
            parents[place.parent.parent] = None
        for parent in parents:
            if self._is_folder(parent / self._name):
                yield self._within(str(parent / self._name), why)

    def _nearest(self) -> Iterator[Candidate]:
        seen = repository_of(str(self._ancestor))
        if seen is not None and seen.top:
            yield Candidate(str(self._ancestor), "the nearest folder of the repository it was in")

    def _within(self, top: str, why: str) -> Candidate:
        place = Path(top, self._sub)
        return Candidate(str(place if self._sub and self._is_folder(place) else top), why)

    def _children(self, folder: Path) -> list[Path]:
        try:
            with os.scandir(folder) as entries:
                names = [entry.name for entry in islice(entries, _MOST_CHILDREN)]
        except OSError:
            return []
        return [folder / name for name in sorted(names) if self._is_folder(folder / name)]

    def _is_folder(self, place: Path) -> bool:
        self._left -= 1
        if self._left < 0 or time.monotonic() > self._deadline:
            return False
        try:
            return place.is_absolute() and place.is_dir()
        except (OSError, ValueError):
            return False


def _below(path: str, folder: str) -> str | None:
    """Give a path relative to a folder that it is in, empty for itself; None when it is not."""
    folder = folder.rstrip("/")
    if path == folder:
        return ""
    return path[len(folder) + 1 :] if path.startswith(f"{folder}/") else None


def _joined(folder: str, below: str) -> str:
    return f"{folder.rstrip('/')}/{below}" if below else folder


def _broken_at(folder: str) -> tuple[Path, str, str]:
    """Give the nearest folder above that is there, what is missing in it, and what was below."""
    parts = Path(folder).parts
    for size in range(len(parts) - 1, 0, -1):
        ancestor = Path(*parts[:size])
        if ancestor.is_dir():
            return ancestor, parts[size], "/".join(parts[size + 1 :])
    return Path("/"), "", ""
