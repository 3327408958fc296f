"""What one record of one cell means by itself: system errors, ICMP messages, lost tries, a name server's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from dockerlab.probe.base import (
    BLOCKED,
    FLAKY,
    HOST_UNREACHABLE,
    MTU,
    NO_ROUTE,
    NO_SUCH_NAME,
    REFUSED,
    TIMEOUT,
    WRONG_ANSWERER,
    Cell,
    Observation,
    reachable,
    unknown,
    unreachable,
)
from dockerlab.words import Symptom

ERRNO_SYMPTOMS: dict[str, tuple[Symptom, str]] = {
    "ENETUNREACH": (NO_ROUTE, "the source has no route to the address"),
    "ENETDOWN": (NO_ROUTE, "the source's interface is down"),
    "EADDRNOTAVAIL": (NO_ROUTE, "the source has no address to send from"),
    "EAFNOSUPPORT": (NO_ROUTE, "the source has no IPv6"),
    "EINVAL": (NO_ROUTE, "the source's route to the address is a blackhole"),
    "EHOSTUNREACH": (HOST_UNREACHABLE, "nobody on the way knows the address"),
    "ECONNREFUSED": (REFUSED, "nothing listens on the port"),
    "ECONNRESET": (REFUSED, "the connection was reset"),
    "ETIMEDOUT": (TIMEOUT, ""),
    "EPERM": (BLOCKED, "the source's own firewall drops the packet"),
    "EACCES": (BLOCKED, "a route of the source prohibits the address"),
}

ICMP_MEANINGS = {
    (4, 0): "network unreachable",
    (4, 1): "host unreachable",
    (4, 3): "port unreachable, as a firewall's REJECT says",
    (4, 9): "network prohibited by a firewall",
    (4, 10): "host prohibited by a firewall",
    (4, 13): "prohibited by a firewall",
    (6, 0): "no route",
    (6, 1): "prohibited by a firewall",
    (6, 3): "address unreachable",
    (6, 4): "port unreachable, as a firewall's REJECT says",
}

DNS_FAILURES: dict[int, tuple[Symptom, str]] = {
    2: (TIMEOUT, "could not find out (SERVFAIL)"),
    3: (NO_SUCH_NAME, "says that it does not exist (NXDOMAIN)"),
    5: (REFUSED, "refused the question"),
}


def doubted(record: Mapping[str, Any]) -> Observation | None:
    """Return what else is to be said of a ping that the right one answered, or None.

    The first packet may be lost without any fault, while ARP is under way.
    """
    lost, tries = record.get("lost", ()), record.get("tries", 1)
    if any(attempt > 0 for attempt in lost):
        told = f"answered {tries - len(lost)} of {tries} tries: neither reachable nor unreachable"
        return Observation("unknown", FLAKY, None, told)
    full, size = record.get("full", "answered"), record.get("size")
    if full == "answered":
        return None
    said = f"; {full['by']} says: {full['kind']}" if isinstance(full, dict) else ""
    return unreachable(
        MTU,
        f"small packets pass, one of {size} bytes that must not be cut does not: the MTU on the way is smaller{said}",
    )


def judge_names(cell: Cell, rcode: int, addresses: Sequence[str], server: str, rtt: float | None) -> Observation:
    """Return the observation of a looked-up name from the response code and the addresses that came."""
    if not server:
        return unreachable(NO_SUCH_NAME, "the source's /etc/resolv.conf names no server")
    if rcode in DNS_FAILURES:
        symptom, meaning = DNS_FAILURES[rcode]
        return unreachable(symptom, f"the name server {server} {meaning}")
    if rcode != 0:
        return unknown(f"the name server {server} answered with code {rcode}")
    if not addresses:
        return unreachable(NO_SUCH_NAME, f"the name server {server} has no such address for it")
    known = set(cell.expected)
    strange = {ip_address(address) for address in addresses if address not in known} if known else set()
    others = strange and strange - {ip_address(address) for address in known}
    if others:
        told = ", ".join(sorted(map(str, others)))
        return unreachable(WRONG_ANSWERER, f"{server} says that {cell.name} is {told}")
    return reachable(rtt, f"{', '.join(sorted(set(addresses)))} from {server}")
