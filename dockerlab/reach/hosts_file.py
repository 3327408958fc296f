"""What a container's hosts file says of a name: that is read before any name server is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from ipaddress import ip_address

from dockerlab.kernel.addresses import IpAddress
from dockerlab.lab.model import Lab
from dockerlab.modes.bridge import DEFAULT
from dockerlab.reach.expectation import Expectation
from dockerlab.reach.world import World
from dockerlab.snapshot import GATEWAY_BRIDGE

GATEWAY = "host-gateway"
"""Stands for the address of docker0, or for what the engine's settings say (moby, opts/hosts.go)."""


def lines_of(lab: Lab, source: str) -> Mapping[str, str]:
    """Return the lines that a container was given for its hosts file, by name; a host was given none.

    Who has joined another's network namespace has that one's file as well. Names there are in lower case.
    """
    spec = lab.containers.get(_keeper(lab, source))
    return {name.lower(): said for name, said in spec.extra_hosts.items()} if spec is not None else {}


def own_names(lab: Lab, source: str) -> frozenset[str]:
    """Return the names under which a container's hosts file has its own addresses, in lower case.

    They are its hostname, with the domain where it has one, and the first part of that (`buildHostsFile` of moby's
    libnetwork). Who shares another's namespace has that one's; in host mode the file is the host's. The name that an
    engine gives to a container without one is no name in a lab.
    """
    spec = lab.containers.get(_keeper(lab, source))
    if spec is None or spec.hostname is None or spec.mode == "host":
        return frozenset()
    whole = ".".join(filter(None, (spec.hostname, spec.domainname))).lower()
    return frozenset({whole, whole.partition(".")[0]})


def _keeper(lab: Lab, source: str) -> str:
    """Return whose hosts file somebody reads."""
    spec = lab.containers.get(source)
    while spec is not None and spec.owner is not None:
        source, spec = spec.owner, lab.containers.get(spec.owner)
    return source


def by_file(world: World, source: str, name: str, right: Collection[str]) -> Expectation | None:
    """Return what becomes of a question for a name that a hosts file answers, or None where it does not.

    `right` are the addresses of the container that is asked for: whose they all are of IPv6, that is asked for.
    """
    version = 6 if right and all(":" in address for address in right) else 4
    said = lines_of(world.lab, source).get(name.lower())
    given = [] if said is None else _addresses(world, world.lab.host_of(source), said)
    own = _own(world, source) if name.lower() in own_names(world.lab, source) else ()
    found = [address for address in (*given, *own) if address.version == version]
    if not found:
        return None
    wrong = next((address for address in found if str(address) not in right), None)
    shown = found[0] if wrong is None else wrong
    whose = f", by the hostname of {_keeper(world.lab, source)}," if shown in own else ","
    because = (
        f"/etc/hosts of {{source}} says that {{address}} is {shown}{whose} and is read before a name server is asked"
    )
    if wrong is None:
        return Expectation(True, "hosts-file", because)
    return Expectation(False, "hosts-file", because + "; {to} has another address", "wrong answerer")


def _own(world: World, source: str) -> tuple[IpAddress, ...]:
    """Return the addresses that a hosts file has for its container: not the one on docker_gwbridge."""
    held = world.people.addresses.get(_keeper(world.lab, source), ())
    return tuple(address for network, address in held if network != GATEWAY_BRIDGE)


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
