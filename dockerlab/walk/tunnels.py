"""A frame that a VXLAN carries to another host, in a datagram between the hosts' own addresses."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING

from dockerlab.walk.fate import Landed, Lost
from dockerlab.walk.packet import EPHEMERAL, Packet
from dockerlab.walk.wires import Tunnel

if TYPE_CHECKING:
    from dockerlab.walk.way import Way

HEADERS = 50
"""Bytes that the datagram adds to the packet in it: Ethernet, IPv4, UDP and VXLAN."""
PORT = 4789


def carried(way: Way, part: Tunnel, packet: Packet) -> Lost | None:
    """Return how a frame is lost that a VXLAN carries, None where it comes to the other host."""
    ground, far = way.fabric.ground(part.space.id.host), way.fabric.ground(part.to.id.host)
    told = [forward.to for forward in part.space.namespace.forwards if forward.device == part.link.name]
    own = {str(address) for address in far.own} if far is not None else set()
    to = next((address for address in told if address in own), "")
    if ground is None or far is None or not to:
        doubt = f"how {part.link.name} of {part.space.name} sends to {part.to.id.host} cannot be seen"
        return Lost("lost on the wire", part.space, None, packet, doubt=doubt)
    address = ip_address(to)
    port = part.link.info.get("port", "")
    outer = Packet(
        address.version, "udp", address, address, EPHEMERAL, int(port) if port.isascii() and port.isdigit() else PORT
    )
    outer.size = packet.size + HEADERS
    number = part.link.info.get("id", "")
    outer.vni = int(number) if number.isascii() and number.isdigit() else None
    before = len(way.steps)
    fate = way.travel(way, ground, outer)
    way.steps[before:] = [replace(step, beneath=True) for step in way.steps[before:]]
    if isinstance(fate, Landed) and fate.space is far:
        return None
    if isinstance(fate, Lost):
        return Lost("lost on the wire" if not fate.doubt else fate.end, fate.space, fate.by, packet, doubt=fate.doubt)
    doubt = f"whether what {part.link.name} sends to {to} comes there"
    return Lost("lost on the wire", part.space, None, packet, doubt=doubt)
