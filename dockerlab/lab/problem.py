"""One mistake in a definition, by its place in the structure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import SequenceMatcher, get_close_matches

MAX_PROBLEMS = 1_000
"""More are not looked for of one kind: nobody reads them, and finding them would take long."""

KeyPath = tuple[str | int, ...]
"""The way from the root of a definition to one of its values, such as `("containers", "web", "ports", 0)`."""


@dataclass(frozen=True)
class Problem:
    """What is wrong at a path, and what would be right; `of_key` when the last key itself is wrong, not its value."""

    path: KeyPath
    message: str
    of_key: bool = False


def dotted(path: KeyPath) -> str:
    """Return a path as people write it: `containers.web.ports[0]`; a key that is not plain comes in quotes."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{quoted(part)}" for part in path)
    return "".join(parts).removeprefix(".")


def quoted(key: str) -> str:
    """Return a key as it is, or in quotes (and shortened) when it is not plain."""
    return key if re.fullmatch(r"[\w-]{1,63}", key) else shown(key)


def shown(value: object) -> str:
    """Return a value for a message: quoted, without control characters, shortened."""
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else f"{text[:60]}…{text[-1]}"


def meant(word: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown word: what may have been meant, else what there is."""
    words = list(known)
    close = get_close_matches(word[:100], words[:200])  # bounded: both come from strangers
    if close:
        # Of vm0 and vm1, neither is nearer to vm2.
        alike = [item for item in close if _likeness(word, item) == _likeness(word, close[0])]
        return f"did you mean {' or '.join(sorted(alike))}?"
    if not words:
        return "there is none"
    more = f", … ({len(words)} in all)" if len(words) > 30 else ""
    return f"known: {', '.join(words[:30])}{more}"


def _likeness(word: str, other: str) -> float:
    return SequenceMatcher(None, other, word).ratio()
