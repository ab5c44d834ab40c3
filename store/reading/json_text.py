"""JSON as it is found in files that crashed, were spliced or were written by something odd.

The strict decoder that pydantic brings does nearly all of the work, in half of the time of the
standard library's, and agrees with it on what both can take. What it refuses (control characters
and bytes that are no UTF-8, nesting past 200, escapes of half a surrogate pair) is taken by the
latter; and what that cannot take either (integers over 4,300 digits, nesting past the recursion
limit) by slower ways.
"""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic_core import from_json, to_json

from store.text import storable

_MAX_DEPTH = 100
_MAX_DIGITS = 4000  # the interpreter refuses to convert from 4,300 on

_TOKENS = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{]|[\]}]', re.DOTALL)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) < _MAX_DIGITS else digits


_plain = json.JSONDecoder(strict=False)
_lenient = json.JSONDecoder(strict=False, parse_int=_integer)


def decode(text: str | bytes) -> Any:
    """Decode one JSON value. Raises ValueError, and nothing else, when the text is not one.

    Bytes are UTF-8; what is not is replaced. Control characters in strings are taken as they are.
    An integer too long to convert becomes its digits as text, and what is nested too deep becomes
    its JSON as text. No string in the result has a lone surrogate.
    """
    try:
        return from_json(text, cache_strings="keys")
    except ValueError:
        return _decoded(text if isinstance(text, str) else str(text, "utf-8", "replace"))


def _decoded(text: str) -> Any:
    try:
        value = _plain.decode(text)
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError):
        try:
            value = _lenient.decode(_flattened(text))
        except RecursionError:
            raise ValueError("nested too deeply") from None
    return _clean(value) if _may_hold_surrogates(text) else value


def decode_at(text: str, start: int) -> tuple[Any, int]:
    """Decode the JSON value that begins at `start`; also give where it ends. Raises ValueError."""
    try:
        value, end = _lenient.raw_decode(text, start)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return (_clean(value) if _may_hold_surrogates(text) else value), end


def compact(value: object) -> str:
    """Give a value as JSON on one line, without spaces and with every script as it is."""
    try:
        return to_json(value, inf_nan_mode="constants").decode()
    except ValueError:  # half a surrogate pair, or nested too deep for this way
        pass
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, TypeError, RecursionError):
        return storable(str(type(value).__name__))


def _may_hold_surrogates(text: str) -> bool:
    return "\\u" in text and ("\\ud" in text or "\\uD" in text)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    try:
        if isinstance(value, dict):
            return {storable(key): _clean(item) for key, item in value.items()}
        if isinstance(value, list):
            return [_clean(item) for item in value]
    except RecursionError:
        return storable(compact(value))
    return value


def _flattened(text: str) -> str:
    """Turn every array and object that is nested too deep into a string of its own JSON."""
    depth = 0
    begun = 0
    taken = 0
    pieces: list[str] = []
    for match in _TOKENS.finditer(text):
        mark = match.group()
        if mark in "[{":
            depth += 1
            if depth == _MAX_DEPTH:
                begun = match.start()
        elif mark in "]}":
            if depth == _MAX_DEPTH:
                pieces += (text[taken:begun], json.dumps(text[begun : match.end()]))
                taken = match.end()
            depth -= 1
    return "".join((*pieces, text[taken:]))
