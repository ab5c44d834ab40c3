"""Code and diffs in the history: what an edit changed, in colour and without."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.style import Style

from store.models import Kind, Message, Role
from tests.tui.drawn import COLOURS, GROUNDS, LOOK
from tests.tui.histories import call, message
from tui.render import code, markdown
from tui.render.code import LONGEST_LINE, colour, language, language_of_file
from tui.render.diff import Within, compare, count, is_diff
from tui.render.history import message_lines
from tui.render.look import Look
from tui.render.plan import Fold
from tui.render.tools import change, detail, telling

OLD = "def wait(n):\n    return 1\n\n\ndef other():\n    pass\n"
NEW = 'def wait(n):\n    """As asked."""\n    return 2 ** n\n\n\ndef other():\n    pass\n'

PATCH = """\
*** Begin Patch
*** Update File: src/upload.rs
@@ fn send
 pub fn send() {
-    let tries = 0;
+    let tries: u32 = 0;
*** Add File: notes.md
+# Notes
*** End Patch"""

GIT = """\
commit 1234567
Author: Ada

    Say why

 src/a.py | 2 +-
 1 file changed, 1 insertion(+), 1 deletion(-)

diff --git a/src/a.py b/src/a.py
index 111..222 100644
--- a/src/a.py
+++ b/src/a.py
@@ -1,3 +1,3 @@ def f
 def f():
--- a comment
+    return None
\\ No newline at end of file"""


def lines(shaped: Message, look: Look = LOOK, width: int = 90) -> list[str]:
    return [strip.text.rstrip() for strip in message_lines(shaped, width, look, Fold.FULL)]


def result(text: str) -> Message:
    return message(1, text, kind=Kind.TOOL_RESULT, role=Role.TOOL)


def segments(shaped: Message, look: Look = LOOK) -> list[tuple[str, Style]]:
    return [
        (segment.text, segment.style or Style())
        for strip in message_lines(shaped, 90, look, Fold.FULL)
        for segment in strip
    ]


def style_of(shaped: Message, text: str, look: Look = LOOK) -> Style:
    return next(style for said, style in segments(shaped, look) if text in said)


def colour_of(shaped: Message, text: str) -> str:
    found = style_of(shaped, text).color
    return next(name for name, style in COLOURS.items() if style.color == found)


# Edits


def test_an_edit_unfolded_is_a_diff() -> None:
    edit = call(1, "Edit", file_path="src/a.py", old_string=OLD, new_string=NEW)
    assert "+2 -1" in lines(edit)[0]
    shown = [line[12:] for line in lines(edit)[1:]]
    assert shown == [
        "file_path: src/a.py",
        "  def wait(n):",
        "-     return 1",
        '+     """As asked."""',
        "+     return 2 ** n",
        "",
        "",
        "  def other():",
        "⋮ 2 lines alike",
    ]


def test_what_was_added_and_removed_has_a_ground_and_its_code_has_colours() -> None:
    edit = call(1, "Edit", file_path="src/a.py", old_string=OLD, new_string=NEW)
    assert style_of(edit, "+ ").bgcolor == GROUNDS["added"].bgcolor
    assert style_of(edit, "- ").bgcolor == GROUNDS["removed"].bgcolor
    assert style_of(edit, '"""As').bgcolor == GROUNDS["added"].bgcolor
    assert colour_of(edit, '"""As') == "string"
    assert colour_of(edit, "return") == "keyword"
    assert colour_of(edit, "other") == "function"


def test_without_a_ground_the_line_alone_has_the_colour() -> None:
    plain = replace(LOOK, added=COLOURS["added"], removed=COLOURS["removed"])
    edit = call(1, "Edit", file_path="src/a.py", old_string=OLD, new_string=NEW)
    assert style_of(edit, "return 1", plain).color == COLOURS["removed"].color
    assert style_of(edit, "As asked", plain).color == COLOURS["added"].color


def test_several_edits_of_one_call_are_told_apart() -> None:
    edits = [{"old_string": "a", "new_string": "b"}, {"old_string": "c\nd", "new_string": "c"}]
    several = call(1, "MultiEdit", file_path="x", edits=edits)
    assert change(several.content) == (1, 2)
    assert [line[12:] for line in lines(several)[2:]] == [
        *("change 1 of 2:", "- a", "+ b", "change 2 of 2:", "  c", "- d"),
    ]
    goose = call(1, "text_editor", command="str_replace", path="x.py", old_str="a", new_str="b")
    assert lines(goose)[-2:] == [" " * 12 + "- a", " " * 12 + "+ b"]
    assert change(json.dumps({"edits": [{"old_string": "a"}]})) is None


def test_far_from_a_change_is_left_out() -> None:
    many = [f"line {i}" for i in range(40)]
    changed = [*many[:20], "new", *many[20:]]
    (diff,) = compare([("\n".join(many), "\n".join(changed))])
    assert diff == [
        "⋮ 17 lines alike",
        *(" line 17", " line 18", " line 19", "+new", " line 20", " line 21", " line 22"),
        "⋮ 17 lines alike",
    ]


@given(st.lists(st.sampled_from("abc"), max_size=12), st.lists(st.sampled_from("abc"), max_size=12))
@settings(max_examples=200, deadline=None)
def test_a_diff_says_both_sides(old: list[str], new: list[str]) -> None:
    (diff,) = compare([("\n".join(old), "\n".join(new))])
    if not any(line.startswith("⋮") for line in diff):
        assert [line[1:] for line in diff if line[0] in " -"] == (old or [""])
        assert [line[1:] for line in diff if line[0] in " +"] == (new or [""])
    added, removed = count(diff)
    assert added - removed == max(1, len(new)) - max(1, len(old))


def test_edits_without_end_are_compared_roughly() -> None:
    alike = "\n".join("ab" * 300)
    (diff,) = compare([(f"x\n{alike}", f"{alike}\ny")])
    assert count(diff) == (601, 601)


# Patches and diffs


def test_a_patch_says_its_files_and_is_a_diff() -> None:
    patch = message(1, PATCH, kind=Kind.TOOL_CALL, tool_name="apply_patch")
    assert telling(PATCH) == "src/upload.rs, notes.md"
    assert change(PATCH) == (2, 1)
    assert "apply_patch  src/upload.rs, notes.md" in lines(patch)[0]
    shown = [line[12:] for line in lines(patch)]
    assert "  pub fn send() {" in shown
    assert "-     let tries = 0;" in shown
    assert "+ # Notes" in shown
    assert colour_of(patch, "let") == "keyword"
    assert style_of(patch, "*** Update").bold


def test_a_patch_is_found_in_its_wrapping() -> None:
    for content in (
        json.dumps({"input": PATCH}),
        json.dumps({"command": ["apply_patch", PATCH]}),
        json.dumps({"command": f"apply_patch <<'EOF'\n{PATCH}\nEOF"}),
    ):
        assert telling(content) == "src/upload.rs, notes.md"
        assert change(content) == (2, 1)


def test_a_result_that_is_a_diff_looks_like_one() -> None:
    shown = [line[12:] for line in lines(result(GIT))]
    assert " src/a.py | 2 +-" in shown
    assert "  def f():" in shown
    assert "- -- a comment" in shown
    assert "+     return None" in shown
    assert style_of(result(GIT), "None").bgcolor == GROUNDS["added"].bgcolor
    assert colour_of(result(GIT), "return") == "keyword"
    assert style_of(result(GIT), "diff --git").bold
    plain = result("- one\n+ two\n+++ three")
    assert [line[12:].split("  ")[0] for line in lines(plain)] == ["- one", "+ two", "+++ three"]
    assert style_of(plain, "two").bgcolor == COLOURS["result"].bgcolor


def test_a_diff_goes_on_after_a_cut() -> None:
    body = "".join(f" def f{i}():\n-    return {i}\n+    return {i + 1}\n" for i in range(400))
    long = result(f"diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1,800 +1,800 @@\n{body}")
    shown = lines(long)
    assert sum(line[12:].startswith("- ") for line in shown) == 400
    assert sum(line[12:].startswith("+ ") for line in shown) == 400
    found = [style for said, style in segments(long) if said == "return"]
    assert len(found) == 800
    assert all(style.color == COLOURS["keyword"].color for style in found)


def test_a_diff_may_be_cut_right_after_its_head() -> None:
    assert Within.after("diff --git a/x b/x\n--- a/x\n+++ b/x.py") == Within("python")
    assert Within.after("--- a/x\n+++ b/x.py\n@@ -1 +1 @@\n+a") == Within("python", in_hunk=True)
    assert Within.after(f"{PATCH}\n") == Within("markdown", in_hunk=True)


def test_a_fence_may_hold_a_diff() -> None:
    answer = message(1, "So:\n\n```diff\n-a = 1\n+a = 2\n b\n```")
    assert [line[12:] for line in lines(answer)[-4:]] == ["diff", "- a = 1", "+ a = 2", "  b"]
    assert style_of(answer, "a = 2").bgcolor == GROUNDS["added"].bgcolor


@pytest.mark.parametrize("text", [PATCH, GIT, "--- a\n+++ b\n@@ -1 +1 @@\n", "@@ -1,2 +1 @@\n"])
def test_diffs_are_known(text: str) -> None:
    assert is_diff(text)


@pytest.mark.parametrize("text", ["", "- a\n- b", "--- a\ntext", "a @@ -1 +1 @@", "+++"])
def test_what_is_no_diff_is_not_taken_for_one(text: str) -> None:
    assert not is_diff(text)


# Code


def test_what_is_written_has_the_colours_of_the_file() -> None:
    write = call(1, "Write", file_path="/x/a.py", content="def f() -> int:\n    return 1  # one\n")
    assert colour_of(write, "def") == "keyword"
    assert colour_of(write, "# one") == "comment"
    assert colour_of(call(1, "Write", file_path="a.unknown", content="def f():\n  1"), "def") == (
        "argument"
    )
    bash = call(1, "Bash", command='for x in "$@"; do\n  echo "$x"\ndone')
    assert ("done", COLOURS["keyword"].color) in [
        (said, style.color) for said, style in segments(bash)
    ]


def test_arguments_that_are_lists_are_laid_out() -> None:
    todos = [{"content": "Measure the retries", "status": "pending", "n": 1}]
    shown = detail(json.dumps({"todos": todos})).text
    assert shown.split("\n")[:3] == ["todos:", "[", "  {"]
    deep: Any = 1
    for _ in range(100):
        deep = [deep]
    assert detail(json.dumps({"deep": {"x": deep}})).text.count("\n") == 0


def test_lines_that_a_machine_wrote_stay_plain() -> None:
    line = "var a = 1;" * (LONGEST_LINE // 10)
    assert colour([line], "javascript")[0]
    assert colour([line, "x" * (LONGEST_LINE + 1)], "javascript") == [[], []]


def test_names_of_languages() -> None:
    assert language("py") == language("{.python}") == language("Python title=x") == "python"
    assert language("c++") == "cpp"
    assert language("no-such-language") == language("") == language("{}") == ""
    assert language_of_file("/a/b/Dockerfile") == "docker"
    assert language_of_file("C:\\x\\y.TS") == "typescript"
    assert language_of_file("Makefile") == "make"
    assert language_of_file("") == language_of_file("README") == language_of_file("a.py/b") == ""


HOSTILE = [
    *("(" * 4_000, '\\"' * 2_000, "<" * 4_000, "/*" * 2_000, '"""' * 1_300, "0\n" * 2_000),
    *("{{" * 2_000, "<%=" * 1_300, "`${" * 1_300, "=" * 4_000, " " * 4_000, "\n" * 4_000),
    *("Traceback (most recent call last):\n" * 100, '  File "x", line 1\n' * 200, ">>> ^" * 800),
    "\x1b[31m\u202e漢字👨‍👩‍👧\n" * 100,
]


@pytest.mark.parametrize("name", sorted(set(code._NAMES.values())))
def test_every_language_reads_hostile_text(name: str) -> None:
    for text in HOSTILE:
        for size in (LONGEST_LINE, 100_000):
            rows = [line[i : i + size] for line in text.split("\n") for i in range(0, 4_001, size)]
            found = colour(rows, name)
            assert len(found) == len(rows)
            for row, roles in zip(rows, found, strict=True):
                at = 0
                for lo, hi, role in roles:
                    assert at <= lo < hi <= len(row)
                    assert hasattr(LOOK, role)
                    at = hi


@given(st.lists(st.text("ab01 \"'#\\{}()=\n", max_size=30), max_size=20), st.sampled_from(
    ["python", "bash", "json", "yaml", "markdown", "html", "javascript", "console"]
))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_colours_change_no_text(rows: list[str], name: str) -> None:
    rows = "\n".join(rows).split("\n")
    shown = code.code_rows(rows, LOOK, LOOK.text, name)
    assert [row.text for row in shown] == rows
    for row in shown:
        assert "".join(s.text for s in row.segments(0, len(row.text))) == row.text


def test_warming_loads_what_is_met_most() -> None:
    markdown.warm()
    assert code._lexer.cache_info().currsize >= 14
