"""What is sent: one packet, as far as a kernel looks at it on its way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dockerlab.kernel.addresses import IpAddress

Protocol = Literal["icmp", "tcp", "udp"]
"""`icmp` is an echo request, of ICMPv6 where the address is."""


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
