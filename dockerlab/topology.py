"""The facts that a network mode gives to the model: who is on which layer-2 domain, and what is dropped there.

They are facts, not verdicts: `reach` alone decides, so that a new mode does not have to know the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface, IPv4Network, IPv6Address, IPv6Interface, IPv6Network

IpAddress = IPv4Address | IPv6Address
IpInterface = IPv4Interface | IPv6Interface
IpNetwork = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Segment:
    """A layer-2 domain, by identity: a bridge of one host, an overlay of the Swarm, the LAN of a parent interface.

    `closed` tells whether the lab's own members are all there can be. On a LAN, machines that nobody told us of may
    hold an address.
    """

    kind: str
    key: tuple[str, ...]

    @property
    def closed(self) -> bool:
        """Tell whether nobody but the lab and its hosts can be on the segment."""
        return self.kind != "lan"

    @property
    def routed(self) -> bool:
        """Tell whether the host routes what is sent there, with no gateway in between."""
        return self.kind == "ipvlan"

    def __str__(self) -> str:
        words = {"bridge": "bridge {1} of {0}", "lan": "the LAN of {0}", "overlay": "overlay {0}"}
        default = self.kind == "bridge" and self.key[1] == "bridge"
        return f"docker0 of {self.key[0]}" if default else words.get(self.kind, "{1} of {0}").format(*self.key)


def bridge(host: str, network: str) -> Segment:
    """Return the segment of a Linux bridge, which ends at its host."""
    return Segment("bridge", (host, network))


def lan(interface: str) -> Segment:
    """Return the LAN behind an interface; interfaces of one name are on one LAN, as the definition says."""
    return Segment("lan", (interface,))


def overlay(network: str) -> Segment:
    """Return the segment of an overlay network, which spans the Swarm."""
    return Segment("overlay", (network,))


@dataclass(frozen=True)
class Interface:
    """One address in a sandbox. `port` is what denials call the place where it meets its segment."""

    segment: Segment
    address: IpInterface
    network: str
    port: str
    mac: str = ""


def interface_towards(interfaces: Sequence[Interface], address: IpAddress) -> Interface | None:
    """Return the interface whose subnet holds the address, the longest prefix first."""
    fitting = [interface for interface in interfaces if address in interface.address.network]
    return max(fitting, key=lambda interface: interface.address.network.prefixlen, default=None)


@dataclass(frozen=True)
class Denial:
    """Frames between two kinds of ports of a segment are dropped, in both directions.

    Where `sender` or `receiver` is named, it is the frames from, or for, that port, whoever is at the other end, as
    long as something stands at one of `ports`. `certain` is False where that depends on something that nobody here can
    see. For the IP versions of `spares_pings`, ICMP passes all the same.
    """

    segment: Segment
    ports: frozenset[str]
    rule: str
    why: str
    symptom: str | None = "timeout"
    certain: bool = True
    versions: frozenset[int] = frozenset({4, 6})
    spares_pings: frozenset[int] = frozenset()
    sender: str = ""
    receiver: str = ""

    def applies(self, sender: str, receiver: str, version: int) -> bool:
        """Tell whether the denial is about frames from one port for the other (a set of one: both are of that kind)."""
        if self.sender or self.receiver:
            return (self.sender == sender or self.receiver == receiver) and version in self.versions
        return {sender, receiver} == self.ports and version in self.versions


@dataclass(frozen=True)
class Forwarding:
    """What the host does with packets that enter it from a segment and want to go on.

    The sets of numbers are IP versions. `filters` are those for which the engine keeps firewall rules: without them
    nothing is dropped and nothing is masqueraded. `unprotected` and `routed` are those of these gateway modes; what is
    routed is not masqueraded. From the host's `trusted` interfaces, published ports may be reached at the containers'
    own addresses.
    """

    segment: Segment
    allowed: bool = True
    masquerade: frozenset[int] = frozenset({4, 6})
    filters: frozenset[int] = frozenset({4, 6})
    unprotected: frozenset[int] = frozenset()
    routed: frozenset[int] = frozenset()
    trusted: frozenset[str] = frozenset()
    rule: str = ""
    why: str = ""


@dataclass(frozen=True)
class Attachment:
    """A container's place on one network, and the default routes that it would give the container.

    `gateways` are at most one address of each IP version, none where the mode gives no default route; `way_out` is
    the segment on which they stand. Among the networks of a container, the smallest `priority` gives the routes.
    `resolver` tells whether Docker's embedded DNS server answers for this network's names.
    """

    interfaces: tuple[Interface, ...] = ()
    gateways: tuple[IpAddress, ...] = ()
    way_out: Segment | None = None
    priority: tuple[int, str] = (0, "")
    resolver: bool = False


@dataclass(frozen=True)
class NetworkFacts:
    """What one network means on one host, beyond the containers on it.

    `answers` are addresses that the network itself holds, in no sandbox of the lab.
    """

    denials: tuple[Denial, ...] = ()
    forwarding: tuple[Forwarding, ...] = ()
    answers: tuple[Interface, ...] = ()


@dataclass(frozen=True)
class Nic:
    """A network interface of a host; `rp_filter` is the kernel's number (1 is strict), None where it is not known."""

    name: str
    addresses: tuple[IpInterface, ...] = ()
    mac: str = ""
    up: bool = True
    rp_filter: int | None = None


@dataclass(frozen=True)
class Route:
    """A route of a host; `via` is None for what is on-link, `destination` None for the default route."""

    destination: IpNetwork | None
    via: IpAddress | None
    device: str


@dataclass(frozen=True)
class HostFacts:
    """What the model and the prober need to know of a machine. None means: could not be read, or left to the default.

    From `userland_proxy` to `dns` they are the engine's settings, where `settings_read` is false the default ones;
    `settings_of` is the lab that has changed them. `gossip` tells whether somebody listens on TCP port 7946.
    """

    host: str
    nics: tuple[Nic, ...] = ()
    routes: tuple[Route, ...] = ()
    root: bool | None = None
    python: str | None = None
    ip_forward: bool | None = None
    ip6_forward: bool | None = None
    forward_policy: str | None = None
    bridge_nf: bool | None = None
    userland_proxy: bool = True
    iptables: bool = True
    ip6tables: bool | None = None
    direct_routing: bool = False
    live_restore: bool = False
    dns: tuple[str, ...] = ()
    settings_read: bool = True
    settings_of: str = ""
    firewall: str = ""
    nameservers: tuple[str, ...] = ()
    kernel_config: Mapping[str, str] = field(default_factory=dict)
    kernel: str = ""
    architecture: str = ""
    gossip: bool | None = None
    missing: tuple[str, ...] = ()

    def nic(self, name: str) -> Nic | None:
        """Return the interface of that name, or None."""
        return next((nic for nic in self.nics if nic.name == name), None)

    def primary_address(self) -> IpAddress | None:
        """Return the address that the default route leaves from, or the first global one, or None."""
        default = next((route for route in self.routes if route.destination is None), None)
        ordered = sorted(self.nics, key=lambda nic: default is None or nic.name != default.device)
        found = (a.ip for nic in ordered for a in nic.addresses if not a.ip.is_loopback and not a.ip.is_link_local)
        return next(found, None)
