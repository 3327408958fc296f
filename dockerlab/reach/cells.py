"""The cells of a lab's matrix: every question that is asked, and what it is about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from dockerlab.kernel.addresses import IpAddress
from dockerlab.lab.model import Lab
from dockerlab.lab.ports import Port
from dockerlab.reach.world import World
from dockerlab.snapshot import GATEWAY_BRIDGE

LONGEST_LABEL = 63
"""What a name without a dot may have of characters for DNS (RFC 1035); longer ones can be asked for by nobody."""


class Cell(NamedTuple):
    """One question: does `source` reach `target` (an address, or a name to look up) by `probe`.

    `probe` is `ping`, `tcp/PORT` or `dns`. `to` is a container, a host, `gateway:NETWORK[@HOST]` or an outside target.
    `holder` is the namespace that has to answer, None for what is beyond the lab. `answers` are the addresses that a
    name has to give. An empty `target` is a container of which no address is known.
    """

    source: str
    to: str
    target: str
    probe: str
    holder: str | None = None
    port: int | None = None
    answers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Target:
    """One address that is asked for, by ping and on TCP ports; `address` None where none is known."""

    to: str
    address: IpAddress | None
    holder: str | None
    ports: tuple[int, ...] = ()
    published: bool = False
    """Whether the ports are the host's, which lead elsewhere."""

    @property
    def text(self) -> str:
        """Return the address as a cell shows it."""
        return "" if self.address is None else str(self.address)


def sources(world: World) -> list[str]:
    """Return everybody who asks: containers in the definition's order, but those that do their work and end; hosts."""
    return [*staying(world.lab), *world.lab.hosts]


def staying(lab: Lab) -> list[str]:
    """Return the containers that stay, and so ask and are asked for."""
    return [name for name in lab.containers if name not in lab.jobs]


def targets(world: World) -> list[Target]:
    """Return everything that is asked for: addresses of containers and hosts, gateways, the outside."""
    found = [target for name in staying(world.lab) for target in _of_container(world, name)]
    for host in world.lab.hosts:
        ports = tuple(sorted({port.published for port, _ in published(world, host) if port.published}))
        found += [Target(host, address, host, ports, published=True) for _, address in world.people.addresses[host]]
    found += _gateways(world)
    found += [Target(name, outside.address, None, outside.ports) for name, outside in world.lab.outside.items()]
    return found


def _of_container(world: World, name: str) -> Iterator[Target]:
    spec, box = world.lab.containers[name], world.people.of[name]
    known = asked_at(world, name)
    for address in known:
        yield Target(name, address, box, spec.listens)
    if not known and spec.mode != "none" and (spec.owner is None or world.lab.containers[spec.owner].mode != "none"):
        yield Target(name, None, box)


def asked_at(world: World, name: str) -> tuple[IpAddress, ...]:
    """Return the addresses at which a container is asked for: not the one on docker_gwbridge, which is its way out."""
    return tuple(address for network, address in world.people.addresses[name] if network != GATEWAY_BRIDGE)


def _gateways(world: World) -> Iterator[Target]:
    """Yield each network's gateway: one where it is one for all, `@HOST` where every host has its own."""
    for network in dict.fromkeys(network for network, _ in world.people.gateways):
        bridged = network not in world.lab.networks or world.lab.networks[network].driver == "bridge"
        at: dict[object, tuple[str, IpAddress]] = {}
        for (name, host), address in world.people.gateways.items():
            if name == network:
                at.setdefault((host if bridged else "", address), (host, address))
        for host, address in at.values():
            to = f"gateway:{network}" if len(at) == 1 else f"gateway:{network}@{host}"
            yield Target(to, address, _holder(world, network, host, address))


def _holder(world: World, network: str, host: str, address: IpAddress) -> str | None:
    """Return who of the lab has a network's gateway address there, or None for somebody beyond it."""
    state = world.books[host].network(network)
    space = world.space(host)
    link = space.link(state.bridge) if space is not None and state is not None and state.bridge else None
    if link is not None and any(own.ip == address for own in link.addresses):
        return host
    for name, known in world.people.addresses.items():
        if (network, address) in known and (link is None or world.lab.host_of(name) == host):
            return world.people.of[name]
    if link is None:
        return next(
            (name for name in world.lab.hosts if any(a == address for _, a in world.people.addresses[name])), None
        )
    return None


def published(world: World, host: str) -> list[tuple[Port, str]]:
    """Return the TCP ports that containers publish on a host, with the container."""
    return [
        (port, name)
        for name, spec in world.lab.on_host(host).items()
        for port in spec.ports
        if port.protocol == "tcp" and port.published is not None
    ]


def names_of(world: World, container: str) -> tuple[str, ...]:
    """Return the names under which a container is looked up: its own, and on its networks also aliases and hostname."""
    spec = world.lab.containers[container]
    more = [alias for place in spec.networks.values() for alias in place.aliases]
    if spec.networks and spec.hostname is not None:
        more.append(spec.hostname)
    return tuple(name for name in dict.fromkeys((container, *more)) if len(name) <= LONGEST_LABEL)
