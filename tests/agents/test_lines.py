"""Records out of files in every state: torn, spliced, odd bytes, growing."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from store.reading.json_text import compact, decode
from store.reading.lines import Lines
from store.reading.values import attachment
from store.sources import SkippedRecord

_ENVELOPE = frozenset({"uuid"})


def _read(raw: bytes) -> tuple[list[Any], list[int], int | None]:
    lines = Lines(io.BytesIO(raw), _ENVELOPE)
    items = list(lines)
    records = [record for _, _, record in items if not isinstance(record, SkippedRecord)]
    skipped = [record.line for _, _, record in items if isinstance(record, SkippedRecord)]
    return records, skipped, lines.pending


def test_plain_lines() -> None:
    raw = b'{"uuid":"a"}\n\n  \r\n{"uuid":"b"}\r\n'
    items = list(Lines(io.BytesIO(raw), _ENVELOPE))
    assert items == [(1, 13, {"uuid": "a"}), (4, len(raw), {"uuid": "b"})]


@pytest.mark.parametrize(
    ("raw", "records"),
    [
        (b'\xef\xbb\xbf{"uuid":"a"}\n', [{"uuid": "a"}]),
        (b'\0\0\0{"uuid":"a"}\0\0\n\0\0\n', [{"uuid": "a"}]),
        (b'{"uuid":"\xff"}\n', [{"uuid": "\ufffd"}]),
        (b'{"uuid":"\\ud800x"}\n', [{"uuid": "\ufffdx"}]),
        (b'{"uuid":"\\ud83d\\ude00"}\n', [{"uuid": "\U0001f600"}]),
        (b'{"uuid":"tab\there"}\n', [{"uuid": "tab\there"}]),
        (b'{"uuid":"a"}{"uuid":"b"}\n', [{"uuid": "a"}, {"uuid": "b"}]),
        (b'{"uuid":"line\xe2\x80\xa8end"}\n', [{"uuid": "line\u2028end"}]),
    ],
)
def test_nothing_is_lost_to_odd_bytes(raw: bytes, records: list[Any]) -> None:
    assert _read(raw) == (records, [], None)


def test_a_record_spliced_into_a_torn_one_is_saved() -> None:
    raw = b'{"uuid":"a","message":{"content":"to{"uuid":"b","message":{"uuid":"c"}}\n{"uuid":"d"}\n'
    records, skipped, _ = _read(raw)
    assert [record["uuid"] for record in records] == ["b", "d"]
    assert skipped == [1]


def test_a_part_of_a_torn_record_is_not_taken_for_one() -> None:
    records, skipped, _ = _read(b'{"uuid":"a","message":{"content":[{"type":"text"}]\n')
    assert (records, skipped) == ([], [1])


def test_what_is_no_record_is_skipped_with_its_reason() -> None:
    raw = b'"text"\n[1]\nnull\n{"uuid":\n{"uuid":"a"}\n'
    items = list(Lines(io.BytesIO(raw), _ENVELOPE))
    skipped = [record for _, _, record in items if isinstance(record, SkippedRecord)]
    assert [record.line for record in skipped] == [1, 2, 3, 4]
    assert all(record.reason for record in skipped)


def test_a_last_line_without_its_newline() -> None:
    whole = list(Lines(io.BytesIO(b'{"uuid":"a"}\n{"uuid":"b"}'), _ENVELOPE))
    assert whole[-1] == (2, 25, {"uuid": "b"})
    torn = Lines(io.BytesIO(b'{"uuid":"a"}\n{"uuid":"b'), _ENVELOPE)
    assert list(torn) == [(1, 13, {"uuid": "a"})]
    assert torn.pending == 2


def test_going_on_inside_a_line_keeps_its_number() -> None:
    lines = Lines(io.BytesIO(b'\n{"uuid":"c"}\n'), _ENVELOPE, offset=25, line=2, within=True)
    assert list(lines) == [(3, 39, {"uuid": "c"})]


def test_huge_integers_and_deep_nesting() -> None:
    digits = "9" * 6000
    depth = 5000
    record = decode(f'{{"uuid":"a","n":{digits},"deep":{"[" * depth}1{"]" * depth},"z":"}}"}}')
    assert record["n"] == digits
    assert record["z"] == "}"
    assert compact(record["deep"]).count("[") == depth


@pytest.mark.parametrize(
    "text",
    [
        *("-0", "0.1e-400", "1e400", "5e-324", "1.0E+2", "NaN", "-Infinity", "1e5000"),
        *("123456789012345678901234567890", "-9223372036854775809", "1" * 4200, "1" * 4400),
        *('{"a":1,"b":2,"a":3}', r'"\/\b\u0000\ud83d\ude00"', r'"\ud83d"', r'"\udc00\ud800"'),
        *('"a\tb"', '"\x7f\x80\u2028"', "[" * 150 + "]" * 150, "[" * 250 + "]" * 250, " [ ] \r"),
    ],
)
def test_odd_values_are_what_the_standard_library_takes_them_for(text: str) -> None:
    usual = json.JSONDecoder(strict=False, parse_int=lambda digits: digits)
    held = decode(text)
    assert repr(decode(text.encode())) == repr(held)
    if "1" * 4400 in text or "\\ud" in text:
        assert isinstance(held, str) and held.encode()
    elif isinstance(held, int):
        assert str(held) == usual.decode(text).replace("-0", "0")
    else:
        assert repr(held) == repr(json.JSONDecoder(strict=False).decode(text))


@pytest.mark.parametrize(
    "text",
    ["01", "1.", ".5", "+1", "nan", "tru", "[1,]", '{"a":1,}', "{} {}", "{1:2}", '"\\x"', ""],
)
def test_what_is_no_json_is_refused(text: str) -> None:
    for form in (text, text.encode()):
        with pytest.raises(ValueError):
            decode(form)


def test_values_are_written_compactly_whatever_they_hold() -> None:
    value = {"a": [1, 1.5, None, True, 10**30, float("nan")], "ü": "\u2028\x1b", "n": "1\n2"}
    usual = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    assert compact(value) == usual
    assert compact({"half": "\ud800", "a": 1}) == '{"half":"\ud800","a":1}'
    deep: list[Any] = []
    for _ in range(400):
        deep = [deep]
    assert compact(deep) == "[" * 401 + "]" * 401


def test_a_long_line_is_read_and_its_picture_only_measured() -> None:
    data = "QUJD" * 500_000
    record = {"uuid": "a", "source": {"media_type": "image/png", "data": data}, "text": data}
    raw = json.dumps(record).encode() + b"\n"
    ((_, end, read),) = list(Lines(io.BytesIO(raw + b'{"torn'), _ENVELOPE))
    assert end == len(raw)
    assert isinstance(read, dict)
    assert read["text"] == data
    assert len(read["source"]["data"]) < len(data)
    assert attachment("image", "image/png", read["source"]["data"]) == attachment(
        "image", "image/png", data
    )
