"""One lab on its way to its verdicts: what is asked of it, and what is expected of each answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from dockerlab.drift.namesakes import on_external_networks
from dockerlab.lab.model import Lab
from dockerlab.probe.base import Observation
from dockerlab.reach import Cell, Expectation, World
from dockerlab.reach.asked import Expected, expected
from dockerlab.reach.matrix import Row
from dockerlab.reach.worlds import defined, surveyed
from dockerlab.snapshot import Snapshot
from dockerlab.survey import Seen

AS_IS = "judged by what is predicted of the hosts as they are, not by the definition (--as-is)"

DISCOVERED = "judged by what is predicted of the hosts as they are: what was discovered has no definition of its own"


@dataclass
class Trial:
    """One lab's matrix on the way to its verdicts; `observed` has an entry for each row once it was asked."""

    seen: Seen
    wanted: Expected
    observed: list[Observation] = field(default_factory=list)
    as_is: bool = False
    """Whether what is predicted of the hosts as they are stands for what is expected."""
    failed: frozenset[str] = frozenset()
    """The hosts whose agent did not get to the end."""

    @property
    def world(self) -> World:
        """Return what the expectations follow from."""
        return self.wanted.world

    @property
    def told(self) -> Mapping[str, Snapshot]:
        """Return what the engines of those hosts say that have answered."""
        return {host: each for host, each in self.seen.snapshots.items() if host not in self.seen.silent}

    @property
    def there(self) -> World:
        """Return the lab as its hosts' kernels have it, as far as these were looked at."""
        return self.wanted.now or self.world

    @property
    def partly(self) -> bool:
        """Tell whether one of its hosts was not looked at."""
        return not self.world.lab.hosts.keys().isdisjoint(self.seen.unseen.keys() | self.seen.silent.keys())

    @property
    def rows(self) -> list[Row]:
        """Return what is asked, with what is expected of it."""
        return self.wanted.rows

    @property
    def cells(self) -> list[Cell]:
        """Return what is asked."""
        return [cell for cell, _ in self.rows]

    @property
    def expected(self) -> list[Expectation]:
        """Return what is expected of each cell."""
        return [expectation for _, expectation in self.rows]

    @property
    def reached(self) -> bool:
        """Tell whether every cell was reached, as expected."""
        pairs = zip(self.rows, self.observed, strict=False)
        return len(self.observed) == len(self.rows) and all(
            one.state == "reachable" and expected.reachable for (_, expected), one in pairs
        )


def trial(lab: Lab, seen: Seen, *, as_is: bool = False) -> Trial:
    """Return what is asked of a lab, and what is expected of it.

    What hosts say was through the gate when it was read: what is raised here is a fault of this program.
    """
    wanted = expected(defined(lab, seen), surveyed(lab, seen))
    wanted = replace(wanted, notes=[*wanted.notes, *on_external_networks(lab, seen.snapshots)])
    if as_is and wanted.predicted:
        cells = (cell for cell, _ in wanted.rows)
        rows = list(zip(cells, wanted.predicted, strict=True))
        wanted = replace(wanted, rows=rows, notes=[*wanted.notes, AS_IS])
    return Trial(seen, wanted, as_is=as_is)


def foreseen(lab: Lab, seen: Seen) -> Trial:
    """Return what is asked of a lab that has no definition of its own: what is expected is what is predicted."""
    wanted = expected(surveyed(lab, seen))
    wanted = replace(wanted, predicted=[row[1] for row in wanted.rows], notes=[*wanted.notes, DISCOVERED])
    return Trial(seen, wanted, as_is=True)
