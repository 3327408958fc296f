"""A packet on its way out of a namespace: POSTROUTING, the neighbour, the wire."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Link
from dockerlab.walk.bridging import Passed, over
from dockerlab.walk.fate import Fate, Left, Lost, stopped_by
from dockerlab.walk.filtering import pass_hook
from dockerlab.walk.lookup import device_of
from dockerlab.walk.neighbours import Found, find, remember
from dockerlab.walk.outcome import Element, End
from dockerlab.walk.packet import Packet
from dockerlab.walk.routing import Choice
from dockerlab.walk.solicitation import unheard
from dockerlab.walk.tunnels import carried
from dockerlab.walk.wires import Ear, Tunnel, lan_hub

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.way import Way


@dataclass(frozen=True, slots=True)
class Arriving:
    """A packet that comes to an interface; `asked` tells that it has passed PREROUTING already, on a bridge."""

    space: Space
    link: Link
    packet: Packet
    port: str = ""
    asked: bool = False


def emit(way: Way, space: Space, packet: Packet, choice: Choice) -> Arriving | Fate:
    """Return where a packet comes to whose way out of a namespace is found, or how it is lost."""
    packet.outgoing = device_of(choice)
    stopped = pass_hook(way, space, packet, "postrouting")
    if stopped is not None:
        return stopped_by(way, space, packet, stopped)
    link = space.links.get(packet.outgoing)
    if packet.outgoing == "lo":
        if link is not None and not link.up:
            down = Element("link", "lo", f"lo of {space.name} is down", link)
            return Lost("lost on the wire", space, down, packet)
        packet.local = packet.owned = False
        return Arriving(space, link or Link(1, "lo"), packet)
    hop = choice.hop.via if choice.hop is not None and choice.hop.via is not None else packet.destination
    if link is None:
        doubt = f"{packet.outgoing} of {space.name} is not among the interfaces that could be read"
        return Lost("lost on the wire", space, choice.element, packet, doubt=doubt)
    return hand(way, space, packet, link, hop)


def hand(way: Way, space: Space, packet: Packet, link: Link, hop: IpAddress) -> Arriving | Fate:
    """Return where a packet comes to that is handed to a neighbour, or how it is lost."""
    if 0 < link.mtu < packet.size:
        element = Element("link", link.name, f"the MTU of {link.name} is {link.mtu}", link)
        return Lost("too big", space, element, packet, errno="EMSGSIZE" if packet.local else "", told="too big")
    found = find(way, space, link, hop, packet)
    if found.ear is None:
        return _nobody(way, space, packet, hop, found)
    unasked = unheard(way, space, link, hop, packet, found)
    if unasked is not None:
        says = f"the question for {hop}, or the answer, is dropped by {unasked.by.where}"
        way.note(space, "dropped", says, unasked.by)
        lost = Lost("no neighbour", space, unasked.by, packet, told="" if unasked.known else "host")
        return replace(lost, doubt=unasked.doubt, twisted=unasked.known)
    remember(way, space, link, hop, packet, found)
    says = f"{hop} is {found.ear.space.name} on {link.name}"
    at, taken = _taker(way, found.ear, packet)
    way.hand(space, link.name, says, found.element, (at.id, taken.name))
    return carry(way, space, packet, link.mac, found.ear)


def _nobody(way: Way, space: Space, packet: Packet, hop: IpAddress, found: Found) -> Fate:
    """Return the fate of a packet for a neighbour that none of the hosts is."""
    way.note(space, "dropped", found.why, found.element)
    if found.lan and not _known_there(way, found.lan, packet, hop):
        return Left(space, found.lan, None if hop == packet.destination else hop, packet, found.why)
    if found.doubt and not found.lan:
        return Lost("no neighbour", space, found.element, packet, doubt=found.doubt)
    if found.twisted:
        return Lost("lost on the wire", space, found.element, packet, twisted=True)
    wired = found.element is not None and bool(found.element.text)
    end: End = "lost on the wire" if wired else "no neighbour"
    return Lost(end, space, found.element, packet, told="" if found.silent else "host")


def _known_there(way: Way, lan: str, packet: Packet, hop: IpAddress) -> bool:
    """Tell whether it is known who a neighbour on a LAN is, so that nobody else is.

    Who is sent the packet is the one who has the address. A router is one on that LAN: who has its address elsewhere,
    such as the gateway of somebody's own network, is another.
    """
    holders = way.fabric.holders.get(hop, ())
    if hop == packet.destination:
        return bool(holders)
    there = lan_hub(way.fabric, lan).ears
    return any(space.id in there for space in holders)


def carry(way: Way, space: Space | None, packet: Packet, mac: str, ear: Ear) -> Arriving | Fate:
    """Return where a packet comes to in a frame from a MAC address, out of a namespace or of none, to an interface."""
    packet.mac = mac.lower()
    here = space
    for part in ear.ways:
        packet.scrub(away=part.space is not here)
        here = part.space
        if isinstance(part, Tunnel):
            lost = carried(way, part, packet)
            here = part.to
        else:
            passed = over(way, part, packet)
            if isinstance(passed, Passed):
                return Arriving(part.space, part.bridge, packet, part.port_in, asked=True)
            lost = passed
        if lost is not None:
            return lost
    packet.scrub(away=ear.space is not here)
    at, taken = _taker(way, ear, packet)
    if taken is not ear.link and taken.info.get("mode") == "l3s":
        doubt = f"what rules of the host meet what comes to {taken.name}, an ipvlan interface in mode l3s"
        return Lost("lost on the wire", at, Element("link", taken.name, doubt, taken), packet, doubt=doubt)
    if 0 < taken.mtu < packet.size:
        element = Element("link", taken.name, f"the MTU of {taken.name} is {taken.mtu}", taken)
        return Lost("lost on the wire", at, element, packet)
    return Arriving(at, taken, packet, ear.port)


def _taker(way: Way, ear: Ear, packet: Packet) -> tuple[Space, Link]:
    """Return the interface that takes a frame: its own, or a child of that which takes it before the host sees it.

    Children of ipvlan have their parent's MAC address, and are told apart by the address that a packet is bound for
    (Linux, drivers/net/ipvlan/ipvlan_core.c, `ipvlan_handle_frame`).
    """
    if ear.instead is not None:
        return ear.instead
    for space, link in way.fabric.children(ear.space, ear.link):
        if link.kind == "ipvlan" and link.up and any(own.ip == packet.destination for own in link.addresses):
            return space, link
    return ear.space, ear.link
