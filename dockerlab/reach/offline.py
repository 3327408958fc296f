"""What hosts would be like: the facts and snapshots of a lab that is up, made up from the definition alone.

Addresses that an engine would choose are chosen as it does, the first free one; hosts that say no address get one of
192.0.2.0/24. So the model can speak of a lab on a laptop without Docker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_interface, ip_network
from urllib.parse import urlsplit

from dockerlab import modes
from dockerlab.lab.daemon import Daemon
from dockerlab.lab.model import Attachment, Container, Lab, Network
from dockerlab.modes.bridge import DEFAULT
from dockerlab.modes.parent import ParentNetwork
from dockerlab.snapshot import BRIDGE_NAME, GATEWAY_BRIDGE, ICC, ContainerState, EndpointState, NetworkState, Snapshot
from dockerlab.topology import HostFacts, IpAddress, IpInterface, IpNetwork, Nic, Route

ENGINE = "28.5"
NO_INTERNAL_ROUTE = (27, 0)
"""The engine from which on neither an internal network nor one without a parent gives a default route.

Observed: 20.10 gives one, 28.5 none.
"""
OWN_GATEWAY = (29, 0)
"""The engine from which on macvlan and ipvlan give a default route only where a gateway is named (moby #50929)."""


@dataclass
class Imagined:
    """One host as it would be; `taken` are the addresses that are given out on each network."""

    host: str
    address: IpInterface
    engine: str
    daemon: Daemon = field(default_factory=Daemon)
    networks: dict[str, NetworkState] = field(default_factory=dict)
    containers: list[ContainerState] = field(default_factory=list)
    taken: dict[str, set[IpAddress]] = field(default_factory=dict)

    @property
    def snapshot(self) -> Snapshot:
        """Return what the host's engine would say."""
        return Snapshot(
            self.host, self.engine, containers=tuple(self.containers), networks=tuple(self.networks.values())
        )


def imagine(lab: Lab, engine: str = ENGINE) -> tuple[dict[str, HostFacts], dict[str, Snapshot]]:
    """Return the facts and the snapshots of a lab's hosts as they would be after `up`, on an engine of that version."""
    hosts = {
        host: Imagined(host, _address(where, n), engine, lab.daemons.get(host, Daemon()))
        for n, (host, where) in enumerate(lab.addresses.items())
    }
    wide: dict[str, NetworkState] = {}
    for host in hosts.values():
        host.networks[DEFAULT] = _docker0(host)
        for name, spec in lab.networks.items():
            if host.host not in lab.hosts_of(name):
                continue
            if modes.for_driver(spec.driver).scope == "swarm":
                state = wide.setdefault(name, _network(host, name, spec, number=len(wide) + 1))
                host.networks[name] = state
                host.networks.setdefault(GATEWAY_BRIDGE, _network(host, GATEWAY_BRIDGE, None))
            else:
                _add_network(host, name, spec)
    shared: dict[str, set[IpAddress]] = {name: _reserved(state) for name, state in wide.items()}
    for host in hosts.values():
        host.taken = {name: shared.get(name, _reserved(state)) for name, state in host.networks.items()}
        named = (host.daemon.default_gateway, host.daemon.default_gateway_v6)
        host.taken[DEFAULT] = host.taken[DEFAULT] | {gateway for gateway in named if gateway is not None}
    for name, container in _fixed_first(lab):
        _add_container(hosts[lab.host_of(name)], lab, name, container)
    facts = {name: _facts(lab, host) for name, host in hosts.items()}
    return facts, {name: host.snapshot for name, host in hosts.items()}


def _address(where: str | None, number: int) -> IpInterface:
    """Return a host's address on the hosts' LAN: the one that it is reached by, if that is one."""
    name = urlsplit(where).hostname if where and "://" in where else None
    try:
        return ip_interface(f"{ip_address(name or '')}/24")
    except ValueError:
        return ip_interface(f"192.0.2.{10 + number}/24")


def _docker0(host: Imagined) -> NetworkState:
    """Return docker0 by what the definition says of the host's engine, and else as an engine makes it."""
    daemon, state = host.daemon, _network(host, DEFAULT, None)
    options = dict(state.options)
    if daemon.icc is not None:
        options[ICC] = str(daemon.icc).lower()
    subnets: list[IpNetwork] = [daemon.bip.network] if daemon.bip is not None else [*state.subnets]
    gateways = [str(daemon.bip.ip)] if daemon.bip is not None else [*state.gateways]
    if daemon.ipv6 and daemon.fixed_cidr_v6 is not None:
        subnets.append(daemon.fixed_cidr_v6)
        gateways.append(str(daemon.fixed_cidr_v6[1]))
    return replace(state, subnets=tuple(subnets), gateways=tuple(gateways), options=options)


def _add_network(host: Imagined, name: str, spec: Network | None) -> None:
    host.networks[name] = _network(host, name, spec)


def _network(host: Imagined, name: str, spec: Network | None, number: int = 0) -> NetworkState:
    subnets = [pool.subnet for pool in spec.pools] if spec is not None else []
    if not any(subnet.version == 4 for subnet in subnets):
        subnets.insert(0, ip_network(f"10.0.{number}.0/24") if number else _free(host, name))
    pools = {pool.subnet: pool for pool in spec.pools} if spec is not None else {}
    gateways = []
    for subnet in subnets:
        pool = pools.get(subnet)
        start = pool.ip_range if pool is not None and pool.ip_range is not None else subnet
        first = start[0] if start[0] != subnet[0] else start[1]
        gateways.append(str(pool.gateway if pool is not None and pool.gateway is not None else first))
    options = dict(spec.driver_opts) if spec is not None else {}
    known = {DEFAULT: "docker0", GATEWAY_BRIDGE: GATEWAY_BRIDGE}
    if name in known:
        options[BRIDGE_NAME] = known[name]
    return NetworkState(
        id=f"{len(host.networks):02}{name}".ljust(64, "0"),
        name=name,
        driver=spec.driver if spec is not None else "bridge",
        scope="swarm" if number else "local",
        internal=spec is not None and spec.internal,
        subnets=tuple(subnets),
        gateways=tuple(gateways),
        options=options,
    )


def _free(host: Imagined, name: str) -> IpNetwork:
    """Return the first of the engine's default pools that overlaps with nothing on the host; docker0 gets 172.17."""
    used = [subnet for state in host.networks.values() for subnet in state.subnets if subnet.version == 4]
    own = host.daemon.default_address_pools or ()
    cut = (part for pool in own if pool.base.version == 4 for part in pool.base.subnets(new_prefix=pool.size))
    if own:
        return next(part for part in cut if not any(part.overlaps(subnet) for subnet in used))
    first = 17 if name == DEFAULT else 18
    pools = (ip_network(f"172.{number}.0.0/16") for number in range(first, 32))
    more = (ip_network(f"192.168.{number * 16}.0/20") for number in range(16))
    return next(pool for pool in (*pools, *more) if not any(pool.overlaps(subnet) for subnet in used))


def _reserved(state: NetworkState) -> set[IpAddress]:
    return {ip_address(gateway) for gateway in state.gateways} | {subnet[0] for subnet in state.subnets}


def _fixed_first(lab: Lab) -> Iterator[tuple[str, Container]]:
    """Yield the containers in the order in which they get their addresses: fixed ones are never given away."""
    ordered = lab.containers.items()
    yield from ((n, c) for n, c in ordered if any(place.addresses for place in c.networks.values()))
    yield from ((n, c) for n, c in ordered if not any(place.addresses for place in c.networks.values()))


def _add_container(host: Imagined, lab: Lab, name: str, spec: Container) -> None:
    places: dict[str, Attachment | None] = dict(spec.networks)
    if not places and spec.mode == DEFAULT:
        places = {DEFAULT: None}
    endpoints = {network: _endpoint(host, lab, network, place) for network, place in places.items()}
    state = ContainerState(
        id=name, name=name, image=spec.image, running=True, status="imagined", pid=1, network_mode=spec.mode,
        endpoints=endpoints,
    )  # fmt: skip
    host.containers.append(state)


def _endpoint(host: Imagined, lab: Lab, network: str, place: Attachment | None) -> EndpointState:
    state, taken = host.networks[network], host.taken[network]
    fixed = place.addresses if place is not None else ()
    found: list[IpInterface] = []
    pools = {pool.subnet: pool for pool in lab.networks[network].pools} if network in lab.networks else {}
    daemon = host.daemon if network == DEFAULT else Daemon()
    ranges = {4: daemon.fixed_cidr, 6: daemon.fixed_cidr_v6}
    known = network in lab.networks and lab.networks[network].ipv6
    versions = {4, 6} if known or (daemon.ipv6 and daemon.fixed_cidr_v6 is not None) else {4}
    for version in sorted(versions):
        subnet = next((subnet for subnet in state.subnets if subnet.version == version), None)
        if subnet is None:
            continue
        pool = pools.get(subnet)
        start = pool.ip_range if pool is not None and pool.ip_range is not None else ranges[version] or subnet
        reserved = taken | set(pool.aux_addresses.values() if pool is not None else ())
        own = next((a for a in fixed if a in subnet), None) or next(a for a in start if a not in reserved)
        taken.add(own)
        found.append(ip_interface(f"{own}/{subnet.prefixlen}"))
    gateways: dict[int, str] = {ip_address(gateway).version: gateway for gateway in state.gateways}
    named = (daemon.default_gateway, daemon.default_gateway_v6 if daemon.ipv6 else None)
    gateways |= {gateway.version: str(gateway) for gateway in named if gateway is not None}
    spec = lab.networks.get(network)
    alone = isinstance(spec, ParentNetwork) and spec.parent_interface is None
    if isinstance(spec, ParentNetwork) and host.snapshot.engine >= OWN_GATEWAY:
        said = {pool.gateway.version for pool in spec.pools if pool.gateway is not None}
        gateways = {version: gateway for version, gateway in gateways.items() if version in said}
    if state.driver == "overlay" or ((state.internal or alone) and host.snapshot.engine >= NO_INTERNAL_ROUTE):
        gateways = {}
    return EndpointState(network, tuple(found), gateway=gateways.get(4, ""), gateway6=gateways.get(6, ""))


def _facts(lab: Lab, host: Imagined) -> HostFacts:
    """Return the machine: one LAN interface, the parents that the lab names, and the bridges."""
    parents = {getattr(lab.networks[name], "parent_interface", None) for name in lab.networks}
    named = sorted(parent for parent in parents if parent is not None)
    main = next((parent.partition(".")[0] for parent in named), "eth0")
    nics = [Nic(main, (host.address,)), *(Nic(parent) for parent in named if parent != main)]
    for state in host.networks.values():
        if state.driver == "bridge":
            own = zip(state.gateways, state.subnets, strict=True)
            addresses = tuple(ip_interface(f"{gateway}/{subnet.prefixlen}") for gateway, subnet in own)
            nics.append(Nic(state.bridge, addresses))
    router = host.address.network[1]
    routes = (Route(None, router, main),) if router != host.address.ip else ()
    return HostFacts(
        host=host.host,
        nics=tuple(replace(nic, rp_filter=2) for nic in nics),
        routes=routes,
        root=True,
        ip_forward=True,
        ip6_forward=True,
        forward_policy="DROP",
        bridge_nf=True,
        userland_proxy=host.daemon.userland_proxy is not False,
        live_restore=bool(host.daemon.live_restore),
        dns=tuple(str(server) for server in host.daemon.dns or ()),
    )
