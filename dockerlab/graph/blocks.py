"""The size of a group of containers: a grid of boxes of one size, with gutters in which the cables run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt

from dockerlab.graph.model import MODES, Bar, Box, Group, Link
from dockerlab.graph.shapes import LINE, PAD, room, width

GAP = 16.0
"""The room between two boxes, and between two rows."""

TRACK = 9.0
"""The room that a further cable takes in a gutter or a lane."""

ONE_ROW = 4
"""So many boxes stand in one row, each with its own straight cable."""

WIDER = 2.2
"""How much wider than high a large grid should be."""

CHIPS = 12
"""So many published ports are shown at the bridge; of more, the rest is only counted."""

PILL = 120.0
"""The room at the left of a bridge's lower edge for the way out."""


def lines(box: Box) -> list[str]:
    """Return what is written in a container's box."""
    return [box.name, *box.lines]


def bar_lines(bar: Bar) -> list[str]:
    """Return what is written on a bar: its name, then everything else in one line each."""
    return [bar.name, *bar.lines]


def box_room(box: Box) -> tuple[float, float]:
    """Return the size of a container's box, with those inside that share its namespace."""
    w, h = room(lines(box))
    for inner in box.joined:
        iw, ih = room(lines(inner))
        w, h = max(w, iw + 2 * PAD), h + ih + PAD
    return w, h


def chips(group: Group) -> list[str]:
    """Return the published ports as they are shown."""
    shown = list(group.published[:CHIPS])
    more = len(group.published) - len(shown)
    return [*shown, f"and {more} more"] if more else shown


@dataclass
class Block:
    """A group with its measures; `x` is set when it is put into its host."""

    group: Group
    extras: Sequence[Link]
    """The cables beyond each container's first one."""
    arrivals: int
    """How many cables come from other groups."""
    ups: bool = False
    """Whether the first cables lead up, to an overlay, as well as down."""
    x: float = 0.0

    def __post_init__(self) -> None:
        boxes = self.group.boxes
        sizes = [box_room(box) for box in boxes]
        self.box = (max((w for w, _ in sizes), default=0.0), max((h for _, h in sizes), default=0.0))
        count = len(boxes)
        wanted = ceil(sqrt(count * (self.box[1] + GAP) * WIDER / (self.box[0] + 2 * GAP))) if count else 0
        self.columns = count if count <= ONE_ROW else min(count, max(ONE_ROW, wanted))
        self.rows = ceil(count / self.columns) if count else 0
        self.lefts, grid = self._columns()
        self.height = self.rows * (self.box[1] + GAP) - GAP if self.rows else 0.0
        self.width = max(grid, self._text(), 60.0) + (TRACK * self.arrivals + GAP if self.arrivals else 0)

    def _columns(self) -> tuple[list[float], float]:
        """Return where each column of boxes begins, relative to the block, and the width of all."""
        lefts, x = [], 0.0
        for column in range(self.columns):
            x += GAP if self.many else 0
            lefts.append(x)
            x += self.box[0] + GAP + TRACK * len(self.tracks(column))
            x += TRACK if self.many and self.ups else 0
        return lefts, max(0.0, x - GAP / 2)

    def _text(self) -> float:
        """Return the width that the texts below the grid need."""
        bar = room(bar_lines(self.group.bar))[0] if self.group.bar is not None else 0.0
        chip = max((width(text) + 2 * PAD for text in chips(self.group)), default=0.0)
        head = width(MODES[self.group.kind]) + 2 * PAD if self.group.kind in ("none", "host") else 0.0
        return max(bar, PILL + chip if chip else 0.0, head)

    @property
    def many(self) -> bool:
        """Tell whether there are several rows, so that the cables run in gutters."""
        return self.rows > 1

    def tracks(self, column: int) -> list[Link]:
        """Return the further cables of a column's boxes, each of which has a track of its own at its right."""
        own = {box.id for n, box in enumerate(self.group.boxes) if n % self.columns == column}
        return [link for link in self.extras if link.source in own]

    def place(self, number: int) -> tuple[int, int]:
        """Return the column and the row of a box."""
        return number % self.columns, number // self.columns

    def chip_rows(self) -> list[list[str]]:
        """Return the published ports in rows that fit beside the way out."""
        rows: list[list[str]] = []
        left = 0.0
        for text in chips(self.group):
            need = width(text) + 2 * PAD + GAP / 2
            if not rows or left < need:
                rows.append([])
                left = self.width - PILL + GAP / 2
            rows[-1].append(text)
            left -= need
        return rows

    @property
    def below(self) -> float:
        """Return the height that is needed between the bar and the interface."""
        return max(3 * GAP + LINE, len(self.chip_rows()) * (LINE + GAP) + GAP)
