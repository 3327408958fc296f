"""Who hears a frame: cables, bridges and their ports, children of a parent, LANs, tunnels.

An `Ear` is an interface to which frames come, and the bridges between. Ears behind a bridge or on a LAN are found once
for all who speak there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dockerlab.kernel.model import Link
from dockerlab.walk.outcome import Element, SpaceId

if TYPE_CHECKING:
    from dockerlab.walk.compiled import Fabric, Space


TUNNEL = "tunnel"
"""Stands among what has been seen on a way for that it leads through a tunnel."""


@dataclass(frozen=True, slots=True)
class Pass:
    """A bridge that frames go through, by the names of its ports; a port is empty where it is the bridge itself."""

    space: Space
    bridge: Link
    port_in: str = ""
    port_out: str = ""


@dataclass(frozen=True, slots=True)
class Tunnel:
    """A VXLAN that carries a frame from one host to another, where its other end (`end`) is in `to`."""

    space: Space
    link: Link
    to: Space
    end: Link


@dataclass(frozen=True, slots=True)
class Ear:
    """An interface to which frames come.

    `shut` is what keeps them from it, None where nothing does, `maybe` why nobody can tell. `instead` is the interface
    that gets what is sent to it alone (the child of a macvlan parent in mode passthru).
    """

    space: Space
    link: Link
    ways: tuple[Pass | Tunnel, ...] = ()
    shut: Element | None = None
    maybe: str = ""
    instead: tuple[Space, Link] | None = None
    port: str = ""


@dataclass(frozen=True, slots=True)
class Hole:
    """Where a wire goes on and nobody sees: a LAN has other machines (`lan`), or an end is in no namespace seen."""

    why: str
    lan: str = ""


@dataclass
class Hub:
    """A bridge or a LAN: all that hear what is said there, each by the branch that it is on."""

    ears: dict[SpaceId, list[tuple[str, Ear]]]
    holes: list[tuple[str, Hole]]
    bridge: tuple[Space, Link] | None = None


@dataclass
class Wire:
    """What an interface speaks into: some ears of its own, and perhaps a hub, on whose branch `branch` it is.

    `dead` is what makes it carry nothing at all, `swallowed` the child that gets whatever comes back.
    """

    own: list[Ear]
    holes: list[Hole]
    hub: Hub | None = None
    branch: str = ""
    dead: Element | None = None
    swallowed: Link | None = None

    def ears(self, space: SpaceId) -> Iterator[Ear]:
        """Yield the interfaces of one namespace that hear it."""
        yield from (ear for ear in self.own if ear.space.id == space)
        if self.hub is not None:
            for branch, ear in self.hub.ears.get(space, ()):
                heard = self._by_hub(self.hub, branch, ear)
                if heard is not None:
                    yield heard

    def everyone(self) -> Iterator[Ear]:
        """Yield all interfaces that hear it."""
        yield from self.own
        for space in self.hub.ears if self.hub is not None else ():
            for branch, ear in self.hub.ears[space] if self.hub is not None else ():
                heard = self._by_hub(self.hub, branch, ear) if self.hub is not None else None
                if heard is not None:
                    yield heard

    def unseen(self) -> Iterator[Hole]:
        """Yield where it goes on unseen."""
        yield from self.holes
        if self.hub is not None:
            yield from (hole for branch, hole in self.hub.holes if branch != self.branch or not branch)

    def _by_hub(self, hub: Hub, branch: str, ear: Ear) -> Ear | None:
        """Return an ear of the hub as this wire comes to it, or None where its own branch is meant."""
        mine = self.branch
        if hub.bridge is None or not (mine or branch):
            return ear if branch != mine else None
        if not mine:
            return ear
        space, bridge = hub.bridge
        if not branch:  # the bridge itself: the frame came in by a port
            return Ear(ear.space, ear.link, ear.ways, ear.shut, ear.maybe, ear.instead, mine)
        if branch == mine and not truth(space.links[branch], "hairpin"):
            return None
        ways = (Pass(space, bridge, mine, branch), *ear.ways)
        shut = ear.shut or _isolated(space, bridge, mine, branch)
        return Ear(ear.space, ear.link, ways, shut, ear.maybe, ear.instead, ear.port)


def _isolated(space: Space, bridge: Link, one: str, other: str) -> Element | None:
    """Return what keeps two isolated ports of a bridge apart, None where one of them is not isolated."""
    if not (truth(space.links[one], "isolated") and truth(space.links[other], "isolated")):
        return None
    text = f"{one} and {other} are isolated ports of {bridge.name}"
    return Element("link", other, text, space.links[other])


def truth(link: Link, key: str) -> bool:
    """Tell whether a flag of an interface's kind is set."""
    return link.info.get(key, "").lower() in ("true", "on", "1", "yes")


def wire_of(fabric: Fabric, space: Space, link: Link) -> Wire:
    """Return what an interface speaks into."""
    key = ("wire", space.id, link.name)
    found = fabric.memory.get(key)
    if found is None:
        made = _wire(fabric, space, link, frozenset())
        for at, child in fabric.children(space, link):
            text = f"{child.name} is a {child.kind} child of {link.name}: the two never meet"
            made.own.append(Ear(at, child, shut=Element("link", link.name, text, child)))
            if child.info.get("mode") == "passthru":
                made.swallowed = child
        found = fabric.memory[key] = made
    wire: Wire = found
    return wire


def _wire(fabric: Fabric, space: Space, link: Link, seen: frozenset[object]) -> Wire:
    why = "is down" if not link.up else "has no carrier" if not link.carrier and link.kind != "bridge" else ""
    if why:
        return Wire([], [], dead=Element("link", link.name, f"{link.name} {why}", link))
    ends = fabric.other_end(space, link) if link.kind == "veth" else []
    if len(ends) == 1:
        return _into(fabric, *ends[0], seen)
    if fabric.on_lan(space, link):
        return Wire([], [], _lan(fabric, fabric.lan(space, link), seen), _branch(space, link))
    make = KINDS.get(link.kind)
    if make is not None:
        return make(fabric, space, link, seen)
    return Wire([], [] if link.name == "lo" else [Hole(f"where {link.name} of {space.name} leads cannot be seen")])


def _branch(space: Space, link: Link) -> str:
    return f"{space.id.host}/{space.id.space}/{link.name}"


def _into(fabric: Fabric, space: Space, link: Link, seen: frozenset[object]) -> Wire:
    """Return what a frame comes into that arrives at an interface."""
    if not link.up:
        return Wire([], [], dead=Element("link", link.name, f"{link.name} of {space.name} is down", link))
    bridge = space.links.get(link.master)
    if bridge is not None and bridge.kind == "bridge":
        if not bridge.up:
            return Wire([], [], dead=Element("link", bridge.name, f"{bridge.name} of {space.name} is down", bridge))
        if _blocked(link):
            return Wire([], [], dead=Element("link", link.name, f"{link.name} is {link.info['state']}", link))
        return Wire([], [], _bridge(fabric, space, bridge, seen), link.name)
    if bridge is not None:
        return Wire([], [Hole(f"what {bridge.name} of {space.name}, a {bridge.kind}, does cannot be seen")])
    return Wire(list(_at(fabric, space, link)), [])


def _at(fabric: Fabric, space: Space, link: Link) -> Iterator[Ear]:
    """Yield who hears a frame that comes to an interface from outside: itself, and its children."""
    children = fabric.children(space, link)
    alone = next(((at, child) for at, child in children if child.info.get("mode") == "passthru"), None)
    yield Ear(space, link, instead=alone)
    for at, child in children:
        if child.up:
            bridge = at.links.get(child.master)
            if bridge is not None:
                yield Ear(at, bridge, maybe=f"{child.name} is a port of {bridge.name}", port=child.name)
            else:
                yield Ear(at, child)


def _blocked(port: Link) -> bool:
    return port.info.get("state", "forwarding").lower() not in ("forwarding", "3", "")


def _bridge(fabric: Fabric, space: Space, bridge: Link, seen: frozenset[object]) -> Hub:
    """Return a bridge as a hub: the bridge itself is its branch without a name."""
    key = ("bridge", space.id, bridge.name)
    found = fabric.memory.get(key)
    if found is not None and not seen:
        hub: Hub = found
        return hub
    made = Hub({}, [], (space, bridge))
    made.ears.setdefault(space.id, []).append(("", Ear(space, bridge)))
    if truth(bridge, "vlan_filtering"):
        made.holes.append(("", Hole(f"{bridge.name} of {space.name} filters VLANs")))
    for port in space.ports.get(bridge.name, ()):
        if _blocked(port) or key in seen:
            continue
        _spread(made, port.name, _wire(fabric, space, port, seen | {key}))
    if not seen:
        fabric.memory[key] = made
    return made


def _spread(hub: Hub, branch: str, wire: Wire) -> None:
    """Add all that hear a wire to a hub, on one branch."""
    for ear in wire.everyone():
        hub.ears.setdefault(ear.space.id, []).append((branch, ear))
    hub.holes += [(branch, hole) for hole in wire.unseen()]


def lan_hub(fabric: Fabric, name: str) -> Hub:
    """Return a LAN with all that hear what is said there."""
    return _lan(fabric, name, frozenset())


def _lan(fabric: Fabric, name: str, seen: frozenset[object]) -> Hub:
    """Return a LAN as a hub: each interface of a host is a branch."""
    key = ("lan", name)
    found = fabric.memory.get(key)
    if found is not None and not seen:
        hub: Hub = found
        return hub
    made = Hub({}, [("", Hole(f"whether another machine on the LAN {name} is meant cannot be seen", name))])
    for space, link in fabric.lans.get(name, ()):
        if key not in seen:
            _spread(made, _branch(space, link), _into(fabric, space, link, seen | {key}))
    if not seen:
        fabric.memory[key] = made
    return made


def _child(fabric: Fabric, space: Space, link: Link, seen: frozenset[object]) -> Wire:
    """Return what the child of a parent speaks into: its siblings, and whatever the parent is on.

    What it sends leaves by the parent and is never handed back to the host there (`macvlan_queue_xmit`).
    """
    above = fabric.parent(space, link)
    if above is None:
        return Wire([], [Hole(f"what {link.name} of {space.name} is a child of cannot be seen")])
    at, parent = above
    if not parent.up:
        return Wire([], [], dead=Element("link", parent.name, f"its parent {parent.name} is down", parent))
    siblings = list(_siblings(fabric, space, link, at, parent))
    held = Element(
        "link", parent.name, f"{link.name} is a {link.kind} child of {parent.name}: the two never meet", link
    )
    own = [*siblings, Ear(at, parent, shut=held)]
    beyond = _wire(fabric, at, parent, seen)
    beyond.own = own + beyond.own
    return beyond


def _siblings(fabric: Fabric, space: Space, link: Link, at: Space, parent: Link) -> Iterator[Ear]:
    """Yield the other children of a parent, as far as the two modes let frames pass."""
    family = link.kind[:6]
    mode = link.info.get("mode", "bridge" if family == "macvla" else "l2")
    flags = link.info.get("flags", "")
    for where, child in fabric.children(at, parent):
        if (where.id, child.name) == (space.id, link.name):
            continue
        ear = Ear(where, child)
        if not child.up:
            shut = Element("link", child.name, f"{child.name} of {where.name} is down", child)
            yield replace(ear, shut=shut)
            continue
        modes = (mode, child.info.get("mode", mode))
        if family == "ipvlan":
            if "private" in flags:
                text = f"ipvlan children of {parent.name} with the flag private never meet"
                yield replace(ear, shut=Element("link", link.name, text, link))
            elif "vepa" in flags:
                yield replace(ear, maybe=f"whether the switch sends back what {link.name} says (flag vepa)")
            else:
                yield ear
        elif modes == ("bridge", "bridge"):
            yield ear
        elif "vepa" in modes:
            yield replace(ear, maybe=f"whether the switch sends back what {link.name} says (mode vepa)")
        else:
            text = f"macvlan children of {parent.name} in mode {modes[0]} never meet"
            yield replace(ear, shut=Element("link", link.name, text, link))


def _tagged(_fabric: Fabric, space: Space, link: Link, _seen: frozenset[object]) -> Wire:
    """Return what a VLAN interface speaks into that is on no LAN of a host: nobody can tell who strips its tag."""
    return Wire([], [Hole(f"who else is in the VLAN of {link.name} of {space.name} cannot be seen")])


def _tunnel(fabric: Fabric, space: Space, link: Link, seen: frozenset[object]) -> Wire:
    """Return the far ends of a VXLAN: interfaces of the same number on the hosts that it is told to send to."""
    if TUNNEL in seen:  # what came out of a tunnel does not go back into it
        return Wire([], [])
    number = link.info.get("id", "")
    ears, holes = list[Ear](), list[Hole]()
    if "forwards" in space.namespace.unread:
        holes.append(Hole(f"where {link.name} of {space.name} sends to could not be read"))
    sent_to = {forward.to for forward in space.namespace.forwards if forward.device == link.name}
    for other in fabric.spaces.values():
        ground = fabric.ground(other.id.host)
        if ground is None or other.id.host == space.id.host:
            continue
        if not any(str(address) in sent_to for address in ground.own):
            continue
        for far in other.namespace.links:
            if far.kind == "vxlan" and far.info.get("id", "") == number:
                arriving = _into(fabric, other, far, frozenset((*seen, TUNNEL)))
                tunnel = Tunnel(space, link, other, far)
                ears += [replace(ear, ways=(tunnel, *ear.ways)) for ear in arriving.everyone()]
    known = {str(address) for s in fabric.spaces.values() if s.namespace.host for address in s.own}
    for unknown in sorted(sent_to - known):
        holes.append(Hole(f"{unknown}, to which {link.name} of {space.name} sends, is none of the hosts"))
    return Wire(ears, holes)


def _switch(fabric: Fabric, space: Space, link: Link, seen: frozenset[object]) -> Wire:
    """Return what a bridge itself speaks into."""
    return Wire([], [], _bridge(fabric, space, link, seen))


def _nowhere(_fabric: Fabric, _space: Space, _link: Link, _seen: frozenset[object]) -> Wire:
    """Return a wire that nobody hears."""
    return Wire([], [])


KINDS = {
    "bridge": _switch,
    "macvlan": _child,
    "macvtap": _child,
    "ipvlan": _child,
    "ipvtap": _child,
    "vlan": _tagged,
    "vxlan": _tunnel,
    "dummy": _nowhere,
}
"""What each kind of interface speaks into that is neither a cable nor on a LAN."""
