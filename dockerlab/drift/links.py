"""Links and addresses that are missing, foreign or changed, with the routes that come and go with them; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dockerlab.drift import undo
from dockerlab.drift.difference import Difference, How, Key, Kind, Told, difference, how_of, key_of
from dockerlab.drift.edits import Edit, Readdress, Swap, Turn
from dockerlab.drift.routes import lost, route_of, stray
from dockerlab.drift.sides import Pair, cable
from dockerlab.kernel.addresses import IpInterface
from dockerlab.kernel.model import CHILDREN, Link
from dockerlab.kernel.routes import Route
from dockerlab.snapshot import GATEWAY_BRIDGE

EXTRAS: dict[str, str | None] = {"isolated": "false", "hairpin": "false", "mode": None, "flags": None, "arp": "true"}
"""What a link's kind adds that decides on packets, and what it is where nothing is said of it: None is no claim."""

RIDERS = (*CHILDREN, "vlan")
"""Kinds of links that have the carrier of their parent (Linux, `netif_stacked_transfer_operstate`)."""
HARDWARE = ("", "vlan")
"""Kinds of links whose carrier is not what another interface makes of it; nobody types a cable in."""
OF_PORTS = ("isolated", "hairpin")


def links(pair: Pair, ground: Pair | None, rooms: Sequence[Pair] = ()) -> Iterator[Difference]:
    """Yield what is not as imagined of a namespace's links.

    The other ends of its cables are in `ground`, its host's own namespace, or for a host's in `rooms`, its containers'.
    A cable is told of at its end in the container: both ends come and go together.
    """
    if "links" in pair.there.unread or "links" in pair.wanted.unread:
        return
    for link in pair.wanted.links:
        there = pair.there.link(link.name)
        if there is not None:
            yield from _changed(pair, link, there, ground, rooms)
        elif not (pair.of_host and cable(link)):
            yield _missing(pair, link, ground)
    for link in pair.there.links:
        if pair.wanted.link(link.name) is None and not (pair.of_host and cable(link)):
            yield _foreign(pair, link, ground)


def _difference(
    pair: Pair, how: How, link: Link, told: tuple[str, str, str], edits: tuple[Edit, ...], kind: Kind = "link"
) -> Difference:
    named = {there: name for name, there in pair.links.items()}
    keys: list[Key] = [key_of(pair.at, link), (pair.origin, "link", named.get(link.name, link.name))]
    return difference(pair, how, kind, Told(link.name, *told), edits, keys)


def _missing(pair: Pair, link: Link, ground: Pair | None) -> Difference:
    routes = tuple(route for route in pair.wanted.routes if route_of(route) == {link.name})
    edits: tuple[Edit, ...] = (Swap(pair.at, "links", into=link), *_put_back(pair, routes))
    if cable(link) and ground is not None:
        ends = (end for end in ground.wanted.links if cable(end) and end.index == link.peer)
        edits += tuple(Swap(ground.at, "links", into=end) for end in ends if ground.there.link(end.name) is None)
    back = undo.RESTART if pair.of_host else undo.restart(pair.who)
    return _difference(pair, "missing", link, (link.name, f"the interface {link.name} is not there", back), edits)


def _foreign(pair: Pair, link: Link, ground: Pair | None) -> Difference:
    routes = (route for route in pair.there.routes if link.name in route_of(route))
    edits: tuple[Edit, ...] = (
        Swap(pair.at, "links", out=link), *(Swap(pair.at, "routes", out=route) for route in routes),
    )  # fmt: skip
    if cable(link) and ground is not None:
        ends = (end for end in ground.there.links if cable(end) and end.index == link.peer and end.peer == link.index)
        edits += tuple(Swap(ground.at, "links", out=end) for end in ends)
    back = undo.remove_link(undo.place(pair.there), link)
    return _difference(
        pair, "foreign", link, (link.name, f"the interface {link.name} is not the engine's", back), edits
    )


def _changed(pair: Pair, wanted: Link, there: Link, ground: Pair | None, rooms: Sequence[Pair]) -> Iterator[Difference]:
    where, name = undo.place(pair.there), there.name
    if wanted.up and not there.up:
        yield _down(pair, wanted, there, rooms if pair.of_host or ground is None else (ground,))
    elif there.up and not wanted.up:
        back = undo.link(where, name, "down")
        edits: tuple[Edit, ...] = (Turn(pair.at, name, "up", value=False), *_out(pair, name))
        yield _difference(pair, "changed", there, (f"{name} up", f"the interface {name} is up", back), edits)
    if wanted.up and there.up and wanted.carrier and not there.carrier and there.kind in HARDWARE:
        says = f"the interface {name} has no carrier: there is nobody at the other end"
        edits = (Turn(pair.at, name, "carrier", value=True), *_riders(there, pair, rooms))
        yield _difference(pair, "changed", there, (f"{name} no carrier", says, ""), edits)
    if wanted.mtu and there.mtu and wanted.mtu != there.mtu:
        says = f"the interface {name} has MTU {there.mtu}, where it would be {wanted.mtu}"
        back = undo.link(where, name, "mtu", str(wanted.mtu))
        yield _turned(pair, there, "mtu", wanted.mtu, (f"{name} mtu {there.mtu}", says, back))
    if wanted.master != there.master:
        says = f"the interface {name} is on {there.master or 'no bridge'}, and not on {wanted.master or 'none'}"
        back = undo.link(where, name, *(("master", wanted.master) if wanted.master else ("nomaster",)))
        told = (f"{name} master {there.master}" if there.master else f"{name} nomaster", says, back)
        yield _turned(pair, there, "master", wanted.master, told)
    drawn = _on(pair, wanted, ground) == GATEWAY_BRIDGE  # an engine draws those and tells nobody
    if not pair.of_host and not drawn and wanted.mac and there.mac and wanted.mac.lower() != there.mac.lower():
        says = f"the interface {name} has the MAC address {there.mac}, where it would be {wanted.mac}"
        back = undo.link(where, name, "address", wanted.mac)
        yield _turned(pair, there, "mac", wanted.mac, (f"{name} address {there.mac}", says, back))
    yield from _extras(pair, wanted, there)
    if wanted.up and there.up:
        yield from _addresses(pair, wanted, there)
    else:
        yield from _addresses(pair, wanted, there, only=4)


def _on(pair: Pair, inside: Link, ground: Pair | None) -> str:
    """Return the bridge that a container's cable leads to, empty where that is not known."""
    if ground is None or pair.of_host or not cable(inside):
        return ""
    return next((end.master for end in ground.wanted.links if cable(end) and end.index == inside.peer), "")


def _turned(pair: Pair, link: Link, attribute: str, value: Any, told: tuple[str, str, str]) -> Difference:
    return _difference(pair, "changed", link, told, (Turn(pair.at, link.name, attribute, value),))


def _down(pair: Pair, wanted: Link, there: Link, away: Sequence[Pair]) -> Difference:
    """Return a link that is down: with it go all its routes, its addresses of IPv6, and its children's carrier.

    The other end of a cable, and children, are in the namespaces `away`.
    """
    where, name = undo.place(pair.there), there.name
    gone = [route for route in lost(pair) if route_of(route) == {name}]
    addresses = [a for a in wanted.addresses if a.version == 6 and not a.ip.is_link_local and a not in there.addresses]
    edits: list[Edit] = [Turn(pair.at, name, "up", value=True), Turn(pair.at, name, "carrier", value=wanted.carrier)]
    edits += [Turn(pair.at, name, "state", wanted.state), *_forwards(pair, there)]
    edits += [edit for port in pair.there.links if port.master == name for edit in _forwards(pair, port)]
    edits += [Readdress(pair.at, name, into=address) for address in addresses]
    edits += _put_back(pair, gone)
    edits += [*_other_end(there, away), *_riders(there, pair, away)]
    commands = [undo.link(where, name, "up")]
    commands += [undo.address(where, "add", address, name) for address in addresses]
    commands += [undo.route(where, "replace", route) for route in gone if not by_itself(route, wanted)]
    told = (f"{name} down", f"the interface {name} is down", undo.both(commands))
    return _difference(pair, "changed", there, told, tuple(edits))


def _forwards(pair: Pair, port: Link) -> Iterator[Edit]:
    """Yield what makes a bridge pass on frames again by a port that has come up."""
    if port.info.get("state") == "disabled":
        yield Turn(pair.at, port.name, "info.state", None)


def _other_end(link: Link, away: Sequence[Pair]) -> Iterator[Edit]:
    """Yield what makes the other end of a cable see that this end is up, and a bridge use it again."""
    ends = ((other, end) for other in away for end in other.there.links if cable(link) and cable(end))
    for other, end in ends:
        if end.index == link.peer and end.peer == link.index:
            yield Turn(other.at, end.name, "carrier", value=True)
            yield from _forwards(other, end)


def _riders(parent: Link, pair: Pair, away: Sequence[Pair]) -> Iterator[Edit]:
    """Yield what makes the links that ride on one, and those on these, see that there is somebody at its other end."""
    for other in (pair, *away):
        for link in other.there.links:
            if link.kind in RIDERS and link.peer == parent.index and link.away == (other is not pair):
                yield Turn(other.at, link.name, "carrier", value=True)
                if other is pair:
                    yield from _riders(link, pair, away)


def _out(pair: Pair, name: str) -> Iterator[Edit]:
    return (Swap(pair.at, "routes", out=route) for route in stray(pair) if name in route_of(route))


def _put_back(pair: Pair, routes: object) -> tuple[Edit, ...]:
    found = routes if isinstance(routes, (list, tuple)) else ()
    return tuple(Swap(pair.at, "routes", into=route) for route in found)


def by_itself(route: Route, link: Link) -> bool:
    """Tell whether a route comes with an address of a link, without anybody's word."""
    own = [address for address in link.addresses if address.version == route.version]
    if route.table == "local" or route.destination.is_link_local or route.destination.is_multicast:
        return True
    return all(hop.via is None for hop in route.hops) and any(a.network == route.destination for a in own)


def _extras(pair: Pair, wanted: Link, there: Link) -> Iterator[Difference]:
    where, name = undo.place(pair.there), there.name
    for key, usual in EXTRAS.items():
        right, now = wanted.info.get(key, usual), there.info.get(key, usual)
        if right == now or right is None or now is None:
            continue
        if key in OF_PORTS:
            back = undo.port(where, name, key, "on" if right == "true" else "off")
        elif key == "arp":
            back = undo.link(where, name, "arp", "on" if right == "true" else "off")
        else:
            flags = wanted.info.get("flags", "") if wanted.kind == "ipvlan" else ""
            mode = wanted.info.get("mode", "") or there.info.get("mode", "")
            back = undo.link(where, name, "type", wanted.kind, "mode", mode, *filter(None, flags.split(",")))
        says = f"the interface {name} has {key} {now}, where it would be {right}"
        yield _turned(pair, there, f"info.{key}", wanted.info.get(key), (f"{name} {key} {now}", says, back))


def _addresses(pair: Pair, wanted: Link, there: Link, only: int = 0) -> Iterator[Difference]:
    gone = [a for a in wanted.addresses if a not in there.addresses and _told(a, only)]
    new = [a for a in there.addresses if a not in wanted.addresses and _told(a, only)]
    for address in gone:
        instead = next((other for other in new if other.ip == address.ip), None)
        if instead is not None:
            new.remove(instead)
        yield _readdressed(pair, there, instead, address)
    for address in new:
        yield _readdressed(pair, there, address, None)


def _told(address: IpInterface, only: int) -> bool:
    return not address.ip.is_link_local and only in (0, address.version)


def _readdressed(pair: Pair, link: Link, now: IpInterface | None, right: IpInterface | None) -> Difference:
    """Return an address that is too many, is gone, or has another prefix."""
    where, name = undo.place(pair.there), link.name
    back = [undo.address(where, "del", now, name)] if now is not None else []
    edits: list[Edit] = [Readdress(pair.at, name, now, right)]
    if now is not None:
        edits += [Swap(pair.at, "routes", out=r) for r in stray(pair) if _follows(r, now, name)]
    if right is not None:
        gone = [route for route in lost(pair) if _follows(route, right, name) or _by(route, right, name)]
        edits += _put_back(pair, gone)
        back += [undo.address(where, "add", right, name)]
        back += [undo.route(where, "replace", route) for route in gone if not _follows(route, right, name)]
    says = f"the interface {name} lacks the address {right}"
    if now is not None:
        says = f"the interface {name} has the address {now}" + (f", where it would be {right}" if right else " as well")
    told = (f"{now or right} dev {name}", says, undo.both(back))
    return _difference(pair, how_of(now, right), link, told, tuple(edits), "address")


def _follows(route: Route, address: IpInterface, name: str) -> bool:
    """Tell whether a route comes and goes with an address."""
    if route_of(route) != {name} or route.version != address.version or any(h.via is not None for h in route.hops):
        return False
    if route.table == "local":
        ends = (address.ip, address.network.broadcast_address, address.network.network_address)
        return route.destination.num_addresses == 1 and route.destination.network_address in ends
    return route.destination == address.network


def _by(route: Route, address: IpInterface, name: str) -> bool:
    """Tell whether a route leads to a router that only this address makes a neighbour."""
    return route_of(route) == {name} and any(h.via is not None and h.via in address.network for h in route.hops)
