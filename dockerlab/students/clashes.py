"""Routes of a host into the range of the instances' subnets: an engine takes such a subnet, and cuts the host off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dockerlab.errors import ConflictError
from dockerlab.facts import Facts
from dockerlab.lab.model import Lab
from dockerlab.snapshot import Snapshot
from dockerlab.students.subnets import shares_lan


def routes(lab: Lab, facts: Mapping[str, Facts], snapshots: Mapping[str, Snapshot]) -> None:
    """Raise ConflictError where a host has a route of its own into a subnet that an instance is to have."""
    found = [line for host in lab.hosts for line in _on(lab, facts[host], snapshots[host])]
    if found:
        raise ConflictError("nothing was created, because it would fail:\n  " + "\n  ".join(dict.fromkeys(found)))


def _on(lab: Lab, facts: Facts, snapshot: Snapshot) -> Iterator[str]:
    bridges = {network.bridge for network in snapshot.networks}
    for name, network in lab.networks.items():
        if shares_lan(network) or facts.host not in lab.hosts_of(name):
            continue
        for pool in network.pools:
            for route in facts.ground.ways:
                other, device = route.destination, route.hops[0].device
                same = other.prefixlen and other.version == pool.subnet.version
                if same and other.overlaps(pool.subnet) and device not in bridges:
                    yield (
                        f"{facts.host}: subnet {pool.subnet} of network {name} overlaps with the host's route to "
                        f"{other} by {device}: take the instances' subnets from elsewhere with --subnets"
                    )
