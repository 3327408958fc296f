"""The plan of `down`: from the labels on the hosts alone, no definition needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Literal

from dockerlab import leases, render
from dockerlab.daemon import DaemonFile
from dockerlab.ground.present import Beneath
from dockerlab.plan import removals, volumes
from dockerlab.plan.daemons import put_back
from dockerlab.plan.ground_undone import undo_ground
from dockerlab.plan.images import removing
from dockerlab.plan.leases import end_leases
from dockerlab.plan.leaving import forget_gone, leave
from dockerlab.plan.steps import Key, Ours, Plan, Step
from dockerlab.snapshot import (
    LABEL_INSTANCE,
    LABEL_LAB,
    LABEL_OWNER,
    ContainerState,
    NetworkState,
    Snapshot,
)

Removal = Literal["remove", "clear"]
Files = Mapping[str, DaemonFile]
NO_FILES: Files = MappingProxyType({})
Grounds = Mapping[str, Beneath]
NO_GROUNDS: Grounds = MappingProxyType({})


def remove_container(host: str, found: ContainerState, action: Removal) -> Step:
    """Return the step that removes a container, whatever its state."""
    command = render.command(removals.REMOVE_CONTAINER, host, name=found.name, id=found.id)
    return Step(Key(host, "container", found.name, "unmake"), action, (command,))


def remove_network(host: str, found: NetworkState, action: Removal, after: frozenset[Key]) -> Step:
    """Return the step that removes a network once its containers are gone."""
    command = removals.remove_network(host, found.name, found.id)
    return Step(Key(host, "network", found.name, "unmake"), action, (command,), after=after)


def down(  # noqa: PLR0913 - what was looked at comes by its kind
    snapshots: Mapping[str, Snapshot],
    lab: str | None,
    owner: str | None,
    instance: str | None = None,
    expired: datetime | None = None,
    files: Files = NO_FILES,
    *,
    beneath: Grounds = NO_GROUNDS,
) -> Plan:
    """Return the steps that remove everything with the lab's labels, and notes on what has to stay.

    `lab` None means every lab, `owner` None means whoever made it; `expired` leaves out what is still wanted then.
    `files` are the engines' settings, where they were looked at: those that the lab changed are put back. `beneath` is
    what there is of the hosts themselves which a lab has changed.
    """
    over = {whose for whose, end in leases.ends(snapshots.values()).items() if expired is not None and end <= expired}

    def ours(labels: Mapping[str, str]) -> bool:
        return (
            LABEL_LAB in labels
            and lab in (None, labels[LABEL_LAB])
            and owner in (None, labels.get(LABEL_OWNER))
            and (lab is None or labels.get(LABEL_INSTANCE) == instance)
            and (expired is None or leases.whose(labels) in over)
        )

    return remove(snapshots, ours, files, beneath)


def remove(
    snapshots: Mapping[str, Snapshot],
    ours: Ours,
    files: Files = NO_FILES,
    beneath: Grounds = NO_GROUNDS,
    lasting: Ours = lambda _: False,
) -> Plan:
    """Return the steps that remove everything whose labels are `ours`, and notes on what has to stay.

    What was changed of a host itself stays where a receipt that is `lasting` has it as well.

    What is removed is what was looked at, by its ID: something that takes its name meanwhile stays.
    """
    steps: list[Step] = []
    notes: list[str] = []
    for host, snapshot in snapshots.items():
        steps += [remove_container(host, each, "remove") for each in snapshot.containers if ours(each.labels)]
    containers = frozenset(step.key for step in steps)
    steps += forget_gone(snapshots, ours, containers)
    free = frozenset(step.key for step in steps)
    for host, snapshot in snapshots.items():
        for network in snapshot.networks:
            if not ours(network.labels) or (network.scope == "swarm" and not snapshot.swarm.manager):
                continue
            foreign = [n for n in network.containers if Key(host, "container", n, "unmake") not in containers]
            if foreign:
                notes.append(
                    f"{host}: network {network.name} is kept: {', '.join(foreign)} is attached and not the lab's; "
                    f"run 'docker network disconnect {network.name} {foreign[0]}' and then down again"
                )
                continue
            steps.append(remove_network(host, network, "remove", free))
    more_steps, kept = volumes.removing(snapshots, ours)
    steps += more_steps
    notes += kept
    more_steps, kept = removing(snapshots, ours, containers)
    steps += more_steps
    notes += kept
    removed = frozenset(step.key for step in steps)
    swarm, more = leave(snapshots, ours, removed)
    notes += more
    steps += swarm
    undone, more = undo_ground(snapshots, ours, beneath, frozenset(step.key for step in steps), lasting)
    steps += undone
    notes += more
    restored, more = put_back(files, snapshots, ours, frozenset(step.key for step in steps))
    steps += restored
    notes += more
    # A lease is the last to go: as long as something is left, `down --expired` finds it by that.
    leases = [] if notes else end_leases(snapshots, ours, frozenset(step.key for step in steps))
    return Plan((*steps, *leases), tuple(notes))
