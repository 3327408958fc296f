"""Who there is in a lab, and by which addresses and names they go: from the definition and the engines' books."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address, ip_interface

from dockerlab import modes
from dockerlab.facts import Facts
from dockerlab.imagined.gateways import asked_in_order
from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Machine
from dockerlab.lab.model import Lab
from dockerlab.modes.bridge import DEFAULT
from dockerlab.modes.ipvlan import IpvlanNetwork
from dockerlab.modes.parent import ParentNetwork
from dockerlab.reach.strangers import strangers
from dockerlab.reach.world import People, Place, Resolver, World
from dockerlab.snapshot import GATEWAY_BRIDGE, EndpointState, Snapshot
from dockerlab.versions import Engine

RESOLVED = ip_address("127.0.0.53")
"""Where systemd-resolved listens: an engine that finds it alone takes the file with the servers behind it instead
(moby libnetwork/resolvconf, `Path`)."""
INSTEAD = (ip_address("8.8.8.8"), ip_address("8.8.4.4"))
"""What an engine gives to containers of docker0 whose host has name servers on its loopback alone (the same file)."""


def people(
    lab: Lab,
    books: Mapping[str, Snapshot],
    machines: Mapping[str, Machine],
    engines: Mapping[str, Engine],
    facts: Mapping[str, Facts],
    *,
    real: bool = False,
) -> People:
    """Return who there is; of `machines` only the hosts' own addresses count, of `facts` the name servers.

    With `real`, containers are known on the networks that their engines have them on, and by the names that they have
    there, and not on those of the definition; and so is who else is on these networks. On a network that is not the
    lab's own (`external`), others are known in any case: they are there by right.
    """
    of = {name: owner_of(lab, name) for name in lab.containers} | {host: host for host in lab.hosts}
    addresses: dict[str, tuple[tuple[str, IpAddress], ...]] = {
        host: tuple(_of_host(books[host], machines.get(host))) for host in lab.hosts
    }
    for name in lab.containers:
        if of[name] == name:
            addresses[name] = tuple(_of_container(lab, books[lab.host_of(name)], name, real=real))
    for name in lab.containers:
        addresses[name] = addresses[of[name]]
    resolvers = {
        name: _resolver(lab, name, books, engines[lab.host_of(name)], facts.get(lab.host_of(name)), real=real)
        for name in lab.containers
        if of[name] == name
    } | {host: Resolver(servers=_servers(facts.get(host))) for host in lab.hosts}
    named: dict[tuple[Place, str], tuple[str, ...]] = {}
    known_on: dict[str, tuple[Place, ...]] = {}
    for name in resolvers:
        if name in lab.containers:
            book = books[lab.host_of(name)]
            names = _names_on(lab, book, name) if real else defined_names(lab, name)
            places = tuple(_note_names(lab, book, names, addresses[name], named))
            known_on[name] = _in_order(places, book, name, engines[book.host])
    for host in lab.hosts:
        for each in strangers(lab, books[host]):
            if not real and not lab.networks[each.network].external:
                continue
            place = _place(lab, books[host], each.network)
            for known in each.names:
                named[place, known] = (*named.get((place, known), ()), *map(str, each.addresses))
    return People(of, addresses, dict(_gateways(lab, books, machines)), resolvers, named, known_on)


def owner_of(lab: Lab, name: str) -> str:
    """Return whose namespace a container is in: one that joins another is where that one is, maybe the host."""
    spec = lab.containers[name]
    box = modes.for_container(lab, spec).namespace(lab.host_of(name), name, spec)
    return box if box == name or box in lab.hosts else owner_of(lab, box)


def networks_of(lab: Lab, name: str) -> tuple[str, ...]:
    """Return the networks that a container is on, docker0 where the definition names none."""
    spec = lab.containers[name]
    return tuple(spec.networks) or ((DEFAULT,) if spec.mode == DEFAULT else ())


def _of_host(book: Snapshot, machine: Machine | None) -> Iterator[tuple[str, IpAddress]]:
    """Yield a host's addresses but for those of its engine's bridges, which are asked for as gateways."""
    bridges = {network.bridge for network in book.networks if network.bridge}
    for link in machine.ground.links if machine is not None else ():
        for address in link.addresses:
            if link.name not in bridges and not address.ip.is_loopback and not address.ip.is_link_local:
                yield link.name, address.ip


def _of_container(lab: Lab, book: Snapshot, name: str, *, real: bool) -> Iterator[tuple[str, IpAddress]]:
    """Yield a container's addresses, also the one on docker_gwbridge that only this network's members tell."""
    state = book.container(name)
    more = state.endpoints if real and state is not None else ()
    overlay = False
    for network in dict.fromkeys((*networks_of(lab, name), *more)):
        for address in _endpoint(lab, book, name, network).addresses:
            if not address.ip.is_link_local:
                yield network, address.ip
        overlay = overlay or _out_by_overlay(lab, book, network)
    bridge = book.network(GATEWAY_BRIDGE)
    if overlay and bridge is not None and state is not None and state.id in bridge.members:
        yield GATEWAY_BRIDGE, bridge.members[state.id].ip


def _endpoint(lab: Lab, book: Snapshot, name: str, network: str) -> EndpointState:
    """Return a container's place on a network by its engine or, where that gave no address, by the definition."""
    state = book.container(name)
    found = state.endpoints.get(network) if state is not None else None
    if found is not None and found.addresses:
        return found
    place, spec = lab.containers[name].networks.get(network), lab.networks.get(network)
    fixed = [
        ip_interface(f"{address}/{pool.subnet.prefixlen}")
        for pool in (spec.pools if spec is not None else ())
        for address in (place.addresses if place is not None else ())
        if address in pool.subnet
    ]
    return EndpointState(network, tuple(fixed))


def _resolver(
    lab: Lab, name: str, books: Mapping[str, Snapshot], engine: Engine, facts: Facts | None, *, real: bool
) -> Resolver:
    spec, book = lab.containers[name], books[lab.host_of(name)]
    # Docker's DNS stays with a container that has been taken off all its networks.
    networks = frozenset((_names_on(lab, book, name) if real else ()) or defined_names(lab, name))
    daemon = lab.daemons.get(lab.host_of(name))
    wanted = tuple(map(str, (daemon.dns if daemon is not None else None) or ()))
    told = facts.settings.dns if facts is not None else wanted
    given = tuple(spec.dns) or tuple(ip_address(server) for server in told)
    if given:
        return Resolver(networks, given)
    servers = _engines(facts)
    if not networks:
        return Resolver(networks, tuple(each for each in servers if not each.is_loopback) or (servers and INSTEAD))
    state = book.container(name)
    way_out = state is not None and any(end.gateway or end.gateway6 for end in state.endpoints.values())
    leads = way_out or any(_out_by_overlay(lab, book, network) for network in networks)
    local = bool(servers) and servers[0].is_loopback
    # What becomes of questions of an internal network to such a server differs between patches (CVE-2024-29018).
    return Resolver(networks, servers if leads or not local else (), (engine.asks_through_host or local) and leads)


def _servers(facts: Facts | None) -> tuple[IpAddress, ...]:
    return tuple(ip_address(server) for server in facts.nameservers) if facts is not None else ()


def _engines(facts: Facts | None) -> tuple[IpAddress, ...]:
    """Return the servers that an engine takes for its containers: where systemd-resolved is asked, those behind it."""
    servers = _servers(facts)
    if facts is None or servers != (RESOLVED,):
        return servers
    return tuple(ip_address(server) for server in facts.uplinks)


def _driver(lab: Lab, book: Snapshot, network: str) -> str:
    spec = lab.networks.get(network) or book.network(network)
    return spec.driver if spec is not None else ""


def _out_by_overlay(lab: Lab, book: Snapshot, network: str) -> bool:
    """Tell whether a network is an overlay with a way out beside it (moby, libnetwork, `hasExternalAccess`)."""
    spec = lab.networks.get(network) or book.network(network)
    return spec is not None and spec.driver == "overlay" and not spec.internal


def defined_names(lab: Lab, name: str) -> dict[str, tuple[str, ...]]:
    """Return the networks with Docker's DNS on which a container is by the definition, and its names there."""
    spec = lab.containers[name]
    own = (name, *filter(None, (spec.hostname,)))
    return {network: (*own, *place.aliases) for network, place in spec.networks.items() if network != DEFAULT}


def _names_on(lab: Lab, book: Snapshot, name: str) -> dict[str, tuple[str, ...]]:
    """Return the networks with Docker's DNS on which a container is by its engine's word, and its names there.

    One that does not run is on none, whatever it will be on.
    """
    state = book.container(name)
    if state is None or not state.running:
        return {}
    own = (state.known_as or name, *filter(None, (lab.containers[name].hostname,)))
    there = {network: end for network, end in state.endpoints.items() if end.addresses and network != DEFAULT}
    return {network: (*own, *end.aliases) for network, end in there.items()}


def _note_names(
    lab: Lab,
    book: Snapshot,
    names: Mapping[str, tuple[str, ...]],
    addresses: tuple[tuple[str, IpAddress], ...],
    named: dict[tuple[Place, str], tuple[str, ...]],
) -> Iterator[Place]:
    """Yield the networks on which a container is known, and note the names that it has on each of them."""
    for network, address in addresses:
        if network not in names:
            continue
        place = _place(lab, book, network)
        yield place
        for known in dict.fromkeys(names[network]):
            named[place, known] = (*named.get((place, known), ()), str(address))


def _in_order(places: Collection[Place], book: Snapshot, name: str, engine: Engine) -> tuple[Place, ...]:
    """Return the networks on which a container is known, once each, in the order in which names are asked there."""
    state = book.container(name)
    on = [(network, end) for each, end in (state.endpoints if state is not None else {}).items()
          if (network := book.network(each)) is not None]  # fmt: skip
    order = {network: number for number, network in enumerate(asked_in_order(engine, on))}
    return tuple(sorted(dict.fromkeys(places), key=lambda place: order.get(place[0], len(order))))


def _place(lab: Lab, book: Snapshot, network: str) -> Place:
    """Return where a network's names are known: on its host, or in the whole Swarm."""
    return (network, "" if _driver(lab, book, network) == "overlay" else book.host)


def _gateways(
    lab: Lab, books: Mapping[str, Snapshot], machines: Mapping[str, Machine]
) -> Iterator[tuple[Place, IpAddress]]:
    """Yield each network's gateway on each host with a container there: what the engine gave, else the host's own."""
    seen: set[Place] = set()
    for name in lab.containers:
        host = lab.host_of(name)
        for network in networks_of(lab, name) if owner_of(lab, name) == name else ():
            place = (network, host)
            endpoint = _endpoint(lab, books[host], name, network)
            if place in seen or not endpoint.addresses:
                continue
            seen.add(place)
            given = [ip_address(each) for each in (endpoint.gateway, endpoint.gateway6) if each]
            own = _own_there(lab, books[host], machines.get(host), network)
            if given and _leads_out(lab, network):
                yield place, given[0]
            elif own:
                yield place, own[0]


def _leads_out(lab: Lab, network: str) -> bool:
    """Tell whether the gateway that an engine names for a network's endpoints is the way out of its containers."""
    spec = lab.networks.get(network)
    if spec is None or spec.driver == "bridge":
        return True
    routed = isinstance(spec, IpvlanNetwork) and spec.submode != "l2"
    return spec.driver != "overlay" and not spec.internal and not routed


def _own_there(lab: Lab, book: Snapshot, machine: Machine | None, network: str) -> list[IpAddress]:
    """Return the addresses that a host itself has on a network: those of the bridge, or of the parent."""
    spec, state = lab.networks.get(network), book.network(network)
    if isinstance(spec, IpvlanNetwork) and spec.submode != "l2":
        return []
    name = spec.parent_interface or "" if isinstance(spec, ParentNetwork) else state.bridge if state is not None else ""
    link = machine.ground.link(name) if machine is not None else None
    return [each.ip for each in link.addresses if not each.ip.is_link_local] if link is not None else []


def published_by(world: World, name: str) -> str:
    """Return the network through which a container's published ports lead to it, empty where none does."""
    space = world.space(world.lab.host_of(name))
    if space is None:
        return ""
    aims = {m.value for rule in space.ruleset.rules() if rule.target == "DNAT" for m in rule.options}
    machine = world.fabric.net.machines[world.lab.host_of(name)]
    led = {proxy.to for proxy in machine.proxies} | {aim.rpartition(":")[0].strip("[]") for aim in aims}
    return next((network for network, address in world.people.addresses[name] if str(address) in led), "")
