"""Conditions whose options belong together: connection tracking, kinds of addresses, sets, the reverse path."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.rules import Match, NamedSet, Rule
from dockerlab.walk import words
from dockerlab.walk.matching import Test, address_in, named, negated, unknown, within
from dockerlab.walk.packet import Packet
from dockerlab.walk.routing import Query

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space

Make = Callable[["Space", Rule, Sequence[Match], str], Test | None]

STATES = {"NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"}


def _all(tests: Sequence[Test]) -> Test | None:
    if not tests:
        return None
    if len(tests) == 1:
        return tests[0]

    def test(packet: Packet) -> bool | None:
        sure = True
        for each in tests:
            found = each(packet)
            if found is False:
                return False
            sure = sure and found is not None
        return True if sure else None

    return test


def conntrack(_space: Space, _rule: Rule, matches: Sequence[Match], _backend: str) -> Test | None:
    """Return what modules conntrack and state ask of the connection (`conntrack_mt`)."""
    states, others = list[Test](), list[Test]()
    for match in matches:
        if match.option in ("--ctstate", "--state"):
            test = _state({part for value in match.values for part in value.upper().split(",")})
            states.append(negated(test) if match.negated else test)
            continue
        make = CONNTRACK.get(match.option)
        test = unknown if make is None else make(match)
        others.append(negated(test) if match.negated else test)
    about, connected = _all(states), _all(others)

    def whole(packet: Packet) -> bool | None:
        if about is not None and not about(packet):
            return False
        if connected is None:
            return True
        if packet.connection is None:  # of what is not tracked, only the state can be asked
            return about is not None
        return connected(packet)

    return whole


def _state(wanted: set[str]) -> Test:
    dnat, snat = "DNAT" in wanted, "SNAT" in wanted

    def test(packet: Packet) -> bool:
        if (packet.state or "INVALID") in wanted:
            return True
        held = packet.connection
        return held is not None and ((dnat and held.aimed) or (snat and held.masked))

    return test


def _status(match: Match) -> Test:
    wanted = {part for value in match.values for part in value.upper().split(",")}

    def test(packet: Packet) -> bool | None:
        held = packet.connection
        if held is None:
            return False
        if "NONE" in wanted:
            return None
        if "ASSURED" in wanted and len(wanted) == 1:
            return None if held.answered else False
        known = {"SEEN_REPLY": held.answered, "DNAT": held.aimed, "SNAT": held.masked, "CONFIRMED": held.answered}
        return any(known.get(each, False) for each in wanted)

    return test


def _direction(match: Match) -> Test:
    reply = match.value.upper() == "REPLY"
    return lambda packet: packet.reply is reply


def _quintuple(way: Literal["there", "back"], place: int) -> Callable[[Match], Test]:
    """Return what tests a part of a connection's quintuple, one of its addresses or its ports."""

    def make(match: Match) -> Test:
        if place in (1, 2):
            inside = address_in(match.values)
            return lambda packet: packet.connection is not None and inside(getattr(packet.connection, way)[place])
        spans = words.spans(match.values)
        return lambda packet: packet.connection is not None and within(getattr(packet.connection, way)[place], spans)

    return make


def _protocol(match: Match) -> Test:
    wanted = {value.lower() for value in match.values}
    numbers = {"tcp": "6", "udp": "17", "icmp": "1"}
    return lambda packet: (
        packet.connection is not None
        and bool(
            wanted & {packet.connection.there[0], numbers[packet.connection.there[0]]}
            or (packet.version == 6 and packet.connection.there[0] == "icmp" and wanted & {"ipv6-icmp", "icmpv6", "58"})
        )
    )


CONNTRACK: dict[str, Callable[[Match], Test]] = {
    "--ctstatus": _status,
    "--ctdir": _direction,
    "--ctproto": _protocol,
    "--ctorigsrc": _quintuple("there", 1),
    "--ctorigdst": _quintuple("there", 2),
    "--ctorigsrcport": _quintuple("there", 3),
    "--ctorigdstport": _quintuple("there", 4),
    "--ctreplsrc": _quintuple("back", 1),
    "--ctrepldst": _quintuple("back", 2),
    "--ctreplsrcport": _quintuple("back", 3),
    "--ctrepldstport": _quintuple("back", 4),
}


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
    return _all(tests)


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


def match_set(space: Space, rule: Rule, matches: Sequence[Match], backend: str) -> Test | None:
    """Return whether what a packet bears is in a set (of ipset, or of nft's own table)."""
    match = matches[0]
    if match.option != "--match-set" or len(match.values) < 2:
        return unknown
    odd = {"--return-nomatch", "--packets-eq", "--packets-lt", "--packets-gt", "--bytes-eq", "--bytes-lt", "--bytes-gt"}
    if any(each.option in odd for each in matches[1:]):
        return unknown
    name, sides = match.values[0], match.values[1].split(",")
    table = (rule.family, rule.table) if backend == "nft" else ("", "")
    found = next(
        (
            each
            for each in space.namespace.ruleset.sets
            if each.name == name
            and (each.table == table[1] if backend == "nft" else not each.table)
            and (backend != "nft" or each.family == table[0])
        ),
        None,
    )
    if found is None:
        return unknown
    try:
        test = _member(found, sides)
    except ValueError:
        return unknown
    return negated(test) if match.negated else test


def _member(named_set: NamedSet, sides: Sequence[str]) -> Test:
    types = named_set.types
    exact = {tuple(part.lower() for part in member) for member in named_set.members}
    spans = [[_part(kind, text) for kind, text in zip(types, member, strict=False)] for member in named_set.members]
    told: dict[tuple[str, ...], bool] = {}

    def test(packet: Packet) -> bool | None:
        values = [_value(packet, kind, sides[min(number, len(sides) - 1)]) for number, kind in enumerate(types)]
        if any(value is None for value in values):
            return None
        if not named_set.whole:
            return None
        key = tuple(str(value) for value in values)
        if key not in told:
            told[key] = key in exact or any(
                len(member) == len(values) and all(part(value) for part, value in zip(member, values, strict=True))
                for member in spans
            )
        return told[key]

    return test


def _part(kind: str, text: str) -> Callable[[object], bool]:
    """Return whether a value is the part of a set's member that a text says."""
    if kind == "ip":
        version, low, high = words.span_of(text)
        return lambda value: ip_address(str(value)).version == version and low <= int(ip_address(str(value))) <= high
    if kind == "port":
        protocol, colon, numbers = text.rpartition(":")
        spans = words.spans([numbers if colon and not protocol.isdigit() else text])
        of = protocol if colon and not protocol.isdigit() else ""
        return lambda value: _in_spans(value, spans, of)
    if kind == "iface":
        fits = named([text.replace("*", "+")])
        return lambda value: fits(str(value))
    if kind == "mark":
        return lambda value: int(str(value)) == words.number(text)
    if kind == "proto":
        return lambda value: str(value).lower() == text.lower()
    return lambda value: str(value).lower() == text.lower()


def _in_spans(value: object, spans: Sequence[tuple[int, int]], protocol: str) -> bool:
    of, _, number = str(value).rpartition(":")
    return within(int(number), spans) and (not protocol or protocol == of)


def _value(packet: Packet, kind: str, side: str) -> object:
    """Return the part of a packet that a set's part is compared with, None where it is not known."""
    source = side == "src"
    number = packet.kind[0] * 256 + packet.kind[1] if packet.protocol == "icmp" else None
    port = (packet.sport if source else packet.dport) if number is None else number
    values: dict[str, object] = {
        "ip": packet.source if source else packet.destination,
        "port": f"{packet.protocol}:{port}",
        "iface": packet.incoming if source else packet.outgoing,
        "mark": packet.mark,
        "mac": packet.mac or None,
        "proto": packet.protocol,
    }
    return values.get(kind)


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
