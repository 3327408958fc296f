"""Where what is on the hosts differs from the definition, whoever made it, and the command that would be right. Pure.

Names count here, and never labels: what a student typed is held against the definition as dockerlab's own.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from dockerlab import modes
from dockerlab.drift.containers import Wrong, wrong_container
from dockerlab.drift.namesakes import namesakes
from dockerlab.drift.right import anew, joins, leaves, made, network_anew
from dockerlab.drift.standing import Place, absent, absent_network, halted, joined, rivals_gone, tenant
from dockerlab.imagined.networks import given_by, unlike
from dockerlab.kernel.model import Machine
from dockerlab.lab.container import NODE
from dockerlab.lab.daemon import Daemon
from dockerlab.lab.model import Lab
from dockerlab.snapshot import Snapshot, full_name

Aspect = Literal["network", "container", "place", "port", "alias", "command", "image", "engine"]
"""What of an object is otherwise: the object itself, a container's place on a network, and so on.

`engine` is what no object of the lab can help: an engine that has left its Swarm.
"""


@dataclass(frozen=True)
class Difference:
    """One object of the lab that is not as the definition has it.

    `how` tells whether it is not there at all, does not run (or is cut off), or is made otherwise. `right` are the
    commands, as they are typed on the host, that make it what it should be. `aspect` is what of the object it is
    about, and `on` the networks that lead to it where it is a place, or the names where it is an alias.
    """

    host: str
    kind: str
    name: str
    what: str
    right: tuple[str, ...] = ()
    how: Literal["missing", "down", "other"] = "other"
    aspect: Aspect = "container"
    on: tuple[str, ...] = field(default=())
    cut_off: bool = False
    """Whether it runs in a network namespace that its owner has left."""
    before: tuple[str, ...] = ()
    """What is typed ahead of that on other hosts, each with its host in front."""

    def __str__(self) -> str:
        lines = "; ".join((*(f"on {line}" for line in self.before), *self.right))
        return f"{self.told}; right would be: {lines}" if lines else self.told

    @property
    def told(self) -> str:
        """Return what is otherwise, and nothing of what would be right."""
        return f"{self.host}: {self.kind} {self.name} {self.what}"

    @property
    def typed(self) -> tuple[str, ...]:
        """Return the commands that make it right, each with its host in front."""
        return (*self.before, *(f"{self.host}: {line}" for line in self.right))

    @property
    def look(self) -> str:
        """Return the command that shows it; empty where it is not there."""
        if self.how == "missing":
            return ""
        return f"{self.host}: docker {self.kind} inspect {self.name}"


def differences(
    lab: Lab, snapshots: Mapping[str, Snapshot], machines: Mapping[str, Machine] | None = None, *, afresh: bool = False
) -> list[Difference]:
    """Return every difference, networks first; `machines` are the hosts' kernels, where somebody has read them.

    With `afresh`, a container whose place on its first network is not right is made anew, by the command that should
    have been typed, instead of leaving and joining networks: its interfaces then have the names that they should have.

    That a container is not on a network which is not there is told of the network alone. Commands are told in an order
    in which they work, and none that would not work on the hosts as they are.
    """
    kernels = machines or {}
    manager = next((host for host, each in snapshots.items() if each.swarm.manager), None)
    networks = [
        difference
        for name in lab.networks
        for host in lab.hosts_of(name)
        if host in snapshots
        for difference in _network(lab, name, snapshots[host], manager)
    ]
    found = [*networks]
    for name in _owners_first(lab):
        host = lab.host_of(name)
        if host in snapshots:
            amiss = {each.name for each in networks if each.host == host}
            beside = tuple(each for other, each in snapshots.items() if other != host)
            place = Place(lab, snapshots[host], kernels.get(host), frozenset(amiss), beside)
            found += (_as_far_as_images_go(place, each) for each in _container(place, name, afresh=afresh))
            found += _namesakes(lab, name, snapshots[host])
    return found


def _owners_first(lab: Lab) -> list[str]:
    return sorted(lab.containers, key=lambda name: lab.containers[name].owner is not None)


def _network(lab: Lab, name: str, snapshot: Snapshot, manager: str | None) -> Iterator[Difference]:
    spec, state, host = lab.networks[name], snapshot.network(name), snapshot.host
    if state is None:
        # A Swarm's network shows on a worker only once a container is on it.
        if modes.for_driver(spec.driver).scope == "swarm" and snapshot.swarm.state == "inactive":
            what = "does not exist: this engine is in no Swarm"
            joins_it = f"{manager}: docker swarm join-token worker  # prints what is to be typed on {host}"
            yield Difference(
                host, "network", name, what, (), "missing", "engine", before=(joins_it,) if manager is not None else ()
            )
        elif modes.for_driver(spec.driver).scope == "host" or snapshot.swarm.manager:
            there = absent_network(lab, name, snapshot)
            yield Difference(host, "network", name, there.what, there.right, "missing", "network")
        return
    wrong = list(unlike(spec, state, given_by(lab.daemons.get(host, Daemon()), spec)))
    if wrong:
        right = () if spec.external else (*rivals_gone(lab, name, snapshot), *network_anew(lab, name, snapshot))
        yield Difference(host, "network", name, ", and ".join(wrong), right, "other", "network")


def _container(place: Place, name: str, *, afresh: bool) -> Iterator[Difference]:
    lab, snapshot = place.lab, place.snapshot
    state, host = snapshot.container(name), snapshot.host
    if state is None:
        there = absent(place, name)
        yield Difference(host, "container", name, there.what, there.right, "missing", before=_misplaced(place, name))
        return
    wrong = list(wrong_container(lab, name, state, snapshot))
    lost = joined(lab, name, state, snapshot)
    if any(not each.mended_by_joining for each in wrong):
        right = () if lost is not None and not lost.right else anew(lab, name)
        yield Difference(host, "container", name, _said(wrong), right, "other", wrong[0].aspect)
        return
    wrong = [each for each in wrong if each.network not in place.anew]
    first = next(iter(lab.containers[name].networks), None) if afresh else None
    redone = anew(lab, name) if any(each.has_to_join and each.network == first for each in wrong) else ()
    for aspect in dict.fromkeys(each.aspect for each in wrong):
        of_it = [each for each in wrong if each.aspect == aspect]
        on = tuple(word for each in of_it for word in each.on)
        right = (*_vacated(place, name, of_it), *(redone or _joined(place, name, of_it)))
        yield Difference(host, "container", name, _said(of_it), right, "other", aspect, on)
    if name in lab.jobs and state.status == "exited" and state.exit_code == 0:
        return
    now = halted(place, name, state) if not state.running else lost
    if now is not None:
        yield Difference(host, "container", name, now.what, now.right, "down", cut_off=now.cut_off)


def _as_far_as_images_go(place: Place, found: Difference) -> Difference:
    """Return a difference without commands that would ask a registry for an image which none has."""
    image = place.lab.containers[found.name].image
    local = full_name(image) == full_name(NODE) or place.lab.built(image) is not None
    if not local or place.snapshot.has_image(image) or made(place.lab, found.name)[0] not in found.right:
        return found
    return replace(found, what=f"{found.what}; its image {image} is not on {found.host}", right=(), before=())


def _misplaced(place: Place, name: str) -> tuple[str, ...]:
    """Return what removes a container of this name from other hosts, where it is on a Swarm's network of its own."""
    wide = {network for network in place.lab.containers[name].networks if _is_wide(place.lab, network)}
    return tuple(
        f"{other.host}: {shlex.join(['docker', 'rm', '--force', name])}"
        for other in place.beside
        if (state := other.container(name)) is not None and wide & set(state.endpoints)
    )


def _is_wide(lab: Lab, network: str) -> bool:
    return network in lab.networks and modes.for_driver(lab.networks[network].driver).scope == "swarm"


def _namesakes(lab: Lab, name: str, snapshot: Snapshot) -> Iterator[Difference]:
    """Yield a difference for each container that shares a name of one that runs."""
    state = snapshot.container(name)
    for each in namesakes(lab, name, snapshot) if state is not None and state.running else ():
        yield Difference(snapshot.host, "container", name, each.what, each.right, "other", "alias", each.names)


def _said(wrong: Sequence[Wrong]) -> str:
    return ", and ".join(dict.fromkeys(each.what for each in wrong))


def _joined(place: Place, name: str, wrong: Sequence[Wrong]) -> tuple[str, ...]:
    """Return how a container leaves and joins networks until it is where it should be."""
    off = [leaves(name, each.network) for each in wrong if each.has_to_leave]
    on = [line for each in wrong if each.has_to_join for line in joins(place.lab, name, each.network)]
    return (*dict.fromkeys(off), *dict.fromkeys(on))


def _vacated(place: Place, name: str, wrong: Sequence[Wrong]) -> tuple[str, ...]:
    """Return what stops the other container that has an address which a container is to have."""
    holder = tenant(place, name, [each.network for each in wrong if each.has_to_join])
    return () if holder is None else (shlex.join(["docker", "stop", holder.name]),)
