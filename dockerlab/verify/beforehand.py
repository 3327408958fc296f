"""What would keep a lab from working on its hosts, before anything of it is made: causes of cells that are not yet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from dockerlab.drift.beforehand import as_it_would_be
from dockerlab.drift.kernel import differences, mended
from dockerlab.ground.receipt import receipts
from dockerlab.imagined import ground, said
from dockerlab.imagined.machines import machines
from dockerlab.kernel.model import Machine
from dockerlab.lab.model import Lab
from dockerlab.reach.matrix import beside
from dockerlab.reach.world import World
from dockerlab.reach.worlds import Looked, defined, engines_of
from dockerlab.snapshot import LABEL_LAB
from dockerlab.verify.cause import Cause
from dockerlab.verify.causes import Odd, host_causes, is_odd, side_of, upon


@dataclass(frozen=True)
class Foreseen:
    """What would become of a lab: the hosts' own causes with the number of cells of each, and of how many none is.

    `doubts` are reasons for which nothing can be said of some cells, with their number.
    """

    causes: Mapping[Cause, int]
    unexplained: int
    doubts: Mapping[str, int]


def foresee(lab: Lab, seen: Looked, aside: Collection[str] = ()) -> Foreseen:
    """Return what the hosts as they are would make of a lab, whether it is there or not.

    Objects that are set `aside`, by where they are, are taken to be as they should: whoever speaks of them already
    learns what is amiss besides.
    """
    wanted = defined(lab, seen)
    there = upon(wanted, dict(_hosts(lab, seen, wanted)))
    settled = [found for found in differences(side_of(wanted), side_of(there)) if found.where in aside] if aside else []
    if settled:
        there = upon(wanted, mended(there.fabric.net.machines, settled))
    rows, told = beside(wanted, there)
    odd = [Odd(cell, e, p) for (cell, e), p in zip(rows, told, strict=True) if is_odd(e, p)]
    causes: dict[Cause, int] = {}
    unexplained = 0
    for cause in host_causes(wanted, there, odd):
        if cause is None:
            unexplained += 1
        else:
            causes[cause] = causes.get(cause, 0) + 1
    doubts: dict[str, int] = {}
    for (cell, expected), predicted in zip(rows, told, strict=True):
        if predicted.reachable is None and expected.reachable is not None:
            why = predicted.because(cell)
            doubts[why] = doubts.get(why, 0) + 1
    return Foreseen(causes, unexplained, doubts)


def _hosts(lab: Lab, seen: Looked, wanted: World) -> Iterator[tuple[str, Machine]]:
    grounds = {host: ground.stripped(seen.machines[host], seen.snapshots[host]) for host in lab.hosts}
    now = machines(lab, seen.snapshots, grounds, engines_of(lab, seen)).machines
    for host, machine in wanted.fabric.net.machines.items():
        yield host, as_it_would_be(machine, now[host], _with_its_own(lab, seen, host))


def _with_its_own(lab: Lab, seen: Looked, host: str) -> Machine:
    """Return a host as it is, with what `up` would make of it itself where that has not been done."""
    own = lab.grounds.get(host)
    made = any(receipts(seen.snapshots[host], lambda labels: labels.get(LABEL_LAB) == lab.name))
    return seen.machines[host] if own is None or made else said.over(seen.machines[host], own, lab.name)
