"""Sessions of Claude Code and Codex as an import finds them, made up: the same bytes every time.

A quarter of a million words, names and paths, used as often as words are (the commonest one
thirteenth of the time, most of them hardly ever), are put into lines of prose, code and output
beforehand. A conversation then only picks lines, which makes hundreds of megabytes in seconds.
"""

from __future__ import annotations

import json
import math
import os
import random
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate, count
from pathlib import Path
from typing import NamedTuple, TextIO

FULL_MEGABYTES = 422
_SESSIONS_PER_MB = 1_000 / FULL_MEGABYTES
_MESSAGES_PER_SESSION = 150
_BYTES_PER_MESSAGE = FULL_MEGABYTES * 1_000_000 / 150_000
_NEWEST = 50  # sessions of which the titles are noted
_END = datetime(2026, 11, 20, 18, tzinfo=UTC)
_EDITION = 1  # to be raised when what is made changes
_NOTE = "corpus.json"

_SYLLABLES = "ba be bo ca co da de di fi fo ga ge go ha ji ka ke la le li lo ma me mi mo na ne no"
_ENDS = "n r s t l m ck st nd rt th sh ng nk mp ld x"
_EXOTIC = ("größe", "naïve", "façade", "日本語", "проверка", "✓", "→", "🚀", "señal", "…")
_SUFFIXES = (".py", ".ts", ".rs", ".go", ".md", ".json", ".toml", ".sql")


@dataclass(frozen=True)
class Corpus:
    """What was made: a home folder with both agents' files in it, and what should be found."""

    home: str
    sessions: int
    messages: int
    bytes: int
    newest: tuple[tuple[str, str], ...]
    """Ids and titles of the sessions last worked on, the newest first."""

    @property
    def megabytes(self) -> float:
        return self.bytes / 1e6


def make(folder: Path, megabytes: float) -> Corpus:
    """Make a corpus below `folder`, or give the one that was made there before."""
    home = folder / f"corpus-{_EDITION}-{megabytes:g}"
    note = home / _NOTE
    if note.exists():
        held = json.loads(note.read_text())
        newest = tuple((session_id, title) for session_id, title in held.pop("newest"))
        return Corpus(**{**held, "home": str(home), "newest": newest})
    corpus = _written(home, max(2, round(megabytes * _SESSIONS_PER_MB)))
    note.write_text(json.dumps(asdict(corpus)))
    return corpus


def make_small(folder: Path, files: int) -> Path:
    """Make a home with many transcripts of a few records each."""
    home = folder / f"small-{_EDITION}-{files}"
    if (home / _NOTE).exists():
        return home
    dice = random.Random(files)
    for number in range(files):
        session_id = _uuid(dice)
        place = home / ".claude" / "projects" / f"-home-ada-src-small-{number // 100}"
        place.mkdir(parents=True, exist_ok=True)
        writer = _Claude(session_id, "/home/ada/src/small", _END, dice)
        writer.prompt(f"Small question {number}")
        writer.answer(f"Small answer {number}")
        (place / f"{session_id}.jsonl").write_text("".join(writer.parts))
    (home / _NOTE).write_text("{}")
    return home


def make_line(folder: Path, megabytes: int, *, is_base64: bool) -> Path:
    """Make a home with one transcript that has a line of so many megabytes."""
    home = folder / f"line-{_EDITION}-{megabytes}-{'base64' if is_base64 else 'text'}"
    dice = random.Random(3)
    session_id = _uuid(dice)
    place = home / ".claude" / "projects" / "-home-ada-src-line"
    file = place / f"{session_id}.jsonl"
    if file.exists():
        return home
    place.mkdir(parents=True)
    writer = _Claude(session_id, "/home/ada/src/line", _END, dice)
    writer.prompt("Look at this")
    if is_base64:
        writer.picture("QUJDREVGR0hJSktMTU5PUA" * (megabytes * 1_000_000 // 22))
    else:
        writer.prompt("a long line of words and more of them " * (megabytes * 1_000_000 // 38))
    writer.answer("Seen")
    file.write_text("".join(writer.parts))
    return home


def _written(home: Path, sessions: int) -> Corpus:
    dice = random.Random(sessions)
    text = _Text(random.Random(1))
    counts = lengths(dice, sessions)
    made: list[tuple[float, str, str]] = []
    messages, size = [0, 0], [0, 0]  # of either agent
    for number, length in enumerate(counts):
        agent = number % 2
        start = _END - timedelta(minutes=97 * number + dice.randrange(60))
        project = f"/home/ada/src/project-{dice.randrange(1, 1 + sessions // 8)}"
        writer: _Writer
        if agent:
            writer = _Codex(_uuid(dice), project, start, dice, text)
        else:
            writer = _Claude(_uuid(dice), project, start, dice)
        title = f"{text.words(4)} {number}"
        budget = (messages[agent] + length) * _BYTES_PER_MESSAGE - size[agent]
        _converse(writer, text, dice, title, length, budget)
        path = home / writer.place(start)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8") as file:
            size[agent] += _write(file, writer.parts)
        end = writer.now.timestamp()
        os.utime(path, (end, end))
        made.append((end, writer.session_id, title))
        messages[agent] += writer.messages
    newest = tuple((one, title) for _, one, title in sorted(made, reverse=True)[:_NEWEST])
    return Corpus(str(home), sessions, sum(messages), sum(size), newest)


def _write(file: TextIO, parts: list[str]) -> int:
    file.writelines(parts)
    file.flush()
    return file.buffer.tell()


def lengths(dice: random.Random, sessions: int) -> list[int]:
    """Give how many messages each session has: many short ones, a few very long ones.

    One of each agent's is as long as one of the other's, so that they share the whole evenly.
    """
    drawn = [dice.lognormvariate(0, 0.9) for _ in range((sessions + 1) // 2)]
    scale = _MESSAGES_PER_SESSION * len(drawn) / sum(drawn)
    return [max(4, round(drawn[number // 2] * scale)) for number in range(sessions)]


class _Text:
    """Lines of every kind, ready to stand inside a JSON string."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        words = _vocabulary(dice)
        weights = list(accumulate(1 / rank for rank in range(1, len(words) + 1)))
        rare = words[:]
        dice.shuffle(rare)
        usual = iter(dice.choices(words, cum_weights=weights, k=9 * len(words)))
        lines = [
            _line(dice, number, [next(usual) for _ in range(9)] + [word])
            for number, word in enumerate(rare)
        ]
        encoded = [json.dumps(line, ensure_ascii=False)[1:-1] for line in lines]
        self._prose, self._code, self._output = (encoded[kind::3] for kind in range(3))
        self._titles = words[:2_000]

    def words(self, number: int) -> str:
        return " ".join(self._dice.choices(self._titles, k=number))

    def prose(self, lines: int) -> str:
        return "\\n".join(self._dice.choices(self._prose, k=lines))

    def code(self, lines: int) -> str:
        return "\\n".join(self._dice.choices(self._code, k=lines))

    def output(self, size: int) -> str:
        """Give about `size` characters that a tool printed: a file, or what a command said."""
        number = max(1, size // 75)
        if self._dice.random() < 0.4:
            lines = self._dice.choices(self._code, k=number)
            return "\\n".join([f"{n:>6}→{line}" for n, line in enumerate(lines, 1)])
        return "\\n".join(self._dice.choices(self._output, k=number))


def _vocabulary(dice: random.Random) -> list[str]:
    """Give 260,000 distinct words, names and paths, the commonest first."""
    syllables, ends = _SYLLABLES.split(), _ENDS.split()
    plain: dict[str, None] = {}
    while len(plain) < 60_000:
        plain["".join(dice.choices(syllables, k=dice.randrange(1, 4))) + dice.choice(ends)] = None
    words = list(plain)
    common, others = words[:3_000], words[3_000:]
    names: dict[str, None] = {}
    while len(names) < 160_000:
        one, two = dice.choices(words, k=2)
        names[one.title() + two.title()] = None
    while len(names) < 180_000:
        names["_".join(dice.choices(words, k=2))] = None
    while len(names) < 200_000:
        folder, name = dice.choices(words, k=2)
        names[f"src/{folder}/{name}{dice.choice(_SUFFIXES)}"] = None
    others += names
    dice.shuffle(others)
    return common + others


def _line(dice: random.Random, number: int, words: list[str]) -> str:
    if number % 40 == 0:
        words[3] = dice.choice(_EXOTIC)
    match number % 3, dice.randrange(4):
        case 0, _:
            return " ".join(words).capitalize() + "."
        case 1, 0:
            return f"    def {words[0]}(self, {words[1]}: str) -> None:  # {' '.join(words[5:])}"
        case 1, _:
            return f'        self.{words[0]} = {words[1]}["{words[2]}"] + {" + ".join(words[4:])}'
        case _, 0:
            return f"{dice.getrandbits(40):010x} {' '.join(words[:8])}"
        case _, 1:
            return f"src/{words[0]}.py:{dice.randrange(900)}: {' '.join(words[1:])}"
        case _, 2:
            return f"\x1b[32mPASSED\x1b[0m {words[0]}::{words[1]} {' '.join(words[3:])}"
        case _:
            return f"2026-11-20 12:{number % 60:02}:07 INFO {words[0]}: {' '.join(words[2:])}"


class _Writer:
    """One session's file as it is written, and how many messages are in it."""

    def __init__(self, session_id: str, cwd: str, start: datetime, dice: random.Random) -> None:
        self.session_id = session_id
        self.parts: list[str] = []
        self.messages = 0
        self._cwd = cwd
        self._dice = dice
        self.now = start
        self._ids = count()

    def place(self, start: datetime) -> Path:
        raise NotImplementedError

    def title(self, title: str) -> None: ...

    def prompt(self, text: str) -> None:
        raise NotImplementedError

    def thinking(self, text: str) -> None:
        raise NotImplementedError

    def call(self, name: str, argument: str) -> str:
        raise NotImplementedError

    def result(self, call: str, output: str) -> None:
        raise NotImplementedError

    def answer(self, text: str) -> None:
        raise NotImplementedError

    def end(self) -> None: ...

    def _time(self) -> str:
        self.now += timedelta(milliseconds=self._dice.randrange(200, 60_000))
        return self.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _hex(self, letters: int) -> str:
        return f"{self._dice.getrandbits(4 * letters):0{letters}x}"


class _Step(NamedTuple):
    name: str
    argument: str


def _converse(
    writer: _Writer, text: _Text, dice: random.Random, title: str, length: int, budget: float
) -> None:
    """Write about `length` messages in about `budget` bytes, most of them in tools' outputs."""
    writer.title(title)
    writer.prompt(title)
    written = counted = 0
    while writer.messages < length - 2:
        if writer.messages > 1 and dice.random() < 0.12:
            writer.prompt(text.prose(dice.randrange(1, 5)))
        if dice.random() < 0.3:
            writer.thinking(text.prose(dice.randrange(1, 6)))
        if dice.random() < 0.25:
            writer.answer(text.prose(dice.randrange(1, 9)))
        step = _step(text, dice)
        call = writer.call(step.name, step.argument)
        while counted < len(writer.parts):
            written += len(writer.parts[counted])
            counted += 1
        left = max(1.0, (length - writer.messages) / 2.6)  # results that are still to come
        mean = max(60.0, (budget - written) / left / 2.3 - 500)  # each is in the file twice
        size = 50_000 if dice.random() < 0.004 else mean * min(8, dice.lognormvariate(-0.6, 1.1))
        writer.result(call, text.output(min(60_000, math.ceil(size))))
    writer.answer(text.prose(dice.randrange(2, 12)))
    writer.end()


def _step(text: _Text, dice: random.Random) -> _Step:
    kind = dice.randrange(10)
    if kind < 5:
        return _Step("Bash", f'"command":"rg -n {text.words(2)} src/"')
    if kind < 8:
        return _Step("Read", f'"file_path":"/home/ada/src/{text.words(1)}.py"')
    old, new = text.code(dice.randrange(1, 8)), text.code(dice.randrange(1, 12))
    return _Step("Edit", f'"file_path":"a.py","old_string":"{old}","new_string":"{new}"')


class _Claude(_Writer):
    """A transcript as Claude Code 2.1 writes it: one line for each block of an answer."""

    def __init__(self, session_id: str, cwd: str, start: datetime, dice: random.Random) -> None:
        super().__init__(session_id, cwd, start, dice)
        self._parent = "null"
        self._request = 0
        self._tail = (
            f'"userType":"external","entrypoint":"cli","cwd":"{cwd}","sessionId":"{session_id}",'
            '"version":"2.1.197","gitBranch":"main","slug":"quiet-brook"}\n'
        )

    def place(self, start: datetime) -> Path:
        folder = self._cwd.replace("/", "-")
        return Path(".claude") / "projects" / folder / f"{self.session_id}.jsonl"

    def title(self, title: str) -> None:
        self._beside('"type":"permission-mode","permissionMode":"default"')
        if self._dice.random() < 0.5:
            self._beside(f'"type":"ai-title","aiTitle":"{title}"')

    def prompt(self, text: str) -> None:
        self._beside(
            f'"type":"file-history-snapshot","messageId":"{_uuid(self._dice)}","snapshot":'
            f'{{"trackedFileBackups":{{}},"timestamp":"{self._time()}"}},"isSnapshotUpdate":false'
        )
        self._record(
            f'"promptId":"{self._hex(8)}","type":"user","message":{{"role":"user",'
            f'"content":"{text}"}},"permissionMode":"default","promptSource":"typed"'
        )
        self._record(
            '"attachment":{"type":"todo_reminder","content":[],"itemCount":0},"type":"attachment"'
        )
        self.messages += 1

    def picture(self, data: str) -> None:
        self._record(
            '"type":"user","message":{"role":"user","content":[{"type":"image","source":{"type":'
            f'"base64","media_type":"image/png","data":"{data}"}}}}]}}'
        )
        self.messages += 1

    def thinking(self, text: str) -> None:
        self._block(f'{{"type":"thinking","thinking":"{text}","signature":"{self._hex(300)}"}}')

    def call(self, name: str, argument: str) -> str:
        call = f"toolu_{self._hex(22)}"
        self._block(
            f'{{"type":"tool_use","id":"{call}","name":"{name}","input":{{{argument},'
            f'"description":"{name} it"}}}}'
        )
        if self._dice.random() < 0.3:
            for seconds in range(2, 2 + self._dice.randrange(1, 6)):
                self._record(
                    '"type":"progress","data":{"type":"bash_progress","output":"","fullOutput":"",'
                    f'"elapsedTimeSeconds":{seconds},"totalLines":0}},"toolUseID":"bash-{seconds}",'
                    f'"parentToolUseID":"{call}"'
                )
        return call

    def result(self, call: str, output: str) -> None:
        failed = "true" if self._dice.random() < 0.04 else "false"
        self._record(
            f'"type":"user","message":{{"role":"user","content":[{{"tool_use_id":"{call}",'
            f'"type":"tool_result","content":"{output}","is_error":{failed}}}]}},'
            f'"toolUseResult":{{"stdout":"{output}","stderr":"","interrupted":false,'
            '"isImage":false,"noOutputExpected":false}'
        )
        self.messages += 1
        self._request += 1

    def answer(self, text: str) -> None:
        self._block(f'{{"type":"text","text":"{text}"}}')

    def end(self) -> None:
        self._record('"type":"system","subtype":"turn_duration","durationMs":90000,"isMeta":false')
        self._beside(f'"type":"last-prompt","lastPrompt":"so","leafUuid":{self._parent}')

    def _block(self, block: str) -> None:
        cached = self._dice.randrange(3_000, 150_000)
        self._record(
            f'"message":{{"id":"msg_{self.session_id[:8]}{self._request:014}","type":"message",'
            f'"role":"assistant","model":"claude-sonnet-5","content":[{block}],"stop_reason":null,'
            f'"stop_sequence":null,"usage":{{"input_tokens":11,"cache_creation_input_tokens":200,'
            f'"cache_read_input_tokens":{cached},"output_tokens":42,"server_tool_use":'
            '{"web_search_requests":0,"web_fetch_requests":0},"service_tier":"standard",'
            '"cache_creation":{"ephemeral_1h_input_tokens":0,"ephemeral_5m_input_tokens":200}}},'
            f'"requestId":"req_{self._request:020}","type":"assistant"'
        )
        self.messages += 1

    def _record(self, members: str) -> None:
        name = f'"{_uuid(self._dice)}"'
        self.parts.append(
            f'{{"parentUuid":{self._parent},"isSidechain":false,{members},"uuid":{name},'
            f'"timestamp":"{self._time()}",{self._tail}'
        )
        self._parent = name

    def _beside(self, members: str) -> None:
        self.parts.append(f'{{{members},"sessionId":"{self.session_id}"}}\n')


class _Codex(_Writer):
    """A rollout as Codex 0.169 writes it: every text as an item and as an event."""

    def __init__(
        self, session_id: str, cwd: str, start: datetime, dice: random.Random, text: _Text
    ) -> None:
        super().__init__(session_id, cwd, start, dice)
        self._turn = f'"turn_id":"{_uuid(dice)}"'
        self._record(
            "session_meta",
            f'"session_id":"{session_id}","id":"{session_id}","timestamp":"{self._time()}",'
            f'"cwd":"{cwd}","originator":"codex-tui","cli_version":"0.169.0","source":"cli",'
            '"thread_source":"user","model_provider":"openai","base_instructions":{"text":"'
            f'{text.prose(200)}"}},"git":{{"commit_hash":"{self._hex(40)}","branch":"main"}}',
        )
        self._message("developer", "input_text", text.prose(60), "")
        context = f"<environment_context>\\n  <cwd>{cwd}</cwd>\\n</environment_context>"
        self._message("user", "input_text", context, '"environments.environment_context"')

    def place(self, start: datetime) -> Path:
        name = f"rollout-{start:%Y-%m-%dT%H-%M-%S}-{self.session_id}.jsonl"
        return Path(".codex") / "sessions" / f"{start:%Y/%m/%d}" / name

    def prompt(self, text: str) -> None:
        self._turn = f'"turn_id":"{_uuid(self._dice)}"'
        self._record("event_msg", f'"type":"task_started",{self._turn},"started_at":1795217683')
        self._record(
            "turn_context",
            f'{self._turn},"cwd":"{self._cwd}","approval_policy":"on-request","model":"gpt-5-codex"'
            ',"summary":"none","sandbox_policy":{"type":"workspace-write"}',
        )
        self._message("user", "input_text", text, '"user.text"')
        self._item("UserMessage", f'"content":[{{"type":"text","text":"{text}"}}]')
        self.messages += 1

    def thinking(self, text: str) -> None:
        self._item("Reasoning", f'"summary_text":["{text}"],"raw_content":[]')
        self._response(
            f'"type":"reasoning","id":"rs_{self._hex(24)}","summary":[{{"type":"summary_text",'
            f'"text":"{text}"}}],"content":null,"encrypted_content":"{self._hex(600)}"'
        )
        self.messages += 1

    def call(self, name: str, argument: str) -> str:
        call = f"call_{self._hex(24)}"
        arguments = json.dumps("{" + argument + "}", ensure_ascii=False)
        self._response(
            f'"type":"function_call","status":"completed","id":"fc_{self._hex(24)}",'
            f'"name":"{"exec_command" if name == "Bash" else name.lower()}",'
            f'"arguments":{arguments},"call_id":"{call}"'
        )
        usage = (
            f'{{"input_tokens":{self._dice.randrange(3_000, 90_000)},"cached_input_tokens":3000,'
            '"output_tokens":42,"reasoning_output_tokens":10,"total_tokens":3253}'
        )
        self._record(
            "token_usage_record",
            f'{self._turn},"usage":{usage},"turn_token_usage":{usage},"thread_token_usage":{usage}',
        )
        self.messages += 1
        return call

    def result(self, call: str, output: str) -> None:
        code = int(self._dice.random() < 0.04)
        self._item(
            "CommandExecution",
            f'"process_id":"87513","command":["/bin/bash","-lc","it"],"cwd":"file://{self._cwd}",'
            f'"status":"completed","aggregated_output":"{output}","exit_code":{code}',
        )
        self._response(
            f'"type":"function_call_output","id":"fco_{self._hex(24)}","call_id":"{call}","output":'
            f'"Chunk ID: {self._hex(6)}\\nWall time: 0.1 seconds\\nProcess exited with code {code}'
            f'\\nOutput:\\n{output}"'
        )
        usage = '{"input_tokens":3211,"output_tokens":42,"total_tokens":3253}'
        self._record(
            "event_msg",
            f'"type":"token_count","info":{{"total_token_usage":{usage},"last_token_usage":{usage},'
            '"model_context_window":258400},"rate_limits":{"limit_id":"codex","primary":null}',
        )
        self.messages += 1

    def answer(self, text: str) -> None:
        self._item("AgentMessage", f'"content":[{{"type":"Text","text":"{text}"}}]')
        self._message("assistant", "output_text", text, '"unknown"')
        self.messages += 1

    def end(self) -> None:
        self._record("event_msg", f'"type":"task_complete",{self._turn},"duration_ms":317')

    def _message(self, role: str, kind: str, text: str, origin: str) -> None:
        self._response(
            f'"type":"message","id":"msg_{self._hex(24)}","role":"{role}","content":'
            f'[{{"type":"{kind}","text":"{text}"}}]',
            f',"content_item_kinds":[{origin}]',
        )

    def _response(self, members: str, more: str = "") -> None:
        self._record(
            "response_item",
            f'{members},"internal_chat_message_metadata_passthrough":{{{self._turn}{more}}}',
            ',"metadata":{"history_sequence":3,"sampled_through_sequence":0}',
        )

    def _item(self, kind: str, members: str) -> None:
        self._record(
            "event_msg",
            f'"type":"item_completed","thread_id":"{self.session_id}",{self._turn},"item":'
            f'{{"type":"{kind}","id":"{self._hex(26)}",{members}}},"started_at_ms":1795217683488',
        )

    def _record(self, kind: str, members: str, more: str = "") -> None:
        self.parts.append(
            f'{{"timestamp":"{self._time()}","ordinal":{next(self._ids)},"type":"{kind}",'
            f'"payload":{{{members}}}{more}}}\n'
        )


def _uuid(dice: random.Random) -> str:
    digits = f"{dice.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"
