"""The queries of a person: those typed last, and those saved under a name. One small JSON file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

MOST_RECENT = 100


class Queries:
    """What is in the file, which need not be there. Without a path nothing outlives the program."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self._own: dict[str, Any] = {}

    def recent(self) -> list[str]:
        """Give the queries typed last, the latest last. Raises OSError or ValueError."""
        return [text for text in self._list("recent") if isinstance(text, str)]

    def saved(self) -> dict[str, str]:
        """Give the saved queries by their names. Raises OSError or ValueError."""
        saved = self._read().get("saved")
        pairs = saved.items() if isinstance(saved, dict) else ()
        return {name: text for name, text in pairs if isinstance(text, str)}

    def add(self, text: str) -> None:
        """Remember a query as the latest. Raises OSError or ValueError."""
        recent = [other for other in self.recent() if other != text]
        self._write({"recent": [*recent, text][-MOST_RECENT:]})

    def save(self, name: str, text: str) -> None:
        """Save a query under a name, in place of the one there; without a text forget the name."""
        saved = {key: value for key, value in self.saved().items() if key != name}
        self._write({"saved": saved | ({name: text} if text else {})})

    def _list(self, name: str) -> list[Any]:
        found = self._read().get(name)
        return found if isinstance(found, list) else []

    def _read(self) -> dict[str, Any]:
        if self.path is None:
            return self._own
        try:
            held = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise ValueError(f"{self.path} is not JSON: {error}") from error
        return held if isinstance(held, dict) else {}

    def _write(self, changes: dict[str, Any]) -> None:
        held = self._read() | changes
        if self.path is None:
            self._own = held
            return
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        # What one looks for is nobody else's business.
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(held, file, indent=2)
        fresh.replace(self.path)


def own_queries() -> Queries:
    """Give the queries in the person's configuration folder."""
    from platformdirs import user_config_path

    return Queries(user_config_path("backscroll", appauthor=False) / "queries.json")
