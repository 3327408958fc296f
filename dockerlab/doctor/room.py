"""Judgements on what a lab takes up on its hosts: subnets, ports, neighbours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network

from dockerlab.doctor.advice import as_root, setting
from dockerlab.doctor.case import Case
from dockerlab.doctor.condition import Condition, Socket
from dockerlab.facts import Facts
from dockerlab.finding import Finding, Remedy
from dockerlab.kernel.addresses import IpAddress, IpNetwork
from dockerlab.kernel.routes import Route
from dockerlab.lab.model import Lab
from dockerlab.modes.base import Wants
from dockerlab.provision.preflight import Obstacle
from dockerlab.snapshot import GATEWAY_BRIDGE, INGRESS, Snapshot

SWARM = "the Swarm"

DEFAULT_LIKE = 7
"""Routes up to this length (a VPN's 0.0.0.0/1 and 128.0.0.0/1) send everything somewhere, and claim nothing."""


def subnet_remedy(case: Case, found: Obstacle) -> Remedy:
    """Return how a lab gets round a subnet that is taken: with one that is free, or by removing what has it."""
    free = free_subnet(case)
    words = f"give the network another `subnet`{f', such as {free}, which is free on every host' if free else ''}"
    if not found.culprit or found.culprit in ("bridge", GATEWAY_BRIDGE, INGRESS):
        return Remedy(words=words)
    return Remedy((("docker", "network", "rm", found.culprit),), f"if nobody needs it; else {words}")


def free_subnet(case: Case) -> IPv4Network | None:
    """Return a subnet that no network, interface or route of any host, and no network of the lab, has."""
    taken: list[IpNetwork] = [pool.subnet for network in case.lab.networks.values() for pool in network.pools]
    taken += [s for snapshot in case.snapshots.values() for network in snapshot.networks for s in network.subnets]
    for facts in case.facts.values():
        taken += [address.network for link in facts.ground.links for address in link.addresses]
        taken += [route.destination for route in facts.ground.ways]
    used = [network for network in taken if isinstance(network, IPv4Network) and network.prefixlen > DEFAULT_LIKE]
    candidates = (IPv4Network(f"172.{second}.{third}.0/24") for second in range(28, 32) for third in range(256))
    return next((c for c in candidates if not any(c.overlaps(network) for network in used)), None)


def routes(case: Case, facts: Facts, snapshot: Snapshot | None) -> Iterator[Finding]:
    """Yield bridges' subnets that the host has a route for to somewhere else, such as a VPN.

    What lies behind such a route and what lies on the bridge cannot both be reached: the longer prefix wins.
    """
    own = {network.bridge for network in snapshot.networks} if snapshot is not None else set()
    clear = True
    for name, network in case.networks(facts.host).items():
        for pool in network.pools if network.driver == "bridge" else ():
            for route in facts.ground.ways:
                other, hop = route.destination, route.hops[0]
                if not _claims(route, own) or other.version != pool.subnet.version:
                    continue
                if not other.overlaps(pool.subnet):
                    continue
                clear = False
                via = f" via {hop.via}" if hop.via is not None else ""
                told = (
                    f"subnet {pool.subnet} of network {name} overlaps with the route to {other}{via} dev {hop.device}"
                )
                remedy = subnet_remedy(case, Obstacle(facts.host, "subnet", told))
                if other.prefixlen >= pool.subnet.prefixlen:
                    hidden = f"{told}: the host looks there for the containers with addresses in it"
                    yield Finding(facts.host, "subnet", "problem", hidden, remedy)
                else:
                    hidden = f"{told}: what has an address of the bridge's there is no longer reached"
                    yield Finding(facts.host, "subnet", "warning", hidden, remedy)
    pools = [str(pool.subnet) for network in case.networks(facts.host).values() for pool in network.pools]
    if clear and pools and snapshot is not None:
        yield Finding(facts.host, "subnet", "ok", f"in nobody's way: {', '.join(pools)}")


def _claims(route: Route, own: Iterable[str]) -> bool:
    """Tell whether a route leads somewhere else than to a bridge of the engine, or to a neighbour on the link."""
    if route.destination.prefixlen <= DEFAULT_LIKE:
        return False
    hop = route.hops[0]
    return hop.device not in own and (hop.via is not None or hop.device.startswith(("tun", "wg", "ppp")))


def ports(case: Case, facts: Facts, condition: Condition, snapshot: Snapshot | None, wants: Wants) -> Iterator[Finding]:
    """Yield ports of the host that the lab needs and a process has; what containers have, `up` itself finds."""
    needed = _needed(case.lab, facts.host, snapshot, wants)
    if not needed:
        return
    if condition.sockets is None:
        words = "" if facts.root else "ask as root"
        yield Finding(facts.host, "port", "unknown", "what listens there could not be read (ss)", Remedy(words=words))
        return
    taken = False
    for (protocol, number, address), user in needed.items():
        for socket in _holders(condition.sockets, protocol, number, address)[:1]:
            taken = True
            who = f"{socket.process} (process {socket.pid})" if socket.process else "a process or the kernel"
            told = f"port {number}/{protocol} of {user} is taken by {who}"
            if socket.process == "dockerd" and user == SWARM:
                words = "the engine keeps it from an earlier Swarm: restart it when no container of it is needed"
                remedy = Remedy((as_root(facts, "systemctl", "restart", "docker"),), words)
            elif socket.process == "dockerd":
                remedy = Remedy(words="it is the engine's own: take another port in the definition")
            elif socket.pid:
                remedy = Remedy((as_root(facts, "kill", str(socket.pid)),), "or take another port in the definition")
            else:
                remedy = Remedy(words=f"look as root for who has it: ss -lntup 'sport = :{number}'")
            yield Finding(facts.host, "port", "problem", told, remedy)
    if not taken:
        free = ", ".join(f"{number}/{protocol}" for protocol, number, _ in needed)
        yield Finding(facts.host, "port", "ok", f"free or the lab's own: {free}")


Wanted = tuple[str, int, IpAddress | None]


def _needed(lab: Lab, host: str, snapshot: Snapshot | None, wants: Wants) -> dict[Wanted, str]:
    """Return the ports that the lab will take on a host, and for whom; not those that its engine holds already."""
    held = {
        (port.protocol, port.host_port)
        for container in (snapshot.containers if snapshot is not None else ())
        for port in container.published
        if container.running
    }
    found: dict[Wanted, str] = {}
    for name, spec in lab.on_host(host).items():
        running = snapshot.container(name) if snapshot is not None else None
        if spec.network_mode == "host" and not (running is not None and running.running):
            found |= {("tcp", port, None): name for port in spec.expose}
        for port in spec.ports if spec.network_mode != "host" else ():
            if port.published is not None and (port.protocol, port.published) not in held:
                address = port.host_ip if port.host_ip is not None and not port.host_ip.is_unspecified else None
                found[port.protocol, port.published, address] = name
    if snapshot is not None and snapshot.swarm.state == "inactive":
        found |= {(protocol, port, None): SWARM for protocol, port in wants.ports}
    return found


def _holders(sockets: Iterable[Socket], protocol: str, port: int, address: IpAddress | None) -> list[Socket]:
    return [
        socket
        for socket in sockets
        if (socket.protocol, socket.port) == (protocol, port)
        and (address is None or socket.address is None or socket.address == address)
    ]


def neighbours(lab: Lab, facts: Facts, condition: Condition) -> Iterator[Finding]:
    """Yield whether the kernel's neighbour table takes what a full matrix of the lab puts into it."""
    wanted, limit = _entries(lab, facts.host), condition.neighbour_limit
    if not wanted:
        return
    if limit is None:
        yield Finding(facts.host, "neighbours", "unknown", "the limit of the neighbour table could not be read")
        return
    if wanted <= limit:
        told = f"the lab needs some {wanted:,} entries, the table takes {limit:,}"
        yield Finding(facts.host, "neighbours", "ok", told)
        return
    told = (
        f"where everybody talks to everybody the lab needs some {wanted:,} entries of the neighbour table, which takes "
        f"{limit:,}: then packets are dropped with 'No buffer space available' (`verify` keeps below the limit)"
    )
    roomy = 1 << (2 * wanted - 1).bit_length()
    name = "net.ipv4.neigh.default.gc_thresh3"
    if condition.settable:
        remedy = setting(facts, condition, name, str(roomy), str(limit))
    else:
        remedy = Remedy(words=f"it is a setting of the whole machine: sysctl -w {name}={roomy}, outside any container")
    yield Finding(facts.host, "neighbours", "warning", told, remedy)


def _entries(lab: Lab, host: str) -> int:
    """Return how many neighbours the containers of one host have in all, with gateways and with the host itself.

    A bridge ends at its host; the other networks have neighbours on all of them.
    """
    here: Counter[str] = Counter()
    everywhere: Counter[str] = Counter()
    for name, spec in lab.containers.items():
        for network in spec.networks or ([spec.mode] if spec.network_mode == "bridge" else []):
            everywhere[network] += 1
            here[network] += lab.host_of(name) == host
    bridges = {name for name in here if name not in lab.networks or lab.networks[name].driver == "bridge"}
    return sum(count * ((count if name in bridges else everywhere[name]) + 1) for name, count in here.items())
