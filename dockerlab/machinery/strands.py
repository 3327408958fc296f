"""Follow each interface of a container to the wire, and each published port from outside to the process; pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dockerlab.kernel.model import CHILDREN, Forward, Link, Listener, Namespace, Proxy
from dockerlab.kernel.routes import MAIN
from dockerlab.kernel.rules import Rule
from dockerlab.machinery.model import Machinery
from dockerlab.snapshot import ContainerState, NetworkState, PublishedPort

ANY = ("", "0.0.0.0", "::")  # noqa: S104 - compared, not bound


@dataclass(frozen=True)
class Hop:
    """One thing on the way from a container to the wire.

    `role` is `cable` (the other end of a veth), `bridge`, `vxlan`, `parent` (of a macvlan or ipvlan), `lower` (beneath
    a VLAN), `uplink` (by which the host routes on) or `unknown`. `where` is the namespace: `host`, or its name.
    `ports` are a bridge's other ports, `peers` the hosts that a VXLAN sends to, and `note` says what is not plain.
    """

    role: str
    where: str
    link: Link | None = None
    ports: tuple[str, ...] = ()
    peers: tuple[Forward, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Strand:
    """One interface of a container, the network that it is on as far as that is known, and the way to the wire."""

    link: Link
    network: str
    hops: tuple[Hop, ...]


@dataclass(frozen=True)
class Door:
    """A published port: the rules that translate it, the docker-proxy that serves it, and who listens inside.

    `notes` say what is missing on the way, or could not be seen.
    """

    port: PublishedPort
    rules: tuple[Rule, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    listeners: tuple[Listener, ...] = ()
    notes: tuple[str, ...] = ()


def strands(machine: Machinery, home: Namespace, networks: tuple[NetworkState, ...]) -> tuple[Strand, ...]:
    """Return the interfaces of a namespace but loopback, each with its way to the wire."""
    found = []
    for link in home.links:
        if link.name != "lo":
            hops = tuple(_hops(machine, home, link))
            found.append(Strand(link, _network(machine, link, hops, networks), hops))
    return tuple(found)


def _hops(machine: Machinery, home: Namespace, link: Link) -> Iterator[Hop]:
    """Yield what an interface is plugged into, and so on."""
    if link.kind in CHILDREN:
        yield from _parents(machine, link)
    elif link.kind == "veth":
        ends = _other_ends(machine, home, link)
        if len(ends) != 1:
            wanted = f"interface {link.peer} of another namespace"
            why = "several fit" if ends else "it is in none that could be looked into"
            yield Hop("unknown", "", note=f"could not tell where the cable leads ({wanted}): {why}")
            return
        ((space, end),) = ends
        yield Hop("cable", name_of(space), end)
        yield from _beyond(machine, space, end)


def _other_ends(machine: Machinery, home: Namespace, link: Link) -> list[tuple[Namespace, Link]]:
    """Return the veths whose other end the link says it is, and that say the same of the link."""
    return [
        (space, end)
        for space in machine.kernel.namespaces
        for end in space.links
        if end.kind == "veth" and (end.index, end.peer) == (link.peer, link.index) and (space, end) != (home, link)
    ]


def _beyond(machine: Machinery, space: Namespace, port: Link) -> Iterator[Hop]:
    """Yield what a port's bridge is, and how frames or packets leave it."""
    bridge = space.link(port.master) if port.master else None
    if bridge is None:
        yield Hop("unknown", name_of(space), note=f"{port.name} is a port of no bridge")
        return
    yield Hop("bridge", name_of(space), bridge, ports=tuple(p for p in space.ports(bridge.name) if p != port.name))
    for link in space.links:
        if link.kind == "vxlan" and link.master == bridge.name:
            peers = tuple(forward for forward in space.forwards if forward.device == link.name)
            note = "" if peers else "it knows no container on another host yet"
            yield Hop("vxlan", name_of(space), link, peers=peers, note=note)
    if space.host and bridge.name not in {network.bridge for network in machine.networks if network.internal}:
        yield from _uplinks(machine)


def _uplinks(machine: Machinery) -> Iterator[Hop]:
    """Yield the interfaces of the host's default routes; what is bridged on the host is routed there."""
    for route in machine.ground.routes:
        if route.kind == "unicast" and route.table == MAIN and route.destination.prefixlen == 0 and route.hops:
            yield Hop("uplink", "host", machine.ground.link(route.hops[0].device), note=route.text)


def _parents(machine: Machinery, link: Link) -> Iterator[Hop]:
    """Yield the host's interface that a macvlan or ipvlan is a child of, and what that is on if it is a VLAN."""
    parent = next((each for each in machine.ground.links if each.index == link.peer), None)
    if parent is None:
        yield Hop("unknown", "", note=f"could not tell its parent: the host has no interface {link.peer}")
        return
    yield Hop("parent", "host", parent)
    lower = machine.ground.link(parent.info.get("parent", ""))
    if lower is not None:
        yield Hop("lower", "host", lower)


def _network(machine: Machinery, link: Link, hops: tuple[Hop, ...], networks: tuple[NetworkState, ...]) -> str:
    """Return the name of the network that an interface is on: by its bridge, by its parent, or by its address."""
    bridges = {hop.link.name for hop in hops if hop.role == "bridge" and hop.where == "host" and hop.link is not None}
    for network in networks:
        if network.bridge in bridges:
            return network.name
    addresses = {str(address.ip) for address in link.addresses}
    for container in machine.containers:
        for endpoint in container.endpoints.values():
            same = {str(address.ip) for address in endpoint.addresses} & addresses
            if same and endpoint.network and (not endpoint.mac or endpoint.mac == link.mac or link.kind == "ipvlan"):
                return endpoint.network
    return ""


def name_of(space: Namespace) -> str:
    """Return what a namespace is called: `host`, what Docker calls it, or its number."""
    if space.host:
        return "host"
    return space.paths[0].rpartition("/")[2] if space.paths else f"net:[{space.id}]"


def doors(machine: Machinery, container: ContainerState, home: Namespace | None) -> tuple[Door, ...]:
    """Return the published ports of a container, from outside to process."""
    return tuple(_door(machine, port, home) for port in container.published) if container.running else ()


def _door(machine: Machinery, port: PublishedPort, home: Namespace | None) -> Door:
    rules = tuple(rule for rule in machine.ground.ruleset.rules() if translates(rule, port))
    proxies = tuple(
        proxy
        for proxy in machine.kernel.proxies
        if (proxy.protocol, proxy.port, proxy.to_port) == (port.protocol, port.host_port, port.container_port)
        and _same(proxy.address, port.host_ip)
    )
    inside = home.listeners if home is not None else ()
    listeners = tuple(
        one
        for one in inside
        if (one.protocol, one.port) == (port.protocol, port.container_port) and one.address not in ("127.0.0.1", "::1")
    )
    door = Door(port, rules, proxies, listeners)
    return replace(door, notes=tuple(_notes(machine, door, home)))


def _notes(machine: Machinery, door: Door, home: Namespace | None) -> Iterator[str]:
    """Yield what is missing between outside and the process; where it could not be seen, that."""
    if _family(door.port.host_ip) not in machine.ground.ruleset.read:
        yield "could not tell whether a rule translates it: the firewall's rules could not be read"
    elif not door.rules and not door.proxies:
        yield "neither a rule nor a docker-proxy serves it" + (": nobody gets in" if machine.kernel.root else "")
    elif not door.rules:
        yield "no rule translates it: docker-proxy alone takes the connections"
    if not door.proxies:
        yield "no docker-proxy for it" if machine.kernel.root else "could not see whether there is a docker-proxy"
    if home is None:
        yield "could not tell who listens inside: the container's namespace could not be entered"
    elif home.deaf:
        yield f"could not tell who listens inside: {home.deaf}"
    elif not door.listeners:
        yield "nobody listens on it inside: who connects is refused"
    elif not any(one.holders for one in door.listeners):
        yield "could not tell which process listens inside"


def translates(rule: Rule, port: PublishedPort) -> bool:
    """Tell whether a rule rewrites the destination of what comes to a published port."""
    if rule.target != "DNAT" or rule.family != _family(port.host_ip):
        return False
    wants = {match.option: match.value for match in rule.matches if not match.negated}
    on = wants.get("-d", "").partition("/")[0]
    return (
        wants.get("-p") == port.protocol
        and wants.get("--dport") == str(port.host_port)
        and (on == port.host_ip or (not on and port.host_ip in ANY))
    )


def _same(one: str, other: str) -> bool:
    """Tell whether two addresses of the host are one, or both stand for all of the same version."""
    return one == other or (one in ANY and other in ANY and _family(one) == _family(other))


def _family(address: str) -> str:
    return "ip6" if ":" in address else "ip"
