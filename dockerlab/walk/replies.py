"""What a kernel sends by itself: replies to pings, resets, errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerlab.walk.compiled import setting
from dockerlab.walk.fate import CODES_4, CODES_6, Fate, Landed, Lost
from dockerlab.walk.outcome import Element
from dockerlab.walk.packet import Packet
from dockerlab.walk.travel import send

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.way import Way


def answer(packet: Packet, *, flags: frozenset[str] = frozenset(), size: int = 0) -> Packet:
    """Return the answer to a packet that was delivered, from the address and port that it was sent to."""
    kind = {8: (0, 0), 128: (129, 0)}.get(packet.kind[0], (0, 0))
    header = 40 if "SYN" in flags else 20 if "RST" in flags else 32
    whole = size or header + (20 if packet.version == 4 else 40)
    return Packet(
        packet.version,
        packet.protocol,
        packet.destination,
        packet.source,
        packet.dport,
        packet.sport,
        kind,
        flags,
        whole,
        dscp=packet.dscp if packet.protocol == "icmp" else 0,
    )


def send_answer(way: Way, landed: Landed, packet: Packet) -> Fate:
    """Return what becomes of the answer to a packet that was delivered.

    A route by loopback leads packets to a namespace for addresses that it does not have, and from these it sends
    nothing (`ip_route_output_key_hash_rcu`).
    """
    space, source = landed.space, packet.source
    if packet.version == 4 and source not in space.own:
        told = space.tables.local(source)
        if told is None or not told.local:
            way.note(space, "dropped", f"{space.name} does not have {source}, and sends nothing from it")
            return Lost("martian", space, None, packet)
    return send(way, space, packet)


def echo(landed: Landed) -> Element | None:
    """Return the setting that keeps a namespace from answering pings, None where it answers."""
    version = landed.packet.version
    path = "net.ipv4.icmp_echo_ignore_all" if version == 4 else "net.ipv6.icmp.echo_ignore_all"
    return setting(path, 1) if landed.space.sysctl(path) else None


def heard(fate: Fate, space: Space, *, ping: bool) -> bool:
    """Tell whether an answer came back to who waits for it: a connection wants it from where it went to."""
    del ping
    return isinstance(fate, Landed) and fate.space is space


def complaint(way: Way, space: Space, lost: Lost) -> bool:
    """Tell whether a namespace's error about a lost packet comes back to the one that sent it."""
    about, version = lost.packet, lost.packet.version
    if lost.told == "reset":
        error = Packet(version, "tcp", about.destination, about.source, about.dport, about.sport)
        error.flags = frozenset({"RST", "ACK"})
    else:
        codes = CODES_4 if version == 4 else CODES_6
        kind = codes.get(lost.told, (3, 1) if version == 4 else (1, 3))
        own = about.destination in lost.space.own
        source = about.destination if own else about.source
        error = Packet(version, "icmp", source, about.source, 0, 0, kind, about=about.quintuple)
        if about.connection is not None:
            error.connection, error.reply, error.state = about.connection, not about.reply, "RELATED"
        return _comes_back(send(way, lost.space, error, bound=own), space)
    if about.connection is not None:
        error.connection, error.reply, error.state = about.connection, not about.reply, "RELATED"
    return _comes_back(send(way, lost.space, error), space)


def _comes_back(fate: Fate, space: Space) -> bool:
    return isinstance(fate, Landed) and fate.space is space
