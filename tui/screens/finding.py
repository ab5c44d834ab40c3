"""What the keys do to find something: a query over every session, or within the one being read."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.css.query import NoMatches

from store.errors import QueryError
from store.text import printable
from tui import clock
from tui.hits import HitListing, seq_of
from tui.queries import Queries
from tui.screens.listing import Listing
from tui.screens.panes import in_words
from tui.screens.reading import ancestors
from tui.settings import Settings
from tui.widgets.hits import HitList

if TYPE_CHECKING:
    from store.models import TaskFilter, TaskRow
    from store.query.completion import Completion
    from store.query.model import Query
    from tui.hits import Found
    from tui.widgets.query import QueryLine

# The parser, the searches and the line are loaded when something is looked for: a line to type
# into alone costs the first frame 20 ms.

_PAGE = 200


class Finding(Listing):
    """The commands that find."""

    def __init__(self, here: Path, settings: Settings | None, queries: Queries) -> None:
        super().__init__(here, settings)
        self._queries = queries
        self._query: Query | None = None  # of the list or the hits
        self._found: HitListing | None = None
        self._hit_row: TaskRow | None = None  # of the selected hit
        self._is_list_old = False  # the list was to be read for a query, and is not yet
        self._is_inside = False  # whether the line looks within the conversation
        self._inside: list[int] = []  # the messages found in it, in order
        self._inside_at = 0

    @property
    def _hits(self) -> HitList:
        return self.query_one("#hits", HitList)

    @property
    def _line(self) -> QueryLine | None:
        from tui.widgets.query import QueryLine

        try:
            return self.query_one("#query", QueryLine)
        except NoMatches:
            return None

    # The line

    async def action_search(self) -> None:
        """Open the query line: over everything, or within the conversation that is being read."""
        if (line := self._line) is not None:
            line.focus()
            return
        from tui.widgets.query import QueryLine

        self._is_inside = self._history.has_focus
        if not self._is_inside:
            self.remove_class("-reading")
        text = "" if self._is_inside or self._query is None else self._query.text
        sign = "find in this conversation" if self._is_inside else "/"
        hint = "words" if self._is_inside else 'words, "a phrase", -not, agent: project: after: …'
        line = QueryLine(sign, text, self._complete, self._recent(), hint)
        await self.mount(line, before="#bottom")
        self.set_focus(None)
        line.focus()

    async def _complete(self, text: str, cursor: int) -> Sequence[Completion]:
        if self._store is None or self._is_inside:
            return ()
        from store.query.completion import completions

        return await completions(self._store, text, cursor)

    def _recent(self) -> list[str]:
        try:
            return self._queries.recent()
        except (OSError, ValueError) as error:
            self._tell(f"The queries typed before are not read: {error}", "warning")
            return []

    def on_query_line_changed(self, event: QueryLine.Changed) -> None:
        """Look for what is typed."""
        self._look_for(event.text)

    def _look_for(self, text: str) -> None:
        from store.query.parser import parse_query

        inside = self._is_inside

        async def look() -> None:
            try:
                query = parse_query(text, clock.now()).as_typed()
                await (self._look_inside(query) if inside else self._look_everywhere(query))
            except QueryError as error:
                if (line := self._line) is not None:
                    line.say(in_words(error), is_wrong=True)

        # One at a time: the store stops a query whose caller has gone.
        self._work(look, "find")

    def on_query_line_submitted(self, event: QueryLine.Submitted) -> None:
        """Go on to what was found."""
        if event.text.strip():
            self._remember_query(event.text)
        self.query("#query").remove()
        if self._is_inside:
            self._history.focus()
        elif self._found is not None and len(self._found):
            self._hits.focus()
        elif self._found is None:
            self._tasks.focus()

    def _remember_query(self, text: str) -> None:
        try:
            self._queries.add(text)
        except (OSError, ValueError) as error:
            self._tell(f"The query is not remembered: {error}", "warning")

    def on_query_line_save_wanted(self, event: QueryLine.SaveWanted) -> None:
        """Ask for a name to save the query under."""
        text = event.text.strip()
        if not text:
            return

        def answered(name: str | None) -> None:
            if name is None:
                return
            try:
                self._queries.save(name, text)
            except (OSError, ValueError) as error:
                self._tell(f"The query is not saved: {error}", "warning")
            else:
                self._tell(f"Saved as {printable(name)}: ctrl+p finds it.")

        self._ask("Save this query as", "", answered)

    def saved_queries(self) -> dict[str, str]:
        """Give the saved queries by their names."""
        try:
            return self._queries.saved()
        except (OSError, ValueError) as error:
            self._tell(f"The saved queries are not read: {error}", "warning")
            return {}

    def search_for(self, text: str) -> None:
        """Show what a query finds, as if it had been typed."""
        self._is_inside = False
        self.query("#query").remove()
        self.remove_class("-reading")
        self._look_for(text)

    def action_back(self) -> None:
        """Leave the history, then what was found."""
        is_reading = self._history.has_focus
        if (self._is_inside or self._inside) and self._stop_inside():
            return
        if self._line is None and is_reading:
            self.remove_class("-reading")
            (self._tasks if self._found is None else self._hits).focus()
            return
        self._stop_finding()
        self.remove_class("-reading")
        self._tasks.focus()

    def action_next_pane(self) -> None:
        """Go between list and history."""
        if self._history.has_focus:
            self.remove_class("-reading")
            (self._tasks if self._found is None else self._hits).focus()
        else:
            self._opened()

    def _stop_inside(self) -> bool:
        """Forget what was found within the conversation; say whether that was to be seen."""
        was_seen = self._line is not None or bool(self._inside)
        self.query("#query").remove()
        self.workers.cancel_group(self, "find")
        self._is_inside = False
        self._inside = []
        if self._query is None:
            self._history.light(None)
        else:
            from tui.render.lit import Finder

            self._history.light(Finder(self._query.wanted))
        self._history.focus()
        return was_seen

    def _stop_finding(self) -> None:
        """Close the line and forget what was found."""
        self.query("#query").remove()
        self.workers.cancel_group(self, "find")
        if self._query is None:
            return
        self._query = None
        store, row = self._store, self._row
        self._show_hits(None)
        self._history.light(None)
        if row is None or store is None:
            self._work(self._list, "list")
            return

        async def back_to_the_list() -> None:
            await self._list()
            # What was read last is selected, if it is listed; else what was before.
            if not await self._tasks.reveal(
                [task.id for task in await ancestors(store, row.task.id)]
            ):
                await self._show(self._tasks.selected)

        self._work(back_to_the_list, "list")

    # Over every session

    async def _look_everywhere(self, query: Query) -> None:
        from tui import searches

        store = self._store
        if store is None:
            return
        from tui.render.lit import Finder

        before, self._query = self._query, query if query.terms or query.filters else None
        if not searches.is_worthwhile(query):
            # Filters alone are about sessions, and a single letter would be in every message.
            self._show_hits(None)
            self._history.light(None)
            if self._query != before or self._is_list_old:
                self._is_list_old = True  # until it is there: the next letter may come before
                await self._list()
                self._is_list_old = False
            if (line := self._line) is not None:
                line.say("")
            return
        scope = self._search_filter()
        self._history.light(Finder(query.wanted))
        listing = HitListing()
        first = partial(store.search, query, filter=scope, limit=searches.FIRST)
        listing.add(await first(seconds=searches.AT_ONCE))
        if listing.is_cut:
            self._show_hits(listing, "" if len(listing) else "Looking…")
            self._say_found(listing)
            listing = HitListing()
            listing.add(await first())
            listing.is_cut = False  # as whole as it gets: it can be gone on with
        self._show_hits(listing, "" if len(listing) else "Nothing found.")
        self._say_found(listing)
        if not len(listing):
            self._show_hits(listing, await searches.instead(store, query, scope))

    def _say_found(self, listing: HitListing) -> None:
        from tui import searches

        self._say(notes=self._notes())
        if (line := self._line) is not None:
            line.say(searches.counted(listing))

    def _search_filter(self) -> TaskFilter:
        """Give the tasks that are looked through: every kind of the scope."""
        changes = {"everything": True, "archived": None, "top_level": False}
        return super()._wanted().model_copy(update=changes)

    @property
    def _is_narrowed(self) -> bool:
        return self._query is not None or super()._is_narrowed

    def _wanted(self) -> TaskFilter:
        wanted = super()._wanted()
        if self._query is None or self._found is not None:
            return wanted
        from store.query.uses import listed

        return listed(wanted, self._query)

    def _notes(self) -> tuple[str, ...]:
        query = (f"/{printable(self._query.text)}",) if self._query is not None else ()
        return query + super()._notes()

    @property
    def _row(self) -> TaskRow | None:
        return super()._row if self._found is None else self._hit_row

    def _show_hits(self, listing: HitListing | None, notice: str = "") -> None:
        self._found = listing
        self.set_class(listing is not None, "-found")
        if listing is None:
            if self._hits.has_focus:
                self._tasks.focus()
        else:
            self._hits.show(listing, notice)

    @on(HitList.Wanted)
    def _more_wanted(self) -> None:
        self._work(self._read_more, "more")

    async def _read_more(self) -> None:
        store, listing, query = self._store, self._found, self._query
        if store is None or listing is None or query is None or listing.cursor is None:
            return
        if listing.is_cut:
            return  # its cursor is of what was found in a hurry; the whole comes by itself
        cursor, listing.cursor = listing.cursor, None  # who asks meanwhile need not
        page = await store.search(query, filter=self._search_filter(), limit=_PAGE, cursor=cursor)
        if listing is self._found:
            listing.add(page)
            self._hits.grown()

    @on(HitList.Selected)
    def _hit_selected(self, event: HitList.Selected) -> None:
        self._hit_row = None
        self._settle(lambda: self._show_hit(event.hit))

    async def _show_hit(self, hit: Found) -> None:
        store = self._store
        if store is None or self._found is None:
            return
        rows = await store.get_rows([hit.task_id])
        if not rows:
            self._tell("This conversation has been deleted.")
            return
        seq = seq_of(hit)
        self._landing = (hit.task_id, seq) if seq is not None else None
        self._hit_row = rows[0]
        await self._show(rows[0])

    @on(HitList.Opened)
    def _hit_opened(self) -> None:
        self.add_class("-reading")
        self._history.focus()

    @on(HitList.Left)
    async def _hits_left(self) -> None:
        await self.action_search()

    # Within the conversation

    async def _look_inside(self, query: Query) -> None:
        store, task_id = self._store, self._history.task_id
        if store is None or task_id is None:
            return
        from tui import searches
        from tui.render.lit import Finder

        if not query.wanted:
            self._inside = []
            self._history.light(None)
            if (line := self._line) is not None:
                line.say("")
            return
        hits = await searches.within(store, query, task_id)
        self._inside = [hit.seq for hit in hits]
        self._history.light(Finder(query.wanted))
        if not hits:
            self._say_inside()
            return
        here = self._history.current
        self._inside_at = 0 if here is None else searches.first_behind(hits, here)
        self._go_inside()

    def _go_inside(self) -> None:
        self._history.go_to_match(self._inside[self._inside_at])
        self._say_inside()

    def _say_inside(self) -> None:
        count = len(self._inside)
        words = f"{self._inside_at + 1:,} of {count:,}" if count else "nothing found"
        if (line := self._line) is not None:
            line.say(words, is_wrong=not count)
        elif count:
            self._tell(f"Hit {words}.")

    # From hit to hit

    def action_next_hit(self) -> None:
        """Go to the next hit."""
        self._step_hit(1)

    def action_previous_hit(self) -> None:
        """Go to the hit before."""
        self._step_hit(-1)

    def _step_hit(self, way: int) -> None:
        if self._inside:
            self._inside_at = (self._inside_at + way) % len(self._inside)
            self._go_inside()
        elif self._found is None or not len(self._found):
            self._tell("Nothing has been looked for; / does that.")
        elif not self._hits.step(way):
            self._tell(f"This is the {'last' if way > 0 else 'first'} hit.")
