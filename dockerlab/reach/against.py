"""Two worlds of a lab beside each other: which cells differ, and by which change of the engine.

A change is the reason for a cell that is as before once the new engine does that one thing as the old one did. It is
found by trying: so what is told follows from the same walk as everything else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dockerlab.errors import UsageError
from dockerlab.imagined.changes import BACKEND
from dockerlab.reach.asked import Ends, Expected, expected, refused
from dockerlab.reach.cells import Cell
from dockerlab.reach.expectation import Expectation
from dockerlab.reach.matrix import said_of
from dockerlab.reach.world import World
from dockerlab.versions import Version, differing, release

Key = tuple[str, str, str, str]
"""What a cell is about: from, to, probe, target."""
Held = Callable[[Sequence[str]], World]
"""The newer world with some changes taken back, by their names."""


@dataclass(frozen=True)
class Side:
    """One of the two: what it is called, and its world."""

    told: str
    world: World


class Difference(NamedTuple):
    """A cell that is told otherwise by the two sides; None where one of them has no such cell.

    `changes` are the names of the changes of the engine without which it would be as before: none where the sides
    differ in something else, several where no single one makes it.
    """

    cell: Cell
    before: Expectation | None
    after: Expectation | None
    changes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """Two worlds of a lab beside each other.

    `cells` is how many there are on either side. `differences` are those that are reached on one side and not on the
    other, or of which one side makes no claim, or that only one side has; `otherwise` those that are lost on both
    sides, but show it differently. `untold` counts those of which neither side makes a claim. `refused` is what the
    second side's engines would not make, and the first one's would. `releases` are the first releases with each change.
    """

    before: Side
    after: Side
    cells: int
    differences: list[Difference]
    otherwise: list[Difference]
    untold: int
    refused: list[str]
    notes: list[str]
    releases: Mapping[str, Version] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """Tell whether everybody is reached as before, and everything can be made."""
        return not self.differences and not self.refused


def compare(before: Side, after: Side, ends: Ends = Ends(), *, held: Held | None = None) -> Comparison:  # noqa: B008
    """Return what differs between two worlds; with `held`, also the engine's changes that each difference comes of.

    Cells are the same that ask the same: from, to, probe and target. Of those that then are left over, on either side,
    the first of a pair with the first: an address that is another one there.

    Raises UsageError for ends that no cell of either has.
    """
    one, two = expected(before.world), expected(after.world)
    pairs = list(_pairs(_rows(one, ends), _rows(two, ends)))
    if not pairs:
        raise UsageError("no such cell: nothing is asked between these ends, on neither side")
    differences = [each for each in pairs if _reached(each.before) is not _reached(each.after) or _alone(each)]
    otherwise = [
        each for each in pairs
        if each.before and each.after and each.before.reachable is each.after.reachable is False
        and each.before.symptom != each.after.symptom
    ]  # fmt: skip
    names = _names(before.world, after.world) if held is not None else []
    if held is not None and names:
        reasons = _reasons(after.world, [*differences, *otherwise], names, held)
        differences, otherwise = (
            [each._replace(changes=reasons.get(each.cell, ())) for each in rows] for rows in (differences, otherwise)
        )
    known = {_anonymous(told, before.world) for told in refused(before.world)}
    lost = [told for told in refused(after.world) if _anonymous(told, after.world) not in known]
    return Comparison(
        before,
        after,
        len(pairs),
        differences,
        otherwise,
        sum(
            1 for each in pairs if each.before and each.after and each.before.reachable is each.after.reachable is None
        ),
        lost,
        [note for note in dict.fromkeys([*one.notes, *two.notes]) if note not in lost],
        dict(_releases(before.world, after.world, names)),
    )


def _anonymous(told: str, world: World) -> str:
    """Return a refusal without the engine's version, by which two of one kind differ."""
    for engine in world.engines.values():
        told = told.replace(f"engine {engine}", "the engine")
    return told


def _rows(found: Expected, ends: Ends) -> dict[Key, list[tuple[Cell, Expectation]]]:
    rows = defaultdict[Key, list[tuple[Cell, Expectation]]](list)
    for cell, told in found.rows:
        if ends.fit(cell):
            rows[cell.source, cell.to, cell.probe, cell.target].append((cell, told))
    return rows


def _pairs(
    ours: Mapping[Key, list[tuple[Cell, Expectation]]], theirs: Mapping[Key, list[tuple[Cell, Expectation]]]
) -> Iterator[Difference]:
    """Yield every cell with what both sides say of it, in the order of the first side."""
    left = defaultdict[tuple[str, ...], list[tuple[Cell, Expectation]]](list)
    for key, rows in theirs.items():
        left[key[:3]] += rows[len(ours.get(key, ())) :]
    for key, rows in ours.items():
        there = theirs.get(key, [])
        for number, (cell, told) in enumerate(rows):
            if number < len(there):
                yield Difference(there[number][0], told, there[number][1])
            elif left[key[:3]]:
                other, said = left[key[:3]].pop(0)
                yield Difference(other, told, said)
            else:
                yield Difference(cell, told, None)
    for rows in left.values():
        yield from (Difference(cell, None, told) for cell, told in rows)


def _reached(told: Expectation | None) -> bool | None:
    return told.reachable if told is not None else None


def _alone(each: Difference) -> bool:
    return each.before is None or each.after is None


def _names(one: World, other: World) -> list[str]:
    """Return the names of the changes between the engines of two worlds."""
    found: dict[str, None] = {}
    for host, engine in one.engines.items():
        theirs = other.engines[host]
        found |= dict.fromkeys(differing(engine, theirs))
        if engine.backend != theirs.backend:
            found[BACKEND] = None
    return list(found)


def _releases(one: World, other: World, names: Sequence[str]) -> Iterator[tuple[str, Version]]:
    for name in names:
        for host, engine in one.engines.items():
            made = release(name, engine, other.engines[host]) if name != BACKEND else None
            if made is not None:
                yield name, made
                break


def _reasons(world: World, rows: Sequence[Difference], names: Sequence[str], held: Held) -> dict[Cell, tuple[str, ...]]:
    """Return the changes without which cells would be as before: one for each that one alone makes, else several."""
    before = {each.cell: each.before for each in rows if each.before is not None and each.after is not None}
    found: dict[Cell, tuple[str, ...]] = {}
    sure: set[Cell] = set()
    for name in names:
        for cell, told in said_of(world, held([name]), before.keys() - sure).items():
            if _same(told, before[cell]):
                found.setdefault(cell, (name,))
                if told.rule == before[cell].rule:
                    found[cell] = (name,)
                    sure.add(cell)
    left = [each for each in rows if each.cell in before and each.cell not in found]
    while left:
        several = _fewest(world, left[0].cell, left[0].before, names, held)
        alike = said_of(world, held(several), {each.cell for each in left}) if several else {}
        found |= {cell: several for cell, told in alike.items() if _same(told, before[cell])}
        left = [each for each in left[1:] if each.cell not in found]
    return found


def _fewest(world: World, cell: Cell, before: Expectation | None, names: Sequence[str], held: Held) -> tuple[str, ...]:
    """Return changes that together make a cell what it is, none of them too much; none where they do not."""

    def back(some: Sequence[str]) -> bool:
        return _same(said_of(world, held(some), {cell}).get(cell), before)

    kept = list(names)
    if not back(kept):
        return ()
    for name in names:
        fewer = [each for each in kept if each != name]
        if back(fewer):
            kept = fewer
    return tuple(kept)


def _same(one: Expectation | None, other: Expectation | None) -> bool:
    return one is not None and other is not None and (one.reachable, one.symptom) == (other.reachable, other.symptom)
