"""A healthcheck in words: `docker run` takes a line for the container's shell alone, and a shell can give way to words.

Compose hands the engine words as they are (`CMD`), by the engine's API. With `exec` before them a shell becomes the
program that they name: the engine then looks, waits and kills as it does with words, and by that they are told again.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

EXEC = "exec "


def line_of(words: Sequence[str]) -> str:
    """Return the line by which a shell gives way to words, empty for none."""
    return EXEC + shlex.join(words) if words else ""


def words_in(line: str) -> tuple[str, ...]:
    """Return the words that a shell gives way to by a line as `line_of` writes it, none for any other line."""
    try:
        words = tuple(shlex.split(line.removeprefix(EXEC)))
    except ValueError:  # a quote that does not end
        return ()
    said = bool(words) and not words[0].startswith("-")  # which would be an option of `exec` itself
    return words if said and line_of(words) == line else ()
