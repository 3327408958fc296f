"""Conditions whose options belong together: kinds of addresses, the reverse path, policies, programs, and the rest."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.rules import Match, Rule
from dockerlab.walk.conntrack import conntrack
from dockerlab.walk.matching import Test, every, negated, unknown
from dockerlab.walk.packet import Packet
from dockerlab.walk.routing import Query
from dockerlab.walk.sets import match_set

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space

Make = Callable[["Space", Rule, Sequence[Match], str], Test | None]


def addrtype(space: Space, _rule: Rule, matches: Sequence[Match], backend: str) -> Test | None:
    """Return what kind of addresses a packet must bear, as routes have it (`addrtype_mt_v1`)."""
    options = {match.option: match for match in matches}
    limits = {"--limit-iface-in": True, "--limit-iface-out": False}
    limited = next((limits[option] for option in limits if option in options), None)
    tests = list[Test]()
    for option, of_source in (("--src-type", True), ("--dst-type", False)):
        match = options.get(option)
        if match is None:
            continue
        wanted = {part for value in match.values for part in value.upper().split(",")}
        test = _kind(space, wanted, of_source=of_source, limited=limited, nft=backend == "nft")
        tests.append(negated(test) if match.negated else test)
    return every(tests)


def _kind(space: Space, wanted: set[str], *, of_source: bool, limited: bool | None, nft: bool) -> Test:
    def test(packet: Packet) -> bool:
        address = packet.source if of_source else packet.destination
        device = "" if limited is None else packet.incoming if limited else packet.outgoing
        found = kind_of(space, address, device)
        if packet.version == 4 or nft:
            return found in wanted
        # Of IPv6, iptables asks for each kind by itself: an own address is unicast too (`match_type6`).
        if "UNICAST" in wanted and address.is_multicast:
            return False
        if "MULTICAST" in wanted and not address.is_multicast:
            return False
        return (
            found in wanted if wanted & {"LOCAL", "ANYCAST", "UNREACHABLE"} else bool(wanted & {"UNICAST", "MULTICAST"})
        )

    return test


def kind_of(space: Space, address: IpAddress, device: str = "") -> str:
    """Return the kind of an address as a namespace's table local has it; with a device, only what is local there."""
    key = ("kind", address, device)
    found: str | None = space.memory.get(key)
    if found is None:
        found = space.memory[key] = _kind_of(space, address, device)
    return found


def _kind_of(space: Space, address: IpAddress, device: str) -> str:
    if address.is_multicast or address.is_unspecified:
        return "MULTICAST" if address.is_multicast else "UNSPEC"
    if address.version == 4 and int(address) == 0xFFFFFFFF:
        return "BROADCAST"
    way = space.tables.local(address)
    if way is None or way.hop is None or way.route is None:
        nowhere = address.version == 6 and space.tables.look(Query(address), lambda *_: False).error
        return "UNREACHABLE" if nowhere else "UNICAST"
    if device and device not in {link.name for link in space.own.get(address, ())} | {way.hop.device}:
        return "UNICAST"
    return {"broadcast": "BROADCAST", "anycast": "ANYCAST"}.get(way.route.kind, "LOCAL")


def rpfilter(space: Space, _rule: Rule, matches: Sequence[Match], _backend: str) -> Test | None:
    """Return whether the way back to the sender leads by where the packet came in (`rpfilter_mt`)."""
    options = {match.option for match in matches}
    loose, invert = "--loose" in options, "--invert" in options

    def test(packet: Packet) -> bool | None:
        if packet.incoming in ("", "lo"):
            return not invert
        if "--accept-local" in options:
            return None
        mark = packet.mark if "--validmark" in options else 0
        query = Query(packet.source, packet.destination, packet.incoming, mark=mark)
        way = space.tables.look(query, lambda *_: False)
        fine = way.route is not None and way.route.kind == "unicast" and not way.error
        if fine and not loose and way.route is not None:
            fine = any(hop.device == packet.incoming for hop in way.route.hops)
        return fine is not invert

    return test


def policy(_space: Space, _rule: Rule, matches: Sequence[Match], _backend: str) -> Test | None:
    """Return whether a packet came, or is to leave, by IPsec (`policy_mt`); of its other options nothing is known."""
    wanted = next((match for match in matches if match.option == "--pol"), None)
    if wanted is None or any(match.option not in ("--dir", "--pol") for match in matches):
        return unknown
    test: Test = lambda packet: packet.ipsec is (wanted.value == "ipsec")  # noqa: E731 - negated below
    return negated(test) if wanted.negated else test


NETWORK = re.compile(r"(?:&0xffffff00=(0x[0-9a-f]+)$)|(?:,116 0 0 8,21 \d+ \d+ (\d+),)")
"""How the number of a VXLAN network is compared, by u32 and by the bytecode of bpf."""


def program(_space: Space, _rule: Rule, matches: Sequence[Match], _backend: str) -> Test | None:
    """Return whether the number of the VXLAN network that a datagram carries is the one that a program asks for.

    Of no other packet and no other program anything is known.
    """
    found = NETWORK.search(matches[0].value) if len(matches) == 1 else None
    if found is None:
        return unknown
    number = int(found[1], 16) >> 8 if found[1] else int(found[2])
    test: Test = lambda packet: None if packet.vni is None else packet.vni == number  # noqa: E731 - negated below
    return negated(test) if matches[0].negated else test


WHOLE: dict[str, Make] = {
    "policy": policy,
    "u32": program,
    "bpf": program,
    "conntrack": conntrack,
    "state": conntrack,
    "addrtype": addrtype,
    "set": match_set,
    "rpfilter": rpfilter,
}
