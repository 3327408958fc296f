"""What a container's hosts file says of a name: that is read before any name server is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from ipaddress import ip_address

from dockerlab.kernel.addresses import IpAddress
from dockerlab.lab.model import Lab
from dockerlab.modes.bridge import DEFAULT
from dockerlab.reach.expectation import Expectation
from dockerlab.reach.world import World

GATEWAY = "host-gateway"
"""Stands for the address of docker0, or for what the engine's settings say (moby, opts/hosts.go)."""


def lines_of(lab: Lab, source: str) -> Mapping[str, str]:
    """Return the lines that a container was given for its hosts file, by name; a host was given none.

    Who has joined another's network namespace has that one's file as well. Names there are in lower case.
    """
    spec = lab.containers.get(source)
    while spec is not None and spec.owner is not None:
        spec = lab.containers.get(spec.owner)
    return {name.lower(): said for name, said in spec.extra_hosts.items()} if spec is not None else {}


def by_file(world: World, source: str, name: str, right: Collection[str]) -> Expectation | None:
    """Return what becomes of a question for a name that a hosts file answers, or None where it does not.

    `right` are the addresses of the container that is asked for: whose they all are of IPv6, that is asked for.
    """
    said = lines_of(world.lab, source).get(name.lower())
    version = 6 if right and all(":" in address for address in right) else 4
    given = [] if said is None else _addresses(world, world.lab.host_of(source), said)
    found = next((str(address) for address in given if address.version == version), None)
    if found is None:
        return None
    because = f"/etc/hosts of {{source}} says that {{address}} is {found}, and is read before a name server is asked"
    if found in right:
        return Expectation(True, "hosts-file", because)
    return Expectation(False, "hosts-file", because + "; {to} has another address", "wrong answerer")


def _addresses(world: World, host: str, said: str) -> tuple[IpAddress, ...]:
    """Return the addresses of a line; what is none, an engine does not take."""
    if said != GATEWAY:
        try:
            return (ip_address(said.strip("[]")),)
        except ValueError:
            return ()
    daemon, space, docker0 = world.lab.daemons.get(host), world.space(host), world.books[host].network(DEFAULT)
    if daemon is not None and daemon.host_gateway_ips:
        return daemon.host_gateway_ips
    link = space.link(docker0.bridge) if space is not None and docker0 is not None and docker0.bridge else None
    return tuple(address.ip for address in link.addresses) if link is not None else ()
