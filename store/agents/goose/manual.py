"""What Goose's command line takes when a session is resumed, as of 1.34.

The mode is the environment's to say. A resumed session keeps its model: what `GOOSE_MODEL` says is
not looked at.
"""

from __future__ import annotations

from store.resume.manual import Manual, Mode, Option


def _mode(name: str, help: str, *, is_dangerous: bool = False) -> Mode:  # noqa: A002
    return Mode(name, help, env={"GOOSE_MODE": name}, is_dangerous=is_dangerous)


MANUAL = Manual(
    install="npm install -g @aaif/goose",
    home_variables=("GOOSE_PATH_ROOT", "XDG_DATA_HOME"),
    modes=(
        _mode("approve", "ask before every tool call"),
        _mode("smart_approve", "ask before what changes something"),
        _mode("chat", "talk only, use no tools"),
        _mode("auto", "never ask about anything", is_dangerous=True),
    ),
    options=(
        Option("--container", "run extensions in a container", True),
        Option("--debug", "show whole answers of tools"),
        Option("--fork", "go on in a copy"),
        Option("--history", "show what was said before"),
        Option("--max-tool-repetitions", "how often a call may be repeated", True),
        Option("--max-turns", "how many turns without asking", True),
        Option("--no-profile", "without the configured extensions"),
        Option("--with-builtin", "an extension that comes with Goose", True, ("developer",)),
        Option("--with-extension", "a command that is an extension", True),
        Option("--with-streamable-http-extension", "the address of an extension", True),
    ),
    asks_where="No is to stay in this folder",
)
