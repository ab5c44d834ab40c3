"""A window on a history of any length: what is near the view is loaded, nothing else is.

Messages in the window have positions: whole numbers that grow by one from message to message and
stay the same while the window is extended and trimmed. A position is the message's place in the
history (from 0), as far as is known; `rank` corrects it when the truth is met at either end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Protocol

from store.enums import Kind, Role
from store.errors import NotFound

if TYPE_CHECKING:
    from store.models import Message, MessageFilter

PAGE = 64
FIRST_PAGE = 32  # read before it is known how long the messages are
MOST_MESSAGES = 512
MOST_CHARACTERS = 8_000_000

_LEAST_PAGE = 4


@cache
def before_all() -> Message:
    """Give what comes before every message that there can be: a first page is what follows it.

    Models are made when they are needed, and unvalidated: they and their validators would be a
    good part of the program's start.
    """
    from store.models import Message

    return Message.model_construct(
        seq=0,
        role=Role.SYSTEM,
        kind=Kind.TEXT,
        content="",
        timestamp=datetime.min.replace(tzinfo=UTC),
    )


@cache
def _only_prompts() -> MessageFilter:
    from store.models import MessageFilter

    return MessageFilter.model_construct(only_prompts=True)


def place_at(moment: datetime, seq: int = 0) -> Message:
    """Give what comes before every message of a moment, and after all those before it."""
    return before_all().model_copy(update={"timestamp": moment, "seq": seq})


class HistorySource(Protocol):
    """Where a history comes from. A store is one.

    With `where` only the messages that it lets through are given and counted.
    """

    async def get_history(
        self,
        task_id: str,
        *,
        after: Message | None = None,
        before: Message | None = None,
        limit: int | None = None,
        where: MessageFilter | None = None,
    ) -> list[Message]:
        """Give messages in order: the latest, or those next to the given one.

        Of the given one only `timestamp` and `seq` count: it need not be stored.
        """
        ...

    async def get_message(self, task_id: str, seq: int) -> Message:
        """Give one message. Raises NotFound."""
        ...

    async def message_at(
        self, task_id: str, rank: int, *, where: MessageFilter | None = None
    ) -> Message:
        """Give the message at a place, from 0. Raises NotFound."""
        ...

    async def count_history(
        self,
        task_id: str,
        *,
        before: Message | None = None,
        where: MessageFilter | None = None,
    ) -> int:
        """Count the messages, or those that come before one."""
        ...


class HistoryPages:
    """The loaded part of one task's history, or of what a filter lets through of it.

    `count` is what the caller knows of the whole history; of a filtered one it is counted by
    `recount`, as is the place of a window that was loaded around some message: among a million
    that takes longer than to read what is there. Only `jump_*` and `extend` change what is
    loaded, and only after their last await: cancelling one leaves the window as it was.
    """

    def __init__(
        self,
        source: HistorySource,
        task_id: str,
        count: int,
        where: MessageFilter | None = None,
    ) -> None:
        self._source = source
        self._task_id = task_id
        self.where = where
        self._is_sized = where is None
        self._is_placed = True
        self._messages: list[Message] = []
        self._shift = 0
        self._characters = 0
        self.count = count
        self.first = 0
        self.at_start = False
        self.at_end = False

    def __len__(self) -> int:
        return len(self._messages)

    def __getitem__(self, position: int) -> Message:
        """Give the message at a position of the window."""
        if not self.first <= position <= self.last:
            raise IndexError(position)
        return self._messages[position - self.first]

    @property
    def is_counted(self) -> bool:
        """Whether `count` and `rank` tell the truth; `recount` makes them."""
        return self._is_sized and self._is_placed

    @property
    def last(self) -> int:
        """The position of the last loaded message, `first - 1` when there is none."""
        return self.first + len(self._messages) - 1

    @property
    def seqs(self) -> Iterator[int]:
        """The numbers of the messages in the window."""
        return (message.seq for message in self._messages)

    def rank(self, position: int) -> int:
        """Give the place of a position in the whole history, from 0."""
        return min(max(0, position + self._shift), max(0, self.count - 1))

    def find(self, seq: int) -> int | None:
        """Give the position of a message when it is loaded."""
        for index, message in enumerate(self._messages):
            if message.seq == seq:
                return self.first + index
        return None

    def grow(self, count: int) -> None:
        """Take note that the history has this many messages now, filtered or not."""
        if self.where is not None:
            self._is_sized = self.at_end = False
            return
        if count > self.count:
            self.at_end = False
        self.count = count

    async def recount(self) -> None:
        """Count what the filter lets through, and what comes before the window."""
        if not self._is_sized:
            self._is_sized = True
            try:
                self.count = await self._count()
            except BaseException:
                self._is_sized = False
                raise
        if not self._is_placed and self._messages:
            edge = self._messages[0]
            rank = await self._count(before=edge)
            if (position := self.find(edge.seq)) is not None:
                self._shift = rank - position
                self._is_placed = True
        self._correct()

    # Jumping: each forgets the window and loads another

    async def jump_end(self) -> None:
        """Load the end of the history."""
        page = await self._read(FIRST_PAGE)
        self.count = max(self.count, len(page))
        self._load(page, max(0, self.count - len(page)))
        self.at_end = True
        self.at_start = len(page) < FIRST_PAGE
        self._correct()

    async def jump_start(self) -> None:
        """Load the start of the history."""
        page = await self._read(FIRST_PAGE, after=before_all())
        self._load(page, 0)
        self.at_start = True
        self.at_end = len(page) < FIRST_PAGE
        self._correct()

    async def jump_rank(self, rank: int) -> int:
        """Load what is near a place; give the position of the message there, or near it.

        Imported messages are numbered in order without gaps, so the number is a good guess.
        Where there is no such number, this jumps to the nearer end.
        """
        try:
            if self.where is None:
                message = await self._source.get_message(self._task_id, rank + 1)
            else:
                message = await self._source.message_at(self._task_id, rank, where=self.where)
        except NotFound:
            is_late = rank * 2 >= self.count
            await (self.jump_end() if is_late else self.jump_start())
            return self.last if is_late else self.first
        return await self._jump(message, rank)

    async def reach(self, rank: int) -> int:
        """Give the position of the message at a place, loading what is near it if need be."""
        if not self._is_placed:
            await self.recount()
        position = rank - self._shift
        if self.first <= position <= self.last:
            return position
        return await self.jump_rank(rank)

    async def jump_seq(self, seq: int) -> int:
        """Load what is near a message and give its position. Raises NotFound."""
        return await self.jump_near(await self._source.get_message(self._task_id, seq))

    async def jump_near(self, message: Message) -> int:
        """Load what is near a message, which need not be stored; give the position of it.

        Where it is not among what is shown, that of the next one, or of the last.
        """
        return await self._jump(message, None)

    # Extending

    def lacks(self, top: int, bottom: int, *, margin: int = PAGE // 2) -> int:
        """Say which way to extend: -1, 1, or 0 when enough is loaded around these positions."""
        if not self._messages:
            return 0
        if not self.at_end and bottom + margin > self.last:
            return 1
        return -1 if not self.at_start and top - margin < self.first else 0

    async def extend(self, way: int, top: int, bottom: int) -> None:
        """Load the next page that way, and forget what is far from `top` to `bottom`."""
        size = self._page_size()
        if way > 0:
            page = await self._read(size, after=self._messages[-1])
            self._messages += page
            self.at_end = len(page) < size
        else:
            page = await self._read(size, before=self._messages[0])
            self._messages[:0] = page
            self.first -= len(page)
            self.at_start = len(page) < size
        self._characters += _characters(page)
        self._correct()
        self._trim(top, bottom)

    async def find_prompt(self, position: int, steps: int) -> Message | None:
        """Give the prompt so many prompts on, or back; the last that way when there are fewer.

        None when there is none.
        """
        way = 1 if steps > 0 else -1
        left, at = abs(steps), position + way
        found = None
        while left and self.first <= at <= self.last:
            if self[at].is_prompt:
                found, left = self[at], left - 1
            at += way
        if not left or not self._messages:
            return found
        edge = self._messages[-1 if way > 0 else 0]
        more = await self._source.get_history(
            self._task_id,
            after=edge if way > 0 else None,
            before=None if way > 0 else edge,
            limit=left,
            where=_only_prompts(),
        )
        return more[-1 if way > 0 else 0] if more else found

    # Within

    async def _jump(self, message: Message, rank: int | None) -> int:
        before, after = await asyncio.gather(
            self._read(FIRST_PAGE // 2, before=message), self._read(FIRST_PAGE, after=message)
        )
        is_shown = message.seq > 0 and (self.where is None or self.where.lets_through(message))
        page = [*before, *([message] if is_shown else []), *after]
        if rank is not None:
            self._load(page, rank - len(before))
        else:  # nearly all histories are numbered in their order
            self._load(page, page[0].seq - 1 if page else 0)
            self._is_placed = False
        self.at_start = len(before) < FIRST_PAGE // 2
        self.at_end = len(after) < FIRST_PAGE
        self._correct()
        return min(self.first + len(before), self.last)

    async def _count(self, before: Message | None = None) -> int:
        return await self._source.count_history(self._task_id, before=before, where=self.where)

    async def _read(
        self, size: int, *, after: Message | None = None, before: Message | None = None
    ) -> list[Message]:
        return await self._source.get_history(
            self._task_id, after=after, before=before, limit=size, where=self.where
        )

    def _page_size(self) -> int:
        """Ask for fewer messages where they are long: pages are to weigh about the same."""
        mean = self._characters // max(1, len(self._messages))
        return max(_LEAST_PAGE, min(PAGE, MOST_CHARACTERS // (4 * max(1, mean))))

    def _load(self, page: list[Message], first: int) -> None:
        self._messages = list(page)
        self._characters = _characters(page)
        self.first = first
        self._shift = 0
        self._is_placed = True
        self.at_end = self.at_start = False

    def _correct(self) -> None:
        """Set the ranks right where an end of the history is loaded."""
        self._is_placed = self._is_placed or self.at_start or self.at_end
        if self.at_start:
            self._shift = -self.first
            if self.at_end:
                self.count = len(self)
        elif self.at_end:
            self._shift = self.count - 1 - self.last

    def _trim(self, top: int, bottom: int) -> None:
        while self._is_heavy() and (self.last - bottom > PAGE or top - self.first > PAGE):
            if self.last - bottom >= top - self.first:
                self._characters -= _characters([self._messages.pop()])
                self.at_end = False
            else:
                self._characters -= _characters([self._messages.pop(0)])
                self.first += 1
                self.at_start = False

    def _is_heavy(self) -> bool:
        return len(self._messages) > MOST_MESSAGES or self._characters > MOST_CHARACTERS


def _characters(page: list[Message]) -> int:
    return sum(len(message.content) for message in page)
