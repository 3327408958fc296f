"""What was discovered on the spot, verified and explained: expected is what is predicted of the hosts as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dockerlab.discover.spot import Spot
from dockerlab.errors import HostError
from dockerlab.hosts.base import Host
from dockerlab.reach import World
from dockerlab.reach.asked import Ends, Expected, asked
from dockerlab.reach.worlds import surveyed
from dockerlab.snapshot import Snapshot
from dockerlab.verify.asking import Asking, Choice
from dockerlab.verify.explaining import Live, shown
from dockerlab.verify.judging import judge_trials
from dockerlab.verify.trial import foreseen
from dockerlab.verify.verdicts import Report


def verify(spot: Spot, hosts: Mapping[str, Host], prober: Choice = "auto", *, helper: bool = False) -> Report:
    """Return the whole matrix of what was discovered: observed, and held against what is predicted.

    Without `helper` nothing is made on the hosts. Raises AgentUnavailable where the agent is asked for and a host
    cannot run it, HostError where a host cannot be asked.
    """

    def look(those: Mapping[str, Host], _: Sequence[str]) -> Mapping[str, Snapshot | HostError]:
        return spot.again(those)

    trial = foreseen(spot.found.lab, spot.seen)
    (report,) = judge_trials([trial], hosts, Asking(prober, helper=helper, look=look))
    return replace(report, silent=spot.silent, notes=(*map(str, spot.silent.values()), *report.notes))


def explain(spot: Spot, hosts: Mapping[str, Host], ends: Ends, *, live: bool = False) -> tuple[Expected, list[Live]]:
    """Return what is predicted of the cells that are asked for, as `explain` of a lab does; no container is made.

    Raises UsageError for ends that no cell has, HostError where a host cannot be asked.
    """
    return shown(asked(world(spot), ends), spot.seen, hosts, live=live, helper=False)


def world(spot: Spot) -> World:
    """Return the world of what was discovered, as the hosts' kernels have it."""
    return surveyed(spot.found.lab, spot.seen)
