"""The pictures in the repository show today's screen."""

from __future__ import annotations

import re

import pytest

from tests.screenshots import FOLDER, PICTURES, Picture, take


def words(svg: str) -> list[str]:
    """Give the text of a picture; styles differ between Textual's versions, words do not."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
async def test_a_picture_is_current(picture: Picture) -> None:
    kept = (FOLDER / f"{picture.name}.svg").read_text("utf-8")
    now = await take(picture)
    assert words(now) == words(kept), "run `python -m tests.screenshots`"
    assert any("backscroll" in text for text in words(now))
