"""Conversations to search in: short messages of a realistic vocabulary, the same ones every time.

A quarter of a million words, names and paths are used as often as words are: the commonest one
thirteenth of the time, most of them hardly ever. On top of that each session has words of its own,
which it uses more than others do, and tool output has numbers that occur nowhere else. Two words,
`SELDOM_TOGETHER`, are in a twentieth of all messages each, and never in the same one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from store import Kind, NewMessage, Role
from tests.benchmarks.corpus import lengths

SELDOM_TOGETHER = ("kestrel", "osprey")
_END = datetime(2026, 11, 20, 18, tzinfo=UTC)
_POOL = 6_000_000  # words drawn beforehand; a text is a run of them
_MESSAGES_PER_SESSION = 150
_OWN_WORDS = 30
_COMMON = 3_000
# How often words begin with each letter, in a thousand.
_INITIALS = "taoiswcbphfmdrelnguvyjkqxz"
_WEIGHTS = (
    *(15, 11, 7, 7, 8, 6, 5, 5, 4, 4, 4, 4, 3, 3, 3, 2, 2, 2),
    *(1, 0.8, 0.8, 0.6, 0.6, 0.2, 0.1, 0.1),
)
_MIDDLES = ("a", "e", "i", "o", "u", "a", "e", "i", "o", "an", "en", "in", "on", "er", "or", "al")
_MORE = (*"bcdfghlmnprstvw", "st", "tr", "ch", "sh", "th", "ll", "nd", "nt", "ck", "pr")
_ENDS = ["", "", "", "", "", "", "e", "s", "n", "t", "ed", "er", "ing", "ion", "ly", "y", "al"]
_FILES = (".py", ".ts", ".rs", ".go", ".md", ".json", ".toml", ".sql")
_MODELS = ("sonnet-4.5", "opus-4.1", "gpt-5-codex", "haiku-4.5")
_BRANCHES = ("main", "main", "main", "fix/retry", "feature/search", "release-2")
_JOINTS = (" ", " ", " ", " ", " ", " ", ", ", ". ", ": ", " = ", "(", ") ", "\n", ".", " -> ")
_AGENTS = ("claude", "claude", "codex", "codex", "goose")


@dataclass(frozen=True)
class Conversation:
    """One session and its messages, in order."""

    number: int
    agent: str
    project: str
    branch: str
    model: str
    title: str
    messages: list[NewMessage]


class Words:
    """Runs of words as they are used."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.all = _vocabulary(dice)
        weights = list(accumulate(1 / rank for rank in range(1, len(self.all) + 1)))
        self._pool = dice.choices(self.all, cum_weights=weights, k=_POOL)
        self._own: list[str] = []

    def begin(self) -> None:
        """Choose the next session's own words."""
        self._own = self.dice.choices(self.all[100:20_000], k=_OWN_WORDS)

    def run(self, count: int) -> list[str]:
        dice = self.dice
        start = int(dice.random() * (_POOL - count))
        words = self._pool[start : start + count]
        for place in range(int(dice.random() * 6), count, 6):
            words[place] = self._own[int(dice.random() ** 2 * _OWN_WORDS)]
        return words

    def text(self, count: int) -> str:
        words = self.run(count)
        joints = self.dice.choices(_JOINTS, k=len(words))
        return "".join([part for pair in zip(words, joints, strict=True) for part in pair])

    def output(self, count: int) -> str:
        """Give what a tool printed: lines with numbers, names of files, times."""
        dice = self.dice
        lines = []
        while count > 0:
            size = min(count, 8)
            count -= size
            match int(dice.random() * 5):
                case 0:
                    head = f"{dice.getrandbits(40):010x} "
                case 1:
                    head = f"src/{self.run(1)[0]}.py:{int(dice.random() * 900)}: "
                case 2:
                    head = f"2026-11-20 12:{int(dice.random() * 60):02}:07 INFO "
                case 3:
                    head = f"{int(dice.random() * 999):>6}→"
                case _:
                    head = "\x1b[32mPASSED\x1b[0m "
            lines.append(head + " ".join(self.run(size)))
        return "\n".join(lines)


def _vocabulary(dice: random.Random) -> list[str]:
    """Give 260,000 distinct words, names and paths, the commonest first."""
    plain: dict[str, None] = {}
    while len(plain) < 70_000:
        parts = [dice.choices(_INITIALS, _WEIGHTS)[0], dice.choice(_MIDDLES)]
        for _ in range(dice.choice((0, 1, 1, 1, 2, 2, 3))):
            parts += (dice.choice(_MORE), dice.choice(_MIDDLES))
        plain["".join((*parts, dice.choice(_ENDS)))] = None
    words = list(plain)
    # What is said most is short, in every language.
    common, others = sorted(words[:_COMMON], key=len), words[_COMMON:]
    names: dict[str, None] = {}
    while len(names) < 130_000:
        one, two = dice.choice(common), dice.choice(words)
        names[one + two.title() if dice.random() < 0.5 else one.title() + two.title()] = None
    while len(names) < 170_000:
        names["_".join(dice.choices(words, k=2))] = None
    while len(names) < 190_000:
        folder, name = dice.choices(words, k=2)
        names[f"src/{folder}/{name}{dice.choice(_FILES)}"] = None
    others += names
    dice.shuffle(others)
    return common + others


def conversations(messages: int, *, seed: int = 5) -> Iterator[Conversation]:
    """Give sessions of about so many messages together, those last worked on first."""
    dice = random.Random(seed)
    words = Words(dice)
    sessions = max(2, messages // _MESSAGES_PER_SESSION)
    for number, length in enumerate(lengths(dice, sessions)):
        words.begin()
        start = _END - timedelta(minutes=97 * number + dice.randrange(60))
        model = dice.choice(_MODELS)
        yield Conversation(
            number=number,
            agent=dice.choice(_AGENTS),
            project=f"/home/ada/src/project-{int(dice.random() ** 2 * 300)}",
            branch=dice.choice(_BRANCHES),
            model=model,
            title=" ".join(words.run(5)),
            messages=list(_messages(words, length, start, model)),
        )


def _messages(words: Words, count: int, at: datetime, model: str) -> Iterator[NewMessage]:
    dice = words.dice
    bird = SELDOM_TOGETHER[dice.random() < 0.5] if dice.random() < 0.2 else None
    new = NewMessage.trusted
    for number in range(count):
        if number % 5 != 1:  # two blocks of one answer have one time
            at += timedelta(milliseconds=200 + int(dice.random() ** 3 * 200_000))
        kind, role, tool = Kind.TEXT, Role.ASSISTANT, None
        draw = dice.random()
        if number == 0 or draw < 0.05:
            role, text = Role.USER, words.text(4 + int(dice.random() * 40))
        elif draw < 0.17:
            kind, text = Kind.THINKING, words.text(10 + int(dice.random() * 80))
        elif draw < 0.26:
            text = words.text(10 + int(dice.random() * 100))
        elif draw < 0.265:
            kind, role, text = Kind.SUMMARY, Role.SYSTEM, words.text(60)
        elif draw < 0.63:
            kind, tool = Kind.TOOL_CALL, dice.choice(("Bash", "Read", "Edit", "Grep"))
            text = f'{{"command":"rg -n --no-verify {" ".join(words.run(3 + number % 16))} src/"}}'
        else:
            kind, role, tool = Kind.TOOL_RESULT, Role.TOOL, "Bash"
            text = words.output(6 + int(dice.random() ** 2 * 130))
        if bird is not None and number % 2:
            text = f"{text} {bird}"
        yield new(
            role=role,
            content=text,
            kind=kind,
            tool_name=tool,
            tool_call_id=None,
            is_error=False,
            model=model if role is Role.ASSISTANT else None,
            is_prompt=role is Role.USER,
            on_branch=True,
            inherited=False,
            key=None,
            timestamp=at,
        )
