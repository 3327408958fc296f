"""What a lab reaches that is no part of its hosts: routers, gateways on LANs, and what is said to be outside."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dockerlab.graph.model import Beyond
from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.routes import MAIN, Hop
from dockerlab.modes.parent import ParentNetwork
from dockerlab.reach import World

Met = dict[tuple[str, IpAddress], str]
"""The node of each address that was met on a LAN."""


def beyond(world: World, lans: Collection[str], aliases: dict[str, str], *, imagined: bool) -> Iterator[Beyond]:
    """Yield what lies beyond the LANs of a picture; notes in `aliases` which node answers for which target."""
    met: Met = {}
    for host in world.lab.hosts:
        yield from _router(world, host, met, imagined=imagined)
    first = next(iter(met.values()), "") or next(iter(lans), "")
    for (network, host), address in world.people.gateways.items():
        spec = world.lab.networks.get(network)
        lan = f"lan:{spec.parent_interface}" if isinstance(spec, ParentNetwork) else ""
        if lan not in lans:
            continue
        if (lan, address) not in met:
            met[lan, address] = (
                f"gateway:{network}" if f"gateway:{network}" not in aliases else f"gateway:{network}@{host}"
            )
            yield Beyond(met[lan, address], f"gateway of {network}", (str(address), "no machine of the lab"), lan)
        aliases.setdefault(f"gateway:{network}", met[lan, address])
        aliases[f"gateway:{network}@{host}"] = met[lan, address]
    for name, outside in world.lab.outside.items():
        ports = (f"open: {', '.join(map(str, outside.ports))}",) if outside.ports else ()
        aliases[name] = f"outside:{name}"
        yield Beyond(f"outside:{name}", name, (str(outside.address), *ports), first)


def _router(world: World, host: str, met: Met, *, imagined: bool) -> Iterator[Beyond]:
    """Yield the router of a host's default route, unless another host has it too."""
    hop = default_hop(world, host)
    if hop is None or hop.via is None or (f"lan:{hop.device}", hop.via) in met:
        return
    lan = f"lan:{hop.device}"
    met[lan, hop.via] = f"router:{hop.device}/{hop.via}"
    lines = ("the hosts' default route",) if imagined else (str(hop.via), "the hosts' default route")
    yield Beyond(met[lan, hop.via], "router", lines, lan)


def default_hop(world: World, host: str) -> Hop | None:
    """Return where a host sends what it has no other route for, of IPv4 first, or None."""
    space = world.space(host)
    routes = [r for r in space.routes if r.table == MAIN and not r.destination.prefixlen] if space is not None else []
    return next((hop for route in sorted(routes, key=lambda route: route.version) for hop in route.hops), None)
