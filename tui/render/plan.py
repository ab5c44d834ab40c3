"""What of a message is shown, before it is known how wide: the folding and the cutting.

A message can be of any length, so its text is cut into parts that are laid out one at a time,
when they are looked at. Where it is cut does not depend on the width: a place in a history is
(message, part, line), and survives a resize.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum, StrEnum
from typing import TYPE_CHECKING

from store.enums import Kind, Role
from tui.render.marks import Links, marks_after, marks_before
from tui.render.tools import PLAIN, Region, change, detail, read_as, telling

if TYPE_CHECKING:
    from store.models import Message
    from tui.render.blocks import Opening

PART = 4_096  # characters laid out at once
LINES = 64  # and about as many lines
_LINES_OF_MANY = 256  # where a text is so long that its parts are many anyway
FULL_FROM = 65_536  # texts longer than this are cut short until everything is unfolded
SHORT_LINES = 8
SHORT_TEXT = 1_000
_GLIMPSE = 2_000  # where a one-line glimpse of a text is looked for


class Fold(StrEnum):
    """How much of a history is shown. Prompts and answers always are; the rest is folded."""

    SUMMARY = "summary"  # one line each
    SHORT = "short"  # the first lines of what tools gave back and of thoughts
    FULL = "full"

    def next(self) -> Fold:
        """Give the fold that follows, the first after the last."""
        folds = list(Fold)
        return folds[(folds.index(self) + 1) % len(folds)]


class Shape(Enum):
    """The ways in which messages look."""

    PROMPT = "prompt"
    ANSWER = "answer"
    CONTEXT = "context"
    THINKING = "thinking"
    CALL = "call"
    RESULT = "result"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Plan:
    """What of a message is shown.

    `head` is a line of its own, clipped; `body` is text to wrap, whose parts begin at `cuts`;
    the first of them are Markdown, as many as there are `openings`, the others are what the
    `regions` say. `more` is a closing line. `lines` counts those of the whole text. `before` and
    `after` are marks between messages, `leads_to` names the conversation that begins here.
    """

    message: Message
    shape: Shape
    fold: Fold
    head: str | None = None
    body: str | None = None
    more: str = ""
    lines: int = 1
    cuts: tuple[int, ...] = (0,)
    openings: tuple[Opening | None, ...] = ()
    regions: tuple[Region, ...] = (PLAIN,)
    change: tuple[int, int] | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    leads_to: str = ""

    @property
    def parts(self) -> int:
        """How many parts there are, one at least."""
        return len(self.cuts)

    def text(self, part: int) -> str:
        """Give the text of one part."""
        if self.body is None:
            return ""
        end = self.cuts[part + 1] if part + 1 < len(self.cuts) else len(self.body)
        return self.body[self.cuts[part] : end]

    def pieces(self, part: int) -> Iterator[tuple[str, Region]]:
        """Give the text of one part by what it is."""
        if self.body is None:
            return
        lo = self.cuts[part]
        hi = self.cuts[part + 1] if part + 1 < len(self.cuts) else len(self.body)
        ends = [region.start for region in self.regions[1:]] + [len(self.body)]
        for region, end in zip(self.regions, ends, strict=True):
            start, stop = max(lo, region.start), min(hi, end)
            if start >= stop:
                continue
            yield self.body[start:stop], region.further(self.body[region.start : start])


def plan_among(message: Message, fold: Fold, previous: Message | None, links: Links) -> Plan:
    """Decide what is shown of a message that stands among others."""
    plan = plan_message(message, fold)
    before, after = marks_before(message, previous), marks_after(message, links)
    leads_to = links.calls.get(message.tool_call_id) if message.tool_call_id else None
    if not before and not after and leads_to is None:
        return plan
    title = links.titles.get(leads_to, leads_to) if leads_to else ""
    return replace(plan, before=before, after=after, leads_to=title)


def has_folds(message: Message) -> bool:
    """Say whether there is anything to fold or unfold in a message."""
    least, most = plan_message(message, Fold.SUMMARY), plan_message(message, Fold.FULL)
    return (least.head, least.body, least.more) != (most.head, most.body, most.more)


def plan_message(message: Message, fold: Fold) -> Plan:
    """Decide what of a message is shown, whatever stands around it."""
    shape = shape_of(message)
    if shape is Shape.CALL:
        return _call(message, fold)
    if shape is Shape.SUMMARY:
        body = message.content.strip() if fold is Fold.FULL else None
        return _with_body(message, shape, body, head="", fold=fold)
    if shape in (Shape.PROMPT, Shape.ANSWER):
        return _with_body(message, shape, message.content.rstrip(), fold=fold)
    return _folded(message, shape, fold)


def shape_of(message: Message) -> Shape:
    """Say which way a message looks."""
    if message.kind is Kind.TOOL_CALL:
        return Shape.CALL
    if message.kind is Kind.TOOL_RESULT or message.role is Role.TOOL:
        return Shape.RESULT
    if message.kind is Kind.SUMMARY:
        return Shape.SUMMARY
    if message.kind is Kind.THINKING:
        return Shape.THINKING
    if message.role is Role.ASSISTANT:
        return Shape.ANSWER
    return Shape.PROMPT if message.is_prompt else Shape.CONTEXT


def _call(message: Message, fold: Fold) -> Plan:
    head = telling(message.content)
    if fold is not Fold.FULL:
        return Plan(message, Shape.CALL, fold, head=head, change=change(message.content))
    body, regions = detail(message.content)
    plan = _with_body(message, Shape.CALL, body.rstrip() or None, head=head, fold=fold)
    return replace(plan, regions=regions, change=change(message.content))


def _folded(message: Message, shape: Shape, fold: Fold) -> Plan:
    text = message.content.rstrip()
    # Looking for a newline is twenty times faster than counting, and none may be in ten megabytes.
    lines = (text.count("\n") if "\n" in text else 0) + 1 if text else 0
    is_short = lines <= SHORT_LINES and len(text) <= SHORT_TEXT
    if not text:
        return Plan(message, shape, fold, head="nothing", lines=0)
    if fold is Fold.SUMMARY and not (is_short and shape is Shape.CONTEXT):
        glimpse = text[:_GLIMPSE].lstrip().split("\n", 1)[0] or "…"
        return Plan(message, shape, fold, head=glimpse, lines=lines)
    if fold is Fold.FULL or is_short:
        return _with_body(message, shape, text, lines=lines, fold=fold)
    shown = "\n".join(text[:SHORT_TEXT].split("\n")[:SHORT_LINES])
    left = lines - shown.count("\n") - 1
    more = f"{left:,} more line{'s' * (left > 1)}" if left else _characters(text, len(shown))
    return Plan(message, shape, fold, body=shown, more=f"… {more}", lines=lines)


def _with_body(
    message: Message,
    shape: Shape,
    body: str | None,
    *,
    fold: Fold,
    head: str | None = None,
    lines: int = 1,
) -> Plan:
    more = ""
    if body is not None and len(body) > FULL_FROM and fold is not Fold.FULL:
        more = f"… {_characters(body, FULL_FROM)}"
        body = body[:FULL_FROM]
    is_text = shape in (Shape.PROMPT, Shape.ANSWER, Shape.SUMMARY)
    if is_text and body and "\r" in body:
        body = body.replace("\r\n", "\n").replace("\r", "\n")
    cuts, openings = _marked(body or "") if is_text else (_cuts(body or ""), ())
    is_result = shape is Shape.RESULT
    return Plan(
        message,
        shape,
        fold,
        head=head,
        body=body,
        more=more,
        lines=lines,
        cuts=cuts,
        openings=openings,
        regions=(read_as(body) if is_result and body else PLAIN,),
    )


def _characters(text: str, shown: int) -> str:
    return f"{len(text) - shown:,} more characters"


def _marked(text: str) -> tuple[tuple[int, ...], tuple[Opening | None, ...]]:
    """Say where the parts of a Markdown text begin, and what is open there.

    What comes after the first `FULL_FROM` characters is not read as Markdown, folded or not.
    """
    if len(text) <= PART and text.count("\n") < LINES:
        return (0,), (None,)
    from tui.render.blocks import cut  # most texts are short

    head = text[:FULL_FROM]
    parts = cut(head, PART, LINES)
    starts = tuple(at for at, _ in parts)
    end = _end(head, starts[-1], LINES) or len(head)
    rest = _cuts(text, end) if end < len(text) else ()
    return starts + rest, tuple(opening for _, opening in parts)


def _cuts(text: str, start: int = 0) -> tuple[int, ...]:
    """Say where the parts of a text begin: after a line if one ends there, else after a word."""
    cuts = [start]
    most_lines = LINES if len(text) <= FULL_FROM else _LINES_OF_MANY
    while at := _end(text, cuts[-1], most_lines):
        cuts.append(at)
    return tuple(cuts)


def _end(text: str, start: int, most_lines: int) -> int:
    """Say where the part that begins somewhere ends, 0 if that is with the text."""
    stop = min(start + PART, len(text))
    lines = text.count("\n", start, stop)
    if lines > most_lines:
        stop = start + (stop - start) * most_lines // lines
    elif stop == len(text):
        return 0
    at = text.rfind("\n", start + 1, stop) + 1 or text.rfind(" ", stop - 256, stop) + 1 or stop
    return at + (text[at - 1 : at + 1] == "\r\n")
