"""What an engine would refuse of a definition: an option that it does not know, a network that it cannot make; pure."""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab import modes
from dockerlab.lab.model import Lab, Network
from dockerlab.modes.ipvlan import IpvlanNetwork
from dockerlab.versions import Engine


def refusals(lab: Lab, host: str, engine: Engine, *, forwards_ipv6: bool | None = None) -> Iterator[str]:
    """Yield why a host's engine would not make some part of a lab; of one whose version is not known there is nothing.

    `forwards_ipv6` is whether the host forwards IPv6 by itself, None where that is not known.
    """
    if not engine.known:
        return
    for name, network in lab.networks.items():
        if host not in lab.hosts_of(name):
            continue
        for told in modes.for_driver(network.driver).refuses(network, engine):
            yield f"network {name} {told}"
        if network.driver == "bridge" and network.ipv6 and engine.backend == "nftables" and forwards_ipv6 is False:
            yield (
                f"network {name} has IPv6, which engine {engine} wants the host to forward by itself: "
                "sysctl -w net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.forwarding=1"
            )
    if not engine.routes_by_version:
        yield from _two_ways_out(lab, host, engine)


def _two_ways_out(lab: Lab, host: str, engine: Engine) -> Iterator[str]:
    """Yield the containers that an engine up to 27 does not start: "file exists" (moby #48576, #49130)."""
    for name, spec in lab.on_host(host).items():
        routed = [n for n in spec.networks if _routed(lab.networks[n])]
        others = [n for n in spec.networks if n not in routed and not lab.networks[n].internal]
        if routed and others:
            yield (
                f"container {name} is on {routed[0]}, whose mode l3 gives a default route, and on {others[0]}, which "
                f"gives one too: engine {engine} does not start it (from 28.0 on one of them is chosen)"
            )


def _routed(network: Network) -> bool:
    return isinstance(network, IpvlanNetwork) and network.submode != "l2" and not network.internal
