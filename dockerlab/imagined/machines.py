"""Hosts as engines would make them: from the definition, the engines' books and what the hosts are without Docker.

Everything that was decided stands elsewhere: what a network and a place on it are, in the modes; where rules stand, in
`chains`; which network is the way out, in `gateways`. `hosts` puts one host together, here it is all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dockerlab.imagined import swarms
from dockerlab.imagined.hosts import Host
from dockerlab.kernel.model import Machine
from dockerlab.lab.model import Lab
from dockerlab.snapshot import Snapshot
from dockerlab.versions import Engine
from dockerlab.walk.outcome import SpaceId


@dataclass(frozen=True, slots=True)
class Imagined:
    """The hosts as they would be, and the namespace of each container of the lab; one that does not run has none."""

    machines: Mapping[str, Machine]
    homes: Mapping[str, SpaceId]


def machines(
    lab: Lab, books: Mapping[str, Snapshot], grounds: Mapping[str, Machine], engines: Mapping[str, Engine]
) -> Imagined:
    """Return a lab's hosts as their engines would have made them, by name.

    `books` is the engines' word of what there is, `grounds` the hosts without Docker (`ground.stripped`, or `made_up`),
    `engines` what would write the rules.
    """
    hosts = [
        Host(lab, books.get(name, Snapshot(name)), grounds.get(name, Machine(name)), engines.get(name, Engine()))
        for name in lab.hosts
    ]
    for host in hosts:
        host.make()
    for host in hosts:
        others = [(other.bare.ground, other.told) for other in hosts if other is not host]
        for network, space in host.hidden.items():
            swarms.tell(space, network, others)
    homes = {
        name: SpaceId(host.name, space.id) for host in hosts for name, space in host.homes.items() if host.is_labs(name)
    }
    return Imagined({host.name: host.finished() for host in hosts}, homes)
