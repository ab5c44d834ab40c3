"""What Codex's command line takes when a thread is resumed or forked, as of 0.169."""

from __future__ import annotations

from store.resume.manual import Manual, Mode, Option

_ASK, _SANDBOX = "--ask-for-approval", "--sandbox"
_BYPASS = "--dangerously-bypass-approvals-and-sandbox"
_WRITE = "workspace-write"

MANUAL = Manual(
    install="npm install -g @openai/codex",
    home_variables=("CODEX_HOME",),
    modes=(
        Mode("read-only", "look, and ask before anything else", (_SANDBOX, "read-only")),
        Mode(_WRITE, "change files in the folder, ask about the rest", (_SANDBOX, _WRITE)),
        Mode("approve-for-me", "let a reviewing model answer what is asked", ("--approve-for-me",)),
        Mode(
            "never-ask",
            "change files in the folder, and never ask: what is not allowed fails",
            (_SANDBOX, _WRITE, _ASK, "never"),
        ),
        Mode(
            "danger-full-access",
            "without a sandbox, asking as configured",
            (_SANDBOX, "danger-full-access"),
            is_dangerous=True,
        ),
        Mode("bypass", "no sandbox, never ask about anything", (_BYPASS,), is_dangerous=True),
    ),
    options=(
        Option("--add-dir", "another folder that may be written to", True),
        Option("--approve-for-me", "let a reviewing model answer what is asked"),
        Option(_ASK, "when to ask", True, ("on-request", "never")),
        Option("--cd", "the folder to work in", True),
        Option("--config", "key=value, another setting", True),
        Option(_BYPASS, "never ask, no sandbox"),
        Option("--disable", "a feature to turn off", True),
        Option("--enable", "a feature to turn on", True),
        Option("--image", "a picture for the first prompt", True),
        Option("--local-provider", "who serves a local model", True, ("lmstudio", "ollama")),
        Option("--no-alt-screen", "keep the terminal's scrollback"),
        Option("--no-daemon", "without the server in the background"),
        Option("--oss", "a local model"),
        Option("--profile", "a profile of the settings", True),
        Option(_SANDBOX, "what commands may do", True, ("read-only", _WRITE, "danger-full-access")),
        Option("--search", "let the model search the web"),
        Option("--worktree", "in a new git worktree"),
    ),
    model_option=Option("--model", "the model", True),
    model_option_short="-m",
)
