"""The world put together: from the definition, the facts of the hosts, and what the modes say of each network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_interface

from dockerlab import modes, topology
from dockerlab.lab.model import Lab
from dockerlab.modes.base import Mode, Site
from dockerlab.modes.bridge import DEFAULT
from dockerlab.modes.overlay import gateway_port
from dockerlab.reach.world import Holder, Sandbox, World, place_of
from dockerlab.snapshot import GATEWAY_BRIDGE, EndpointState, Snapshot
from dockerlab.topology import Attachment, Denial, HostFacts, Interface, IpAddress, Route, Segment

ASKS_THROUGH_HOST = (26, 0)
"""The engine from which on servers that the host itself uses are asked from the host (observed: 20.10 no, 28.5 yes)."""


def build_world(lab: Lab, facts: Mapping[str, HostFacts], snapshots: Mapping[str, Snapshot]) -> World:
    """Return the lab's world; an address is what the engine gave, or what the definition fixes where it gave none."""
    seen = {host: snapshots.get(host, Snapshot(host)) for host in lab.hosts}
    known = {host: facts.get(host, HostFacts(host)) for host in lab.hosts}
    world = World(lab, known, {host: snapshot.engine for host, snapshot in seen.items()})
    for name in lab.containers:
        world.of[name] = _sandbox_of(lab, name)
    for host in lab.hosts:
        _add_host(world, host, seen[host])
    for name in lab.containers:
        if world.of[name] == name:
            _add_container(world, name, seen[lab.host_of(name)])
    for name in lab.containers:
        world.addresses[name] = world.addresses[world.of[name]]
    world.denials = {segment: _in_force(world, segment, denials) for segment, denials in world.denials.items()}
    return world


def _in_force(world: World, segment: Segment, denials: list[Denial]) -> list[Denial]:
    """Return the denials without those that only hold while something stands at a port where nothing does."""
    taken = {port for box, port in world.members.get(segment, ()) if box.name not in world.ended}
    return [denial for denial in denials if not (denial.sender or denial.receiver) or denial.ports & taken]


def _sandbox_of(lab: Lab, name: str) -> str:
    """Return the sandbox that a container is in: one that joins another is where that one is, which may be the host."""
    spec = lab.containers[name]
    box = modes.for_container(lab, spec).sandbox(lab.host_of(name), name, spec)
    return box if box == name or box in lab.hosts else _sandbox_of(lab, box)


def _listens(world: World, box: str) -> frozenset[int]:
    """Return the TCP ports on which the definition says that something in a sandbox listens."""
    inside = (spec for name, spec in world.lab.containers.items() if world.of[name] == box)
    return frozenset(port for spec in inside for port in spec.listens)


def _add_host(world: World, host: str, snapshot: Snapshot) -> None:
    """Note a host's own sandbox, the routers that it knows, and what the lab's networks mean on it."""
    segments = _segments(host, world.facts[host], snapshot)
    box = _sandbox_of_host(world, host, segments)
    _place(world, box)
    for via, segment, _ in _routers(world.facts[host], segments):
        if (segment, via) not in world.holders:
            world.holders[segment, via] = Holder(f"router {via}", "", routes_on=True)
            world.places.setdefault(via, []).append(segment)
    for name, segment in segments.items():
        if name != "lo":
            world.members.setdefault(segment, []).append((box, f"{host}/{name}"))
    world.of[host] = host
    world.addresses[host] = tuple((i.network, i.address.ip) for i in box.interfaces if i.segment.kind == "lan")
    for site in _sites(world, host, snapshot):
        _add_facts(world, _mode(site), site)
    _add_strangers(world, snapshot)


def _segments(host: str, facts: HostFacts, snapshot: Snapshot) -> dict[str, Segment]:
    """Return what each interface of a host that is up is on: its bridge, or the LAN of its name."""
    bridges = {network.bridge: network.name for network in snapshot.networks if network.bridge}
    return {
        nic.name: topology.bridge(host, bridges[nic.name]) if nic.name in bridges else topology.lan(nic.name)
        for nic in facts.nics
        if nic.up
    }


def _routers(facts: HostFacts, segments: Mapping[str, Segment]) -> list[tuple[IpAddress, Segment, Route]]:
    """Return the gateways of a host's routes, the segment that each is on, and the route."""
    return [
        (route.via, segments.get(route.device, topology.lan(route.device)), route)
        for route in facts.routes
        if route.via is not None
    ]


def _sandbox_of_host(world: World, host: str, segments: Mapping[str, Segment]) -> Sandbox:
    """Return a host's own network namespace; of its routes the longest prefix comes first."""
    facts = world.facts[host]
    routers = _routers(facts, segments)
    defaults = [(via, segment) for via, segment, route in routers if route.destination is None]
    routes = [(route.destination, via, segment) for via, segment, route in routers if route.destination is not None]
    return Sandbox(
        host,
        host,
        is_host=True,
        interfaces=tuple(
            Interface(segments[nic.name], address, nic.name, f"{host}/{nic.name}", nic.mac)
            for nic in facts.nics
            for address in nic.addresses
            if nic.up and not address.ip.is_loopback and not address.ip.is_link_local
        ),
        gateways=tuple({via.version: via for via, _ in reversed(defaults)}.values()),
        way_out=defaults[0][1] if defaults else None,
        routes=tuple(sorted(routes, key=lambda known: -known[0].prefixlen)),
        asks=tuple(ip_address(server) for server in facts.nameservers),
        listens=_listens(world, host),
    )


def _add_strangers(world: World, snapshot: Snapshot) -> None:
    """Note who else has an address on docker_gwbridge: the Swarm's own sandboxes, and containers of nobody's lab."""
    bridge, segment = snapshot.network(GATEWAY_BRIDGE), topology.bridge(snapshot.host, GATEWAY_BRIDGE)
    for member, address in bridge.members.items() if bridge is not None else ():
        holder = Holder(f"{member} of the Swarm on {snapshot.host}", gateway_port(snapshot.host))
        world.holders.setdefault((segment, address.ip), holder)


def _mode(site: Site) -> Mode:
    return modes.for_driver(site.spec.driver if site.spec is not None else "bridge")


def _sites(world: World, host: str, snapshot: Snapshot) -> Iterable[Site]:
    yield _site(world, host, DEFAULT, snapshot)
    for name in world.lab.networks:
        if host in world.lab.hosts_of(name):
            yield _site(world, host, name, snapshot)


def _site(world: World, host: str, name: str, snapshot: Snapshot) -> Site:
    spec = world.lab.networks.get(name)
    return Site(host, name, spec, snapshot.network(name), world.facts[host], world.engines[host])


def _add_facts(world: World, mode: Mode, site: Site) -> None:
    about = mode.facts(site)
    for denial in about.denials:
        world.denials.setdefault(denial.segment, []).append(denial)
    for forwarding in about.forwarding:
        world.forwarding[forwarding.segment] = forwarding
    for interface in about.answers:
        world.holders[interface.segment, interface.address.ip] = Holder(interface.network, interface.port)


def _add_container(world: World, name: str, snapshot: Snapshot) -> None:
    lab, host = world.lab, world.lab.host_of(name)
    spec, facts = lab.containers[name], world.facts[host]
    networks = list(spec.networks) or ([DEFAULT] if spec.mode == DEFAULT else [])
    attachments: dict[str, Attachment] = {}
    state = snapshot.container(name)
    if state is not None and not state.running:
        world.ended.add(name)
    for network in networks:
        site = _site(world, host, network, snapshot)
        endpoint = state.endpoints.get(network) if state is not None else None
        if endpoint is None or not endpoint.addresses:
            endpoint = _fixed(lab, name, network)
        attachments[network] = attached = _mode(site).attach(site, endpoint)
        _note_gateway(world, site, attached)
    chosen = min((a for a in attachments.values() if a.gateways), key=_precedence, default=Attachment())
    out = world.forwarding.get(chosen.way_out) if chosen.way_out is not None else None
    if out is not None and out.allowed:
        world.publishes[name] = out.segment
    interfaces = tuple(interface for a in attachments.values() for interface in a.interfaces)
    box = Sandbox(
        name,
        host,
        is_host=False,
        interfaces=interfaces + _hidden(snapshot, name, attachments.values()),
        gateways=chosen.gateways,
        way_out=chosen.way_out,
        resolves=frozenset(network for network, a in attachments.items() if a.resolver),
        asks=tuple(spec.dns) or tuple(ip_address(server) for server in facts.dns or facts.nameservers),
        asks_through_host=(
            world.engines[host] >= ASKS_THROUGH_HOST and not (spec.dns or facts.dns) and bool(chosen.gateways)
        ),
        listens=_listens(world, name),
    )
    _place(world, box)
    for interface in box.interfaces:
        if (box, interface.port) not in world.members.setdefault(interface.segment, []):
            world.members[interface.segment].append((box, interface.port))
    if name in world.publishes:
        ports = frozenset(port.target for port in spec.ports if port.protocol == "tcp" and port.published is not None)
        world.opened |= {(i.segment, i.address.ip): ports for i in interfaces if i.segment == world.publishes[name]}
    world.addresses[name] = tuple((i.network, i.address.ip) for i in interfaces if not i.address.ip.is_link_local)
    _note_names(world, name, box)


def _note_names(world: World, name: str, box: Sandbox) -> None:
    """Remember the names that a container has on its networks: its own, its hostname, and the aliases of each."""
    spec = world.lab.containers[name]
    for interface in box.interfaces:
        if interface.network in box.resolves and not interface.address.ip.is_link_local:
            place = place_of(interface, box.host)
            if place not in world.known_on.setdefault(name, []):
                world.known_on[name].append(place)
            for known in dict.fromkeys(filter(None, (name, spec.hostname, *spec.networks[interface.network].aliases))):
                world.named.setdefault((place, known), []).append(str(interface.address.ip))


def _hidden(snapshot: Snapshot, name: str, attachments: Iterable[Attachment]) -> tuple[Interface, ...]:
    """Return the second interface of a container on an overlay, which only docker_gwbridge tells of."""
    segment = topology.bridge(snapshot.host, GATEWAY_BRIDGE)
    bridge, state = snapshot.network(GATEWAY_BRIDGE), snapshot.container(name)
    if bridge is None or state is None or all(attached.way_out != segment for attached in attachments):
        return ()
    address = bridge.members.get(state.id)
    return () if address is None else (Interface(segment, address, GATEWAY_BRIDGE, gateway_port(snapshot.host)),)


def _precedence(attached: Attachment) -> tuple[int, bool, str]:
    """Return what libnetwork orders endpoints by for the default route: the smallest gives it.

    Internal networks and docker_gwbridge come last; one with gateways of both IP versions goes ahead of others.
    """
    last, name = attached.priority
    return (last, len(attached.gateways) < 2, name)


def _fixed(lab: Lab, name: str, network: str) -> EndpointState:
    """Return the endpoint that the definition alone tells: its fixed addresses, with the subnets' prefixes."""
    place, spec = lab.containers[name].networks.get(network), lab.networks.get(network)
    found = []
    gateways: dict[int, str] = {}
    for pool in spec.pools if spec is not None else ():
        gateways.setdefault(pool.subnet.version, str(pool.gateway or next(pool.subnet.hosts(), "")))
        inside = (a for a in (place.addresses if place is not None else ()) if a in pool.subnet)
        found += [ip_interface(f"{address}/{pool.subnet.prefixlen}") for address in inside]
    return EndpointState(network, tuple(found), gateway=gateways.get(4, ""), gateway6=gateways.get(6, ""))


def _note_gateway(world: World, site: Site, attached: Attachment) -> None:
    """Remember the address that the network's containers were given as their gateway, for it is a target too."""
    if not attached.interfaces or (site.name, site.host) in world.gateways:
        return
    segment = attached.interfaces[0].segment
    if attached.gateways and attached.way_out == segment:
        world.gateways[site.name, site.host] = (attached.gateways[0], segment)
        return
    own = next((i.address.ip for i in world.sandboxes[site.host].interfaces if i.segment == segment), None)
    if own is not None:
        world.gateways[site.name, site.host] = (own, segment)


def _place(world: World, box: Sandbox) -> None:
    world.sandboxes[box.name] = box
    for interface in box.interfaces:
        world.holders[interface.segment, interface.address.ip] = Holder(box.name, interface.port, box)
        world.places.setdefault(interface.address.ip, []).append(interface.segment)
