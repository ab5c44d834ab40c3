"""What the browser remembers from one day to the next: one small JSON file."""

from __future__ import annotations

import json
import os
from pathlib import Path


class Settings:
    """The settings in a file, which need not be there. It is made when something is changed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def theme(self) -> str | None:
        """The name of the theme that was chosen last. Raises OSError or ValueError."""
        theme = self._read().get("theme")
        return theme if isinstance(theme, str) else None

    @theme.setter
    def theme(self, name: str) -> None:
        self.change("theme", name)

    def all(self) -> dict[str, object]:
        """Give every setting by its name. Raises OSError or ValueError."""
        return self._read()

    def change(self, name: str, value: str) -> None:
        """Change one setting and keep the others. Raises OSError or ValueError."""
        self._write(self._read() | {name: value})

    def _read(self) -> dict[str, object]:
        try:
            settings = json.loads(self.path.read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise ValueError(f"{self.path} is not JSON: {error}") from error
        if not isinstance(settings, dict):
            raise ValueError(f"{self.path} holds no settings")
        return settings

    def _write(self, settings: dict[str, object]) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = self.path.with_name(f"{self.path.name}.{os.getpid()}")
        fresh.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
        fresh.replace(self.path)


def own_settings() -> Settings:
    """Give the settings in the person's configuration folder."""
    from platformdirs import user_config_path

    return Settings(user_config_path("backscroll", appauthor=False) / "settings.json")
