"""The real agents in a home of the test's own, and every word that they send to their model.

`BACKSCROLL_LAB` names a folder with the agents under `npm/`, and the port of a stand-in for their
models, which listens, in the file `port`. The agents talk to a proxy here that keeps what is sent.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import uuid
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.tui.terminal import Terminal, backscroll

ROOT = Path(__file__).parents[2]
FIRST = "remember the word heliotrope"
_KEY = "mock-not-a-key"
_STEP = 4096


def place() -> Path:
    """Give the lab's folder, or skip the test."""
    given = os.environ.get("BACKSCROLL_LAB")
    if not given:
        pytest.skip("BACKSCROLL_LAB names no lab")
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    lab = Path(given)
    try:
        with socket.create_connection(("127.0.0.1", int((lab / "port").read_text())), 2):
            return lab
    except (OSError, ValueError):
        pytest.skip("the lab's stand-in model does not listen")


@dataclass
class Proxy:
    """Passes everything on to the stand-in model, and keeps what was asked of it."""

    port: int
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                proxy.said.append(_text(body, self.headers.get("content-encoding") or ""))
                self._pass_on(body)

            def do_GET(self) -> None:
                self._pass_on(None)

            do_HEAD = do_GET  # noqa: N815

            def _pass_on(self, body: bytes | None) -> None:
                headers = {k: v for k, v in self.headers.items() if k.lower() != "host"}
                self.close_connection = True
                with (
                    closing(http.client.HTTPConnection("127.0.0.1", proxy.port)) as server,
                    suppress(OSError),  # an agent that wants to hear no more
                ):
                    server.request(self.command, self.path, body, headers)
                    with server.getresponse() as answer:
                        self.send_response(answer.status)
                        for name, value in answer.getheaders():
                            if name.lower() in ("content-type", "content-length"):
                                self.send_header(name, value)
                        self.send_header("connection", "close")
                        self.end_headers()
                        while data := answer.read1(_STEP):
                            self.wfile.write(data)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def own_port(self) -> int:
        return int(self._server.server_address[1])

    def last_with(self, text: str) -> str:
        """Give the last request that holds a text."""
        found = [one for one in self.said if text in one]
        assert found, f"{text!r} was never sent"
        return found[-1]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _text(body: bytes, encoding: str) -> str:
    if encoding == "zstd":
        import zstandard

        body = zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return body.decode("utf-8", "replace")


@dataclass
class Lab:
    """A person with the real agents, in a home of their own."""

    lab: Path
    top: Path
    proxy: Proxy

    def __post_init__(self) -> None:
        self.home = self.top / "home"
        self.repo = self.top / "repo"
        self.moved = self.top / "moved" / "repo"
        self.elsewhere = self.top / "elsewhere"
        for folder in (self.home / ".claude", self.home / ".codex", self.repo, self.elsewhere):
            folder.mkdir(parents=True)
        (self.repo / "README.md").write_text("A folder to work in.\n")
        trusted = {
            str(folder): {"hasTrustDialogAccepted": True} for folder in (self.repo, self.moved)
        }
        settings = {
            "hasCompletedOnboarding": True,
            "bypassPermissionsModeAccepted": True,
            "customApiKeyResponses": {"approved": [_KEY], "rejected": []},
            "projects": trusted,
        }
        (self.home / ".claude" / ".claude.json").write_text(json.dumps(settings))
        (self.home / ".claude.json").write_text(json.dumps(settings))
        base = f"http://127.0.0.1:{self.proxy.own_port}"
        projects = "".join(f'[projects."{at}"]\ntrust_level = "trusted"\n' for at in trusted)
        (self.home / ".codex" / "config.toml").write_text(
            'model = "gpt-5-codex"\nmodel_provider = "mock"\n'
            f'[model_providers.mock]\nname = "mock"\nbase_url = "{base}/v1"\n'
            f'env_key = "MOCK_KEY"\nwire_api = "responses"\n{projects}'
        )
        self.env = {
            "HOME": str(self.home),
            "PATH": f"{self.lab / 'npm/node_modules/.bin'}:{os.environ['PATH']}",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "ANTHROPIC_BASE_URL": base,
            "ANTHROPIC_API_KEY": _KEY,
            "OPENAI_HOST": base,
            "OPENAI_BASE_URL": f"{base}/v1",
            "OPENAI_API_KEY": _KEY,
            "MOCK_KEY": _KEY,
            "GOOSE_PROVIDER": "openai",
            "GOOSE_MODEL": "gpt-4o",
            "GOOSE_DISABLE_KEYRING": "1",
            "GOOSE_TELEMETRY_ENABLED": "false",
            "DISABLE_TELEMETRY": "1",
            "DISABLE_AUTOUPDATER": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "IS_SANDBOX": "1",
        }

    def run(self, *argv: str, cwd: Path | None = None) -> str:
        """Run a program to its end; give what it said."""
        ran = subprocess.run(
            argv,
            env=self.env,
            cwd=cwd or self.repo,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ran.returncode == 0, f"{argv}: {ran.stdout}\n{ran.stderr}"
        return ran.stdout

    def record(self, agent: str) -> str:
        """Let an agent have a short conversation; give its session's id."""
        if agent == "claude":
            session_id = str(uuid.uuid4())
            self.run("claude", "-p", "--session-id", session_id, FIRST)
        elif agent == "codex":
            self.run("codex", "exec", "--skip-git-repo-check", FIRST)
        else:
            self.run("goose", "run", "-n", "first", "-t", FIRST)
        self.backscroll("import")
        (row,) = [one for one in self.rows() if one["agent"] == agent]
        return str(row["session_id"])

    def backscroll(self, *arguments: str) -> str:
        return self.run("python", "-m", "store", *arguments, cwd=self.home)

    def rows(self) -> list[Any]:
        return list(json.loads(self.backscroll("list", "--all", "--json")))

    def file_of(self, session_id: str) -> Path:
        (path,) = [
            path
            for top in (self.home / ".claude" / "projects", self.home / ".codex")
            for path in top.rglob(f"*{session_id}.jsonl")
        ]
        return path

    def browser(self, *arguments: str, shell: bool = False) -> Terminal:
        """Open the browser (or a shell) in tmux, from another folder than the session's."""
        program = " ".join(backscroll(*arguments))
        inside = "PS1='SHELL> ' exec bash --norc --noprofile -i" if shell else program
        argv = ["tmux", "-S", str(self.top / "socket"), "-f", "/dev/null", "new-session", inside]
        return Terminal(argv, env=self.env, cwd=self.elsewhere)

    def close(self) -> None:
        """End what the agents left running: processes of programs in this home."""
        subprocess.run(
            ["tmux", "-S", str(self.top / "socket"), "kill-server"],
            capture_output=True,
            check=False,
        )
        for entry in Path("/proc").iterdir():
            try:
                program = (entry / "exe").readlink()
            except OSError:
                continue
            if entry.name.isdecimal() and program.is_relative_to(self.home):
                os.kill(int(entry.name), signal.SIGTERM)
        self.proxy.close()
