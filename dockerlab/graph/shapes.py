"""Shapes with coordinates, and how much room a text takes. Pixels; y grows downwards."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from unicodedata import combining, east_asian_width

from dockerlab.plain import one_line

LINE = 16.0
"""The height of a line of text."""

PAD = 8.0
"""The room between a box's edge and its text."""

CHARACTER = 7.4
"""The width of a character of the fixed-width font at 12 pixels: no common font has a wider one."""

LONGEST = 56
"""Longer lines are cut; the whole text is still in the shape's title."""


@dataclass(frozen=True)
class Rect:
    """A box. `kind` is what it stands for, `node` whose box it is, `told` what is read out, and shown on pointing."""

    x: float
    y: float
    w: float
    h: float
    kind: str
    node: str = ""
    told: str = ""

    @property
    def right(self) -> float:
        """Return the x of the right edge."""
        return self.x + self.w

    @property
    def bottom(self) -> float:
        """Return the y of the lower edge."""
        return self.y + self.h

    @property
    def centre(self) -> tuple[float, float]:
        """Return the point in the middle."""
        return self.x + self.w / 2, self.y + self.h / 2

    def holds(self, other: Rect) -> bool:
        """Tell whether another rectangle lies wholly inside."""
        return self.x <= other.x and self.y <= other.y and self.right >= other.right and self.bottom >= other.bottom

    def meets(self, other: Rect) -> bool:
        """Tell whether two rectangles have a part of their areas in common."""
        across = self.x < other.right and other.x < self.right
        return across and self.y < other.bottom and other.y < self.bottom


@dataclass(frozen=True)
class Text:
    """One line of text; `x` is its left end, `y` its base line."""

    x: float
    y: float
    text: str
    kind: str = "line"

    @property
    def area(self) -> Rect:
        """Return the room that it takes."""
        return Rect(self.x, self.y - LINE * 0.75, width(self.text), LINE * 0.95, "text")


@dataclass(frozen=True)
class Wire:
    """A line through points, from one node to another."""

    points: tuple[tuple[float, float], ...]
    kind: str
    source: str = ""
    target: str = ""


@dataclass
class Sheet:
    """All shapes of a picture, in the order in which they are drawn: wires lie below boxes, except the hosts'."""

    grounds: list[Rect] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    rects: list[Rect] = field(default_factory=list)
    plugs: list[Rect] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)

    def box(self, rect: Rect, lines: Iterable[str]) -> None:
        """Add a box with lines of text, the first of which is its name."""
        self.rects.append(rect)
        self.write(rect, lines)

    def write(self, rect: Rect, lines: Iterable[str], top: float = 0.0) -> None:
        """Write lines into a box, `top` pixels below where they would begin."""
        for number, line in enumerate(lines):
            y = rect.y + top + PAD + LINE * (number + 0.75)
            self.texts.append(Text(rect.x + PAD, y, cut(line), "line" if number or top else "name"))

    def plug(self, x: float, y: float) -> None:
        """Add the small square by which a cable is plugged in."""
        self.plugs.append(Rect(x - 4, y - 4, 8, 8, "plug"))

    @property
    def size(self) -> tuple[float, float]:
        """Return the width and height that hold everything, with a margin."""
        every = [*self.grounds, *self.rects, *(text.area for text in self.texts)]
        ends = [point for wire in self.wires for point in wire.points]
        right = max([rect.right for rect in every] + [x for x, _ in ends], default=0)
        bottom = max([rect.bottom for rect in every] + [y for _, y in ends], default=0)
        return right + 24, bottom + 24


def width(text: str) -> float:
    """Return the width of a line; characters of East Asian scripts take more room, combining ones none."""
    wide = sum(0.0 if combining(c) else 1.7 if east_asian_width(c) in "WFA" and ord(c) > 0x2FF else 1.0 for c in text)
    return wide * CHARACTER


def cut(text: str, most: int = LONGEST) -> str:
    """Return a text as one printable line of at most `most` characters, with `…` where it was longer."""
    line = one_line(text)
    return line if len(line) <= most else f"{line[: most - 1]}…"


def room(lines: Iterable[str]) -> tuple[float, float]:
    """Return the width and height of a box for lines of text."""
    shown = [cut(line) for line in lines]
    return max((width(line) for line in shown), default=0) + 2 * PAD, len(shown) * LINE + 2 * PAD
