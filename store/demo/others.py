"""Conversations that are hard on a screen: long output, other scripts, text that means harm."""

from __future__ import annotations

from store.demo.talk import Talk

_MODULES = ("backoff", "cache", "chunks", "cli", "client", "paths", "queue", "receipts")
_CHECKS = ("empty", "one", "many", "unicode", "huge", "denied", "twice", "late", "gone", "torn")


def slow_suite() -> Talk:
    """Give the session with the long test log."""
    talk = Talk("slow", "gpt-5-codex")
    talk.you("The test suite takes four minutes. It used to take one. What happened?")
    talk.calls(
        "exec_command",
        long_log(),
        seconds=243,
        cmd="python -m pytest -v --durations=5",
        workdir="/home/ada/src/uploader",
    )
    talk.thinks("**Reading the durations**\n\nThe five slowest share one module: `late`.")
    talk.says(
        """
        One fixture. Every `late` test sleeps for real, 2 seconds at a time, because the fake clock
        was imported by name before it was patched:

        ```python
        from time import sleep  # the clock that nobody can stop
        ```

        Patching `uploader.clock.sleep` instead brings the suite to **38 seconds**.
        """
    )
    talk.you("Do it. Then tell me who wrote that import.", after=20)
    talk.calls(
        "shell",
        "fatal: no such path 'tests/clock.py' in HEAD",
        failed=True,
        command=["bash", "-lc", "git blame -L1,3 tests/clock.py"],
    )
    talk.says("Done: 38 seconds. Who wrote it is, mercifully, lost to a rename.")
    return talk


def long_log(lines: int = 400) -> str:
    """Give the output of a long test run, of so many lines."""
    body = lines - 12
    log = [
        "============================= test session starts ==============================",
        "platform linux -- Python 3.11.9, pytest-8.4.1, pluggy-1.6.0",
        f"collected {body} items",
        "",
    ]
    for n in range(body):
        module = _MODULES[n * len(_MODULES) // body]
        check = _CHECKS[n % len(_CHECKS)]
        name = f"tests/test_{module}.py::test_{check}[{n // len(_CHECKS) % 5}]"
        log.append(f"{name:<58} PASSED [{100 * (n + 1) // body:>3}%]")
    log += ["", "============================= slowest 5 durations =============================="]
    log += [f"{6.04 - n / 100:.2f}s call     tests/test_queue.py::test_late[{n}]" for n in range(5)]
    log.append(
        f"======================= {body} passed in 243.18s (0:04:03) ======================="
    )
    return "\n".join(log)


def cache_layout() -> Talk:
    """Give the Goose session that only looks around."""
    talk = Talk("cache", "qwen3-coder")
    talk.you("Explore how lanternfish lays out its cache. Change nothing.")
    talk.calls(
        "shell",
        """
        cache/
        ├── objects/    2,118 files   1.1 GB
        ├── index.json  1 file        402 kB
        └── tmp/        77 files      3.2 GB
        """,
        command="tree -L 1 --du -h cache/",
    )
    talk.says(
        """
        Three quarters of the cache is `tmp/`:

        - `objects/` is addressed by content and clean,
        - `index.json` is rewritten whole on every insert,
        - `tmp/` has 77 downloads that nobody finished, the oldest from last spring.

        > Nothing was changed. It was tempting.
        """
    )
    return talk


def snake_case() -> Talk:
    """Give the one that was put away."""
    talk = Talk("snake", "opus-4.1")
    talk.you("Rename everything to snake_case. Everything.")
    talk.says(
        "Including the README? It would become `readme.md`, which some tools do not look for."
    )
    talk.you("Everything except the README.")
    talk.calls("Bash", "214 files renamed", command="python tools/rename.py --snake --write")
    talk.says("214 files renamed, one README spared. The imports followed; the tests are green.")
    return talk


def nightly() -> Talk:
    """Give the one that a machine began."""
    talk = Talk("nightly", "haiku-4.5")
    talk.told(
        "Nightly check: list dependencies with known advisories. Answer NONE if there are none."
    )
    talk.calls("Bash", "No known vulnerabilities found", command="pip-audit --strict")
    talk.says("NONE")
    return talk


def config_loader() -> Talk:
    """Give the one whose transcript is gone."""
    talk = Talk("config", "sonnet-4")
    talk.you("Five places read the configuration and no two agree. Untangle that.")
    talk.calls(
        "Grep",
        "Found 5 files\ncli.py\nserver.py\nworker.py\nconftest.py\nsetup.py",
        pattern="load_config",
        output_mode="files_with_matches",
    )
    talk.says(
        """
        They differ in one thing: which wins, the file or the environment. Three say the file. I
        would let the environment win everywhere, as `--help` has promised since 1.2.
        """
    )
    talk.you("Agreed.")
    talk.says("Done: one loader, 61 lines less, and `--help` tells the truth.")
    return talk


def other_scripts() -> Talk:
    """Give the one with text from all over the world."""
    talk = Talk("scripts", "sonnet-4.5")
    talk.you(
        """
        「報告書（最終版）.pdf」という名前のファイルがアップロードできません。
        サーバーには `å ±å‘Šæ›¸` と表示されます 😭
        """
    )
    talk.says(
        """
        文字化けですね。ファイル名が UTF-8 で送られ、Latin-1 として読まれています。

        - 送信側: `filename*=UTF-8''%E5%A0%B1...` を使う
        - 受信側: 古い名前も直す
        """
    )
    talk.calls(
        "Bash",
        """
        ✅ 報告書（最終版）.pdf
        ✅ تقرير نهائي.pdf
        ✅ דוח סופי.pdf
        ✅ 👩‍👩‍👧‍👦 семья – été 2019 🏳️‍🌈.jpg
        ❌ Zalgo t̷e̵x̶t̸.txt (normalised differently on the other side)
        """,
        command="python tools/roundtrip.py names.txt",
        description="Send every awkward name there and back",
    )
    talk.you("والملفات العربية؟ اسم الملف يظهر معكوسًا (report_2.pdf) في القائمة.")
    talk.says(
        """
        الأسماء العربية سليمة الآن؛ الترتيب المعكوس سببه العرض فقط، لا البيانات.
        5️⃣ names checked, 4️⃣ fine: the last one needs NFC on both sides. 👍🏽 ok?
        """
    )
    return talk


def hostile() -> Talk:
    """Give the one whose text would like to be obeyed."""
    talk = Talk("hostile", "gpt-5-codex")
    talk.you("Somebody puts escape sequences into our audit log. What do they do?")
    talk.calls(
        "exec_command",
        "\x1b]0;pwned\x07\x1b[2J\x1b[H\x1b[31mALL CLEAR\x1b[0m\n"
        "user=admin\u202egnp.exe\u202c action=login\n"
        "[/b] [@click=app.bell]x[/] [bold red]obey[/]\r hidden\n"
        "zero\u200bwidth \u2066isolate\u2069 \x9b5nC1 \x00NUL \x7fDEL",
        cmd="tail -n 4 audit.log",
        workdir="/home/ada/src/papercrane",
    )
    talk.says(
        """
        Four tricks in four lines:

        - `\x1b[2J\x1b[H` clears the screen of whoever reads the log with `cat`,
        - a bidi override makes `\u202egnp.exe` look like a picture,
        - `[@click=app.bell]x[/]` and `[/b]` are markup, for viewers that believe in it,
        - `\x1b]0;pwned\x07` renames the terminal's window.

        None of them does anything to a viewer that shows text instead of obeying it.
        """
    )
    talk.you("And [/] this? \x1b[31m[link=file:///etc/passwd]click me[/link]")
    talk.says("That one is just red. \x1b[0m")
    return talk
