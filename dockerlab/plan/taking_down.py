"""The plan of `down`: from the labels on the hosts alone, no definition needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from dockerlab import build, render
from dockerlab.modes.base import Mode
from dockerlab.plan.steps import Key, Plan, Step
from dockerlab.snapshot import (
    LABEL_INSTANCE,
    LABEL_LAB,
    LABEL_OWNER,
    LABEL_RECEIPT,
    ContainerState,
    NetworkState,
    Snapshot,
)

Removal = Literal["remove", "clear"]


def remove_container(host: str, found: ContainerState, action: Removal) -> Step:
    """Return the step that removes a container, whatever its state."""
    command = render.command(build.REMOVE_CONTAINER, host, name=found.name)
    return Step(Key(host, "container", found.name, "unmake"), action, (command,))


def remove_network(host: str, found: NetworkState, action: Removal, after: frozenset[Key]) -> Step:
    """Return the step that removes a network once its containers are gone."""
    command = build.remove_network(Mode.remove, host, found.name)
    return Step(Key(host, "network", found.name, "unmake"), action, (command,), after=after)


def down(
    snapshots: Mapping[str, Snapshot],
    lab: str | None,
    owner: str | None,
    instance: str | None = None,
) -> Plan:
    """Return the steps that remove everything with the lab's labels, and notes on what has to stay.

    `lab` None means every lab, `owner` None means whoever made it.
    """

    def ours(labels: Mapping[str, str]) -> bool:
        return (
            LABEL_LAB in labels
            and lab in (None, labels[LABEL_LAB])
            and owner in (None, labels.get(LABEL_OWNER))
            and (lab is None or labels.get(LABEL_INSTANCE) == instance)
        )

    steps: list[Step] = []
    notes: list[str] = []
    for host, snapshot in snapshots.items():
        steps += [remove_container(host, each, "remove") for each in snapshot.containers if ours(each.labels)]
    containers = frozenset(step.key for step in steps)
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
            steps.append(remove_network(host, network, "remove", containers))
    removed = frozenset(step.key for step in steps)
    swarm, more = _leave_swarms(snapshots, ours, removed)
    return Plan((*steps, *swarm), (*notes, *more))


def _leave_swarms(
    snapshots: Mapping[str, Snapshot], ours: Callable[[Mapping[str, str]], bool], removed: frozenset[Key]
) -> tuple[list[Step], list[str]]:
    """Return the steps by which hosts leave a Swarm that the lab made: workers first, then managers."""
    noted = {
        host: snapshot
        for host, snapshot in snapshots.items()
        if any(v.labels.get(LABEL_RECEIPT) == "swarm" and ours(v.labels) for v in snapshot.volumes)
    }
    others = sorted(
        {
            network.name
            for snapshot in noted.values()
            for network in snapshot.networks
            if network.scope == "swarm" and network.name != "ingress" and not ours(network.labels)
        }
    )
    if others:
        kept = (
            f"{', '.join(noted)}: the Swarm is kept, because network {', '.join(others)} is on it and not the lab's; "
            "remove that first and then run down again"
        )
        return [], [kept]
    steps: list[Step] = []
    workers: frozenset[Key] = frozenset()
    for host, snapshot in sorted(noted.items(), key=lambda item: item[1].swarm.manager):
        left: frozenset[Key] = frozenset()
        if snapshot.swarm.state != "inactive":
            leave = Step(
                Key(host, "swarm", "leave", "unmake"),
                "remove",
                (render.command(build.SWARM_LEAVE, host),),
                after=removed | workers,
            )
            left = frozenset({leave.key})
            steps.append(leave)
        name = build.receipt_name("swarm")
        forget = render.command(build.REMOVE_RECEIPT, host, name=name)
        steps.append(Step(Key(host, "receipt", "swarm", "unmake"), "remove", (forget,), after=removed | left))
        workers |= left if not snapshot.swarm.manager else frozenset()
    return steps, []
