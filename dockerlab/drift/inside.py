"""What is beneath the engine's word: how kernels differ from what the engines made, told to who looks into a container.

An engine tells what it once gave to a container: an interface, addresses, a gateway. Whoever changes these in the
container's network namespace does it behind the engine's back, and only the namespace itself shows it. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from dockerlab.drift import difference as kernels
from dockerlab.drift.edits import Edit, Readdress, Swap, Turn
from dockerlab.drift.objects import Difference
from dockerlab.kernel.model import Link, Machine, Namespace
from dockerlab.kernel.routes import MAIN, Neighbour, Route
from dockerlab.lab.model import Lab
from dockerlab.modes.parent import ParentNetwork
from dockerlab.reach.people import owner_of
from dockerlab.snapshot import ContainerState, EndpointState, Snapshot

OWN_RESOLVER = "127.0.0.11"
"""Where a container on a network of one's own finds the engine's name server."""


def beneath(
    lab: Lab,
    snapshots: Mapping[str, Snapshot],
    machines: Mapping[str, Machine],
    found: Iterable[kernels.Difference],
) -> Iterator[Difference]:
    """Yield what of the differences between kernels is beneath the engines' word, each with what makes it right again.

    `found` is what is otherwise in `machines`, the kernels as they are, than the engines have made it.
    """
    holders = _holders(lab, snapshots)
    for each in found:
        if each.who == each.host:
            yield from _parents(lab, each)
            continue
        snapshot, name = snapshots[each.host], owner_of(lab, each.who)
        state, space = snapshot.container(name), machines[each.host].space(each.at.space)
        if state is not None and space is not None:
            room = _Room(state, space, snapshot, holders)
            for what in room.says(each.edits[0]) if each.edits else ():
                yield Difference(each.host, "container", name, what, (f"docker restart {name}",))


def resolvers(
    lab: Lab, snapshots: Mapping[str, Snapshot], asked: Mapping[str, tuple[str, ...]]
) -> Iterator[Difference]:
    """Yield the containers that ask others than the engine for names; `asked` are their name servers."""
    for name, servers in asked.items():
        host = lab.host_of(name)
        state = snapshots[host].container(name)
        if state is None or not state.running:
            continue
        named = any(place.addresses and place.network != "bridge" for place in state.endpoints.values())
        if named and OWN_RESOLVER not in servers:
            what = f"asks {', '.join(servers) or 'nobody'} for names, and the engine's name server is {OWN_RESOLVER}"
            right = f"docker exec {name} sh -c 'echo nameserver {OWN_RESOLVER} >/etc/resolv.conf'"
            yield Difference(host, "container", name, what, (right,))


def _parents(lab: Lab, each: kernels.Difference) -> Iterator[Difference]:
    """Yield the networks whose parent interface is down."""
    first = each.edits[0] if each.edits else None
    if not (isinstance(first, Turn) and (first.attribute, first.value) == ("up", True)):
        return
    for name, spec in lab.networks.items():
        parent = spec.parent_interface if isinstance(spec, ParentNetwork) else None
        if parent == first.link and each.host in lab.hosts_of(name):
            what = f"has a parent that is down: no frame leaves {each.host} by {parent}, and none enters"
            yield Difference(each.host, "network", name, what, (f"ip link set {parent} up",), "down")


Holders = Mapping[tuple[str, str], tuple[str, str]]


def _holders(lab: Lab, snapshots: Mapping[str, Snapshot]) -> Holders:
    """Return for each LAN and address on it which of the lab's containers was given it, and its MAC address."""
    found = {}
    for name in lab.containers:
        snapshot = snapshots[lab.host_of(name)]
        state = snapshot.container(name)
        for place in state.endpoints.values() if state is not None else ():
            for address in place.addresses:
                found[_lan(place.network, snapshot), str(address.ip)] = (name, place.mac)
    return found


def _lan(network: str, snapshot: Snapshot) -> str:
    """Return a name for the LAN that a network is on a host: each host has bridges of its own."""
    state = snapshot.network(network)
    return f"{snapshot.host} {network}" if state is None or state.driver == "bridge" else network


@dataclass(frozen=True)
class _Room:
    """A container's namespace as it is, beside what its engine says of it."""

    state: ContainerState
    space: Namespace
    snapshot: Snapshot
    holders: Holders

    def says(self, edit: Edit) -> Iterator[str]:
        """Yield what a container has otherwise than its engine gave it, by the edit that would mend it."""
        match edit:
            case Swap(part="links", out=None, into=Link() as link):
                for address in link.addresses:
                    for place in self.state.endpoints.values():
                        if address in place.addresses:
                            yield f"has no interface for {address}, which the engine gave it on {place.network}"
            case Turn(attribute="up", value=True):
                yield f"has its interface {edit.link} down, so that nothing enters and nothing leaves"
            case Turn(attribute="mtu"):
                yield from self._size(edit.link, edit.value)
            case Readdress():
                yield from self._address(edit)
            case Swap(part="routes"):
                yield from self._route(edit.out, edit.into)
            case Swap(part="neighbours", out=Neighbour() as entry):
                yield from self._neighbour(entry)

    def _place(self, name: str) -> EndpointState | None:
        """Return the endpoint of an interface: by its MAC address, or, where several share one, by its address."""
        link = self.space.link(name)
        if link is None:
            return None
        places = [place for place in self.state.endpoints.values() if place.addresses]
        same = [place for place in places if place.mac and place.mac.lower() == link.mac.lower()]
        held = {address.ip for address in link.addresses}
        by_address = [place for place in places if held & {address.ip for address in place.addresses}]
        return next(iter(same if len(same) == 1 else by_address), None)

    def _holder(self, device: str, address: object) -> tuple[str, str]:
        """Return which of the lab's containers was given an address on an interface's LAN, and its MAC address."""
        place = self._place(device)
        return self.holders.get((_lan(place.network, self.snapshot), str(address)), ("", "")) if place else ("", "")

    def _size(self, name: str, most: int) -> Iterator[str]:
        place, link = self._place(name), self.space.link(name)
        network = self.snapshot.network(place.network) if place is not None else None
        if network is not None and network.driver == "overlay" and link is not None and link.mtu > most:
            yield f"has MTU {link.mtu} on {name}, and the tunnel of {network.name} takes {most}"

    def _address(self, edit: Readdress) -> Iterator[str]:
        now, right, name = edit.out, edit.into, edit.link
        if now is not None and right is not None:
            yield f"has a wrong subnet mask on {name}: {now}, and the engine gave it {right}"
        elif right is not None:
            yield f"lacks the address {right} on {name}, which the engine gave it"
        elif now is not None:
            holder, _ = self._holder(name, now.ip)
            if holder and holder != self.state.name:
                yield f"has the address {now.ip} of {holder} on {name} as well"

    def _route(self, now: object, right: object) -> Iterator[str]:
        if _is_default(right) and _is_default(now):
            yield f"has its default route by {_by(now)}, and the engine gave it {_by(right)}"
        elif _is_default(right):
            yield f"has no default route, and the engine gave it one by {_by(right)}"
        elif _is_default(now):
            yield f"has a default route by {_by(now)}, and the engine gave it none like that"

    def _neighbour(self, entry: Neighbour) -> Iterator[str]:
        holder, right = self._holder(entry.device, entry.address)
        if holder and right and entry.mac and entry.mac.lower() != right.lower():
            yield (
                f"has a neighbour entry that never expires, by which {entry.address} ({holder}) has the MAC address "
                f"{entry.mac}; it is {right}"
            )


def _is_default(route: object) -> TypeGuard[Route]:
    """Tell whether it is IPv4's way out."""
    return isinstance(route, Route) and (route.version, route.table, route.destination.prefixlen) == (4, MAIN, 0)


def _by(route: Route) -> str:
    return ", ".join(str(hop.via or hop.device) for hop in route.hops)
