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
        if network.external or host not in lab.hosts_of(name):
            continue
        for told in modes.for_driver(network.driver).refuses(network, engine):
            yield f"network {name} {told}"
    if engine.backend == "nftables" and forwards_ipv6 is False:
        yield from _unforwarded(lab, host, engine)
    if not engine.routes_by_version:
        yield from _two_ways_out(lab, host, engine)


def _unforwarded(lab: Lab, host: str, engine: Engine) -> Iterator[str]:
    """Yield what the nftables backend does not make, or start with, on a host that does not forward IPv6.

    Source: moby, daemon/libnetwork/drivers/bridge/setup_ip_forwarding.go (`checkIPv6Forwarding`).
    """
    mend = "sysctl -w net.ipv6.conf.all.forwarding=1 net.ipv6.conf.default.forwarding=1"
    daemon = lab.daemons.get(host)
    if daemon is not None and daemon.ipv6:
        told = f"engine {engine} does not start with it on a host that does not forward IPv6"
        yield f"the engine's `ipv6: true` gives docker0 IPv6, and {told}: {mend}"
    for name, network in lab.networks.items():
        made = not network.external and host in lab.hosts_of(name)
        if made and network.driver == "bridge" and network.ipv6:
            yield f"network {name} has IPv6, which engine {engine} wants the host to forward by itself: {mend}"


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
