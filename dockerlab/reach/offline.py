"""What hosts would be like: the facts and the engines' books of a lab that is up, made up from the definition alone.

Hosts that say no address get one of 192.0.2.0/24. So the model can speak of a lab on a laptop without Docker.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_interface
from urllib.parse import urlsplit

from dockerlab.imagined.books import books
from dockerlab.lab.daemon import Daemon
from dockerlab.lab.model import Lab
from dockerlab.reach.ground import bridge
from dockerlab.snapshot import Snapshot
from dockerlab.topology import HostFacts, IpInterface, Nic, Route

ENGINE = "28.5"


def imagine(lab: Lab, engine: str = ENGINE) -> tuple[dict[str, HostFacts], dict[str, Snapshot]]:
    """Return the facts and the snapshots of a lab's hosts as they would be after `up`, on an engine of that version."""
    snapshots = books(lab, dict.fromkeys(lab.hosts, engine))
    facts = {
        host: _facts(lab, snapshots[host], _address(where, number))
        for number, (host, where) in enumerate(lab.addresses.items())
    }
    return facts, snapshots


def _address(where: str | None, number: int) -> IpInterface:
    """Return a host's address on the hosts' LAN: the one that it is reached by, if that is one."""
    name = urlsplit(where).hostname if where and "://" in where else None
    try:
        return ip_interface(f"{ip_address(name or '')}/24")
    except ValueError:
        return ip_interface(f"192.0.2.{10 + number}/24")


def _facts(lab: Lab, books: Snapshot, address: IpInterface) -> HostFacts:
    """Return the machine: one LAN interface, the parents that the lab names, and the bridges."""
    parents = {getattr(lab.networks[name], "parent_interface", None) for name in lab.networks}
    named = sorted(parent for parent in parents if parent is not None)
    main = next((parent.partition(".")[0] for parent in named), "eth0")
    nics = [Nic(main, (address,)), *(Nic(parent) for parent in named if parent != main)]
    nics += [bridge(state) for state in books.networks if state.driver == "bridge"]
    router = address.network[1]
    routes = (Route(None, router, main),) if router != address.ip else ()
    daemon = lab.daemons.get(books.host, Daemon())
    return HostFacts(
        host=books.host,
        nics=tuple(replace(nic, rp_filter=2) for nic in nics),
        routes=routes,
        root=True,
        ip_forward=True,
        ip6_forward=True,
        forward_policy="DROP",
        bridge_nf=True,
        userland_proxy=daemon.userland_proxy is not False,
        live_restore=bool(daemon.live_restore),
        dns=tuple(str(server) for server in daemon.dns or ()),
    )
