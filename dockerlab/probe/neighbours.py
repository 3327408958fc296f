"""Read and relieve the kernel's neighbour (ARP and NDP) tables over netlink.

The tables are one for the whole kernel, whatever the namespace: above `gc_thresh3` entries (1024 by default) a packet
to a new neighbour is dropped with ENOBUFS, and an ARP request from a new neighbour is silently not answered. The /proc
of a namespace does not show their size, but netlink tells it everywhere. Part of the agent's program: standard library
only, and Python 3.6 must run it.
"""

import socket
import struct
from typing import NamedTuple

GETNEIGH = 30
DELNEIGH = 29
GETNEIGHTBL = 66
ERROR = 2
DONE = 3
REQUEST_DUMP = 0x301
REQUEST = 0x1
AT_ONCE = 256
"""Removals in one message to the kernel."""

HEADER = struct.Struct("=IHHII")
NDMSG = struct.Struct("=BxxxiHBB")
ATTRIBUTE = struct.Struct("=HH")

NDA_DST = 1
NDTA_NAME = 1
NDTA_THRESH3 = 4
NDTA_CONFIG = 5
NDTA_STATS = 7

INCOMPLETE = 0x01
LEARNED = 0x02 | 0x04 | 0x08 | 0x10 | 0x20
EXTERNALLY_LEARNED = 0x10


class Table(NamedTuple):
    """A neighbour table: entries now, the most it takes, and how often it was full since the machine started."""

    entries: int
    limit: int
    fulls: int


class Neighbour(NamedTuple):
    """One entry, with all that is needed to remove it."""

    family: int
    link: int
    address: bytes
    state: int
    flags: int


class Netlink:
    """A netlink socket of the namespace that it was made in."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self._socket.bind((0, 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 2, 0))

    def close(self) -> "None":
        """Close the socket."""
        self._socket.close()

    def tables(self) -> "list[Table]":
        """Return the kernel's tables for IPv4 and IPv6; raises OSError where netlink does not answer."""
        found = []
        for body in self._dump(GETNEIGHTBL, struct.pack("=Bxxx", socket.AF_UNSPEC)):
            fields = attributes(body[4:])
            if NDTA_CONFIG not in fields or NDTA_THRESH3 not in fields:
                continue  # the kernel also sends one message for each interface's parameters
            if fields[NDTA_NAME].rstrip(b"\0") not in (b"arp_cache", b"ndisc_cache"):
                continue
            entries = struct.unpack_from("=I", fields[NDTA_CONFIG], 4)[0]
            limit = struct.unpack_from("=I", fields[NDTA_THRESH3])[0]
            stats = fields.get(NDTA_STATS, b"")
            fulls = struct.unpack_from("=Q", stats, 80)[0] if len(stats) >= 88 else 0
            found.append(Table(entries, limit, fulls))
        return found

    def neighbours(self) -> "list[Neighbour]":
        """Return the entries of this namespace; raises OSError where netlink does not answer."""
        found = []
        for body in self._dump(GETNEIGH, NDMSG.pack(socket.AF_UNSPEC, 0, 0, 0, 0)):
            family, link, state, flags, _ = NDMSG.unpack_from(body)
            destination = attributes(body[NDMSG.size :]).get(NDA_DST)
            if destination and family in (socket.AF_INET, socket.AF_INET6):
                found.append(Neighbour(family, link, destination, state, flags))
        return found

    def forget(self, entries: "list[Neighbour]") -> "None":
        """Remove entries from the cache; the next packet to one of them asks again."""
        for first in range(0, len(entries), AT_ONCE):
            self._socket.send(b"".join(_removal(entry) for entry in entries[first : first + AT_ONCE]))

    def _dump(self, kind: "int", body: "bytes") -> "list[bytes]":
        self._drain()
        self._socket.send(HEADER.pack(HEADER.size + len(body), kind, REQUEST_DUMP, 1, 0) + body)
        bodies = []  # type: list[bytes]
        while True:
            data = self._socket.recv(1 << 17)
            place = 0
            while place + HEADER.size <= len(data):
                size, got, _, _, _ = HEADER.unpack_from(data, place)
                if got in (DONE, ERROR) or size < HEADER.size:
                    return bodies
                bodies.append(data[place + HEADER.size : place + size])
                place += (size + 3) & ~3

    def _drain(self) -> "None":
        """Throw away what still waits: the errors of removals whose entry was gone already."""
        try:
            while True:
                self._socket.recv(1 << 17, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return


def _removal(entry: "Neighbour") -> "bytes":
    """Return the message that removes an entry; its length is a multiple of four, so that another can follow."""
    body = NDMSG.pack(entry.family, entry.link, 0, 0, 0)
    body += ATTRIBUTE.pack(ATTRIBUTE.size + len(entry.address), NDA_DST) + entry.address
    return HEADER.pack(HEADER.size + len(body), DELNEIGH, REQUEST, 0, 0) + body


def attributes(data: "bytes") -> "dict[int, bytes]":
    """Return the netlink attributes in `data` by their type."""
    found = {}
    place = 0
    while place + ATTRIBUTE.size <= len(data):
        size, kind = ATTRIBUTE.unpack_from(data, place)
        if size < ATTRIBUTE.size:
            break
        found[kind & 0x3FFF] = data[place + ATTRIBUTE.size : place + size]
        place += (size + 3) & ~3
    return found


def removable(entry: "Neighbour", with_incomplete: "bool") -> "bool":
    """Tell whether the kernel learned this entry by itself, so that it can learn it again.

    What was put there on purpose stays: an overlay's entries are permanent, and nobody would answer for them. A packet
    may wait for an incomplete entry, so that goes only on demand.
    """
    wanted = LEARNED | (INCOMPLETE if with_incomplete else 0)
    return bool(entry.state & wanted) and not entry.flags & EXTERNALLY_LEARNED
