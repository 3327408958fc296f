"""A class taken away, by its labels alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from dockerlab import plan
from dockerlab.hosts.base import Host
from dockerlab.identity import CLASS, current
from dockerlab.lock import Locks
from dockerlab.provision.down import Removal
from dockerlab.provision.proof import bridges
from dockerlab.snapshot import LABEL_INSTANCE, LABEL_LAB, LABEL_OWNER, Snapshot
from dockerlab.survey import survey


@dataclass(frozen=True)
class Leaving:
    """What a class's `down` will do."""

    removal: Removal
    others: tuple[str, ...] = ()
    """The lab's instances that are not meant, and stay."""


def plan_down(
    lab: str, ids: Collection[str], hosts: Mapping[str, Host], locks: Locks | None = None, *, everyone: bool = False
) -> Leaving:
    """Return the removal of these instances of a lab, with what the class shares when no other instance is left.

    Raises ConflictError where somebody else has the locks.
    """
    seen = survey(hosts, locks)
    owner = None if everyone else current("").owner
    others = sorted(set(instances(seen.answers, lab, owner)) - set(ids) - {CLASS})
    meant = {*ids, *([] if others else [CLASS])}

    def ours(labels: Mapping[str, str]) -> bool:
        return (
            labels.get(LABEL_LAB) == lab
            and labels.get(LABEL_INSTANCE) in meant
            and owner in (None, labels.get(LABEL_OWNER))
        )

    wanted = plan.remove(seen.answers, ours)
    return Leaving(Removal(wanted, seen.failures, (), ours, bridges(seen.answers, ours)), tuple(others))


def instances(snapshots: Mapping[str, Snapshot], lab: str, owner: str | None) -> Iterator[str]:
    """Yield the instance of each object of a lab that is an instance's."""
    for snapshot in snapshots.values():
        for labels in snapshot.labelled():
            mine = labels.get(LABEL_LAB) == lab and owner in (None, labels.get(LABEL_OWNER))
            if mine and LABEL_INSTANCE in labels:
                yield labels[LABEL_INSTANCE]
