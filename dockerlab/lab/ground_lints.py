"""What works on the hosts themselves and leads astray: routes to a network's subnet, and overlays over hosts' own."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network

from dockerlab.lab.model import Lab
from dockerlab.lab.problem import Problem

POOLS = (*(IPv4Network(f"172.{number}.0.0/16") for number in range(17, 32)), IPv4Network("192.168.0.0/16"))
"""Where engines take subnets from that nobody names (moby, libnetwork/ipamutils)."""
GATEWAY_BRIDGE = IPv4Network("172.18.0.0/16")
"""What docker_gwbridge has on a host without other networks: the second of these pools, docker0 has the first."""


def routes_into_networks(lab: Lab) -> Iterable[Problem]:
    """Yield routes of hosts that lead to a subnet of the lab's own, or to where an engine may put one.

    Up to 20.10.14 engines left out what the host has a route to; from 20.10.15 on only what its own links lead to
    (moby #46615, #42598 and #43360).
    """
    for host, ground in lab.grounds.items():
        own = {
            name: spec for name, spec in lab.networks.items() if spec.driver == "bridge" and host in lab.hosts_of(name)
        }
        for index, route in enumerate(ground.routes):
            to = route.to
            if isinstance(to, str) or route.table != "main" or route.kind != "unicast":
                continue
            for name, spec in own.items():
                path = ("hosts", host, "routes", index)
                pool = next((p for p in spec.pools if p.subnet.version == to.version and p.subnet.overlaps(to)), None)
                if pool is not None and pool.subnet.num_addresses > 1 and route.via not in pool.subnet:
                    told = f"leads to where network {name} is ({pool.subnet}): one of them hides the other"
                    yield Problem(path, told)
                elif not spec.pools and any(each.overlaps(to) for each in POOLS if each.version == to.version):
                    told = (
                        f"network {name} names no subnet, and engines from 20.10.15 on may take one that holds {to}: "
                        f"whoever is there is lost to {host} and its containers then; give {name} a `subnet`"
                    )
                    yield Problem(path, told)


def overlays_over_bridges(lab: Lab) -> Iterable[Problem]:
    """Yield overlays whose subnet may be that of docker_gwbridge, by which their containers reach their host."""
    for name, spec in lab.networks.items():
        for pool in spec.pools if spec.driver == "overlay" else ():
            if pool.subnet.version == 4 and pool.subnet.overlaps(GATEWAY_BRIDGE):
                told = (
                    f"its subnet {pool.subnet} may be that of docker_gwbridge (an engine gives it {GATEWAY_BRIDGE} "
                    "where nobody has it): its containers would neither reach their host nor what is beyond it"
                )
                yield Problem(("networks", name), told)
