"""What is to be known of a rule by which a cell is decided."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sight:
    """A command that shows a rule at work, and what to look for in its output."""

    command: str
    shows: str


@dataclass(frozen=True)
class Page:
    """One rule; `id` is what reports call it.

    `what` is what is observed, `why` the mechanism in Docker's or the kernel's own terms, with the engines' versions
    where they differ. `since` says from which engine on it holds. `see` shows it on a host, `change` tells how to get
    the other result.
    """

    id: str
    title: str
    what: str
    why: str
    since: str
    see: tuple[Sight, ...]
    change: str
