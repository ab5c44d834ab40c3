"""The long one: why the upload API falls over every Tuesday at ten past nine."""

from __future__ import annotations

from store.demo.bug_fix import fix
from store.demo.talk import Talk

FOLDER = "/home/ada/src/uploader"


def retry_storm() -> Talk:
    """Give the hunt, from the complaint to the answer."""
    talk = Talk("storm", "sonnet-4.5")
    _complaint(talk)
    _suspects(talk)
    fix(talk)
    return talk


def _complaint(talk: Talk) -> None:
    talk.you(
        """
        Every Tuesday around 09:10 the upload API falls over for ten minutes. The platform people
        sent a graph with our name on it in red. Is it really us?
        """
    )
    talk.thinks(
        """
        A weekly, punctual failure smells of a schedule, not of load. Two questions: what happens on
        Tuesdays at 09:10, and what does this client do while it happens? The second one is in the
        repository, so begin there: anything that repeats a request.
        """
    )
    talk.says("Let me see what this client does when a request fails, before anybody confesses.")
    talk.calls(
        "Grep",
        """
        src/uploader/client.py:31:    transport = HTTPTransport(retries=3)
        src/uploader/upload.py:58:    for attempt in range(MAX_RETRIES):
        src/uploader/upload.py:71:            time.sleep(1)
        src/uploader/queue.py:112:        self._requeue(job)  # retry later
        src/uploader/settings.py:19:MAX_RETRIES = 5
        tests/test_upload.py:44:def test_upload_is_retried_once():
        """,
        pattern="retr(y|ies)",
        path="src tests",
        output_mode="content",
    )
    talk.says("Three places that retry, in three different layers. That is already interesting.")
    talk.calls(
        "Read",
        """
            54  def send_chunk(client: Client, chunk: Chunk) -> Receipt:
            55      \"\"\"Send one chunk, trying again when the server is busy.\"\"\"
            56      last: Exception | None = None
            57
            58      for attempt in range(MAX_RETRIES):
            59          try:
            60              response = client.put(chunk.url, chunk.body)
            61              if response.status < 500:
            62                  return Receipt.of(response)
            63              last = ServerBusy(response.status)
            64          except ConnectionError as error:
            65              last = error
            66          try:
            67              wait = float(response.headers.get("Retry-After", 0))
            68          except Exception:
            69              wait = 0  # header not understood
            70          if wait == 0:
            71              time.sleep(1)
            72      raise UploadFailed(chunk, last)
        """,
        file_path=f"{FOLDER}/src/uploader/upload.py",
        offset=54,
        limit=19,
    )
    talk.thinks(
        """
        Oh, this is a beauty. `wait` is computed and never slept on. If the server sends a valid
        Retry-After, the `if wait == 0` branch is skipped, and the loop goes round again AT ONCE.
        The politer the server asks, the faster we hit it.

        And on a ConnectionError in the first round `response` is unbound: NameError, swallowed by
        the bare `except Exception`. Works by accident.
        """
    )
    talk.says(
        """
        I have bad news and a very short piece of code.

        When the server answers `503` **with** a `Retry-After` header, the parsed value goes into
        `wait`, and nothing ever sleeps for it: line 70 only sleeps when there was *no* header.
        The more politely the server asks for quiet, the faster we shout.
        """
    )
    talk.you("That cannot have survived code review. When did it come in?", after=30)
    talk.calls(
        "Bash",
        """
        8c1f2aa (14 months ago) Respect Retry-After
        @@ -63,2 +63,8 @@
        -        time.sleep(1)
        +        try:
        +            wait = float(response.headers.get("Retry-After", 0))
        +        except Exception:
        +            wait = 0  # header not understood
        +        if wait == 0:
        +            time.sleep(1)
        """,
        command="git log -L 66,71:src/uploader/upload.py --format='%h (%cr) %s' -1",
        description="Find the commit that added the header",
    )
    talk.says(
        """
        Fourteen months ago, in a commit called "Respect Retry-After". It was reviewed, and its test
        passes, because the test's fake server never sends the header.
        """
    )
    talk.you("I wrote that one. Carry on. How bad is it with the other two layers?", after=70)


def _suspects(talk: Talk) -> None:
    talk.thinks(
        """
        Be kind. Then multiply: transport retries x MAX_RETRIES x requeues. Need the requeue count,
        and who else calls send_chunk. Both are searches through a lot of text: delegate.
        """
    )
    talk.calls(
        "Task",
        """
        Four callers of send_chunk. All go through JobQueue except `uploader doctor`, which calls it
        directly and therefore retries 15 times instead of 60.
        """,
        seconds=74,
        subagent_type="Explore",
        description="Find every caller of send_chunk",
        prompt="Find every caller of send_chunk and say which retry layers each goes through.",
    )
    talk.calls(
        "Task",
        """
        On each of the last six Tuesdays the staging log has 503s from 09:10:02 to 09:10:41. The
        first line before them is always `rotate-keys: reloading gateway`.
        """,
        seconds=96,
        subagent_type="Explore",
        description="Look for a pattern in staging logs",
        prompt="Which minutes have the most 5xx in logs/staging, and what happens just before?",
    )
    talk.calls(
        "Read",
        """
           104  def _run(self, job: Job) -> None:
           105      try:
           106          send_chunk(self._client, job.chunk)
           107      except UploadFailed:
           108          job.failures += 1
           109          if job.failures > 3:
           110              self._give_up(job)
           111              return
           112          self._requeue(job)  # retry later
        """,
        file_path=f"{FOLDER}/src/uploader/queue.py",
        offset=104,
        limit=9,
    )
    talk.says(
        """
        So, for **one** chunk while the gateway reloads:

        - the transport tries 4 times (1 + `retries=3`),
        - `send_chunk` goes round 5 times,
        - the queue runs the job 4 times, and "later" means "next".

        4 x 5 x 4 = **80 requests per chunk**, with not one pause between them. And the culprit on
        the calendar is `rotate-keys`, which reloads the gateway every Tuesday at 09:10:02 and is
        back 39 seconds later, to find all of us at the door.
        """
    )
    talk.you("Show me. I would like to see it before I apologise to the platform people.")
    talk.calls(
        "Bash",
        "bash: line 1: pytest: command not found",
        failed=True,
        seconds=0.4,
        command="pytest -q tests/test_upload.py",
        description="Run the tests that there are",
    )
    talk.calls(
        "Bash",
        """
        ......                                                                   [100%]
        6 passed in 0.21s
        """,
        command=".venv/bin/python -m pytest -q tests/test_upload.py",
        description="Run the tests in the project's own environment",
    )
    talk.says("Green, as advertised. Now a server that behaves like a gateway on a Tuesday.")
    talk.calls(
        "Write",
        "File created successfully at: tests/test_storm.py",
        file_path=f"{FOLDER}/tests/test_storm.py",
        content=_STORM_TEST,
    )
    talk.calls(
        "Bash",
        """
        F                                                                        [100%]
        =================================== FAILURES ===================================
        ______________________ test_a_reload_is_not_a_storm ______________________

        >       assert gateway.requests < 400
        E       assert 16000 < 400
        E        +  where 16000 = <FakeGateway closed for 39 s>.requests

        tests/test_storm.py:27: AssertionError
        1 failed in 3.08s
        """,
        failed=True,
        seconds=4,
        command=".venv/bin/python -m pytest -q tests/test_storm.py",
        description="Run the reproduction",
    )
    talk.says(
        """
        There it is: 200 clients with one chunk each made **16,000 requests** against a closed door,
        and every upload failed anyway. You may start drafting the apology.
        """
    )


_STORM_TEST = '''\
"""A gateway that reloads must not be kept down by the clients that wait for it."""

from uploader.testing import FakeClock, FakeGateway, clients


def test_a_reload_is_not_a_storm() -> None:
    clock = FakeClock()
    gateway = FakeGateway(clock, closed_for=39, retry_after="20")

    for client in clients(200, gateway, clock):
        client.upload(b"one chunk")
    clock.run()

    assert gateway.received == 200
    assert gateway.requests < 400
'''
