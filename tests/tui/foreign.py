"""A store of text that is hard on a terminal: every script, every kind of cluster, every length."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import Path

from store import Kind, NewMessage, Role, Store

WHEN = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)

TEXTS = {
    "plain": "Plain words, nothing else",
    "chinese": "修复上传程序的重试风暴，并为网关添加退避",
    "japanese": "アップロードの再試行を直す「急ぎ」ｱｯﾌﾟﾛｰﾄﾞ か\u3099き\u3099",
    "korean": "업로더의 재시도 폭풍 고치기",
    "korean, decomposed": unicodedata.normalize("NFD", "업로더 한글"),
    "old korean": "\u1112\u119e\u11ab \uc544\u119e \u1161\u11ab lone \u1160",
    "thai": "แก้ปัญหาการอัปโหลดซ้ำ กำลังทำ น้ำ",
    "hindi": "हिन्दी में पुनः प्रयास का तूफ़ान ठीक करें",
    "hindi, joined": "क्\u200dष श्री क्षेत्र \u0915\u094d\u200c\u0937",
    "tamil": "பதிவேற்றும் நிரல் கொடுக்கும் பிழை",
    "sinhala": "ශ්\u200dරී ලංකා යතුරු",
    "khmer": "ភាសាខ្មែរ កំហុស",
    "burmese": "မြန်မာဘာသာ ပြင်ဆင်",
    "tibetan": "བོད་སྐད་ཀྱི་ནོར་འཁྲུལ།",
    "arabic": "إصلاح عاصفة إعادة المحاولة في الرافع، 12:30 ثم 3 مرات",
    "arabic, pointed": "بِسْمِ ٱللَّٰهِ ٱلرَّحْمَٰنِ",
    "hebrew": "תיקון סערת הניסיונות (upload.py) ב-3 שלבים",
    "hebrew, pointed": "בְּרֵאשִׁית בָּרָא",
    "persian": "می\u200cخواهم خطا را درست کنم",
    "both ways": "fix שגיאה in upload.py، ثم retry עד 5 times",
    "syriac and thaana": "ܫܠܡܐ ދިވެހި ߒߞߏ",
    "accents": "e\u0301te\u0301 nai\u0308ve Vie\u0323\u0302t Nam Z\u0308 x\u0303\u0323",
    "zalgo": "H" + "\u0315\u0301\u0328\u0489" * 8 + "e" + "\u0336" * 60 + "llo",
    "family": "👩\u200d👩\u200d👧\u200d👦 and 👩🏽\u200d💻 and 🧑\u200d🚀",
    "skin": "👍🏽 👋🏿 ☝🏻 🏽 alone a🏽",
    "flags": "🇩🇪🇫🇷 🇯🇵 🇨 🏴\u200d☠\ufe0f 🏳\ufe0f\u200d🌈 🏴\U000e0067\U000e0062\U000e007f",
    "keys": "1\ufe0f\u20e3 #\ufe0f\u20e3 *\ufe0f\u20e3 5\u20e3",
    "signs": "⚠\ufe0f ❤\ufe0f ✔\ufe0f ℹ\ufe0f ▶\ufe0f ™\ufe0f 🌡\ufe0f 🕵\ufe0f\u200d♀\ufe0f",
    "signs as text": "⚠ ❤ ✔ ℹ ▶ ⌚\ufe0e ☎\ufe0e ✂\ufe0e 🌡 🕵 🏳",
    "emoji": "✅ ❌ ⭐ 🚀 🔥 🐛 ⚡ ⏳ 💥 🎉 🧪 📦",
    "new emoji": "\U0001fae8 \U0001fa77 \U0001fae9 \U0001f6d8 \U0001fac8 \U0001facd",
    "unassigned": "\u0378 \u05ff \ua7f0 \U0001fbff \U0001facf \U000105ff \ufdd0 \uffff \U0001ffff",
    "private": "\ue0b0\ue0a0 \uf113 \U000f0a1e \U0010fffd",
    "ambiguous": "“quoted” … — ± × ÷ ° § ¶ α β γ ① ② Ⅳ ← ↑ → ↓ ● ○ ◐ ★ ☆ ♠ ■ □ ▲ ▼ ☺ ЖЯ",
    "drawing": "├── src │ ╰─ ▸ ▾ ░▒▓█ ▁▂▃▄▅▆▇ ⠋⠙⠹ ⎿ ⏺ ✻ 🭀",
    "wide letters": "Ｆｕｌｌ ｗｉｄｔｈ ⅏ ﷽ ⸻ 𒐫 𝕳𝖊𝖑𝖑𝖔",
    "hexagrams": "䷀䷁ ☰☷ 𝌆 🂡 🀄 🁢",
    "tabs": "a\tbb\tccc\tdddd\te 日\t本\t語",
    "spaces": "a\u00a0b\u2003c\u3000d\u202fe",
    "controls": "\x1b[31mred\x1b[0m \x07 \x9b2J \u202eevil\u2066 \u200bzero \ufeffbom \r over",
    "marks first": "\u0301\u0302 at the start, \u093f\u0bbf too",
}

LONG = "0123456789abcdef" * 65_536  # a line of 1 MiB
LONG_WIDE = "日本語のとても長い行" * 20_000
LONG_MARKS = "e" + "\u0301" * 20_000 + "!"


def markdown(text: str) -> str:
    """Give an answer with a text in every place that Markdown has."""
    return f"""# {text}

Some **{text}** and `{text}` and [{text}](https://example.org/{text}).

- {text}
  1. **{text}** after
- `{text}`

> {text}

| what | {text} |
| --- | --- |
| {text} | ok |
| `x` | {text} |

```python
def f():  # {text}
    return "{text}"
```
"""


def talk(text: str, at: datetime) -> list[NewMessage]:
    """Give a conversation in which a text is everything."""
    call = json.dumps({"command": text})
    edit = json.dumps(
        {
            "file_path": f"/src/{text}.py",
            "old_string": f"a\n{text}\nb",
            "new_string": f"a\n{text} {text}\nb",
        }
    )
    said = [
        NewMessage(role=Role.USER, content=text, is_prompt=True),
        NewMessage(role=Role.ASSISTANT, kind=Kind.THINKING, content=f"{text}\n\n{text} " * 3),
        NewMessage(role=Role.ASSISTANT, content=markdown(text)),
        NewMessage(role=Role.ASSISTANT, kind=Kind.TOOL_CALL, tool_name=text, content=call),
        NewMessage(role=Role.TOOL, kind=Kind.TOOL_RESULT, content=f"{text}\n" * 12),
        NewMessage(role=Role.ASSISTANT, kind=Kind.TOOL_CALL, tool_name="Edit", content=edit),
        NewMessage(role=Role.TOOL, kind=Kind.TOOL_RESULT, content=text, is_error=True),
        NewMessage(role=Role.ASSISTANT, kind=Kind.SUMMARY, content=text),
        NewMessage(role=Role.USER, content=f"{text} {text} {text}", is_prompt=True),
    ]
    return [
        message.model_copy(update={"timestamp": at + timedelta(seconds=number)})
        for number, message in enumerate(said)
    ]


async def fill_foreign(s: Store, *, long: bool = True) -> None:
    """Put a task for every text into a store, the first ones latest, and long lines into one."""
    for number, (name, text) in enumerate(TEXTS.items()):
        at = WHEN - timedelta(minutes=number)
        task = f"{number:02}"
        await s.create_session(
            f"/src/{text.replace('/', '|')}",
            ("claude", "codex", "goose")[number % 3],
            task_id=task,
            title=f"{text} · {name}" if number % 2 else text,
            git_branch=text,
            model=text,
        )
        await s.tag(task, text, name)
        await s.update_task(task, notes=text)
        await s.save_messages(task, talk(text, at))
    await s.add_dependency("00", "01")
    await s.add_dependency("00", "14")
    if long:
        lines = [LONG, LONG_WIDE, LONG_MARKS, "a\t" * 30_000, "x\n" * 30_000]
        for number, line in enumerate(lines):
            at = WHEN + timedelta(seconds=number)
            await s.save_message("00", "tool", line, kind="tool_result", timestamp=at)
            await s.save_message("00", "user", line, is_prompt=True, timestamp=at)


async def make(path: Path) -> None:
    """Write a database of it."""
    import store

    async with store.open_store(path) as s:
        await fill_foreign(s)
