"""IPv6 asks for a neighbour by packets that firewalls see: a question to many, and its answer.

In IPv4 ARP does that, which is no business of iptables'.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Link
from dockerlab.walk.bridging import calls, hooks
from dockerlab.walk.filtering import pass_hook
from dockerlab.walk.neighbours import Found
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


def unheard(way: Way, space: Space, link: Link, hop: IpAddress, packet: Packet, found: Found) -> Element | None:
    """Return the rule that keeps a question for a neighbour, or its answer, from coming through; None where it does."""
    ear = found.ear
    if hop.version == 4 or ear is None or found.element is not None or link.kind[:6] == "ipvlan":
        return None
    if not any(_filters(each) for each in _all(space, ear)):
        return None
    own = packet.source in space.own and any(packet.source == address.ip for address in link.addresses)
    source = packet.source if own else next((a.ip for a in link.addresses if a.version == 6 and a.is_link_local), hop)
    key = ("unheard", link.name, hop, source)
    if key in space.memory:
        known: Element | None = space.memory[key]
        return known
    asked = len(way.asked)
    group = IPv6Address(GROUP | (int(hop) & 0xFFFFFF))
    question = Packet(6, "icmp", source, group, kind=ASKS, size=72, ttl=FARTHEST)
    lost = _led(way, question, (space, link.name), ear, (ear.space, ear.link.name))
    if lost is None:
        reply = Packet(6, "icmp", hop, source, kind=ANSWERS, size=72, ttl=FARTHEST)
        lost = _led(way, reply, (ear.space, ear.link.name), _turned(ear), (space, link.name))
    if len(way.asked) == asked:
        space.memory[key] = lost
    return lost


def _filters(space: Space) -> bool:
    """Tell whether a namespace has rules for IPv6 at all."""
    firewall = space.firewall
    hooked = ("prerouting", "input", "forward", "output", "postrouting")
    return not firewall.read[6] or any(chains for hook in hooked for _, chains in firewall.stages(hook, 6))


def _all(space: Space, ear: Ear) -> list[Space]:
    return [space, ear.space, *(part.space for part in ear.ways)]


def _turned(ear: Ear) -> Ear:
    """Return the way to an interface in the other direction."""
    ways = tuple(
        Pass(part.space, part.bridge, part.port_out, part.port_in) if isinstance(part, Pass) else part
        for part in reversed(ear.ways)
    )
    return Ear(ear.space, ear.link, ways)


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
