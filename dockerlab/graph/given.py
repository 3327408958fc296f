"""What a definition fixes of a bridge's addresses; all others the engine chooses."""

from __future__ import annotations

from dockerlab.lab.daemon import Daemon
from dockerlab.lab.model import Lab
from dockerlab.modes.bridge import DEFAULT

GUESS = "~"
GUESSED = f"{GUESS} as the engine would choose it; the definition leaves it open"


def given(lab: Lab, host: str, network: str) -> frozenset[str]:
    """Return the subnets and gateways that the definition gives a network on a host, as text."""
    if network == DEFAULT:
        return _of_docker0(lab.daemons.get(host, Daemon()))
    pools = lab.networks[network].pools if network in lab.networks else ()
    return frozenset(str(each) for pool in pools for each in (pool.subnet, pool.gateway) if each is not None)


def _of_docker0(daemon: Daemon) -> frozenset[str]:
    found = {str(each) for each in (daemon.default_gateway, daemon.default_gateway_v6) if each is not None}
    if daemon.bip is not None:
        found |= {str(daemon.bip.ip), str(daemon.bip.network)}
    if daemon.ipv6 and daemon.fixed_cidr_v6 is not None:
        found.add(str(daemon.fixed_cidr_v6))
    return frozenset(found)
