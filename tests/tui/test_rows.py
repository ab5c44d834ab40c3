"""One task as a line of the list, or two; the lines that hang; the headings."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.style import Style

from store import Kind, Outline, Relative, Role, Session, Task, TaskGroup, TaskRow, TaskStatus
from tui.lines import Heading, arranged, branches
from tui.listing import Entry
from tui.render.headings import day_name, heading_strip
from tui.render.tasks import Place, TaskLook, fold_cells, task_strips

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PLAIN = Style()
LOOK = TaskLook(PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, PLAIN, {}, Style(reverse=True))
SIZES = (40, 45, 60, 78, 90)


def row(title: str = "Fix retry storm in uploader", **of: Any) -> TaskRow:
    """Give the row of a session that answered two minutes ago."""
    task = {
        "id": "t",
        "title": title,
        "project_path": "/src/uploader",
        "last_message_at": NOW - timedelta(minutes=2),
        "message_count": 1234,
    }
    session = {
        "task_id": "t",
        "session_id": "s",
        "backend": "claude",
        "git_branch": "main",
        "created_at": NOW,
        "updated_at": NOW,
    }
    return TaskRow(
        task=Task.model_validate(task | {k: v for k, v in of.items() if k in Task.model_fields}),
        session=Session.model_validate(
            session | {k: v for k, v in of.items() if k in Session.model_fields}
        ),
        last_role=Role.ASSISTANT,
        last_kind=Kind.TEXT,
    )


def drawn(
    of: TaskRow,
    width: int,
    *,
    lines: int = 1,
    entry: Entry | None = None,
    group: TaskGroup | None = None,
) -> list[str]:
    place = Place(entry or Entry("t"), is_selected=False, group=group)
    strips = task_strips(of, place, width, LOOK, lines=lines, now=NOW)
    assert [strip.cell_length for strip in strips] == [width] * lines
    return [strip.text for strip in strips]


@pytest.mark.parametrize("width", SIZES)
def test_a_row_says_the_most_in_any_width(width: int) -> None:
    (line,) = drawn(row(), width)
    assert line.startswith(" ◐ Fix retry s")
    assert line.rstrip().endswith("claude   2m")
    assert "uploa" in line


def test_a_row_gains_columns_as_it_gets_wider() -> None:
    assert "1,234" not in drawn(row(), 45)[0]
    wide = drawn(row(), 78)[0]
    assert "Fix retry storm in uploader" in wide
    assert "uploader  1,234 claude   2m" in wide
    assert "main" in drawn(row(), 110)[0]
    grouped = drawn(row("Fix retry storm"), 78, group=TaskGroup.PROJECT)[0]
    assert "uploader" not in grouped, "the heading says it"
    assert "main" in grouped


def test_a_short_title_leaves_more_of_the_project_and_the_other_way_round() -> None:
    assert " uploader claude" in drawn(row("Ship"), 45)[0]
    assert "uploa" in drawn(row("A title that is much too long for the line"), 45)[0]
    long = drawn(row("Fix retry storm in uploader", project_path="/src/x"), 45)[0]
    assert "Fix retry storm in uploader x claude" in long


def test_a_deep_row_keeps_its_title() -> None:
    for width in SIZES:
        entry = Entry("t", rails="│ " * 12 + "└ ", folded=1200)
        (line,) = drawn(row(fork_of="o"), width, entry=entry)
        assert "▸999+ ⑂ Fix re" in line, line


def test_what_there_is_not_is_left_out() -> None:
    bare = row("", message_count=0, project_path=None, git_branch=None)
    assert drawn(bare, 78)[0].split() == ["◐", "(no", "title)", "claude", "2m"]
    first, second = drawn(bare, 60, lines=2)
    assert first.split() == ["◐", "(no", "title)", "2m"]
    assert second.split() == ["claude"]
    assert drawn(row(message_count=1), 60, lines=2)[1].split()[-2:] == ["1", "message"]


def test_two_lines_say_where_how_much_what_became_of_it_and_the_tags() -> None:
    of = row(tags=("bug", "starred"))
    done = of.model_copy(update={"task": of.task.model_copy(update={"status": TaskStatus.DONE})})
    first, second = drawn(done, 70, lines=2)
    assert first.split() == ["○", "Fix", "retry", "storm", "in", "uploader", "2m"]
    assert second.strip() == ("claude · uploader (main) · 1,234 messages · done  #bug #starred")
    narrow = drawn(row(tags=("bug", "starred")), 44, lines=2)[1]
    assert narrow.strip().startswith("claude · uploader (main) · 1,234 mess")
    hanging = drawn(row(), 70, lines=2, entry=Entry("t", "│ └ ", 3))
    assert hanging[0].startswith(" ◐ │ └ ▸3 Fix")
    assert hanging[1].index("claude") == hanging[0].index("Fix")


@pytest.mark.parametrize(
    ("of", "mark"),
    [
        ({}, "◐"),
        ({"last_message_at": NOW - timedelta(hours=1)}, "○"),
        ({"source_gone_at": NOW}, "✝"),
        ({"archived_at": NOW}, "×"),
        ({"archived_at": NOW, "source_gone_at": NOW}, "×"),
    ],
)
def test_marks_are_told_apart_without_colour(of: dict[str, Any], mark: str) -> None:
    assert drawn(row(**of), 45)[0][1] == mark


def test_the_marks_of_an_agent_whose_turn_it_is_and_of_a_task_alone() -> None:
    called = row().model_copy(update={"last_kind": Kind.TOOL_CALL})
    assert drawn(called, 45)[0][1] == "●"
    old = row(last_message_at=NOW - timedelta(hours=2))
    assert drawn(old.model_copy(update={"last_kind": Kind.TOOL_CALL}), 45)[0][1] == "◌"
    assert drawn(row().model_copy(update={"session": None}), 45)[0][1] == "□"


@given(
    st.text(max_size=60),
    st.text(max_size=30),
    st.integers(8, 120),
    st.sampled_from([1, 2]),
    st.integers(0, 8),
    st.sampled_from([None, *TaskGroup]),
)
def test_a_row_is_exactly_as_wide_as_its_line_whatever_is_in_it(
    title: str, name: str, width: int, lines: int, depth: int, group: TaskGroup | None
) -> None:
    entry = Entry("t", "│ " * depth, folded=depth)
    of = row(title, project_path=f"/src/{name}", git_branch=name, tags=(name or "x",))
    texts = drawn(of, width, lines=lines, entry=entry, group=group)
    assert all(cell_len(text) == width for text in texts)
    assert "\x1b" not in "".join(texts)
    heading = heading_strip(
        Heading(f"/src/{name}", 7), TaskGroup.PROJECT, width, LOOK, today=NOW.date(), home="/src"
    )
    assert heading.cell_length == width


def test_the_mark_is_where_it_is_drawn() -> None:
    for entry in (Entry("t", folded=12), Entry("t", "│ └ ", 3), Entry("t", is_open=True)):
        (line,) = drawn(row(), 60, entry=entry)
        cells = fold_cells(entry)
        assert line[cells.start] in "▸▾"
        assert line[cells.stop :].startswith("Fix")
    assert not fold_cells(Entry("t"))


def test_days_are_called_as_people_call_them() -> None:
    today = date(2026, 11, 20)
    for day, name in {
        (2026, 11, 20): "Today",
        (2026, 11, 19): "Yesterday",
        (2026, 11, 18): "Wednesday",
        (2026, 11, 14): "Saturday",
        (2026, 11, 13): "Friday 13 November",
        (2025, 11, 20): "Thursday 20 November 2025",
        (2026, 11, 21): "Saturday 21 November",
    }.items():
        assert day_name(date(*day), today) == name


def relatives(*told: str) -> list[Relative]:
    """Give a family: `  a` is a sub-agent one deep, `  *a` a fork."""
    return [
        Relative(
            task_id=each.strip(" *"),
            depth=(len(each) - len(each.lstrip())) // 2,
            is_fork="*" in each,
        )
        for each in told
    ]


def test_rails_go_on_as_long_as_something_follows() -> None:
    trees = {
        "f": relatives("o", "  *f", "    *g", "      *h", "    s", "  *i", "  t"),
        "s": relatives("s", "  u", "  v"),
        "elsewhere": relatives("elsewhere", "  w"),
    }
    hung = branches("f", trees)
    assert [branch.rails + each for each, branch in hung.items()] == [
        "o",
        "├ f",
        "│ ├ g",
        "│ │ └ h",
        "│ └ s",
        "│   ├ u",
        "│   └ v",
        "├ i",
        "└ t",
    ]
    assert {each for each, branch in hung.items() if branch.is_open} == {"o", "s"}
    assert {each for each, branch in hung.items() if branch.has_own} == {"o", "s", "u", "v", "t"}
    assert {branch.head for branch in hung.values()} == {"f", "s"}


def test_headings_and_families_stand_among_the_tasks() -> None:
    outline = Outline(task_ids=["a", "f", "c"], groups=(("x", 2), ("y", 1)))
    lines = arranged(outline, {"f": relatives("o", "  *f")})
    told = [item.key if isinstance(item, Heading) else item for item in lines.items]
    assert told == ["x", "a", "o", "f", "y", "c"]
    assert lines.headings == [0, 4]
    assert arranged(Outline(task_ids=[]), {}).items == []
