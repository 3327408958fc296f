"""What is beneath the engine's word: namespaces and parent interfaces, held against what the engine gave. Pure.

An engine tells what it once gave to a container: an interface, addresses, a gateway. Whoever changes these in the
container's network namespace does it behind the engine's back, and only the namespace itself shows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dockerlab.drift.objects import Difference
from dockerlab.kernel.model import Link
from dockerlab.lab.model import Lab
from dockerlab.modes.parent import ParentNetwork
from dockerlab.snapshot import GATEWAY_BRIDGE, MTU, ContainerState, EndpointState, Snapshot
from dockerlab.survey.facts import Facts
from dockerlab.survey.inside import Inside

OWN_RESOLVER = "127.0.0.11"
"""Where a container on a network of one's own finds the engine's name server."""

TUNNEL = 1450
"""What a VXLAN leaves of an Ethernet frame of 1500 bytes."""


def parents(lab: Lab, facts: Mapping[str, Facts]) -> Iterator[Difference]:
    """Yield the parent interfaces that are down."""
    for name, spec in lab.networks.items():
        parent = spec.parent_interface if isinstance(spec, ParentNetwork) else None
        for host in lab.hosts_of(name) if parent is not None else ():
            link = facts[host].ground.link(parent) if parent is not None and host in facts else None
            if link is not None and not link.up:
                what = f"has a parent that is down: no frame leaves {host} by {parent}, and none enters"
                yield Difference(host, "network", name, what, (f"ip link set {parent} up",), "down")


def namespaces(lab: Lab, snapshots: Mapping[str, Snapshot], insides: Mapping[str, Inside]) -> Iterator[Difference]:
    """Yield where a namespace is not as its engine made it, each with the command that makes it so again."""
    holders = _holders(lab, snapshots)
    for name, inside in insides.items():
        host = lab.host_of(name)
        state = snapshots[host].container(name)
        if state is None or not state.running:
            continue
        for what in _wrong(state, inside, snapshots[host], holders):
            yield Difference(host, "container", name, what, (f"docker restart {name}",))
        named = any(place.addresses and place.network != "bridge" for place in state.endpoints.values())
        if named and OWN_RESOLVER not in inside.nameservers:
            asked = ", ".join(inside.nameservers) or "nobody"
            what = f"asks {asked} for names, and the engine's name server is {OWN_RESOLVER}"
            right = f"docker exec {name} sh -c 'echo nameserver {OWN_RESOLVER} >/etc/resolv.conf'"
            yield Difference(host, "container", name, what, (right,))


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


def _wrong(state: ContainerState, inside: Inside, snapshot: Snapshot, holders: Holders) -> Iterator[str]:
    for place in state.endpoints.values():
        link, lan = _link_of(place, inside), _lan(place.network, snapshot)
        if link is not None:
            yield from _addresses(state.name, place, link, lan, holders)
            if not link.up:
                yield f"has its interface {link.name} down, so that nothing enters and nothing leaves"
            yield from _size(place, link, snapshot)
        elif place.addresses:
            yield f"has no interface for {place.addresses[0]}, which the engine gave it on {place.network}"
        for address, mac in inside.fixed.items():
            holder, right = holders.get((lan, address), ("", ""))
            if holder and right and mac.lower() != right.lower():
                yield (
                    f"has a neighbour entry that never expires, by which {address} ({holder}) has the MAC address "
                    f"{mac}; it is {right}"
                )
    yield from _gateways(state, inside, snapshot)


def _link_of(place: EndpointState, inside: Inside) -> Link | None:
    """Return the interface of an endpoint: by its MAC address, or, where several share one, by its address."""
    ours = {address.ip for address in place.addresses}
    same = [link for link in inside.links if place.mac and link.mac.lower() == place.mac.lower()]
    held = [link for link in inside.links if ours & {address.ip for address in link.addresses}]
    return next(iter(held if len(same) != 1 else same), None)


def _addresses(name: str, place: EndpointState, link: Link, lan: str, holders: Holders) -> Iterator[str]:
    held = {address.ip: address for address in link.addresses}
    for address in place.addresses:
        there = held.get(address.ip)
        if there is None and (link.up or address.version == 4):  # an interface that goes down loses those of IPv6
            yield f"lacks the address {address} on {link.name}, which the engine gave it"
        elif there is not None and there.network != address.network:
            yield f"has a wrong subnet mask on {link.name}: {there}, and the engine gave it {address}"
    for ip in held:
        holder, _ = holders.get((lan, str(ip)), ("", ""))
        if holder and holder != name:
            yield f"has the address {ip} of {holder} on {link.name} as well"


def _size(place: EndpointState, link: Link, snapshot: Snapshot) -> Iterator[str]:
    network = snapshot.network(place.network)
    if network is None or network.driver != "overlay":
        return
    given = network.options.get(MTU, "")
    most = int(given) if given.isdigit() else TUNNEL
    if link.mtu > most:
        yield f"has MTU {link.mtu} on {link.name}, and the tunnel of {place.network} takes {most}"


def _gateways(state: ContainerState, inside: Inside, snapshot: Snapshot) -> Iterator[str]:
    given, beside = set[str](), snapshot.network(GATEWAY_BRIDGE)
    for place in state.endpoints.values():
        network = snapshot.network(place.network)
        if network is None or network.internal:
            continue
        given |= {place.gateway} if place.gateway else set()
        if network.driver == "overlay" and beside is not None:
            given |= set(beside.gateways)  # the engine's own bridge, by which an overlay's containers leave the host
    if not given or "" in inside.gateways:
        return
    wanted = " or ".join(sorted(given))
    if not inside.gateways:
        yield f"has no default route, and the engine gave it one by {wanted}"
    elif not set(inside.gateways) <= given:
        yield f"has its default route by {', '.join(inside.gateways)}, and the engine gave it {wanted}"
