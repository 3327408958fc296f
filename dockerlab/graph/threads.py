"""Strands of the matrix as curves with marks: told apart by line, ends and sign, never by colour alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import hypot

from dockerlab.graph.shapes import LINE, Rect
from dockerlab.graph.verdicts import WORDS, Strand, Tally, Word

SIGNS: Mapping[Word, str] = {"yes": "✓", "some": "±", "no": "-", "fail": "✕", "unknown": "?"}

BULGE = 0.16
"""How far a curve leaves the straight line, as a part of its length: so parallel ones do not hide each other."""

Point = tuple[float, float]


def draw(
    strands: Iterable[Strand], places: Mapping[str, Rect]
) -> Iterator[tuple[Strand, str, list[list[Point]], Point]]:
    """Yield each strand with its path, its arrow heads and the place of its sign; the worst last, on top."""
    taken: dict[str, int] = {}
    worst_last = sorted(strands, key=lambda strand: list(WORDS).index(strand.word))
    for strand in worst_last:
        one, other = places.get(strand.one), places.get(strand.other)
        if one is None or other is None:
            continue
        if strand.one == strand.other:
            yield strand, "", [], (one.right - LINE * 0.75, one.y + LINE * 0.75)
            continue
        taken[strand.one] = taken.get(strand.one, 0) + 1
        start, end = one.centre, other.centre
        bend = _control(start, end, BULGE + 0.03 * (taken[strand.one] % 4))
        start, end = _edge(one, bend), _edge(other, bend)
        path = f"M{start[0]:.1f} {start[1]:.1f}Q{bend[0]:.1f} {bend[1]:.1f} {end[0]:.1f} {end[1]:.1f}"
        heads = [_head(bend, end)] if strand.forth.yes else []
        heads += [_head(bend, start)] if strand.back.yes else []
        yield strand, path, heads, _middle(start, bend, end)


def told(strand: Strand, names: Mapping[str, str]) -> str:
    """Return a strand in words: both directions where they differ."""
    one, other = names.get(strand.one, strand.one), names.get(strand.other, strand.other)
    if strand.one == strand.other:
        return f"among themselves on {one}: {WORDS[strand.word]} ({strand.label})"
    if strand.forth.word == strand.back.word:
        return f"{one} and {other}: {WORDS[strand.word]} ({strand.label})"
    ways = [(one, other, strand.forth), (other, one, strand.back)]
    return "; ".join(f"{a} to {b}: {WORDS[tally.word]}" for a, b, tally in ways if tally != Tally())


def _control(start: Point, end: Point, bulge: float) -> Point:
    dx, dy = end[0] - start[0], end[1] - start[1]
    return (start[0] + end[0]) / 2 + dy * bulge, (start[1] + end[1]) / 2 - abs(dx) * bulge


def _edge(rect: Rect, towards: Point) -> Point:
    """Return where the line from a box's middle towards a point leaves the box."""
    (x, y), (dx, dy) = rect.centre, (towards[0] - rect.centre[0], towards[1] - rect.centre[1])
    across = rect.w / 2 / abs(dx) if dx else float("inf")
    along = rect.h / 2 / abs(dy) if dy else float("inf")
    part = min(across, along, 1.0)
    return x + dx * part, y + dy * part


def _head(start: Point, end: Point, size: float = 9.0) -> list[Point]:
    """Return the triangle of an arrow that comes from `start` and ends at `end`."""
    length = hypot(end[0] - start[0], end[1] - start[1]) or 1.0
    ux, uy = (end[0] - start[0]) / length * size, (end[1] - start[1]) / length * size
    back = (end[0] - ux, end[1] - uy)
    return [end, (back[0] - uy / 2, back[1] + ux / 2), (back[0] + uy / 2, back[1] - ux / 2)]


def _middle(start: Point, bend: Point, end: Point) -> Point:
    return (start[0] + 2 * bend[0] + end[0]) / 4, (start[1] + 2 * bend[1] + end[1]) / 4
