"""Which namespaces and addresses fare alike: what becomes of a packet need be worked out for one of each kind only.

Kinds follow from the state alone. Of two namespaces of one kind each reaches any third alike, and is reached alike. Not
so a namespace and itself: a packet to its own address, or to a port behind which it is, has to be walked by itself
(`aside` tells whose).
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from dockerlab.kernel.addresses import IpAddress
from dockerlab.kernel.model import CHILDREN, Link
from dockerlab.walk.compiled import Fabric, Space
from dockerlab.walk.mentions import Mentions, aims
from dockerlab.walk.outcome import SpaceId
from dockerlab.walk.speech import PLACEHOLDER
from dockerlab.walk.targets import split

Target = tuple[IpAddress, int | None]
"""An address, and the TCP port there that is asked, None for a ping."""

RESOLVER = re.compile(r"127\.0\.0\.11(/32)?(:\d+)?")
"""Rules about the resolver inside a container, each with a port of its own: nobody else meets them."""


@dataclass
class Kinds:
    """Numbers for signatures, the same for equal ones."""

    fabric: Fabric
    said: Mentions
    numbers: dict[Hashable, int] = field(default_factory=dict)
    spaces: dict[SpaceId, int] = field(default_factory=dict)
    addresses: dict[IpAddress, int] = field(default_factory=dict)
    doors: dict[tuple[SpaceId, IpAddress, int], int] = field(default_factory=dict)

    def number(self, signature: Hashable) -> int:
        """Return the number of a signature."""
        return self.numbers.setdefault(signature, len(self.numbers))


def sources(fabric: Fabric) -> dict[SpaceId, int]:
    """Return the kind of every namespace: those of one kind send alike, to whatever is not their own."""
    return _kinds(fabric).spaces


def targets(fabric: Fabric, wanted: Iterable[Target]) -> dict[Target, int]:
    """Return the kind of every target: those of one kind are reached alike, by whoever is none of them."""
    kinds = _kinds(fabric)
    return {target: kinds.number(("target", _target(kinds, *target))) for target in wanted}


def aside(fabric: Fabric, target: Target) -> frozenset[SpaceId]:
    """Return the namespaces whose packets to a target have to be walked by themselves: who has it, or is behind it."""
    address, port = target
    found = {space.id for space in fabric.holders.get(address, ())}
    ends = [text.value for _, rule in aims(fabric, port) for text in rule.options if text.option == "--to-destination"]
    for holder in fabric.holders.get(address, ()):
        taken = [] if port is None else fabric.sockets(holder).get(("tcp", port), ())
        ends += [each.proxy.to for each in taken if each.proxy is not None]
    for end in ends:
        first = _first(end)
        found |= {space.id for space in fabric.holders.get(first, ())} if first is not None else set()
    return frozenset(found)


def _first(text: str) -> IpAddress | None:
    """Return the address that a translation leads to, or None where it leads to none or to what is none."""
    try:
        return split(text)[0]
    except ValueError:
        return None


def _kinds(fabric: Fabric) -> Kinds:
    """Return the kinds of a net's namespaces, worked out once."""
    found = fabric.memory.get("kinds")
    if found is None:
        found = Kinds(fabric, Mentions(fabric, fabric.spaces.values()))
        for space in fabric.spaces.values():
            found.spaces[space.id] = found.number(("space", _space(found, space)))
        fabric.memory["kinds"] = found
    kinds: Kinds = found
    return kinds


def _space(kinds: Kinds, space: Space) -> Hashable:
    """Return what decides how a namespace's packets fare, its own addresses left out; a host is one of its kind."""
    namespace = space.namespace
    if namespace.host or namespace.forwards:
        return space.id
    own = {str(address) for address in space.own} | {link.mac.lower() for link in namespace.links}
    return (
        space.id.host,
        tuple(_link(kinds, space, link) for link in namespace.links),
        tuple(_masked(route.text or str(route), own) for route in namespace.routes if route.table != "local"),
        namespace.selectors,
        namespace.neighbours,
        frozenset(namespace.sysctls.items()),
        tuple((c.table, c.name, c.hook, c.priority, c.policy, c.backend, c.family) for c in namespace.ruleset.chains),
        tuple(_rule(rule.text, own) for rule in namespace.ruleset.rules()),
        namespace.ruleset.sets,
        namespace.ruleset.read,
        tuple(namespace.unread),
        bool(namespace.deaf),
    )


def _link(kinds: Kinds, space: Space, link: Link) -> Hashable:
    """Return an interface without its addresses, and where it is plugged in."""
    said = kinds.said
    addresses = tuple((each.network, _address(kinds, each.ip)) for each in link.addresses if not each.ip.is_loopback)
    scope = tuple((network, about) for network, about in addresses if not network.is_link_local)
    own = (link.name, link.kind, link.mtu, link.up, link.carrier, link.master, tuple(sorted(link.info.items())))
    return (own, scope, said.of(("mac", link.mac.lower())), _place(kinds, space, link))


def _place(kinds: Kinds, space: Space, link: Link) -> Hashable:
    """Return where an interface is plugged in: at which bridge, by what kind of port, or on which parent."""
    fabric = kinds.fabric
    if link.name == "lo":
        return None
    if link.kind == "veth":
        ends = fabric.other_end(space, link)
        if len(ends) == 1 and ends[0][1].master:
            at, port = ends[0]
            said = kinds.said.of(("port", f"{at.id.host}/{port.name}"))
            return (at.id, port.master, port.up, port.mtu, tuple(sorted(port.info.items())), said)
    if link.kind in CHILDREN:
        above = fabric.parent(space, link)
        if above is not None:
            return (above[0].id, above[1].name)
    return (space.id, link.name)


def _address(kinds: Kinds, address: IpAddress) -> Hashable:
    """Return what is said of an address: alone, and as one of a network."""
    found = kinds.addresses.get(address)
    if found is None:
        one = len(kinds.fabric.holders.get(address, ())) <= 1
        about = (address.version, kinds.said.atom(address), kinds.said.of(("ip", str(address)))) if one else address
        found = kinds.addresses[address] = kinds.number(("address", about))
    return found


def _target(kinds: Kinds, address: IpAddress, port: int | None) -> Hashable:
    """Return what decides how a target is reached."""
    holders = kinds.fabric.holders.get(address, ())
    if len(holders) != 1:
        return (address, port)
    (space,) = holders
    links = tuple(link.name for link in space.own[address])
    place = (kinds.spaces[space.id], links, _address(kinds, address))
    if port is None:
        return place
    listening = _door(kinds, space, address, port)
    if not space.namespace.host:
        return (place, port, listening)
    behind = tuple(_behind(kinds, text.value) for _, rule in aims(kinds.fabric, port) for text in rule.options)
    return (place, kinds.said.port_atom(port), kinds.said.of(("tcp", str(port))), behind, listening)


def _door(kinds: Kinds, space: Space, address: IpAddress, port: int) -> int:
    """Return the number of the set of those who listen on a port."""
    key = (space.id, address, port)
    found = kinds.doors.get(key)
    if found is None:
        listening = frozenset(_listeners(kinds, space, address, port))
        found = kinds.doors[key] = kinds.number(("door", listening))
    return found


def _listeners(kinds: Kinds, space: Space, address: IpAddress, port: int) -> Iterable[Hashable]:
    """Yield who listens on a port; of a docker-proxy, the kind of whom it hands on to."""
    for socket in kinds.fabric.sockets(space).get(("tcp", port), ()):
        bound = socket.listener.address
        proxy = socket.proxy
        to = _behind(kinds, f"{proxy.to}:{proxy.to_port}" if ":" not in proxy.to else proxy.to) if proxy else None
        yield (PLACEHOLDER if bound == str(address) else bound, socket.listener.device, to)


def _behind(kinds: Kinds, text: str) -> Hashable:
    """Return the kind of a translation's aim."""
    try:
        first, _, port = split(text)
    except ValueError:
        return text
    if first is None or len(kinds.fabric.holders.get(first, ())) != 1:
        return text
    (space,) = kinds.fabric.holders[first]
    listening = _door(kinds, space, first, int(port)) if port.isascii() and port.isdigit() else None
    return (kinds.spaces[space.id], _address(kinds, first), port, listening)


def _masked(text: str, own: set[str]) -> str:
    return " ".join(PLACEHOLDER if word.partition("/")[0] in own else word for word in text.split())


def _rule(text: str, own: set[str]) -> str:
    """Return a rule inside a namespace without its own addresses, and without the ports of its resolver."""
    if "127.0.0.11" in text:
        text = RESOLVER.sub("resolver", text)
        text = re.sub(r"--sport \d+", "--sport resolver", text)
    return _masked(text, own)
