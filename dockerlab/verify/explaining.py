"""Why one reaches another or not, as the hosts are: what is expected there, and what both ends of a cell show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dockerlab.hosts.base import Host
from dockerlab.lab.model import Lab
from dockerlab.reach import Cell, World
from dockerlab.reach.asked import Ends, Expected, asked
from dockerlab.reach.cells import published
from dockerlab.reach.matrix import Row
from dockerlab.reach.worlds import defined, surveyed
from dockerlab.survey import Seen, look
from dockerlab.verify.asking import Asking, ask
from dockerlab.verify.evidence import around
from dockerlab.verify.tracing import told
from dockerlab.verify.trial import Trial

Live = tuple[Cell, list[str]]
"""A cell, and what both of its ends showed while it was probed once, a line each."""


def explain(
    lab: Lab, hosts: Mapping[str, Host], ends: Ends, *, live: bool = False, trace: bool = False
) -> tuple[Expected, list[Live]]:
    """Return what is expected and predicted of the cells that are asked for; with `live`, each is probed once.

    With `trace`, a packet of each is followed by the kernels' own tracing as well.

    Raises UsageError for ends that no cell has, HostError where a host cannot be asked.
    """
    seen = look(hosts, lab.containers, kernels="all")
    return shown(asked(defined(lab, seen), ends, surveyed(lab, seen)), seen, hosts, live=live, trace=trace)


def shown(
    found: Expected,
    seen: Seen,
    hosts: Mapping[str, Host],
    *,
    live: bool = False,
    trace: bool = False,
    helper: bool = True,
) -> tuple[Expected, list[Live]]:
    """Return what was asked for, and what is seen of each cell while it is probed once, where that is wanted.

    Without `helper`, no container is made for a probe.
    """
    now = found.now or found.world
    rows = [row for row in found.rows if row[0].probe != "dns" and row[0].target] if live or trace else []
    return found, [
        (
            row[0],
            _evidence(row, found.world, seen, hosts, helper=helper) + (told(row[0], now, seen, hosts) if trace else []),
        )
        for row in rows
    ]


def _evidence(row: Row, world: World, seen: Seen, hosts: Mapping[str, Host], *, helper: bool) -> list[str]:
    """Return what both ends show while one cell is probed once, a line each."""
    cell, expectation = row
    unsure = replace(expectation, reachable=None)  # silence is not believed sooner because it is expected

    def probed() -> str:
        trial = Trial(seen, Expected(world, [(cell, unsure)], []))
        ask([trial], hosts, Asking(helper=helper))
        (saw,) = trial.observed
        return " ".join(filter(None, (saw.state, saw.symptom and f"({saw.symptom})", saw.detail)))

    behind = [name for port, name in published(world, cell.to) if port.published == cell.port]
    return around(cell, hosts, seen.snapshots, world.people.of[cell.source], probed, behind)
