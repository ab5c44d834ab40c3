"""Markdown in the history: what a person reads, at any width and wherever a text is cut."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from store.models import Kind, Message, Role
from tests.tui.drawn import COLOURS, GROUNDS, LOOK, colour_of, is_control, shown, styles
from tests.tui.histories import message, reading
from tui.render import plan
from tui.render.blocks import cut
from tui.render.history import message_lines, plan_message
from tui.render.markdown import Page, markdown_rows
from tui.render.parser import definitions
from tui.render.plan import FULL_FROM, LINES, PART, Fold

ANSWER = """\
# The retry storm

The upload path retries in **three** layers, and each of
them *multiplies* the one below: `send_chunk` retries.
See [the log](https://logs.example.com/retry).

## Found

1. It sleeps for a second
   - no jitter, so all clients come back together
   - the header is ~~ignored~~ read
2. A test was skipped:

   ```python
   def test_storm() -> None:
       assert requests < 400
   ```

- [x] reproduce
- [ ] measure

> A number is a minimum,
> not a suggestion.
>
> > RFC 9110

| layer | tries | who sees it |
|:------|------:|:-----------:|
| `send_chunk` | 5 | the person |
| 队列 | ∞ | the gateway |

---

    indented = "code"

![the storm](storm.png)

Raw <b>HTML</b> stays, and a hard break\\
stays a break.
"""

AT_72 = """\
The retry storm

The upload path retries in three layers, and each of them
multiplies the one below: send_chunk retries. See the log
(https://logs.example.com/retry).

Found

1. It sleeps for a second
   • no jitter, so all clients come back together
   • the header is ignored read
2. A test was skipped:

     python
     def test_storm() -> None:
         assert requests < 400

☑ reproduce
☐ measure

▎ A number is a minimum, not a suggestion.
▎
▎ ▎ RFC 9110

layer      │ tries │ who sees it
───────────┼───────┼────────────
send_chunk │     5 │ the person
队列       │     ∞ │ the gateway

────────────────────────

  indented = "code"

▣ image: the storm (storm.png)

Raw <b>HTML</b> stays, and a hard break
stays a break."""

AT_38 = """\
The retry storm

The upload path retries in three
layers, and each of them
multiplies the one below:
send_chunk retries. See the log
(https://logs.example.com/retry).

Found

1. It sleeps for a second
   • no jitter, so all clients
     come back together
   • the header is ignored read
2. A test was skipped:

     python
     def test_storm() -> None:
         assert requests < 400

☑ reproduce
☐ measure

▎ A number is a minimum, not a
▎ suggestion.
▎
▎ ▎ RFC 9110

layer      │ tries │ who sees it
───────────┼───────┼────────────
send_chunk │     5 │ the person
队列       │     ∞ │ the gateway

────────────────────────

  indented = "code"

▣ image: the storm (storm.png)

Raw <b>HTML</b> stays, and a hard
break
stays a break."""


# What is read


def test_an_answer_reads_as_it_was_meant() -> None:
    assert shown(ANSWER, 72) == AT_72


def test_a_narrow_answer_is_wrapped_anew() -> None:
    assert shown(ANSWER, 38) == AT_38


def test_what_is_said_stands_out() -> None:
    assert styles(ANSWER, "three").bold
    assert styles(ANSWER, "multiplies").italic
    assert styles(ANSWER, "ignored").strike
    assert styles(ANSWER, "the log").underline
    assert styles(ANSWER, "layer ").bold
    assert styles(ANSWER, "The retry storm").underline
    assert colour_of(ANSWER, "The retry storm") == colour_of(ANSWER, "Found") == "heading"
    assert colour_of(ANSWER, "send_chunk") == "code"
    assert colour_of(ANSWER, "the log") == "link"
    assert colour_of(ANSWER, "(https://logs") == colour_of(ANSWER, "<b>") == "note"
    assert not styles(ANSWER, "stays, and").bold


def test_code_has_the_colours_of_its_language() -> None:
    assert colour_of(ANSWER, "def") == colour_of(ANSWER, "assert") == "keyword"
    assert colour_of(ANSWER, "test_storm") == "function"
    assert colour_of(ANSWER, "400") == "number"
    ground = styles(ANSWER, "requests")
    assert ground.bgcolor == GROUNDS["block"].bgcolor
    assert styles(ANSWER, "indented").bgcolor == ground.bgcolor


def test_combined_marks_are_all_shown() -> None:
    both = styles("a ***word*** and [**link**](x)", "word")
    assert both.bold
    assert both.italic
    linked = styles("a ***word*** and [**link**](x)", "link")
    assert linked.bold
    assert linked.underline


def test_a_prompt_keeps_the_line_ends_that_were_typed() -> None:
    typed = "first line\nsecond line\n- an item\n  of two"
    assert "\nsecond line\n\n• an item\n  of two" in shown(typed, role=Role.USER, is_prompt=True)
    assert "first line second line" in shown(typed)


def test_lines_of_han_are_joined_without_a_blank() -> None:
    assert shown("漢字\n漢字 a\nb") == "漢字漢字 a b"


def test_addresses_are_shown_once_and_as_they_were_written() -> None:
    assert shown("<https://a.example/ü>") == "https://a.example/ü"
    assert shown("[https://a.example](https://a.example)") == "https://a.example"
    assert shown("<me@a.example>") == "me@a.example"
    assert shown("[x](<a b.py> 'title')") == 'x (a b.py) "title"'
    assert shown("[x](javascript:alert)") == "x (javascript:alert)"
    assert shown("[x]()") == "x"


def test_a_link_finds_its_address_anywhere_in_the_message() -> None:
    defined = "[1]: https://a\n[2]: b"
    lines = shown(f"See [the docs][1], [2] and [none][3].\n\n{'word ' * 2_000}\n\n{defined}")
    assert "See the docs (https://a), 2 (b) and [none][3]." in lines
    assert lines.endswith(defined)


def test_pictures_have_lines_of_their_own() -> None:
    assert shown("before ![a *picture*](x.png) after") == (
        "before\n▣ image: a picture (x.png)\nafter"
    )
    assert shown("[![badge](a.svg)](https://ci)") == "▣ image: badge (a.svg) (https://ci)"
    data = shown("![](data:image/png;base64," + "A" * 500 + ")")
    assert data.startswith("▣ image (data:image/png;base64,AAA")
    assert len(data) < 70
    assert shown("| ![x](y) |\n|---|\n| z |").startswith("▣ image: x (y)\n")


def test_html_is_text() -> None:
    assert shown("<details>\n<summary>more</summary>\n\n*x*\n\n</details>") == (
        "<details>\n<summary>more</summary>\n\nx\n\n</details>"
    )
    assert shown("<!-- a\n\nb -->") == "<!-- a\n\nb -->"


def test_items_are_told_apart_and_numbered_as_they_were() -> None:
    assert shown("* a\n  * b\n    * c\n") == "• a\n  ◦ b\n    ▪ c"
    assert shown("7) a\n8) b") == "7) a\n8) b"
    assert shown("9. a\n10. b") == " 9. a\n10. b"
    assert shown("-\n- b") == "•\n• b"
    assert shown("- a\n\n- b") == "• a\n\n• b"


def test_what_is_too_deep_or_too_much_is_shown_as_it_is() -> None:
    deep = "> " * 1_000 + "word"
    assert "word" in shown(deep, 60)
    marks = "*[a " * 500
    assert "".join(shown(marks).split()) == "".join(marks.split())


# Tables


def test_a_wide_table_is_wrapped_in_its_cells() -> None:
    table = "| a | b |\n|---|---|\n| short | a long cell that goes on and on and on |\n| x | y |"
    assert shown(table, 46) == textwrap.dedent(
        """\
        a     │ b
        ──────┼────────────────────────────
        short │ a long cell that goes on
              │ and on and on
        ──────┼────────────────────────────
        x     │ y"""
    )


def test_a_table_without_room_is_written_cell_by_cell() -> None:
    columns = "|".join(f"name{i}" for i in range(9))
    cells = "|".join(f"value{i}" for i in range(9))
    text = shown(f"|{columns}|\n|{'-|' * 9}\n|{cells}|\n", 44)
    assert text.split("\n")[:2] == ["name0: value0", "name1: value1"]


def test_a_table_keeps_cells_beyond_its_columns() -> None:
    assert "b | c \\| d" not in shown("|x|y|\n|-|-|\n|a|b|c \\| d|")
    assert "b | c | d" in shown("|x|y|\n|-|-|\n|a|b|c \\| d|")


def test_borders_meet_in_every_script() -> None:
    for width in (30, 44, 61, 100):
        lines = shown("|漢字|b|\n|-|-:|\n|한국어 텍스트|**bold**|\n|a|`漢`|", width).split("\n")
        places = {cell_len(line[: line.index("│")]) for line in lines if "│" in line}
        assert len(places) == 1


# Long texts, in parts


def rows_of(text: str, size: int = 200, width: int = 80, lines: int = 10_000) -> list[str]:
    """Give the lines of a text that is cut into parts of so many characters."""
    parts = cut(text, size, lines)
    out: list[str] = []
    named = definitions(text)
    for number, (at, opening) in enumerate(parts):
        end = parts[number + 1][0] if number + 1 < len(parts) else len(text)
        page = Page(LOOK, LOOK.text, width, width, named=named)
        for row in markdown_rows(text[at:end], opening, page, is_first=not number):
            lead = "".join(segment.text for segment in row.lead)
            assert cell_len(lead) == cell_len("".join(segment.text for segment in row.follow))
            out.append((lead + row.text).rstrip())
    return out


def whole(text: str) -> list[str]:
    return rows_of(text, 100_000)


def test_a_text_that_is_cut_between_blocks_reads_the_same() -> None:
    for size in (200, 300, 500):
        assert len(cut(ANSWER, size)) > 1
        assert rows_of(ANSWER, size) == whole(ANSWER)


def test_a_fence_goes_on_in_its_language_after_a_cut() -> None:
    body = "\n".join(f"    return {i}  # some words to fill the line" for i in range(400))
    text = f"Look:\n\n- in an item:\n\n  ~~~py\n{textwrap.indent(body, '  ')}\n  ~~~\n\nDone."
    planned = plan_message(message(1, text), Fold.FULL)
    assert planned.parts > 4
    strips = message_lines(message(1, text), 90, LOOK, Fold.FULL)
    keywords = [s for strip in strips for s in strip if s.text == "return"]
    assert len(keywords) == 400
    assert all(s.style and s.style.color == COLOURS["keyword"].color for s in keywords)
    assert sum("py" in strip.text for strip in strips) == 1
    assert strips[-1].text.strip() == "Done."
    blank = [strip.text for strip in strips if not strip.text.strip()]
    assert len(blank) == 4  # before the answer, the list, the fence and its end: none at a cut


def test_a_long_table_keeps_its_columns() -> None:
    body = "".join(f"| row {i} | {'x' * (i % 40)} | `{i}` |\n" for i in range(400))
    strips = message_lines(
        message(1, f"| a | b | c |\n|---|---|--:|\n{body}"), 100, LOOK, Fold.FULL
    )
    lines = [strip.text for strip in strips if "│" in strip.text]
    assert len(lines) == 401
    places = {tuple(i for i, char in enumerate(line) if char == "│") for line in lines}
    assert len(places) == 1


def test_a_list_goes_on_after_a_cut() -> None:
    text = "\n".join(f"- item {i} of a list\n  1. inner {i}\n\n     more of it" for i in range(60))
    assert rows_of(text, 300) == whole(text)
    numbered = "\n".join(f"{i}. item {i}" for i in range(100, 200))
    assert rows_of(numbered, 300) == whole(numbered)


def test_a_quote_goes_on_after_a_cut() -> None:
    text = "\n>\n".join(f"> - item {i} in a quote\n>   of two lines" for i in range(40))
    assert rows_of(text, 300) == whole(text)


def test_code_html_and_headings_go_on_after_a_cut() -> None:
    code = "".join(f"    line {i} of code\n" + "\n" * (i % 7 == 0) for i in range(60))
    html = "".join(f"<div>{i} of many\n" for i in range(60))
    headings = "".join(f"heading {i}\n---\ntext {i}\n\n" for i in range(40))
    for text in (f"So:\n\n{code}\nDone.", f"{html}\nDone.", headings):
        assert rows_of(text, 300) == whole(text)


def test_most_lines_do_not_make_a_part_long() -> None:
    text = "- a\n" * 4_000
    planned = plan_message(message(1, text), Fold.FULL)
    assert max(planned.text(part).count("\n") for part in range(planned.parts)) <= LINES + 1


def test_unfolding_a_huge_text_leaves_what_was_shown() -> None:
    text = ("**word** and more\n\n" * 40 + "```\ncode\n```\n\n") * 200
    assert len(text) > 2 * FULL_FROM
    short = message_lines(message(1, text), 80, LOOK, Fold.SUMMARY)
    full = message_lines(message(1, text), 80, LOOK, Fold.FULL)
    assert "more characters" in short[-1].text
    shown = [strip.text for strip in short[:-3]]  # the last line of it breaks off
    assert [strip.text for strip in full[: len(shown)]] == shown


async def test_a_resize_keeps_the_text_at_the_top_among_tables_and_quotes() -> None:
    def told(seq: int) -> Message:
        row = "a cell of some words and more words | x |"
        table = "".join(f"| t{seq}-{i} | {row}\n" for i in range(20))
        quote = "".join(f"> q{seq}-{i} and so on, to fill the line\n" for i in range(20))
        return message(seq, f"# h{seq}\n\n| a | b | c |\n|---|---|---|\n{table}\n{quote}")

    async with reading(50, told) as reader:
        reader.view.go_to(25)
        await reader.settle()
        while "q25-7 " not in reader.lines()[0]:
            await reader.press("down")
        for width in (50, 140, 60, 100):
            await reader.pilot.resize_terminal(width, 30)
            await reader.settle()
            assert "q25-7 " in " ".join(reader.lines()[:3])


# Nothing of it commands the terminal


ENTITIES = (
    "&#27;[31m &#x202e; &rlm; &lrm; &shy; &ZeroWidthSpace; &#x200b; &#xfeff; &#155; &#7; &NewLine;"
    " &Tab; &#xE0041; &#x2028; &#13;"
)


FORMS = (
    *("{}", "# {}", "- {}", "> {}", "| {} |\n|---|\n| {} |", "**{}**", "`{}`", "```{}\n{}\n```"),
    *("[{}]({} '{}')", "![{}]({} '{}')", "<b {}>", "[a]: {}", "<https://a/{}>", "[x](<{}>)"),
    "    {}",
)


RAW = "\x1b[31m \u202e \u200f \xad \u200b \ufeff \x9b \x07 \U000e0041 \u2028"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("what", [ENTITIES, RAW])
def test_nothing_acts_however_it_is_written(form: str, what: str) -> None:
    text = form.replace("{}", what)
    for strip in message_lines(message(1, text), 120, LOOK, Fold.FULL):
        assert not any(map(is_control, strip.text)), repr(strip.text)
        assert not any(unsafe in strip.text for unsafe in "\u200e\u200f\xad\ufeff\u2028\U000e0041")
        assert not any(segment.style and segment.style.link for segment in strip)
    if form == "{}":
        assert "<U+202E>" in shown(text)
        assert "<U+200F>" in shown(text)


# For any text


WORDS = st.integers(0, 999).map(lambda number: f"w{number:03}x")
MARKS = st.sampled_from(
    [
        *("#>-*_`~[]()<>|\\!&:=+ \t"),
        *("\n", "\n", "\n\n", "\r\n", "  ", "    ", "- ", "1. ", "> ", "[ ] ", "**", "](", "---"),
        *("```", "~~~", "```diff\n", "@@ ", "| a | b |\n|---|--:|\n", "|---|--:|\n", "https://"),
        *("<b>", "<div>", "<!--", "&amp;", "&#10;", "漢字", "👨‍👩‍👧", "e\u0301", "\x1b", "\u202e"),
    ]
)
TEXTS = st.lists(WORDS | MARKS, max_size=60).map("".join)
LEFT_OUT = re.compile(r"[\s▎│─┼•◦▪☐☑]+")


@given(TEXTS, st.integers(4, 130), st.booleans())
@settings(max_examples=200, deadline=None)
def test_every_line_is_as_wide_as_asked(text: str, width: int, is_prompt: bool) -> None:
    role = Role.USER if is_prompt else Role.ASSISTANT
    for strip in message_lines(
        message(1, text, role=role, is_prompt=is_prompt), width, LOOK, Fold.FULL
    ):
        assert cell_len(strip.text) == strip.cell_length == width
        assert not any(map(is_control, strip.text)), repr(strip.text)


@given(TEXTS, st.sampled_from([60, 150, 10_000]), st.sampled_from([3, 10_000]))
@settings(max_examples=200, deadline=None)
def test_no_word_is_lost_or_said_twice(text: str, size: int, lines: int) -> None:
    # But for addresses that are named: they are said where they are used, and where they stand.
    text = text.replace("\r\n", "\n").replace("]:", "] :")
    said = "".join(rows_of(text, size, 1_000, lines))
    assert re.findall(r"w\d+x", LEFT_OUT.sub("", said)) == re.findall(r"w\d+x", text)


@given(TEXTS, st.integers(20, 300), st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_parts_follow_one_another_and_are_short(text: str, size: int, lines: int) -> None:
    text = text.replace("\r\n", "\n")
    starts = [at for at, _ in cut(text, size, lines)] + [len(text)]
    assert starts[0] == 0
    for begin, end in pairwise(starts):
        assert 0 < end - begin <= size or not text
        assert len(re.findall(r"\n[> ]*(?=[^> \n])", text[begin:end])) <= lines


def test_long_messages_are_cut_where_it_was_said() -> None:
    for content in ("x" * 200_000, "word " * 40_000, "a\n" * 100_000, "> - a\n" * 30_000):
        planned = plan_message(message(1, content), Fold.FULL)
        texts = [planned.text(part) for part in range(planned.parts)]
        assert "".join(texts) == content.rstrip()
        assert max(map(len, texts)) <= PART + 1


def test_windows_line_ends_are_line_ends() -> None:
    assert shown("# a\r\n\r\n- b\r\n- c\rd") == shown("# a\n\n- b\n- c\nd")


def test_a_summary_is_markdown_too() -> None:
    strips: Sequence[object] = message_lines(
        message(1, "**done**\n\n- a", kind=Kind.SUMMARY), 60, LOOK, Fold.FULL
    )
    assert "• a" in "\n".join(getattr(strip, "text", "") for strip in strips)
    assert plan.plan_message(message(1, "*x*", kind=Kind.THINKING), Fold.FULL).openings == ()
