"""See who takes a connection: the TCP packets that open and end one, as they pass where it has to arrive.

A connection to a published port is accepted by whoever stands at the host's door, such as a docker-proxy, also where
nobody is at home behind it. A container took it when its own kernel answered it. NAT keeps the number with which a
connection begins (the initial sequence number, RFC 9293), so one that a host's rules led on is recognised by that;
a proxy makes a connection of its own. Part of the agent's program: standard library only, and Python 3.6 must run it.
"""

import array
import contextlib
import os
import selectors
import socket
import struct
from typing import Any

from dockerlab.probe.namespaces import Namespace, missed_by, read_text, widen

ASKED, ANSWERED, REFUSED, USED = 1, 2, 4, 8
"""What is known of a connection: it was asked for, answered (SYN-ACK), refused (RST); both ends had it, for one ended
it (FIN): who only accepts a connection that its other end never confirms has no end to tell."""

FIN, SYN, RST, ACK = 1, 2, 4, 16
ETH_P_ALL = 3
SO_ATTACH_FILTER = 26
LOOPBACK, OUTGOING = 772, 4
"""ARPHRD_LOOPBACK and PACKET_OUTGOING: what kind of interface a packet passes, and in which direction."""
KIND_OF_INTERFACE, DIRECTION = 0xFFFFF000 + 28, 0xFFFFF000 + 4
"""Where a filter finds them (SKF_AD_HATYPE, SKF_AD_PKTTYPE of linux/filter.h)."""
LOAD_BYTE, LOAD_HALF, LOAD_BYTE_BEHIND, LOAD_HALF_BEHIND = 0x30, 0x28, 0x50, 0x48
INDEX, INDEX_BY_HEADER, AND, RETURN = 0x01, 0xB1, 0x54, 0x06
JUMP_EQUAL, JUMP_SET, JUMP_AT_LEAST = 0x15, 0x45, 0x35
"""The steps of a filter; what is `BEHIND` is so many bytes behind the IP header, whose length is the index."""
MOST_PORTS = 200
"""A jump leads at most 255 steps on: for more ports, all are passed."""
HEADERS = 128


class Watches:
    """The namespaces that somebody's door leads to, watched while cells are asked; `deaf` says why one is not."""

    def __init__(self, selector: "selectors.BaseSelector") -> None:
        self._selector = selector
        self._watches: dict[int, Watch] = {}
        self.deaf: dict[int, str] = {}

    def open(self, namespaces: "dict[int, Namespace]", wanted: "list[tuple[int, list[int]]]") -> "None":
        """Watch connections to ports of namespaces, each by its number."""
        ports: dict[int, set[int]] = {}
        for identity, some in wanted:
            ports.setdefault(identity, set()).update(some)
        for identity, all_of_them in ports.items():
            self._open(identity, Watch(namespaces[identity], all_of_them))

    def _open(self, identity: "int", watch: "Watch") -> "None":
        try:
            watch.open()
        except OSError as error:
            self.deaf[identity] = f"its packets cannot be watched: {error.strerror}"
        else:
            self._watches[identity] = watch
            self._selector.register(watch.socket, selectors.EVENT_READ, (watch.hear,))

    def report(self) -> "dict[str, Any]":
        """Return what was seen, and where not all of it was."""
        late = {one: "not all of its packets were seen" for one, watch in self._watches.items() if watch.missed()}
        return {
            "knocks": [[one, *key, what] for one, watch in self._watches.items() for key, what in watch.knocks.items()],
            "deaf": [[one, why] for some in (late, self.deaf) for one, why in some.items()],
        }


class Watch:
    """What passes a namespace's interfaces of connections to some of its ports.

    `knocks` is by port and initial sequence number: what is known of the connection.
    """

    def __init__(self, namespace: "Namespace | None", ports: "set[int]") -> None:
        self._namespace = namespace
        self.ports = frozenset(ports)
        self.knocks: dict[tuple[int, int], int] = {}
        self._numbers: dict[tuple[bytes, int, int], int] = {}

    def open(self) -> "None":
        """Begin to watch; leaves the calling thread in the namespace, and raises OSError where that is not possible."""
        if self._namespace is not None:
            self._namespace.enter()
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL))
        self.socket.setblocking(False)
        widen(self.socket)
        steps = openings(sorted(self.ports))
        program = array.array("B", b"".join(struct.pack("=HBBI", *step) for step in steps))
        head = struct.pack("@HP", len(steps), program.buffer_info()[0])  # struct sock_fprog
        self.socket.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, head)
        self._read()  # what came before the filter was there

    def hear(self) -> "None":
        """Note every packet that waits."""
        for packet in self._read():
            self.note(packet)

    def _read(self) -> "list[bytes]":
        packets = []
        with contextlib.suppress(BlockingIOError):
            while True:
                packets.append(self.socket.recv(HEADERS))
        return packets

    def note(self, packet: "bytes") -> "None":
        """Note one packet, from its IP header on."""
        found = read_tcp(packet)
        if found is None:
            return
        source, target, from_port, to_port, sequence, acknowledged, flags = found
        outgoing = from_port in self.ports and (to_port not in self.ports or bool(flags & ACK))
        peer = (target, to_port, from_port) if outgoing else (source, from_port, to_port)
        if flags & SYN and not flags & ACK and not outgoing:
            self._numbers[peer] = sequence
            self._add(to_port, sequence, ASKED)
        elif outgoing and flags & (SYN | RST) and flags & ACK and peer in self._numbers:
            number = self._numbers[peer]
            if (number + 1) & 0xFFFFFFFF == acknowledged:
                self._add(from_port, number, ANSWERED if flags & SYN else REFUSED)
        elif flags & FIN and peer in self._numbers:
            self._add(peer[2], self._numbers[peer], USED)

    def _add(self, port: "int", number: "int", what: "int") -> "None":
        self.knocks[port, number] = self.knocks.get((port, number), 0) | what

    def missed(self) -> "int":
        """Return how many packets the kernel had no room for."""
        return missed_by(self.socket)


def openings(ports: "list[int]") -> "list[tuple[int, int, int, int]]":
    """Return the filter (classic BPF) that passes SYN, FIN and RST to these ports from elsewhere, and from them.

    It begins at the IP header, as packets of this kind of socket do. Each step is as in linux/filter.h: what it does,
    how many steps it leaves out if so and if not, and a number.
    """
    port = [("", JUMP_EQUAL, "yes", "", number) for number in ports]
    if len(ports) > MOST_PORTS:
        port = [("", JUMP_AT_LEAST, "yes", "yes", 0)]
    return assembled(
        [
            ("", LOAD_HALF, "", "", KIND_OF_INTERFACE),
            ("", JUMP_EQUAL, "no", "", LOOPBACK),
            ("", LOAD_BYTE, "", "", 0),
            ("", AND, "", "", 0xF0),
            ("", JUMP_EQUAL, "six", "", 0x60),
            ("", LOAD_BYTE, "", "", 9),
            ("", JUMP_EQUAL, "", "no", socket.IPPROTO_TCP),
            ("", LOAD_HALF, "", "", 6),
            ("", JUMP_SET, "no", "", 0x1FFF),  # a later fragment has no TCP header
            ("", INDEX_BY_HEADER, "", "", 0),
            ("", JUMP_AT_LEAST, "flags", "flags", 0),
            ("six", LOAD_BYTE, "", "", 6),
            ("", JUMP_EQUAL, "", "no", socket.IPPROTO_TCP),
            ("", INDEX, "", "", 40),
            ("flags", LOAD_BYTE_BEHIND, "", "", 13),
            ("", JUMP_SET, "", "no", FIN | SYN | RST),
            ("", LOAD_HALF, "", "", DIRECTION),
            ("", JUMP_EQUAL, "leaves", "", OUTGOING),
            ("", LOAD_HALF_BEHIND, "", "", 2),
            ("", JUMP_AT_LEAST, "port", "port", 0),
            ("leaves", LOAD_HALF_BEHIND, "", "", 0),
            ("port", AND, "", "", 0xFFFF),
            *port,
            ("no", RETURN, "", "", 0),
            ("yes", RETURN, "", "", HEADERS),
        ]
    )


def assembled(lines: "list[tuple[str, int, str, str, int]]") -> "list[tuple[int, int, int, int]]":
    """Return steps with names for the places that they jump to, as the kernel takes them."""
    at = {line[0]: number for number, line in enumerate(lines)}

    def over(number: "int", name: "str") -> "int":
        return at[name] - number - 1 if name else 0

    return [(code, over(n, yes), over(n, no), value) for n, (_, code, yes, no, value) in enumerate(lines)]


def read_tcp(packet: "bytes") -> "tuple[bytes, bytes, int, int, int, int, int] | None":
    """Return addresses, ports, numbers and flags of a TCP packet, from its IP header on; None where it is cut short."""
    if not packet:
        return None
    if packet[0] >> 4 == 4:
        source, target, start = packet[12:16], packet[16:20], (packet[0] & 15) * 4
    else:
        source, target, start = packet[8:24], packet[24:40], 40
    if len(packet) < start + 14:
        return None
    from_port, to_port, sequence, acknowledged = struct.unpack_from("!HHII", packet, start)
    return source, target, from_port, to_port, sequence, acknowledged, packet[start + 13]


def proxied_ports() -> "list[int]":
    """Return the TCP ports at which a docker-proxy of this host stands, as their command lines say."""
    found = set()
    for name in filter(str.isdigit, os.listdir("/proc")):  # noqa: PTH208 - a minimal Python has no pathlib
        try:
            words = read_text("/proc/" + name + "/cmdline").split("\0")
        except OSError:
            continue  # it has ended
        said = dict(zip(words, words[1:]))  # noqa: B905, RUF007 - Python 3.6
        if words[0].endswith("docker-proxy") and said.get("-proto") == "tcp":
            found.add(int(said.get("-host-port", "0")))
    return sorted(found)
