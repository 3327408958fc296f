"""What the hosts of a Swarm make besides the lab's: ways out by docker_gwbridge, and each other's containers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Interface, ip_address

from dockerlab.imagined.gateways import Stay
from dockerlab.imagined.spaces import Draft
from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Forward, Namespace
from dockerlab.kernel.routes import MAIN, Neighbour
from dockerlab.snapshot import GATEWAY_BRIDGE, ContainerState, EndpointState, NetworkState, Snapshot

Told = Mapping[str, Sequence[tuple[str, IpAddress]]]
"""MAC and address of each place on an overlay, by the network."""


def way_out(
    book: Snapshot, state: ContainerState, stays: Sequence[Stay], taken: Iterable[IpAddress]
) -> tuple[NetworkState, EndpointState] | None:
    """Return a container's place on docker_gwbridge: the engine's word, or a free one where it needs a way out.

    It does where it is on an overlay that is not internal, and no other network of it gives a default route (moby,
    libnetwork/default_gateway.go).
    """
    bridge = book.network(GATEWAY_BRIDGE)
    if bridge is None or GATEWAY_BRIDGE in state.endpoints:
        return None
    address = bridge.members.get(state.id)
    needs = any(stay.joined.hidden and not stay.site.internal for stay in stays)
    if address is None and needs and not any(stay.joined.gates for stay in stays):
        address = _free(bridge, taken)
    return None if address is None else (bridge, _on_gateway(bridge, address))


def _free(bridge: NetworkState, taken: Iterable[IpAddress]) -> IPv4Interface | None:
    """Return the first address on docker_gwbridge that nobody has."""
    held = {*taken, *(address.ip for address in bridge.members.values())}
    for subnet in bridge.subnets:
        free = next((address for address in subnet.hosts() if address not in held), None)
        if subnet.version == 4 and free is not None:
            return IPv4Interface(f"{free}/{subnet.prefixlen}")
    return None


def _on_gateway(bridge: NetworkState, address: IPv4Interface) -> EndpointState:
    gateway = next((gateway for gateway in bridge.gateways if ip_address(gateway).version == 4), "")
    return EndpointState(GATEWAY_BRIDGE, (address,), _mac(address), gateway)


def _mac(address: IPv4Interface) -> str:
    """Return a MAC address for whom the engine's books name none, as engines up to 27 made them."""
    return ":".join(f"{octet:02x}" for octet in (0x02, 0x42, *address.ip.packed))


def strangers(book: Snapshot) -> list[str]:
    """Return who is on the Swarm's networks and is no container: its own endpoints."""
    ids = {state.id for state in book.containers}
    networks = [network for network in book.networks if network.driver == "overlay" or network.name == GATEWAY_BRIDGE]
    return sorted({key for network in networks for key in network.members if key not in ids})


def places(book: Snapshot, key: str) -> Iterator[tuple[NetworkState, EndpointState]]:
    """Yield the networks of an endpoint of the Swarm itself, docker_gwbridge last, and its place there."""
    for network in sorted(book.networks, key=lambda each: each.name == GATEWAY_BRIDGE):
        address = network.members.get(key)
        if address is not None and network.name == GATEWAY_BRIDGE:
            yield network, _on_gateway(network, address)
        elif address is not None and network.driver == "overlay":
            yield network, EndpointState(network.name, (address,), _mac(address))


def tell(space: Draft, network: str, others: Iterable[tuple[Namespace, Told]]) -> None:
    """Let an overlay's namespace know where other hosts' containers are: neighbours, and where frames for them go."""
    for ground, told in others:
        where = reached(ground)
        for mac, address in told.get(network, ()) if where is not None else ():
            space.forwards.append(Forward(mac, "vxlan0", str(where)))
            space.neighbours.append(Neighbour(address, "vxlan0", mac))


def reached(ground: Namespace) -> IpAddress | None:
    """Return the address by which other hosts reach a host: the first one on the interface of its default route."""
    ways = [route for route in ground.routes if route.table == MAIN and not route.destination.prefixlen]
    first = next((hop.device for route in ways for hop in route.hops), "")
    links = sorted(ground.links, key=lambda link: link.name != first)
    found = (a.ip for link in links for a in link.addresses if not a.ip.is_loopback and not a.ip.is_link_local)
    return next(found, None)
