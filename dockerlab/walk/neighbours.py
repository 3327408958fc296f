"""Who takes a packet on a wire: fixed neighbours, and who answers the question who has an address.

The words are those of Linux' `arp_process` and `ndisc_recv_ns`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Link
from dockerlab.walk.belief import doubted_source
from dockerlab.walk.bridging import port_to
from dockerlab.walk.outcome import Element
from dockerlab.walk.packet import Packet
from dockerlab.walk.routing import Query
from dockerlab.walk.sources import address_on
from dockerlab.walk.wires import Ear, Pass, Tunnel, Wire, wire_of

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.way import Way


@dataclass(frozen=True, slots=True)
class Found:
    """Who takes a packet that is handed to a neighbour: an interface (`ear`), or nobody.

    Where it is nobody, `why` says so in words, `element` is what keeps it from being found, `silent` tells that no
    error comes of it (a fixed neighbour that is not there), `lan` the LAN on which an unseen machine may hold the
    address, and `doubt` why it cannot be told whether there is anybody. `twisted` tells that it is nobody, and that
    the symptom depends on what was said before; `known` that it need not be asked.
    """

    ear: Ear | None = None
    why: str = ""
    element: Element | None = None
    silent: bool = False
    lan: str = ""
    doubt: str = ""
    twisted: bool = False
    known: bool = False


def find(way: Way, space: Space, link: Link, hop: IpAddress, packet: Packet) -> Found:
    """Return who takes a packet that a namespace hands to a neighbour by one of its interfaces."""
    wire = wire_of(way.fabric, space, link)
    if wire.dead is not None:
        return Found(why=wire.dead.text, element=wire.dead)
    if link.kind[:6] == "ipvlan" and link.info.get("mode", "l2") != "l2":
        return _by_address(wire, hop, packet, link)
    fixed = next((n for n in space.namespace.neighbours if n.mac and n.address == hop and n.device == link.name), None)
    if fixed is not None:
        return _fixed(
            space,
            link,
            wire,
            fixed.mac.lower(),
            Element("neighbour", link.name, f"{hop} is fixed to {fixed.mac}", fixed),
        )
    cut = _cut_off(wire, link)
    if cut is not None:
        return cut
    known = way.known.get((space.id, link.name, hop))
    if known is not None:
        return Found(known, known=True)
    return _asked(way, space, link, wire, hop, packet)


def _cut_off(wire: Wire, link: Link) -> Found | None:
    """Return why an interface finds nobody, whoever has the address; None where it may."""
    if wire.swallowed is not None:
        why = f"{wire.swallowed.name}, a child in mode passthru, gets every answer that comes to {link.name}"
        return Found(why=why, element=Element("link", wire.swallowed.name, why, wire.swallowed), twisted=True)
    mute = _mute(link)
    return None if mute is None else Found(why=mute.text, element=mute, silent=True)


def remember(way: Way, space: Space, link: Link, hop: IpAddress, packet: Packet, found: Found) -> None:
    """Let whoever was asked for an address know the one who asked, as every kernel does (`arp_process`).

    Where a VXLAN that knows the address answers in its place, it is not asked at all (`arp_reduce`).
    """
    ear = found.ear
    if ear is None or found.known or found.element is not None or ear.instead or _answered_for(ear, hop):
        return
    asker = asker_of(space, link, hop, packet)
    if asker is not None:
        way.known.setdefault((ear.space.id, ear.link.name, asker), turned(space, link, ear))


def _answered_for(ear: Ear, hop: IpAddress) -> bool:
    tunnels = [part for part in ear.ways if isinstance(part, Tunnel)]
    return any(
        neighbour.address == hop and neighbour.device == part.link.name and neighbour.mac
        for part in tunnels
        for neighbour in part.space.namespace.neighbours
    )


def turned(space: Space, link: Link, ear: Ear) -> Ear:
    """Return the way back from an interface to the one that spoke to it."""
    ways = tuple(
        Pass(part.space, part.bridge, part.port_out, part.port_in)
        if isinstance(part, Pass)
        else Tunnel(part.to, part.end, part.space, part.link)
        for part in reversed(ear.ways)
    )
    return Ear(space, link, ways, port=port_to(space, link, ear) if link.kind == "bridge" else "")


def _fixed(space: Space, link: Link, wire: Wire, mac: str, element: Element) -> Found:
    """Return who has the MAC address of a fixed neighbour."""
    del space, link
    for ear in wire.everyone():
        if ear.link.mac.lower() == mac and ear.shut is None:
            return Found(ear, element=element)
    hole = next(wire.unseen(), None)
    if hole is not None:
        return Found(why=element.text, element=element, lan=hole.lan, doubt="" if hole.lan else hole.why)
    return Found(why=f"{element.text}, which nobody on the wire has", element=element, silent=True)


def _by_address(wire: Wire, hop: IpAddress, packet: Packet, link: Link) -> Found:
    """Return the sibling that has the packet's address: ipvlan in mode l3 asks nobody.

    What is bound for the parent's own address the host routes to itself; its answer has no way to the child, and is
    lost sooner or later.
    """
    del hop
    for ear in wire.own:
        if ear.shut is not None and ear.link.kind != "ipvlan" and _has(ear, packet.destination):
            return Found(why=ear.shut.text, element=ear.shut, twisted=True)
        if (
            any(address.ip == packet.destination for address in ear.link.addresses)
            and ear.shut is None
            and not ear.maybe
        ):
            return Found(ear)
        if any(address.ip == packet.destination for address in ear.link.addresses) and ear.shut is not None:
            return Found(why=ear.shut.text, element=ear.shut, silent=True)
        if any(address.ip == packet.destination for address in ear.link.addresses):
            return Found(why=ear.maybe, doubt=ear.maybe)
    doubt = f"how the host routes what {link.name}, an ipvlan interface in mode {link.info.get('mode')}, sends"
    return Found(why=doubt, element=Element("link", link.name, doubt, link), doubt=doubt)


def _has(ear: Ear, address: IpAddress) -> bool:
    return any(own.ip == address for own in ear.link.addresses)


def _asked(way: Way, space: Space, link: Link, wire: Wire, hop: IpAddress, packet: Packet) -> Found:
    """Return who answers the question for an address."""
    asker = asker_of(space, link, hop, packet)
    answers, shut, maybe = list[Ear](), list[Ear](), list[Ear]()
    spaces = {each.id: each for each in way.fabric.holders.get(hop, ())}
    for each in way.fabric.obliging:
        spaces.setdefault(each.id, each)
    for ear in (ear for each in spaces.values() for ear in wire.ears(each.id)):
        if _answers(way, ear, hop, asker) and _tunnelled(ear, hop):
            mute = _mute(ear.link) if hop.version == 4 else None
            heard = replace(ear, shut=ear.shut or mute)
            (shut if heard.shut is not None else maybe if ear.maybe else answers).append(heard)
        elif _silent(ear, hop) and ear.shut is None:
            asks = (
                f"whether {ear.space.name}, which answers no question for {hop} (arp_ignore is 8), has asked one itself"
            )
            maybe.append(replace(ear, maybe=asks))
    if answers:
        ear = _first(way, answers, hop)
        return Found(ear)
    if maybe:
        return Found(why=maybe[0].maybe, element=Element("link", link.name, maybe[0].maybe, link), doubt=maybe[0].maybe)
    hole = next(wire.unseen(), None)
    if shut and shut[0].shut is not None and (hole is None or hole.lan):
        return Found(why=shut[0].shut.text, element=shut[0].shut)
    if hole is not None:
        return Found(why=hole.why, lan=hole.lan, doubt=hole.why)
    return Found(
        why=f"nobody on {link.name} of {space.name} answers for {hop}", element=Element("link", link.name, "", link)
    )


def _mute(link: Link) -> Element | None:
    """Return what keeps an interface from asking and answering who has an address: ARP is off.

    It sends to its own MAC address then, where nobody else takes it (`arp_constructor`, `ndisc_constructor`), and does
    not hear the questions of IPv4 (`arp_rcv`).
    """
    if link.info.get("arp") != "false":
        return None
    return Element("link", link.name, f"{link.name} asks and answers nobody who has an address: its ARP is off", link)


def asker_of(space: Space, link: Link, hop: IpAddress, packet: Packet) -> IpAddress | None:
    """Return the address from which the question is asked: the packet's own if it is the namespace's.

    In IPv6 it has to be one of that interface, else a link-local one asks (`arp_solicit`, `ndisc_solicit`).
    """
    if hop.version == 6:
        near = [address.ip for address in link.addresses if address.version == 6]
        return packet.source if packet.source in near else next((each for each in near if each.is_link_local), None)
    if hop.version == 4 and packet.source.version == 4 and packet.source in space.own:
        if not space.most(4, link.name, "arp_announce"):
            return packet.source
        if space.most(4, link.name, "arp_announce") == 1 and any(
            packet.source == address.ip and hop in address.network for address in link.addresses
        ):
            return packet.source
    return address_on(space, link, hop)


def _answers(way: Way, ear: Ear, hop: IpAddress, asker: IpAddress | None) -> bool:
    """Tell whether a namespace answers for an address on one of its interfaces."""
    space, link = ear.space, ear.link
    if not link.up:
        return False
    if hop.version == 6:
        if any(address.ip == hop for address in link.addresses):
            return True
        proxied = any(n.proxy and n.address == hop and n.device == link.name for n in space.namespace.neighbours)
        return proxied and bool(space.most(6, link.name, "proxy_ndp"))
    key = ("answers", link.name, hop, asker)
    found: bool | None = space.memory.get(key)
    if found is None:
        asked = len(way.asked)
        found = _answers4(way, space, link, hop, asker)
        if len(way.asked) == asked:
            space.memory[key] = found
    return found


def _answers4(way: Way, space: Space, link: Link, hop: IpAddress, asker: IpAddress | None) -> bool:
    if link.kind[:6] == "ipvlan" and not any(address.ip == hop for address in link.addresses):
        return False  # its parent gives it what is for its own addresses alone
    found = space.tables.look(Query(hop, asker, link.name), way.ask)
    if asker is not None and doubted_source(way, space, link, Query(hop, asker, link.name)) is not None:
        return False
    if found.local:
        return not _ignored(space, link, hop, asker) and not _filtered(way, space, link, hop, asker)
    if found.route is None or found.error or found.hop is None or not space.forwards(4, link.name):
        return False
    proxied = any(n.proxy and n.address == hop and n.device == link.name for n in space.namespace.neighbours)
    return proxied or (found.hop.device != link.name and bool(space.most(4, link.name, "proxy_arp")))


def _ignored(space: Space, link: Link, hop: IpAddress, asker: IpAddress | None) -> bool:
    """Tell whether `arp_ignore` keeps a namespace from answering."""
    level = space.most(4, link.name, "arp_ignore")
    here = [address for address in link.addresses if address.ip == hop]
    if level in (1, 2):
        return not here or (level == 2 and asker is not None and all(asker not in address.network for address in here))
    return level == 8


def _silent(ear: Ear, hop: IpAddress) -> bool:
    """Tell whether a namespace answers for none of its addresses, and may be known by what it has asked itself.

    Whoever is asked knows who asked (`arp_process`); a host asks as soon as it has something for a neighbour.
    """
    here = hop.version == 4 and ear.link.up and any(address.ip == hop for address in ear.link.addresses)
    return here and ear.space.most(4, ear.link.name, "arp_ignore") == 8


def _filtered(way: Way, space: Space, link: Link, hop: IpAddress, asker: IpAddress | None) -> bool:
    """Tell whether `arp_filter` keeps a namespace from answering: its own way to the asker is another interface."""
    if asker is None or not space.most(4, link.name, "arp_filter"):
        return False
    back = space.tables.look(Query(asker, hop), way.ask)
    return back.hop is None or back.hop.device != link.name


def _tunnelled(ear: Ear, hop: IpAddress) -> bool:
    """Tell whether the VXLAN on the way knows where the address is, or sends everywhere what is for all."""
    for part in ear.ways:
        if not isinstance(part, Tunnel):
            continue
        device, space = part.link.name, part.space
        ground = {str(address) for each in [part.to] for address in _ground_of(each)}
        there = [f for f in space.namespace.forwards if f.device == device and f.to in ground]
        macs = {n.mac.lower() for n in space.namespace.neighbours if n.address == hop and n.device == device and n.mac}
        flood = any(set(forward.mac) <= {"0", ":"} for forward in there)
        if not flood and not any(forward.mac.lower() in macs for forward in there):
            return False
    return True


def _ground_of(space: Space) -> Iterator[IpAddress]:
    for link in space.machine.ground.links:
        for address in link.addresses:
            yield address.ip


def _first(way: Way, answers: list[Ear], hop: IpAddress) -> Ear:
    """Return whose answer counts of several: that of an interface with the address itself, before any other's."""
    exact = [ear for ear in answers if any(address.ip == hop for address in ear.link.addresses)]
    found = exact or answers
    for ear in found[:-1]:
        if ear.space is found[-1].space:
            continue
        doubt = f"{len({each.space.id for each in found})} machines answer for {hop} on one wire: which is believed"
        if not way.ask(("answer", ear.space.id, ear.link.name, hop), doubt):
            return ear
    return found[0] if all(ear.space is found[0].space for ear in found) else found[-1]
