"""What a step may be judged by: what it and the steps before it have asked for, and nothing that comes later. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from dockerlab.checks.model import Check
from dockerlab.drift import Difference
from dockerlab.exercise.model import Exercise
from dockerlab.lab.model import Container, Lab
from dockerlab.snapshot import Snapshot


def asked_for(exercise: Exercise, lab: Lab, step: int) -> frozenset[str]:
    """Return the containers and networks that were to be made by the end of a step; all of them where `start` does."""
    everything = frozenset((*lab.containers, *lab.networks))
    if exercise.begin == "made" or step >= len(exercise.steps):
        return everything
    checks = [check for each in exercise.steps[: step + 1] for check in each.checks]
    if any("all" in check.lab for check in checks):
        return everything
    named = {name for check in checks for name in _names(check)} & everything
    owners = {lab.containers[name].owner for name in named if name in lab.containers}
    return frozenset(named | {owner for owner in owners if owner is not None})


def _names(check: Check) -> Iterator[str]:
    yield from check.lab
    yield from check.inside
    if check.look is not None:
        yield check.look.on
    if check.cells is not None:
        yield from (check.cells.source, check.cells.to)
    if check.ask is not None and check.ask.found is not None:
        yield check.ask.found.on
    if check.ask is not None and check.ask.reaches is not None:
        yield from (check.ask.reaches.source, check.ask.reaches.to)


def so_far(exercise: Exercise, lab: Lab, step: int, snapshots: Mapping[str, Snapshot]) -> Lab:
    """Return the lab as far as a step has come: without what nobody has asked for yet, unless it is there already.

    A container that a step before has asked for has the places that it had then: a network that came later is a place
    of it only once a step asks for the container again.
    """
    wanted = asked_for(exercise, lab, step)
    networks = {
        name: spec for name, spec in lab.networks.items() if name in wanted or _network_is_there(lab, name, snapshots)
    }
    containers = {}
    for name, spec in lab.containers.items():
        state = snapshots[lab.host_of(name)].container(name)
        if name in wanted or state is not None:
            there = state.endpoints.keys() if state is not None else ()
            known = asked_for(exercise, lab, _last(exercise, name, step))
            containers[name] = _with(spec, {*known, *there} & {*networks, "bridge"})
    if len(networks) == len(lab.networks) and containers == lab.containers:
        return lab
    placed = {name: spec.model_copy(update={"hosts": lab.hosts_of(name)}) for name, spec in networks.items()}
    return lab.altered(networks=placed, containers=containers)


def _last(exercise: Exercise, name: str, step: int) -> int:
    """Return the last step up to this one that asks for an object; this one where none does."""
    for number in range(min(step, len(exercise.steps) - 1), -1, -1):
        asked = {each for check in exercise.steps[number].checks for each in check.lab}
        if asked & {name, "all"}:
            return number
    return step


def _network_is_there(lab: Lab, name: str, snapshots: Mapping[str, Snapshot]) -> bool:
    return any(snapshots[host].network(name) is not None for host in lab.hosts_of(name) if host in snapshots)


def _with(spec: Container, networks: Collection[str]) -> Container:
    """Return a container with no other places than on these networks."""
    left = {name: place for name, place in spec.networks.items() if name in networks}
    return spec if len(left) == len(spec.networks) or not left else spec.model_copy(update={"networks": left})


def undone(exercise: Exercise, lab: Lab, step: int, found: Iterable[Difference]) -> list[Difference]:
    """Return what the steps before this one had made, and what is no longer so; what this step judges is its own.

    That a container is cut off from its owner is no undoing: a step may ask for that.
    """
    before = asked_for(exercise, lab, step - 1) if step or exercise.begin == "made" else frozenset()
    checks = exercise.steps[step].checks if step < len(exercise.steps) else ()
    own = {name for check in checks for name in check.lab}
    if "all" in own:
        return []
    return [each for each in found if each.name in before - own and not each.cut_off]
