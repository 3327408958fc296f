"""Namespaces put together as a kernel would: numbers of links, lo, and the routes that come with addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network

from dockerlab.kernel.addresses import IpInterface
from dockerlab.kernel.model import Forward, Link, Listener, Namespace
from dockerlab.kernel.routes import DEFAULT, LOCAL, MAIN, Hop, Neighbour, Route, Selector
from dockerlab.kernel.rules import Ruleset

LO = Link(1, "lo", mtu=65536, addresses=(ip_interface("127.0.0.1/8"), ip_interface("::1/128")))
LO4 = replace(LO, addresses=LO.addresses[:1])
LINK_LOCAL = ip_network("fe80::/10")
IPV6_METRIC = 256
SELECTORS = (
    Selector(4, 0, table=LOCAL, text="from all lookup local"),
    Selector(4, 32766, table=MAIN, text="from all lookup main"),
    Selector(4, 32767, table=DEFAULT, text="from all lookup default"),
    Selector(6, 0, table=LOCAL, text="from all lookup local"),
    Selector(6, 32766, table=MAIN, text="from all lookup main"),
)
"""The rules by which every namespace begins to look for routes (net/ipv4/fib_rules.c, net/ipv6/fib6_rules.c)."""
NOTHING = Ruleset(read=frozenset({"ip", "ip6"}))
"""No rule of the firewall at all."""


@dataclass
class Draft:
    """A namespace while it is put together."""

    id: int
    host: bool = False
    paths: tuple[str, ...] = ()
    pids: tuple[int, ...] = ()
    links: list[Link] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    neighbours: list[Neighbour] = field(default_factory=list)
    forwards: list[Forward] = field(default_factory=list)
    listeners: list[Listener] = field(default_factory=list)
    sysctls: dict[str, str] = field(default_factory=dict)
    ruleset: Ruleset = NOTHING

    def link(self, name: str) -> Link | None:
        """Return the link of that name, or None."""
        return next((link for link in self.links if link.name == name), None)

    def finished(self) -> Namespace:
        """Return the namespace, with the routes that its addresses bring along."""
        links = tuple(self._carried())
        own = [route for link in links for route in brought(link)]
        routes = [*self.routes, *(route for route in own if route not in self.routes)]
        return Namespace(
            id=self.id,
            host=self.host,
            paths=self.paths,
            pids=self.pids,
            links=links,
            routes=tuple(routes),
            selectors=SELECTORS,
            neighbours=tuple(self.neighbours),
            sysctls=dict(self.sysctls),
            ruleset=self.ruleset,
            forwards=tuple(self.forwards),
            listeners=tuple(self.listeners),
        )

    def _carried(self) -> Iterator[Link]:
        """Yield the links; a bridge without ports has no carrier."""
        masters = {link.master for link in self.links if link.up}
        for link in self.links:
            yield replace(link, carrier=link.name in masters) if link.kind == "bridge" else link


def brought(link: Link) -> Iterator[Route]:
    """Yield the routes that the kernel makes for the addresses of a link that is up."""
    for address in link.addresses if link.up else ():
        yield from _of4(link, address) if isinstance(address, IPv4Interface) else _of6(link, address)


def _of4(link: Link, address: IPv4Interface) -> Iterator[Route]:
    """Yield those of an IPv4 address (`fib_add_ifaddr` of net/ipv4/fib_frontend.c)."""
    hops, own, subnet = (Hop(link.name),), ip_network(address.ip), address.network
    if link.name == "lo":
        yield _kernels(subnet, "local", LOCAL, hops, "host", address)
    elif subnet.prefixlen < 32:
        yield _kernels(subnet, "unicast", MAIN, hops, "link", address)
    yield _kernels(own, "local", LOCAL, hops, "host", address)
    if subnet.prefixlen < 31:
        yield _kernels(ip_network(subnet.broadcast_address), "broadcast", LOCAL, hops, "link", address)


def _of6(link: Link, address: IPv6Interface) -> Iterator[Route]:
    """Yield those of an IPv6 address (`addrconf_prefix_route` and `ip6_ins_rt` of net/ipv6/addrconf.c)."""
    hops = (Hop(link.name),)
    if link.name != "lo" and address.network.prefixlen < 128:
        shown = f"{address.network} dev {link.name} proto kernel metric {IPV6_METRIC}"
        yield Route(address.network, hops=hops, metric=IPV6_METRIC, protocol="kernel", text=shown)
    own = ip_network(address.ip)
    yield Route(own, "local", LOCAL, hops, protocol="kernel", text=f"local {address.ip} dev {link.name}")


def _kernels(to: object, kind: str, table: str, hops: tuple[Hop, ...], scope: str, address: IPv4Interface) -> Route:
    """Return a route that the kernel made."""
    destination = ip_network(str(to))
    shown = str(destination.network_address) if destination.prefixlen == 32 else str(destination)
    words = f"{'' if kind == 'unicast' else f'{kind} '}{shown} dev {hops[0].device} proto kernel scope {scope}"
    return Route(destination, kind, table, hops, address.ip, 0, scope, "kernel", f"{words} src {address.ip}")


def link_local(mac: str) -> IpInterface | None:
    """Return the link-local address that the kernel makes of a MAC address (RFC 4291, appendix A), or None."""
    parts = mac.split(":")
    if len(parts) != 6:
        return None
    octets = [int(part, 16) for part in parts]
    octets[0] ^= 2
    return ip_interface(f"{ip_address(_packed([*octets[:3], 0xFF, 0xFE, *octets[3:]]))}/64")


def _packed(low: list[int]) -> bytes:
    return bytes([0xFE, 0x80, *[0] * 6, *low])


def with_link_local(link: Link) -> Link:
    """Return a link with its own link-local address, where it has another of IPv6."""
    own = link_local(link.mac)
    if own is None or own in link.addresses or all(address.version == 4 for address in link.addresses):
        return link
    return replace(link, addresses=(*link.addresses, own))


def inherited(ground: Mapping[str, str]) -> dict[str, str]:
    """Return the settings with which a new namespace begins: those of IPv4 are the host's (net/ipv4/devinet.c)."""
    kept = ("net/ipv4/conf/all/", "net/ipv4/conf/default/", "net/ipv4/ip_forward")
    return {path: value for path, value in ground.items() if path.startswith(kept)}
