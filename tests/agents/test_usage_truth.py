"""What the real samples say was used, against a count of its own: from the files, with json alone.

Each departure from the counts that came with the samples is named here.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import store
from store import Store, TaskFilter, Usage, ingest

_SHARED = Path(
    os.environ.get("BACKSCROLL_SHARED") or Path(__file__).resolve().parents[3] / "shared"
)
_FIXTURES = _SHARED / "fixtures"
_TRUTH = _FIXTURES / "truth.json"

pytestmark = pytest.mark.skipif(not _TRUTH.is_file(), reason="the shared samples are not here")

# Sessions that begin with a copy of another's records, which are counted there.
_COPIES = {
    "22222222-2222-4222-8222-222222222222": "11111111-1111-4111-8111-111111111111",
    "21c061e2-3c02-4400-b242-d3ab3b2c30ad": "1bdca1cb-1381-4acb-8240-9ae706f34889",
    "01a1fb5c-ccd5-73a2-bccf-fa0e99e5e068": "01a1fb4f-f372-7433-b9f3-7f69b46cb13d",
}
# Made by hand, with records that have no id: the counts of the samples leave those out.
_WITHOUT_IDS = {"valid_session", "tool_call_pending", "truncated"}


class Figures(NamedTuple):
    sent: int
    output: int
    read: int
    written: int

    def __add__(self, other: object) -> Figures:
        assert isinstance(other, Figures)
        return Figures(*(one + two for one, two in zip(self, other, strict=True)))

    def __sub__(self, other: Figures) -> Figures:
        return Figures(*(one - two for one, two in zip(self, other, strict=True)))


_NONE = Figures(0, 0, 0, 0)


def _sum(usage: list[Usage]) -> Figures:
    return sum(
        (
            Figures(
                one.input_tokens,
                one.output_tokens,
                one.cache_read_tokens or 0,
                one.cache_write_tokens or 0,
            )
            for one in usage
        ),
        _NONE,
    )


async def _used(opened: Store) -> dict[str, Figures]:
    """Give what each session of a store used."""
    page = await opened.list_tasks(TaskFilter(everything=True, archived=None), limit=1000)
    return {
        row.session.session_id: _sum(await opened.get_usage(row.task.id))
        for row in page.items
        if row.session is not None
    }


async def _imported(path: Path, agent: str) -> dict[str, Figures]:
    async with store.open_store(":memory:") as opened:
        await ingest.run(opened, only=[agent], paths=[path], originals=False)
        return await _used(opened)


def _records(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text("utf-8", "replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict):
            yield record


def _answers(path: Path) -> dict[object, Figures]:
    """Give what each answer in a transcript of Claude Code used, by its ids."""
    found: dict[object, Figures] = {}
    for number, record in enumerate(_records(path)):
        message = record.get("message") or {}
        used = message.get("usage") if isinstance(message, dict) else None
        if record.get("type") != "assistant" or not used or message["model"] == "<synthetic>":
            continue
        ids = (message.get("id"), record.get("requestId"))
        figures = Figures(
            used["input_tokens"],
            used["output_tokens"],
            used.get("cache_read_input_tokens", 0),
            used.get("cache_creation_input_tokens", 0),
        )
        name = ids if ids[0] else number
        found[name] = max(found.get(name, _NONE), figures, key=lambda one: one.output)
    return found


_CLAUDE = sorted((_FIXTURES / "claude").glob("*")) if _TRUTH.is_file() else []


@pytest.mark.parametrize("home", _CLAUDE, ids=lambda path: path.name)
async def test_claude_code_answer_by_answer(home: Path) -> None:
    files = [path for path in home.rglob("*.jsonl") if path.name != "history.jsonl"]
    answers = {path.stem: _answers(path) for path in files}
    once: dict[object, Figures] = {}
    expected: dict[str, Figures] = {}
    for name, own in answers.items():
        copied = answers.get(_COPIES.get(name, ""), {})
        expected[name] = sum((used for key, used in own.items() if key not in copied), _NONE)
        once |= {(name, key) if isinstance(key, int) else key: used for key, used in own.items()}
    used = await _imported(home, "claude")
    by_file = {name.rpartition("/")[2]: figures for name, figures in used.items()}
    if home.name.startswith("real"):
        assert by_file == expected
    assert sum(used.values(), _NONE) == sum(once.values(), _NONE)
    assert sum(used.values(), _NONE) == sum(expected.values(), _NONE)


@pytest.mark.parametrize("home", _CLAUDE, ids=lambda path: path.name)
async def test_claude_code_as_the_samples_count(home: Path) -> None:
    truth = json.loads(_TRUTH.read_text())["fixtures"]
    for path in home.rglob("*.jsonl"):
        told = truth.get(str(path.relative_to(_FIXTURES)), {}).get("usage_dedup_by_message_id")
        if told is None or path.stem in _WITHOUT_IDS:
            continue
        names = ("input", "output", "cache_read_input", "cache_creation_input")
        # Alone a file is nobody's copy.
        used = await _imported(path, "claude")
        if path.stem not in _COPIES:
            assert list(used.values()) == [Figures(*(told[f"{name}_tokens"] for name in names))]


def _total(path: Path) -> Figures:
    """Give the last total in a rollout."""
    totals = [
        info["total_token_usage"]
        for record in _records(path)
        if (info := (record.get("payload") or {}).get("info"))
    ]
    return _of_codex(totals[-1]) if totals else _NONE


def _of_codex(used: dict[str, int]) -> Figures:
    read, written = used.get("cached_input_tokens", 0), used.get("cache_write_input_tokens", 0)
    return Figures(used["input_tokens"] - read - written, used["output_tokens"], read, written)


_CODEX = sorted((_FIXTURES / "codex").glob("*")) if _TRUTH.is_file() else []


@pytest.mark.parametrize("home", _CODEX, ids=lambda path: path.name)
async def test_codex_total_by_total(home: Path) -> None:
    totals = {path.stem[-36:]: _total(path) for path in home.rglob("rollout-*.jsonl")}
    if home.name == "built_zst":
        totals = {"01a1fb5b-82e4-7e40-8157-57ef0b46feaf": Figures(422, 84, 6000, 0)}
    expected = {
        name: total - totals.get(_COPIES.get(name, ""), _NONE) for name, total in totals.items()
    }
    used = await _imported(home, "codex")
    assert {name: used[name] for name in expected} == expected
    assert sum(used.values(), _NONE) == sum(expected.values(), _NONE)


async def test_codex_response_by_response() -> None:
    """The newest version also notes each response; a fork's notes are its own."""
    home = _FIXTURES / "codex" / "real_0.169.0"
    used = await _imported(home, "codex")
    for path in home.rglob("rollout-*.jsonl"):
        responses = {
            record["payload"]["response_id"]: _of_codex(record["payload"]["usage"])
            for record in _records(path)
            if record.get("type") == "token_usage_record"
        }
        assert used[path.stem[-36:]] == sum(responses.values(), _NONE)


async def test_goose_session_by_session() -> None:
    path = _FIXTURES / "goose" / "real_1.34.0_v13" / "sessions.db"
    query = "SELECT id, accumulated_input_tokens, accumulated_output_tokens FROM sessions"
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as db:
        expected = {name: Figures(sent, output, 0, 0) for name, sent, output in db.execute(query)}
    assert await _imported(path, "goose") == expected
    (legacy,) = (_FIXTURES / "goose" / "built_legacy_jsonl").glob("*.jsonl")
    assert await _imported(legacy, "goose") == {legacy.stem: Figures(19266, 252, 0, 0)}
