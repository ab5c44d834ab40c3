"""Transcripts in every state: nothing raises, nothing whole is lost, everything is counted."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.agents import load
from tests.agents import claude_records as claude
from tests.agents.pieces import ID, place_of, read_in_pieces
from tests.store.helpers import run


@dataclass(frozen=True)
class Line:
    """A line as it lies on disk: its bytes, and the texts and skipped records it must give."""

    raw: bytes
    texts: tuple[str, ...] = ()
    records: int = 0
    skipped: int = 0


def _record(agent: str, text: str, number: int, odd: Any = None) -> str:
    if agent == "claude":
        record = claude.user(f"u{number}", f"u{number - 1}", text)
    else:
        payload = {"type": "message", "role": "user", "content": [{"type": "input_text"}]}
        payload["content"][0]["text"] = text  # type: ignore[index]
        record = {"timestamp": "2026-11-20T10:00:01Z", "type": "response_item", "payload": payload}
    if odd is not None:
        record["odd"] = odd
    return json.dumps(record)


_ENDS = st.sampled_from(["\n", "\r\n", " \t\n", "\0\0\n"])
_ODD = st.one_of(
    st.none(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.just("\ud800"),
    st.recursive(st.none(), lambda inner: st.lists(inner, max_size=3), max_leaves=5),
)
_KINDS = (
    *("whole", "whole", "whole", "doubled", "torn", "spliced", "nul", "bom", "not utf-8"),
    *("surrogate", "huge integer", "deep", "bare", "blank", "twins"),
)


def _line(kind: str, agent: str, number: int, end: str, odd: Any, cut: float) -> Line:
    text = f"text {number} é"
    other = f"other {number} 漢"
    first = _record(agent, text, 2 * number, odd)
    second = _record(agent, other, 2 * number + 1)
    half = first[: 1 + int(cut * (len(first) - 2))]

    if kind == "not utf-8":
        odd_bytes = (first.replace("\\u00e9", "\udcff") + end).encode("utf-8", "surrogateescape")
        return Line(odd_bytes, (f"text {number} \ufffd",), 1)
    raw, texts, skipped = {
        "whole": (first, [text], 0),
        "doubled": (first + second, [text, other], 0),
        "twins": (f"{first},\0{second}", [text, other], 0),
        "torn": (half, [], 1),
        "spliced": (half + second, [other], 1),
        "nul": ("\0" * 100 + first, [text], 0),
        "bom": ("\ufeff" + first, [text], 0),
        "surrogate": (first.replace("\\u00e9", "\\ud83d"), [f"text {number} \ufffd"], 0),
        "huge integer": (f'{{"n":{"9" * 6000},{first[1:]}', [text], 0),
        "deep": (f'{{"n":{"[" * 3000}{"]" * 3000},{first[1:]}', [text], 0),
        "bare": (json.dumps(text), [], 1),
        "blank": ("", [], 0),
    }[kind]
    return Line((raw + end).encode(), tuple(texts), len(texts) + skipped, skipped)


@dataclass(frozen=True)
class Damaged:
    agent: str
    lines: tuple[Line, ...]
    tail: str
    encoding: str
    cuts: tuple[float, ...]

    @property
    def first(self) -> bytes:
        """Give the line that says whose session it is, so that all of it is one."""
        meta: dict[str, Any] = {"type": "mode", "sessionId": ID}
        if self.agent == "codex":
            meta = {"type": "session_meta", "payload": {"id": ID}}
        return json.dumps(meta).encode() + b"\n"

    @property
    def raw(self) -> bytes:
        whole = _record(self.agent, "the last", 99999)
        ends = {"": "", "whole": whole, "torn": whole[:40]}
        raw = self.first + b"".join(line.raw for line in self.lines) + ends[self.tail].encode()
        if self.encoding == "utf-8":
            return raw
        return raw.decode("utf-8", "replace").encode(self.encoding)

    @property
    def texts(self) -> list[str]:
        texts = [text for line in self.lines for text in line.texts]
        return [*texts, "the last"] if self.tail == "whole" else texts

    @property
    def offsets(self) -> list[int]:
        begin = 2 if self.encoding == "utf-16" else len(self.first)
        return [begin + int(cut * (len(self.raw) - begin)) for cut in self.cuts]


@st.composite
def damaged(draw: st.DrawFn) -> Damaged:
    agent = draw(st.sampled_from(["claude", "codex"]))
    kinds = draw(st.lists(st.sampled_from(_KINDS), max_size=12))
    lines = tuple(
        _line(kind, agent, number, draw(_ENDS), draw(_ODD), draw(st.floats(0, 1)))
        for number, kind in enumerate(kinds)
    )
    tail = draw(st.sampled_from(["", "whole", "torn"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8", "utf-8", "utf-16"]))
    cuts = tuple(draw(st.lists(st.floats(0, 1), max_size=4)))
    return Damaged(agent, lines, tail, encoding, cuts)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged())
def test_every_record_is_imported_skipped_or_pending(case: Damaged) -> None:
    adapter = load(case.agent)
    with tempfile.TemporaryDirectory() as folder:
        whole = read_in_pieces(adapter, Path(folder), case.raw)
        pieces = read_in_pieces(adapter, Path(folder), case.raw, case.offsets)
    assert whole.texts == case.texts
    skipped = [n for n, line in enumerate(case.lines, 2) for _ in range(line.skipped)]
    assert list(whole.skipped) == skipped
    is_torn = case.tail == "torn"
    assert whole.pending == (len(case.lines) + 2 if is_torn else None)
    records = 1 + sum(line.records for line in case.lines) + (case.tail == "whole")
    assert whole.records == records
    assert pieces.sessions == whole.sessions
    assert pieces.off_branch == whole.off_branch
    assert pieces.pending == whole.pending


def test_a_hundred_records_on_one_line(tmp_path: Path) -> None:
    raw = "".join(_record("claude", f"text {n}", n) for n in range(100)).encode()
    assert read_in_pieces(load("claude"), tmp_path, raw).texts == [f"text {n}" for n in range(100)]


@pytest.mark.parametrize("agent", ["claude", "codex"])
def test_a_call_that_is_written_twice_is_one_call(tmp_path: Path, agent: str) -> None:
    if agent == "claude":
        records = [claude.assistant(name, None, claude.call("t1")) for name in ("a", "b")]
    else:
        call = {"type": "function_call", "name": "shell", "arguments": "{}", "call_id": "t1"}
        records = [{"type": "response_item", "payload": call} for _ in range(2)]
    one, two = (json.dumps(record).encode() + b"\n" for record in records)
    for cuts in ([], [len(one)]):
        assert len(read_in_pieces(load(agent), tmp_path, one + two, cuts).texts) == 1


_IMPORT = """
    import asyncio, json, os, sys
    from store import ingest, open_store

    async def main(home):
        async with open_store(os.path.join(home, "store.db")) as store:
            report = await ingest.run(store, env={"HOME": home})
            tasks = (await store.list_tasks()).items
            texts = [m.content for t in tasks for m in await store.get_history(t.task.id)]
        peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
        print(json.dumps([report.records_imported, [s.reason for s in report.skipped], texts,
                          int(peak.split()[1])]))

    asyncio.run(main(sys.argv[1]))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is not told here")
@pytest.mark.parametrize("unit", ["words of a text ", "漢"])
def test_a_line_of_100_megabytes_is_named_and_passed_over(tmp_path: Path, unit: str) -> None:
    path = place_of(load("claude"), tmp_path / ".claude")
    with path.open("w", encoding="utf-8") as file:
        file.write(_record("claude", "before", 0) + "\n")
        head, tail = _record("claude", "|", 1).split("|")
        file.write(head)
        for _ in range(100):
            file.write(unit * (1_000_000 // len(unit.encode())))
        file.write(tail + "\n" + _record("claude", "after", 2) + "\n")
    imported, (reason,), texts, peak = json.loads(run(_IMPORT, tmp_path))
    assert (imported, texts) == (2, ["before", "after"])
    assert "too long" in reason
    assert peak < 100_000
