"""Text from outside: nothing in it acts, nothing hides, nothing is lost."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.text import printable, storable

EVERY_CHARACTER = st.characters(exclude_categories=[])
ANY_TEXT = st.text(EVERY_CHARACTER)
TROUBLE = st.text(
    st.sampled_from(
        "a5#é日😀👩👍🏽🏿\u200d\u200c\ufe0f\ufe00\U000e0100\u202e\x80\x1b\0\r\n\t \ud800\u2028"
    )
)

JOINERS = {"\u200c", "\u200d"}
SKINS = {*map(chr, range(0x1F3FB, 0x1F400))}
SELECTORS = {*map(chr, range(0xFE00, 0xFE10)), *map(chr, range(0xE0100, 0xE01F0))}

# Format characters that are drawn: signs that Arabic, Syriac and Kaithi numbers are written under,
# and the joints of hieroglyphs.
DRAWN = {
    *map(chr, (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)),
    *map(chr, range(0x13430, 0x13440)),
}
# Default_Ignorable_Code_Point of the Unicode Character Database, but for joiners and selectors.
IGNORABLE = {
    *map(chr, (0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0)),
    *map(chr, range(0x180B, 0x1810)),
    *map(chr, range(0x2060, 0x2070)),
    *map(chr, range(0xFFF0, 0xFFF9)),
    *map(chr, range(0x1BCA0, 0x1BCA4)),
    *map(chr, range(0x1D173, 0x1D17B)),
    *map(chr, range(0xE0000, 0xE1000)),
} - SELECTORS


def acts_or_hides(char: str) -> bool:
    if char in JOINERS or char in SELECTORS:
        return False  # looked at with their neighbours
    category = unicodedata.category(char)
    return (
        category in ("Cc", "Cs", "Zl", "Zp")
        or (category == "Cf" and char not in DRAWN)
        or char in IGNORABLE
    )


def check(shown: str, *, lines: bool) -> None:
    layout = {"\n", "\t"} if lines else set()
    assert [hex(ord(c)) for c in shown if acts_or_hides(c) and c not in layout] == []


@pytest.mark.parametrize("lines", [False, True])
def test_no_character_of_all_acts_or_hides(lines: bool) -> None:
    alone = JOINERS | SELECTORS | SKINS
    for char in map(chr, range(sys.maxunicode + 1)):
        shown = printable(char, lines=lines)
        if shown == char:
            assert char not in alone
            assert not acts_or_hides(char) or (lines and char in "\n\t"), hex(ord(char))
        else:
            assert acts_or_hides(char) or char in alone or char.isspace(), hex(ord(char))
            check(shown, lines=lines)


@settings(max_examples=300)
@given(ANY_TEXT | TROUBLE, st.booleans())
def test_no_text_acts_or_hides(text: str, lines: bool) -> None:
    shown = printable(text, lines=lines)
    check(shown, lines=lines)
    shown.encode()
    if not lines:
        assert not set(shown) & {"\n", "\t", "\r"}
        assert "  " not in shown
        assert shown == shown.strip()


@settings(max_examples=500)
@given(ANY_TEXT | TROUBLE, st.booleans())
def test_what_was_made_printable_is(text: str, lines: bool) -> None:
    shown = printable(text, lines=lines)
    assert printable(shown, lines=lines) == shown


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E)))
def test_plain_text_is_left_alone(text: str) -> None:
    assert printable(text) == printable(text, lines=True) == text


@pytest.mark.parametrize(
    "text",
    [
        "👩\u200d👩\u200d👧\u200d👦",
        "🏳\ufe0f\u200d🌈",
        "👍🏽 ☝🏻 👩🏽\u200d💻",
        "❤\ufe0f",
        "5\ufe0f\u20e3 #\ufe0f\u20e3",
        "می\u200cخواهم",
        "क्\u200dष",
        "葛\U000e0100城",
        "日本語 تقرير דוח e\u0301",
    ],
)
def test_writing_that_needs_joiners_keeps_them(text: str) -> None:
    assert printable(text) == printable(text, lines=True) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", "␛[31mred"),
        ("\x07\x00\x7f", "␇␀␡"),
        ("\x9b5n", "<U+009B>5n"),
        ("exe\u202egnp", "exe<U+202E>gnp"),
        ("a\u200bb", "a<U+200B>b"),
        ("a\u200db", "a<U+200D>b"),
        ("\ufeffbom", "<U+FEFF>bom"),
        ("tag\U000e0041", "tag<U+E0041>"),
        ("half\ud83d", "half\ufffd"),
        ("a🏽 🏽 👍🏽🏿", "a<U+1F3FD> <U+1F3FD> 👍🏽<U+1F3FF>"),
    ],
)
def test_what_acts_is_shown(text: str, shown: str) -> None:
    assert printable(text) == printable(text, lines=True) == shown


def test_nothing_is_smuggled_behind_an_emoji() -> None:
    secret = "".join(chr(0xE0100 + byte) for byte in b"run rm -rf") + "\u200d\u200c" * 8
    shown = printable("😀" + secret)
    assert "<U+E0162>" in shown or "<U+E0172>" in shown
    assert sum(char in JOINERS | SELECTORS for char in shown) <= 2


def test_lines_stay_lines_and_one_line_is_one() -> None:
    text = " a\r\nb\rc\n\td  e \x0b\x0c f\u2028g"
    assert printable(text, lines=True) == " a\nb\nc\n\td  e ␋␌ f<U+2028>g"
    assert printable(text) == "a b c d e f g"


@given(ANY_TEXT)
def test_what_is_storable_can_be_stored(text: str) -> None:
    stored = storable(text)
    stored.encode()
    assert storable(stored) == stored
    if not any(unicodedata.category(char) == "Cs" for char in text):
        assert stored == text


def test_halves_of_a_character_find_each_other() -> None:
    assert storable("a\ud83d\ude00b\ud83d") == "a😀b\ufffd"
