"""What a network namespace has of rules, asked of the kernel itself: most have none, and need no program.

Part of the program that looks: standard library only, and Python 3.6 must run it.
"""

import errno
import socket
import struct

from dockerlab.survey.program.netlink import NETFILTER, ROUTE, attributes, dump

GET_TABLES = 10 << 8 | 1
"""NFT_MSG_GETTABLE of subsystem NFNL_SUBSYS_NFTABLES (<linux/netfilter/nfnetlink.h>)."""
NAME = 1
FAMILIES = {1: "inet", 2: "ip", 3: "arp", 5: "netdev", 7: "bridge", 10: "ip6"}
NONE_THERE = (errno.ENOENT, errno.EOPNOTSUPP, errno.EPROTONOSUPPORT, errno.EINVAL, errno.EAFNOSUPPORT)
"""What a kernel without nf_tables says."""

GET_RULES = 34
"""RTM_GETRULE."""
PRIORITY, PROTOCOL, TABLE, SUPPRESS_PREFIX = 6, 21, 15, 14
TO_TABLE, MAIN, LOCAL = 1, 254, 255
USUAL = [(0, LOCAL), (32766, MAIN)]
NOTHING = struct.pack("=I", 0xFFFFFFFF)


def tables() -> "list[tuple[str, str]] | None":
    """Return the family and the name of each table of nftables here; None where the kernel does not tell."""
    try:
        found = dump(NETFILTER, GET_TABLES, bytes(4))
    except OSError as error:
        return [] if error.errno in NONE_THERE else None
    return [(FAMILIES.get(said[0], str(said[0])), _name(attributes(said[4:]))) for _, said in found]


def _name(told: "dict[int, bytes]") -> "str":
    return told.get(NAME, b"").rstrip(b"\0").decode("utf-8", "replace")


def usual_rules6() -> "bool":
    """Tell whether IPv6 has the rules here that every namespace has from its start, and no other.

    They are `0: from all lookup local` and `32766: from all lookup main`.
    """
    try:
        found = dump(ROUTE, GET_RULES, struct.pack("=B11x", socket.AF_INET6))
    except OSError:
        return False
    return [_plain(said) for _, said in found] == USUAL


def _plain(said: "bytes") -> "tuple[int, int] | None":
    """Return the priority and the table of a rule without any condition; None for another."""
    _, to, from_, tos, table, _, _, action, flags = struct.unpack_from("=BBBBBBBBI", said)
    told = attributes(said[12:])
    odd = set(told) - {PRIORITY, PROTOCOL, TABLE, SUPPRESS_PREFIX}
    suppressing = told.get(SUPPRESS_PREFIX, NOTHING) != NOTHING
    if to or from_ or tos or flags or action != TO_TABLE or odd or suppressing:
        return None
    return struct.unpack("=I", told.get(PRIORITY, bytes(4)))[0], table
