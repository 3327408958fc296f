"""Values as rules spell them: addresses, ranges, marks, flags, kinds of ICMP; ValueError for what is none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address, ip_network

SERVICES = {"ssh": 22, "http": 80, "https": 443, "domain": 53, "smtp": 25, "ftp": 21, "mysql": 3306}
FLAGS = frozenset({"SYN", "ACK", "FIN", "RST", "URG", "PSH"})
PACKET_TYPES = {"host": "unicast", "other": "otherhost"}
ICMP_NAMES = {
    "any": (255, 0, 255),
    "echo-reply": (0, 0, 255),
    "pong": (0, 0, 255),
    "destination-unreachable": (3, 0, 255),
    "echo-request": (8, 0, 255),
    "ping": (8, 0, 255),
    "time-exceeded": (11, 0, 255),
}
DSCP = {"CS0": 0, "CS1": 8, "CS2": 16, "CS3": 24, "CS4": 32, "CS5": 40, "CS6": 48, "CS7": 56, "EF": 46, "BE": 0}


def number(text: str) -> int:
    """Return a number in decimal or hexadecimal."""
    return int(text, 0)


@lru_cache(maxsize=1 << 14)
def span_of(text: str) -> tuple[int, int, int]:
    """Return an address, a network or a range `A-B` as its IP version, its first and its last address as numbers."""
    first, dash, last = text.partition("-")
    if dash:
        low, high = ip_address(first), ip_address(last)
        return low.version, int(low), int(high)
    network = ip_network(text, strict=False)
    return network.version, int(network.network_address), int(network.broadcast_address)


def spans(values: Sequence[str]) -> list[tuple[int, int]]:
    """Return numbers and ranges `A:B` or `A-B`, several of them in a text with commas between."""
    found = []
    for part in (part for value in values for part in value.split(",")):
        low, colon, high = part.replace("-", ":").partition(":")
        first = port(low) if low else 0
        found.append((first, (port(high) if high else 65535) if colon else first))
    return found


def port(text: str) -> int:
    """Return a port's number; rules may name the service."""
    return SERVICES[text] if text in SERVICES else number(text)


def masked(text: str, default: int = 0xFFFFFFFF) -> tuple[int, int]:
    """Return `VALUE/MASK` as numbers."""
    value, slash, mask = text.partition("/")
    return number(value), number(mask) if slash else default


def flags(text: str) -> frozenset[str]:
    """Return TCP flags from `SYN,ACK`, `ALL` or `NONE`."""
    wanted = text.upper()
    if wanted == "ALL":
        return FLAGS
    return frozenset() if wanted == "NONE" else frozenset(wanted.split(","))


def icmp(text: str) -> tuple[int, int, int]:
    """Return an ICMP type, and the first and last code of it: `8`, `3/1`, `echo-request`."""
    if text in ICMP_NAMES:
        return ICMP_NAMES[text]
    kind, slash, code = text.partition("/")
    low, dash, high = code.partition(":")
    if not slash:
        return number(kind), 0, 255
    return number(kind), number(low), number(high) if dash else number(low)


def dscp(text: str) -> int:
    """Return a DSCP from its number or the name of its class."""
    name = text.upper()
    if name.startswith("AF") and len(name) == 4:
        return int(name[2]) * 8 + int(name[3]) * 2
    return DSCP[name] if name in DSCP else number(text)
