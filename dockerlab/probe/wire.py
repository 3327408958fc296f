"""Build and read what the agent sends and hears: echo packets, ICMP errors, DNS messages, resolver files.

Pure functions of bytes and text. Part of the agent's program: standard library only, and Python 3.6 must run it, hence
the quoted annotations.
"""

import ipaddress
import socket
import struct
from typing import NamedTuple

MAGIC = b"dockerlab"
NONCE_SIZE = 16
MARK_SIZE = 8
TAIL = struct.Struct("!IB8s")
STAMP_SIZE = len(MAGIC) + NONCE_SIZE + TAIL.size

ECHO_REQUEST = {4: 8, 6: 128}
ECHO_REPLY = {4: 0, 6: 129}
ERRORS = {
    4: {3: "unreachable", 11: "time exceeded"},
    6: {1: "unreachable", 2: "too big", 3: "time exceeded"},
}
IP_HEADER = {4: 20, 6: 40}
"""Bytes, without options."""

TYPE_A = 1
TYPE_AAAA = 28
NO_SUCH_NAME = 3
"""The response code that RFC 1035 calls Name Error, and everybody NXDOMAIN."""
LONGEST_LABEL = 63


class Stamp(NamedTuple):
    """What an echo packet of ours carries: the number of its cell, which try it was (from 0), and the try's mark.

    Whoever sends it draws the mark, and nobody else is told: only where the packet came is it known.
    """

    cell: int
    attempt: int
    mark: bytes = bytes(MARK_SIZE)


class Icmp(NamedTuple):
    """A received ICMP packet: `stamp` is that of the packet itself or, in an error, of the packet it is about."""

    kind: str
    code: int
    stamp: "Stamp"


def checksum(data: "bytes") -> "int":
    """Return the Internet checksum (RFC 1071) of `data`."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def stamp(nonce: "bytes", own: "Stamp") -> "bytes":
    """Return the payload that marks a packet as this run's (`nonce`), this cell's and this try's."""
    return MAGIC + nonce + TAIL.pack(*own)


def read_stamp(payload: "bytes", nonce: "bytes") -> "Stamp | None":
    """Return the stamp that begins `payload`, or None where it is not of this run."""
    mark = MAGIC + nonce
    if len(payload) < STAMP_SIZE or not payload.startswith(mark):
        return None
    return Stamp(*TAIL.unpack_from(payload, len(mark)))


def echo_request(family: "int", nonce: "bytes", own: "Stamp", size: "int" = 0) -> "bytes":
    """Return an ICMP (family 4) or ICMPv6 (family 6) echo request; the kernel fills ICMPv6's checksum in.

    It is padded so that with the IP header it has at least `size` bytes. Each cell has an identifier of its own, as
    each `ping` has: kernels that track connections take its first request for a new one.
    """
    ident = (int.from_bytes(nonce[:2], "big") + own.cell) & 0xFFFF
    sequence = (own.cell * 4 + own.attempt) & 0xFFFF
    payload = stamp(nonce, own).ljust(size - IP_HEADER[family] - 8, b"\0")
    head = struct.pack("!BBHHH", ECHO_REQUEST[family], 0, 0, ident, sequence)
    total = checksum(head + payload) if family == 4 else 0
    return struct.pack("!BBHHH", ECHO_REQUEST[family], 0, total, ident, sequence) + payload


def strip_ip_header(packet: "bytes", family: "int") -> "bytes":
    """Return what follows the IP header: of variable length in IPv4, 40 bytes in IPv6."""
    if not packet:
        return b""
    return packet[(packet[0] & 0x0F) * 4 :] if family == 4 else packet[40:]


def read_icmp(message: "bytes", family: "int", nonce: "bytes") -> "Icmp | None":
    """Return what an ICMP message without its IP header says about this run, or None where it is not about it.

    `kind` is `request`, `reply`, `unreachable`, `time exceeded` or `too big`.
    """
    if len(message) < 8:
        return None
    kind, code = message[0], message[1]
    if kind in ERRORS[family]:
        about = strip_ip_header(message[8:], family)
        if about[:1] != bytes([ECHO_REQUEST[family]]):
            return None  # about somebody's reply: no `ping` takes it for its own either
        name, payload = ERRORS[family][kind], about[8:]
    elif kind in (ECHO_REQUEST[family], ECHO_REPLY[family]):
        name, payload = "request" if kind == ECHO_REQUEST[family] else "reply", message[8:]
    else:
        return None
    found = read_stamp(payload, nonce)
    return Icmp(name, code, found) if found else None


def version_of(address: "str") -> "int":
    """Return 4 or 6, for an IP address: asked once a packet, so it only looks for a colon."""
    return 6 if ":" in address else 4


def is_address(text: "str") -> "bool":
    """Tell whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def packed(address: "str") -> "bytes":
    """Return an address as it stands in packets; raises ValueError where it is none."""
    return ipaddress.ip_address(address).packed


def read_resolv_conf(text: "str") -> "list[str]":
    """Return the addresses of the `nameserver` lines of a resolver file, in order; libc too skips what is none."""
    words = (line.split() for line in text.splitlines())
    return [line[1] for line in words if len(line) > 1 and line[0] == "nameserver" and is_address(line[1])]


def read_hosts(text: "str", name: "str") -> "list[str]":
    """Return the addresses that a hosts file gives to `name`, in order; what is no address gives none."""
    lines = (line.split("#", 1)[0].split() for line in text.splitlines())
    found = [words[0] for words in lines if name.lower() in (word.lower() for word in words[1:])]
    return [address for address in found if is_address(address)]


class DnsAnswer(NamedTuple):
    """A reply to a query of ours: its response code and the addresses in its answer."""

    rcode: int
    addresses: "list[str]"


def dns_query(ident: "int", name: "str", kind: "int") -> "bytes":
    """Return a recursive query for `name`; raises ValueError where that cannot be a DNS name."""
    labels = name.rstrip(".").split(".")
    encoded = [label.encode("utf-8") for label in labels]
    if any(not label or len(label) > LONGEST_LABEL for label in encoded):
        raise ValueError(name + " is not a DNS name")
    question = b"".join(bytes([len(label)]) + label for label in encoded) + b"\0" + struct.pack("!HH", kind, 1)
    return struct.pack("!HHHHHH", ident, 0x0100, 1, 0, 0, 0) + question


def read_dns(message: "bytes", ident: "int", kind: "int") -> "DnsAnswer | None":
    """Return the answer with this identity, or None where `message` is not one (another's, cut short, not DNS)."""
    try:
        got, flags, questions, answers, _, _ = struct.unpack_from("!HHHHHH", message)
        if got != ident or not flags & 0x8000:
            return None
        place = 12
        for _ in range(questions):
            place = _skip_name(message, place) + 4
        addresses = []
        for _ in range(answers):
            place = _skip_name(message, place)
            record, _, _, size = struct.unpack_from("!HHIH", message, place)
            data = message[place + 10 : place + 10 + size]
            place += 10 + size
            if record == kind:
                addresses.append(socket.inet_ntop(socket.AF_INET if kind == TYPE_A else socket.AF_INET6, data))
    except (struct.error, IndexError, ValueError):
        return None
    return DnsAnswer(flags & 0x000F, addresses)


def _skip_name(message: "bytes", place: "int") -> "int":
    """Return where the name at `place` ends; a pointer ends it. Raises IndexError beyond the end."""
    while message[place] != 0:
        if message[place] & 0xC0:
            return place + 2
        place += message[place] + 1
    return place + 1
