"""How a call wants a Compose file read: what `docker compose` takes as options and from its environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

NAMES = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""What a Compose file is called that nobody named, the first that is there."""


@dataclass(frozen=True)
class Options:
    """More files to lay over the first, the profiles that are on, the project's name, and files of variables."""

    files: tuple[Path, ...] = ()
    profiles: tuple[str, ...] = ()
    project: str | None = None
    env_files: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    @property
    def asked(self) -> str:
        """Return an option that was given and has a meaning for Compose files alone; empty where none was."""
        given = {
            "-f": self.files,
            "--profile": self.profiles,
            "--project-name": self.project,
            "--env-file": self.env_files,
        }
        return next((option for option, value in given.items() if value), "")


def files_in(directory: Path, options: Options) -> list[Path]:
    """Return the files of a project that only its directory is named of, as `docker compose` takes them there."""
    named = options.environment.get("COMPOSE_FILE")
    if named:
        separator = options.environment.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
        return [directory / part for part in named.split(separator) if part]
    first = next((directory / name for name in NAMES if (directory / name).is_file()), None)
    if first is None:
        return []
    stem = first.stem
    over = (directory / f"{stem}.override{suffix}" for suffix in (first.suffix, ".yml", ".yaml"))
    more = next((path for path in over if path.is_file()), None)
    return [first] if more is None else [first, more]


def normal_name(text: str) -> str:
    """Return what `docker compose` makes of a name, or of a directory's, for a project."""
    return re.sub(r"[^-_a-z0-9]", "", text.lower()).lstrip("_-")
