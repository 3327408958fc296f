"""Who waits for connections and datagrams in a network namespace: addresses, ports, and the sockets' numbers.

Part of the program that looks: standard library only, and Python 3.6 must run it. The kernel's own diagnosis lists the
sockets that wait, and knows to which interface one is bound; the files of /proc walk through all connections of the
machine for that. They serve where the diagnosis cannot be had.
"""

import socket
import struct
import sys

from dockerlab.survey.program.asking import Json
from dockerlab.survey.program.netlink import SOCK_DIAG, dump

WAITING = {"tcp": 10, "udp": 7}
"""The states in which a socket waits: TCP_LISTEN, and TCP_CLOSE of one of UDP that is not connected."""
KINDS = ("tcp", "udp")
NUMBERS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}
FAMILIES = {"": socket.AF_INET, "6": socket.AF_INET6}
"""By what the files of /proc are called."""
BY_FAMILY = 20
"""SOCK_DIAG_BY_FAMILY of <linux/sock_diag.h>."""


def sockets_of(net: "str", protocols: "tuple[str, ...]" = KINDS, *, entered: "bool") -> "Json":
    """Return who waits here, or why nobody knows; `net` is the folder of /proc that tells of this namespace."""
    found = []  # type: list[Json]
    reason = "its process has ended"
    for protocol in protocols:
        for suffix in FAMILIES:
            try:
                rows = diagnosed(protocol, suffix) if entered else None
                found += listed(net, protocol, suffix) if rows is None else rows
            except FileNotFoundError:
                continue  # a kernel without IPv6, or all are missing: the process has ended
            except OSError as error:
                return {"sockets": [], "deaf": str(error)}
            reason = ""
    return {"sockets": found, "deaf": reason}


def diagnosed(protocol: "str", suffix: "str") -> "list[Json] | None":
    """Return what the kernel's diagnosis says of the sockets of one kind; None where it says nothing."""
    family = FAMILIES[suffix]
    wanted = struct.pack("=BBBBI48x", family, NUMBERS[protocol], 0, 0, 1 << WAITING[protocol])
    found = []  # type: list[Json]
    try:
        for _, said in dump(SOCK_DIAG, BY_FAMILY, wanted):
            (port,) = struct.unpack_from(">H", said, 4)
            address = socket.inet_ntop(family, said[8 : 12 if family == socket.AF_INET else 24])
            index, inode = (struct.unpack_from("=I", said, at)[0] for at in (40, 68))
            row = {"protocol": protocol, "address": address, "port": port, "inode": inode}  # type: Json
            found.append(dict(row, device=socket.if_indextoname(index)) if index else row)
    except OSError:
        return None
    return found


def listed(net: "str", protocol: "str", suffix: "str") -> "list[Json]":
    """Return what the file of /proc says of the sockets of one kind; raises OSError where there is none."""
    with open(f"{net}/{protocol}{suffix}", encoding="ascii") as lines:
        rows = [line.split() for line in lines][1:]
    found = []  # type: list[Json]
    for row in rows:
        address, _, port = row[1].partition(":")
        if int(row[3], 16) == WAITING[protocol]:
            where = {"protocol": protocol, "address": spelled(address), "port": int(port, 16)}  # type: Json
            found.append(dict(where, inode=int(row[9])))
    return found


def spelled(address: "str") -> "str":
    """Return an address as people write it; the kernel's tables have it in words of the machine's own byte order."""
    words = [bytes.fromhex(address[start : start + 8]) for start in range(0, len(address), 8)]
    raw = b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)
