"""Which address a kernel sends from where no program chose one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import Link
from dockerlab.walk.routing import Choice

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space

LIMITS = {"link": 253, "host": 254, "nowhere": 255}
"""The scopes of routes and addresses as numbers (rt_scope_t); that of the whole world is 0."""


def source_for(space: Space, way: Choice, destination: IpAddress) -> IpAddress | None:
    """Return the address that the kernel sends from by a way, where no program chose one, or None."""
    route, hop = way.route, way.hop
    if route is None or hop is None:
        return None
    if route.source is not None and (route.source.version == destination.version):
        return route.source
    if way.local:
        return destination
    link = space.links.get(hop.device)
    if link is None:
        return None
    if destination.version == 6:
        return _source6(space, link, destination)
    return address_on(space, link, hop.via or destination, LIMITS.get(route.scope, 0))


def address_on(space: Space, link: Link, towards: IpAddress | None, scope: int = 0) -> IpAddress | None:
    """Return the IPv4 address of an interface towards a neighbour, or one of another interface (`inet_select_addr`)."""
    first: IpAddress | None = None
    for address in space.primaries(link, 4):
        if address.is_loopback and scope < LIMITS["host"]:
            continue
        if towards is None or towards in address.network:
            return address.ip
        first = first or address.ip
    if first is not None:
        return first
    for other in space.namespace.links:
        for address in space.primaries(other, 4):
            if not address.is_loopback and not address.is_link_local:
                return address.ip
    return None


def _source6(space: Space, link: Link, destination: IpAddress) -> IpAddress | None:
    """Return the IPv6 address to send from: of the wanted scope, with most in common (RFC 6724)."""
    near = [address.ip for address in space.primaries(link, 6)]
    if destination.is_link_local:
        return next((each for each in near if each.is_link_local), None)
    near = [each for each in near if not each.is_link_local]
    every = [
        address.ip
        for other in space.namespace.links
        for address in space.primaries(other, 6)
        if not address.is_link_local and not address.is_loopback
    ]
    candidates = near or every
    return max(candidates, key=lambda each: _common(each, destination), default=None)


def _common(one: IpAddress, other: IpAddress) -> int:
    return 128 - (int(one) ^ int(other)).bit_length()
