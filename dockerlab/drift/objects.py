"""Where what is on the hosts differs from the definition, whoever made it, and the command that would be right. Pure.

Names count here, and never labels: what a student typed is held against the definition as dockerlab's own.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from dockerlab import modes
from dockerlab.drift.containers import Wrong, wrong_container
from dockerlab.drift.namesakes import namesakes
from dockerlab.drift.right import anew, joins, leaves, network_anew
from dockerlab.drift.standing import Place, absent, absent_network, halted, joined, rivals_gone, tenant
from dockerlab.imagined.networks import given_by, unlike
from dockerlab.kernel.model import Machine
from dockerlab.lab.daemon import Daemon
from dockerlab.lab.model import Lab
from dockerlab.snapshot import Snapshot

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

    def __str__(self) -> str:
        return f"{self.told}; right would be: {'; '.join(self.right)}" if self.right else self.told

    @property
    def told(self) -> str:
        """Return what is otherwise, and nothing of what would be right."""
        return f"{self.host}: {self.kind} {self.name} {self.what}"

    @property
    def typed(self) -> tuple[str, ...]:
        """Return the commands that make it right, each with its host in front."""
        return tuple(f"{self.host}: {line}" for line in self.right)

    @property
    def look(self) -> str:
        """Return the command that shows it; empty where it is not there."""
        if self.how == "missing":
            return ""
        return f"{self.host}: docker {self.kind} inspect {self.name}"


def differences(
    lab: Lab, snapshots: Mapping[str, Snapshot], machines: Mapping[str, Machine] | None = None
) -> list[Difference]:
    """Return every difference, networks first; `machines` are the hosts' kernels, where somebody has read them.

    That a container is not on a network which is not there is told of the network alone. Commands are told in an order
    in which they work, and none that would not work on the hosts as they are.
    """
    kernels = machines or {}
    networks = [
        difference
        for name in lab.networks
        for host in lab.hosts_of(name)
        if host in snapshots
        for difference in _network(lab, name, snapshots[host])
    ]
    found = [*networks]
    for name in _owners_first(lab):
        host = lab.host_of(name)
        if host in snapshots:
            amiss = {each.name for each in networks if each.host == host}
            found += _container(Place(lab, snapshots[host], kernels.get(host), frozenset(amiss)), name)
            found += _namesakes(lab, name, snapshots[host])
    return found


def _owners_first(lab: Lab) -> list[str]:
    return sorted(lab.containers, key=lambda name: lab.containers[name].owner is not None)


def _network(lab: Lab, name: str, snapshot: Snapshot) -> Iterator[Difference]:
    spec, state, host = lab.networks[name], snapshot.network(name), snapshot.host
    if state is None:
        # A Swarm's network shows on a worker only once a container is on it.
        if modes.for_driver(spec.driver).scope == "swarm" and snapshot.swarm.state == "inactive":
            yield Difference(
                host, "network", name, "does not exist: this engine is in no Swarm", (), "missing", "engine"
            )
        elif modes.for_driver(spec.driver).scope == "host" or snapshot.swarm.manager:
            there = absent_network(lab, name, snapshot)
            yield Difference(host, "network", name, there.what, there.right, "missing", "network")
        return
    wrong = list(unlike(spec, state, given_by(lab.daemons.get(host, Daemon()), spec)))
    if wrong:
        right = () if spec.external else (*rivals_gone(lab, name, snapshot), *network_anew(lab, name, snapshot))
        yield Difference(host, "network", name, ", and ".join(wrong), right, "other", "network")


def _container(place: Place, name: str) -> Iterator[Difference]:
    lab, snapshot = place.lab, place.snapshot
    state, host = snapshot.container(name), snapshot.host
    if state is None:
        there = absent(place, name)
        yield Difference(host, "container", name, there.what, there.right, "missing")
        return
    wrong = list(wrong_container(lab, name, state, snapshot))
    lost = joined(lab, name, state, snapshot)
    if any(not each.mended_by_joining for each in wrong):
        right = () if lost is not None and not lost.right else anew(lab, name)
        yield Difference(host, "container", name, _said(wrong), right, "other", wrong[0].aspect)
        return
    wrong = [each for each in wrong if each.network not in place.anew]
    for aspect in dict.fromkeys(each.aspect for each in wrong):
        of_it = [each for each in wrong if each.aspect == aspect]
        on = tuple(word for each in of_it for word in each.on)
        right = _joined(place, name, of_it)
        yield Difference(host, "container", name, _said(of_it), right, "other", aspect, on)
    if name in lab.jobs and state.status == "exited" and state.exit_code == 0:
        return
    now = halted(place, name, state) if not state.running else lost
    if now is not None:
        yield Difference(host, "container", name, now.what, now.right, "down", cut_off=now.cut_off)


def _namesakes(lab: Lab, name: str, snapshot: Snapshot) -> Iterator[Difference]:
    """Yield a difference for each container that shares a name of one that runs."""
    state = snapshot.container(name)
    for each in namesakes(lab, name, snapshot) if state is not None and state.running else ():
        yield Difference(snapshot.host, "container", name, each.what, each.right, "other", "alias", each.names)


def _said(wrong: Sequence[Wrong]) -> str:
    return ", and ".join(dict.fromkeys(each.what for each in wrong))


def _joined(place: Place, name: str, wrong: Sequence[Wrong]) -> tuple[str, ...]:
    """Return how a container leaves and joins networks until it is where it should be, after who has its address."""
    holder = tenant(place, name, [each.network for each in wrong if each.has_to_join])
    stopped = [] if holder is None else [shlex.join(["docker", "stop", holder.name])]
    off = [leaves(name, each.network) for each in wrong if each.has_to_leave]
    on = [line for each in wrong if each.has_to_join for line in joins(place.lab, name, each.network)]
    return (*stopped, *dict.fromkeys(off), *dict.fromkeys(on))
