"""Which sockets are bound to an interface: /proc does not tell, the kernel's own diagnosis does.

Part of the program that looks: standard library only, and Python 3.6 must run it.
"""

import socket
import struct

NETLINK_SOCK_DIAG = 4
BY_FAMILY = 20
"""SOCK_DIAG_BY_FAMILY of <linux/sock_diag.h>."""
REQUEST_DUMP = 0x301
DONE, ERROR = 3, 2
WAITING = {socket.IPPROTO_TCP: 1 << 10, socket.IPPROTO_UDP: 1 << 7}
"""The states in which a socket waits for whoever comes: TCP_LISTEN, and TCP_CLOSE of one that is not connected."""
INTERFACE, INODE = 16 + 40, 16 + 68
"""Where struct inet_diag_msg has them, behind the header of a message."""


def devices() -> "dict[int, str]":
    """Return the interface of each waiting socket of this namespace that is bound to one, by the socket's number.

    A kernel that cannot tell has none here.
    """
    found = {}  # type: dict[int, int]
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as talk:
            talk.settimeout(5)
            for family in (socket.AF_INET, socket.AF_INET6):
                for protocol, states in WAITING.items():
                    found.update(_asked(talk, family, protocol, states))
        return {inode: socket.if_indextoname(index) for inode, index in found.items()}
    except OSError:
        return {}


def _asked(talk: "socket.socket", family: "int", protocol: "int", states: "int") -> "dict[int, int]":
    """Return the bound sockets of one kind: the socket's number, and the interface's."""
    found = {}  # type: dict[int, int]
    wanted = struct.pack("=BBBBI48x", family, protocol, 0, 0, states)
    talk.send(struct.pack("=IHHII", 16 + len(wanted), BY_FAMILY, REQUEST_DUMP, 1, 0) + wanted)
    while True:
        data = talk.recv(1 << 16)
        while len(data) >= 16:
            size, kind = struct.unpack_from("=IH", data)
            if kind in (DONE, ERROR) or size < 16:
                return found
            if size >= INODE + 4:
                index, inode = (struct.unpack_from("=I", data, at)[0] for at in (INTERFACE, INODE))
                if index:
                    found[inode] = index
            data = data[(size + 3) & ~3 :]
