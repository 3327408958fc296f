"""Whether a kernel believes where a packet comes from: martians, and the reverse path filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerlab.kernel.model import Link
from dockerlab.walk.compiled import setting
from dockerlab.walk.outcome import Element
from dockerlab.walk.packet import Packet
from dockerlab.walk.routing import Query

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space
    from dockerlab.walk.way import Way

STRICT = 1
"""`rp_filter`: the way back has to be the interface by which a packet came; 2 wants any way back."""


def strange(space: Space, link: Link, packet: Packet) -> Element | None:
    """Return why a packet's addresses may not come from outside, None where they may (`ip_route_input_slow`)."""
    if not (packet.source.is_loopback or packet.destination.is_loopback):
        return None
    if packet.version == 4 and space.most(4, link.name, "route_localnet"):
        return None
    return setting(f"net.ipv4.conf.{link.name}.route_localnet", 0)


def doubted_source(way: Way, space: Space, link: Link, query: Query) -> Element | None:
    """Return the setting by which a packet's source is not believed, None where it is (`__fib_validate_source`)."""
    source = query.source
    if source is None or source.version == 6 or source.is_unspecified:
        return None
    strict = space.most(4, link.name, "rp_filter")
    accepts = bool(space.most(4, link.name, "accept_local"))
    local = setting(f"net.ipv4.conf.{link.name}.accept_local", 0)
    filters = setting(f"net.ipv4.conf.{link.name}.rp_filter", strict)
    if not strict and not space.tables.chosen:
        return None if accepts or source not in space.own else local
    mark = query.mark if space.most(4, link.name, "src_valid_mark") else 0
    back = space.tables.look(Query(source, query.destination, link.name, mark=mark), way.ask)
    if back.error or back.route is None:
        return filters if strict else None
    if back.route.kind != "unicast" and not (back.local and accepts):
        return local
    if any(hop.device == link.name for hop in back.route.hops):
        return None
    addressed = any(address.version == 4 for address in link.addresses)
    return filters if strict == STRICT or (strict and not addressed) else None
