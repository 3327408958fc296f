"""A lab's cells as the probers are asked for them: who asks from which namespace, and who holds which address."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_address

from dockerlab.probe import base as probe
from dockerlab.probe.base import Observation, Place, Prober
from dockerlab.reach import Cell, Expectation, World
from dockerlab.reach.cells import asked_at, published
from dockerlab.snapshot import GATEWAY_BRIDGE, Snapshot
from dockerlab.verify.verdicts import ANSWERED

UNANSWERED = probe.unknown("the prober gave no answer for this cell")


def observe(
    cells: Sequence[Cell],
    world: World,
    snapshots: Mapping[str, Snapshot],
    prober: Prober,
    expectations: Sequence[Expectation] = (),
) -> list[Observation]:
    """Return an observation for every cell, in order: what cannot be probed at all is unknown, and says why.

    The `expectations` of the cells, if given, only tell the prober how to ask.
    """
    observed, askable = questions(cells, world, snapshots, expectations)
    observed |= prober.observe(askable)
    found = [observed.get(number, UNANSWERED) for number in range(len(cells))]
    return recognised(cells, found, world, snapshots)


def recognised(
    cells: Sequence[Cell], observed: Sequence[Observation], world: World, snapshots: Mapping[str, Snapshot]
) -> list[Observation]:
    """Return the observations; whoever answers in the place of a container that does not run is somebody else."""
    places = {name: place(name, world, snapshots) for name in world.lab.containers}
    if all(isinstance(at, Place) for at in places.values()):
        return list(observed)
    found = []
    for cell, seen in zip(cells, observed, strict=True):
        at = places.get(cell.holder) if cell.holder is not None and cell.probe != "dns" else None
        if isinstance(at, str) and seen.state == "reachable":
            found.append(probe.unreachable(probe.WRONG_ANSWERER, f"{at}, and yet {cell.target} answered"))
        else:
            found.append(seen)
    return found


def questions(
    cells: Sequence[Cell],
    world: World,
    snapshots: Mapping[str, Snapshot],
    expectations: Sequence[Expectation] = (),
    *,
    first: int = 0,
    known: Mapping[str, Collection[Place]] | None = None,
) -> tuple[dict[int, Observation], list[probe.Cell]]:
    """Return the cells that cannot be probed at all, as unknown, and what is to be asked for the others.

    They are numbered from `first` on; `known` is who of the lab holds which address now, where all of it was seen. What
    does not run asks nothing. It can be asked for all the same: its address is known, and who answers there is nobody
    of the lab.
    """
    places = {name: place(name, world, snapshots) for name in (*world.lab.containers, *world.lab.hosts)}
    tunnelled = _tunnelled(snapshots) if expectations else frozenset()
    own = {name: _own(name, world, snapshots) for name in world.lab.containers}
    observed: dict[int, Observation] = {}
    askable: list[probe.Cell] = []
    for number, cell in enumerate(cells, first):
        source = places[cell.source]
        target = places[cell.holder] if cell.holder is not None else None
        if isinstance(source, str):
            observed[number] = probe.unknown(source)
        elif not cell.target:
            observed[number] = probe.unknown(f"no address of {cell.to} is known")
        else:
            expected = expectations[number - first] if expectations else None
            answerer = target if isinstance(target, Place) else None
            same = cell.holder is not None and world.people.of[cell.holder] == world.people.of[cell.source]
            full = cell.port is None and cell.probe != "dns" and not same and _within(cell.target, tunnelled)
            if cell.probe == "dns" and not cell.answers:
                # Nobody is expected to know the name. Who knows it all the same may mean somebody else by it.
                cell = cell._replace(answers=own[cell.to])  # noqa: PLW2901 - as it is asked
            asked = _question(number, cell, (source, answerer, _behind(cell, world, places)), expected, full)
            if cell.holder is None and cell.probe != "dns" and known is not None:
                asked = replace(asked, bearers=tuple(known.get(cell.target, ())))
            askable.append(asked)
    return observed, askable


def _own(name: str, world: World, snapshots: Mapping[str, Snapshot]) -> tuple[str, ...]:
    """Return a container's addresses: those of the definition, and those that its engine says it has by now."""
    snapshot = snapshots.get(world.lab.host_of(name))
    there = snapshot.container(world.people.of[name]) if snapshot is not None else None
    ends = [end for end in there.endpoints.values() if end.network != GATEWAY_BRIDGE] if there is not None else []
    now = (str(address.ip) for end in ends for address in end.addresses)
    return tuple(dict.fromkeys((*map(str, asked_at(world, name)), *now)))


def _behind(cell: Cell, world: World, places: Mapping[str, Place | str]) -> tuple[probe.Behind, ...] | None:
    """Return the containers' ports that a host's published port leads to, None where nobody has to be behind it."""
    inside = (spec for name, spec in world.lab.containers.items() if world.people.of[name] == cell.to)
    if cell.port is None or cell.to not in world.lab.hosts or any(cell.port in spec.listens for spec in inside):
        return None
    ports = [(port, name) for port, name in published(world, cell.to) if port.published == cell.port]
    found = ((places[name], port.target) for port, name in ports)
    return tuple(probe.Behind(where, port) for where, port in found if isinstance(where, Place)) if ports else None


def held(world: World, snapshots: Mapping[str, Snapshot]) -> dict[str, set[Place]]:
    """Return who holds each address in the lab, its hosts' own bridges included."""
    found: dict[str, set[Place]] = {}
    for home, name in world.names.items():
        at = place(name, world, snapshots)
        if isinstance(at, Place):
            for address in world.fabric.spaces[home].own:
                found.setdefault(str(address), set()).add(at)
    return found


def place(name: str, world: World, snapshots: Mapping[str, Snapshot]) -> Place | str:
    """Return where a container or host is probed from, or why it cannot be."""
    host = name if name in world.lab.hosts else world.lab.host_of(name)
    if host not in snapshots:
        return f"{host} could not be looked at"
    if name in world.lab.hosts:
        return Place(name, None, 1)
    state = snapshots[host].container(name)
    if state is None:
        return f"{name} does not exist on {host}"
    if not state.running:
        return f"{name} does not run ({state.status}, exit code {state.exit_code})"
    box = world.people.of[name]
    owner = snapshots[host].container(box)
    shares = "host" if box in world.lab.hosts else owner.id if owner is not None and box != name else ""
    return Place(host, name, state.pid, state.id, shares)


def _tunnelled(snapshots: Mapping[str, Snapshot]) -> frozenset[IPv4Network | IPv6Network]:
    """Return the subnets of what travels inside other packets, and so has to be asked in full size as well.

    It does not follow from what is expected: a question is not to tell that.
    """
    networks = (network for snapshot in snapshots.values() for network in snapshot.networks)
    return frozenset(subnet for network in networks if network.driver == "overlay" for subnet in network.subnets)


def _within(address: str, subnets: Collection[IPv4Network | IPv6Network]) -> bool:
    return bool(subnets) and any(ip_address(address) in subnet for subnet in subnets)


def _question(
    number: int,
    cell: Cell,
    who: tuple[Place, Place | None, tuple[probe.Behind, ...] | None],
    expected: Expectation | None,
    full: bool,
) -> probe.Cell:
    """Return what is asked for a cell; `who` is who asks, who has to answer, and who is behind a published port."""
    source, target, behind = who
    silent = expected is not None and expected.reachable is False and expected.symptom not in ANSWERED
    if cell.port is None and cell.probe == "dns":
        return probe.Cell(number, source, target, "", "dns", name=cell.target, expected=cell.answers, silent=silent)
    kind: probe.Probe = "ping" if cell.port is None else "tcp"
    return probe.Cell(
        number, source, target, cell.target, kind, port=cell.port, silent=silent, full=full, behind=behind
    )
