"""IPv6 asks for a neighbour by packets that firewalls see: a question to many, and its answer.

In IPv4 ARP does that, which is no business of iptables'.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Link
from dockerlab.walk.bridging import calls, hooks
from dockerlab.walk.filtering import pass_hook
from dockerlab.walk.neighbours import Found, asker_of, turned
from dockerlab.walk.outcome import Element
from dockerlab.walk.packet import Packet
from dockerlab.walk.wires import Ear, Pass

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.way import Way

ASKS, ANSWERS = (135, 0), (136, 0)
GROUP = int(IPv6Address("ff02::1:ff00:0"))
FARTHEST = 255
"""With how many hops to live they are sent: those that a router passed on are ignored."""


@dataclass(frozen=True, slots=True)
class Unheard:
    """The rule that keeps a question for a neighbour, or its answer, from coming through.

    Who has been asked by the neighbour knows it all the same: `known` tells that this may be, `doubt` that all may then
    go well. So the symptom, or everything, depends on who has spoken to whom before.
    """

    by: Element
    known: bool = False
    doubt: str = ""


def unheard(way: Way, space: Space, link: Link, hop: IpAddress, packet: Packet, found: Found) -> Unheard | None:
    """Return what keeps a question for a neighbour of IPv6, or its answer, from coming through, or None."""
    ear = found.ear
    if hop.version == 4 or ear is None or found.known or found.element is not None or link.kind[:6] == "ipvlan":
        return None
    if not any(each.firewall.filters(6) for each in _all(space, ear)):
        return None
    source = asker_of(space, link, hop, packet) or hop
    key = ("unheard", link.name, hop, source)
    if key in space.memory:
        known: Unheard | None = space.memory[key]
        return known
    asked = len(way.asked)
    lost = _unheard(way, (space, link, source), ear, hop)
    if len(way.asked) == asked:
        space.memory[key] = lost
    return lost


def _unheard(way: Way, asker: tuple[Space, Link, IpAddress], ear: Ear, hop: IpAddress) -> Unheard | None:
    space, link, source = asker
    here, there, back = (space, link.name), (ear.space, ear.link.name), turned(space, link, ear)
    question = _led(way, _message(ASKS, source, _group(hop)), here, ear, there)
    lost = question or _led(way, _message(ANSWERS, hop, source), there, back, here)
    if lost is None:
        return None
    if _led(way, _message(ASKS, hop, _group(source)), there, back, here) is not None:
        return Unheard(lost)
    if question is not None and _led(way, _message(ANSWERS, source, hop), here, ear, there) is not None:
        return Unheard(lost, known=True)
    return Unheard(
        lost, known=True, doubt=f"whether {hop} has asked for {source} before: {lost.where} keeps it from being asked"
    )


def _message(kind: tuple[int, int], source: IpAddress, destination: IpAddress) -> Packet:
    return Packet(6, "icmp", source, destination, kind=kind, size=72, ttl=FARTHEST)


def _group(address: IpAddress) -> IPv6Address:
    """Return the group of those that are asked for an address (solicited-node multicast)."""
    return IPv6Address(GROUP | (int(address) & 0xFFFFFF))


def _all(space: Space, ear: Ear) -> list[Space]:
    return [space, ear.space, *(part.space for part in ear.ways)]


def _led(way: Way, packet: Packet, start: tuple[Space, str], ear: Ear, end: tuple[Space, str]) -> Element | None:
    """Lead a question or an answer from one interface to another; return what stopped it, or None."""
    space, device = start
    packet.local, packet.outgoing = True, device
    stopped = pass_hook(way, space, packet, "output") or pass_hook(way, space, packet, "postrouting")
    for part in ear.ways:
        if stopped is not None:
            break
        packet.scrub(away=True)
        if isinstance(part, Pass) and calls(part.space, part.bridge, 6):
            packet.incoming, packet.port_in = part.bridge.name, part.port_in
            stopped = pass_hook(way, part.space, packet, "prerouting") or hooks(way, part, packet)
    packet.scrub(away=True)
    if stopped is None:
        space, packet.incoming = end
        stopped = pass_hook(way, space, packet, "prerouting") or pass_hook(way, space, packet, "input")
    return stopped.element if stopped is not None else None
