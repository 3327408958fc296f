"""Files of variables (`.env`, `env_file`), in the dialect of Docker Compose.

It is wider than those of the libraries for such files: `KEY: value`, `$NAME` without braces, and what was set before
counts in what comes after.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dockerlab.compose.interpolate import substituted
from dockerlab.errors import DefinitionError, Located, UsageError
from dockerlab.lab.document import position
from dockerlab.lab.texts import text_of

KEY = re.compile(r"(?:export[ \t]+)?([^\s=:#'\"]+)[ \t]*")
SINGLE = re.compile(r"'((?:[^'\\]|\\.)*)'", re.DOTALL)
DOUBLE = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
ESCAPED = re.compile(r"\\([nrt\"\\$])")
MEANT = {"n": "\n", "r": "\r", "t": "\t", "$": "$$"}
COMMENT = re.compile(r"[ \t]#.*")


def variables_of(path: Path, known: Mapping[str, str], *, raw: bool = False) -> dict[str, str | None]:
    """Return what a file sets; None for a name without a value, which is taken from elsewhere.

    `known` is what its values may speak of. With `raw`, they are taken as they stand. Raises UsageError where the file
    cannot be read, DefinitionError, with the place, for a line that sets nothing.
    """
    text = text_of(path)
    if raw:
        pairs = (line.partition("=") for line in text.splitlines() if line.strip() and not line.startswith("#"))
        return {key: value if equals else None for key, equals, value in pairs}
    found: dict[str, str | None] = {}
    at = 0
    while at < len(text):
        end = text.find("\n", at) % (len(text) + 1)
        line = text[at:end].strip()
        if not line or line.startswith("#"):
            at = end + 1
            continue
        at += len(text[at:end]) - len(text[at:end].lstrip())
        try:
            name, value, at = _assignment(text, at, end, over(_set(found), known))
        except ValueError as error:
            raise DefinitionError([Located(str(path), *position(text, at), "", str(error))]) from None
        found[name] = value
    return found


class Variables(dict[str, str]):
    """Variables by name that know which of them somebody has asked for; copies share that with each other."""

    def __init__(self, found: Mapping[str, str], used: set[str]) -> None:
        super().__init__(found)
        self.used = used

    def get(self, name: str, default: Any = None) -> Any:
        """Return a variable, or the default."""
        self.used.add(name)
        return super().get(name, default)


def over(found: Mapping[str, str], known: Mapping[str, str]) -> Variables:
    """Return variables with the known ones laid over them, which learn of it when they are asked for."""
    return Variables({**found, **known}, known.used if isinstance(known, Variables) else set())


def environment_of(directory: Path, files: list[Path], shell: Mapping[str, str]) -> Variables:
    """Return the variables of a project: those of the shell, and under them those of its files, else of its `.env`.

    Raises UsageError where a file that was named cannot be read, DefinitionError for what is wrong in one.
    """
    named = files or ([directory / ".env"] if (directory / ".env").is_file() else [])
    found: dict[str, str] = {}
    for path in named:
        if not path.is_file():
            raise UsageError(f"{path}: no such file of variables")
        found.update(_set(variables_of(path, over(found, shell))))
    return over(found, shell)


def _set(found: Mapping[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in found.items() if value is not None}


def _assignment(text: str, at: int, end: int, known: Mapping[str, str]) -> tuple[str, str | None, int]:
    """Return the name and the value that are set at a place, and where the next line begins."""
    key = KEY.match(text, at, end)
    if key is None:
        raise ValueError("sets no variable: write NAME=value")
    if key.end() >= end:
        return key[1], None, end + 1
    if text[key.end()] not in "=:":
        raise ValueError(f"{key[1]} is followed by neither `=` nor `:`: write NAME=value")
    begin = key.end() + 1
    while begin < end and text[begin] in " \t":
        begin += 1
    for quoted, plain in ((SINGLE, True), (DOUBLE, False)):
        value = quoted.match(text, begin)
        if value is not None:
            after = text.find("\n", value.end()) % (len(text) + 1)
            return key[1], value[1] if plain else _filled(_unescaped(value[1]), known), after + 1
    if text[begin : begin + 1] in ("'", '"'):
        raise ValueError(f"the quote behind {key[1]} is never closed")
    return key[1], _filled(COMMENT.sub("", text[begin:end]).strip(), known), end + 1


def _unescaped(text: str) -> str:
    return ESCAPED.sub(lambda found: MEANT.get(found[1], found[1]), text)


def _filled(text: str, known: Mapping[str, str]) -> str:
    return substituted(text, known, lambda _: None)
