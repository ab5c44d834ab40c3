from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from store.times import parse_time

_MOMENT = datetime(2026, 11, 20, 23, 34, 40, tzinfo=UTC)
_SECONDS = int(_MOMENT.timestamp())


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-20T23:34:40Z",
        "2026-11-20T23:34:40.000Z",
        "2026-11-20 23:34:40",
        " 2026-11-20T23:34:40 ",
        "2026-11-20 23:34:40 UTC",
        "2026-11-21T01:34:40+02:00",
        "Fri, 20 Nov 2026 23:34:40 GMT",
        "Fri, 20 Nov 2026 18:34:40 -0500",
        _SECONDS,
        float(_SECONDS),
        _SECONDS * 1000,
        _SECONDS * 10**6,
        _SECONDS * 10**9,
        str(_SECONDS),
        str(_SECONDS * 1000),
    ],
)
def test_a_time_is_read_whatever_its_form(value: object) -> None:
    read = parse_time(value)
    assert read == _MOMENT
    assert read is not None
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [
        *(None, "", "soon", True, 0, -5, float("nan"), float("inf"), 10**40, "9" * 60, [], {}),
        *("0001-01-01T00:00:00+14:00", "2026-13-45", "x" * 100_000),
    ],
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert parse_time(value) is None


def test_fractions_are_kept() -> None:
    assert parse_time("2026-11-20T23:34:40.918Z") == _MOMENT.replace(microsecond=918000)
    assert parse_time("2026-11-20T23:34:40.90101572Z") == _MOMENT.replace(microsecond=901015)
    assert parse_time(_SECONDS * 1000 + 918) == _MOMENT.replace(microsecond=918000)
