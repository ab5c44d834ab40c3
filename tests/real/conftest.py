from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.lab import Lab, Proxy, place


@pytest.fixture
def lab() -> Iterator[Lab]:
    found = place()
    # A short path: sockets are made below it.
    with tempfile.TemporaryDirectory(prefix="bs-", ignore_cleanup_errors=True) as top:
        made = Lab(found, Path(top), Proxy(int((found / "port").read_text())))
        try:
            yield made
        finally:
            made.close()
