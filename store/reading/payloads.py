"""Leaving out the middle of attachments while a long line is read.

A picture pasted into a prompt is megabytes of base64 in the middle of a line, of which only the
size is of use. What is left out is replaced by a mark with its length; `~` is no base64.
"""

from __future__ import annotations

import re

_BASE64 = re.compile(rb"[A-Za-z0-9+/=]*+")
_MEMBER = re.compile(rb'"(?:data|file_data|blob)"\s*:\s*\Z')
_URL = re.compile(rb"data:[^,;]{1,100}(?:;[^,;]{1,100})*;base64,")
_MARK = re.compile(r"~(\d+)~")


class Payloads:
    """Follows one line, block by block."""

    def __init__(self) -> None:
        self._is_inside = False
        self._left_out = 0

    def leaves_out(self, parts: list[bytes], block: bytes) -> bool:
        """Tell whether a whole block, after the `parts` of its line, need not be kept."""
        if not _BASE64.fullmatch(block):
            self.end(parts)
            return False
        self._is_inside = self._is_inside or _is_in_payload(parts)
        if self._is_inside:
            self._left_out += len(block)
        return self._is_inside

    def end(self, parts: list[bytes]) -> None:
        """Put the mark for what was left out where it was."""
        if self._left_out:
            parts.append(b"~%d~" % self._left_out)
        self._is_inside = False
        self._left_out = 0


def encoded_length(data: str) -> int:
    """Give the length that a base64 text had before its middle was left out."""
    if "~" not in data:
        return len(data)
    left_out = sum(int(number) for number in _MARK.findall(data))
    return len(_MARK.sub("", data)) + left_out


def _is_in_payload(parts: list[bytes]) -> bool:
    """Tell whether what follows these parts of a line goes on with an attachment's base64."""
    tail = parts[-1]
    head, quote, begun = tail.rpartition(b'"')
    if not quote:
        return False
    url = _URL.match(begun)
    if url is None and not _MEMBER.search(head[-64:]):
        return False
    return _BASE64.fullmatch(begun, url.end() if url else 0) is not None
