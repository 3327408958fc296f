"""Routes and the rules that choose a table that are missing, foreign or changed; pure.

What the kernel makes of an address by itself is no difference of its own, nor is what goes with a link that is down.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import replace
from ipaddress import ip_network

from dockerlab.drift import undo
from dockerlab.drift.difference import Difference, Told, difference, how_of, sides_of
from dockerlab.drift.edits import Swap
from dockerlab.drift.sides import Pair
from dockerlab.kernel.model import Namespace
from dockerlab.kernel.routes import DEFAULT, LOCAL, MAIN, Route, Selector

USUAL = {(0, LOCAL), (32766, MAIN), (32767, DEFAULT)}
"""The rules that every kernel begins with, by priority and table."""

OWN = tuple(ip_network(text) for text in ("127.0.0.0/8", "::1/128", "fe80::/10", "ff00::/8"))
"""What every namespace has routes for."""


def route_of(route: Route) -> set[str]:
    """Return the links that a route leads out by."""
    return {hop.device for hop in route.hops}


def lost(pair: Pair) -> list[Route]:
    """Return the routes that are imagined and not there, whatever the reason."""
    held = {_said(route) for route in pair.there.routes}
    return [route for route in pair.wanted.routes if _said(route) not in held]


def stray(pair: Pair) -> list[Route]:
    """Return the routes that are there and not imagined, whatever the reason."""
    held = {_said(route) for route in pair.wanted.routes}
    return [route for route in pair.there.routes if _said(route) not in held]


def _said(route: Route) -> Hashable:
    hops = frozenset((hop.device, hop.via) for hop in route.hops)
    return (route.table, route.destination, route.metric, route.kind, hops)


def routes(pair: Pair) -> Iterator[Difference]:
    """Yield the routes that somebody added, deleted or replaced."""
    if "routes" in pair.there.unread or "routes" in pair.wanted.unread:
        return
    gone = [route for route in lost(pair) if _by_hand(route, pair.wanted) and _could_be(route, pair)]
    new = [route for route in stray(pair) if _by_hand(route, pair.there) and _is_known(route, pair)]
    where = undo.place(pair.there)
    for route in gone:
        instead = next((other for other in new if _place(other) == _place(route)), None)
        if instead is not None:
            new.remove(instead)
            says = f"the route `{_text(instead)}` would be `{_text(route)}`"
            yield _difference(pair, instead, route, says, undo.route(where, "replace", route))
        else:
            says = f"the route `{_text(route)}` is missing"
            yield _difference(pair, None, route, says, undo.route(where, "add", route))
    for route in new:
        says = f"the route `{_text(route)}` is not the engine's"
        yield _difference(pair, route, None, says, undo.route(where, "del", route))


def _place(route: Route) -> Hashable:
    """Return what the kernel has one route for."""
    return (route.table, route.destination, route.metric)


def _text(route: Route) -> str:
    return route.text or str(route.destination)


def _difference(pair: Pair, now: Route | None, right: Route | None, says: str, back: str) -> Difference:
    shown = now or right
    if shown is None:
        raise ValueError("a route that is on neither side")
    told = Told(f"table {shown.table}", _text(shown), says, back)
    keys = sides_of(pair, now, right)
    return difference(pair, how_of(now, right), "route", told, [Swap(pair.at, "routes", now, right)], keys)


def _by_hand(route: Route, space: Namespace) -> bool:
    """Tell whether a route is none that the kernel makes of an address of the namespace, or of every namespace."""
    if route.kind in ("broadcast", "multicast", "anycast"):
        return False
    if any(route.version == own.version and route.destination.subnet_of(own) for own in OWN):  # type: ignore[arg-type]
        return False
    if route.table != LOCAL:
        return True
    held = {address.ip for link in space.links for address in link.addresses}
    return route.destination.num_addresses != 1 or route.destination.network_address not in held


def _could_be(route: Route, pair: Pair) -> bool:
    """Tell whether nothing else than the route is missing: its links are up, with the addresses that it needs."""
    for name in route_of(route):
        wanted, there = pair.wanted.link(name), pair.there.link(name)
        if wanted is None:
            continue
        if there is None or (wanted.up and not there.up):
            return False
        gone = [address for address in wanted.addresses if address not in there.addresses]
        for address in gone:
            via = [hop.via for hop in route.hops if hop.via is not None]
            if address.network == route.destination or any(router in address.network for router in via):
                return False
    return True


def _is_known(route: Route, pair: Pair) -> bool:
    """Tell whether a route that is too many is not only that of a link or of an address that is."""
    for name in route_of(route):
        wanted, there = pair.wanted.link(name), pair.there.link(name)
        if wanted is None and there is not None:
            return False
        if there is None or wanted is None:
            continue
        new = [address for address in there.addresses if address not in wanted.addresses]
        if all(hop.via is None for hop in route.hops) and any(a.network == route.destination for a in new):
            return False
    return True


def selectors(pair: Pair) -> Iterator[Difference]:
    """Yield the rules of `ip rule` that somebody added or deleted."""
    if "selectors" in pair.there.unread or "selectors" in pair.wanted.unread:
        return
    where = undo.place(pair.there)
    ours = {version: _of(pair.wanted, version) for version in (4, 6)}
    for version, wanted in ours.items():
        there = _of(pair.there, version)
        plain = [replace(each, text="") for each in there]
        known = [replace(each, text="") for each in wanted]
        for selector, bare in zip(there, plain, strict=True):
            if bare not in known and (wanted or (selector.priority, selector.table) not in USUAL):
                says = f"the rule `{selector.text}` is not the engine's"
                yield _selector(pair, selector, None, (says, undo.selector(where, "del", selector)))
        for selector, bare in zip(wanted, known, strict=True):
            if bare not in plain and there:
                says = f"the rule `{selector.text}` is missing"
                yield _selector(pair, None, selector, (says, undo.selector(where, "add", selector)))


def _of(space: Namespace, version: int) -> list[Selector]:
    return [each for each in space.selectors if each.version == version]


def _selector(pair: Pair, now: Selector | None, right: Selector | None, words: tuple[str, str]) -> Difference:
    shown = now or right
    if shown is None:
        raise ValueError("a rule that is on neither side")
    told = Told(f"ip rule {shown.priority}", shown.text, *words)
    keys = sides_of(pair, now, right)
    return difference(pair, how_of(now, right), "ip-rule", told, [Swap(pair.at, "selectors", now, right)], keys)
