"""A host's kernel as one look saw it, or as it would be: network namespaces and what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockerlab.kernel.addresses import IpAddress, IpInterface
from dockerlab.kernel.routes import MAIN, Neighbour, Route, Selector
from dockerlab.kernel.rules import Ruleset

IP_FORWARD, IP6_FORWARD = "net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"
BRIDGE_NF = "net/bridge/bridge-nf-call-iptables"

CHILDREN = ("macvlan", "macvtap", "ipvlan", "ipvtap")
"""Kinds of links that share a parent's wire."""


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface. `kind` is the kernel's word (`veth`, `bridge`, `macvlan`, …), empty for plain hardware.

    `peer` is the index of what it is plugged into: the other end of a veth, the parent of a macvlan. `away` tells
    that this is in another namespace. `master` is the name of the bridge whose port it is. `up` is what an
    administrator said, `carrier` whether there is somebody at the other end. `info` holds what its kind adds, by `ip
    -details`' words: `mode`, `flags`, `id` (of a VXLAN or VLAN), `port`, `parent`; of a bridge's port `isolated`,
    `hairpin`, `state`; `arp` where it is off.
    """

    index: int
    name: str
    kind: str = ""
    mac: str = ""
    mtu: int = 0
    up: bool = True
    carrier: bool = True
    state: str = ""
    peer: int = 0
    away: bool = False
    master: str = ""
    addresses: tuple[IpInterface, ...] = ()
    info: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forward:
    """Where a VXLAN sends frames for a MAC address: the address of another host."""

    mac: str
    device: str
    to: str


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that waits for connections or datagrams, and the processes that hold it, as far as they can be seen."""

    protocol: str
    address: str
    port: int
    holders: tuple[tuple[int, str], ...] = ()
    device: str = ""


@dataclass(frozen=True, slots=True)
class Namespace:
    """One network namespace (`id` is its inode), with what is in it; `pids` are processes that live there.

    `sysctls` are the settings that matter, by their path below /proc/sys. `unread` says what could not be read there,
    and why, by what it is: `links`, `routes`, `selectors`, `neighbours`, `forwards`, `rules`, `sysctls`. `deaf` says
    why it is not known who listens there.
    """

    id: int
    host: bool = False
    paths: tuple[str, ...] = ()
    pids: tuple[int, ...] = ()
    links: tuple[Link, ...] = ()
    routes: tuple[Route, ...] = ()
    selectors: tuple[Selector, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    ruleset: Ruleset = field(default_factory=Ruleset)
    forwards: tuple[Forward, ...] = ()
    listeners: tuple[Listener, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    deaf: str = ""

    def link(self, name: str) -> Link | None:
        """Return the interface of that name, or None."""
        return next((link for link in self.links if link.name == name), None)

    def ports(self, bridge: str) -> tuple[str, ...]:
        """Return the names of the interfaces that are ports of a bridge."""
        return tuple(link.name for link in self.links if link.master == bridge)

    def sysctl(self, path: str) -> int | None:
        """Return a setting's number, or None where it could not be read."""
        text = self.sysctls.get(path, "")
        return int(text) if text.isascii() and text.lstrip("-").isdigit() else None

    def on(self, path: str) -> bool | None:
        """Tell whether a setting is on, or return None where it could not be read."""
        value = self.sysctl(path)
        return None if value is None else bool(value)

    @property
    def ways(self) -> tuple[Route, ...]:
        """Return the routes of the main table that lead somewhere; of several next hops the first one counts."""
        return tuple(r for r in self.routes if r.kind == "unicast" and r.table == MAIN and r.hops)

    @property
    def forward_policy(self) -> str | None:
        """Return what becomes of IPv4 that no rule of FORWARD speaks of, or None where that could not be read."""
        return self.ruleset.policy("ip", "filter", "FORWARD")

    @property
    def primary_address(self) -> IpAddress | None:
        """Return the address that the default route leaves from, or the first global one, or None."""
        default = next((way.hops[0].device for way in self.ways if not way.destination.prefixlen), None)
        ordered = sorted(self.links, key=lambda link: default is None or link.name != default)
        found = (a.ip for link in ordered for a in link.addresses if not a.ip.is_loopback and not a.ip.is_link_local)
        return next(found, None)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A docker-proxy: a process that takes connections to a published port and hands them on."""

    pid: int
    protocol: str
    address: str
    port: int
    to: str
    to_port: int


@dataclass(frozen=True, slots=True)
class Machine:
    """Everything that one look at a host's kernel saw; `unread` says what it could not see, and why."""

    host: str
    root: bool = False
    kernel: str = ""
    namespaces: tuple[Namespace, ...] = ()
    proxies: tuple[Proxy, ...] = ()
    unread: tuple[str, ...] = ()

    @property
    def ground(self) -> Namespace:
        """Return the host's own namespace; an empty one where that is not known."""
        return next((space for space in self.namespaces if space.host), Namespace(0, host=True))

    def space(self, identity: int) -> Namespace | None:
        """Return the namespace of that number, or None."""
        return next((space for space in self.namespaces if space.id == identity), None)

    def home(self, pid: int) -> Namespace | None:
        """Return the namespace in which a process lives, or None where that is not known."""
        return next((space for space in self.namespaces if pid in space.pids), None)
