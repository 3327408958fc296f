"""Which of a container's networks comes first: for its default route, its published ports, and names; pure.

Source: moby, libnetwork/sandbox.go (`Endpoint.Less`, `ResolveName`) and default_gateway.go (`getGatewayEndpoint`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from dockerlab.kernel.routes import Route
from dockerlab.modes.base import Site
from dockerlab.modes.made import Joined
from dockerlab.snapshot import EndpointState, NetworkState
from dockerlab.versions import Engine


@dataclass(frozen=True, slots=True)
class Stay:
    """A container's place on a network: the network, the engine's word of the endpoint, and what it becomes.

    `last` tells that it is on docker_gwbridge, which gives way to every other network.
    """

    site: Site
    endpoint: EndpointState
    joined: Joined
    last: bool = False


def driver(site: Site) -> str:
    """Return the driver of a network as the engine has it."""
    return site.state.driver if site.state is not None else "bridge"


def chosen(engine: Engine, stays: Sequence[Stay]) -> Mapping[int, Stay]:
    """Return the place that gives the default route, by the IP version; none where no network gives one.

    Up to 27 the first with an IPv4 gateway gives both. From 28.0 on each version has its own, but that up to 29.4.0 one
    that gives both comes first. A device route counts as one from 28.0 on.
    """
    ordered = sorted(stays, key=lambda stay: _order(engine, stay))
    if not engine.routes_by_version:
        first = next((stay for stay in ordered if any(route.version == 4 for route in _routers(stay))), None)
        return {} if first is None else dict.fromkeys(sorted(first.joined.gates), first)
    if engine.dual_stack_first:
        both = next((stay for stay in ordered if {4, 6} <= stay.joined.gates), None)
        if both is not None:
            return {4: both, 6: both}
    found: dict[int, Stay] = {}
    for stay in ordered:
        for version in stay.joined.gates:
            found.setdefault(version, stay)
    return found


def asked_in_order(engine: Engine, stays: Sequence[tuple[NetworkState, EndpointState]]) -> tuple[str, ...]:
    """Return the names of a container's networks in the order in which its engine's server asks them for a name.

    It is that of the default routes, but that the networks of a Swarm come first.
    """

    def order(stay: tuple[NetworkState, EndpointState]) -> tuple[bool, Order]:
        network, endpoint = stay
        gates = {version for version, gate in ((4, endpoint.gateway), (6, endpoint.gateway6)) if gate}
        if engine.routes_by_version and network.driver == "ipvlan" and not network.internal and _routed(network):
            gates = {address.version for address in endpoint.addresses}
        own = _ranked(engine, endpoint.priority, gates)
        return (network.driver != "overlay", (own[0], False, network.internal, own[1], network.name))

    return tuple(network.name for network, _ in sorted(stays, key=order))


Order = tuple[int, bool, bool, int, str]
"""What sorts a container's networks: priority, docker_gwbridge last, internal ones behind, gateways, names."""


def _order(engine: Engine, stay: Stay) -> Order:
    own = _ranked(engine, stay.endpoint.priority, stay.joined.gates)
    return (own[0], stay.last, stay.site.internal, own[1], stay.site.name)


def _ranked(engine: Engine, priority: int, gates: Collection[int]) -> tuple[int, int]:
    # Up to 27 a gateway of IPv6 alone counts for more than one of IPv4 alone.
    weights = {4: 1, 6: 1 if engine.routes_by_version else 2}
    return (-priority if engine.gateway_priorities else 0, -sum(weights[version] for version in gates))


def _routed(network: NetworkState) -> bool:
    return network.options.get("ipvlan_mode", "l2") != "l2"


def _routers(stay: Stay) -> tuple[Route, ...]:
    return tuple(route for route in stay.joined.routes if any(hop.via is not None for hop in route.hops))
