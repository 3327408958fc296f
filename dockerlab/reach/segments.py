"""What a wire is in the lab's words: a network's bridge, the LAN of a parent, an overlay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import CHILDREN, Link
from dockerlab.modes.bridge import DEFAULT
from dockerlab.reach.world import World
from dockerlab.snapshot import GATEWAY_MODE, GATEWAY_MODE_6
from dockerlab.walk.compiled import Space

Kind = Literal["bridge", "overlay", "dummy", "ipvlan", "lan"]


@dataclass(frozen=True)
class Segment:
    """A layer-2 domain: its kind, its host (empty for one that spans hosts), its network's or interface's name."""

    kind: Kind
    host: str
    name: str

    @property
    def closed(self) -> bool:
        """Tell whether nobody but the lab and its hosts can be on it."""
        return self.kind != "lan"

    def __str__(self) -> str:
        if self.kind == "bridge":
            return f"docker0 of {self.host}" if self.name == DEFAULT else f"bridge {self.name} of {self.host}"
        words = {"lan": f"the LAN of {self.name}", "overlay": f"overlay {self.name}"}
        return words.get(self.kind, f"{self.name} of {self.host}")


def segment_of(world: World, space: Space, link: Link) -> Segment:
    """Return the segment that an interface is on."""
    fabric, host = world.fabric, space.id.host
    if link.kind == "bridge":
        return bridge(world, host, link.name)
    if link.kind in CHILDREN:
        parent = fabric.parent(space, link)
        if parent is None or parent[1].kind == "dummy":
            return Segment("dummy", host, _network(world, host, link) or link.name)
        routed = link.kind == "ipvlan" and link.info.get("mode", "l2") != "l2"
        return Segment(
            "ipvlan" if routed else "lan",
            host if routed else "",
            fabric.lan(*parent) if not routed else (_network(world, host, link) or parent[1].name),
        )
    for at, end in fabric.other_end(space, link) if link.kind == "veth" else ():
        if at.namespace.host and end.master:
            return bridge(world, host, end.master)
        if end.master and not at.namespace.host:
            return Segment("overlay", "", _network(world, host, link) or end.master)
    return Segment("lan", "", fabric.lan(space, link))


def bridge(world: World, host: str, name: str) -> Segment:
    """Return the segment of a host's bridge, by its network's name where it is a network's."""
    network = next((state.name for state in world.books[host].networks if state.bridge == name), name)
    return Segment("bridge", host, network)


def _network(world: World, host: str, link: Link) -> str:
    """Return the network in whose subnet an interface has an address, of those that are no bridge."""
    for state in world.books[host].networks:
        if state.driver != "bridge" and any(a.ip in subnet for a in link.addresses for subnet in state.subnets):
            return state.name
    return ""


def places(world: World, address: IpAddress | None) -> list[Segment]:
    """Return the segments on which somebody of the lab or its hosts holds an address, or is known to, as a router."""
    found: dict[Segment, None] = {}
    if address is None:
        return []
    for lan, routers in world.fabric.routers.items():
        if address in routers:
            found[Segment("lan", "", lan)] = None
    for space in world.fabric.holders.get(address, ()):
        for link in space.own[address]:
            found[segment_of(world, space, link)] = None
    return list(found)


def routed(world: World, host: str, network: str) -> bool:
    """Tell whether a network is in gateway mode routed, for one of the IP versions."""
    state = world.books[host].network(network)
    return state is not None and "routed" in (state.options.get(GATEWAY_MODE), state.options.get(GATEWAY_MODE_6))
