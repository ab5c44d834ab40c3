"""The short ones around the hunt: the sub-agents it sent out, and what is being shipped."""

from __future__ import annotations

from collections.abc import Sequence

from store.demo.talk import Talk
from store.models import NewMessage


def callers() -> Talk:
    """Give the sub-agent that looks for callers."""
    talk = Talk("callers", "haiku-4.5")
    talk.told("Find every caller of send_chunk and say which retry layers each goes through.")
    talk.calls(
        "Grep",
        """
        src/uploader/queue.py:106:        send_chunk(self._client, job.chunk)
        src/uploader/cli.py:88:    queue.submit(send_chunk, chunk)
        src/uploader/resume.py:40:        self._queue.submit(send_chunk, chunk)
        src/uploader/doctor.py:23:    receipt = send_chunk(client, Chunk.probe())
        """,
        pattern=r"send_chunk\(|send_chunk,",
        path="src",
        output_mode="content",
    )
    talk.calls(
        "Read",
        """
            21  def probe(client: Client) -> Finding:
            22      # A doctor does not queue.
            23      receipt = send_chunk(client, Chunk.probe())
        """,
        file_path="/home/ada/src/uploader/src/uploader/doctor.py",
        offset=21,
        limit=3,
    )
    talk.says(
        """
        Four callers of send_chunk. All go through JobQueue except `uploader doctor`, which calls it
        directly and therefore retries 15 times instead of 60.
        """
    )
    return talk


def staging_logs() -> Talk:
    """Give the sub-agent that reads logs."""
    talk = Talk("logs", "haiku-4.5")
    talk.told("Which minutes have the most 5xx in logs/staging, and what happens just before?")
    talk.thinks("Count by minute first, then look at the line before the first of each burst.")
    talk.calls(
        "Bash",
        """
           4211 Tue 09:10
             12 Fri 16:55
              9 Mon 11:02
        """,
        seconds=21,
        command="rg -N ' 50[0-9] ' logs/staging | cut -c1-9 | sort | uniq -c | sort -rn | head -3",
        description="Count server errors by minute",
    )
    talk.calls(
        "Bash",
        """
        Tue 09:10:01 rotate-keys: reloading gateway
        Tue 09:10:02 gateway: 503 PUT /chunks/9f3
        """,
        seconds=8,
        command="rg -N -B1 -m1 ' 503 ' logs/staging/tuesday.log",
        description="Show the line before the first error",
    )
    talk.says(
        """
        On each of the last six Tuesdays the staging log has 503s from 09:10:02 to 09:10:41. The
        first line before them is always `rotate-keys: reloading gateway`.
        """
    )
    return talk


def migrate_schema() -> Talk:
    """Give the Codex session that moved the receipts to their new table."""
    talk = Talk("schema", "gpt-5-codex")
    talk.you("receipts.sha is TEXT in hex. Make it a 32 byte BLOB, existing rows included.")
    talk.thinks("**Planning the migration**\n\nCheck the size of the table before choosing a way.")
    talk.calls(
        "exec_command",
        """
        receipts  1,204,331 rows  188 MB
        """,
        cmd="python -m tidewater.db stats receipts",
        workdir="/home/ada/src/tidewater",
        yield_time_ms=10_000,
    )
    talk.says("1.2 million rows: one transaction is fine, at about four seconds of lock.")
    talk.calls(
        "apply_patch",
        "Success. Updated the following files:\nA migrations/0007_sha_blob.sql",
        input="*** Begin Patch\n*** Add File: migrations/0007_sha_blob.sql\n"
        "+ALTER TABLE receipts ADD COLUMN digest BLOB;\n"
        "+UPDATE receipts SET digest = unhex(sha);\n"
        "+ALTER TABLE receipts DROP COLUMN sha;\n*** End Patch",
    )
    talk.calls(
        "shell",
        "0007_sha_blob: applied in 4.4 s\n1,204,331 rows, 0 without digest",
        seconds=6,
        command=["bash", "-lc", "python -m tidewater.db migrate --database staging-copy.db"],
    )
    talk.says(
        """
        Done, on a copy of staging first.

        - **4.4 s** with the table locked, 0 rows lost
        - the file is 61 MB smaller

        ```diff
        -    sha TEXT NOT NULL,
        +    digest BLOB NOT NULL CHECK (length(digest) = 32),
        ```
        """
    )
    return talk


def zero_downtime(origin: Sequence[NewMessage]) -> Talk:
    """Give the fork that asks for more."""
    talk = Talk("fork", "gpt-5-codex")
    talk.take_over(origin)
    talk.wait(7200)
    talk.you("Same thing, but production cannot be locked for 4.4 s. Options?")
    talk.says(
        """
        ### Three ways, cheapest first

        1. **Backfill in batches** of 5,000 rows; readers take `coalesce(digest, unhex(sha))`.
        2. A shadow table and a trigger, renamed at the end.
        3. Convince production that 4.4 seconds are good for the soul.

        I would take the first: it needs no trigger and can be stopped at any row.
        """
    )
    talk.you("Number one. Number three has been tried.")
    talk.calls(
        "exec_command",
        "241 batches, longest lock 19 ms",
        seconds=31,
        cmd="python -m tidewater.db backfill digest --batch 5000",
        workdir="/home/ada/src/tidewater",
    )
    talk.says("Backfilled: the longest lock was 19 ms, and nobody noticed anything.")
    return talk


def resumable() -> Talk:
    """Give the session with a summary in it and a branch that was taken back."""
    talk = Talk("resume", "sonnet-4.5")
    talk.you("Uploads should go on where they stopped when the laptop lid closes.")
    talk.says("Then the client has to remember which chunks have a receipt. Where should it?")
    with talk.rewound():
        talk.you("In a file next to the upload, I suppose?")
        talk.calls(
            "Write",
            "File created successfully at: src/uploader/sidecar.py",
            file_path="/home/ada/src/uploader/src/uploader/sidecar.py",
            content='"""Receipts beside the file they are for."""\n',
        )
        talk.says("Done, though people will find `.receipts` files beside their holiday photos.")
    talk.you("On reflection: in the cache folder, please. Nobody wants crumbs in their photos.")
    talk.calls(
        "Glob",
        "src/uploader/cache.py\nsrc/uploader/paths.py",
        pattern="src/**/*{cache,paths}*.py",
    )
    talk.says("There is a cache folder already, keyed by digest. Receipts fit in beside it.")
    talk.sums_up(
        """
        This session is being continued from a previous conversation that ran out of context.

        1. **Goal**: uploads go on after an interruption.
        2. **Decided**: receipts live in the cache folder, one file per upload, keyed by digest.
           Sidecar files were tried and taken back.
        3. **Open**: waits for the retry fix, which touches the same loop.
        """
    )
    talk.you("Where were we?")
    talk.says(
        """
        Receipts go into the cache folder, and I am waiting for the retry fix, since both change
        `send_chunk`. It is nearly there.
        """
    )
    return talk


def release_notes() -> Talk:
    """Give the Goose session that writes for people."""
    talk = Talk("notes", "qwen3-coder")
    talk.you("Draft release notes for 2.0 from the commits since 1.9. For people, not for git.")
    talk.calls(
        "shell",
        """
        3e0d9b1 Wait for as long as the server asks, in one layer only
        b77a410 Remember receipts across restarts
        19c02fe sha -> digest, take two
        e4410aa oops
        """,
        command="git log --oneline v1.9..",
    )
    talk.says(
        """
        ## 2.0

        * Uploads survive a closed lid, a lost network and a changed mind.
        * When the server is busy, we wait. Politely, for once.
        * Receipts take a third of the space.

        I left `e4410aa oops` out. Its author will know.
        """
    )
    return talk
