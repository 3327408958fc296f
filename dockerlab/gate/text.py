"""JSON from strangers: not more, not deeper and not other than what is wanted of it."""

from __future__ import annotations

import json
from typing import Any, NoReturn

LARGEST = 64 * 2**20
"""Bytes of a text; as many as are kept of a program's output."""

MOST = 2**20
"""Values and lists and mappings in one text: each takes some hundred bytes, whatever is made of it. A look at a host
with five hundred containers has about half of it."""

DEEPEST = 64
"""Lists and mappings within each other: nft's rules, the deepest that there are, have some fifteen."""


def parsed(said: bytes | str) -> Any:
    """Return what a text of JSON holds; raises ValueError for what is none, too much, too deep, or no number or text.

    JSON as it is written down (RFC 8259), in UTF-8, without the words NaN and Infinity that Python reads, and
    without halves of characters, which nothing can print.
    """
    if len(said) > LARGEST:
        raise ValueError(f"it has more than {LARGEST // 2**20} MiB")
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    if values_in(text) > MOST:
        raise ValueError(f"it has more than {MOST} values")
    try:
        found = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError(f"it is deeper than {DEEPEST} lists within each other") from None
    if text.count("[") + text.count("{") > DEEPEST:
        _bounded(found)
    if "\\ud" in text or "\\uD" in text:
        json.dumps(found, ensure_ascii=False).encode()  # raises for half of a pair, which is a ValueError
    return found


def values_in(said: bytes | str) -> int:
    """Return about how many values, lists and mappings a text of JSON has."""
    if isinstance(said, bytes):
        return said.count(b",") + said.count(b"[") + said.count(b"{")
    return said.count(",") + said.count("[") + said.count("{")


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _bounded(found: Any) -> None:
    """Look at each level of lists and mappings; raises ValueError where there are too many."""
    level = [found]
    for _ in range(DEEPEST):
        inner = [each for each in level if isinstance(each, list | dict)]
        if not inner:
            return
        level = [one for each in inner for one in (each.values() if isinstance(each, dict) else each)]
    raise ValueError(f"it is deeper than {DEEPEST} lists within each other")
