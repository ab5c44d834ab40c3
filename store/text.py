"""Text from outside, made safe to show: the one way from a file to a screen or a terminal.

What a session holds was written by programs, web pages and strangers. A terminal obeys control
characters; bidirectional ones make a line read differently from what it says; invisible ones
hide. All of them are replaced by characters that show them, so that nothing is lost and nothing
acts. See Unicode Technical Report 36 and CVE-2021-42574 ("Trojan Source").
"""

from __future__ import annotations

import re

TAB_WIDTH = 4

_SYMBOL_FOR_NULL = 0x2400  # the Control Pictures block shows C0 in code point order
_SYMBOL_FOR_DELETE = "\u2421"

# Everything that acts or hides. Joiners, variation selectors and skin colours are looked at in
# their context: emoji and several scripts need them. Newline and tab are the layout's business.
_UNSAFE = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and newline, DEL, C1
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # soft hyphen, fillers, Arabic mark
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f"  # zero width, separators, embeddings, isolates
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"  # fillers, selectors, BOM, annotations
    "\ud800-\udfff"  # lone surrogates
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"  # shorthand, music, tags
    "\U0001f3fb-\U0001f3ff"  # skin colours, which have no width of their own
    "]"
)
_JOINER = re.compile("[\u200c\u200d]")
_SELECTOR = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_SKIN = re.compile("[\U0001f3fb-\U0001f3ff]")
_BODY = re.compile("[\u261d\u26f9\u270a-\u270d\U0001f385-\U0001faff]")  # can have a skin colour
_KEYCAPS = frozenset("#*0123456789")  # with the emoji selector they are keys
_LINE_ENDS = re.compile("\r\n?")


def printable(text: str, *, lines: bool = False) -> str:
    """Give the text with every character that acts or hides replaced by one that shows it.

    C0 controls and DEL become their pictures (ESC is `␛`), the others their number (`<U+202E>`).
    With `lines` newlines and tabs stay, and carriage returns that end a line become newlines;
    without it the result is a single line, runs of white space folded into one space.
    """
    if lines:
        if "\r" in text:
            text = _LINE_ENDS.sub("\n", text)
    else:
        text = " ".join(text.split())
    if text.isascii() and text.isprintable():
        return text
    return _UNSAFE.sub(_shown, text)


def storable(text: str) -> str:
    """Give the text with lone surrogates, which UTF-8 cannot hold, replaced by U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _shown(match: re.Match[str]) -> str:
    char = match.group()
    code = ord(char)
    if code < 0x20:
        return chr(_SYMBOL_FOR_NULL + code)
    if char == "\x7f":
        return _SYMBOL_FOR_DELETE
    if 0xD800 <= code <= 0xDFFF:
        return "\ufffd"
    shapes = _SELECTOR.match(char) or _JOINER.match(char) or _SKIN.match(char)
    if shapes and _is_part_of_a_character(match.string, match.start()):
        return char
    return f"<U+{code:04X}>"


def _is_part_of_a_character(text: str, at: int) -> bool:
    """Say whether a selector, joiner or skin colour shapes what it follows.

    One selector may follow a character, one joiner a character or its selector, a skin colour
    what has a body. Longer runs show nothing and can hide anything.
    """
    if _SKIN.match(text[at]):
        return _is_body(text, at - 1)
    if _is_base(text, at - 1):
        return True
    if _SELECTOR.match(text[at]):
        return text[at] == "\ufe0f" and at > 0 and text[at - 1] in _KEYCAPS
    return at > 1 and _SELECTOR.match(text[at - 1]) is not None and _is_base(text, at - 2)


def _is_base(text: str, at: int) -> bool:
    if at < 0 or text[at].isascii():
        return False
    if _SKIN.match(text[at]):
        return _is_body(text, at - 1)
    return not _UNSAFE.match(text[at])


def _is_body(text: str, at: int) -> bool:
    return at >= 0 and _BODY.match(text[at]) is not None and not _SKIN.match(text[at])
