"""A lab's lease on each of its hosts: given before anything is made, ended after everything is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from dockerlab import leases, render
from dockerlab.command import Command
from dockerlab.identity import Identity
from dockerlab.modes.base import LABELS
from dockerlab.plan.ownership import belongs
from dockerlab.plan.receipts import REMOVE_RECEIPT
from dockerlab.plan.steps import Key, Ours, Step
from dockerlab.snapshot import LABEL_EXPIRES, LABEL_RECEIPT, Snapshot

if TYPE_CHECKING:
    from dockerlab.lab.model import Lab

LEASE = (
    """
# Note on the host how long the lab is wanted: a label of a container could not be changed later
docker volume create
"""
    + LABELS
    + """\
  {{ name }}
"""
)


def with_lease(
    steps: list[Step], lab: Lab, identity: Identity, snapshots: Mapping[str, Snapshot], until: leases.Until
) -> list[Step]:
    """Return the steps of `up` with those that change the lease; without `until` it stays as it is.

    The new lease is there before the first object is made, and the old one goes after the last: so a crash anywhere
    leaves the lab with one of them, and nothing is recreated because its lease is.
    """
    if until is None:
        return steps
    given = [] if until == "never" else [_give(host, identity, leases.written(until)) for host in lab.hosts]
    before = frozenset(step.key for step in given)
    later = [Step(s.key, s.action, s.commands, s.undo, s.after | before, s.why) for s in steps]
    after = frozenset(step.key for step in (*given, *later))
    return [*given, *later, *end_leases(snapshots, lambda labels: belongs(labels, identity), after)]


def lease(host: str, identity: Identity, until: str) -> Command:
    """Return how the empty volume is made that says until when the lab is wanted.

    Its name is that of the run, so that the new lease of a lab is there before the old one goes.
    """
    instance = "" if identity.instance is None else f".{identity.instance}"
    labels = identity.labels("-") | {LABEL_RECEIPT: "lease", LABEL_EXPIRES: until}
    name = f"dockerlab-lease-{identity.lab}{instance}-{identity.run}"
    return render.command(LEASE, host, name=name, labels=labels, own_labels={})


def _give(host: str, identity: Identity, until: str) -> Step:
    command = lease(host, identity, until)
    return Step(Key(host, "lease", str(command.argv[-1])), "create", (command,))


def end_leases(snapshots: Mapping[str, Snapshot], ours: Ours, after: frozenset[Key]) -> list[Step]:
    """Return the removal of all leases that are `ours`, after the other steps."""
    return [
        Step(
            Key(host, "lease", volume.name, "unmake"),
            "remove",
            (render.command(REMOVE_RECEIPT, host, name=volume.name),),
            after=after,
        )
        for host, snapshot in snapshots.items()
        for volume in snapshot.volumes
        if volume.labels.get(LABEL_RECEIPT) == "lease" and ours(volume.labels)
    ]
