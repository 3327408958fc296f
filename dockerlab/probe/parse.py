"""Read what ping, nc and nslookup print, of whichever make.

Their exit codes differ from make to make (no route is 2 for iputils and 1 for busybox), so only their words count: the
summary first, then messages of the C library, glibc's or musl's. What is not recognised is unknown. Outputs of every
make are recorded in tests/ping.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dockerlab.probe.base import (
    BLOCKED,
    HOST_UNREACHABLE,
    NO_ROUTE,
    REFUSED,
    TIMEOUT,
    Cell,
    Observation,
    reachable,
    unknown,
    unreachable,
)
from dockerlab.probe.meanings import judge_names
from dockerlab.probe.wire import is_address, read_hosts
from dockerlab.words import Symptom

SUMMARY = re.compile(r"(\d{1,9}) packets transmitted, (\d{1,9})(?: packets)? received")
ASKED = re.compile(r"^PING \S*? ?\(([^)\s]+)\)", re.MULTILINE)
ANSWERED = re.compile(r"bytes from (\S+): ")
RTT = re.compile(r"time[=<](\d{1,9}(?:\.\d{1,9})?) ?ms")
CONNECTED = re.compile(r"\bopen$|\bsucceeded!", re.MULTILINE)
NAME_SERVER = re.compile(r"^Server:\s*(\S+)", re.MULTILINE)
NAME_ADDRESS = re.compile(r"^Address(?: \d+)?:\s*([0-9a-fA-F.:]+)", re.MULTILINE)

ERRORS: tuple[tuple[re.Pattern[str], Symptom | None], ...] = (
    (re.compile(r"No buffer space available|Resource temporarily unavailable", re.IGNORECASE), None),
    (re.compile(r"Destination (?:Host|Net|Port) (?:Unreachable|Prohibited)"), HOST_UNREACHABLE),
    (
        re.compile(r"Packet filtered|Communication prohibited|administratively prohibited", re.IGNORECASE),
        HOST_UNREACHABLE,
    ),
    (re.compile(r"Time to live exceeded", re.IGNORECASE), HOST_UNREACHABLE),
    (re.compile(r"No route to host|Host is unreachable|host unreachable", re.IGNORECASE), HOST_UNREACHABLE),
    (
        re.compile(
            r"Network (?:is )?unreachable|(?:Cannot assign requested address|Address not available)", re.IGNORECASE
        ),
        NO_ROUTE,
    ),
    (re.compile(r"(?:sendto|sendmsg): Operation not permitted"), BLOCKED),
    (re.compile(r"Connection refused", re.IGNORECASE), REFUSED),
    (re.compile(r"timed out", re.IGNORECASE), TIMEOUT),
)
"""What the messages mean; None is a failure of the source's machine, which says nothing about the way."""

RCODES = (
    ("NXDOMAIN", 3),
    ("Name does not resolve", 3),
    ("Name or service not known", 3),
    ("SERVFAIL", 2),
    ("REFUSED", 5),
    ("No answer", 0),
)


def parse_ping(text: str) -> Observation:
    """Return what one or more runs of ping tell: reachable as soon as one echo request was answered.

    busybox takes every reply with its own number for its own, and in another PID namespace the same number can be
    another ping's: a reply from an address that was not asked tells nothing.
    """
    asked, answered = set(ASKED.findall(text)), set(ANSWERED.findall(text))
    if asked and answered and not asked & answered:
        return unknown(f"not tested: ping heard only the reply to somebody else's request, from {' '.join(answered)}")
    runs = [(int(sent), int(received)) for sent, received in SUMMARY.findall(text)]
    if any(received for _, received in runs):
        rtt = RTT.search(text)
        return reachable(float(rtt.group(1)) if rtt else None)
    return _error(text) or (unreachable(TIMEOUT) if any(sent for sent, _ in runs) else _not_understood(text))


def parse_nc(text: str) -> Observation:
    """Return what nc tells about one TCP connection."""
    return reachable() if CONNECTED.search(text) else _error(text) or _not_understood(text)


def parse_nslookup(text: str, cell: Cell, hosts: str = "") -> Observation:
    """Return what nslookup tells about the cell's name, or the source's hosts file, which a C library reads first."""
    known = _of_family(read_hosts(hosts, cell.name or ""), cell)
    if known:
        return judge_names(cell, 0, known, "/etc/hosts", None)
    found = NAME_SERVER.search(text)
    server = found.group(1) if found else "of the source"
    answer = text.partition("Name:")[2]
    addresses = _of_family(NAME_ADDRESS.findall(answer), cell)
    if addresses:
        return judge_names(cell, 0, addresses, server, None)
    rcode = next((code for sign, code in RCODES if sign in text), 0 if answer else None)
    if rcode is not None:
        return judge_names(cell, rcode, (), server, None)
    return _error(text) or _not_understood(text)


def _of_family(addresses: Sequence[str], cell: Cell) -> list[str]:
    """Return the addresses of the family that the cell asks about: IPv6 where only such are expected."""
    wants_ipv6 = bool(cell.expected) and all(":" in address for address in cell.expected)
    return [address for address in addresses if (":" in address) == wants_ipv6 and is_address(address)]


def _error(text: str) -> Observation | None:
    """Return the observation of the first message that is known, or None."""
    for pattern, symptom in ERRORS:
        found = pattern.search(text)
        if found:
            line = next(line for line in text.splitlines() if found.group() in line).strip()
            return unknown(f"not tested: {line}") if symptom is None else unreachable(symptom, line)
    return None


def _not_understood(text: str) -> Observation:
    """Return unknown, with the last line that the program printed."""
    lines = text.strip().splitlines()
    return unknown(f"not tested: {lines[-1].strip()[:200]}" if lines else "not tested: the program printed nothing")
