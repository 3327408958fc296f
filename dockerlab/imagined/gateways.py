"""Which of a container's networks gives its default route and takes its published ports, engine by engine; pure.

Source: moby, libnetwork/sandbox.go (`Endpoint.Less`) and default_gateway.go (`getGatewayEndpoint`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dockerlab.kernel.routes import Route
from dockerlab.modes.base import Site
from dockerlab.modes.made import Joined
from dockerlab.snapshot import EndpointState
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


def _order(engine: Engine, stay: Stay) -> tuple[int, bool, bool, int, str]:
    priority = -stay.endpoint.priority if engine.gateway_priorities else 0
    # Up to 27 a gateway of IPv6 alone counts for more than one of IPv4 alone.
    weights = {4: 1, 6: 1 if engine.routes_by_version else 2}
    count = sum(weights[version] for version in stay.joined.gates)
    return (priority, stay.last, stay.site.internal, -count, stay.site.name)


def _routers(stay: Stay) -> tuple[Route, ...]:
    return tuple(route for route in stay.joined.routes if any(hop.via is not None for hop in route.hops))
