"""From a session to the command that resumes it, and everything that has to be true first.

Nothing in here starts anything. What must not be started is refused in words: an id that could be
read as an option, a folder that is not there, a program that only the project's own folder offers.

`command` has the command itself, `checks` the rules, `manual` what a person may choose; `plan` puts
them together for a session of a store. `places` finds folders that were moved, `putback` writes
back what an agent deleted, `processes` sees who has a session open, `windows` opens another pane.
"""

from __future__ import annotations

from store.resume.checks import checked_folder, checked_id, find_program, ready
from store.resume.command import Command

__all__ = ["Command", "checked_folder", "checked_id", "find_program", "ready"]
