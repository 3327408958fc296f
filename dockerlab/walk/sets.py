"""Whether what a packet bears is in a set: of ipset, or of nft's own tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING

from dockerlab.kernel.rules import Match, NamedSet, Rule
from dockerlab.walk import words
from dockerlab.walk.matching import Test, named, negated, unknown, within
from dockerlab.walk.packet import Packet

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space


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
