"""See which connections are delivered to a namespace: the first packet of each, as its own kernel is given it.

Rules and routes may lead a connection to somebody else, who accepts it as well. Translation keeps the number with which
a connection begins (the initial sequence number, RFC 9293), and only who began it knows that. A raw socket is given
what the kernel takes for itself, behind all rules, and nothing of what it passes on (raw(7)). Part of the agent's
program: standard library only, and Python 3.6 must run it.
"""

import array
import contextlib
import selectors
import socket
import struct
from typing import Any

from dockerlab.probe.knocks import (
    ACK,
    AND,
    INDEX_BY_HEADER,
    JUMP_EQUAL,
    LOAD_BYTE,
    LOAD_BYTE_BEHIND,
    RETURN,
    SO_ATTACH_FILTER,
    SYN,
)
from dockerlab.probe.namespaces import ADDRESS_FAMILY, Namespace, missed_by, widen

FLAGS, HEADERS = 13, 128
"""Where a TCP header has its flags, and how much of a packet is read, in bytes."""

FIRST_PACKETS = {
    version: [*find, (AND, 0, 0, SYN | ACK), (JUMP_EQUAL, 0, 1, SYN), (RETURN, 0, 0, HEADERS), (RETURN, 0, 0, 0)]
    for version, find in {
        4: [(INDEX_BY_HEADER, 0, 0, 0), (LOAD_BYTE_BEHIND, 0, 0, FLAGS)],
        6: [(LOAD_BYTE, 0, 0, FLAGS)],
    }.items()
}
"""The filters (classic BPF) that pass first packets alone: IPv4 begins at the IP header, IPv6 behind it."""


class Deliveries:
    """The namespaces in which deliveries are noted; `deaf` says why they are not in one, `numbers` is what came."""

    def __init__(self, selector: "selectors.BaseSelector") -> None:
        self._selector = selector
        self._open: list[tuple[int, socket.socket]] = []
        self.numbers: set[tuple[int, int]] = set()
        self.deaf: dict[int, str] = {}

    def open(self, namespace: "Namespace") -> "None":
        """Begin to note what is delivered in a namespace; leaves the calling thread there."""
        try:
            namespace.enter()
            for version in namespace.raw:
                made = first_packets(version)
                self._open.append((namespace.id, made))
                self._selector.register(made, selectors.EVENT_READ, (self.hear, made, namespace.id, version))
        except OSError as error:
            self.deaf[namespace.id] = f"what is delivered there cannot be seen: {error.strerror}"

    def hear(self, made: "socket.socket", identity: "int", version: "int") -> "None":
        """Note every first packet that waits."""
        with contextlib.suppress(BlockingIOError):
            while True:
                number = begins_with(made.recv(HEADERS), version)
                if number is not None:
                    self.numbers.add((identity, number))

    def report(self) -> "dict[str, Any]":
        """Return what was delivered where, and where not all of it was seen."""
        late = {
            identity: "not all that is delivered there was seen" for identity, made in self._open if missed_by(made)
        }
        return {
            "delivered": [list(one) for one in sorted(self.numbers)],
            "unseen": [[one, why] for one, why in {**late, **self.deaf}.items()],
        }


def first_packets(version: "int") -> "socket.socket":
    """Return a socket of the current namespace that is given each connection's first packet; raises OSError."""
    made = socket.socket(ADDRESS_FAMILY[version], socket.SOCK_RAW, socket.IPPROTO_TCP)
    made.setblocking(False)
    steps = FIRST_PACKETS[version]
    program = array.array("B", b"".join(struct.pack("=HBBI", *step) for step in steps))
    made.setsockopt(
        socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", len(steps), program.buffer_info()[0])
    )  # struct sock_fprog
    widen(made)
    return made


def begins_with(packet: "bytes", version: "int") -> "int | None":
    """Return the number that a connection begins with, from its first packet; None for any other, or one cut short."""
    start = (packet[0] & 15) * 4 if version == 4 and packet else 0
    if len(packet) <= start + FLAGS or packet[start + FLAGS] & (SYN | ACK) != SYN:
        return None
    number: int = struct.unpack_from("!I", packet, start + 4)[0]
    return number
