"""What is out there: routers of a LAN, and what the word of somebody who knows says is behind them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress
from dockerlab.walk.emission import carry
from dockerlab.walk.fate import REFUSED, TIMEOUT, Fate, Landed, Left, Lost
from dockerlab.walk.outcome import Outcome, Step
from dockerlab.walk.packet import Flow, Packet
from dockerlab.walk.replies import answer
from dockerlab.walk.travel import follow
from dockerlab.walk.wires import Ear, lan_hub

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Fabric, Space
    from dockerlab.walk.way import Way


def outside(way: Way, space: Space, flow: Flow, left: Left, steps: tuple[Step, ...]) -> Outcome:
    """Return the outcome of a request that was handed to somebody on a LAN who is none of the hosts."""
    packet = left.packet
    base = Outcome(None, "left", left.space.id, steps=steps, seen_from=packet.source, router=left.router, lan=left.lan)
    ports = way.fabric.net.beyond.get(packet.destination)
    routers = way.fabric.ways_out.get(left.lan, frozenset())
    known = known_on(way.fabric, left.lan, packet.source)
    if left.router is None and packet.destination in routers and flow.protocol != "tcp":
        ports = frozenset()  # what a host sends others to is taken to answer itself
        known = known or not way.fabric.closed(packet.source)
    if ports is None or (left.router is not None and left.router not in routers):
        return _unknown(way, left, base)
    if not known:
        return replace(base, reachable=False, answered=False, symptom=TIMEOUT)
    open_ = flow.protocol != "tcp" or packet.dport in ports
    flags = frozenset({"SYN", "ACK"} if open_ else {"RST", "ACK"}) if flow.protocol == "tcp" else frozenset[str]()
    fate = _back(way, left, answer(packet, flags=flags, size=flow.size if flow.protocol == "icmp" else 0))
    back = tuple(way.steps)
    if isinstance(fate, Landed) and fate.space is space:
        if open_:
            return replace(base, reachable=True, back=back)
        return replace(base, reachable=False, end="refused", back=back, symptom=REFUSED)
    if isinstance(fate, Lost) and not fate.doubt:
        lost = replace(base, reachable=False, end=fate.end, at=fate.space.id, by=fate.by, back=back, answered=False)
        return replace(lost, symptom=TIMEOUT)
    doubt = fate.doubt if isinstance(fate, Lost) else "who gets the answer from beyond cannot be seen"
    return replace(base, back=back, answered=False, doubt=doubt)


def unrouted(way: Way, left: Left) -> bool:
    """Tell whether a packet was handed to a router for an address that is on none of its LANs, nor on any other."""
    address, fabric = left.packet.destination, way.fabric
    if left.router is None or left.router not in fabric.routers.get(left.lan, ()):
        return False
    return fabric.closed(address) and not known_on(fabric, left.lan, address)


def _unknown(way: Way, left: Left, base: Outcome) -> Outcome:
    """Return the outcome of what was handed on for an address of which nobody has said anything."""
    address, routers = left.packet.destination, way.fabric.routers.get(left.lan, frozenset())
    if left.router is None:
        return replace(base, end="no neighbour", doubt=left.why)
    if left.router not in routers:
        return replace(base, doubt=f"whether a machine on the LAN {left.lan} is {left.router} cannot be seen")
    if unrouted(way, left):
        return replace(base, reachable=False)
    return replace(base, doubt=f"whether {left.router} on the LAN {left.lan} leads to {address} cannot be seen")


def known_on(fabric: Fabric, lan: str, address: IpAddress) -> bool:
    """Tell whether an address is in a subnet of a LAN: its routers know no others of the hosts'."""
    return any(
        address in own.network
        for _, link in fabric.lans.get(lan, ())
        for own in link.addresses
        if own.version == address.version
    )


def _back(way: Way, left: Left, packet: Packet) -> Fate:
    """Return what becomes of an answer that comes in from a LAN."""
    hub = lan_hub(way.fabric, left.lan)
    found: list[Ear] = []
    for holder in way.fabric.holders.get(packet.destination, ()):
        for _, ear in hub.ears.get(holder.id, ()):
            if ear.shut is None and not ear.maybe:
                found.append(ear)
    exact = [ear for ear in found if any(own.ip == packet.destination for own in ear.link.addresses)]
    taken = next(iter(exact or found), None)
    if taken is None:
        doubt = f"who has {packet.destination} on {left.lan} cannot be seen"
        return Lost("no neighbour", left.space, None, packet, doubt=doubt)
    return follow(way, carry(way, None, packet, "", taken))
