"""Where a window stands in its history: shown at once, counted afterwards."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from store import Message, MessageFilter, Store
from tests.tui.histories import MILLION, START, TASK, Source, reading
from tests.tui.people import NOW, said
from tui.paging import HistoryPages, place_at
from tui.widgets.history import HistoryView


class SlowToCount(Source):
    """A history in which counting takes as long as one likes."""

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.may_count = asyncio.Event()

    async def count_history(
        self,
        task_id: str,
        *,
        before: Message | None = None,
        where: MessageFilter | None = None,
    ) -> int:
        await self.may_count.wait()
        return await super().count_history(task_id, before=before, where=where)


async def test_a_message_is_shown_before_it_is_counted_how_many_precede_it() -> None:
    source = SlowToCount(MILLION)
    pages = HistoryPages(source, TASK, source.count)
    position = await asyncio.wait_for(pages.jump_seq(654_321), 5)
    assert pages[position].seq == 654_321
    assert pages.rank(position) == 654_320
    known = [pages.is_counted]
    source.may_count.set()
    await pages.recount()
    assert [*known, pages.is_counted] == [False, True]
    assert pages.rank(position) == 654_320


async def test_a_history_whose_numbers_are_not_places(seeded: Store) -> None:
    """Numbers go on where a deleted session ended; times need not be in their order."""
    await seeded.save_messages("docs", said(*"a" * 300, at=NOW))
    await seeded.delete_session("docs")
    await seeded.save_session("docs", "other", "goose")
    late = said(*[f"late {n}" for n in range(100)], at=NOW + timedelta(hours=1))
    await seeded.save_messages("docs", late)
    early = said(*[f"early {n}" for n in range(100)], at=NOW)
    await seeded.save_messages("docs", early)
    history = await seeded.get_history("docs")
    for wanted in (0, 1, 50, 99, 100, 150, 199):
        pages = HistoryPages(seeded, "docs", len(history))
        position = await pages.jump_seq(history[wanted].seq)
        await pages.recount()
        assert pages[position] == history[wanted]
        assert pages.rank(position) == wanted
        at = await pages.reach(wanted + 1 if wanted < 199 else 0)
        assert pages[at] == history[wanted + 1 if wanted < 199 else 0]


async def test_a_place_in_time_is_counted_among_what_is_shown() -> None:
    source = Source(3_000)
    where = MessageFilter(only_prompts=True)
    pages = HistoryPages(source, TASK, 0, where)
    position = await pages.jump_near(place_at(START + timedelta(seconds=1_500)))
    await pages.recount()
    before = [seq for seq in range(1, pages[position].seq) if source.make(seq).is_prompt]
    assert pages.rank(position) == len(before)
    assert pages.count == await source.count_history(TASK, where=where)


async def test_where_one_is_is_told_rightly_once_it_is_counted() -> None:
    async with reading(MILLION) as reader:
        reader.view.go_to(400_000)
        await reader.settle()
        await reader.pilot.pause(0.2)
        assert reader.events(HistoryView.Moved)[-1].first == 400_000
