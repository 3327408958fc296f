"""The hosts' own causes of cells that are predicted otherwise than expected, each with the command that undoes it.

Expected is what the kernels would do as they were imagined, predicted what they will do as they were surveyed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dockerlab.drift.kernel import Difference, Sided, differences
from dockerlab.kernel.model import Machine
from dockerlab.lab.model import Lab
from dockerlab.plain import one_line
from dockerlab.reach import Cell, Expectation
from dockerlab.reach.matrix import outcome_of, tell
from dockerlab.reach.names import own_server
from dockerlab.reach.world import World
from dockerlab.verify.attribution import Suspect
from dockerlab.verify.cause import Cause, Side
from dockerlab.verify.counterfactual import Mismatch, explained
from dockerlab.verify.of_ground import said
from dockerlab.verify.verdicts import Judged
from dockerlab.walk.compiled import Fabric
from dockerlab.walk.outcome import Outcome


@dataclass(frozen=True)
class Odd:
    """A cell that is predicted otherwise than expected."""

    cell: Cell
    expected: Expectation
    predicted: Expectation

    @property
    def kind(self) -> tuple[int, int]:
        """Return what all cells share that fare alike on both sides: the model says the same of them, once."""
        return id(self.expected), id(self.predicted)


def is_odd(expected: Expectation, predicted: Expectation) -> bool:
    """Tell whether a prediction contradicts what is expected, be it only in how a cell is unreachable.

    Where one of them claims nothing, it does not.
    """
    if expected.reachable is None or predicted.reachable is None:
        return False
    return not _alike(expected, predicted)


def _alike(expected: Expectation, predicted: Expectation) -> bool:
    """Tell whether two claims say the same; one that does not say how a cell is unreachable fits any way."""
    known = expected.symptom is not None and predicted.symptom is not None
    same = expected.symptom == predicted.symptom
    return expected.reachable is predicted.reachable and (expected.reachable is not False or same or not known)


def of_hosts(
    cells: Sequence[Judged], wanted: World, there: World, suspects: Sequence[Suspect] = ()
) -> tuple[Judged, ...]:
    """Return the cells, each that is predicted otherwise than expected, and has no cause yet, with the host's own one.

    `wanted` is the lab as it is defined, `there` as the hosts are. What was seen to be as it should has no cause,
    whatever was predicted; nor has what passes in another way than it would, where one of the lab's own `suspects`
    explains that: what an engine has made otherwise is otherwise in the kernels below as well.
    """
    odd = [
        odd
        for judged in cells
        if judged.cause is None
        and (odd := _odd(judged)) is not None
        and not any(suspect.explains(judged) for suspect in suspects)
    ]
    told = zip(odd, host_causes(wanted, there, odd), strict=True)
    found = {each.cell: cause for each, cause in told if cause is not None}
    if not found:
        return tuple(cells)
    return tuple(
        replace(judged, cause=found[judged.cell]) if judged.cause is None and judged.cell in found else judged
        for judged in cells
    )


def _odd(judged: Judged) -> Odd | None:
    """Return a judged cell as one that has a cause, None where it needs none."""
    predicted = judged.predicted
    if predicted is None or not is_odd(judged.expected, predicted):
        return None
    if judged.verdict == "pass" and (predicted.reachable or predicted.symptom != judged.observed.symptom):
        return None
    return Odd(judged.cell, judged.expected, predicted)


def host_causes(wanted: World, there: World, odd: Sequence[Odd]) -> list[Cause | None]:
    """Return for each of some cells the one object of a host that is the cause, or None where no single thing is.

    `wanted` is the lab as it is defined, `there` as the hosts are.
    """
    if not odd:
        return []
    found = differences(side_of(wanted), side_of(there))
    kinds = {each.kind: each for each in reversed(odd)}
    mismatches = [_mismatch(wanted, there, each) for each in kinds.values()]
    told = explained(mismatches, found, there.fabric.net.machines, lambda kernels: upon(there, kernels), _as_expected)
    causes = {odd.kind: cause_of(difference, wanted.lab) for odd, difference in told.items()}
    return [causes.get(each.kind) for each in odd]


def side_of(world: World) -> Sided:
    """Return a world's kernels as one side of a comparison."""
    return Sided(world.fabric.net.machines, world.homes)


def upon(world: World, kernels: Mapping[str, Machine]) -> World:
    """Return a world over other kernels."""
    return replace(world, fabric=Fabric(replace(world.fabric.net, machines=kernels)))


def _mismatch(wanted: World, there: World, odd: Odd) -> Mismatch[Odd]:
    ways = (_way(world, odd.cell) for world in (wanted, there))
    expected, predicted = ([] if way is None else [way] for way in ways)
    return Mismatch(odd, expected, predicted)


def _way(world: World, cell: Cell) -> Outcome | None:
    """Return a cell's way; that of a name is the one to the server that is asked for it."""
    if cell.probe == "dns":
        return own_server(world, world.people.of[cell.source], detail=True)
    return outcome_of(world, cell, detail=True)


def _as_expected(world: World, odd: Odd) -> bool:
    return _alike(odd.expected, tell(world, odd.cell))


def cause_of(difference: Difference, lab: Lab) -> Cause:
    """Return a difference as a cause: of side `lab` where the definition says of a host what is not there."""
    own = said(lab, difference)
    inside = difference.who if difference.who != difference.host else ""
    text = f"in {inside}, {difference.says}" if inside else difference.says
    side: Side = "host" if own is None else "lab"
    undo = difference.undo if own is None else own
    return Cause(difference.host, side, difference.kind, difference.where, one_line(text), undo, inside)
