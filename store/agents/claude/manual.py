"""What Claude Code's command line takes when a session is resumed, as of 2.1."""

from __future__ import annotations

from store.resume.manual import Manual, Mode, Option

_MODE = "--permission-mode"


def _mode(name: str, help: str, *, is_dangerous: bool = False) -> Mode:  # noqa: A002
    return Mode(name, help, (_MODE, name), is_dangerous=is_dangerous)


_MODES = (
    _mode("default", "ask before the first use of each tool"),
    _mode("acceptEdits", "edit files without asking"),
    _mode("plan", "look and plan, change nothing"),
    _mode("auto", "let a classifier decide what to ask about"),
    _mode("dontAsk", "refuse what is not allowed already, without asking"),
    _mode("bypassPermissions", "never ask about anything", is_dangerous=True),
)

MANUAL = Manual(
    install="npm install -g @anthropic-ai/claude-code",
    home_variables=("CLAUDE_CONFIG_DIR",),
    modes=(
        *_MODES,
        Mode(
            "dangerously-skip-permissions",
            "the same as bypassPermissions, by its older name",
            ("--dangerously-skip-permissions",),
            is_dangerous=True,
        ),
    ),
    options=(
        Option(_MODE, "the permission mode", True, tuple(mode.name for mode in _MODES)),
        Option("--add-dir", "another folder that tools may use", True),
        Option("--agent", "the agent for this session", True),
        Option("--allowed-tools", "tools that need no asking", True),
        Option("--append-system-prompt", "words to add to the system prompt", True),
        Option("--bare", "without hooks, plugins and memories"),
        Option("--chrome", "with the browser integration"),
        Option("--debug", "say what happens inside"),
        Option("--disable-slash-commands", "without skills"),
        Option("--disallowed-tools", "tools that may not be used", True),
        Option("--effort", "how hard to think", True, ("low", "medium", "high", "xhigh", "max")),
        Option("--fork-session", "go on in a copy"),
        Option("--ide", "connect with the editor"),
        Option("--mcp-config", "a file that names MCP servers", True),
        Option("--name", "a name for the session", True),
        Option("--plugin-dir", "a plugin for this session", True),
        Option("--safe-mode", "with every customisation off"),
        Option("--session-id", "the id for a copy", True),
        Option("--setting-sources", "which settings to load", True),
        Option("--settings", "more settings, a file or JSON", True),
        Option("--strict-mcp-config", "only the MCP servers of --mcp-config"),
        Option("--system-prompt", "another system prompt", True),
        Option("--tools", "which tools there are", True),
        Option("--verbose", "show everything"),
        Option("--worktree", "in a new git worktree"),
    ),
    model_option=Option("--model", "the model", True, ("opus", "sonnet", "haiku")),
)
