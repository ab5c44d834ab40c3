"""Queries on a command line: read, and pointed at where they are wrong."""

from __future__ import annotations

import argparse
import re
import unicodedata

from store.errors import QueryError
from store.query.model import Query
from store.query.parser import parse_query
from store.text import printable


def understood(options: argparse.Namespace) -> Query:
    """Give the query of a command. Raises QueryError."""
    return parse_query(typed(options))


def typed(options: argparse.Namespace) -> str:
    """Give the query as it was typed: a shell has taken the arguments apart."""
    return " ".join(getattr(options, "query", ()))


def pointed_at(text: str, error: QueryError) -> str:
    """Give the query's line, and below it a line that points at the mistake."""
    line = re.sub(r"\s", " ", text)
    before, wrong = (
        printable(part, lines=True) for part in (line[: error.start], line[error.start : error.end])
    )
    behind = printable(line[error.end :], lines=True)
    return f"  {before}{wrong}{behind}\n  {' ' * _cells(before)}{'^' * max(1, _cells(wrong))}"


def _cells(text: str) -> int:
    """Give how wide a printable text is in a terminal."""
    return sum(
        0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF")
        for char in text
    )
