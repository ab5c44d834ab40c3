"""Small readings of values of which nothing is known: no field of a record has a sure type."""

from __future__ import annotations

import re
from typing import Any

from store.reading.payloads import encoded_length

_ATTACHMENT = re.compile(r"\[(?:image|document|file): [^\]]*\]")
_TITLE_LENGTH = 200


def text_of(value: object) -> str:
    """Give the value if it is text, else empty text."""
    return value if isinstance(value, str) else ""


def object_of(value: object) -> dict[str, Any]:
    """Give the value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: object) -> list[Any]:
    """Give the value if it is a JSON array, else an empty one."""
    return value if isinstance(value, list) else []


def title_of(text: str) -> str | None:
    """Make a title of a text: one line of at most 200 characters. None when nothing is left."""
    title = " ".join(text[: _TITLE_LENGTH * 20].split())
    if len(title) > _TITLE_LENGTH:
        title = title[: _TITLE_LENGTH - 1].rstrip() + "…"
    return title or None


def without_attachments(text: str) -> str:
    """Give a text without the lines that stand for attachments."""
    if "[" not in text:
        return text
    return "\n".join(line for line in text.split("\n") if not _ATTACHMENT.fullmatch(line))


def attachment(what: str, media: object, encoded: object) -> str:
    """Give the line that stands for an attachment, e.g. `[image: image/png, 1234 bytes]`.

    `encoded` is its content in base64, if that is at hand.
    """
    kind = text_of(media) or "unknown type"
    data = text_of(encoded)
    if not data:
        return f"[{what}: {kind}]"
    size = encoded_length(data) * 3 // 4 - data[-2:].count("=")
    return f"[{what}: {kind}, {size} bytes]"


def data_url(what: str, url: object) -> str:
    """Give the line that stands for an attachment held as `data:TYPE;base64,...` or by address."""
    head, comma, data = text_of(url).partition(",")
    if head.startswith("data:") and comma:
        return attachment(what, head[5:].partition(";")[0], data)
    return f"[{what}: {head[:200] or 'unknown type'}]"
