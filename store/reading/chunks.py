"""Gathering what a source holds into chunks of bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import JsonValue

from store.models import NewMessage, Usage
from store.sources import Checkpoint, Chunk, Fingerprint, SessionFacts, SkippedRecord, Source

_MAX_MESSAGES = 500
_MAX_CHARACTERS = 1_000_000
_MAX_RECORDS = 5000  # noise makes no messages, yet progress has to be stored


class Gathering:
    """What was read of a source: the messages of the next chunk, and the counts so far.

    A message without a time gets the time of the next one that has one, if it is in the same
    chunk, else the time the file was last changed.
    """

    def __init__(
        self,
        source: Source,
        fingerprint: Fingerprint,
        since: Checkpoint | None = None,
        *,
        keys_tell_content: bool = False,
    ) -> None:
        self.source = source
        self._keys_tell_content = keys_tell_content
        self.fingerprint = fingerprint
        self.offset = since.offset if since else 0
        self.line = since.line if since else 0
        self.records = since.records if since else 0
        self.pending: int | None = None
        self._skipped = list(since.skipped) if since else []
        self._messages: list[NewMessage] = []
        self._characters = 0
        self._records_then = self.records
        self._is_untimed = False

    def skip(self, record: SkippedRecord) -> None:
        """Count a record that could not be understood."""
        self.records += 1
        self._skipped.append(record)

    def add(self, messages: Sequence[NewMessage]) -> None:
        """Add the messages of a record."""
        for message in messages:
            self._messages.append(message)
            self._characters += len(message.content)
            if message.timestamp is None:
                self._is_untimed = True

    @property
    def is_full(self) -> bool:
        """Whether it is time for a chunk."""
        return (
            len(self._messages) >= _MAX_MESSAGES
            or self._characters >= _MAX_CHARACTERS
            or self.records - self._records_then >= _MAX_RECORDS
        )

    def chunk(
        self,
        session: SessionFacts | None,
        state: dict[str, JsonValue],
        *,
        finished: bool = False,
        off_branch: tuple[str, ...] = (),
        on_branch: tuple[str, ...] = (),
        usage: tuple[Usage, ...] = (),
    ) -> Chunk:
        """Make a chunk of what was gathered since the last one."""
        messages = self._timed() if self._is_untimed else tuple(self._messages)
        self._messages = []
        self._characters = 0
        self._records_then = self.records
        self._is_untimed = False
        checkpoint = Checkpoint(
            fingerprint=self.fingerprint,
            offset=self.offset,
            line=self.line,
            records=self.records,
            skipped=tuple(self._skipped),
            pending=self.pending,
            state=state,
            finished=finished,
        )
        return Chunk(
            self.source,
            session,
            messages,
            checkpoint,
            off_branch,
            on_branch,
            self._keys_tell_content,
            usage,
        )

    def _timed(self) -> tuple[NewMessage, ...]:
        last = datetime.fromtimestamp(self.fingerprint.mtime_ns / 1e9, UTC)
        moment = next((m.timestamp for m in self._messages if m.timestamp is not None), last)
        timed: list[NewMessage] = []
        for message in self._messages:
            if message.timestamp is None:
                message = message.model_copy(update={"timestamp": moment})
            else:
                moment = message.timestamp
            timed.append(message)
        return tuple(timed)
