"""How the way of one packet ends, and how that shows to whoever sent it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dockerlab.kernel.addresses import IpAddress
from dockerlab.walk.outcome import Element, End
from dockerlab.walk.packet import Packet

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.targets import Verdict
    from dockerlab.walk.way import Way

TIMEOUT, NO_ROUTE, HOST_UNREACHABLE = "timeout", "no route", "host unreachable"
REFUSED, REPLY_LOST, BLOCKED, MTU = "refused", "reply lost", "blocked", "mtu"

Told = Literal[
    "",
    "net",
    "host",
    "protocol",
    "port",
    "net prohibited",
    "host prohibited",
    "admin",
    "policy",
    "reset",
    "expired",
    "too big",
]
"""What an ICMP error says, or `reset` for one of TCP; empty where the sender is told nothing."""

ERRNO: dict[str, str | None] = {
    "ENETUNREACH": NO_ROUTE,
    "EADDRNOTAVAIL": NO_ROUTE,
    "EINVAL": NO_ROUTE,
    "EHOSTUNREACH": HOST_UNREACHABLE,
    "EACCES": BLOCKED,
    "EPERM": BLOCKED,
    "EMSGSIZE": MTU,
}
"""What the kernel says to the program itself, as a probe shows it."""

TCP_4: dict[Told, str | None] = {
    "net": NO_ROUTE,
    "net prohibited": NO_ROUTE,
    "host": HOST_UNREACHABLE,
    "host prohibited": HOST_UNREACHABLE,
    "admin": HOST_UNREACHABLE,
    "expired": HOST_UNREACHABLE,
    "port": REFUSED,
    "reset": REFUSED,
    "protocol": None,
    "too big": TIMEOUT,
}
"""What a connection that is being made ends with by an ICMP error (`icmp_err_convert`, `tcp_v4_err`)."""
TCP_6: dict[Told, str | None] = TCP_4 | {
    "admin": BLOCKED,
    "policy": BLOCKED,
    "net prohibited": BLOCKED,
    "host prohibited": BLOCKED,
}
"""The same in IPv6 (`icmpv6_err_convert`)."""

CODES_4: dict[Told, tuple[int, int]] = {
    "net": (3, 0),
    "host": (3, 1),
    "protocol": (3, 2),
    "port": (3, 3),
    "net prohibited": (3, 9),
    "host prohibited": (3, 10),
    "admin": (3, 13),
    "expired": (11, 0),
    "too big": (3, 4),
}
CODES_6: dict[Told, tuple[int, int]] = {
    "net": (1, 0),
    "admin": (1, 1),
    "host": (1, 3),
    "port": (1, 4),
    "policy": (1, 5),
    "expired": (3, 0),
    "too big": (2, 0),
}


@dataclass(frozen=True, slots=True)
class Landed:
    """A packet came to a socket's door: the namespace that takes it, and by which interface it came in."""

    space: Space
    link: str
    packet: Packet


@dataclass(frozen=True, slots=True)
class Left:
    """A packet was handed to somebody on a LAN who is none of the hosts: to a router, or (None) the address itself."""

    space: Space
    lan: str
    router: IpAddress | None
    packet: Packet
    why: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """A packet is gone, in a namespace, by an object that decided.

    `errno` is what the kernel said to the program that sent it, `told` what the sender is told by a packet of its
    own (which has to come back to it). `doubt` says what would have to be known to tell whether it is lost at all;
    `twisted` that it is, but not how that shows; `late` that the program's connection does not hear of the error.
    """

    end: End
    space: Space
    by: Element | None
    packet: Packet
    errno: str = ""
    told: Told = ""
    doubt: str = ""
    twisted: bool = False
    late: bool = False


Fate = Landed | Left | Lost

REJECTIONS: dict[str, Told] = {
    "icmp-net-unreachable": "net",
    "icmp-host-unreachable": "host",
    "icmp-port-unreachable": "port",
    "icmp-proto-unreachable": "protocol",
    "icmp-net-prohibited": "net prohibited",
    "icmp-host-prohibited": "host prohibited",
    "icmp-admin-prohibited": "admin",
    "tcp-reset": "reset",
    "icmp6-no-route": "net",
    "no-route": "net",
    "icmp6-adm-prohibited": "admin",
    "adm-prohibited": "admin",
    "icmp6-addr-unreachable": "host",
    "addr-unreach": "host",
    "icmp6-port-unreachable": "port",
    "port-unreach": "port",
    "icmp6-policy-fail": "policy",
    "icmp6-reject-route": "policy",
    "icmpx-no-route": "net",
    "icmpx-port-unreachable": "port",
    "icmpx-host-unreachable": "host",
    "icmpx-admin-prohibited": "admin",
}
"""What options of REJECT say, by the names of iptables and of nft."""


def stopped_by(way: Way, space: Space, packet: Packet, verdict: Verdict) -> Lost:
    """Return the loss of a packet that a rule or a policy stopped."""
    errno = "EPERM" if packet.local else ""
    if verdict.target != "REJECT":
        way.note(space, "dropped", f"dropped by {verdict.element.where}", verdict.element)
        return Lost("dropped", space, verdict.element, packet, errno=errno)
    told = REJECTIONS.get(verdict.option("--reject-with"), "port")
    way.note(space, "rejected", f"rejected by {verdict.element.where}", verdict.element)
    return Lost("rejected", space, verdict.element, packet, errno=errno, told=told)


def shown(protocol: str, version: int, told: Told) -> str | None:
    """Return the symptom of an error that came back to the sender."""
    if protocol == "icmp":
        return HOST_UNREACHABLE  # whatever it says: somebody on the way said no
    return (TCP_4 if version == 4 else TCP_6).get(told, HOST_UNREACHABLE)
