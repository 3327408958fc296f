"""Packets as sockets are given them, and the kernel's filters run on them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from ipaddress import ip_address


def tcp_packet(
    source: str, target: str, ports: tuple[int, int], flags: int, sequence: int = 0, acknowledged: int = 0
) -> bytes:
    """Return a TCP packet from its IP header on."""
    one, other = ip_address(source).packed, ip_address(target).packed
    tcp = struct.pack("!HHIIBBHHH", *ports, sequence, acknowledged, 0x50, flags, 0, 0, 0)
    if len(one) == 4:
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, one, other) + tcp
    return struct.pack("!IHBB16s16s", 6 << 28, len(tcp), 6, 64, one, other) + tcp


def filtered(
    steps: Sequence[tuple[int, int, int, int]], data: bytes, ancillary: Mapping[int, int] | None = None
) -> bool:
    """Run a filter on a packet as the kernel does (linux: Documentation/networking/filter.rst)."""
    at, a, x = 0, 0, 0
    while True:
        code, yes, no, k = steps[at]
        at += 1
        if code in (0x30, 0x28):
            known = (ancillary or {}).get(k)
            a = known if known is not None else int.from_bytes(data[k : k + (1 if code == 0x30 else 2)], "big")
        elif code in (0x50, 0x48):
            a = int.from_bytes(data[x + k : x + k + (1 if code == 0x50 else 2)], "big")
        elif code == 0xB1:
            x = (data[k] & 15) * 4
        elif code == 0x01:
            x = k
        elif code == 0x54:
            a &= k
        elif code == 0x06:
            return k > 0
        else:
            at += yes if {0x15: a == k, 0x45: bool(a & k), 0x35: a >= k}[code] else no
