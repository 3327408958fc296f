"""What works in a definition but misleads: each yields problems that nobody has to mend."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from dockerlab.lab.daemon_rules import misleading
from dockerlab.lab.ground_lints import overlays_over_bridges, routes_into_networks
from dockerlab.lab.model import Lab
from dockerlab.lab.problem import Problem
from dockerlab.lab.root_lints import root_on_the_host

BESIDE_THE_HOST = ("macvlan", "ipvlan")
"""The drivers whose networks do not lead through the host: nothing there can translate a port."""

ON_IT = {"bridge": "containers, and the host itself, would look for that machine on the bridge"}


def published_inside(lab: Lab) -> Iterable[Problem]:
    """Yield ports of containers without a bridge to the outside, where `--publish` does nothing."""
    for name, spec in lab.containers.items():
        networks = [lab.networks[network] for network in spec.networks]
        if spec.ports and spec.mode == "none":
            yield Problem(
                ("containers", name, "ports"),
                "published without effect: in mode none there is no interface but loopback; leave `ports` out",
            )
        if spec.ports and networks and all(net.internal or net.driver in BESIDE_THE_HOST for net in networks):
            yield Problem(
                ("containers", name, "ports"),
                "published without effect: every network of the container is internal, macvlan or ipvlan; "
                "put it on a bridge with a way out as well, or leave `ports` out",
            )


def hidden_names(lab: Lab) -> Iterable[Problem]:
    """Yield commands and environments that use the name of a container where names are not known: on docker0."""
    plain = [name for name, spec in lab.containers.items() if spec.mode == "bridge" and not spec.networks]
    for name in plain:
        _, words = lab.containers[name].words
        values = [*words, *(value for value in lab.containers[name].environment.values() if value)]
        strange = [other for other in lab.containers if other not in (name, *lab.containers[name].extra_hosts)]
        for other in strange:
            if any(other in value.replace("/", " ").replace(":", " ").split() for value in values):
                yield Problem(
                    ("containers", name),
                    f"speaks of {other} by name, but docker0 has no DNS: put both on a network of the lab's own",
                )


def doubled_subnets(lab: Lab) -> Iterable[Problem]:
    """Yield bridge networks without a fixed subnet that are on several hosts: each host has one of its own."""
    for name, network in lab.networks.items():
        if network.driver == "bridge" and len(lab.hosts_of(name)) > 1:
            yield Problem(
                ("networks", name),
                f"is a network of its own on each of {', '.join(lab.hosts_of(name))}: a bridge ends at its host; "
                "containers on different hosts do not meet on it",
            )


def large_lan(lab: Lab) -> Iterable[Problem]:
    """Yield networks that claim the addresses at which the lab's own hosts are reached."""
    addresses = {host: address for host, where in lab.addresses.items() if where and (address := _address(where))}
    for name, network in lab.networks.items():
        for pool in network.pools if network.driver in ("bridge", "overlay") else ():
            inside = [host for host, address in addresses.items() if address in pool.subnet]
            if inside:
                yield Problem(
                    ("networks", name),
                    f"its subnet {pool.subnet} holds the address of {' and '.join(inside)}: "
                    + ON_IT.get(network.driver, "containers would look for that machine on the network itself"),
                )


def unnamed_interfaces(lab: Lab) -> Iterable[Problem]:
    """Yield containers of which nobody can tell which interface is on which network.

    The engine joins the networks of one `docker run` in no order of its own (moby, daemon/container_operations.go,
    `allocateNetwork` goes through a map).
    """
    for name, spec in lab.containers.items():
        places = [spec.networks[network] for network in (spec.mode, *spec.at_once) if network in spec.networks]
        if spec.at_once and any(place.interface_name is None for place in places):
            yield Problem(
                ("containers", name, "networks", spec.at_once[0]),
                "has a MAC address on a further network, so that `docker run` gets several at once, and any of them "
                "may become eth0: give each an `interface_name`, or the MAC address to the first network alone",
            )


def _address(where: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(urlsplit(where).hostname or "") if "://" in where else None
    except ValueError:
        return None


LINTS: tuple[Callable[[Lab], Iterable[Problem]], ...] = (
    published_inside,
    hidden_names,
    doubled_subnets,
    large_lan,
    unnamed_interfaces,
    routes_into_networks,
    overlays_over_bridges,
    misleading,
    root_on_the_host,
)
