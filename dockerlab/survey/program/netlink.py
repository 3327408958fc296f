"""Ask the kernel by netlink: a request, and the messages that answer it.

Part of the program that looks: standard library only, and Python 3.6 must run it.
"""

import os
import socket
import struct
from typing import Iterator, Tuple

ROUTE, SOCK_DIAG, NETFILTER = 0, 4, 12
DUMP = 0x301
"""NLM_F_REQUEST | NLM_F_DUMP."""
DONE, ERROR = 3, 2
PATIENCE = 5

Message = Tuple[int, bytes]  # noqa: UP006 - Python 3.6
"""A message's type, and what is behind its header."""


def dump(protocol: "int", kind: "int", request: "bytes") -> "list[Message]":
    """Return all that the kernel lists for a request in this thread's namespace; raises OSError where it refuses."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol) as talk:
        talk.settimeout(PATIENCE)
        talk.bind((0, 0))
        talk.send(struct.pack("=IHHII", 16 + len(request), kind, DUMP, 1, 0) + request)
        found = []  # type: list[Message]
        while True:
            for message, content in split(talk.recv(1 << 16)):
                if message == DONE:
                    return found
                if message == ERROR:
                    number = -struct.unpack_from("=i", content)[0]
                    raise OSError(number, os.strerror(number))
                found.append((message, content))


def split(data: "bytes") -> "Iterator[Message]":
    """Yield the messages of one answer."""
    while len(data) >= 16:
        size, kind = struct.unpack_from("=IH", data)
        if size < 16:
            return
        yield kind, data[16:size]
        data = data[(size + 3) & ~3 :]


def attributes(data: "bytes") -> "dict[int, bytes]":
    """Return the attributes of a message by their numbers."""
    found = {}  # type: dict[int, bytes]
    while len(data) >= 4:
        size, kind = struct.unpack_from("=HH", data)
        if size < 4:
            break
        found[kind & 0x3FFF] = data[4:size]
        data = data[(size + 3) & ~3 :]
    return found
