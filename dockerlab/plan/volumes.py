"""The volumes of a lab: made on each host whose containers use them, and gone with it, with all that is in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from dockerlab import render
from dockerlab.identity import Identity
from dockerlab.modes.base import LABELS
from dockerlab.plan.built import Built, fingerprint_of
from dockerlab.plan.ownership import belongs
from dockerlab.plan.steps import Key, Ours, Step
from dockerlab.snapshot import LABEL_FINGERPRINT, LABEL_RECEIPT, Snapshot, VolumeState

if TYPE_CHECKING:
    from dockerlab.lab.model import Lab

VOLUME = (
    """
# Create volume {{ name }}: what is in it outlives its containers, and goes with the lab
docker volume create
{% if volume.driver != "local" %}
  --driver {{ volume.driver }}  # who keeps it
{% endif %}
{% for key, value in volume.driver_opts.items() %}
  --opt {{ key }}={{ value }}  # an option of the driver
{% endfor %}
"""
    + LABELS
    + """\
  {{ name }}
"""
)

REMOVE_VOLUME = """
# Remove volume {{ name }}, with all that is in it
docker volume rm {{ name }}
"""


def volume(lab: Lab, name: str, host: str, identity: Identity | None) -> Built:
    """Return how a volume of the lab is made on a host."""
    spec = lab.volumes[name]
    context = {"name": name, "volume": spec, "own_labels": spec.labels}
    fingerprint = fingerprint_of(render.command(VOLUME, host, **context, labels={}))
    create = render.command(VOLUME, host, **context, labels=identity.labels(fingerprint) if identity else {})
    return Built((create,), (render.command(REMOVE_VOLUME, host, name=name),), fingerprint)


def volume_steps(lab: Lab, identity: Identity, seen: Callable[[str], Snapshot]) -> list[Step]:
    """Return the steps that make the volumes; one that is made otherwise now is made anew, empty.

    `seen` tells what is on a host.
    """
    steps: list[Step] = []
    for name, spec in lab.volumes.items():
        for host in () if spec.external else lab.hosts_of_volume(name):
            built = volume(lab, name, host, identity)
            found, key = seen(host).volume(name), Key(host, "volume", name)
            if found is not None and found.labels.get(LABEL_FINGERPRINT) == built.fingerprint:
                steps.append(Step(key, "keep"))
            elif found is None:
                steps.append(Step(key, "create", built.create, built.undo))
            else:
                users = [c.name for c in seen(host).containers if belongs(c.labels, identity)]
                after = frozenset(Key(host, "container", user, "unmake") for user in users)
                gone = Step(key._replace(half="unmake"), "clear", built.undo, after=after)
                steps += [gone, Step(key, "recreate", built.create, built.undo, frozenset({gone.key}))]
    return steps


def dropped(lab: Lab, identity: Identity, snapshots: Mapping[str, Snapshot]) -> list[Step]:
    """Return the removal of the volumes that the lab once had on a host and has there no more."""
    return [
        _gone(host, each, snapshot)
        for host, snapshot in snapshots.items()
        for each in volumes_of(snapshot, lambda labels: belongs(labels, identity))
        if each.name not in lab.volumes or lab.volumes[each.name].external or host not in lab.hosts_of_volume(each.name)
    ]


def removing(snapshots: Mapping[str, Snapshot], ours: Ours) -> tuple[list[Step], list[str]]:
    """Return the removal of all volumes that are `ours`, and a line for each that somebody else's container uses."""
    steps: list[Step] = []
    notes: list[str] = []
    for host, snapshot in snapshots.items():
        for each in volumes_of(snapshot, ours):
            guests = [c.name for c in snapshot.containers if each.name in c.volumes and not ours(c.labels)]
            if guests:
                what = f"{', '.join(guests)} uses it and is not the lab's; remove that container, and then down again"
                notes.append(f"{host}: volume {each.name} is kept: {what}")
            else:
                steps.append(_gone(host, each, snapshot))
    return steps, notes


def volumes_of(snapshot: Snapshot, ours: Ours) -> list[VolumeState]:
    """Return the volumes of a host that are `ours` and hold what containers keep there; receipts hold nothing."""
    return [each for each in snapshot.volumes if LABEL_RECEIPT not in each.labels and ours(each.labels)]


def _gone(host: str, found: VolumeState, snapshot: Snapshot) -> Step:
    users = frozenset(Key(host, "container", c.name, "unmake") for c in snapshot.containers)
    command = render.command(REMOVE_VOLUME, host, name=found.name)
    return Step(Key(host, "volume", found.name, "unmake"), "remove", (command,), after=users)
