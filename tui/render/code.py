"""Syntax colour: which parts of a piece of code are words of its language, strings, comments.

Pygments reads the code; which of the few styles of a look a kind of token has is said here.
Loading it and its languages takes longer than a frame, so that is done by `warm`, away from the
screen; a language that is not loaded by then is loaded when it is first met.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from pathlib import PurePosixPath
from threading import Lock
from typing import TYPE_CHECKING

from rich.style import Style

from tui.render.look import Look, on_ground
from tui.render.wrap import Row, Span

if TYPE_CHECKING:
    from pygments.lexer import Lexer
    from pygments.token import _TokenType

LONGEST_LINE = 500  # a line longer than this was written by a machine: its text stays plain
MOST_TIME = 0.008  # seconds of work; the rest of what takes longer stays plain
_MOST_ERRORS = 40  # signs that are none of a language: it is another one, or none
_PAUSE = 0.005  # seconds between two languages that are loaded, for the screen to draw in

# The languages that are coloured, under Pygments' own names, with their other names and the
# endings of their files. Pygments is never asked for a name that is not here: it would look for
# plug-ins. Every one of them is tried against hostile text by the tests.
_LANGUAGES = """
    bash: sh shell zsh ksh bats envrc
    batch: bat cmd dosbatch
    c: h
    clojure: clj cljs edn
    cmake:
    console: shell-session sh-session shellsession terminal
    cpp: c++ cc cxx hh hpp hxx ino cu
    csharp: c# cs
    css:
    dart:
    docker: dockerfile containerfile
    elixir: ex exs
    erlang: erl hrl
    fish:
    fsharp: f# fs fsx
    go: golang
    graphql: gql
    groovy: gradle jenkinsfile
    haskell: hs
    html: htm xhtml svelte astro
    http:
    ini: cfg conf dosini editorconfig gitconfig properties
    java:
    javascript: js mjs cjs
    json: json5 jsonc jsonl ndjson ipynb webmanifest
    jsx: react
    kotlin: kt kts
    less:
    lua:
    make: makefile mk gnumakefile
    markdown: md mdx mdc
    nginx:
    nix:
    objective-c: objc m mm
    ocaml: ml mli
    perl: pl pm
    php:
    powershell: ps1 psm1 pwsh
    protobuf: proto
    pycon: python-console
    python: py pyi py3 python3 pyw starlark bazel bzl sage
    r:
    ruby: rb gemfile rakefile gemspec
    rust: rs
    scala: sbt sc
    scss:
    solidity: sol
    sql: postgresql postgres psql mysql sqlite
    swift:
    terraform: hcl tf tfvars
    toml:
    tsx:
    typescript: ts mts cts
    vim: viml vimrc
    vue:
    xml: svg xsd xsl plist csproj rss
    yaml: yml
    zig:
"""
_WARM = (
    "python bash json javascript typescript yaml html css toml sql rust go c console tsx markdown"
)

_LOADING = Lock()  # two threads that load one language at once would mix it up

Roles = list[tuple[int, int, str]]


def _names() -> dict[str, str]:
    names: dict[str, str] = {}
    for line in _LANGUAGES.split("\n"):
        name, _, others = line.strip().partition(":")
        names |= dict.fromkeys((name, *others.split()), name)
    del names[""]
    return names


_NAMES = _names()


def language(info: str) -> str:
    """Give the language that a fence names: `py`, `{.python}`, `python title=x`; "" for none."""
    words = info.replace("{", " ").replace("}", " ").replace(",", " ").split()
    return _NAMES.get(words[0].lstrip(".").lower(), "") if words else ""


def language_of_file(path: str) -> str:
    """Give the language that a file is written in, by its name; "" for none."""
    name = PurePosixPath(path.strip().replace("\\", "/")).name.lower()
    ending = name.rpartition(".")[2]
    return _NAMES.get(ending) or _NAMES.get(name.partition(".")[0], "") if name else ""


def colour(lines: Sequence[str], name: str) -> list[Roles]:
    """Say of each line which of its characters have a role: (from, to, a style of the look).

    `name` is one that `language` or `language_of_file` gave.
    """
    if not name or max(map(len, lines), default=0) > LONGEST_LINE:
        return [[] for _ in lines]
    # Blank lines say nothing to a language, and many of them much to a slow pattern.
    kept = [index for index, line in enumerate(lines) if line and not line.isspace()]
    found = _colour([lines[index] for index in kept], name)
    out: list[Roles] = [[] for _ in lines]
    for index, roles in zip(kept, found, strict=True):
        out[index] = roles
    return out


def _colour(lines: list[str], name: str) -> list[Roles]:
    out: list[Roles] = [[] for _ in lines]
    at = line = start = errors = 0  # `start` is where the line begins
    until = time.thread_time() + MOST_TIME
    for index, kind, value in _lexer(name).get_tokens_unprocessed("\n".join(lines) + "\n"):
        at = index + len(value)
        while line < len(lines) - 1 and index > start + len(lines[line]):
            start += len(lines[line]) + 1
            line += 1
        if role := _role(kind):
            _mark(out, lines, (line, start), (index, at), role)
        elif role is None:
            errors += 1
            if errors > _MOST_ERRORS:
                break
        if time.thread_time() > until:
            break
    return out


def code_rows(lines: Sequence[str], look: Look, style: Style, name: str) -> list[Row]:
    """Give lines of code in the colours of their language, on the ground of a style."""
    found = colour(lines, name)
    return [
        Row(line, style, spans_of(roles, look, style), hang_of(line))
        for line, roles in zip(lines, found, strict=True)
    ]


def spans_of(roles: Roles, look: Look, ground: Style) -> list[Span]:
    """Give the styles of a line whose characters have roles, on the ground of a style."""
    return [(lo, hi, _ink(getattr(look, role), ground)) for lo, hi, role in roles]


def hang_of(code: str) -> int:
    """Say how far in a line of code goes on that is too long: further than it begins."""
    return min(len(code) - len(code.lstrip(" ")) + 2, 16)


def warm() -> None:
    """Load Pygments and the languages that are met most; for a thread of its own."""
    for name in _WARM.split():
        colour(["x = 1"], name)
        time.sleep(_PAUSE)


def _mark(
    out: list[Roles], lines: list[str], place: tuple[int, int], token: tuple[int, int], role: str
) -> None:
    """Note a token, which may go over several lines."""
    line, start = place
    lo, hi = token
    while line < len(lines) and start < hi:
        size = len(lines[line])
        first, last = max(lo - start, 0), min(hi - start, size)
        if first < last:
            out[line].append((first, last, role))
        start += size + 1
        line += 1


@lru_cache(256)
def _ink(style: Style, ground: Style) -> Style:
    return on_ground(style, ground)


@cache
def _lexer(name: str) -> Lexer:
    from pygments.lexers import get_lexer_by_name

    with _LOADING:
        return get_lexer_by_name(name)


@cache
def _role(kind: _TokenType) -> str | None:
    """Give the style of a kind of token, "" for that of the text, None for what is an error.

    It is that of the nearest kind above it which has one.
    """
    roles = _roles()
    while kind not in roles and kind.parent is not None:
        kind = kind.parent
    return roles.get(kind, "")


@cache
def _roles() -> dict[_TokenType, str | None]:
    from pygments.token import Comment, Error, Generic, Keyword, Literal, Name, Operator

    def each(role: str | None, kinds: Iterable[_TokenType]) -> dict[_TokenType, str | None]:
        return dict.fromkeys(kinds, role)

    return {
        Error: None,
        **each("comment", (Comment, Generic.Output)),
        **each("keyword", (Keyword, Operator.Word, Name.Tag, Comment.Preproc, Generic.Heading)),
        **each("string", (Literal.String, Literal.Date)),
        **each("number", (Literal, Keyword.Constant, Name.Constant, Literal.String.Escape)),
        **each("function", (Name.Function, Name.Decorator, Name.Attribute, Generic.Prompt)),
        **each("type", (Keyword.Type, Name.Class, Name.Exception, Name.Builtin, Name.Namespace)),
        **each("", (Literal.String.Interpol, Comment.PreprocFile, Name.Builtin.Pseudo)),
    }
