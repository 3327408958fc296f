"""A frame that a bridge passes from port to port, where iptables may see the packet in it (br_netfilter)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerlab.kernel.model import Link
from dockerlab.walk.fate import Lost, stopped_by
from dockerlab.walk.filtering import pass_hook
from dockerlab.walk.outcome import Element
from dockerlab.walk.packet import Packet
from dockerlab.walk.targets import Verdict
from dockerlab.walk.wires import Ear, Pass

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.way import Way


class Passed:
    """A packet's destination was translated on a bridge: it has passed PREROUTING, and is to be routed."""


def calls(space: Space, bridge: Link, version: int) -> bool:
    """Tell whether iptables sees what goes through a bridge."""
    name = "iptables" if version == 4 else "ip6tables"
    if bridge.info.get(f"nf_call_{name}", "0") in ("1", "true"):
        return True
    return bool(space.sysctl(f"net.bridge.bridge-nf-call-{name}"))


def over(way: Way, part: Pass, packet: Packet) -> Lost | Passed | None:
    """Return what becomes of a packet at a bridge that it goes through, None where it passes."""
    space, bridge = part.space, part.bridge
    if packet.rounds():
        return Lost("lost on the wire", space, None, packet, doubt="it goes round in circles")
    if space.firewall.bridged:
        doubt = f"what the rules of family bridge on {space.name} do"
        if way.ask(("bridge rules", space.id), doubt):
            return Lost("dropped", space, Element("rule", "nft bridge", doubt), packet)
    if not calls(space, bridge, packet.version):
        return None
    before = packet.destination
    packet.incoming, packet.port_in = bridge.name, part.port_in
    stopped = pass_hook(way, space, packet, "prerouting")
    if stopped is not None:
        return stopped_by(way, space, packet, stopped)
    if packet.destination != before:
        return Passed()
    return onward(way, part, packet)


def onward(way: Way, part: Pass, packet: Packet) -> Lost | None:
    """Lead a packet that stays on a bridge through FORWARD and POSTROUTING; return its loss, or None."""
    stopped = hooks(way, part, packet)
    return stopped_by(way, part.space, packet, stopped) if stopped is not None else None


def hooks(way: Way, part: Pass, packet: Packet) -> Verdict | None:
    """Lead a packet that stays on a bridge through FORWARD and POSTROUTING; return what stopped it, or None."""
    name = part.bridge.name
    packet.incoming, packet.outgoing, packet.port_out = name, name, part.port_out
    stopped = pass_hook(way, part.space, packet, "forward")
    if stopped is None:
        packet.incoming = ""
        stopped = pass_hook(way, part.space, packet, "postrouting")
    return stopped


def port_to(space: Space, bridge: Link, ear: Ear) -> str:
    """Return the port of a bridge that leads to an interface, empty where it is not plain which."""
    for port in space.ports.get(bridge.name, ()):
        if (port.index, port.peer) == (ear.link.peer, ear.link.index):
            return port.name
    return ""
