"""The part of a message that shows why it was found."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from store.query.matching import matches
from store.query.model import Term
from store.query.parser import parse_query
from store.snippets import ELLIPSIS, LEAST_WIDTH, snippet

WORKER = (
    "The upload worker keeps retrying for ever because there is no backoff in retry_loop();"
    " see src/upload.py:42 and fooBar."
)


def lit(text: str, query: str, width: int = 60) -> str:
    """Give a snippet with its marks in brackets."""
    line, marks = snippet(text, parse_query(query).terms, width)
    for start, end in reversed(marks):
        line = f"{line[:start]}[{line[start:end]}]{line[end:]}"
    return line


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("retry", "…no backoff in [retry]_loop(); see src/upload.py:42 and…"),
        ("RETRY backoff", "…there is no [backoff] in [retry]_loop(); see src/upload.py:42…"),
        ("ret*", "…worker keeps [ret]rying for ever because there is no backoff…"),
        ("etry", "…worker keeps r[etry]ing for ever because there is no backoff…"),
        ("foo", "…backoff in retry_loop(); see src/upload.py:42 and [foo]Bar."),
        ("up*", "The [up]load worker keeps retrying for ever because there is…"),
        ("src/upload.py:42", "…backoff in retry_loop(); see [src/upload.py:42] and fooBar."),
        ('"upload py"', "…backoff in retry_loop(); see src/[upload.py]:42 and fooBar."),
        ("();", "…backoff in retry_loop[();] see src/upload.py:42 and fooBar."),
        ("nowhere", "The upload worker keeps retrying for ever because there is…"),
        ("-upload", "The upload worker keeps retrying for ever because there is…"),
        ("", "The upload worker keeps retrying for ever because there is…"),
    ],
)
def test_a_snippet_is_cut_around_what_was_looked_for(query: str, expected: str) -> None:
    line = lit(WORKER, query)
    assert line == expected
    assert len(line.replace("[", "").replace("]", "")) <= 60


def test_most_terms_together_are_better_than_the_first_alone() -> None:
    text = "retry " + "filler " * 50 + "the retry and its backoff " + "filler " * 50
    assert "[retry] and its [backoff]" in lit(text, "retry backoff")
    short = "retry " + "filler " * 12 + "the retry and its backoff " + "filler " * 12
    assert "[retry] and its [backoff]" in lit(short, "retry backoff")


def test_case_and_accents_make_no_difference() -> None:
    assert lit("Ärger, naïve CAFE\u0301", "arger naive café") == "[Ärger], [naïve] [CAFE\u0301]"
    assert lit("Arger", "ärger") == "[Arger]"
    assert lit("ОТЧЁТ", "отчёт") == "[ОТЧЁТ]"
    assert lit("straße STRASSE", "straße") == "[straße] STRASSE"


def test_whole_words_are_marked_where_there_are_any() -> None:
    assert lit("category cat concatenate", "cat") == "category [cat] concatenate"
    assert lit("my_cat catFood bigCat x2cat", "cat") == "my_[cat] [cat]Food big[Cat] x2[cat]"
    assert lit("concatenate", "cat") == "con[cat]enate"
    assert lit("日本語の検索です", "検索") == "日本語の[検索]です"
    assert lit("cats", "cat*") == "[cat]s"
    assert lit("git commit --no-verify now", "--no-verify") == "git commit --[no-verify] now"


def test_blanks_become_one_and_a_phrase_spans_them() -> None:
    assert lit("\n\n  back\n\t  off  \r\n", '"back off"') == "[back off]"
    assert lit("a\u2028b", "b") == "a [b]"


def test_a_word_longer_than_the_line_is_cut() -> None:
    line = lit("x" * 500 + "needle" + "y" * 500, "needle", 30)
    assert line == "…xxxxxxx[needle]" + "y" * 15 + "…"


def test_deep_in_a_huge_text_a_word_is_found_as_it_was_typed() -> None:
    deep = "filler text " * 8_000 + "Needle in here " + "more of it " * 500_000
    assert lit(deep, "needle", 40) == "…text [Needle] in here more of it more of…"
    deeper = "filler text " * 200_000 + "needle"
    assert lit(deeper, "needle", 40) == "filler text filler text filler text…"


WORDS = st.lists(
    st.sampled_from(
        ["retry", "Retry", "backoff", "fooBar", "src/x.py:42", "…", "é", "E\u0301", "日本語"]
    )
    | st.text(max_size=6),
    max_size=60,
)  # fmt: skip
BLANKS = st.sampled_from([" ", "\n", "  \t ", " " * 700, "\u3000", ", "])
TERMS = st.lists(
    st.builds(
        Term,
        st.sampled_from(["retry", "backoff", "bar", "py", "日", "e", "x.py", "."])
        | st.text(min_size=1, max_size=4).filter(lambda text: text.strip()),
        is_prefix=...,
        is_phrase=...,
        is_excluded=...,
    ),
    max_size=4,
)


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


@given(WORDS, BLANKS, TERMS, st.integers(LEAST_WIDTH, 200))
@example(["…"] * 20, " ", [Term("…")], 16)
def test_a_snippet_is_a_part_of_the_text_and_its_marks_are_places_in_it(
    words: list[str], blank: str, terms: list[Term], width: int
) -> None:
    text = blank.join(words)
    folded = " ".join(text.split())
    line, marks = snippet(text, terms, width)
    assert len(line) <= width
    assert line == " ".join(line.split())
    cut_left = line.startswith(ELLIPSIS) and not folded.startswith(line[:2])
    part = line[cut_left:]
    assert part in folded or part.removesuffix(ELLIPSIS) in folded
    if len(folded) <= width and len(text) <= 4 * width:
        assert line == folded
    end = 0
    for start, stop in marks:
        assert end <= start < stop <= len(line)
        end = stop
    assert bool(marks) <= any(not term.is_excluded for term in terms)


@given(st.lists(st.sampled_from(["one", "Twö", "three", "x9", "a.b"]), min_size=1), st.data())
def test_a_word_of_the_text_is_marked(words: list[str], data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(words))
    line, marks = snippet(" ".join(words), [Term(word)], 40)
    assert marks
    for start, end in marks:
        assert _plain(line[start:end]) == _plain(word)


@given(st.text(max_size=80), TERMS)
def test_places_of_terms_are_in_order_and_hold_them(text: str, terms: list[Term]) -> None:
    found = matches(text, terms)
    assert found == sorted(found)
    looked_for = [term for term in terms if not term.is_excluded]
    for match in found:
        assert 0 <= match.start < match.end <= len(text)
        letters = [char for char in _plain(looked_for[match.term].text) if char.isalnum()]
        if letters:
            assert letters[0] in _plain(text[match.start : match.end])
