"""What a lab reaches that is no part of its hosts: routers, gateways on LANs, and what is said to be outside."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dockerlab.graph.model import Beyond
from dockerlab.reach import World
from dockerlab.topology import IpAddress

Met = dict[tuple[str, IpAddress], str]
"""The node of each address that was met on a LAN."""


def beyond(world: World, lans: Collection[str], aliases: dict[str, str], *, imagined: bool) -> Iterator[Beyond]:
    """Yield what lies beyond the LANs of a picture; notes in `aliases` which node answers for which target."""
    met: Met = {}
    for host in world.lab.hosts:
        yield from _router(world, host, met, imagined=imagined)
    first = next(iter(met.values()), "") or next(iter(lans), "")
    for (network, host), (address, segment) in world.gateways.items():
        lan = f"lan:{segment.key[0]}"
        if segment.kind != "lan" or lan not in lans:
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
    default = next((route for route in world.facts[host].routes if route.destination is None), None)
    if default is None or default.via is None or (f"lan:{default.device}", default.via) in met:
        return
    lan = f"lan:{default.device}"
    met[lan, default.via] = f"router:{default.device}/{default.via}"
    lines = ("the hosts' default route",) if imagined else (str(default.via), "the hosts' default route")
    yield Beyond(met[lan, default.via], "router", lines, lan)
