"""The lab as the model sees it: sandboxes, their interfaces and default routes, and what lies between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_interface

from dockerlab import modes, topology
from dockerlab.lab.model import Lab
from dockerlab.modes.base import Site
from dockerlab.modes.bridge import DEFAULT
from dockerlab.snapshot import EndpointState, NetworkState, Snapshot
from dockerlab.topology import (
    Attachment,
    Denial,
    Forwarding,
    HostFacts,
    Interface,
    IpAddress,
    IpNetwork,
    Segment,
)


@dataclass(frozen=True)
class Sandbox:
    """A network namespace: a container's own, or a host's. `gateway` is its default route, on segment `way_out`."""

    name: str
    host: str
    is_host: bool
    interfaces: tuple[Interface, ...] = ()
    gateway: IpAddress | None = None
    way_out: Segment | None = None
    routes: tuple[tuple[IpNetwork, IpAddress, Segment], ...] = ()
    resolves: frozenset[str] = frozenset()

    def holds(self, address: IpAddress) -> bool:
        """Tell whether the address is the sandbox's own."""
        return any(interface.address.ip == address for interface in self.interfaces)


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
    sandboxes: dict[str, Sandbox] = field(default_factory=dict)
    of: dict[str, str] = field(default_factory=dict)
    """The sandbox of each container and host, by name."""
    addresses: dict[str, tuple[tuple[str, IpAddress], ...]] = field(default_factory=dict)
    """The addresses that are each container's or host's own, with the network of each."""
    holders: dict[tuple[Segment, IpAddress], Holder] = field(default_factory=dict)
    denials: dict[Segment, list[Denial]] = field(default_factory=dict)
    forwarding: dict[Segment, Forwarding] = field(default_factory=dict)
    gateways: dict[tuple[str, str], tuple[IpAddress, Segment]] = field(default_factory=dict)
    """The gateway address of each (network, host) and the segment on which it is to be found."""
    publishes: frozenset[str] = frozenset()
    """The containers whose published ports have an effect: those with a way through a bridge."""

    def places(self, address: IpAddress) -> list[Segment]:
        """Return the segments on which somebody holds an address."""
        return [segment for segment, held in self.holders if held == address]


def build_world(lab: Lab, facts: Mapping[str, HostFacts], snapshots: Mapping[str, Snapshot]) -> World:
    """Return the lab's world; an address is what the engine gave, or what the definition fixes where it gave none."""
    world = World(lab, facts)
    for host in lab.hosts:
        _add_host(world, host, facts.get(host, HostFacts(host)), snapshots.get(host, Snapshot(host)))
    publishing: set[str] = set()
    for name in lab.containers:
        _add_container(world, name, snapshots.get(lab.host_of(name), Snapshot(lab.host_of(name))), publishing)
    for name, spec in lab.containers.items():
        host = lab.host_of(name)
        world.of[name] = modes.for_container(lab, spec).sandbox(host, name, spec)
    world.publishes = frozenset(publishing)
    return world


def _add_host(world: World, host: str, facts: HostFacts, snapshot: Snapshot) -> None:
    bridges = {bridge: network.name for network in snapshot.networks if (bridge := _bridge_name(network)) is not None}
    interfaces, routes = [], []
    for nic in facts.nics:
        segment = topology.bridge(host, bridges[nic.name]) if nic.name in bridges else topology.lan(nic.name)
        interfaces += [
            Interface(segment, address, nic.name, f"{host}/{nic.name}", nic.mac)
            for address in nic.addresses
            if not address.ip.is_loopback and not address.ip.is_link_local
        ]
    gateway = way_out = None
    for route in facts.routes:
        if route.via is None:
            continue
        segment = topology.lan(route.device)
        world.holders[segment, route.via] = Holder(f"router {route.via}", "", routes_on=True)
        if route.destination is not None:
            routes.append((route.destination, route.via, segment))
        elif gateway is None:
            gateway, way_out = route.via, segment
    box = Sandbox(host, host, is_host=True, interfaces=tuple(interfaces), gateway=gateway, way_out=way_out,
                  routes=tuple(routes))  # fmt: skip
    _place(world, box)
    world.of[host] = host
    own = ((i.network, i.address.ip) for i in interfaces if i.segment.kind == "lan")
    world.addresses[host] = tuple(own)
    for site in _sites(world.lab, host, facts, snapshot):
        mode = modes.for_driver(site.spec.driver if site.spec is not None else "bridge")
        about = mode.facts(site)
        for denial in about.denials:
            world.denials.setdefault(denial.segment, []).append(denial)
        for forwarding in about.forwarding:
            world.forwarding[forwarding.segment] = forwarding
        for interface in about.answers:
            world.holders[interface.segment, interface.address.ip] = Holder(interface.network, interface.port)


def _sites(lab: Lab, host: str, facts: HostFacts, snapshot: Snapshot) -> Iterable[Site]:
    yield Site(host, DEFAULT, None, snapshot.network(DEFAULT), facts)
    for name, spec in lab.networks.items():
        if host in lab.hosts_of(name):
            yield Site(host, name, spec, snapshot.network(name), facts)


def _add_container(world: World, name: str, snapshot: Snapshot, publishing: set[str]) -> None:
    lab, host = world.lab, world.lab.host_of(name)
    spec = lab.containers[name]
    if modes.for_container(lab, spec).sandbox(host, name, spec) != name:
        world.addresses[name] = ()
        return
    networks = list(spec.networks) or ([DEFAULT] if spec.mode == DEFAULT else [])
    attachments: dict[str, Attachment] = {}
    state = snapshot.container(name)
    for network in networks:
        definition = lab.networks.get(network)
        site = Site(host, network, definition, snapshot.network(network), world.facts.get(host))
        mode = modes.for_driver(definition.driver if definition is not None else "bridge")
        endpoint = state.endpoints.get(network) if state is not None else None
        if endpoint is None or not endpoint.addresses:
            endpoint = _fixed(lab, name, network)
        attachments[network] = attached = mode.attach(site, endpoint)
        if attached.way_out is not None and attached.way_out.kind == "bridge" and attached.gateway is not None:
            publishing.add(name)
        _note_gateway(world, site, attached)
    chosen = min((a for a in attachments.values() if a.gateway), key=lambda a: a.priority, default=Attachment())
    box = Sandbox(
        name,
        host,
        is_host=False,
        interfaces=tuple(interface for a in attachments.values() for interface in a.interfaces),
        gateway=chosen.gateway,
        way_out=chosen.way_out,
        resolves=frozenset(network for network, a in attachments.items() if a.resolver),
    )
    _place(world, box)
    world.addresses[name] = tuple((i.network, i.address.ip) for i in box.interfaces if not i.address.ip.is_link_local)


def _fixed(lab: Lab, name: str, network: str) -> EndpointState:
    """Return the endpoint that the definition alone tells: its fixed addresses, with the subnets' prefixes."""
    place, spec = lab.containers[name].networks.get(network), lab.networks.get(network)
    found = []
    gateway = ""
    for pool in spec.pools if spec is not None else ():
        gateway = gateway or str(pool.gateway or next(pool.subnet.hosts(), ""))
        inside = (a for a in (place.addresses if place is not None else ()) if a in pool.subnet)
        found += [ip_interface(f"{address}/{pool.subnet.prefixlen}") for address in inside]
    return EndpointState(network, tuple(found), gateway=gateway)


def _note_gateway(world: World, site: Site, attached: Attachment) -> None:
    """Remember the address that the network's containers were given as their gateway, for it is a target too."""
    if not attached.interfaces or (site.name, site.host) in world.gateways:
        return
    segment = attached.interfaces[0].segment
    if attached.gateway is not None and attached.way_out == segment:
        world.gateways[site.name, site.host] = (attached.gateway, segment)
        return
    bridge = world.sandboxes[site.host]
    own = next((i.address.ip for i in bridge.interfaces if i.segment == segment), None)
    if own is not None:
        world.gateways[site.name, site.host] = (own, segment)


def _place(world: World, box: Sandbox) -> None:
    world.sandboxes[box.name] = box
    for interface in box.interfaces:
        world.holders[interface.segment, interface.address.ip] = Holder(box.name, interface.port, box)


def _bridge_name(network: NetworkState) -> str | None:
    """Return the host's interface for a bridge network: named by option, or `br-` and the network's short ID."""
    if network.driver != "bridge":
        return None
    return network.options.get("com.docker.network.bridge.name") or f"br-{network.id[:12]}"
