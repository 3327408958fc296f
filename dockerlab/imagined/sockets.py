"""Who holds the host's ends of published ports, and which rules lead from there to the containers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

from dockerlab.imagined.gateways import Stay, driver
from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Listener, Proxy
from dockerlab.lab.model import Container
from dockerlab.modes.bridge import gate
from dockerlab.snapshot import ContainerState, PublishedPort
from dockerlab.versions import Engine

EVERYWHERE = {4: "0.0.0.0", 6: "::"}  # noqa: S104 - as an engine says it, nothing is bound here


@dataclass(frozen=True, slots=True)
class Published:
    """A port of the host, and the container's address that it leads to."""

    port: PublishedPort
    to: IpAddress


def sockets(published: Iterable[Published], engine: Engine, first: int) -> tuple[list[Listener], tuple[Proxy, ...]]:
    """Return who listens on the host for published ports: docker-proxies, numbered from `first`, or the engine itself.

    Without docker-proxy the engine keeps the socket, so that nobody else takes the port, and answers nobody.
    """
    listeners, proxies = list[Listener](), list[Proxy]()
    for number, each in enumerate(published, first):
        port = each.port
        holder = "docker-proxy" if engine.proxy else "dockerd"
        listeners.append(Listener(port.protocol, port.host_ip, port.host_port, ((number, holder),)))
        if engine.proxy:
            proxies.append(
                Proxy(number, port.protocol, port.host_ip, port.host_port, str(each.to), port.container_port)
            )
    return listeners, tuple(proxies)


def ports_of(
    engine: Engine, state: ContainerState, spec: Container | None, stays: Sequence[Stay], ways: Mapping[int, Stay]
) -> Iterator[tuple[Stay, list[PublishedPort]]]:
    """Yield the ports of a container by the place that its rules are written for.

    On a network in gateway mode routed a port needs no number on the host: it is let in, from 29.0 on also where
    another network gives the default route.
    """
    for version in (4, 6):
        way = ways.get(version)
        taker = way or ways.get(4)  # docker-proxy hands IPv6 on to an IPv4 address
        if taker is not None:
            yield taker, [port for port in state.published if ip_address(port.host_ip).version == version]
        for stay in stays:
            if gate(stay.site, version) == "routed" and (stay is way or engine.routed_always_open):
                yield stay, list(_let_in(spec, version))


def _let_in(spec: Container | None, version: int) -> Iterator[PublishedPort]:
    seen = set()
    for port in spec.ports if spec is not None else ():
        both = port.host_ip is None or port.host_ip.version == version
        if both and (port.target, port.protocol) not in seen:
            seen.add((port.target, port.protocol))
            yield PublishedPort(EVERYWHERE[version], 0, port.target, port.protocol)


def target(host_ip: str, ways: Mapping[int, Stay]) -> IpAddress | None:
    """Return the container's address that a port of the host leads to, or None where it leads nowhere.

    What comes by IPv6 to a container without an IPv6 address is handed to its IPv4 one, by docker-proxy. In mode
    routed no port of the host is taken.
    """
    version = ip_address(host_ip).version
    for each in (version, 4):
        stay = ways.get(each)
        if stay is None or driver(stay.site) != "bridge" or stay.site.internal:
            continue
        found = next((a.ip for a in stay.endpoint.addresses if a.version == each), None)
        if found is not None:
            return None if each == version and gate(stay.site, version) == "routed" else found
    return None
