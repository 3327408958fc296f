"""A packet's way from the namespace that sends it to where it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerlab.walk.compiled import setting
from dockerlab.walk.emission import Arriving, emit
from dockerlab.walk.fate import Fate, Lost, stopped_by
from dockerlab.walk.filtering import pass_hook
from dockerlab.walk.lookup import device_of, note_choice, query_of
from dockerlab.walk.packet import Packet
from dockerlab.walk.reception import take
from dockerlab.walk.routing import Choice
from dockerlab.walk.sources import source_for

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.way import Way


def send(way: Way, space: Space, packet: Packet, *, bound: bool = True) -> Fate:
    """Return what becomes of a packet that a namespace sends; its source is the kernel's to choose if not `bound`."""
    return follow(way, _sent(way, space, packet, bound=bound))


def send_unbound(way: Way, space: Space, packet: Packet) -> Fate:
    """Return what becomes of a packet that a namespace sends from whichever address it chooses."""
    return send(way, space, packet, bound=False)


def follow(way: Way, found: Arriving | Fate) -> Fate:
    """Return how the way of a packet ends that is on it."""
    while isinstance(found, Arriving):
        found = take(way, found)
    return found


def _sent(way: Way, space: Space, packet: Packet, *, bound: bool) -> Arriving | Fate:
    """Return where a packet comes to that a namespace sends (`__ip_local_out`)."""
    choice = space.tables.look(query_of(packet, "lo", bound=bound), way.ask)
    if choice.error:
        return _no_route(way, space, packet, choice)
    if not bound:
        source = source_for(space, choice, packet.destination)
        if source is None:
            return Lost("no route", space, choice.element, packet, errno="EADDRNOTAVAIL")
        packet.source = source
        if (
            packet.owned and packet.protocol in ("tcp", "udp") and packet.version == 4
        ):  # with its source known, it is asked again (ip_route_connect)
            choice = space.tables.look(query_of(packet, "lo"), way.ask)
            if choice.error:
                return _no_route(way, space, packet, choice)
    stuck = _stuck_at_home(space, packet, choice)
    if stuck is not None:
        return stuck
    note_choice(way, space, packet, choice)
    packet.local = True
    packet.outgoing = device_of(choice)
    stopped = pass_hook(way, space, packet, "output")
    if stopped is not None:
        return stopped_by(way, space, packet, stopped)
    return _turned(way, space, packet) if packet.turned else emit(way, space, packet, choice)


def _turned(way: Way, space: Space, packet: Packet) -> Arriving | Fate:
    """Return where a packet comes to whose route is looked up again (`ip_route_me_harder`)."""
    choice = space.tables.look(query_of(packet, "lo"), way.ask)
    stuck = _no_route(way, space, packet, choice) if choice.error else _stuck_at_home(space, packet, choice)
    if stuck is not None:
        return Lost(stuck.end, space, stuck.by, packet, errno=stuck.errno, late=True)
    note_choice(way, space, packet, choice)
    return emit(way, space, packet, choice)


def _no_route(way: Way, space: Space, packet: Packet, choice: Choice) -> Lost:
    way.note(space, "dropped", f"there is no way to {packet.destination}", choice.element)
    return Lost("no route", space, choice.element, packet, errno=choice.error)


def _stuck_at_home(space: Space, packet: Packet, choice: Choice) -> Lost | None:
    """Return the loss of a packet that bears a loopback address and would leave (`__mkroute_output`)."""
    if packet.version == 6 or not packet.source.is_loopback or choice.local:
        return None
    if space.most(4, device_of(choice), "route_localnet"):
        return None
    path = f"net.ipv4.conf.{device_of(choice)}.route_localnet"
    return Lost("martian", space, setting(path, 0), packet, errno="EINVAL")
