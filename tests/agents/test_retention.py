"""When an agent will delete a session's file."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from store import Session, agents

_WRITTEN = datetime(2026, 11, 1, 12, tzinfo=UTC)
_ID = "7f3c0000-0000-4000-8000-0000000000e1"


def _session(home: Path, path: Path, backend: str = "claude") -> Session:
    return Session(
        task_id="t",
        session_id=_ID,
        backend=backend,
        root=str(home),
        source_path=str(path),
        created_at=_WRITTEN,
        updated_at=_WRITTEN,
    )


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    path = tmp_path / ".claude" / "projects" / "-src" / f"{_ID}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("{}\n")
    os.utime(path, (_WRITTEN.timestamp(), _WRITTEN.timestamp()))
    return path


def _asked(path: Path, home: Path | None = None) -> datetime | None:
    own = path.parents[2]
    return agents.expires_at(_session(home or own, path), env={"HOME": str(own.parent)})


def test_thirty_days_after_it_was_last_written_to(transcript: Path) -> None:
    assert _asked(transcript) == _WRITTEN + timedelta(days=30)


@pytest.mark.parametrize(
    ("settings", "days"),
    [
        ('{"cleanupPeriodDays": 7, "model": "opus"}', 7),
        ('{"cleanupPeriodDays": 0}', 0),
        ('{"cleanupPeriodDays": 1.5}', 1.5),
        ('{"model": "opus"}', 30),
        *((f'{{"cleanupPeriodDays": {odd}}}', 30) for odd in ('"7"', "true", "null", "-1", "[7]")),
        *((odd, 30) for odd in ('{"cleanupPeriodDays": 7', "", "[]", "7", "\0\0", "[" * 5000)),
    ],
)
def test_as_its_settings_say_where_they_make_sense(
    transcript: Path, settings: str, days: float
) -> None:
    (transcript.parents[2] / "settings.json").write_text(settings)
    assert _asked(transcript) == _WRITTEN + timedelta(days=days)


@pytest.mark.parametrize("days", ["99999", "36500", "1" + "0" * 400, "1e999"])
def test_for_good_where_a_person_wants_that(transcript: Path, days: str) -> None:
    (transcript.parents[2] / "settings.json").write_text(f'{{"cleanupPeriodDays": {days}}}')
    assert _asked(transcript) is None


def test_settings_that_cannot_be_read_are_none(transcript: Path) -> None:
    (transcript.parents[2] / "settings.json").mkdir()
    assert _asked(transcript) == _WRITTEN + timedelta(days=30)


def test_a_file_that_is_gone_is_not_deleted_again(transcript: Path) -> None:
    transcript.unlink()
    assert _asked(transcript) is None


def test_a_copy_elsewhere_is_nobody_s_to_delete(transcript: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "backup" / "projects" / "-src" / transcript.name
    elsewhere.parent.mkdir(parents=True)
    transcript.rename(elsewhere)
    session = _session(tmp_path / "backup", elsewhere)
    assert agents.expires_at(session, env={"HOME": str(tmp_path)}) is None
    moved = {"HOME": str(tmp_path), "CLAUDE_CONFIG_DIR": str(tmp_path / "backup")}
    assert agents.expires_at(session, env=moved) is not None
    (tmp_path / "backup" / ".claude.json").write_text("{}")  # as in a home of another time
    assert agents.expires_at(session, env={"HOME": str(tmp_path)}) is not None


def test_what_only_the_history_has_is_kept(transcript: Path) -> None:
    history = transcript.parents[2] / "history.jsonl"
    history.write_text("{}\n")
    assert _asked(history) is None


@pytest.mark.parametrize("backend", ["codex", "goose", "another"])
def test_the_others_delete_nothing(transcript: Path, backend: str) -> None:
    home = transcript.parents[2]
    assert agents.expires_at(_session(home, transcript, backend), env={}) is None


def test_a_session_without_a_file_has_nothing_to_delete(tmp_path: Path) -> None:
    session = _session(tmp_path, tmp_path).model_copy(update={"source_path": None})
    assert agents.expires_at(session, env={}) is None


def test_a_path_that_no_file_can_have(tmp_path: Path) -> None:
    home = tmp_path / ".claude"
    session = _session(home, home / "projects" / "-src" / "a\0b.jsonl")
    assert agents.expires_at(session, env={"HOME": str(tmp_path)}) is None
