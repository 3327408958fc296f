"""Causes: the one object without which cells would not differ, whose fault it is, and what puts it right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["lab", "host"]
"""`lab`: an object is not as the definition has it. `host`: everything else, which is no fault of whoever made it."""

LAB_KINDS = ("network", "container", "place", "port", "alias", "command", "image")
HOST_KINDS = (
    "rule",
    "policy",
    "route",
    "ip-rule",
    "link",
    "address",
    "neighbour",
    "sysctl",
    "socket",
    "proxy",
    "engine",
)


@dataclass(frozen=True)
class Cause:
    """One object of a host that makes cells differ, or that is not as the definition has it.

    `kind` is one of `LAB_KINDS` or `HOST_KINDS`; `where` names the object as a person would look for it, such as
    `network vault` or `filter INPUT policy`; `text` says in words what is the matter; `undo` is what one types on the
    host to put it right, empty where there is no such command. `who` is the container in whose network namespace it is,
    empty for the host's own: what somebody did inside a lab's container is no fault of the host.
    """

    host: str
    side: Side
    kind: str
    where: str
    text: str
    undo: str = ""
    who: str = ""

    def __str__(self) -> str:
        return f"{self.host}: {self.text}"


def how_many(cells: int) -> str:
    """Return a number of cells in words."""
    return "1 cell" if cells == 1 else f"{cells or 'no'} cells"
