"""The second half of the hunt: one layer that retries, patiently, and the numbers after."""

from __future__ import annotations

from store.demo.talk import Talk

FOLDER = "/home/ada/src/uploader"


def fix(talk: Talk) -> None:
    """Go on from the proof to the answer."""
    _first_try(talk)
    _second_try(talk)
    _answer(talk)


def _first_try(talk: Talk) -> None:
    talk.you("Drafted. Fix it, please. One layer should retry, and I do not care which.")
    talk.thinks(
        """
        The queue is the only layer that can wait without blocking a thread, so in principle it
        should own the retries. But `uploader doctor` calls send_chunk without a queue. Keep the
        loop in send_chunk, take it out of the transport and the queue. Waits: Retry-After when
        there is one, else exponential with full jitter. HTTP allows a date in that header as well.
        """
    )
    talk.says(
        """
        `send_chunk` keeps its loop, since `uploader doctor` needs it; the transport and the queue
        lose theirs. First the wait, as a function that can be tested by itself.
        """
    )
    talk.calls(
        "Write",
        "File created successfully at: src/uploader/backoff.py",
        file_path=f"{FOLDER}/src/uploader/backoff.py",
        content=_BACKOFF,
    )
    talk.calls(
        "Edit",
        "The file src/uploader/upload.py has been updated.",
        file_path=f"{FOLDER}/src/uploader/upload.py",
        old_string=_OLD_LOOP,
        new_string=_NEW_LOOP,
    )
    talk.calls(
        "Edit",
        "The file src/uploader/client.py has been updated.",
        file_path=f"{FOLDER}/src/uploader/client.py",
        old_string="    transport = HTTPTransport(retries=3)",
        new_string="    transport = HTTPTransport(retries=0)  # send_chunk retries, and only it",
    )
    talk.calls(
        "Edit",
        "String to replace not found in file. Read the file before editing it.",
        failed=True,
        seconds=0.3,
        file_path=f"{FOLDER}/src/uploader/queue.py",
        old_string="        if job.failures > 3:",
        new_string="        if True:",
    )
    talk.says(
        "The indentation in `queue.py` is deeper than I remembered. Again, with my eyes open."
    )
    talk.calls(
        "Edit",
        "The file src/uploader/queue.py has been updated.",
        file_path=f"{FOLDER}/src/uploader/queue.py",
        old_string="            job.failures += 1\n            if job.failures > 3:\n"
        "                self._give_up(job)\n                return\n"
        "            self._requeue(job)  # retry later",
        new_string="            self._give_up(job)  # send_chunk has been patient enough",
    )
    talk.calls(
        "Bash",
        """
        F                                                                        [100%]
        >       assert gateway.requests < 400
        E       assert 812 < 400
        E        +  where 812 = <FakeGateway closed for 39 s>.requests
        1 failed in 0.94s
        """,
        failed=True,
        seconds=3,
        command=".venv/bin/python -m pytest -q tests/test_storm.py",
        description="Run the reproduction again",
    )


def _second_try(talk: Talk) -> None:
    talk.thinks(
        """
        16,000 -> 812, but not under 400. 812 / 200 is about 4 tries each. With Retry-After: 20 and
        39 s of closed door it should be 3 at most: at 0, 20 and 40 s. Unless the jitter is applied
        to the header as well and pulls the second try forward. Full jitter draws from 0..wait: yes.
        A server's own number is a minimum, not a suggestion.
        """
    )
    talk.says(
        """
        Better by a factor of twenty and still wrong. I let the jitter shorten the server's own
        `Retry-After`; when a server says 20 seconds, it means *at least* 20. Jitter goes on top.
        """
    )
    talk.calls(
        "Edit",
        "The file src/uploader/backoff.py has been updated.",
        file_path=f"{FOLDER}/src/uploader/backoff.py",
        old_string="    return draw(asked if asked is not None else longest)",
        new_string="    if asked is not None:\n        return asked + draw(SPREAD)\n"
        "    return draw(longest)",
    )
    talk.you("While you are there: what if the header is a date in the past?", after=25)
    talk.says("Then it asks for a negative wait. Good catch; a test first.")
    talk.calls(
        "Edit",
        "The file tests/test_backoff.py has been updated.",
        file_path=f"{FOLDER}/tests/test_backoff.py",
        old_string="def test_a_date_is_understood() -> None:",
        new_string="def test_a_date_in_the_past_means_now() -> None:\n"
        '    assert asked_wait("Wed, 21 Oct 2015 07:28:00 GMT", now=NOW) == 0\n\n\n'
        "def test_a_date_is_understood() -> None:",
    )
    talk.calls(
        "Bash",
        """
        ..F.....                                                                 [100%]
        E       assert -322561200.0 == 0
        1 failed, 7 passed in 0.05s
        """,
        failed=True,
        command=".venv/bin/python -m pytest -q tests/test_backoff.py",
        description="Watch the new test fail",
    )
    talk.says("Minus ten years. `time.sleep` would have objected.")
    talk.calls(
        "Edit",
        "The file src/uploader/backoff.py has been updated.",
        file_path=f"{FOLDER}/src/uploader/backoff.py",
        old_string="        return (when - now).total_seconds()",
        new_string="        return max(0.0, (when - now).total_seconds())",
    )
    talk.calls(
        "Bash",
        """
        ............................................................             [100%]
        60 passed in 2.71s
        """,
        seconds=5,
        command=".venv/bin/python -m pytest -q",
        description="Run everything",
    )
    talk.calls(
        "Bash",
        """
                         before     after
        requests         16,000       512
        uploads lost        200         0
        busiest second    6,240        61
        done after            -    58.4 s
        """,
        seconds=12,
        command=".venv/bin/python tools/storm.py --clients 200 --closed-for 39",
        description="Measure before and after",
    )
    talk.thinks(
        """
        512 for 200 clients: 2.56 each. The threshold of 400 in my test was a guess; the true bound
        is 3 tries each. Say so, instead of quietly changing a number until it passes. Wait: the
        whole suite was green, so did test_storm pass with 512? By itself it failed with 812.
        """
    )
    talk.says("One moment. 512 is more than the 400 my own test allows, and yet it passed. Why?")
    talk.calls(
        "Bash",
        "tests/test_backoff.py: 8\ntests/test_queue.py: 31\ntests/test_upload.py: 21",
        command=".venv/bin/python -m pytest -qq --collect-only",
        description="See whether the test runs at all",
    )
    talk.says(
        """
        It did not pass, it did not **run**: `testpaths` names its files one by one, and nobody
        told it about mine. Same disease as the original bug, a test that cannot fail.
        """
    )
    talk.calls(
        "Edit",
        "The file pyproject.toml has been updated.",
        file_path=f"{FOLDER}/pyproject.toml",
        old_string='testpaths = ["tests/test_backoff.py", "tests/test_queue.py", '
        '"tests/test_upload.py"]',
        new_string='testpaths = ["tests"]',
    )
    talk.calls(
        "Edit",
        "The file tests/test_storm.py has been updated.",
        file_path=f"{FOLDER}/tests/test_storm.py",
        old_string="    assert gateway.requests < 400",
        new_string="    assert gateway.requests <= 3 * 200  # at 0, 20 and 40 seconds",
    )
    talk.calls(
        "Bash",
        """
        .............................................................            [100%]
        61 passed in 3.60s
        """,
        seconds=6,
        command=".venv/bin/python -m pytest -q",
        description="Run everything, and this time mean it",
    )


def _answer(talk: Talk) -> None:
    talk.calls(
        "Bash",
        """
         src/uploader/backoff.py | 34 ++++++++++++++++++++++++++++++++++
         src/uploader/client.py  |  2 +-
         src/uploader/queue.py   |  6 +-----
         src/uploader/upload.py  | 14 ++++----------
         tests/test_backoff.py   | 41 +++++++++++++++++++++++++++++++++++++++++
         tests/test_storm.py     | 16 ++++++++++++++++
         pyproject.toml          |  2 +-
        """,
        command="git diff --stat",
        description="Show what changed",
    )
    talk.you("And in words I can forward?", after=40)
    talk.says(
        """
        # Why the upload API fell over on Tuesdays

        **It was us, with an accomplice.** `rotate-keys` reloads the gateway at 09:10:02 and is done
        39 seconds later. Our client answered each `503` with up to 80 requests, without a pause.

        ## What was wrong

        1. `Retry-After` was parsed and then never waited for.
        2. Three layers retried, and their numbers multiply: 4 x 5 x 4.
        3. The test for it used a server that never sends the header.

        ## What changed

        - Only `send_chunk` retries. It waits as long as the server asks, plus a little jitter:

        ```python
        def wait(attempt: int, asked: float | None) -> float:
            if asked is not None:
                return asked + draw(SPREAD)
            return draw(min(LONGEST, 2.0**attempt))
        ```

        - A reload now costs **512 requests instead of 16,000**, and no upload is lost.
        - The reproduction is a test, and it runs by default.

        ## Not done

        The gateway still reloads cold. If the platform people drained it first, nobody would need
        to be patient at all. That might be a nicer ending for the e-mail than the apology.
        """
    )
    talk.you("Sent. They replied with a cake emoji, so I think we are fine. Commit it?", after=600)
    talk.calls(
        "Bash",
        """
        [main 3e0d9b1] Wait for as long as the server asks, in one layer only
         7 files changed, 98 insertions(+), 17 deletions(-)
        """,
        command="git commit -am 'Wait for as long as the server asks, in one layer only'",
        description="Commit",
    )
    talk.says(
        """
        Committed as `3e0d9b1`. Next Tuesday at 09:10 would be a good time to look at that graph
        again. Shall I go on with resumable uploads?
        """
    )


_BACKOFF = '''\
"""How long to wait before trying again."""

import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 60.0
SPREAD = 5.0


def asked_wait(header: str | None, now: datetime) -> float | None:
    """Give the seconds that a Retry-After header asks for: a number, or a date."""
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        when = parsedate_to_datetime(header).astimezone(UTC)
        return (when - now).total_seconds()
    except ValueError:
        return None


def wait(attempt: int, asked: float | None) -> float:
    """Give the seconds to wait after a failed attempt."""
    longest = min(LONGEST, 2.0**attempt)
    return draw(asked if asked is not None else longest)


def draw(longest: float) -> float:
    return random.uniform(0, longest)
'''

_OLD_LOOP = """\
        try:
            wait = float(response.headers.get("Retry-After", 0))
        except Exception:
            wait = 0  # header not understood
        if wait == 0:
            time.sleep(1)"""

_NEW_LOOP = """\
        clock.sleep(backoff.wait(attempt, asked))"""
