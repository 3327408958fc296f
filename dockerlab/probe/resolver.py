"""Look names up as the C library of a source would, many at once.

Part of the agent's program: standard library only, and Python 3.6 must run it.
"""

import os
import socket
from typing import Any, NamedTuple

from dockerlab.probe import wire
from dockerlab.probe.namespaces import Namespace, read_as


class Book(NamedTuple):
    """What a source's own files say: its hosts file, and the name servers of its resolver file, in order."""

    hosts: "str"
    servers: "list[str]"


def open_book(pid: "int") -> "Book":
    """Return the files of a process (0: of this program); raises ValueError where it has no resolver file."""
    try:
        hosts = read_as(pid, "/etc/hosts")
    except OSError:
        hosts = ""  # an image need not have one
    try:
        return Book(hosts, wire.read_resolv_conf(read_as(pid, "/etc/resolv.conf")))
    except OSError as error:
        message = f"cannot read the source's /etc/resolv.conf: {error.strerror}"
        raise ValueError(message) from error


class Line:
    """A socket of one namespace to one name server, for all that is asked there; raises OSError where it cannot be had.

    `asked` holds who asked, by the identity of the question. There are 65,536 of those: an older one is given again.
    """

    def __init__(self, namespace: "Namespace", server: "str") -> None:
        self.server = server
        self.asked: dict[int, Any] = {}
        self._last = 0
        self.socket, number = namespace.connected(socket.SOCK_DGRAM, server, 53)
        if number:
            self.socket.close()
            raise OSError(number, os.strerror(number))

    def enter(self, asker: "Any") -> "int":
        """Return an identity for a question."""
        self._last = (self._last + 1) & 0xFFFF
        self.asked[self._last] = asker
        return self._last

    def ask(self, ident: "int", name: "str", kind: "int") -> "None":
        """Send a question; raises OSError, and ValueError for what is no name."""
        self.socket.send(wire.dns_query(ident, name, kind))

    def hear(self) -> "bytes | None":
        """Return the next message, None when there is none; raises OSError where nobody serves names."""
        try:
            return self.socket.recv(4096)
        except BlockingIOError:
            return None
