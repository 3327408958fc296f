"""The lab as the model sees it: sandboxes, their interfaces and default routes, and what lies between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dockerlab.lab.model import Lab
from dockerlab.topology import (
    Denial,
    Forwarding,
    HostFacts,
    Interface,
    IpAddress,
    IpNetwork,
    Segment,
)
from dockerlab.versions import Engine

Place = tuple[str, str]
"""A network, and its host; that is empty for a network of the whole Swarm."""


@dataclass(frozen=True)
class Sandbox:
    """A network namespace: a container's own, or a host's. `gateways` are its default routes, on segment `way_out`."""

    name: str
    host: str
    is_host: bool
    interfaces: tuple[Interface, ...] = ()
    gateways: tuple[IpAddress, ...] = ()
    way_out: Segment | None = None
    routes: tuple[tuple[IpNetwork, IpAddress, Segment], ...] = ()
    resolves: frozenset[str] = frozenset()
    """The networks whose names Docker's DNS gives this sandbox."""
    asks: tuple[IpAddress, ...] = ()
    """The DNS servers for every other name."""
    asks_through_host: bool = False
    """Whether Docker's DNS puts these questions from the host's network namespace, not from the container's."""
    listens: frozenset[int] = frozenset()

    def holds(self, address: IpAddress) -> bool:
        """Tell whether the address is the sandbox's own."""
        return address in self._own

    @cached_property
    def _own(self) -> frozenset[IpAddress]:
        return frozenset(interface.address.ip for interface in self.interfaces)

    def gateway(self, version: int) -> IpAddress | None:
        """Return the default route of an IP version, or None."""
        return next((gateway for gateway in self.gateways if gateway.version == version), None)


@dataclass(frozen=True)
class Holder:
    """Who has an address on a segment: a sandbox, or something beyond the lab (`sandbox` is None)."""

    name: str
    port: str
    sandbox: Sandbox | None = None
    routes_on: bool = False


@dataclass
class World:
    """Everything that the walk of a packet may ask."""

    lab: Lab
    facts: Mapping[str, HostFacts]
    engines: Mapping[str, Engine]
    sandboxes: dict[str, Sandbox] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)
    """The sandbox of each container and host, by name."""
    addresses: dict[str, tuple[tuple[str, IpAddress], ...]] = field(default_factory=dict)
    """The addresses of each container and host, with the network of each."""
    holders: dict[tuple[Segment, IpAddress], Holder] = field(default_factory=dict)
    places: dict[IpAddress, list[Segment]] = field(default_factory=dict)
    """The segments on which somebody holds an address."""
    denials: dict[Segment, list[Denial]] = field(default_factory=dict)
    forwarding: dict[Segment, Forwarding] = field(default_factory=dict)
    gateways: dict[tuple[str, str], tuple[IpAddress, Segment]] = field(default_factory=dict)
    """The gateway address of each (network, host) and the segment on which it is to be found."""
    publishes: dict[str, Segment] = field(default_factory=dict)
    """The containers whose published ports have an effect, with the bridge that the host sends them through."""
    ended: set[str] = field(default_factory=set)
    """The containers that are there and do not run."""
    opened: dict[tuple[Segment, IpAddress], frozenset[int]] = field(default_factory=dict)
    """The TCP ports that the engine opens in the firewall for an address on a bridge, because they are published."""
    named: dict[tuple[Place, str], list[str]] = field(default_factory=dict)
    """The addresses of all who have a name on a network."""
    known_on: dict[str, list[Place]] = field(default_factory=dict)
    """The networks on which Docker's DNS knows a container, and answers it."""
    members: dict[Segment, list[tuple[Sandbox, str]]] = field(default_factory=dict)
    """The sandboxes with an interface on each segment, also one without an address, and the port of each."""

    def holder(self, segment: Segment, address: IpAddress, asker: Sandbox, port: str) -> Holder | None:
        """Return who answers an ARP request of a sandbox for an address on a segment, or None.

        A machine answers for every address that it has, on whichever of its interfaces it is asked (Linux's
        `arp_ignore` is 0): also for that of another segment. Among several, one answers whom the asker can hear.
        """
        exact = self.holders.get((segment, address))
        if exact is not None or address.version != 4:
            return exact
        others = [
            Holder(box.name, at, box)
            for box, at in self.members.get(segment, ())
            if box.name != asker.name and box.holds(address)
        ]
        heard = (held for held in others if self.denial(segment, port, held.port, 4) is None)
        return next(heard, next(iter(others), None))

    def denial(self, segment: Segment, sender: str, receiver: str, version: int) -> Denial | None:
        """Return what drops frames from one port of a segment for another one, or None."""
        found = (denial for denial in self.denials.get(segment, ()) if denial.applies(sender, receiver, version))
        return next(found, None)


def place_of(interface: Interface, host: str) -> Place:
    """Return the network of an interface as one of a host's, or of the whole Swarm."""
    return (interface.network, "" if interface.segment.kind == "overlay" else host)
