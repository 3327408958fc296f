"""Conditions on what connection tracking knows of a packet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from dockerlab.kernel.rules import Match, Rule
from dockerlab.walk import words
from dockerlab.walk.matching import Test, address_in, every, negated, unknown, within
from dockerlab.walk.packet import Packet

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space

STATES = {"NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED"}


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
    about, connected = every(states), every(others)

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
