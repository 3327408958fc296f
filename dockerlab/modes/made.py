"""What an engine makes of a network and of a container's place on it, in the words of kernels.

A rule stands in a mode's file as the text that `iptables-save` prints of it, with names to be filled in, so that it can
be laid beside a real host's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Literal

from dockerlab.kernel.addresses import IpAddress, IpInterface, IpNetwork
from dockerlab.kernel.model import Forward, Link
from dockerlab.kernel.routes import Hop, Route
from dockerlab.versions import Engine
from dockerlab.words import RuleId

Place = Literal[
    "answers",  # of connections that are open
    "inward",  # what leaves by a bridge
    "outward",  # what came by a bridge
    "apart",  # what stays on a bridge, where it must not
    "inside",  # what stays on an internal bridge
    "between",  # from bridge to bridge, first half
    "spared",  # what comes before it
    "arriving",  # from bridge to bridge, second half
    "shut",  # into and out of an internal network
    "opened",  # a published port
    "pings",  # into a routed network
    "rest",  # what else leaves by a bridge
    "marked",  # before connections are known
    "source",  # whose address leaves
    "own source",  # whose address reaches its own port
    "skipped",  # whose connections docker-proxy serves
    "published",  # whose destination is rewritten
    "sums",  # checksums
    "marks",  # the host's own, to be encrypted
    "arrived",  # for the host itself
]
"""Where a rule belongs, in no engine's words: which chain that is, `imagined.chains` says."""


VXLAN = "-p udp -m udp --dport 4789"
BYTECODE = '-m bpf --bytecode "7,32 0 0 4294963252,7 0 0 0,64 0 0 4,116 0 0 8,21 1 0 {vni},6 0 0 0,6 0 0 4294967295"'
U32 = '-m u32 --u32 "0x0>>0x16&0x3c@0xc&0xffffff00={high:#x}"'
"""How engines find the packets of one VXLAN by its number (moby, libnetwork/drivers/overlay/bpf.go)."""


@dataclass(frozen=True, slots=True)
class At:
    """What a rule is written for, in one IP version: a network, one address on it, or one published port of it.

    `gate` is the network's gateway mode, `nat` where none is said. `source` is the address that containers' packets
    leave with, empty where the kernel chooses. `on` is the address of the host that a port is published on, None for
    all. `vni` is the number of an overlay's VXLAN.
    """

    engine: Engine
    version: int
    bridge: str
    subnet: IpNetwork
    internal: bool = False
    gate: str = "nat"
    icc: bool = True
    masquerade: bool = True
    source: str = ""
    trusted: tuple[str, ...] = ()
    trust: str = ""
    address: IpAddress | None = None
    on: IpAddress | None = None
    published: int = 0
    target: int = 0
    protocol: str = ""
    vni: int = 0

    @property
    def guarded(self) -> bool:
        """Tell whether the network's containers are kept from whoever could reach them directly."""
        return not self.internal and self.gate not in ("routed", "nat-unprotected")

    @property
    def translated(self) -> bool:
        """Tell whether what leaves the network gets another source address."""
        return not self.internal and self.masquerade and self.gate != "routed"

    def names(self) -> dict[str, str]:
        """Return what rules' texts may name; those that end in `_ip` are in nft's words."""
        ip, on = "ip" if self.version == 4 else "ip6", self.on
        end = f"[{self.address}]" if self.version == 6 else str(self.address)
        trusted = (self.bridge, *self.trusted)
        return {
            "bridge": self.bridge,
            "subnet": str(self.subnet),
            "address": "" if self.address is None else f"{self.address}/{self.address.max_prefixlen}",
            "bare": str(self.address),
            "end": f"{end}:{self.target}",
            "on": "" if on is None else f"-d {on}/{on.max_prefixlen}",
            "on_place": "" if on is None else f"{on}/{on.max_prefixlen}",
            "on_alone": str(on),
            "on_ip": "" if on is None else f"{ip} daddr {on}",
            "ip": ip,
            "elsewhere": f"! -i {self.bridge}" if self.engine.proxy else "",
            "but_own": f'iifname != "{self.bridge}"' if self.engine.proxy else "",
            "far": "! -s fe80::/10" if self.version == 6 and self.engine.spares_link_local else "",
            "far_ip": "ip6 saddr != fe80::/10" if self.version == 6 else "",
            "published": str(self.published),
            "target": str(self.target),
            "protocol": self.protocol,
            "ping": "icmp" if self.version == 4 else "ipv6-icmp",
            "is_ping": "ip protocol icmp" if self.version == 4 else "meta l4proto ipv6-icmp",
            "source": self.source,
            "vxlan": f"{VXLAN} {BYTECODE if self.engine.bpf else U32}".format(vni=self.vni, high=self.vni << 8),
            "trust": self.trust,
            "own_or_trusted": _set(trusted),
            "past_trusted": f"! -i {','.join(trusted)}",
        }


def _set(names: tuple[str, ...]) -> str:
    """Return names of interfaces as nft prints them."""
    quoted = ", ".join(f'"{name}"' for name in names)
    return quoted if len(names) == 1 else f"{{ {quoted} }}"


def always(at: At) -> bool:
    """Return True: a rule that every network of its kind has."""
    _ = at
    return True


@dataclass(frozen=True, slots=True)
class Line:
    """One rule that Docker writes: where, what, when, and why.

    `page` is the page of docs/rules that a packet decided here is explained by, empty where there is none of its own.
    `means` is, for a rule of nftables, what it says in iptables' words; empty where `text` is in them.
    """

    place: Place
    text: str
    why: str
    when: Callable[[At], bool] = always
    page: RuleId | Literal[""] = ""
    means: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """A rule as an engine writes it for a network, an endpoint or a port."""

    line: Line
    at: At

    @property
    def family(self) -> str:
        """Return `ip` or `ip6`."""
        return "ip" if self.at.version == 4 else "ip6"

    @property
    def text(self) -> str:
        """Return the rule as its own program prints it, without its chain."""
        return _filled(self.line.text, self.at)

    @property
    def words(self) -> str:
        """Return the rule in iptables' words, without its chain."""
        return _filled(self.line.means or self.line.text, self.at)


def _filled(text: str, at: At) -> str:
    """Return a text with the names filled in, one blank between words."""
    return " ".join(text.format(**at.names()).split())


def written(lines: Iterable[Line], at: At) -> Iterator[Written]:
    """Yield those of the lines that are written there, in their order."""
    yield from (Written(line, at) for line in lines if line.when(at))


@dataclass(frozen=True, slots=True)
class Made:
    """What a network is on a host: its links with their addresses there, settings of the kernel, and rules.

    `hidden` are the links of a namespace of the network's own, with `forwards` of its VXLAN. A link's `peer` is left
    to who puts the parts together; `info["parent"]` is the name of what it hangs on.
    """

    links: tuple[Link, ...] = ()
    sysctls: Mapping[str, str] = field(default_factory=dict)
    rules: tuple[Written, ...] = ()
    hidden: tuple[Link, ...] = ()
    forwards: tuple[Forward, ...] = ()


@dataclass(frozen=True, slots=True)
class Joined:
    """What a container's place on a network is: a link in it and, if it is a cable, the other end.

    `outside` is that end, on the host, or in the network's own namespace (`hidden`). Without a cable `inside` hangs on
    the host's link `lower`. `gates` are the IP versions of which the network would give the default route, with
    `routes` as those routes, which may be none.
    """

    inside: Link | None = None
    outside: Link | None = None
    lower: str = ""
    hidden: bool = False
    gates: frozenset[int] = frozenset()
    routes: tuple[Route, ...] = ()
    rules: tuple[Written, ...] = ()


def whole(version: int) -> IpNetwork:
    """Return the destination of a default route."""
    return ip_network("0.0.0.0/0" if version == 4 else "::/0")


def default(device: str, via: IpAddress) -> Route:
    """Return a default route by a router."""
    return Route(whole(via.version), hops=(Hop(device, via),), text=f"default via {via} dev {device}")


def onto(device: str, version: int) -> Route:
    """Return a default route that leads straight onto an interface."""
    return Route(whole(version), hops=(Hop(device),), scope="link", text=f"default dev {device} scope link")


def cable(name: str, mac: str, addresses: tuple[IpInterface, ...], master: str, mtu: int) -> tuple[Link, Link]:
    """Return the two ends of a cable between a container and a bridge."""
    inside = Link(0, name, "veth", mac, mtu, addresses=addresses, away=True)
    outside = Link(0, f"veth-{mac or name}", "veth", "", mtu, master=master, away=True)
    return inside, outside
