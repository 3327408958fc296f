"""A packet that comes to a namespace: taken in, delivered, or passed on.

The order of things is Linux': `ip_rcv`, `ip_route_input_slow`, `ip_local_deliver`, `ip_forward`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerlab.kernel.model import Link
from dockerlab.walk.belief import doubted_source, strange
from dockerlab.walk.bridging import calls, onward, port_to
from dockerlab.walk.compiled import setting
from dockerlab.walk.emission import Arriving, carry, emit
from dockerlab.walk.fate import Fate, Landed, Lost, Told, stopped_by
from dockerlab.walk.filtering import pass_hook
from dockerlab.walk.lookup import device_of, note_choice, query_of
from dockerlab.walk.neighbours import find
from dockerlab.walk.outcome import Element
from dockerlab.walk.packet import Packet
from dockerlab.walk.routing import Choice
from dockerlab.walk.wires import Pass, truth

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.way import Way

TOLD_4: dict[str, Told] = {"EHOSTUNREACH": "host", "ENETUNREACH": "net", "EACCES": "admin"}
TOLD_6: dict[str, Told] = {"EHOSTUNREACH": "net", "ENETUNREACH": "net", "EACCES": "admin"}
"""What a host says of a route that it cannot take (`ip_error`, `ip6_pkt_discard`); of a blackhole, nothing."""


def take(way: Way, arriving: Arriving) -> Arriving | Fate:
    """Return where a packet comes to next that comes to an interface, or how it ends."""
    space, link, packet = arriving.space, arriving.link, arriving.packet
    if packet.rounds():
        return Lost("lost on the wire", space, None, packet, doubt="it goes round in circles")
    if arriving.asked:
        return _redirected(way, space, link, packet)
    packet.incoming, packet.outgoing, packet.port_in = link.name, "", arriving.port
    before = packet.destination
    stopped = pass_hook(way, space, packet, "prerouting")
    if stopped is not None:
        return stopped_by(way, space, packet, stopped)
    if packet.destination != before and arriving.port and calls(way, space, link, packet.version):
        return _redirected(way, space, link, packet)
    return _deliver(way, space, packet) if link.name == "lo" else _route(way, space, link, packet)


def _redirected(way: Way, space: Space, bridge: Link, packet: Packet) -> Arriving | Fate:
    """Return what becomes of a packet whose destination was translated on a bridge (`br_nf_pre_routing_finish`)."""
    choice = space.tables.look(query_of(packet, bridge.name), way.ask)
    hop = choice.hop
    if choice.error or choice.local or hop is None or hop.device != bridge.name:
        return _route(way, space, bridge, packet)
    note_choice(way, space, packet, choice)
    found = find(way, space, bridge, hop.via or packet.destination, packet)
    if found.ear is None or found.ear.shut is not None:
        return Lost("no neighbour", space, found.element, packet, doubt=found.doubt)
    port = port_to(space, bridge, found.ear)
    if port and port == packet.port_in and not truth(space.links[port], "hairpin"):
        says = f"{bridge.name} sends no frame back by the port that it came by ({port})"
        way.note(space, "dropped", says)
        return Lost("lost on the wire", space, Element("link", port, says, space.links[port]), packet)
    lost = onward(way, Pass(space, bridge, packet.port_in, port), packet)
    return lost or carry(way, space, packet, bridge.mac, found.ear)


def _route(way: Way, space: Space, link: Link, packet: Packet) -> Arriving | Fate:
    """Return what becomes of a packet that has passed PREROUTING: it is the namespace's own, or goes on."""
    query = query_of(packet, link.name)
    odd = strange(space, link, packet)
    if odd is not None:
        return _martian(way, space, packet, odd)
    choice = space.tables.look(query, way.ask)
    if not choice.local:
        stuck = _stuck(way, space, link, packet, choice)
        if stuck is not None:
            return stuck
    odd = doubted_source(way, space, link, query)
    if odd is not None:
        return _martian(way, space, packet, odd)
    if choice.route is not None and not choice.local and choice.route.kind != "unicast":
        return _martian(way, space, packet, choice.element)
    note_choice(way, space, packet, choice)
    return _deliver(way, space, packet) if choice.local else _forward(way, space, link, packet, choice)


def _stuck(way: Way, space: Space, link: Link, packet: Packet, choice: Choice) -> Lost | None:
    """Return the loss of a packet that is not the namespace's own and cannot be passed on, None where it can."""
    if choice.error and packet.version == 6:
        return _no_way(way, space, packet, choice)  # a host says so, whether it forwards or not
    shut = _forwards_not(way, space, link, packet.version)
    if shut is not None:
        way.note(space, "dropped", f"{space.name} does not forward", shut)
        return Lost("dropped", space, shut, packet)
    return _no_way(way, space, packet, choice) if choice.error or choice.hop is None else None


def _no_way(way: Way, space: Space, packet: Packet, choice: Choice) -> Lost:
    """Return the loss of a packet for which a namespace that should pass it on has no route."""
    way.note(space, "dropped", f"there is no way to {packet.destination}", choice.element)
    told = (TOLD_4 if packet.version == 4 else TOLD_6).get(choice.error, "")
    return Lost("no route", space, choice.element, packet, told=told)


def _martian(way: Way, space: Space, packet: Packet, element: Element | None) -> Lost:
    way.note(space, "dropped", f"{packet.source} is not believed to come from there", element)
    return Lost("martian", space, element, packet)


def _forwards_not(way: Way, space: Space, link: Link, version: int) -> Element | None:
    """Return the setting by which a namespace forwards nothing that comes in there, None where it forwards."""
    found = space.forwards(version, link.name)
    path = "net.ipv6.conf.all.forwarding"
    if version == 4:
        whole = space.sysctl("net.ipv4.ip_forward", None)
        path = f"net.ipv4.conf.{link.name}.forwarding" if whole else "net.ipv4.ip_forward"
    unread = found is None and "sysctls" in space.namespace.unread
    if unread and way.ask(("forwarding", space.id, link.name), f"{path} of {space.name} could not be read"):
        return None
    return None if found else setting(path, 0)


def _deliver(way: Way, space: Space, packet: Packet) -> Fate:
    """Return what INPUT makes of a packet for the namespace itself."""
    packet.outgoing = ""
    stopped = pass_hook(way, space, packet, "input")
    if stopped is not None:
        return stopped_by(way, space, packet, stopped)
    way.note(space, "delivered", f"{packet.destination} takes it")
    return Landed(space, packet.incoming, packet)


def _forward(way: Way, space: Space, link: Link, packet: Packet, choice: Choice) -> Arriving | Fate:
    """Return where a packet comes to that a namespace passes on, or how it is lost."""
    if packet.ttl <= 1:
        return Lost("dropped", space, Element("none", "ttl", "its hops are used up"), packet, told="expired")
    out = space.links.get(device_of(choice))
    if out is not None and 0 < out.mtu < packet.size:
        element = Element("link", out.name, f"the MTU of {out.name} is {out.mtu}", out)
        return Lost("too big", space, element, packet, told="too big")
    packet.ttl -= 1
    packet.incoming, packet.outgoing = link.name, device_of(choice)
    stopped = pass_hook(way, space, packet, "forward")
    if stopped is not None:
        return stopped_by(way, space, packet, stopped)
    return emit(way, space, packet, choice)
