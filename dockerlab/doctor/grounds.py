"""What a host's own routes and addresses mean for networks of a lab that are not there yet."""

from __future__ import annotations

from collections.abc import Iterator

from dockerlab.doctor.case import Case
from dockerlab.finding import Finding, Remedy
from dockerlab.kernel.routes import MAIN, Route
from dockerlab.lab.ground_lints import POOLS
from dockerlab.snapshot import GATEWAY_BRIDGE


def findings(case: Case, host: str) -> Iterator[Finding]:
    """Yield routes of the host to where an engine may put a network, and its addresses that an overlay would hide."""
    machine = case.kernels.get(host)
    if machine is None or not machine.namespaces:
        return
    space = machine.ground
    bridges = {network.bridge for network in case.snapshots[host].networks} if host in case.snapshots else set()
    for name, network in case.networks(host).items():
        there = case.snapshots[host].network(name) if host in case.snapshots else None
        if network.driver == "bridge" and not network.pools and there is None:
            for route in (route for route in space.routes if _elsewhere(route, bridges)):
                told = (
                    f"network {name} names no subnet, and an engine from 20.10.15 on may take one that holds "
                    f"{route.destination}, to which the host has a route: who is there would be lost to it"
                )
                yield Finding(host, "subnet", "warning", told, Remedy(words=f"give {name} a `subnet`"))
        for pool in network.pools if network.driver == "overlay" else ():
            held = [(link.name, a) for link in space.links for a in link.addresses if a.ip in pool.subnet]
            for link, address in held:
                what = "by which its containers reach their host" if link == GATEWAY_BRIDGE else "the host's own"
                told = (
                    f"subnet {pool.subnet} of overlay {name} holds {address.ip} of {link}, {what}: its containers "
                    "would look for that on the overlay, and reach neither the host nor what is beyond it"
                )
                yield Finding(host, "subnet", "problem", told, Remedy(words=f"give {name} another `subnet`"))


def _elsewhere(route: Route, bridges: set[str]) -> bool:
    """Tell whether a route leads by a router to a part of what engines take subnets from."""
    to = route.destination
    by_router = any(hop.via is not None and hop.device not in bridges for hop in route.hops)
    return route.table == MAIN and by_router and any(to.version == 4 and pool.supernet_of(to) for pool in POOLS)
