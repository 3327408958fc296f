"""Kernels as imagined beside kernels as surveyed: which namespace and which link of the one is which of the other.

Names that a real engine chooses freely are no difference: the numbers of namespaces and links, the names of the hosts'
ends of cables. What is imagined is put into the words of what was surveyed before the two are compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from dockerlab.kernel.model import Link, Machine, Namespace
from dockerlab.walk.outcome import SpaceId


@dataclass(frozen=True)
class Sided:
    """One side of a comparison: hosts' kernels, and in which namespace each host and each container of a lab is."""

    machines: Mapping[str, Machine]
    homes: Mapping[str, SpaceId]

    def space(self, name: str) -> Namespace | None:
        """Return the namespace of a host or a container, or None where it has none."""
        home = self.homes.get(name)
        machine = self.machines.get(home.host) if home is not None else None
        return machine.space(home.space) if machine is not None and home is not None else None


@dataclass(frozen=True)
class Pair:
    """One namespace on both sides: `wanted`, in the words of what is there, and `there`.

    `who` is the host or the container that it belongs to, `origin` its number where it was imagined. `links` leads from
    the names of links as they were imagined to their names here.
    """

    who: str
    at: SpaceId
    origin: SpaceId
    wanted: Namespace
    there: Namespace
    links: Mapping[str, str]

    @property
    def of_host(self) -> bool:
        """Tell whether it is a host's own."""
        return self.there.host


def paired(imagined: Sided, surveyed: Sided) -> tuple[Pair, ...]:
    """Return the namespaces that are on both sides, hosts' own first; those of one side alone are left out."""
    found: list[Pair] = []
    for host in imagined.machines:
        if host in surveyed.machines:
            found += _on_host(host, imagined, surveyed)
    return tuple(sorted(found, key=lambda pair: not pair.of_host))


def hidden(imagined: Sided, surveyed: Sided) -> Iterator[Pair]:
    """Yield the namespaces of overlays that are on both sides: they are nobody's, and known by their files' names."""
    for host, machine in imagined.machines.items():
        there = surveyed.machines.get(host)
        spaces = there.namespaces if there is not None else ()
        at = {path.rpartition("/")[2]: space for space in spaces for path in space.paths}
        for space in machine.namespaces:
            if space.forwards and space.paths and (real := at.get(space.paths[0].rpartition("/")[2])) is not None:
                yield Pair(host, SpaceId(host, real.id), SpaceId(host, space.id), space, real, {})


@dataclass(frozen=True)
class _Raw:
    """A namespace on both sides, before it is known which link is which."""

    who: str
    at: SpaceId
    origin: SpaceId
    wanted: Namespace
    there: Namespace


def _on_host(host: str, imagined: Sided, surveyed: Sided) -> Iterator[Pair]:
    raws = list(_raws(host, imagined, surveyed))
    ground = next((raw for raw in raws if raw.there.host), None)
    names = {raw.at: _partners(raw.wanted, raw.there) for raw in raws if raw is not ground}
    if ground is not None:
        names[ground.at] = _of_ground(ground, [raw for raw in raws if raw is not ground], names)
    indexes = {raw.at: _indexes(raw, names[raw.at]) for raw in raws}
    outside = indexes[ground.at] if ground is not None else {}
    ends = _ends(ground, raws, indexes)
    for raw in raws:
        peers = ends if raw is ground else outside
        wanted = _put(raw.wanted, names[raw.at], indexes[raw.at], peers)
        yield Pair(raw.who, raw.at, raw.origin, wanted, raw.there, names[raw.at])


def _raws(host: str, imagined: Sided, surveyed: Sided) -> Iterator[_Raw]:
    """Yield the namespaces of a host that are on both sides, each once: containers may share one."""
    taken_here, taken_there = set[SpaceId](), set[SpaceId]()
    names = sorted(imagined.homes, key=lambda name: (name != host, list(imagined.homes).index(name)))
    ground = (imagined.machines[host].ground, surveyed.machines[host].ground)
    homes = {host: (SpaceId(host, ground[0].id), SpaceId(host, ground[1].id))}
    homes |= {name: (imagined.homes[name], surveyed.homes[name]) for name in names if name in surveyed.homes}
    for name, (origin, at) in homes.items():
        if origin.host != host or at.host != host or origin in taken_here or at in taken_there:
            continue
        wanted, there = imagined.machines[host].space(origin.space), surveyed.machines[host].space(at.space)
        if wanted is not None and there is not None:
            taken_here.add(origin)
            taken_there.add(at)
            yield _Raw(name, at, origin, wanted, there)


def _partners(wanted: Namespace, there: Namespace) -> dict[str, str]:
    """Return for each link that is imagined the one that it is: by its MAC address if that is only one's, or by name.

    An engine numbers a container's links in the order in which it was put on its networks.
    """
    ours, theirs = _by_mac(wanted), _by_mac(there)
    found = {ours[mac].name: theirs[mac].name for mac in ours.keys() & theirs.keys()}
    for link in wanted.links:
        other = there.link(link.name)
        if link.name not in found and other is not None and other.name not in found.values():
            found[link.name] = other.name
    return found


def _by_mac(space: Namespace) -> dict[str, Link]:
    macs = [link.mac.lower() for link in space.links]
    return {link.mac.lower(): link for link in space.links if link.mac and macs.count(link.mac.lower()) == 1}


def _of_ground(ground: _Raw, others: list[_Raw], names: Mapping[SpaceId, Mapping[str, str]]) -> dict[str, str]:
    """Return which link of a host is which: ends of cables by what they are plugged into, all others by name."""
    found = {}
    for raw in others:
        for link in raw.wanted.links:
            if not (link.kind == "veth" and link.away):
                continue
            ours = _plugged(ground.wanted, link)
            partner = raw.there.link(names[raw.at].get(link.name, ""))
            theirs = _plugged(ground.there, partner) if partner is not None and partner.away else None
            if ours is not None and theirs is not None:
                found[ours.name] = theirs.name
    for link in ground.wanted.links:
        if not cable(link) and ground.there.link(link.name) is not None:
            found.setdefault(link.name, link.name)
    return found


def cable(link: Link) -> bool:
    """Tell whether a link is an end of a cable into another namespace."""
    return link.kind == "veth" and link.away


def _plugged(ground: Namespace, inside: Link) -> Link | None:
    """Return the host's end of a container's cable."""
    return next((link for link in ground.links if cable(link) and link.index == inside.peer), None)


def _indexes(raw: _Raw, names: Mapping[str, str]) -> dict[int, int]:
    """Return for each imagined link's number the number here; a link that is not here gets one that nobody has."""
    free = max((link.index for link in raw.there.links), default=0) + 1
    found = {}
    for link in raw.wanted.links:
        partner = raw.there.link(names.get(link.name, ""))
        if partner is not None:
            found[link.index] = partner.index
        else:
            found[link.index], free = free, free + 1
    return found


def _ends(ground: _Raw | None, raws: list[_Raw], indexes: Mapping[SpaceId, Mapping[int, int]]) -> dict[int, int]:
    """Return the numbers here of the containers' ends of cables, by the numbers of the hosts' ends as imagined.

    The containers' ends may have the same number in several namespaces.
    """
    return {
        link.peer: indexes[raw.at][link.index]
        for raw in raws
        if raw is not ground
        for link in raw.wanted.links
        if cable(link)
    }


def _put(space: Namespace, names: Mapping[str, str], indexes: Mapping[int, int], ends: Mapping[int, int]) -> Namespace:
    """Return an imagined namespace in the words of the surveyed one."""

    def named(link: str) -> str:
        return names.get(link, link)

    def peer(link: Link) -> int:
        if not link.peer:
            return 0
        if link.away:
            return ends.get(link.index if space.host else link.peer, link.peer)
        return indexes.get(link.peer, link.peer)

    return replace(
        space,
        links=tuple(
            replace(
                link,
                index=indexes[link.index],
                name=named(link.name),
                peer=peer(link),
                master=named(link.master),
            )
            for link in space.links
        ),
        routes=tuple(
            replace(route, hops=tuple(replace(hop, device=named(hop.device)) for hop in route.hops))
            for route in space.routes
        ),
        selectors=tuple(
            replace(each, incoming=named(each.incoming), outgoing=named(each.outgoing)) for each in space.selectors
        ),
        neighbours=tuple(replace(each, device=named(each.device)) for each in space.neighbours),
        sysctls={_setting(path, names): value for path, value in space.sysctls.items()},
    )


def _setting(path: str, names: Mapping[str, str]) -> str:
    """Return the path of a setting with the name that its interface has here."""
    head, slash, key = path.rpartition("/")
    above, _, link = head.partition("/conf/")
    return f"{above}/conf/{names[link]}/{key}" if slash and link in names else path
