"""Coverage-guided fuzzing of what reads transcripts. Not a test: run by hand, for as long as liked.

    pip install atheris
    PYTHONPATH=. python -m tests.fuzz_readers lines|claude|codex [SEEDS ...] -max_total_time=300

Whatever is in a file, reading it must not raise, must give what can be stored, and must give the
same in pieces as at once. What is found is left in a file `crash-...`.
"""

from __future__ import annotations

import io
import json
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]

with atheris.instrument_imports(include=["store"]):
    from store import agents
    from store.reading.lines import Lines

    ADAPTERS = {name: agents.load(name) for name in ("claude", "codex")}

from store.models import Kind
from store.sources import SkippedRecord
from tests.agents.pieces import ID, Outcome, read_in_pieces

_ENVELOPE = frozenset({"uuid", "payload", "timestamp"})
_FIRST = {  # so that all pieces are of one session
    "claude": b'{"type":"mode","sessionId":"%b"}\n' % ID.encode(),
    "codex": b'{"type":"session_meta","payload":{"id":"%b"}}\n' % ID.encode(),
}
_ODD: list[Any] = [None, True, 0, -1, 10**30, 1e300, "", "x", "\ud800", "\0", [], {}, [[]], [None]]
_HOME = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))


def lines(data: bytes) -> None:
    """Every line is given once, in order, or is pending."""
    lines = Lines(io.BytesIO(data), _ENVELOPE)
    last, end = 0, 0
    for number, offset, item in lines:
        assert number >= last
        assert end <= offset <= len(data)
        assert not isinstance(item, SkippedRecord) or item.reason
        last, end = number, offset
    assert lines.pending is None or lines.pending > last


def transcript(name: str, data: bytes) -> None:
    """Read at once, and in two pieces as the last two bytes say."""
    first = _FIRST[name]
    data, cut = first + data[:-2], len(first) + int.from_bytes(data[-2:]) % max(1, len(data) - 1)
    data += b"\n"  # records before a torn one at the very end are waited for
    whole = read_in_pieces(ADAPTERS[name], _HOME, data)
    pieces = read_in_pieces(ADAPTERS[name], _HOME, data, [cut])
    # The counts may differ: a part of a damaged line can be a record while it is the last line.
    assert _said(pieces) == _said(whole), f"\n{pieces}\n{whole}"


def _said(outcome: Outcome) -> list[tuple[Any, ...]]:
    """Give what was said. Calls are left out: one that is written twice is told by its id."""
    said = (message for session in outcome.sessions.values() for message in session)
    return [message[1:4] for message in said if message[2] is not Kind.TOOL_CALL]


def mutate(data: bytes, max_size: int, seed: int) -> bytes:
    """Change a member of a record, or take lines apart; every other time change any bytes."""
    chance = random.Random(seed)
    if chance.random() < 0.4:
        return bytes(atheris.Mutate(data, max_size))
    rows = data[:-2].split(b"\n")
    place = chance.randrange(len(rows))
    what = chance.random()
    if what < 0.1:
        rows.insert(place, chance.choice(rows))
    elif what < 0.2:
        rows.pop(place)
    elif what < 0.3:
        rows[place] += chance.choice(rows)
    else:
        try:
            record = json.loads(rows[place])
            _change(record, chance)
            rows[place] = json.dumps(record).encode()
        except (ValueError, RecursionError):
            rows[place] = rows[place][: chance.randrange(len(rows[place]) + 1)]
    return (b"\n".join(rows) + chance.randbytes(2))[:max_size]


def _change(value: Any, chance: random.Random) -> None:
    """Go down to some member and put something odd, or another member, in its place."""
    while isinstance(value, dict | list) and value:
        key = (
            chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
        )
        if not isinstance(value[key], dict | list) or chance.random() < 0.15:
            others = list(value.values()) if isinstance(value, dict) else value
            value[key] = chance.choice([*_ODD, *others])
            return
        value = value[key]


def main() -> None:
    target = sys.argv.pop(1)
    test = lines if target == "lines" else lambda data: transcript(target, data)
    atheris.Setup(sys.argv, test, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
