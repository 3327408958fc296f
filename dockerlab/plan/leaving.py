"""How hosts leave a Swarm that the lab made, and how the Swarm forgets those that have left by themselves."""

from __future__ import annotations

from collections.abc import Mapping

from dockerlab import render
from dockerlab.plan.receipts import REMOVE_RECEIPT, receipt_name
from dockerlab.plan.steps import Key, Ours, Step
from dockerlab.snapshot import LABEL_RECEIPT, Snapshot

SWARM_LEAVE = """
# Leave the Swarm that the lab made
docker swarm leave
  --force  # also as its last manager
"""

NODE_FORGET = """
# Let the Swarm forget a machine that has left it: until then its containers count, and hold their networks
docker node rm
  --force  # whatever the Swarm believes of it
  {{ node }}
"""


def forget_gone(snapshots: Mapping[str, Snapshot], ours: Ours, containers: frozenset[Key]) -> list[Step]:
    """Return the steps by which managers forget the nodes that have left, where the lab's Swarm is to end anyway.

    A Swarm believes that the containers of such a node are still there, and does not let their networks go. That the
    node is down it only notices after a while: so it is every one that none of the hosts that answered says it is.
    """
    made = _made(snapshots, ours)
    if _others(made, ours):
        return []
    members = {snapshot.swarm.node_id for snapshot in snapshots.values() if snapshot.swarm.state != "inactive"}
    return [
        Step(
            Key(host, "swarm", f"member {node}", "unmake"),
            "remove",
            (render.command(NODE_FORGET, host, node=node),),
            after=containers,
        )
        for host, snapshot in made.items()
        for node in snapshot.swarm.nodes
        if node not in members
    ]


def leave(snapshots: Mapping[str, Snapshot], ours: Ours, removed: frozenset[Key]) -> tuple[list[Step], list[str]]:
    """Return the steps by which hosts leave a Swarm that the lab made: workers first, then managers; and notes."""
    made = _made(snapshots, ours)
    foreign = _others(made, ours)
    if foreign:
        kept = (
            f"{', '.join(made)}: the Swarm is kept, because network {', '.join(foreign)} is on it and not the lab's; "
            "remove that first and then run down again"
        )
        return [], [kept]
    steps: list[Step] = []
    workers: frozenset[Key] = frozenset()
    for host, snapshot in sorted(made.items(), key=lambda item: item[1].swarm.manager):
        left: frozenset[Key] = frozenset()
        if snapshot.swarm.state != "inactive":
            leaving = Step(
                Key(host, "swarm", "leave", "unmake"),
                "remove",
                (render.command(SWARM_LEAVE, host),),
                after=removed | workers,
            )
            left = frozenset({leaving.key})
            steps.append(leaving)
        name = receipt_name("swarm")
        forget = render.command(REMOVE_RECEIPT, host, name=name)
        steps.append(Step(Key(host, "receipt", "swarm", "unmake"), "remove", (forget,), after=removed | left))
        workers |= left if not snapshot.swarm.manager else frozenset()
    return steps, []


def _made(snapshots: Mapping[str, Snapshot], ours: Ours) -> dict[str, Snapshot]:
    """Return the hosts that are in a Swarm because of the lab, by the receipts that it left."""
    return {
        host: snapshot
        for host, snapshot in snapshots.items()
        if any(v.labels.get(LABEL_RECEIPT) == "swarm" and ours(v.labels) for v in snapshot.volumes)
    }


def _others(made: Mapping[str, Snapshot], ours: Ours) -> list[str]:
    """Return the names of networks on a Swarm that are not the lab's."""
    return sorted(
        {
            network.name
            for snapshot in made.values()
            for network in snapshot.networks
            if network.scope == "swarm" and network.name != "ingress" and not ours(network.labels)
        }
    )
