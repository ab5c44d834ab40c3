"""Projects that were moved: found again, and where they are remembered."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import InvalidValue, NotFound, Place, Repository, Store
from store.resume.places import Known, candidates, known, moved, project_move, remember
from store.resume.repositories import address, is_same, repository_of

GIT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
ANN = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", *ANN, *words],
        cwd=folder,
        env=os.environ | GIT,
        check=True,
        capture_output=True,
    )


def repository(folder: Path, remote: str = "") -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q")
    (folder / "web").mkdir()
    (folder / "web" / "index.html").write_text(folder.name)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", f"Begin {folder}")
    if remote:
        git(folder, "remote", "add", "origin", remote)
    return folder


async def lost(store: Store, folder: Path, sub: str = "") -> str:
    """Give a folder whose session was imported, and that will be gone."""
    await store.create_session(str(folder / sub), "codex")
    await remember(store)
    return str(folder / sub)


async def looked_for(store: Store, folder: str) -> list[tuple[str, str]]:
    return [(one.folder, one.why) for one in candidates(folder, await known(store))]


async def test_a_move_is_told_once_and_can_be_forgotten(store: Store) -> None:
    place = await store.set_place("/old", "/new")
    assert await store.places() == [place]
    again = await store.set_place("/old", "/newer")
    assert await store.places() == [again]
    await store.forget_place("/old")
    assert await store.places() == []
    with pytest.raises(NotFound, match="/old"):
        await store.forget_place("/old")
    for old, new in (("/a", "/a"), ("a", "/b"), ("/a", "~"), ("/a", ""), ("/a\0", "/b")):
        with pytest.raises(InvalidValue):
            await store.set_place(old, new)


async def test_homes_are_trusted_once(store: Store) -> None:
    assert await store.trusted_homes() == []
    for _ in range(2):
        await store.trust_home("/mnt/claude")
    assert await store.trusted_homes() == ["/mnt/claude"]


async def test_folders_of_sessions_the_newest_first(store: Store) -> None:
    for folder in ("/a", "/b", "/a", "/c", "/b"):
        await store.create_session(folder, "claude")
    assert await store.project_folders() == ["/b", "/c", "/a"]


async def test_repositories_are_remembered_by_folder(store: Store) -> None:
    one = Repository(folder="/a", top="/a", main="/a", remote="example.org/a", beginning="0 1")
    await store.note_repositories([one, Repository(folder="/b")])
    other = one.model_copy(update={"remote": "example.org/b"})
    await store.note_repositories([other])
    assert await store.repositories() == [other, Repository(folder="/b")]


async def test_a_renamed_repository_is_known_by_its_log(tmp_path: Path, store: Store) -> None:
    old = repository(tmp_path / "src" / "uploader")
    folder = await lost(store, old, "web")
    repository(tmp_path / "src" / "another")
    old.rename(tmp_path / "src" / "sender")
    found = await looked_for(store, folder)
    assert found[0] == (str(tmp_path / "src" / "sender" / "web"), "the same repository")
    assert str(tmp_path / "src" / "another") not in dict(found)


async def test_another_clone_is_known_by_its_remote(tmp_path: Path, store: Store) -> None:
    old = repository(tmp_path / "a" / "api", "git@example.org:team/api.git")
    folder = await lost(store, old)
    new = repository(tmp_path / "b" / "service", "https://ann:secret@example.org/team/api")
    await lost(store, repository(tmp_path / "b" / "other", "git@example.org:team/other"))
    subprocess.run(["rm", "-rf", str(old)], check=True)
    found = await looked_for(store, folder)
    assert found[0] == (str(new), "the same repository, example.org/team/api")
    assert "secret" not in repr(await store.repositories())


async def test_a_remote_that_something_else_tells(tmp_path: Path) -> None:
    new = repository(tmp_path / "service", "https://example.org/team/api")
    of_others = Known(folders=[str(new)])
    (found,) = candidates("/gone/api", of_others, "git@example.org:team/api.git")
    assert found.folder == str(new)


async def test_a_removed_worktree_leads_to_its_repository(tmp_path: Path, store: Store) -> None:
    main = repository(tmp_path / "api")
    tree = tmp_path / "api-feature"
    git(main, "worktree", "add", "-q", str(tree), "-b", "feature")
    git(main, "worktree", "add", "-q", str(tmp_path / "api-other"), "-b", "other")
    folder = await lost(store, tree, "web")
    git(main, "worktree", "remove", "--force", str(tree))
    found = await looked_for(store, folder)
    why = "the repository that it was a worktree of"
    assert found[:2] == [(str(main / "web"), why), (str(tmp_path / "api-other" / "web"), why)]


async def test_a_renamed_parent_and_a_name_elsewhere(tmp_path: Path, store: Store) -> None:
    folder = tmp_path / "work" / "2026" / "uploader"
    folder.mkdir(parents=True)
    gone = await lost(store, folder)
    (tmp_path / "work").rename(tmp_path / "projects")
    (tmp_path / "elsewhere" / "uploader").mkdir(parents=True)
    await lost(store, tmp_path / "elsewhere" / "other")
    found = await looked_for(store, gone)
    assert found == [
        (str(tmp_path / "projects" / "2026" / "uploader"), "if work is projects now"),
        (str(tmp_path / "elsewhere" / "uploader"), "a folder of the same name"),
    ]


async def test_what_others_did_is_offered_first(tmp_path: Path, store: Store) -> None:
    for name in ("new/api", "new/web", "new-too/web"):
        (tmp_path / name).mkdir(parents=True)
    await store.set_place(str(tmp_path / "old" / "api"), str(tmp_path / "new" / "api"))
    found = await looked_for(store, str(tmp_path / "old" / "web"))
    assert found[0] == (str(tmp_path / "new" / "web"), "as api was moved")


async def test_a_folder_deleted_in_a_repository_offers_what_is_left(
    tmp_path: Path, store: Store
) -> None:
    main = repository(tmp_path / "api")
    folder = await lost(store, main, "web/deep")
    found = await looked_for(store, folder)
    assert found == [(str(main / "web"), "the nearest folder of the repository it was in")]


async def test_nothing_likely_is_nothing(tmp_path: Path, store: Store) -> None:
    assert await looked_for(store, str(tmp_path / "gone" / "far")) == []
    assert await looked_for(store, "/") == []
    assert await looked_for(store, "/gone-at-the-top") == []


async def test_the_whole_project_moves_with_one_of_its_folders(
    tmp_path: Path, store: Store
) -> None:
    old = repository(tmp_path / "uploader")
    folder = await lost(store, old, "web")
    seen = (await known(store)).repositories
    top, new = str(old), str(tmp_path / "sender")
    assert project_move(folder, f"{new}/web", seen) == (top, new)
    assert project_move(folder, f"{new}/site", seen) == (folder, f"{new}/site")
    assert project_move("/x", "/y", seen) == ("/x", "/y")


def _place(old: str, new: str) -> Place:
    return Place(old=old, new=new, said_at=datetime.now(UTC))


def test_moves_are_followed_one_after_the_other(tmp_path: Path) -> None:
    there = tmp_path / "there"
    (there / "sub").mkdir(parents=True)
    places = [_place("/g/a", "/g/b"), _place("/g/b", str(there)), _place("/g", "/nowhere")]
    assert moved("/g/a/sub", places) == str(there / "sub")
    assert moved("/g/a", places) == str(there)
    assert moved("/g/ab", places) == "/g/ab"
    assert moved(str(there), [_place(str(there), "/elsewhere")]) == str(there)
    assert moved("/g/x", [_place("/g/x", "/g/y"), _place("/g/y", "/g/x")]) == "/g/x"
    assert moved("relative", places) == "relative"


_NAMES = st.sampled_from(["/p", "/p/q", "/p/q/r", "/s", "/s/q", "/"])


@given(st.lists(st.tuples(_NAMES, _NAMES), max_size=6), _NAMES)
def test_following_moves_ends_and_gives_what_is_there(
    moves: list[tuple[str, str]], folder: str
) -> None:
    places = [_place(old, new) for old, new in moves if old != new]
    found = moved(folder, places)
    assert found == folder or Path(found).is_dir()


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("git@example.org:team/api.git", "example.org/team/api"),
        ("ssh://git@Example.org:2222/team/api.git", "example.org/team/api"),
        ("https://ann:secret@example.org/team/api/", "example.org/team/api"),
        ("https://example.org/team/api.git", "example.org/team/api"),
        ("/srv/git/api.git", "/srv/git/api"),
        ("../api", "../api"),
    ],
)
def test_one_address_however_it_is_written(url: str, same: str) -> None:
    assert address(url) == same


def test_what_is_no_repository(tmp_path: Path) -> None:
    assert repository_of(str(tmp_path / "gone")) is None
    assert repository_of("nul\0") is None
    alone = repository_of("/proc")
    assert alone == Repository(folder="/proc")
    assert not is_same(alone, Repository(folder="/x"))


def test_a_hostile_repository_is_only_read(tmp_path: Path) -> None:
    evil = repository(tmp_path / "evil")
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path / 'PWNED'}\n")
    hook.chmod(0o755)
    git(evil, "config", "core.fsmonitor", str(hook))
    (evil / ".git" / "logs" / "HEAD").unlink()
    os.mkfifo(evil / ".git" / "logs" / "HEAD")
    seen = repository_of(str(evil))
    assert seen is not None
    assert (seen.top, seen.beginning) == (str(evil), "")
    assert not (tmp_path / "PWNED").exists()
    (evil / ".git" / "config").write_bytes(b'[remote\n\xff url = x\n[remote "a"]\nurl\n' * 9)
    assert repository_of(str(evil)) == seen


async def test_an_import_remembers_and_asks_once(tmp_path: Path, store: Store) -> None:
    from store import ingest
    from tests.store.resuming import Home

    home = Home(tmp_path / "ann", store)
    place = repository(tmp_path / "ann" / "src", "git@example.org:ann/src")
    home.claude(str(place))
    await ingest.run(store, env=home.env)
    (seen,) = await store.repositories()
    assert (seen.folder, seen.remote) == (str(place), "example.org/ann/src")
