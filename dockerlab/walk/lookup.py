"""A packet's route: the question, and the steps that tell of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerlab.walk.packet import Packet
from dockerlab.walk.routing import Choice, Query

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.way import Way


def query_of(packet: Packet, incoming: str, *, bound: bool = True) -> Query:
    """Return the question where a packet goes; while its source is the kernel's to choose, it is not `bound`."""
    return Query(
        packet.destination,
        packet.source if bound else None,
        incoming,
        mark=packet.mark,
        protocol=packet.protocol,
        sport=packet.sport,
        dport=packet.dport,
    )


def device_of(choice: Choice) -> str:
    """Return the interface by which a choice leads out; what is for the namespace itself goes by loopback."""
    return "lo" if choice.local or choice.hop is None else choice.hop.device


def note_choice(way: Way, space: Space, packet: Packet, choice: Choice) -> None:
    """Note which route a packet takes."""
    hop = choice.hop
    to = "is its own" if choice.local else f"is sent by {device_of(choice)}"
    via = f" to {hop.via}" if hop is not None and hop.via is not None else ""
    way.note(space, "route", f"{packet.destination} {to}{via}", choice.element)
