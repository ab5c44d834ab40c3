"""What a query means for a list of tasks, and which queries a search of messages understands.

A list looks for words in what a task itself says. `role:`, `kind:` and `in:all` are about
messages, so a list refuses them in words; a search refuses orders that only tasks have.
"""

from __future__ import annotations

from store.errors import QueryError
from store.models import TaskFilter, TaskSort
from store.query.model import FilterName, In, Is, Query, Sort

_OF_MESSAGES = (FilterName.ROLE, FilterName.KIND)
_SORTS = {
    Sort.NEWEST: TaskSort.ACTIVE,
    Sort.CREATED: TaskSort.CREATED,
    Sort.MESSAGES: TaskSort.MESSAGES,
    Sort.TITLE: TaskSort.TITLE,
    Sort.PROJECT: TaskSort.PROJECT,
}
_SEARCH_SORTS = (Sort.NEWEST, Sort.RELEVANCE)


def narrowed(base: TaskFilter, query: Query) -> TaskFilter:
    """Give `base` with the query's filters of tasks added, for a list or a search.

    Words, times, and what is about messages are left to the caller. A query that asks for what
    `base` would hide (`is:archived`, `is:subagent`) is given it.
    """
    conditions = tuple(item for item in query.conditions if item.name not in _OF_MESSAGES)
    changes: dict[str, object] = {"conditions": (*base.conditions, *conditions)}
    for item in conditions:
        if item.name is FilterName.IS and not item.is_excluded:
            if Is.ARCHIVED in item.values:
                changes["archived"] = None
            if Is.SUBAGENT in item.values:
                changes |= {"everything": True, "top_level": False}
    return base.model_copy(update=changes)


def listed(base: TaskFilter, query: Query) -> TaskFilter:
    """Give the filter of a list for which somebody typed a query.

    Each term must occur in the title, project, branch, model or agent (`in:title`: the title); the
    beginning of a word is found like its middle. After and before are about the last activity.
    Raises QueryError for what only a search can answer.
    """
    for item in query.filters:
        if item.name in _OF_MESSAGES or (item.name is FilterName.IN and In.ALL in item.values):
            what = f"{item.name}:all" if item.name is FilterName.IN else f"{item.name}:"
            raise QueryError(
                f"{what} is about messages; a list has tasks. A search understands it",
                item.start,
                item.end,
            )
        if item.name is FilterName.SORT and Sort.RELEVANCE in item.values:
            raise QueryError("a list has no order of relevance", item.start, item.end)
    changes: dict[str, object] = {
        "words": (*base.words, *(term.text for term in query.wanted)),
        "without": (*base.without, *(term.text for term in query.excluded)),
        "titles_only": base.titles_only or query.scope is In.TITLE,
    }
    if query.after is not None:
        changes["active_after"] = query.after
    if query.before is not None:
        changes["active_before"] = query.before
    if query.sort is not None:
        changes["sort"] = _SORTS[query.sort]
    return narrowed(base, query).model_copy(update=changes)


def check_search(query: Query) -> None:
    """Raise QueryError for what only a list of tasks can answer."""
    for item in query.filters:
        if item.name is FilterName.SORT and Sort(item.values[-1]) not in _SEARCH_SORTS:
            raise QueryError(
                f"messages cannot be sorted by {item.values[-1]}; there are sort:newest and"
                " sort:relevance",
                item.start,
                item.end,
            )
