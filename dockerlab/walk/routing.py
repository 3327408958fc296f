"""Where a kernel sends a packet: rules choose tables, tables choose routes, routes a next hop and a source address.

The words are those of Linux' `fib_rules_lookup`, `fib_table_lookup` and `ip_route_output_key_hash`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_network
from typing import TYPE_CHECKING

from dockerlab.kernel.addresses import IpAddress, IpInterface
from dockerlab.kernel.model import Link
from dockerlab.kernel.routes import DEFAULT, LOCAL, MAIN, Hop, Route, Selector
from dockerlab.walk.outcome import Element

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Space

Ask = Callable[[object, str], bool]
"""Asks for a guess: of what, and the doubt in words."""

NO_ROUTE, BLACKHOLE, PROHIBITED, UNREACHABLE = "ENETUNREACH", "EINVAL", "EACCES", "EHOSTUNREACH"
ERRORS = {"blackhole": BLACKHOLE, "prohibit": PROHIBITED, "unreachable": UNREACHABLE}
"""What a route of each kind says (`fib_props`)."""
SELECTOR_ERRORS = {"blackhole": BLACKHOLE, "prohibit": PROHIBITED, "unreachable": NO_ROUTE}
"""What a rule of each action says (`fib4_rule_action`)."""
NUMBERS = {"icmp": "1", "tcp": "6", "udp": "17", "icmpv6": "58", "ipv6-icmp": "58"}


@dataclass(frozen=True, slots=True)
class Query:
    """What a route is looked up for; `incoming` is `lo` for what a namespace sends itself."""

    destination: IpAddress
    source: IpAddress | None = None
    incoming: str = "lo"
    outgoing: str = ""
    mark: int = 0
    protocol: str = ""
    sport: int = 0
    dport: int = 0


@dataclass(frozen=True, slots=True)
class Choice:
    """What a look-up found: a route with its next hop, or in `error` what the kernel says instead.

    `element` is the route or the rule that decided, None where there is none.
    """

    route: Route | None = None
    hop: Hop | None = None
    error: str = ""
    element: Element | None = None

    @property
    def local(self) -> bool:
        """Tell whether it leads to the namespace itself."""
        return self.route is not None and self.route.kind in ("local", "anycast")


class Tables:
    """The routes of a namespace, all tables, and the rules that choose among them."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._tables: dict[tuple[int, str], Table] = {}
        for route in _routes(space):
            key = (route.version, route.table)
            self._tables.setdefault(key, Table(route.version)).add(route)
        self._selectors = {version: list(_selectors(space, version)) for version in (4, 6)}
        self.plain = {version: all(_plain(each) for each in found) for version, found in self._selectors.items()}
        self._found: dict[tuple[IpAddress, str, bool], Choice] = {}

    def look(self, query: Query, ask: Ask, *, dead: bool = False) -> Choice:
        """Return the way for a query; `dead` takes links without a carrier as well."""
        version = query.destination.version
        if not self.plain[version]:
            return self._look(query, ask, dead=dead)
        key = (query.destination, query.outgoing, dead)
        found = self._found.get(key)
        if found is None:
            found = self._look(query, ask, dead=dead)
            if found.route is None or len(found.route.hops) < 2:
                self._found[key] = found
        return found

    def local(self, address: IpAddress) -> Choice | None:
        """Return what table local says of an address, whatever the rules say."""
        table = self._tables.get((address.version, LOCAL))
        return table.look(Query(address), lambda *_: False, self.space, dead=True) if table is not None else None

    def _look(self, query: Query, ask: Ask, *, dead: bool) -> Choice:
        version, skip_to = query.destination.version, -1
        for selector in self._selectors[version]:
            if selector.priority < skip_to or not self._applies(selector, query, ask):
                continue
            if selector.action == "goto":
                skip_to = selector.goto
                continue
            if selector.action == "nop":
                continue
            element = _selector_element(selector)
            if selector.action in SELECTOR_ERRORS:
                return Choice(error=SELECTOR_ERRORS[selector.action], element=element)
            table = self._tables.get((version, selector.table))
            found = table.look(query, ask, self.space, dead=dead) if table is not None else None
            if found is None:
                continue
            if not _suppressed(selector, found):
                return found
        return Choice(error=NO_ROUTE)

    def _applies(self, selector: Selector, query: Query, ask: Ask) -> bool:
        """Tell whether a rule speaks of a query (`fib_rule_match`)."""
        holds = _holds(selector, query)
        if holds and selector.strict:
            text = selector.text or f"rule {selector.priority}"
            return ask(("selector", self.space.id, selector), f"ip rule `{text}` asks for {', '.join(selector.strict)}")
        if not holds and selector.strict and selector.negated:
            return ask(("selector", self.space.id, selector), f"ip rule {selector.text}")
        return holds

    @cached_property
    def chosen(self) -> bool:
        """Tell whether there are rules or local routes beside those that every kernel makes by itself.

        They make it ask more when it looks at where a packet of IPv4 comes from (`fib4_has_custom_rules`).
        """
        usual = {(LOCAL, 0), (MAIN, 32766), (DEFAULT, 32767)}
        if any((each.table, each.priority) not in usual or not _plain(each) for each in self._selectors[4]):
            return True
        return any(
            route.kind == "local" and route.protocol not in ("", "kernel")
            for route in self.space.namespace.routes
            if route.version == 4
        )


class Table:
    """One table: its routes by the length of their prefix, the longest first."""

    def __init__(self, version: int) -> None:
        self.bits = 32 if version == 4 else 128
        self._by_length: dict[int, dict[int, list[Route]]] = {}
        self._lengths: list[int] = []

    def add(self, route: Route) -> None:
        """Take in a route, in the order of its metric."""
        length = route.destination.prefixlen
        bucket = self._by_length.setdefault(length, {})
        routes = bucket.setdefault(int(route.destination.network_address) >> (self.bits - length), [])
        routes.append(route)
        routes.sort(key=lambda each: each.metric)
        self._lengths = sorted(self._by_length, reverse=True)

    def look(self, query: Query, ask: Ask, space: Space, *, dead: bool) -> Choice | None:
        """Return what the longest prefix says that can be used, or None where the table has nothing to say."""
        number = int(query.destination)
        for length in self._lengths:
            for route in self._by_length[length].get(number >> (self.bits - length), ()):
                if route.kind == "throw":
                    return None
                if route.kind in ERRORS:
                    return Choice(route, error=ERRORS[route.kind], element=element(route))
                if route.kind not in ("unicast", "local", "broadcast", "anycast", "multicast"):
                    continue
                hops = [hop for hop in route.hops if _usable(hop, query.outgoing, space, dead=dead, kind=route.kind)]
                if not route.hops and route.kind == "local" and query.outgoing in ("", "lo"):
                    return Choice(route, Hop("lo"), element=element(route))
                if hops:
                    return Choice(route, _one(hops, route, ask, space), element=element(route))
        return None


def _suppressed(selector: Selector, found: Choice) -> bool:
    """Tell whether a rule ignores what its table says, for want of a long prefix (`fib4_rule_suppress`)."""
    if selector.suppress is None or found.route is None or found.error:
        return False
    return found.route.destination.prefixlen <= selector.suppress


def _one(hops: list[Hop], route: Route, ask: Ask, space: Space) -> Hop:
    """Return the hop that is taken of several: which one it is depends on a hash that nobody sees."""
    for number, hop in enumerate(hops[:-1]):
        if not ask(("hop", space.id, route, number), f"which next hop of `{route.text}` is taken"):
            return hop
    return hops[-1]


def _usable(hop: Hop, outgoing: str, space: Space, *, dead: bool, kind: str) -> bool:
    if outgoing and hop.device != outgoing:
        return False
    if kind == "local":  # an address stays one's own when its interface goes down (`fib_sync_down_dev`)
        return True
    link = space.links.get(hop.device)
    if link is not None and not link.up:
        return False
    return hop.alive or dead


def element(route: Route) -> Element:
    """Return a route as the object that decides."""
    where = "route" if route.table == MAIN else f"table {route.table}"
    return Element("route", where, route.text or str(route.destination), route)


def _selector_element(selector: Selector) -> Element:
    return Element("ip-rule", f"ip rule {selector.priority}", selector.text, selector)


def _plain(selector: Selector) -> bool:
    """Tell whether a rule holds for every packet."""
    return (
        selector.action == "table"
        and selector.source is None
        and selector.destination is None
        and not (selector.incoming or selector.outgoing or selector.protocol or selector.strict or selector.negated)
        and selector.mark is None
        and selector.ports is None
        and selector.source_ports is None
        and selector.suppress is None
    )


def _holds(selector: Selector, query: Query) -> bool:
    """Tell whether the conditions of a rule hold that can be evaluated."""
    return (all(_conditions(selector, query))) is not selector.negated


def _conditions(selector: Selector, query: Query) -> Iterator[bool]:
    if selector.source is not None:
        everywhere = selector.source.prefixlen == 0
        yield everywhere or (query.source is not None and query.source in selector.source)
    if selector.destination is not None:
        yield query.destination in selector.destination
    if selector.incoming:
        yield query.incoming == selector.incoming
    if selector.outgoing:
        yield query.outgoing == selector.outgoing
    if selector.mark is not None:
        value, mask = selector.mark
        yield query.mark & mask == value & mask
    if selector.protocol:
        protocol = "ipv6-icmp" if query.protocol == "icmp" and query.destination.version == 6 else query.protocol
        yield NUMBERS.get(selector.protocol, selector.protocol) == NUMBERS.get(protocol, protocol)
    if selector.ports is not None:
        yield selector.ports[0] <= query.dport <= selector.ports[1]
    if selector.source_ports is not None:
        yield selector.source_ports[0] <= query.sport <= selector.source_ports[1]


def _selectors(space: Space, version: int) -> Iterator[Selector]:
    """Yield the rules of an IP version by priority; where none are told, those that every kernel begins with."""
    told = [each for each in space.namespace.selectors if each.version == version]
    if told or "selectors" in space.namespace.unread:
        yield from sorted(told, key=lambda each: each.priority)
    if not told:
        yield Selector(version, 0, table=LOCAL)
        yield Selector(version, 32766, table=MAIN)
        yield Selector(version, 32767, table=DEFAULT)


def _routes(space: Space) -> Iterator[Route]:
    """Yield all routes; those to a namespace's own addresses follow from these where table local is not told."""
    told = {route.version for route in space.namespace.routes if route.table == LOCAL}
    yield from space.namespace.routes
    for link in space.namespace.links:
        for address in link.addresses:
            if address.version not in told and (address.version == 4 or link.up):
                yield from _own(link, address)


def _own(link: Link, address: IpInterface) -> Iterator[Route]:
    """Yield what table local gets by itself for an address."""
    kinds = [("local", ip_network(address.ip))]
    if address.version == 4 and address.is_loopback:
        kinds.append(("local", address.network))
    elif address.version == 4 and address.network.prefixlen < 31:
        kinds.append(("broadcast", ip_network(address.network.broadcast_address)))
    for kind, network in kinds:
        place = network.network_address if network.prefixlen == network.max_prefixlen else network
        text = f"{kind} {place} dev {link.name} table local"
        yield Route(network, kind, LOCAL, (Hop(link.name),), address.ip, scope="host", text=text)
