"""A layout in the making: the heights that all hosts share, and what was placed where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dockerlab.graph.model import Bar, Picture
from dockerlab.graph.shapes import LINE, PAD, Rect, Sheet

EDGE = 24.0
"""The margin of the picture."""

STICKS_OUT = 18.0
"""How far what is on a host's edge stands beyond it."""

BAND = LINE + 2 * PAD


@dataclass(frozen=True)
class Levels:
    """The y of everything that is at the same height in all hosts."""

    top: float
    bands: float
    grid: float
    grid_end: float
    bar: float
    bar_end: float
    nic: float
    nic_end: float

    @property
    def bottom(self) -> float:
        """Return the hosts' lower edge, on which their interfaces sit."""
        return (self.nic + self.nic_end) / 2


@dataclass
class Stage:
    """A layout in the making: what was placed where, for whoever wants to be plugged into it."""

    picture: Picture
    levels: Levels
    sheet: Sheet = field(default_factory=Sheet)
    places: dict[str, Rect] = field(default_factory=dict)

    def put(self, rect: Rect, text: Sequence[str]) -> None:
        """Draw a box and remember where it is."""
        self.places[rect.node] = rect
        self.sheet.box(rect, text)


def saying(rect: Rect, what: str, bar: Bar) -> Rect:
    """Return a bar's rectangle with what is read out of it."""
    return replace(rect, told=", ".join([f"{what}: {bar.name}", *bar.lines]))
