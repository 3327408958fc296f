"""What one packet of ours and its answer are known by, whatever NAT makes of their addresses on the way.

An echo request and its reply carry the run's nonce. Of a connection it is the number that it begins with, which we
choose. Part of the program that traces on a host: standard library only, and Python 3.6 must run it.
"""

import errno
import os
import select
import socket
import struct
import time
from typing import Any

from dockerlab.probe import wire
from dockerlab.probe.connections import TCP_QUEUE_SEQ, TCP_REPAIR, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE
from dockerlab.probe.flight import name_of
from dockerlab.probe.namespaces import ADDRESS_FAMILY, Namespace
from dockerlab.trace.netfilter import ICMP, ICMPV6, NETWORK, TCP, TRANSPORT, Sign

PROTOCOL = 0
NONCE_AT = 8 + len(wire.MAGIC)
SYN_AND_ACK, SYN = 0x12, 0x02
PATIENCE = 0.9
"""Seconds that an answer is waited for: after one, the kernel repeats what begins a connection."""


def signs(job: "dict[str, Any]") -> "list[tuple[str, list[Sign]]]":
    """Return the ways that packets of a job go, and what is to be marked on each: request, answer, and by a proxy."""
    version = wire.version_of(job["address"])
    if job["port"] is None:
        nonce = Sign(TRANSPORT, NONCE_AT, bytes.fromhex(job["nonce"]))
        protocol = Sign(PROTOCOL, 0, bytes([ICMP if version == 4 else ICMPV6]))
        return [
            (way, [protocol, Sign(TRANSPORT, 0, bytes([kinds[version]])), nonce])
            for way, kinds in (("request", wire.ECHO_REQUEST), ("answer", wire.ECHO_REPLY))
        ]
    tcp, began = Sign(PROTOCOL, 0, bytes([TCP])), job["began"]
    found = [
        ("request", [tcp, Sign(TRANSPORT, 4, struct.pack("!I", began))]),
        ("answer", [tcp, Sign(TRANSPORT, 8, struct.pack("!I", (began + 1) & 0xFFFFFFFF))]),
    ]
    for index, (address, port) in enumerate(job["behind"]):
        beginning = Sign(TRANSPORT, 13, bytes([SYN]), bytes([SYN_AND_ACK]))
        to = Sign(NETWORK, 16 if wire.version_of(address) == 4 else 24, wire.packed(address))
        found.append(("proxied%d" % index, [tcp, beginning, Sign(TRANSPORT, 2, struct.pack("!H", port)), to]))  # noqa: UP031 - Python 3.6
    return found


def send(namespace: "Namespace", job: "dict[str, Any]") -> "str":
    """Send the packet of a job from a namespace; return what came of it: `answered`, `silent` or an error's name.

    Raises OSError where it could not be sent.
    """
    return _ping(namespace, job) if job["port"] is None else _connection(namespace, job)


def _ping(namespace: "Namespace", job: "dict[str, Any]") -> "str":
    version, nonce = wire.version_of(job["address"]), bytes.fromhex(job["nonce"])
    namespace.send_echo(wire.echo_request(version, nonce, wire.Stamp(0, 0)), job["address"])
    end = time.monotonic() + PATIENCE
    while True:
        left = end - time.monotonic()
        if left <= 0 or not select.select([namespace.raw[version]], [], [], left)[0]:
            return "silent"
        packet = namespace.raw[version].recv(2048)
        found = wire.read_icmp(wire.strip_ip_header(packet, 4) if version == 4 else packet, version, nonce)
        if found is not None and found.kind != "request":
            return "answered" if found.kind == "reply" else found.kind


def _connection(namespace: "Namespace", job: "dict[str, Any]") -> "str":
    namespace.enter()
    made = socket.socket(ADDRESS_FAMILY[wire.version_of(job["address"])], socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        begin_with(made, job["began"])
        number = made.connect_ex((job["address"], job["port"]))
        if number not in (0, errno.EINPROGRESS):
            raise OSError(number, os.strerror(number))
        if not select.select([], [made], [], PATIENCE)[1]:
            return "silent"
        number = made.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        return name_of(number) if number else "answered"
    finally:
        made.close()


def begin_with(made: "socket.socket", began: "int") -> "None":
    """Let a connection begin with a number that we choose; raises OSError where the kernel does not allow it.

    On a new socket the number is 0, for which connect picks another; it takes one that is there (tcp_v4_connect).
    """
    signed = began - (1 << 32) if began >> 31 else began
    made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
    made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR_QUEUE, TCP_SEND_QUEUE)
    made.setsockopt(socket.IPPROTO_TCP, TCP_QUEUE_SEQ, signed)
    made.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 0)
