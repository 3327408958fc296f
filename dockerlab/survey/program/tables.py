"""Which tables of rules a network namespace has, asked of the kernel itself: most have none, and need no program.

Part of the program that looks: standard library only, and Python 3.6 must run it.
"""

import errno
import socket
import struct

NETLINK_NETFILTER = 12
GET_TABLES = 10 << 8 | 1
"""NFT_MSG_GETTABLE of subsystem NFNL_SUBSYS_NFTABLES (<linux/netfilter/nfnetlink.h>)."""
REQUEST_DUMP = 0x301
DONE, ERROR = 3, 2
NAME = 1
FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}
NONE_THERE = (errno.ENOENT, errno.EOPNOTSUPP, errno.EPROTONOSUPPORT, errno.EINVAL, errno.EAFNOSUPPORT)
"""What a kernel without nf_tables says."""


def tables() -> "list[tuple[str, str]] | None":
    """Return the family and the name of each table of nftables here; None where the kernel does not tell."""
    try:
        return _asked()
    except OSError as error:
        return [] if error.errno in NONE_THERE else None


def _asked() -> "list[tuple[str, str]]":
    found = []  # type: list[tuple[str, str]]
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER) as talk:
        talk.settimeout(5)
        talk.bind((0, 0))
        talk.send(struct.pack("=IHHIIBBH", 20, GET_TABLES, REQUEST_DUMP, 1, 0, 0, 0, 0))
        while True:
            data = talk.recv(1 << 16)
            while len(data) >= 16:
                size, kind, _, _, _ = struct.unpack_from("=IHHII", data)
                if kind == DONE or size < 16:
                    return found
                if kind == ERROR:
                    number = -struct.unpack_from("=i", data, 16)[0]
                    raise OSError(number, "the kernel does not list its tables")
                found.append((FAMILIES.get(data[16], str(data[16])), _name(data[20:size])))
                data = data[(size + 3) & ~3 :]


def _name(attributes: "bytes") -> "str":
    while len(attributes) >= 4:
        size, kind = struct.unpack_from("=HH", attributes)
        if kind & 0x3FFF == NAME:
            return attributes[4:size].rstrip(b"\0").decode("utf-8", "replace")
        attributes = attributes[max(4, (size + 3) & ~3) :]
    return ""
