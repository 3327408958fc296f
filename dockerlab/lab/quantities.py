"""Sizes and durations, as Compose and the engine's command line write them."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator

from dockerlab.lab.problem import shown

SIZE = re.compile(r"(\d+(?:\.\d+)?) ?(?:([kmgtp])i?)?b?", re.IGNORECASE)
DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|µs|ns))+")
PIECE = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|ns)")
UNITS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}
"""How long each unit is, in nanoseconds."""


def bytes_of(size: str) -> int:
    """Return how many bytes a size is; `-1` is no limit. Raises ValueError for what is none.

    Units are powers of 1024, whether they are written `m`, `mb` or `MiB` (docker/go-units, `RAMInBytes`).
    """
    if size == "-1":
        return -1
    found = SIZE.fullmatch(size)
    if found is None:
        raise ValueError(f"{size!r} is no size")
    number, unit = found[1], found[2]
    return int(float(number) * 1024 ** (" kmgtp".index(unit.lower()) if unit else 0))


def nanoseconds_of(duration: str) -> int:
    """Return how long a duration is, in nanoseconds; raises ValueError for what is none."""
    if duration == "0":
        return 0
    if not DURATION.fullmatch(duration):
        raise ValueError(f"{duration!r} is no duration")
    return round(sum(float(number) * UNITS[unit] for number, unit in PIECE.findall(duration)))


def _size(value: Any) -> Any:
    """Return a size as text; a whole number is one in bytes."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if text is None:
        return None
    try:
        if isinstance(text, str) and bytes_of(text) is not None:
            return text
    except ValueError:
        pass  # said below
    raise ValueError(f"{shown(value)} is no size: write bytes, or a number with a unit as in 512m or 2gb")


def _duration(value: Any) -> Any:
    """Return the duration that a text is; a number says no unit."""
    if value is None:
        return None
    try:
        if isinstance(value, str) and nanoseconds_of(value) is not None:
            return value
    except ValueError:
        pass  # said below
    raise ValueError(f"{shown(value)} is no duration: write it with its unit, as in 30s or 1m30s")


Size = Annotated[str, BeforeValidator(_size, json_schema_input_type=int | str)]
"""A number of bytes, as text."""
Duration = Annotated[str, BeforeValidator(_duration, json_schema_input_type=str)]
"""A length of time with its unit, as Go writes it."""
