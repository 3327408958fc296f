"""What making an object takes, and what tells whether it is still the same."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from dockerlab.command import Command


@dataclass(frozen=True)
class Built:
    """The commands that make an object, those that undo them, and the fingerprint of what is made."""

    create: tuple[Command, ...]
    undo: tuple[Command, ...]
    fingerprint: str


def fingerprint_of(*made_of: Command | str) -> str:
    """Return what tells whether an object has changed: twelve digits that stand for all that it is made of."""
    lines = (each.shell() if isinstance(each, Command) else each for each in made_of)
    return sha256("\n".join(lines).encode()).hexdigest()[:12]
