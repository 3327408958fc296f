"""Whether a packet meets a rule's conditions: yes, no, or (None) nobody can tell.

A condition becomes a function of the packet once, when the rules are compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.rules import Match
from dockerlab.walk import words
from dockerlab.walk.packet import Packet

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space

Test = Callable[[Packet], bool | None]
Span = tuple[int, int]

PROTOCOLS = {"icmp": {"icmp", "1"}, "tcp": {"tcp", "6"}, "udp": {"udp", "17"}}


def unknown(_packet: Packet) -> None:
    """Return that nobody can tell."""


def negated(test: Test) -> Test:
    """Return the contrary of a condition; what nobody can tell stays so."""

    def contrary(packet: Packet) -> bool | None:
        found = test(packet)
        return None if found is None else not found

    return contrary


# -- what every rule may say ---------------------------------------------------------------------------------------


def address_in(values: Sequence[str]) -> Callable[[IpAddress], bool]:
    """Return whether an address is one of several addresses, networks or ranges."""
    spans: list[tuple[int, int, int]] = [words.span_of(value) for value in values]
    if len(spans) == 1:
        ((version, low, high),) = spans
        return lambda address: address.version == version and low <= int(address) <= high
    return lambda address: any(v == address.version and low <= int(address) <= high for v, low, high in spans)


def _source(match: Match, _space: Space) -> Test:
    inside = address_in(match.values)
    return lambda packet: inside(packet.source)


def _destination(match: Match, _space: Space) -> Test:
    inside = address_in(match.values)
    return lambda packet: inside(packet.destination)


def named(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Return whether an interface has one of several names; `+` at the end stands for whatever follows."""
    exact = frozenset(each for each in patterns if not each.endswith("+"))
    begins = tuple(each[:-1] for each in patterns if each.endswith("+"))
    if not begins:
        return lambda name: name in exact
    return lambda name: name in exact or name.startswith(begins)


def _incoming(match: Match, _space: Space) -> Test:
    fits = named(match.values)
    return lambda packet: fits(packet.incoming)


def _outgoing(match: Match, _space: Space) -> Test:
    fits = named(match.values)
    return lambda packet: fits(packet.outgoing)


def _protocol(match: Match, _space: Space) -> Test | None:
    wanted = {value.lower() for value in match.values}
    if wanted & {"all", "0"}:
        return None
    icmp6 = bool(wanted & {"icmpv6", "ipv6-icmp", "icmp6", "58"})
    of = frozenset(name for name, spelled in PROTOCOLS.items() if spelled & wanted)

    def test(packet: Packet) -> bool:
        if packet.protocol == "icmp":
            return icmp6 if packet.version == 6 else "icmp" in of
        return packet.protocol in of

    return test


def _fragment(_match: Match, _space: Space) -> Test:
    return lambda _packet: False


def _version(match: Match, _space: Space) -> Test:
    version = int(match.option[1])
    return lambda packet: packet.version == version


# -- TCP, UDP, ICMP ------------------------------------------------------------------------------------------------


def within(number: int, spans: Sequence[Span]) -> bool:
    """Tell whether a number is in one of several ranges."""
    return any(low <= number <= high for low, high in spans)


def _sport(match: Match, _space: Space) -> Test:
    spans = words.spans(match.values)
    return lambda packet: packet.protocol != "icmp" and within(packet.sport, spans)


def _dport(match: Match, _space: Space) -> Test:
    spans = words.spans(match.values)
    return lambda packet: packet.protocol != "icmp" and within(packet.dport, spans)


def _any_port(match: Match, _space: Space) -> Test:
    spans = words.spans(match.values)
    return lambda packet: packet.protocol != "icmp" and (within(packet.sport, spans) or within(packet.dport, spans))


def _syn(_match: Match, _space: Space) -> Test:
    return lambda packet: "SYN" in packet.flags and not packet.flags & {"ACK", "RST", "FIN"}


def _flags(match: Match, _space: Space) -> Test:
    mask, wanted = words.flags(match.values[0]), words.flags(match.values[1])
    return lambda packet: packet.protocol == "tcp" and packet.flags & mask == wanted


def _icmp(match: Match, _space: Space) -> Test:
    kinds = [words.icmp(value) for value in match.values]
    version = 6 if "v6" in match.option else 4

    def test(packet: Packet) -> bool:
        if packet.protocol != "icmp" or packet.version != version:
            return False
        kind, code = packet.kind
        return any(t in (255, kind) and low <= code <= high for t, low, high in kinds)

    return test


# -- marks, lengths, hops --------------------------------------------------------------------------------------------


def _mark(match: Match, _space: Space) -> Test:
    pairs = [words.masked(value) for value in match.values]
    if match.module == "connmark":
        return lambda packet: (
            packet.connection is not None and any(packet.connection.mark & mask == value for value, mask in pairs)
        )
    return lambda packet: any(packet.mark & mask == value for value, mask in pairs)


def _length(match: Match, _space: Space) -> Test:
    spans = words.spans(match.values)
    return lambda packet: within(packet.size, spans)


def _ttl(match: Match, _space: Space) -> Test:
    number, sign = int(match.value), match.option[-2:]
    if sign == "lt":
        return lambda packet: packet.ttl < number
    if sign == "gt":
        return lambda packet: packet.ttl > number
    numbers = {int(value) for value in match.values}
    return lambda packet: packet.ttl in numbers


def _dscp(match: Match, _space: Space) -> Test:
    numbers = {words.dscp(value) for value in match.values}
    return lambda packet: packet.dscp in numbers


def _tos(match: Match, _space: Space) -> Test:
    value, mask = words.masked(match.value, 0xFF)
    return lambda packet: (packet.dscp << 2) & mask == value


# -- who, from where -------------------------------------------------------------------------------------------------


def _range(match: Match, _space: Space) -> Test:
    inside = address_in(match.values)
    if match.option == "--src-range":
        return lambda packet: inside(packet.source)
    return lambda packet: inside(packet.destination)


def _mac(match: Match, _space: Space) -> Test:
    wanted = {value.lower() for value in match.values}
    return lambda packet: packet.mac in wanted if packet.mac else None


def _port_in(match: Match, _space: Space) -> Test:
    fits = named(match.values)
    return lambda packet: fits(packet.port_in) if packet.port_in else False


def _port_out(match: Match, _space: Space) -> Test:
    fits = named(match.values)
    return lambda packet: fits(packet.port_out) if packet.port_out else False


def _bridged(match: Match, _space: Space) -> Test:
    if match.option == "--physdev-is-in":
        return lambda packet: bool(packet.port_in)
    if match.option == "--physdev-is-out":
        return lambda packet: bool(packet.port_out)
    return lambda packet: bool(packet.port_in and packet.port_out)


def _owner(match: Match, _space: Space) -> Test:
    spans = words.spans([value.replace("-", ":") for value in match.values])
    root = within(0, spans)
    return lambda packet: None if packet.owned is None else packet.owned and root


def _exists(_match: Match, _space: Space) -> Test:
    return lambda packet: packet.owned is not False


def _packet_type(match: Match, _space: Space) -> Test:
    wanted = {words.PACKET_TYPES.get(value, value) for value in match.values}
    return lambda packet: ("multicast" if packet.incoming and packet.destination.is_multicast else "unicast") in wanted


SINGLE: dict[str, Callable[[Match, Space], Test | None]] = {
    "-s": _source,
    "-d": _destination,
    "-i": _incoming,
    "-o": _outgoing,
    "-p": _protocol,
    "-f": _fragment,
    "-4": _version,
    "-6": _version,
    "--sport": _sport,
    "--dport": _dport,
    "--sports": _sport,
    "--dports": _dport,
    "--ports": _any_port,
    "--syn": _syn,
    "--tcp-flags": _flags,
    "--icmp-type": _icmp,
    "--icmpv6-type": _icmp,
    "--mark": _mark,
    "--length": _length,
    "--ttl-eq": _ttl,
    "--ttl-lt": _ttl,
    "--ttl-gt": _ttl,
    "--hl-eq": _ttl,
    "--hl-lt": _ttl,
    "--hl-gt": _ttl,
    "--dscp": _dscp,
    "--tos": _tos,
    "--src-range": _range,
    "--dst-range": _range,
    "--mac-source": _mac,
    "--physdev-in": _port_in,
    "--physdev-out": _port_out,
    "--physdev-is-in": _bridged,
    "--physdev-is-out": _bridged,
    "--physdev-is-bridged": _bridged,
    "--uid-owner": _owner,
    "--gid-owner": _owner,
    "--socket-exists": _exists,
    "--pkt-type": _packet_type,
}
DOUBTFUL = frozenset({"unknown", "hashlimit", "recent", "connlimit", "string", "time", "quota"})
"""Extensions of which no option can be evaluated, whatever it is called."""


def every(tests: Sequence[Test]) -> Test | None:
    """Return the condition that all of these hold, None where there are none."""
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
