"""By what a git repository is known again in another folder: read from its files.

Git itself is not run: in a folder that somebody else prepared its settings could start programs.
"""

from __future__ import annotations

import re
from pathlib import Path

from store.models import Repository
from store.reading.files import head_of

_MOST_PARENTS = 40
_HEAD = 65536
_SECTION = re.compile(r'\s*\[\s*([\w.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]')
_URL = re.compile(r"\s*url\s*=\s*(.*?)\s*", re.IGNORECASE)
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^@/]*@)?([^/:]+)(?::\d+)?/(.+)", re.IGNORECASE)
_SSH = re.compile(r"(?:[^@/:]+@)?([^/:]+):(?!/)(.+)")


def repository_of(folder: str) -> Repository | None:
    """Look at the repository that a folder is in; None when the folder is not there.

    A folder without one is given with nothing but its name.
    """
    place = Path(folder)
    try:
        if not place.is_dir():
            return None
        top = next(at for at in (place, *place.parents[:_MOST_PARENTS]) if (at / ".git").exists())
    except (OSError, ValueError):
        return None
    except StopIteration:
        return Repository(folder=folder)
    own, common = _git_folders(top)
    main = common.parent if common.name == ".git" else top
    return Repository(
        folder=folder,
        top=str(top),
        main=str(main),
        remote=_remote(common),
        beginning=_beginning(common) or _beginning(own),
    )


def is_same(one: Repository, other: Repository) -> bool:
    """Tell whether two folders are of one repository, as far as they tell."""
    return any(
        mine and mine == its
        for mine, its in ((one.remote, other.remote), (one.beginning, other.beginning))
    )


def worktrees(main: str) -> list[str]:
    """Give the working trees that a repository has beside its first one, and that are there."""
    found = []
    try:
        links = sorted((Path(main) / ".git" / "worktrees").iterdir())
    except OSError:
        return []
    for link in links:
        tree = Path(_line(link / "gitdir")).parent
        if tree.is_absolute() and tree.is_dir():
            found.append(str(tree))
    return found


def address(url: str) -> str:
    """Give a remote's address as `host/path`, the same for ssh and https, without any secret."""
    match = _SCHEME.fullmatch(url) or _SSH.fullmatch(url)
    if match is None:
        return url.rstrip("/").removesuffix(".git")
    return f"{match[1].lower()}/{match[2].strip('/').removesuffix('.git')}"


def _git_folders(top: Path) -> tuple[Path, Path]:
    """Give the git folder of a working tree, and the one that all working trees share."""
    place = top / ".git"
    if place.is_dir():
        return place, place
    line = _line(place)
    if not line.startswith("gitdir:"):
        return place, place
    own = Path(top, line.removeprefix("gitdir:").strip())
    shared = _line(own / "commondir")
    return own, Path(own, shared).resolve() if shared else own


def _remote(common: Path) -> str:
    """Give the address of `origin`, else of the first remote."""
    found: dict[str, str] = {}
    section = ""
    for line in _text(common / "config").splitlines():
        if match := _SECTION.match(line):
            section = match[2] or "" if match[1].lower() == "remote" else ""
        elif section and (match := _URL.fullmatch(line)):
            found.setdefault(section, match[1].strip('"'))
    url = found.get("origin") or next(iter(found.values()), "")
    return address(url) if url else ""


def _beginning(git: Path) -> str:
    """Give the first entry of the log of HEAD: which commit, whose and when, as a rule no other."""
    return _text(git / "logs" / "HEAD").partition("\n")[0].partition("\t")[0][:500]


def _line(path: Path) -> str:
    return _text(path).partition("\n")[0].strip()


def _text(path: Path) -> str:
    return head_of(path, _HEAD).decode("utf-8", "replace")
