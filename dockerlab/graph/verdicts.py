"""The matrix as strands between the nodes of a picture: who reaches whom, what failed, what could not be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from dockerlab.graph.model import Picture
from dockerlab.reach import Cell

MOST = 40
"""So many strands can be told apart; of a larger matrix, whole groups are joined, and what is as wished is left out."""

Word = Literal["yes", "no", "some", "fail", "unknown"]

WORDS: Mapping[Word, str] = {
    "no": "does not reach, as expected",
    "some": "reaches in part, as expected",
    "yes": "reaches, as expected",
    "unknown": "could not be told",
    "fail": "not as expected",
}


class Asked(NamedTuple):
    """A cell with what came of it: whether it is reachable (None: not known), and whether that is a failure."""

    cell: Cell
    reachable: bool | None
    failed: bool = False


@dataclass
class Tally:
    """How many cells in one direction are what; only pings say whether one reaches the other, any probe can fail."""

    yes: int = 0
    no: int = 0
    failed: int = 0
    unknown: int = 0

    def add(self, asked: Asked) -> None:
        """Count one cell."""
        if asked.failed:
            self.failed += 1
        elif asked.reachable is None:
            self.unknown += 1
        elif asked.cell.probe == "ping":
            self.yes += asked.reachable
            self.no += not asked.reachable

    @property
    def word(self) -> Word:
        """Return what is worst about the cells."""
        if self.failed or self.unknown:
            return "fail" if self.failed else "unknown"
        return "some" if self.yes and self.no else "yes" if self.yes else "no"


@dataclass
class Strand:
    """What the cells between two nodes came to: `forth` from one to the other, and `back`."""

    one: str
    other: str
    forth: Tally = field(default_factory=Tally)
    back: Tally = field(default_factory=Tally)

    @property
    def word(self) -> Word:
        """Return what is worst about both directions; one-way reach is `some`."""
        words = {way.word for way in (self.forth, self.back) if way != Tally()}
        if "fail" in words or "unknown" in words:
            return "fail" if "fail" in words else "unknown"
        return "some" if len(words) > 1 else words.pop() if words else "no"

    @property
    def label(self) -> str:
        """Return the strand in a few words, with numbers where it stands for several cells."""
        sums = [
            (self.forth.yes + self.back.yes, "reach"),
            (self.forth.no + self.back.no, "do not"),
            (self.forth.failed + self.back.failed, "FAIL"),
            (self.forth.unknown + self.back.unknown, "unknown"),
        ]
        return ", ".join(f"{count} {word}" for count, word in sums if count)


def strands(picture: Picture, matrix: Iterable[Asked]) -> list[Strand]:
    """Return what a matrix is between the nodes of a picture: box by box, or group by group where that is too much.

    What is amiss stays box by box as long as it can be told apart.
    """
    cells = list(matrix)
    each = _gathered(cells, nodes(picture))
    if len(each) <= MOST:
        return each
    telling = [strand for strand in each if strand.word != "no"]
    if len(telling) <= MOST:
        return telling
    amiss = [strand for strand in each if strand.word in ("fail", "unknown")]
    told = {frozenset((strand.one, strand.other)) for strand in amiss} if len(amiss) <= MOST else set()
    at = nodes(picture)
    rest = [a for a in cells if frozenset((at.get(a.cell.source), at.get(a.cell.to))) not in told]
    grouped = _gathered(rest, at | _groups(picture))
    away = {beyond.id for beyond in picture.beyond}
    kept = [s for s in grouped if s.word in ("fail", "unknown") or (s.word != "no" and s.other not in away)]
    return [*(amiss if told else ()), *kept]


def _gathered(cells: Iterable[Asked], at: Mapping[str, str]) -> list[Strand]:
    found: dict[frozenset[str], Strand] = {}
    for asked in cells:
        source, target = at.get(asked.cell.source), at.get(asked.cell.to)
        if source is None or target is None:
            continue
        strand = found.setdefault(frozenset((source, target)), Strand(source, target))
        (strand.forth if strand.one == source else strand.back).add(asked)
    return list(found.values())


def nodes(picture: Picture) -> dict[str, str]:
    """Return the node of each end of a cell, by the name that the matrix gives it."""
    found = dict(picture.aliases)
    for machine in picture.machines:
        found[machine.name] = machine.nics[0].id
    for _, _, box in picture.boxes():
        found |= {each.name: each.id for each in (box, *box.joined)}
    return found


def _groups(picture: Picture) -> dict[str, str]:
    """Return the node of each container's group."""
    return {each.name: group.id for _, group, box in picture.boxes() for each in (box, *box.joined)}
