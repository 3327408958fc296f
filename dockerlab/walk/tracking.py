"""Connection tracking and translation: what a namespace remembers of the packets that it has let through."""

from __future__ import annotations

from dataclasses import dataclass

from dockerlab.kernel.addresses import IpAddress
from dockerlab.walk.packet import Packet, Quintuple

ANSWERED_BY = {8: 0, 0: 8, 128: 129, 129: 128}
"""The type of ICMP that answers each other one (`invmap` of nf_conntrack_proto_icmp)."""
PING = 1
"""The identity of the one ping that is under way."""


@dataclass(slots=True)
class Connection:
    """One connection as both directions see it: `back` is the quintuple that the answer bears where it comes in.

    `aimed` and `masked` tell that its destination or its source is translated, `aimed_once` and `masked_once` that
    the rules have been asked: they are only once. `kept` tells that a packet of it has passed all rules.
    """

    there: Quintuple
    back: Quintuple
    aimed: bool = False
    masked: bool = False
    aimed_once: bool = False
    masked_once: bool = False
    answered: bool = False
    kept: bool = False
    mark: int = 0

    def aim(self, address: IpAddress, port: int | None) -> None:
        """Translate its destination (DNAT)."""
        protocol, source, destination, sport, dport = self.back
        new = port if port is not None and protocol != "icmp" else sport
        self.aimed = self.aimed or (address, new) != (source, sport)
        self.back = (protocol, address, destination, new, dport)

    def mask(self, address: IpAddress) -> None:
        """Translate its source (SNAT)."""
        protocol, source, destination, sport, dport = self.back
        self.masked = self.masked or address != destination
        self.back = (protocol, source, address, sport, dport)


def turned(quintuple: Quintuple) -> Quintuple:
    """Return the quintuple of the answer."""
    protocol, source, destination, sport, dport = quintuple
    if protocol == "icmp":
        return (protocol, destination, source, sport, ANSWERED_BY.get(dport, dport))
    return (protocol, destination, source, dport, sport)


class Tracker:
    """The connections of one namespace."""

    def __init__(self) -> None:
        self._known: list[Connection] = []

    def look(self, packet: Packet) -> None:
        """Note on a packet whose it is; what begins a connection makes a new one (`nf_conntrack_in`)."""
        if packet.state:  # it has come by before, as what loopback brings back
            return
        if packet.about is not None:
            found = self._find(turned(packet.about))
            if found is None:
                packet.state = "INVALID"
            else:
                packet.connection, packet.state, packet.reply = found[0], "RELATED", found[1]
            return
        if packet.version == 6 and packet.protocol == "icmp" and 130 <= packet.kind[0] <= 143:
            packet.state = "UNTRACKED"  # multicast groups and neighbours (nf_conntrack_icmpv6_error)
            return
        quintuple = packet.quintuple
        found = self._find(quintuple)
        if found is None:
            if _begins(packet):
                packet.connection = Connection(quintuple, turned(quintuple))
                packet.state = "NEW"
            else:
                packet.state = "INVALID"
            return
        packet.connection, packet.reply = found
        if packet.reply:
            packet.connection.answered = True
        packet.state = "ESTABLISHED" if packet.connection.answered else "NEW"

    def _find(self, quintuple: Quintuple) -> tuple[Connection, bool] | None:
        """Return the connection of a quintuple, and whether that is an answer's: there are one or two at most."""
        for connection in self._known:
            if connection.there == quintuple:
                return connection, False
            if connection.back == quintuple:
                return connection, True
        return None

    def confirm(self, packet: Packet) -> None:
        """Remember the connection of a packet that has passed all rules."""
        connection = packet.connection
        if connection is not None and not connection.kept:
            connection.kept = True
            self._known.append(connection)


def _begins(packet: Packet) -> bool:
    """Tell whether a packet may be the first of a connection (`tcp_new`, `icmp_new`)."""
    if packet.protocol == "icmp":
        return packet.kind[0] in (8, 128)
    if packet.protocol == "tcp":
        return ("SYN" in packet.flags and "ACK" not in packet.flags) or packet.flags == {"ACK"}
    return True


def aim(packet: Packet) -> None:
    """Write a translated destination into a packet: the DNAT of a connection, or the undone SNAT of its answer."""
    connection = packet.connection
    if connection is None:
        return
    if packet.reply and connection.masked:
        _, address, _, port, _ = connection.there
        packet.destination = address
        if packet.about is not None:
            packet.about = (packet.about[0], address, packet.about[2], port, packet.about[4])
        elif packet.protocol != "icmp":
            packet.dport = port
    elif not packet.reply and connection.aimed and packet.about is None:
        _, packet.destination, _, port, _ = connection.back
        packet.dport = packet.dport if packet.protocol == "icmp" else port


def mask(packet: Packet) -> None:
    """Write a translated source into a packet: the SNAT of a connection, or the undone DNAT of its answer.

    An ICMP error is translated as the answer is, and so is the packet in it (`nf_nat_icmp_reply_translation`).
    """
    connection = packet.connection
    if connection is None:
        return
    if packet.reply and connection.aimed:
        _, _, address, _, port = connection.there
        packet.source = address
        if packet.about is not None:
            packet.about = (*packet.about[:2], address, packet.about[3], port)
        elif packet.protocol != "icmp":
            packet.sport = port
    elif not packet.reply and connection.masked and packet.about is None:
        _, _, packet.source, _, port = connection.back
        packet.sport = packet.sport if packet.protocol == "icmp" else port
