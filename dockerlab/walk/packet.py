"""What is sent: one packet, as far as a kernel looks at it on its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dockerlab.kernel.addresses import IpAddress

if TYPE_CHECKING:
    from dockerlab.walk.tracking import Connection

Protocol = Literal["icmp", "tcp", "udp"]
"""`icmp` is an echo request, of ICMPv6 where the address is."""

State = Literal["", "NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"]
"""What connection tracking says of a packet; empty before it has looked at it."""

Quintuple = tuple[str, IpAddress, IpAddress, int, int]
"""Protocol, source, destination and both ports; of a ping its identity and its type stand for these."""

HOPS = 64
"""With how many hops to live packets set out (`net.ipv4.ip_default_ttl`)."""
MOST_HOPS = 40
"""After how many kernels a packet is taken to go round in circles."""
EPHEMERAL = 40000
"""A port as the kernel gives them to those who do not ask for one (`net.ipv4.ip_local_port_range`)."""


@dataclass(frozen=True, slots=True)
class Flow:
    """What a program asks of its kernel: a ping, a connection, or a datagram to an address.

    `source` is the address that it binds itself to, None where the kernel is left to choose, as it mostly is. `size` is
    that of the IP packet, in bytes, for what does not fit a link; `port` None for a ping.
    """

    destination: IpAddress
    protocol: Protocol = "icmp"
    port: int | None = None
    source: IpAddress | None = None
    source_port: int | None = None
    size: int = 84


@dataclass(slots=True)
class Packet:
    """A packet under way. The kernel that it is in changes it, and notes on it what it found out so far.

    `kind` is the ICMP type and code; `flags` are TCP's that are set. `incoming` and `outgoing` are the interfaces of
    the hook that it is at, `port_in` and `port_out` those of a bridge. `local` tells that a socket of this namespace
    sent it (`owned`: one whose owner is known), `mac` whose frame it came in. `about` is the packet that an ICMP error
    is about: its quintuple as it stood where the error arose. `turned` tells that a rule of OUTPUT changed what its
    route depends on, `hops` how many kernels have seen it.
    """

    version: int
    protocol: str
    source: IpAddress
    destination: IpAddress
    sport: int = 0
    dport: int = 0
    kind: tuple[int, int] = (0, 0)
    flags: frozenset[str] = frozenset()
    size: int = 84
    ttl: int = HOPS
    dscp: int = 0
    mark: int = 0
    vni: int | None = None
    ipsec: bool = False
    incoming: str = ""
    outgoing: str = ""
    port_in: str = ""
    port_out: str = ""
    mac: str = ""
    local: bool = False
    owned: bool | None = False
    state: State = ""
    reply: bool = False
    connection: Connection | None = None
    about: Quintuple | None = None
    turned: bool = False
    hops: int = 0

    @property
    def quintuple(self) -> Quintuple:
        """Return what connection tracking knows it by."""
        last = self.kind[0] if self.protocol == "icmp" else self.dport
        return (self.protocol, self.source, self.destination, self.sport, last)

    def scrub(self, *, away: bool) -> None:
        """Forget what one kernel noted, as a frame does that leaves an interface; the mark too when it goes `away`."""
        self.state, self.connection, self.reply = "", None, False
        self.incoming = self.outgoing = self.port_in = self.port_out = ""
        self.local = self.owned = self.turned = False
        if away:
            # The engine's policies of IPsec go by the mark (xfrm): what carries frames and is marked leaves encrypted.
            self.ipsec = self.vni is not None and self.mark != 0
            self.mark = 0

    def rounds(self) -> bool:
        """Count a kernel that sees it; tell whether it has been through so many that it goes round in circles."""
        self.hops += 1
        return self.hops > MOST_HOPS
