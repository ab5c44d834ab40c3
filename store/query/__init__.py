"""The query line: one grammar for the screen and the command line. Pure: nothing is looked up."""

from __future__ import annotations

from store.query.model import Filter, FilterName, In, Is, Query, Sort, Term

__all__ = ["Filter", "FilterName", "In", "Is", "Query", "Sort", "Term"]
