"""Who takes a packet that was delivered to a namespace: a program that listens, or nobody."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress
from dockerlab.walk.compiled import Socket

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Fabric
    from dockerlab.walk.fate import Landed

ANY = {"": 0, "*": 0, "0.0.0.0": 4, "::": 6}  # noqa: S104 - compared, not bound
"""Addresses that stand for all; one of IPv6 takes IPv4 too."""


def listener_for(fabric: Fabric, landed: Landed) -> Socket | None:
    """Return the socket that takes a connection or a datagram, or None: the most exact one (`inet_lookup_listener`)."""
    packet = landed.packet
    found = [
        (_fit(each, packet.destination, landed.link), each)
        for each in fabric.sockets(landed.space).get((packet.protocol, packet.dport), ())
    ]
    best = max(found, key=lambda pair: pair[0], default=(0, None))
    return best[1] if best[0] > 0 else None


def _fit(socket: Socket, address: IpAddress, link: str) -> int:
    """Return how exactly a socket fits an address, 0 where it does not; that of a docker-proxy is of one IP version."""
    listener = socket.listener
    if listener.device and listener.device != link:
        return 0
    more = 4 if listener.device else 0
    bound = listener.address.partition("%")[0]
    if bound in ANY:
        version = ANY[bound]
        if version in (0, address.version):
            return 2 + more
        return 1 + more if version == 6 and socket.proxy is None else 0
    told = ip_address(bound)
    if told.version == 6 and told.ipv4_mapped is not None:
        told = told.ipv4_mapped
    return 3 + more if told == address else 0
