"""Namespaces put together as a kernel would: numbers of links, lo, and the routes that come with addresses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from ipaddress import IPv4Interface, IPv4Network, IPv6Interface, IPv6Network, ip_address, ip_interface

from dockerlab.kernel.addresses import IpInterface
from dockerlab.kernel.model import Forward, Link, Listener, Namespace
from dockerlab.kernel.routes import DEFAULT, LOCAL, MAIN, Hop, Neighbour, Route, Selector
from dockerlab.kernel.rules import Ruleset

LO = Link(1, "lo", mtu=65536, addresses=(ip_interface("127.0.0.1/8"), ip_interface("::1/128")))
LO4 = replace(LO, addresses=LO.addresses[:1])
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
    selectors: list[Selector] = field(default_factory=lambda: list(SELECTORS))
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
            selectors=tuple(self.selectors),
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
        yield from _of4(link.name, address) if isinstance(address, IPv4Interface) else _of6(link.name, address)


@lru_cache(maxsize=4096)
def _of4(link: str, address: IPv4Interface) -> tuple[Route, ...]:
    """Return those of an IPv4 address (`fib_add_ifaddr` of net/ipv4/fib_frontend.c)."""
    hops, own, subnet = (Hop(link),), address.ip, address.network
    shown, ending = str(own), f"dev {link} proto kernel scope"
    found = list[Route]()
    if link == "lo":
        text = f"local {subnet} {ending} host src {shown}"
        found.append(Route(subnet, "local", LOCAL, hops, own, 0, "host", "kernel", text))
    elif subnet.prefixlen < 32:
        text = f"{subnet} {ending} link src {shown}"
        found.append(Route(subnet, "unicast", MAIN, hops, own, 0, "link", "kernel", text))
    text = f"local {shown} {ending} host src {shown}"
    found.append(Route(IPv4Network(int(own)), "local", LOCAL, hops, own, 0, "host", "kernel", text))
    if subnet.prefixlen < 31:
        last = subnet.broadcast_address
        text = f"broadcast {last} {ending} link src {shown}"
        found.append(Route(IPv4Network(int(last)), "broadcast", LOCAL, hops, own, 0, "link", "kernel", text))
    return tuple(found)


@lru_cache(maxsize=4096)
def _of6(link: str, address: IPv6Interface) -> tuple[Route, ...]:
    """Return those of an IPv6 address (`addrconf_prefix_route` and `ip6_ins_rt` of net/ipv6/addrconf.c)."""
    hops, own, subnet = (Hop(link),), address.ip, address.network
    found = list[Route]()
    if link != "lo" and subnet.prefixlen < 128:
        text = f"{subnet} dev {link} proto kernel metric {IPV6_METRIC}"
        found.append(Route(subnet, hops=hops, metric=IPV6_METRIC, protocol="kernel", text=text))
    text = f"local {own} dev {link} proto kernel metric 0"
    found.append(Route(IPv6Network(int(own)), "local", LOCAL, hops, protocol="kernel", text=text))
    return tuple(found)


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
