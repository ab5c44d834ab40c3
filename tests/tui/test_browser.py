"""The browser as a person uses it."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from store import Store, TitleFrom
from tests.tui.people import (
    CLAUDE_ID,
    FakeImporter,
    FakeLauncher,
    browsing,
    detail_text,
    notices,
    press,
    screen_text,
    transcript,
    until,
)
from tui.launch import Outcome
from tui.organise import Organiser
from tui.screens.help import Help
from tui.widgets.history import HistoryView
from tui.widgets.tasks import TaskList


def listed(text: str) -> list[str]:
    """Give the titles that the list shows, in their order."""
    titles = ["Fix retry storm", "Cache the index", "Write the docs", "Ship 2.0", "Count files"]
    below = "\n".join(line[:48] for line in text.splitlines()[2:])
    places = {title: below.find(title) for title in titles if title in below}
    return sorted(places, key=lambda title: places[title])


async def test_three_panes_show_the_latest_task(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        text = screen_text(pilot)
        assert listed(text) == ["Fix retry storm", "Cache the index", "Write the docs", "Ship 2.0"]
        assert "Why the storm?" in text
        assert "Mended." in text
        assert "4 messages" in detail_text(pilot)
        assert "2 prompts" in detail_text(pilot)
        assert "needed by: Ship 2.0" in detail_text(pilot)


async def test_moving_shows_the_next_conversation(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "down")
        assert "Cached." in screen_text(pilot)
        assert "Mended." not in screen_text(pilot)
        await press(pilot, "end")
        assert "No messages yet." in screen_text(pilot)
        await press(pilot, "home")
        assert "Mended." in screen_text(pilot)


async def test_reading_on_a_narrow_terminal_and_back(seeded: Store) -> None:
    async with browsing(seeded, size=(80, 24)) as pilot:
        assert "Mended." not in screen_text(pilot)
        await press(pilot, "enter")
        assert "Mended." in screen_text(pilot)
        assert "Cache the index" not in screen_text(pilot)
        assert pilot.app.screen.query_one(HistoryView).has_focus
        await press(pilot, "escape")
        assert "Cache the index" in screen_text(pilot)
        assert pilot.app.screen.query_one(TaskList).has_focus


async def test_renaming_and_undoing_it(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "e")
        await press(pilot, *"Calm", "enter")
        task = await seeded.get_task("bug")
        assert (task.title, task.title_from) == ("Calm", TitleFrom.PERSON)
        assert "Calm" in screen_text(pilot)
        await press(pilot, "u")
        assert (await seeded.get_task("bug")).title == "Fix retry storm"
        assert "Fix retry storm" in screen_text(pilot)
        await press(pilot, "u")
        assert notices(pilot)[-1] == "There is nothing to undo."


async def test_leaving_the_title_as_it_is(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "e")
        await press(pilot, "x", "escape")
        assert (await seeded.get_task("bug")).title == "Fix retry storm"


async def test_archiving_undoing_and_taking_back(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "x")
        assert (await seeded.get_task("bug")).archived_at is not None
        assert listed(screen_text(pilot))[0] == "Cache the index"
        await press(pilot, "u")
        assert listed(screen_text(pilot))[0] == "Fix retry storm"
        await press(pilot, "home", "x", "A")
        assert listed(screen_text(pilot)) == ["Fix retry storm"]
        await press(pilot, "x")
        assert (await seeded.get_task("bug")).archived_at is None


async def test_scope_goes_round(seeded: Store, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    async with browsing(seeded, here=tmp_path / "uploader") as pilot:
        assert "[everything]" in screen_text(pilot)
        await press(pilot, "s")
        assert "[here]" in screen_text(pilot)
        assert listed(screen_text(pilot)) == ["Fix retry storm"]
        await press(pilot, "s")
        assert "[repository]" in screen_text(pilot)
        assert listed(screen_text(pilot)) == ["Fix retry storm", "Cache the index"]


async def test_an_empty_scope_widens_by_itself(seeded: Store) -> None:
    async with browsing(seeded, here=Path("/nowhere/at/all")) as pilot:
        await press(pilot, "s")
        assert "[everything]" in screen_text(pilot)
        assert "nothing in the scope here" in notices(pilot)[-1]


async def test_orders(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "o", "o", "o")
        assert "by title" in screen_text(pilot)
        assert listed(screen_text(pilot)) == [
            "Cache the index",
            "Fix retry storm",
            "Ship 2.0",
            "Write the docs",
        ]


async def test_sub_agents_fold_under_their_parent(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        assert "Count files" not in screen_text(pilot)
        await press(pilot, "down", "right")
        assert listed(screen_text(pilot)) == [
            "Fix retry storm",
            "Cache the index",
            "Count files",
            "Write the docs",
            "Ship 2.0",
        ]
        assert "└ " in screen_text(pilot)
        await press(pilot, "down", "left")  # from the sub-agent its parent is closed
        assert "Count files" not in listed(screen_text(pilot))
        await press(pilot, "home", "right")
        assert notices(pilot)[-1] == "This task has no sub-agents or forks to show."


async def test_selection_stays_while_rows_arrive(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "down")
        await seeded.create_session("/tmp", "claude", task_id="new", title="Brand new")
        await seeded.save_message("new", "user", "Hello", is_prompt=True)
        await until(pilot, lambda: "Brand new" in screen_text(pilot))
        assert pilot.app.screen.query_one(TaskList).selected_id == "api"
        assert "Cached." in screen_text(pilot)


async def test_an_import_shows_its_progress_and_ends(seeded: Store) -> None:
    async with browsing(seeded, importer=FakeImporter()) as pilot:
        assert "importing" not in screen_text(pilot)
        await press(pilot, "i")
        assert not notices(pilot)


async def test_resuming_comes_back_to_the_same_row_with_what_was_said(
    seeded: Store, tmp_path: Path, fake_program: Path
) -> None:
    launcher, importer = FakeLauncher(), FakeImporter(say=seeded)
    async with browsing(seeded, launcher=launcher, importer=importer) as pilot:
        await press(pilot, "r")
        await until(pilot, lambda: "Said in the agent." in screen_text(pilot))
        (command,) = launcher.started
        assert command.argv == (str(fake_program), "--resume", CLAUDE_ID)
        assert command.cwd == str(tmp_path / "uploader")
        assert importer.on_source == [("claude", str(transcript(tmp_path)))]
        assert pilot.app.screen.query_one(TaskList).selected_id == "bug"
        assert "5 messages" in detail_text(pilot)
        assert not notices(pilot)


async def test_an_agent_that_fails_is_told_in_words(seeded: Store, fake_program: Path) -> None:
    launcher = FakeLauncher(Outcome(status=3))
    async with browsing(seeded, launcher=launcher) as pilot:
        await press(pilot, "r")
        assert notices(pilot) == ["claude ended with exit status 3."]


async def test_what_cannot_be_resumed_says_why(seeded: Store, fake_program: Path) -> None:
    launcher = FakeLauncher()
    async with browsing(seeded, launcher=launcher) as pilot:
        await press(pilot, "down", "r")
        assert "does not have the shape of a" in notices(pilot)[-1]
        await press(pilot, "end", "r")
        assert "no session that could be resumed" in notices(pilot)[-1]
        fake_program.unlink()
        await press(pilot, "home", "r")
        assert "'claude' is not installed" in notices(pilot)[-1]
        assert launcher.started == []


async def test_copying_the_command(seeded: Store, tmp_path: Path) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "c")
        expected = f"cd {tmp_path / 'uploader'} && claude --resume {CLAUDE_ID}"
        assert pilot.app.clipboard == expected
        assert notices(pilot) == [f"Copied: {expected}"]


async def test_copying_a_message_as_it_was_written_and_the_path(
    seeded: Store, tmp_path: Path
) -> None:
    async with browsing(seeded) as pilot:
        history = await seeded.get_history("bug")
        await press(pilot, "left_square_bracket", "left_square_bracket", "y")
        assert pilot.app.clipboard == history[-2].content
        assert f"Copied message {history[-2].seq}, " in notices(pilot)[-1]
        await press(pilot, "right_square_bracket", "y")
        assert pilot.app.clipboard == history[-1].content
        await press(pilot, "Y")
        assert pilot.app.clipboard == str(transcript(tmp_path))


async def test_no_message_is_copied_that_is_not_in_view(seeded: Store) -> None:
    async with browsing(seeded, size=(80, 24)) as pilot:
        await press(pilot, "y")
        assert notices(pilot)[-1] == "No message is in view; enter goes into the history."
        await press(pilot, "enter", "left_square_bracket", "y")
        assert pilot.app.clipboard == (await seeded.get_history("bug"))[-1].content


async def test_help_lists_every_command(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "question_mark")
        assert isinstance(pilot.app.screen, Help)
        await until(pilot, lambda: "Go to the prompt before" in screen_text(pilot))
        await press(pilot, "escape")
        assert not isinstance(pilot.app.screen, Help)


async def test_a_task_deleted_elsewhere_leaves_the_list(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await seeded.delete_task("bug")
        await until(pilot, lambda: "Fix retry storm" not in screen_text(pilot))
        assert pilot.app.screen.query_one(TaskList).selected_id == "api"


async def test_tiny_terminals_do_not_crash(seeded: Store) -> None:
    async with browsing(seeded, size=(40, 12)) as pilot:
        await press(pilot, "down", "enter", "escape", "question_mark", "escape", "z")
        assert "Fix retry" in screen_text(pilot)


async def test_a_store_that_cannot_be_opened_is_told_in_words(tmp_path: Path) -> None:
    from tui.browser import of_database

    (tmp_path / "note.db").write_text("not a database at all")
    app = of_database(str(tmp_path / "note.db"))
    async with app.run_test() as pilot:
        await until(pilot, lambda: bool(notices(pilot)))
        assert "is not a SQLite database" in notices(pilot)[0]


async def test_the_demo_needs_no_sessions_of_ones_own() -> None:
    from tui.browser import demonstration

    app = demonstration()
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, lambda: app.screen.query_one(TaskList).selected is not None)
        await press(pilot, "i")
        assert notices(pilot)[-1] == "Nothing is imported into a store in memory."


async def test_an_impatient_person_starts_one_agent(seeded: Store, fake_program: Path) -> None:
    launcher = FakeLauncher(seconds=0.5)
    async with browsing(seeded, launcher=launcher) as pilot:
        await press(pilot, "r", "r", "r")
        assert len(launcher.started) == 1
        await press(pilot, "r")
        assert len(launcher.started) == 2


async def test_what_is_typed_behind_the_slash_is_a_query(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        await press(pilot, "slash", "x", "a", "q")
        assert pilot.app.screen.query_one("#query Input", Input).value == "xaq"
        assert (await seeded.get_task("bug")).archived_at is None
        assert "Nothing found." in screen_text(pilot)


async def test_archiving_twice_in_a_hurry_is_archiving_once(seeded: Store) -> None:
    async with browsing(seeded) as pilot:
        row = pilot.app.screen.query_one(TaskList).selected
        assert row is not None
        organiser = Organiser(seeded)
        assert await organiser.archive(row.task) == "Archived Fix retry storm"
        assert await organiser.archive(row.task) is None
        assert await organiser.undo() == "Undone: Archived Fix retry storm"
        assert await organiser.undo() is None


async def test_a_title_with_control_characters_is_not_renamed_by_looking(seeded: Store) -> None:
    await seeded.update_task("bug", title="red \x1b[31mred")
    async with browsing(seeded) as pilot:
        await press(pilot, "e", "enter")
        assert (await seeded.get_task("bug")).title == "red \x1b[31mred"
